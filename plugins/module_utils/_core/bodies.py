# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON of strangers: bounded in bytes, values and depth, each name once, no number that is none."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any, TypeGuard

MAX_VALUES = 2_000_000
MAX_DEPTH = 64
BRACKETS = b"[]{}"
NOT_BRACKETS = bytes(set(range(256)) - set(BRACKETS))
STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\x00\x00")
MAX_AMOUNT = 2**53
# What a path takes as it is; neither of the names of a folder itself and the one above it.
PIECE = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~=@:-]{1,300}")
TOKEN = re.compile(r"[\x21-\x7e]+")
STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def parse(raw: bytes) -> Any:
    """The value of a JSON text. Raises ValueError."""
    if raw.count(b",") + raw.count(b"[") + raw.count(b"{") > MAX_VALUES:
        raise ValueError(f"it has more than {MAX_VALUES} values")
    # Brackets in strings may make it look deeper than it is, never flatter.
    if _depth(raw) > MAX_DEPTH and _depth(STRINGS.sub(b"", raw)) > MAX_DEPTH:
        raise ValueError(f"it is nested more than {MAX_DEPTH} deep")
    return json.loads(raw, object_pairs_hook=_unique, parse_constant=_no_number, parse_float=_finite)


def text(value: Any) -> str:
    """A value that has to be text, as a name. Raises TypeError."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.80} is no text")
    return value


def words(value: Any) -> str:
    """Text that an answer may leave out, '' then. Raises TypeError."""
    return text("" if value is None else value)


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts that an answer may leave out. Raises TypeError."""
    if not isinstance(value, list | tuple | None):
        raise TypeError(f"{value!r:.80} is no list")
    return tuple(text(one) for one in value or ())


def items(value: Any) -> list[Any]:
    """A list that has to be there, of anything. Raises TypeError."""
    if not isinstance(value, list):
        raise TypeError(f"{value!r:.80} is no list")
    return value


def mapping(value: Any) -> dict[str, Any]:
    """An object that an answer may leave out. Raises TypeError."""
    if not isinstance(value, dict | None):
        raise TypeError(f"{value!r:.80} is no object")
    return value or {}


def amount(value: Any) -> float:
    """A number that is not negative. Raises TypeError, ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r:.80} is no number")
    if not 0 <= value < MAX_AMOUNT:
        raise ValueError(f"{value!r:.80} is no amount")
    return value


def instant(value: Any) -> float:
    """Seconds since the epoch of a time in ISO 8601; one without a zone is UTC. Raises TypeError, ValueError."""
    found = datetime.fromisoformat(text(value))
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def piece(value: Any) -> str:
    """An id that becomes one piece of a path. Raises TypeError, ValueError for what leads elsewhere."""
    if not PIECE.fullmatch(text(value)):
        raise ValueError(f"{value!r:.80} is no id")
    return str(value)


def is_token(value: Any) -> TypeGuard[str]:
    """Whether it is text that can go along in a header."""
    return isinstance(value, str) and TOKEN.fullmatch(value) is not None


def _depth(raw: bytes) -> int:
    """How deep the brackets go at most."""
    brackets = raw.translate(STEPS, NOT_BRACKETS)
    if len(brackets) <= MAX_DEPTH:
        return 0
    return max(accumulate(1 if step else -1 for step in brackets))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; which of two values of one name is meant nobody can say."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        raise ValueError(f"it has the name {next(name for name in names if names.count(name) > 1)!r} twice")
    return found


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")
