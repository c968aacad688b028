# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What earlier runs knew of a tenant's subscriptions: the API tells no time of a start.

One small file for each tenant, beside those that remember its scopes. Without evidence nothing is kept.
"""

from __future__ import annotations

from typing import Any

from ..._core.coverage import memory_path
from ..._core.memory import About, load, save
from .plan import NOTHING_KNOWN, Known

NAME = "m365_activity.starts"
ABOUT = About("when subscriptions were started", "StartsUnknown", "starts of earlier runs are not known")


class Memory:
    """known: by content type. kept: whether there is a place for it; writes: whether this run may change it."""

    def __init__(self, evidence: str, *, writes: bool) -> None:
        self._path = memory_path(evidence, NAME)
        self._writes = writes
        self.kept = self._path is not None
        self.known: dict[str, Known] = load(self._path, _read, ABOUT) if self._path else {}

    def of(self, type: str) -> Known:
        return self.known.get(type, NOTHING_KNOWN)

    def keep(self, **changed: Known) -> None:
        """Remember it, at once: a run may be ended in the middle. Raises OnboardingError."""
        after = {**self.known, **changed}
        if after == self.known:
            return
        self.known = after
        if self._path and self._writes:
            save(self._path, _told(after), ABOUT)


def _read(held: dict[str, Any]) -> dict[str, Known]:
    return {type: Known(**{key: float(when) for key, when in one.items()}) for type, one in held.items()}


def _told(known: dict[str, Known]) -> dict[str, Any]:
    return {
        type: {key: value for key, value in one._asdict().items() if value is not None} for type, one in known.items()
    }
