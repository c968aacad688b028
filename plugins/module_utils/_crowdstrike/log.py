# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the connector's log says: the last heartbeat, and what failed since. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from .._core.errors import InputError
from .catalog import ERROR_WORDS, FAILURES, HEARTBEAT, LEVELS, NO_ERRORS, SUCCESS_WORDS, WRONG_LEVELS

# The form of a line's time is not known; these are those of Go's log package, of ISO 8601 and of JSON loggers.
TIME = re.compile(r"(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,]\d+)?\s?(Z|[+-]\d\d:?\d\d)?")
SHOWN = 300
# As a key of a structured line, in brackets, or in capitals.
_NAMES = "|".join(sorted(LEVELS))
LEVEL = re.compile(rf"""(?i:\b(?:level|lvl|severity)"?\s*[=:]\s*"?(\w+))|\[(?i:({_NAMES}))\]|\b({_NAMES})\b""")
LEVEL_WITHIN = 120
EVENT_BEGINS = ("{", "}", '"', "[", "]")  # of an event: they go to the log where the output cannot be written
WRONG_WORDS, NONE_WRONG, RIGHT_WORDS = (
    re.compile(pattern, re.IGNORECASE) for pattern in (ERROR_WORDS, NO_ERRORS, SUCCESS_WORDS)
)


@dataclass(frozen=True)
class Words:
    """Regular expressions for a log's lines. failures: code to pattern, the first that matches names the line.

    given: codes whose pattern is the user's own, and so right for a line of any level.
    """

    heartbeat: re.Pattern[str]
    failures: Mapping[str, re.Pattern[str]]
    given: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Seen:
    """A failure since the last heartbeat. line: the last that said so, in the connector's own words."""

    code: str
    count: int
    line: str
    final: bool
    next_step: str


@dataclass(frozen=True)
class Said:
    """heartbeat: when the last one was, seconds since the epoch, None for none; last: the last line.

    unknown: lines since then that say that something is wrong, in words that no pattern knows.
    """

    heartbeat: float | None
    failures: tuple[Seen, ...]
    last: str
    unknown: tuple[str, ...] = ()


def words(heartbeat: str, failures: Mapping[str, str]) -> Words:
    """The patterns, with the user's in place of those of the table. Raises InputError."""
    unknown = sorted(set(failures) - set(FAILURES))
    if unknown:
        raise InputError("use failure_patterns", f"there is no failure {', '.join(unknown)}; see {', '.join(FAILURES)}")
    found = {code: failures.get(code) or failure.pattern for code, failure in FAILURES.items()}
    try:
        compiled = {code: re.compile(pattern, re.IGNORECASE) for code, pattern in found.items()}
        given = frozenset(code for code, pattern in failures.items() if pattern)
        return Words(re.compile(heartbeat or HEARTBEAT, re.IGNORECASE), compiled, given)
    except re.error as error:
        raise InputError("use heartbeat_pattern or failure_patterns", f"{error.pattern!r}: {error}") from error


def read(text: str, known: Words, written: float) -> Said:
    """What the lines say. written: when the log was last written to, for heartbeats without a time of their own."""
    heartbeat: float | None = None
    found: dict[str, list[str]] = {}
    unknown: list[str] = []
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line in lines:
        if known.heartbeat.search(line):
            heartbeat = time_of(line) or written
            found.clear()
            unknown.clear()
            continue
        wrong = is_wrong(line)
        codes = known.failures if wrong else known.given
        code = next((code for code in known.failures if code in codes and known.failures[code].search(line)), "")
        if code:
            found.setdefault(code, []).append(line)
        elif wrong:
            unknown.append(line[:SHOWN])
    failures = tuple(
        Seen(code, len(said), said[-1][:SHOWN], FAILURES[code].final, FAILURES[code].next_step)
        for code, said in found.items()
    )
    return Said(heartbeat, failures, lines[-1][:SHOWN] if lines else "", tuple(unknown))


def is_wrong(line: str) -> bool:
    """Whether the line says that something is wrong: by its level, and where it has none by its words."""
    found = LEVEL.search(line[:LEVEL_WITHIN])
    level = (found[1] or found[2] or found[3]).upper() if found else ""
    if level in LEVELS:
        return level in WRONG_LEVELS
    if line.startswith(EVENT_BEGINS):
        return False
    words_left = NONE_WRONG.sub("", line)
    return bool(WRONG_WORDS.search(words_left)) and not RIGHT_WORDS.search(words_left)


def time_of(line: str) -> float | None:
    """The time at the line's start, the host's own where it names no zone; None where there is none."""
    found = TIME.search(line[:80])
    if not found:
        return None
    try:
        zone = datetime.strptime(found[7].replace("Z", "+0000").replace(":", ""), "%z").tzinfo if found[7] else None
        year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
        return datetime(year, month, day, hour, minute, second, tzinfo=zone).timestamp()
    except ValueError:
        return None
