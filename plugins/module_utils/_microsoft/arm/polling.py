# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for what Azure has taken and does not show yet, with a limit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ..._core.capability import Applied
from ..._core.errors import NoAnswerError, OnboardingError, RefusedError
from ..._core.status import FAILED

Value = TypeVar("Value")
FIRST_SECONDS, MOST_SECONDS = 0.5, 10.0
NOT_FINISHED = "NotFinished"


async def until(
    read: Callable[[], Awaitable[Value]], done: Callable[[Value], bool], seconds: float, operation: str
) -> Value:
    """What C(read) gives as soon as C(done) says so of it; asked ever more rarely.

    Raises NoAnswerError when it is not done after so many seconds, and what C(read) raises.
    """
    deadline = time.monotonic() + seconds
    pause = FIRST_SECONDS
    while True:
        value = await read()
        if done(value):
            return value
        if time.monotonic() + pause > deadline:
            raise NoAnswerError(
                operation,
                f"Azure has taken it and does not show it after {seconds:g} s",
                code=NOT_FINISHED,
                next_step="run again later: what is there is not done twice; or raise wait_seconds",
            )
        await asyncio.sleep(pause)
        pause = min(MOST_SECONDS, pause * 2)


async def insist(
    send: Callable[[], Awaitable[Value]], passing: Callable[[RefusedError], bool], seconds: float, operation: str
) -> Value:
    """The answer, sent for until it is no refusal that passes with time.

    Raises the last refusal, and what C(send) raises.
    """
    refusals: list[RefusedError] = []
    answers: list[Value] = []

    async def taken() -> bool:
        try:
            answers.append(await send())
        except RefusedError as error:
            if not passing(error):
                raise
            refusals.append(error)
            return False
        return True

    try:
        await until(taken, bool, seconds, operation)
    except NoAnswerError as error:
        raise refusals[-1] if error.code == NOT_FINISHED else error from error
    return answers[-1]


async def finished(waiting: Awaitable[object]) -> Applied | None:
    """What a write came to that Azure has taken: where its end is not seen, something was written all the same."""
    try:
        await waiting
    except OnboardingError as error:
        return Applied(status=FAILED, error=error)
    return None
