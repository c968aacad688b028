# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tasks of one run ask once: the first asks, the others wait for its answer. In memory, as tokens are."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from .token_cache import TokenCache

KEPT_SECONDS = 900.0
TURN_SECONDS = 0.1
PLACES = 2**30


class SharedAnswers:
    """Answers by name, which has to hold all that the answer depends on, the identity that asks included."""

    def __init__(self) -> None:
        self._answers = TokenCache()
        self._turns: int | None = os.memfd_create("mssp-turns") if hasattr(os, "memfd_create") else None

    async def ask(self, name: str, question: Callable[[], Awaitable[Any]]) -> tuple[Any, bool]:
        """(the answer, whether it was asked for now). What is refused is not kept: everyone is refused for himself."""
        if kept := self._answers.get(name):
            return json.loads(kept), False
        async with self._turn(name):
            if kept := self._answers.get(name):
                return json.loads(kept), False
            answer = await question()
            self._answers.put(name, json.dumps(answer), time.time() + KEPT_SECONDS)
            return answer, True

    @asynccontextmanager
    async def _turn(self, name: str) -> AsyncIterator[None]:
        """One process at a time for each name: a lock of one byte, which ends with the process."""
        if self._turns is None:
            yield
            return
        place = int(name[:8], 16) % PLACES
        while True:
            try:
                fcntl.lockf(self._turns, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
                break
            except (BlockingIOError, PermissionError):
                await asyncio.sleep(TURN_SECONDS)
        try:
            yield
        finally:
            fcntl.lockf(self._turns, fcntl.LOCK_UN, 1, place)


answers = SharedAnswers()
