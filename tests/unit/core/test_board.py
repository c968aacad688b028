# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens that forked workers share, in memory."""

from __future__ import annotations

import os
import time

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.board import Board, key

# The children do nothing but use the board and end; other threads of the test runner do not matter to them.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

LATER = time.time() + 86400  # the whole run of all tests takes long


def test_a_fork_sees_what_another_has_put() -> None:
    board = Board()
    for name in ("a", "b"):
        child = os.fork()
        if child == 0:
            board.put(name, f"token-{name}", LATER)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    assert [board.get(name) for name in ("a", "b", "c")] == ["token-a", "token-b", ""]


def test_many_forks_lose_nothing() -> None:
    board = Board()
    children = []
    for number in range(20):
        child = os.fork()
        if child == 0:
            board.put(f"name-{number}", "x" * number, LATER)
            os._exit(0)
        children.append(child)
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)
    assert [board.get(f"name-{number}") for number in range(20)] == ["x" * number for number in range(20)]


def test_a_token_that_is_over_is_none() -> None:
    board = Board()
    board.put("a", "token", time.time() - 1)
    assert board.get("a") == ""


def test_only_the_token_that_was_refused_is_dropped() -> None:
    board = Board()
    board.put("a", "new", LATER)
    board.drop("a", "old")
    assert board.get("a") == "new"
    board.drop("a", "new")
    assert board.get("a") == ""


def test_without_shared_memory_it_is_the_processes_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    board = Board()
    board.put("a", "token", LATER)
    assert board.get("a") == "token"


def test_another_secret_has_another_name() -> None:
    assert key("client", "one") != key("client", "two")
    assert key("ab", "c") != key("a", "bc")
