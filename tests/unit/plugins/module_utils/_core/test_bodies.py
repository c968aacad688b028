# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON of strangers: what is taken, and what is refused."""

from __future__ import annotations

import json

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
