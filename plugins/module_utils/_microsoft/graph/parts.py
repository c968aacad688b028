# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of one thing in the directory: what their plans have in common. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ..._core.policy import ALL
from ..._core.verdict import Verdict
from .permissions import instead, retired

CREATE, UPDATE, DELETE = "create", "update", "delete"


def together(parts: Sequence[Verdict]) -> list[Verdict]:
    """Parts of one thing are corrected as a whole: on level safe only where all that is due is to add something."""
    if all(part.action == CREATE for part in parts if part.due(ALL)):
        return [*parts]
    return [part._replace(level=UPDATE) if part.due(ALL) else part for part in parts]


def with_retired(part: Verdict, app_id: str, names: Sequence[str]) -> Verdict:
    """The part, told of retired permissions among the wanted: they are kept, and never silently.

    What nobody here writes has a problem and a next step of its own, which come first.
    """
    told = [text for name in names if (text := retired(app_id, name))]
    if not told:
        return part
    own = bool(part.next_step)
    drift = (*part.drift, "retired") if own else ("retired", *part.drift)
    reason = "; ".join(filter(None, (part.reason, *told)))
    return part._replace(drift=drift, reason=reason, next_step=part.next_step or instead(app_id, names))
