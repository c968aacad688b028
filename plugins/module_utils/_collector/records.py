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
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

MARK = b"mssp-probe run="
RUN_ID = re.compile(r"[0-9a-f]{16}")
# How role syslog_target begins a line: when rsyslog took the record, from where, and the record as it came.
RECEIVED = re.compile(rb"(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) \S+ (?=<\d)")
RECORD = re.compile(rb"mssp-probe run=([0-9a-f]{16}) seq=(\d+) at=(\d+) size=(\d+) sum=([0-9a-f]{8}) x*;?")
UNSEALED = b"00000000"
MIN_SIZE, MAX_SIZE = 128, 16 * 1024 * 1024
FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"),
    *("ntp", "audit", "alert", "clock"),
    *(f"local{number}" for number in range(8)),
)
SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
TAG = "mssp-probe"
# What stands before the text, as senders write it: by the RFCs, and with the separators, quotes and odd bytes of CEF,
# LEEF, FortiGate and PAN-OS. The text ends each, so that a record's end can be told.
FORMATS = {
    "rfc5424": f"<{{pri}}>1 {{iso}} {{host}} {TAG} - - - ",
    "rfc3164": f"<{{pri}}>{{bsd}} {{host}} {TAG}: ",
    "cef": "<{pri}>{bsd} {host} CEF:0|mssp|probe|1.0|100|a pipe \\| and a \\\\|3|cs1=a\\=b cs1Label=sign msg=",
    "leef": "<{pri}>1 {iso} {host} - - - - LEEF:2.0|mssp|probe|1.0|100|\t|cat=probe\tusrName=Zo\u00eb\tmsg=",
    "key_value": '<{pri}>date={date} time={time} devname="{host}" type="traffic" user="a\\b" note="" msg=',
    "csv": '<{pri}>{bsd} {host} 1,{date} {time},007,TRAFFIC,end,"one, ""two""",,  ,',
}
MIXED = "mixed"  # each in turn


class Found(NamedTuple):
    """One record seen in a store.

    at: when its sender wrote it; received: when the collector took it, None where its line does not say. Both are
    seconds since the epoch. whole: nothing is cut off, and where its line holds all that was sent, no byte
    is another.
    """

    number: int
    at: float
    received: float | None
    whole: bool


class Style(NamedTuple):
    """How a record is dressed. format: of FORMATS; hostname: what the header claims."""

    format: str
    facility: str
    severity: str
    hostname: str


def new_run() -> str:
    return secrets.token_hex(8)


def body(run: str, number: int, at: float, size: int) -> bytes:
    """A record of exactly C(size) bytes; MIN_SIZE is always enough for its head."""
    values = (run.encode(), number, int(at * 1e6), size, UNSEALED)
    head = b"mssp-probe run=%s seq=%d at=%d size=%d sum=%s " % values
    return head + b"x" * (size - len(head) - 1) + b";"


def bodies(run: str, count: int, size: int) -> Iterator[bytes]:
    """Each stamped when it is taken."""
    for number in range(count):
        yield body(run, number, time.time(), size)


def seal(message: bytes) -> bytes:
    """A dressed record with a sum over all its bytes, by which a byte that became another is known."""
    return message.replace(b" sum=" + UNSEALED, b" sum=%08x" % zlib.crc32(message), 1)


def _sealed(message: bytes, given: bytes) -> bool:
    return given == b"%08x" % zlib.crc32(message.replace(b" sum=" + given, b" sum=" + UNSEALED, 1))


def find(run: str, data: bytes) -> Iterator[Found]:
    """Records of the run, in the order in which they stand in C(data)."""
    wanted = run.encode()
    for match in RECORD.finditer(data):
        if match.group(1) == wanted:
            text = match.group(0)
            whole = len(text) == int(match.group(4)) and text.endswith(b";")
            start = data.rfind(b"\n", 0, match.start()) + 1
            line = RECEIVED.match(data, start)
            if whole and match.group(5) != UNSEALED and (line or start == match.start()):
                end = data.find(b"\n", match.end())
                whole = _sealed(data[line.end() if line else start : end if end >= 0 else len(data)], match.group(5))
            yield Found(int(match.group(2)), int(match.group(3)) / 1e6, line and seconds(line.group(1)), whole)


def seconds(stamp: bytes) -> float | None:
    """RFC 3339 to seconds since the epoch; None for what looks like it and is no time."""
    try:
        return datetime.fromisoformat(stamp.decode().replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError):
        return None


def dress(style: Style, text: bytes, at: float) -> bytes:
    """The record as the format has it (RFC 5424 §6, RFC 3164 §4.1, or a product's own), not yet framed."""
    priority = FACILITIES.index(style.facility) * 8 + SEVERITIES.index(style.severity)
    utc = time.gmtime(at)
    date, clock = time.strftime("%Y-%m-%d", utc), time.strftime("%H:%M:%S", utc)
    head = FORMATS[style.format].format(
        pri=priority,
        host=style.hostname,
        date=date,
        time=clock,
        iso=f"{date}T{clock}.{int(at % 1 * 1e6):06d}Z",
        bsd=f"{MONTHS[utc.tm_mon - 1]} {utc.tm_mday:2d} {clock}",
    )
    return head.encode() + text


def octet_counted(message: bytes) -> bytes:
    """RFC 6587 §3.4.1."""
    return b"%d %s" % (len(message), message)


def line_feed(message: bytes) -> bytes:
    """RFC 6587 §3.4.2 with LF as the trailer."""
    return message + b"\n"


FRAMINGS = {"octet_counted": octet_counted, "lf": line_feed}
