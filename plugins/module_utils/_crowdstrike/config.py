# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single keys in the connector's configuration file. Pure.

The shipped file holds keys twice, comments of two kinds, case-sensitive keys, and values with every separator; a
parser that reads and writes the whole would refuse it or lose some. So lines are changed, and all others stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

Keys = Mapping[str, Mapping[str, str]]  # section -> key -> value

SECTION = re.compile(r"\s*\[([^\]]+)\]\s*$")
KEY = re.compile(r"(\s*([^#;\s\[=][^=]*?)\s*=)[ \t]*(.*?)\s*$", re.DOTALL)


def entries(text: str) -> Iterator[tuple[int, str, str, str]]:
    """(line number from 0, section, key, value) of every assignment, those that come twice included."""
    section = ""
    for number, line in enumerate(text.splitlines()):
        if found := SECTION.match(line):
            section = found[1]
        elif found := KEY.match(line):
            yield number, section, found[2], found[3]


def values(text: str, section: str) -> dict[str, str]:
    """A section's keys and values; of a key that comes twice the last."""
    return {key: value for _number, name, key, value in entries(text) if name == section}


def sections(text: str) -> list[str]:
    return [found[1] for line in text.splitlines() if (found := SECTION.match(line))]


def edit(text: str, wanted: Keys) -> str:
    """The text with these values. A key that comes twice gets the value twice; one that is missing ends its section."""
    lines = text.splitlines(keepends=True)
    found: set[tuple[str, str]] = set()
    for number, section, key, value in entries(text):
        new = wanted.get(section, {}).get(key)
        if new is None:
            continue
        found.add((section, key))
        if new != value:
            lines[number] = _line(lines[number], new)
    missing = {
        section: {key: value for key, value in keys.items() if (section, key) not in found}
        for section, keys in wanted.items()
    }
    return _added("".join(lines), missing)


def _line(line: str, value: str) -> str:
    """The line with another value: its indent, its key and its line end stay."""
    found = KEY.match(line)
    end = line[len(line.rstrip("\r\n")) :]
    return f"{found[1] if found else ''} {value}".rstrip(" ") + end


def _added(text: str, missing: Keys) -> str:
    """The text with keys at the end of their sections, which are made where they are missing."""
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    for section, keys in missing.items():
        if not keys:
            continue
        new = [f"{key} = {value}".rstrip(" ") + end for key, value in keys.items()]
        place = _end_of(lines, section)
        if place is None:
            lines += [end, f"[{section}]{end}", *new]
        else:
            lines[place:place] = new
    return "".join(lines)


def _end_of(lines: list[str], section: str) -> int | None:
    """The index after the section's last assignment, or its head where it has none; None without the section."""
    place, inside = None, False
    for number, line in enumerate(lines):
        if found := SECTION.match(line):
            inside = found[1] == section and place is None
            place = number + 1 if inside else place
        elif inside and KEY.match(line):
            place = number + 1
    return place
