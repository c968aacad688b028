# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the probes of a collector's sources say together: a row per source, a table, one result. Pure.

A probe is {source, transport, sent, stored, lacking}: the registered results of the task that sent and of the one that
read back (each may be a skipped item), and what is lacking where nothing could be sent, "" if only an address.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._core.result import counts, framed, spelled
from .._core.status import FAILED, IN_SYNC, SKIPPED, UNKNOWN

CAPABILITY = "collector_verify"
SPEC: dict[str, dict[str, Any]] = {
    "probes": {"type": "list", "elements": "dict", "required": True},
    "max_seconds": {"type": "float", "default": 30.0},
}
NUMBERS = (
    *("sent", "stored", "lost", "duplicated", "reordered", "truncated"),
    *("seconds_to_first", "seconds_to_last", "seconds_p95"),
)
LATE = "late"
STATUS = {LATE: FAILED}  # of the rest, each is its own
STEPS = {
    LATE: "look at the collector's load and queues, and at the clocks of both hosts",
    UNKNOWN: "probe from a host that the source takes records from, or give it the control node's address and key",
}
LOOPBACK = ("127.", "::1")
WIDTH = 68  # of 80, less what Ansible's callback puts around a line
COLUMNS = {
    "by": "transport",
    "outcome": "outcome",
    "sent": "sent",
    "stored": "stored",
    "lost": "lost",
    "twice": "duplicated",
    "order": "reordered",
    "cut": "truncated",
    "secs": "seconds_p95",
}


def row(probe: Mapping[str, Any], max_seconds: float, *, check: bool) -> dict[str, Any]:
    """One source by one transport."""
    sent, stored = probe["sent"], probe["stored"]
    last = sent if stored.get("skipped") else stored
    measured = last.get("probe") or {}
    said = _outcome(sent, stored, check=check)
    text = last.get("msg") or sent.get("msg") or "Nothing was sent."
    if _said(sent) in (SKIPPED, UNKNOWN):
        text = f"{text} {probe['lacking']}".rstrip()
    seconds = measured.get("seconds_p95") or 0.0
    if said == IN_SYNC and 0 < max_seconds < seconds:
        said, text = LATE, f"{text} 95 % had arrived after {seconds} s; the limit is {max_seconds:g} s."
    numbers = {name: measured.get(name) for name in NUMBERS}
    about = {"source": probe["source"], "transport": probe["transport"], "sender": sent.get("sender", "")}
    return {**about, "outcome": said, **numbers, "sent": numbers["sent"] or 0, "msg": text}


def _outcome(sent: Mapping[str, Any], stored: Mapping[str, Any], *, check: bool) -> str:
    """Where nothing was sent the source's state is unknown, which is never in sync."""
    said = [_said(result) for result in (sent, stored)]
    if FAILED in said:
        return FAILED
    if said[0] in (SKIPPED, UNKNOWN):
        return UNKNOWN
    if check:
        return SKIPPED
    return IN_SYNC if said[1] == IN_SYNC else UNKNOWN


def _said(result: Mapping[str, Any]) -> str:
    """A result without a summary is that of a module that could not run."""
    return SKIPPED if result.get("skipped") else str((result.get("summary") or {}).get("outcome", FAILED))


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """A head and a line per row, at most WIDTH wide while numbers are below a million."""
    cells = [list(COLUMNS)]
    cells += [["-" if one[name] is None else str(one[name]) for name in COLUMNS.values()] for one in rows]
    sizes = [max(len(line[at]) for line in cells) for at in range(len(COLUMNS))]
    room = max(8, WIDTH - sum(sizes) - len(sizes))
    names = [shorten(name, room) for name in ("source", *(one["source"] for one in rows))]
    width = max(map(len, names))
    words = ("by", "outcome")
    lines = []
    for name, line in zip(names, cells, strict=True):
        columns = zip(COLUMNS, line, sizes, strict=True)
        padded = [cell.ljust(size) if head in words else cell.rjust(size) for head, cell, size in columns]
        lines.append(" ".join([name.ljust(width), *padded]))
    return lines


def shorten(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def result(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The house shape, with C(rows) and C(table). It fails for what was lost or late, not for what is unknown."""
    number = counts(STATUS.get(row["outcome"], row["outcome"]) for row in rows)
    bad = [row for row in rows if row["outcome"] in (FAILED, LATE)]
    unknown = [row for row in rows if row["outcome"] == UNKNOWN]
    told = [f"{row['source']} {row['transport']} is {row['outcome']}: {row['msg']}" for row in (*bad, *unknown)]
    notes = (line for note in _footnotes(rows) for line in textwrap.wrap(note, WIDTH))
    return framed(
        CAPABILITY,
        number,
        " ".join(told) or f"{spelled(number) or 'Nothing to probe'}.",
        failed=bool(bad),
        problems=[_problem(row) for row in (*bad, *unknown)],
        outputs={"rows": list(rows), "table": [*table(rows), *notes]},
    )


def _footnotes(rows: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    inside = sorted({row["source"] for row in rows if row["sender"].startswith(LOOPBACK)})
    if inside:
        yield f"Sent by the collector itself, not over the network: {', '.join(inside)}"
    for row in rows:
        if row["outcome"] != IN_SYNC:
            yield f"{row['source']} {row['transport']}: {row['msg']}"


def _problem(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "target": f"{row['source']} {row['transport']}",
        "operation": f"probe {row['source']} by {row['transport']}",
        "status": None,
        "code": f"probe_{row['outcome']}",
        "message": row["msg"],
        "next_step": STEPS.get(row["outcome"], "read the receiver's own log and counters on the collector"),
        "request_id": "",
        "count": 1,
    }


async def run(params: Mapping[str, Any], _reporter: Any, _redactor: Any, *, check: bool, diff: bool) -> dict[str, Any]:
    """The module collector_verdict_info."""
    return result([row(probe, params["max_seconds"], check=check) for probe in params["probes"]])
