# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the workers of one run ask once."""

from __future__ import annotations

import asyncio
import multiprocessing
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.shared_answers import SharedAnswers
from ansible_collections.mssp.onboarding.plugins.module_utils._core.token_cache import key

NAME = key("workspace", "query")


def worker(answers: SharedAnswers, number: int, told: Any) -> None:
    async def question() -> list[int]:
        await asyncio.sleep(0.02)
        return [number]

    told.put(asyncio.run(answers.ask(NAME, question)))


def test_workers_wait_for_the_first_ones_answer() -> None:
    forks, answers = multiprocessing.get_context("fork"), SharedAnswers()
    told: Any = forks.Queue()
    workers = [forks.Process(target=worker, args=(answers, number, told)) for number in range(3)]
    for one in workers:
        one.start()
    found = [told.get(timeout=10) for _one in workers]
    for one in workers:
        one.join()
    assert sum(asked for _answer, asked in found) == 1
    assert len({tuple(answer) for answer, _asked in found}) == 1


def test_a_refusal_is_everyones_own() -> None:
    answers = SharedAnswers()

    async def refused() -> None:
        raise PermissionError

    async def allowed() -> str:
        return "rows"

    with pytest.raises(PermissionError):
        asyncio.run(answers.ask(NAME, refused))
    assert asyncio.run(answers.ask(NAME, allowed)) == ("rows", True)
    assert asyncio.run(answers.ask(NAME, refused)) == ("rows", False)
    assert asyncio.run(answers.ask(key("another"), allowed)) == ("rows", True)
