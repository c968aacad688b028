"""Shapes of records as appliances send them (shapes/*.jsonl), and what must become of each: stored, and at the SIEM.

A line of a file: id, device, framing (what the device offers), record, and where it matters encoding (latin-1: one
byte a character), pad_to (letters for {PAD} up to that size) and records (how many line-framed records the text is).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).with_name("shapes")
PRI = re.compile(rb"<(\d{1,3})>")
DEFAULT_PRI = b"13"  # what rsyslog gives a record that has none (RFC 3164 4.3.3)


@dataclass(frozen=True)
class Shape:
    """record: the bytes of one record, without what frames it."""

    id: str
    record: bytes
    border: bool  # cut by the framing: a trailer, or two records in one text

    @property
    def odd(self) -> bool:
        """Whether its PRI is none that a header may have."""
        found = PRI.match(self.record)
        return bool(found and int(found[1]) > 191)

    @property
    def pri(self) -> bytes:
        found = PRI.match(self.record)
        return found[1] if found and not self.odd else DEFAULT_PRI

    @property
    def body(self) -> bytes:
        """What reaches the SIEM, beside the envelope."""
        return escaped(self.record) if self.odd else self.after_pri

    @property
    def raw(self) -> bytes:
        """What reaches it without an envelope."""
        return escaped(self.record) if self.odd else b"<" + self.pri + b">" + self.body

    @property
    def after_pri(self) -> bytes:
        return escaped(self.record[len(found[0]) :] if (found := PRI.match(self.record)) else self.record)

    @property
    def line(self) -> bytes:
        """What is stored, behind the time and the sender: a line feed cannot stand in a file of lines."""
        return as_line(escaped(self.record))


def escaped(record: bytes) -> bytes:
    """rsyslog's strings end at NUL, so it never lets one in."""
    return record.replace(b"\0", b"#000")


def as_line(record: bytes) -> bytes:
    return record.replace(b"\n", b"#012")


def shapes() -> list[Shape]:
    """All shapes, in the order of the files."""
    found = []
    for path in sorted(FOLDER.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            record = entry["record"].encode(entry.get("encoding", "utf-8"))
            if "pad_to" in entry:
                record = record.replace(b"{PAD}", b"x" * (entry["pad_to"] - len(record) + len(b"{PAD}")))
            border = record.endswith((b"\n", b"\0")) or "records" in entry
            found.append(Shape(entry["id"], record.rstrip(b"\r\n\0") if border else record, border))
    return found


def following(shape: Shape) -> bytes:
    """The next record behind a shape, which must stay whole."""
    return f"<134>Nov 29 10:00:59 next-lab prog: behind {shape.id}".encode()
