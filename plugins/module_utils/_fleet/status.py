# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How tenants stand, asked of the history by filters."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .._core.errors import InputError
from .._core.redaction import Redactor
from .._core.result import counts, framed
from .._core.status import DRIFTED, FAILED, IN_SYNC, NEVER_RUN
from .coverage import Scope, scopes, states_of
from .history import FILE, History
from .retention import DAY
from .states import STATUSES, Cell, moment, worst_of

CAPABILITY = "fleet_status"
SPEC: dict[str, dict[str, Any]] = {
    "evidence_root": {"type": "path", "default": "evidence"},
    "tenants": {"type": "list", "elements": "str", "default": []},
    "capabilities": {"type": "list", "elements": "str", "default": []},
    "statuses": {"type": "list", "elements": "str", "choices": list(STATUSES), "default": []},
    "since": {"type": "str"},
}
AGE = re.compile(r"(\d+)([hd])")
SECONDS = {"h": 3600.0, "d": DAY}


async def run(
    params: Mapping[str, Any], _reporter: Any, _redactor: Redactor, *, check: bool, diff: bool
) -> dict[str, Any]:
    """The cells that the filters let through, the worst first. Raises InputError and HistoryError."""
    after = earliest(params["since"], time.time())
    table = read(Path(params["evidence_root"]))
    for tenant in params["tenants"]:
        if not any(name == tenant for name, _capability in table):
            table[tenant, ""] = Cell(tenant, "", NEVER_RUN)
    taken = [
        cell
        for cell in table.values()
        if (not params["tenants"] or cell.tenant in params["tenants"])
        and (not params["capabilities"] or not cell.capability or cell.capability in params["capabilities"])
        and (not params["statuses"] or cell.status in params["statuses"])
        and (after is None or (cell.since or 0.0) >= after)
    ]
    chosen = {(cell.tenant, cell.capability) for cell in taken}
    lines = scopes(cell for key, cell in table.items() if key in chosen)
    return result(taken, lines)


def read(root: Path) -> dict[tuple[str, str], Cell]:
    """All cells of the history under the root; none where nothing has run yet. Raises InputError and HistoryError."""
    if not root.is_dir():
        raise InputError(
            "read the history",
            f"there is no folder {root.absolute()}",
            code="no_evidence",
            next_step="set evidence_root to that of the callback mssp.onboarding.evidence",
        )
    if not (root / FILE).exists():
        return {}
    with History(root / FILE) as history:
        return history.cells()


def earliest(text: str | None, now: float) -> float | None:
    """«36h», «7d» or an ISO date as seconds since the epoch. Raises InputError."""
    if not text:
        return None
    age = AGE.fullmatch(text)
    when = now - int(age[1]) * SECONDS[age[2]] if age else moment(text)
    if when is None:
        raise InputError(
            "read the options",
            f"since is «{text}»",
            code="since",
            next_step="give an age such as 36h or 7d, or a date such as 2026-11-21T06:00:00Z",
        )
    return when


def result(taken: list[Cell], lines: list[Scope]) -> dict[str, Any]:
    number = Counter(cell.status for cell in taken)
    statuses = {status: number[status] for status in STATUSES}
    told = ", ".join(f"{n} {status}" for status, n in reversed(statuses.items()) if n)
    worst_first = sorted(taken, key=lambda cell: (-STATUSES.index(cell.status), cell.tenant, cell.capability))
    return framed(
        CAPABILITY,
        counts([IN_SYNC] * len(taken)),
        f"{len({cell.tenant for cell in taken})} tenants, {len(taken)} capabilities: {told or 'none'}.",
        summary={"statuses": statuses, "status": worst_of(number), "coverage": states_of(lines)},
        outputs={"tenants": [entry(cell) for cell in worst_first], "scopes": [line._asdict() for line in lines]},
    )


def entry(cell: Cell) -> dict[str, Any]:
    """A cell as data; dates in ISO form, None for never or not so."""
    worst = [member for member in cell.members if member.status == cell.status]
    steps = [problem.get("next_step") for member in worst for problem in member.detail.get("problems", [])]
    return {
        "tenant": cell.tenant,
        "capability": cell.capability or None,
        "status": cell.status,
        "since": date(cell.since),
        "drifted_since": date(cell.since) if cell.status == DRIFTED else None,
        "failing_since": date(cell.since) if cell.status == FAILED else None,
        "last_in_sync": date(cell.last_in_sync),
        "first_seen": date(cell.first_seen),
        "seen": date(cell.seen),
        "msg": next((str(member.detail.get("msg", "")) for member in worst), ""),
        "next_step": next((str(step) for step in steps if step), ""),
    }


def date(when: float | None) -> str | None:
    """To the second, in UTC."""
    if when is None:
        return None
    return datetime.fromtimestamp(when, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
