# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What earlier runs knew of a tenant's subscriptions: the API tells no time of a start.

One small file for each tenant, beside those that remember its scopes. Without evidence nothing is kept.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..._core.client import ODD_SHAPE
from ..._core.coverage import memory_path
from ..._core.errors import OnboardingError
from ..._core.evidence import make_folder, write_whole
from ..._core.findings import PROVIDER
from .plan import NOTHING_KNOWN, Known

NAME = "m365_activity.starts"


class Memory:
    """known: by content type. kept: whether there is a place for it; writes: whether this run may change it."""

    def __init__(self, evidence: str, *, writes: bool) -> None:
        self._path = memory_path(evidence, NAME)
        self._writes = writes
        self.kept = self._path is not None
        self.known: dict[str, Known] = _load(self._path) if self._path else {}

    def of(self, type: str) -> Known:
        return self.known.get(type, NOTHING_KNOWN)

    def keep(self, **changed: Known) -> None:
        """Remember it, at once: a run may be ended in the middle. Raises OnboardingError."""
        after = {**self.known, **changed}
        if after == self.known:
            return
        self.known = after
        if self._path and self._writes:
            _save(self._path, after)


def _load(path: Path) -> dict[str, Known]:
    """Raises OnboardingError: what cannot be read is not «nothing»."""
    try:
        held: Any = json.loads(path.read_text(encoding="utf-8"))
        return {type: Known(**{key: float(when) for key, when in one.items()}) for type, one in held.items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, *ODD_SHAPE) as error:
        raise _unusable("read", path, error) from error


def _save(path: Path, known: dict[str, Known]) -> None:
    told = {
        type: {key: value for key, value in one._asdict().items() if value is not None} for type, one in known.items()
    }
    try:
        make_folder(path.parent)
        write_whole(path, json.dumps(told, indent=0, sort_keys=True))
    except OSError as error:
        raise _unusable("write", path, error) from error


def _unusable(what: str, path: Path, error: Exception) -> OnboardingError:
    step = f"let the user that runs Ansible use {path}, or remove it: then starts of earlier runs are not known"
    text = f"{path}: {error}"
    return OnboardingError(f"{what} when subscriptions were started", text, code="StartsUnknown", next_step=step,
                           owner=PROVIDER)  # fmt: skip
