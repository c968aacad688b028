# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: whether a folder of the bucket grows, by its newest file and that file's last line. Pure.

Source: docs.umbrella.com, «Log Formats and Versioning» (files FOLDER/YYYY-MM-DD/YYYY-MM-DD-hh-mm-xxxx.csv.gz, written
every ten minutes, in UTC, not in order) and the Reports API (paths of activity). Assumed: a line's first field is its
time in every folder.
"""

from __future__ import annotations

import csv
import re
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from .._core.freshness import QUIET, STALE, WAITING_FOR_DATA, Flow, Limits, judge, stamp

HOUR = 3600.0
DAY = 86400.0
LOOK_BACK_DAYS = 31
# Of a file: as it lies there, and of its text; more is not looked at.
MAX_FILE, MAX_TEXT = 16 * 2**20, 256 * 2**20
MAX_LINE = 64 * 2**10
FIRST_FILE = 2 * HOUR
DAY_FOLDER = re.compile(r"\d{4}-\d\d-\d\d")


class Folder(NamedTuple):
    """activity: path of the Reports API that has the same events, '' for none: such a log may be silent for days."""

    limits: Limits
    activity: str = ""


BUSY, RARE = Limits(grace=HOUR, stale=2 * HOUR), Limits(grace=DAY, stale=7 * DAY)
FOLDERS: Mapping[str, Folder] = {
    "dnslogs": Folder(BUSY, "activity/dns"),
    "proxylogs": Folder(BUSY, "activity/proxy"),
    "iplogs": Folder(BUSY, "activity/ip"),
    "firewalllogs": Folder(BUSY, "activity/firewall"),
    "intrusionlogs": Folder(RARE, "activity/intrusion"),
    "auditlogs": Folder(RARE),
    "dlplogs": Folder(RARE),
}
BROKEN_STEP = (
    "see in Umbrella's dashboard, Admin > Log Management, whether the export is on and its bucket takes what comes; "
    "then ask Cisco's support"
)
SILENT_STEP = (
    "see in Umbrella's dashboard whether the package has this log and the export is on, or leave the folder out"
)
SCHEMA_STEP = "see at Admin > Log Management which schema version and header row are chosen, have the parser follow, "


class File(NamedTuple):
    """The newest file of a folder. written: when it came; width: columns of its last line, 0 for none."""

    key: str
    written: float
    record: float | None = None
    width: int = 0


def last_line(raw: bytes) -> str:
    """The last line of a gzip file, '' for none. Raises ValueError where it is none, or more than a file may be."""
    unzip = zlib.decompressobj(wbits=31)
    tail, size, rest = b"", 0, raw
    try:
        while rest:
            piece = unzip.decompress(rest, 2**20)
            size += len(piece)
            if size > MAX_TEXT:
                raise ValueError(f"it has more than {MAX_TEXT} bytes of text")
            tail = (tail + piece)[-MAX_LINE:]
            rest = unzip.unconsumed_tail
    except zlib.error as error:
        raise ValueError(f"it is no gzip file: {error}") from error
    if not unzip.eof:
        raise ValueError("it is no whole gzip file")
    lines = tail.decode("utf-8", "replace").splitlines()
    return next((line for line in reversed(lines) if line.strip()), "")


def looked_into(key: str, written: float, raw: bytes) -> File:
    """A file with its last line. Raises ValueError."""
    fields = next(csv.reader([last_line(raw)]), [])
    return File(key, written, _time(fields[0]) if fields else None, len(fields))


def _time(text: str) -> float | None:
    """None for what is no time, as the name of a column."""
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def since(now: float) -> str:
    """The first day that is looked at."""
    return datetime.fromtimestamp(now - LOOK_BACK_DAYS * DAY, UTC).strftime("%Y-%m-%d")


def newest_day(prefixes: list[str]) -> str:
    """The last of the folders of days, '' for none."""
    return max((one for one in prefixes if DAY_FOLDER.fullmatch(one.rstrip("/").rpartition("/")[2])), default="")


def flow(source: str, folder: str, found: File | None, changed: float | None, now: float) -> Flow:
    """The state of a folder by its newest file, before its silence is explained."""
    kind = FOLDERS[folder]
    # No line is newer than its file: a source whose clock is ahead would otherwise flow on after its end.
    newest = min(found.record or found.written, found.written) if found else None
    state = judge(configured=True, newest=newest, changed=changed, now=now, may_be_quiet=not kind.activity,
                  limits=kind.limits if newest else kind.limits._replace(grace=FIRST_FILE))  # fmt: skip
    if found is None:
        text = f"no file in the last {LOOK_BACK_DAYS} days"
        return Flow(source, state, message=text, next_step=SILENT_STEP if state == STALE else "")
    lag = max(0.0, found.written - found.record) if found.record else None
    facts: dict[str, Any] = {"file": found.key, "columns": found.width or None}
    step = BROKEN_STEP if state == STALE else ""
    return Flow(source, state, newest, next_step=step, facts=facts, lag=lag)


def explained(one: Flow, active: bool | None, why: str = "") -> Flow:
    """A silent flow, with what Umbrella itself has seen of late; None where it cannot be asked, for a reason."""
    last = stamp(one.newest) or "none"
    if active is None:
        text = f"newest record: {last}; whether there is traffic Umbrella does not tell: {why}"
        return one._replace(message=text, next_step=one.next_step or BROKEN_STEP)
    if active:
        text = f"newest record: {last}, and Umbrella itself has seen traffic in the last day"
        return one._replace(state=STALE, code="export_broken", message=text, next_step=BROKEN_STEP)
    return one._replace(state=QUIET, message="no traffic in the last day, by Umbrella's own report", next_step="")


def of_schema(one: Flow, found: File | None, wanted: int | None) -> Flow:
    """Lines of another width than the SIEM's parser was made for are a finding, though they arrive."""
    if wanted is None or found is None or found.width in (0, wanted) or one.state == WAITING_FOR_DATA:
        return one
    text = f"its lines have {found.width} columns, and {wanted} are expected"
    return one._replace(state=STALE, code="schema_changed", message=text,
                        next_step=f"{SCHEMA_STEP}then give {found.width} in columns")  # fmt: skip
