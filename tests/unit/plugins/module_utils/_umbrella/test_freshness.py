# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Silence is told from a broken export, and lines of another width from those that are expected."""

from __future__ import annotations

import gzip

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import (
    FLOWING,
    QUIET,
    STALE,
    WAITING_FOR_DATA,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._umbrella import freshness
from ansible_collections.mssp.onboarding.plugins.module_utils._umbrella.freshness import (
    File,
    explained,
    flow,
    last_line,
    looked_into,
    of_schema,
)

NOW = 1_800_000_000.0
LINE = b'"2026-11-30 10:00:00","a","x, y"\n'


def test_the_last_line_of_a_file_is_read() -> None:
    assert looked_into("k", 5.0, gzip.compress(b'"h"\n' + LINE)) == File("k", 5.0, 1796032800.0, 3)
    assert looked_into("k", 5.0, gzip.compress(b'"timestamp","a"\n')) == File("k", 5.0, None, 2)
    assert looked_into("k", 5.0, gzip.compress(b"")) == File("k", 5.0, None, 0)
    assert len(last_line(gzip.compress(b"x" * 3_000_000))) == freshness.MAX_LINE


def test_what_is_no_whole_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for raw in (b"", b"plain", gzip.compress(LINE * 99)[:-9]):
        with pytest.raises(ValueError, match="gzip"):
            last_line(raw)
    monkeypatch.setattr(freshness, "MAX_TEXT", 1000)
    with pytest.raises(ValueError, match="more than"):
        last_line(gzip.compress(b"0" * 2_000_000))


@pytest.mark.parametrize(
    ("folder", "age", "changed", "state"),
    [
        ("dnslogs", 60, None, FLOWING),
        ("dnslogs", 5000, None, QUIET),
        ("dnslogs", 8000, None, STALE),
        ("dnslogs", None, None, STALE),
        ("dnslogs", None, NOW - 3600, WAITING_FOR_DATA),
        ("auditlogs", 5 * 86400, None, QUIET),
        ("auditlogs", None, None, QUIET),
    ],
)
def test_each_folder_has_a_state(folder: str, age: float | None, changed: float | None, state: str) -> None:
    found = None if age is None else File("k", NOW - age + 10, NOW - age, 4)
    made = flow(f"contoso/{folder}", folder, found, changed, NOW)
    assert (made.state, bool(made.next_step)) == (state, state == STALE)


def test_a_line_from_the_future_keeps_no_ended_log_alive() -> None:
    ended = File("k", NOW - 86400.0, NOW + 86400.0, 4)
    assert flow("contoso/dnslogs", "dnslogs", ended, None, NOW).state == STALE


def test_silence_is_explained() -> None:
    silent = flow("contoso/dnslogs", "dnslogs", None, None, NOW)
    assert explained(silent, False).state == QUIET
    assert explained(silent, True).code == "export_broken"
    unasked = explained(silent, None, "HTTP403: Forbidden")
    assert (unasked.state, "Forbidden" in unasked.message) == (STALE, True)


def test_another_width_is_a_finding() -> None:
    found = File("k", NOW, NOW, 5)
    one = flow("contoso/dnslogs", "dnslogs", found, None, NOW)
    assert of_schema(one, found, None) == of_schema(one, found, 5) == one
    assert of_schema(one, found, 4).code == "schema_changed"
