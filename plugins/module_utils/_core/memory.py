# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small files of JSON that one run leaves for the next, beside those that remember scopes (C(coverage.memory_path))."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from .client import ODD_SHAPE
from .errors import OnboardingError
from .evidence import make_folder, write_whole
from .findings import PROVIDER

T = TypeVar("T")


class About(NamedTuple):
    """what: is kept; code: of the error; lost: what follows where the file is removed."""

    what: str
    code: str
    lost: str


def load(path: Path, read: Callable[[dict[str, Any]], T], about: About) -> T:
    """What is made of the object in it, of {} where there is none.

    Raises OnboardingError: what cannot be read is not «nothing».
    """
    try:
        return read(dict(json.loads(path.read_text(encoding="utf-8")).items()))
    except (FileNotFoundError, NotADirectoryError):
        return read({})
    except (OSError, *ODD_SHAPE) as error:
        raise _unusable("read", path, error, about) from error


def save(path: Path, held: Mapping[str, Any], about: About) -> None:
    """Raises OnboardingError."""
    try:
        make_folder(path.parent)
        write_whole(path, json.dumps(held, indent=0, sort_keys=True))
    except OSError as error:
        raise _unusable("write", path, error, about) from error


def _unusable(verb: str, path: Path, error: Exception, about: About) -> OnboardingError:
    step = f"let the user that runs Ansible use {path}, or remove it: then {about.lost}"
    return OnboardingError(f"{verb} {about.what}", f"{path}: {error}", code=about.code, next_step=step, owner=PROVIDER)
