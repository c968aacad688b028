# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens that forked workers share, in memory."""

from __future__ import annotations

import os
import time

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.token_cache import TokenCache, key

# The children do nothing but use the cache and end; other threads of the test runner do not matter to them.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

LATER = time.time() + 86400  # the whole run of all tests takes long


def test_a_fork_sees_what_another_has_put() -> None:
    cache = TokenCache()
    for name in ("a", "b"):
        child = os.fork()
        if child == 0:
            cache.put(name, f"token-{name}", LATER)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    assert [cache.get(name) for name in ("a", "b", "c")] == ["token-a", "token-b", ""]


def test_many_forks_lose_nothing() -> None:
    cache = TokenCache()
    children = []
    for number in range(20):
        child = os.fork()
        if child == 0:
            cache.put(f"name-{number}", "x" * number, LATER)
            os._exit(0)
        children.append(child)
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)
    assert [cache.get(f"name-{number}") for number in range(20)] == ["x" * number for number in range(20)]


def test_a_token_that_is_over_is_none() -> None:
    cache = TokenCache()
    cache.put("a", "token", time.time() - 1)
    assert cache.get("a") == ""


def test_only_the_token_that_was_refused_is_dropped() -> None:
    cache = TokenCache()
    cache.put("a", "new", LATER)
    cache.drop("a", "old")
    assert cache.get("a") == "new"
    cache.drop("a", "new")
    assert cache.get("a") == ""


def test_without_shared_memory_it_is_the_processes_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    cache = TokenCache()
    cache.put("a", "token", LATER)
    assert cache.get("a") == "token"


def test_another_secret_has_another_name() -> None:
    assert key("client", "one") != key("client", "two")
    assert key("ab", "c") != key("a", "bc")
