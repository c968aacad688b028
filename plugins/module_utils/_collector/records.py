# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbered records: how they are written for each format and framing, and how they are known again.

Runs on collectors too: Python 3.9, standard library only.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

MARK = b"mssp-probe run="
RUN_ID = re.compile(r"[0-9a-f]{16}")
# How role syslog_target begins a line: when rsyslog took the record, from where, and the record as it came.
RECEIVED = re.compile(rb"(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) \S+ <\d")
RECORD = re.compile(rb"mssp-probe run=([0-9a-f]{16}) seq=(\d+) at=(\d+) size=(\d+) x*;?")
MIN_SIZE, MAX_SIZE = 128, 16 * 1024 * 1024
FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"),
    *("ntp", "audit", "alert", "clock"),
    *(f"local{number}" for number in range(8)),
)
SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
TAG = "mssp-probe"


class Found(NamedTuple):
    """One record seen in a store.

    at: when its sender wrote it; received: when the collector took it, None where its line does not say. Both are
    seconds since the epoch. whole: nothing is cut off.
    """

    number: int
    at: float
    received: float | None
    whole: bool


class Style(NamedTuple):
    """How a record is dressed. format: rfc5424 or rfc3164; hostname: what the header claims."""

    format: str
    facility: str
    severity: str
    hostname: str


def new_run() -> str:
    return secrets.token_hex(8)


def body(run: str, number: int, at: float, size: int) -> bytes:
    """A record of exactly C(size) bytes; MIN_SIZE is always enough for its head."""
    head = b"mssp-probe run=%s seq=%d at=%d size=%d " % (run.encode(), number, int(at * 1e6), size)
    return head + b"x" * (size - len(head) - 1) + b";"


def bodies(run: str, count: int, size: int) -> Iterator[bytes]:
    """Each stamped when it is taken."""
    for number in range(count):
        yield body(run, number, time.time(), size)


def find(run: str, data: bytes) -> Iterator[Found]:
    """Records of the run, in the order in which they stand in C(data)."""
    wanted = run.encode()
    for match in RECORD.finditer(data):
        if match.group(1) == wanted:
            text = match.group(0)
            whole = len(text) == int(match.group(4)) and text.endswith(b";")
            line = RECEIVED.match(data, data.rfind(b"\n", 0, match.start()) + 1)
            yield Found(int(match.group(2)), int(match.group(3)) / 1e6, line and _seconds(line.group(1)), whole)


def _seconds(stamp: bytes) -> float:
    """RFC 3339 to seconds since the epoch."""
    return datetime.fromisoformat(stamp.decode().replace("Z", "+00:00")).timestamp()


def dress(style: Style, text: bytes, at: float) -> bytes:
    """The record with a syslog header (RFC 5424 §6, RFC 3164 §4.1), not yet framed."""
    priority = FACILITIES.index(style.facility) * 8 + SEVERITIES.index(style.severity)
    utc = time.gmtime(at)
    if style.format == "rfc5424":
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", utc) + f".{int(at % 1 * 1e6):06d}Z"
        return f"<{priority}>1 {stamp} {style.hostname} {TAG} - - - ".encode() + text
    stamp = f"{MONTHS[utc.tm_mon - 1]} {utc.tm_mday:2d} {utc.tm_hour:02d}:{utc.tm_min:02d}:{utc.tm_sec:02d}"
    return f"<{priority}>{stamp} {style.hostname} {TAG}: ".encode() + text


def octet_counted(message: bytes) -> bytes:
    """RFC 6587 §3.4.1."""
    return b"%d %s" % (len(message), message)


def line_feed(message: bytes) -> bytes:
    """RFC 6587 §3.4.2 with LF as the trailer."""
    return message + b"\n"


FRAMINGS = {"octet_counted": octet_counted, "lf": line_feed}
