# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON of strangers: what is taken, and what is refused."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import bodies


def test_what_is_json_is_taken() -> None:
    assert bodies.parse(b'{"a": [1, 2.5, null, "\xc3\xa9"], "b": {"a": "["}}') == {
        "a": [1, 2.5, None, "é"],
        "b": {"a": "["},
    }


def test_brackets_in_text_are_no_depth() -> None:
    text = "[" * 500 + '"\\'
    assert bodies.parse(json.dumps([text] * 3).encode()) == [text] * 3
    assert bodies.parse(b"[" * bodies.MAX_DEPTH + b"]" * bodies.MAX_DEPTH)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"[" * 65 + b"]" * 65, "deep"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "deep"),
        (b"[" * 1_000_000, "deep"),
        (b'{"a": 1, "b": {"c": 1, "c": 1}}', "'c' twice"),
        (b"[NaN]", "no number"),
        (b"[-Infinity]", "no number"),
        (b"[1e999]", "no number"),
        (b"[" + b"0," * bodies.MAX_VALUES + b"0]", "values"),
        (b"\xff\xfe", ""),
        (b"[1", ""),
    ],
)
def test_what_may_hurt_or_mislead_is_refused(raw: bytes, words: str) -> None:
    with pytest.raises(ValueError) as raised:
        bodies.parse(raw)
    assert words in str(raised.value)


@pytest.mark.parametrize(("value", "good"), [("a.b-c", True), ("", False), ("a\nb", False), ("é", False), (5, False)])
def test_a_token_can_go_along_in_a_header(value: object, good: bool) -> None:
    assert bodies.is_token(value) is good


@pytest.mark.parametrize(
    ("read", "value", "found"),
    [
        (bodies.text, "a", "a"),
        (bodies.text, "", ""),
        (bodies.words, "a", "a"),
        (bodies.words, None, ""),
        (bodies.texts, ["a", ""], ("a", "")),
        (bodies.texts, None, ()),
        (bodies.items, [1, None], [1, None]),
        (bodies.items, [], []),
        (bodies.mapping, {"a": 1}, {"a": 1}),
        (bodies.mapping, None, {}),
        (bodies.amount, 0, 0),
        (bodies.amount, 2.5, 2.5),
        (bodies.amount, 2**53 - 1, 2**53 - 1),
        (bodies.piece, "a.b-C_1~=@:", "a.b-C_1~=@:"),
        (bodies.piece, "...", "..."),
        (bodies.piece, "x" * 300, "x" * 300),
    ],
)
def test_a_value_of_its_kind_is_taken(read: Callable[[Any], Any], value: Any, found: Any) -> None:
    assert read(value) == found


@pytest.mark.parametrize(
    ("read", "values", "error"),
    [
        (bodies.text, (None, 5, b"a", ["a"]), TypeError),
        (bodies.words, (0, False, [], {}), TypeError),
        (bodies.texts, ("ab", 0, {}, [None], ["a", 5]), TypeError),
        (bodies.items, (None, {}, "ab", ()), TypeError),
        (bodies.mapping, ([], "", 0, False), TypeError),
        (bodies.amount, (None, True, False, "5", []), TypeError),
        (bodies.amount, (-1, 2**53, float("nan"), float("inf")), ValueError),
        (bodies.piece, (None, 5), TypeError),
        (bodies.piece, ("", ".", "..", "a/b", "a?b", "a%2fb", "a b", "a\n", "x" * 301), ValueError),
    ],
)
def test_a_value_of_another_kind_is_refused(
    read: Callable[[Any], Any], values: tuple[Any, ...], error: type[Exception]
) -> None:
    for value in values:
        with pytest.raises(error):
            read(value)


@pytest.mark.parametrize("told", ["1970-01-01T00:01:00", "1970-01-01T00:01:00Z", "1970-01-01T01:01:00.0000000+01:00"])
def test_a_time_without_a_zone_is_utc(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert bodies.instant(told) == 60.0
    finally:
        monkeypatch.undo()
        time.tzset()
