# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host remembers of one tenant: the files that last worked, and where its offsets are."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from .._core.errors import OnboardingError
from . import system
from .plan import File

_PACKAGE = f"{system.STATE}/_package"  # no tenant's name begins like that


def _path(tenant: str) -> str:
    return f"{system.STATE}/{tenant}.json"


def _load(tenant: str) -> dict[str, Any]:
    """{worked: {path: [content, package version]}, offsets: [path]}; empty where nothing was kept.

    Raises OnboardingError: what cannot be read is not «nothing», and would be written over.
    """
    path = _path(tenant)
    file = system.read(path)
    try:
        found = json.loads(file.content) if file else {}
        whole = isinstance(found, dict)
    except ValueError:
        whole = False
    if not whole:
        step = f"see what {path} is; without it the files that last worked and the places of offsets are not known"
        raise OnboardingError(
            "read what last worked", f"{path} is not what was written", code="unreadable", next_step=step
        )
    return dict(found)


def worked(tenant: str) -> dict[str, tuple[str, str]]:
    """Content and package version with which each file of the tenant last had a heartbeat, by path."""
    return {path: (found[0], found[1]) for path, found in _load(tenant).get("worked", {}).items()}


def offsets(tenant: str) -> list[str]:
    """The offset files of every CID that the tenant has had here."""
    return sorted(_load(tenant).get("offsets", []))


def remember(tenant: str, files: Mapping[str, tuple[str, str]], paths: Iterable[str]) -> None:
    """The files hold secrets, as the connector's own do: root alone reads them."""
    _save(tenant, json.dumps({"worked": files, "offsets": sorted({*offsets(tenant), *paths})}))


def forget(tenant: str, *, with_offsets: bool) -> None:
    """After offboarding only the places of offsets that are there stay known, until they go, too."""
    kept = [] if with_offsets else [path for path in offsets(tenant) if os.path.exists(path)]
    if kept:
        _save(tenant, json.dumps({"offsets": kept}))
        return
    system.remove(_path(tenant))
    system.remove_empty(system.STATE, os.path.dirname(system.STATE))


def installed_by_us() -> bool:
    """Whether the package came by a run of ours; one that was there before is not ours to remove."""
    return system.read(_PACKAGE) is not None


def remember_package() -> None:
    system.write(_PACKAGE, File("", 0o600, 0))


def forget_package() -> None:
    system.remove(_PACKAGE)
    system.remove_empty(system.STATE, os.path.dirname(system.STATE))


def _save(tenant: str, text: str) -> None:
    system.write(_path(tenant), File(text, 0o600, 0))
