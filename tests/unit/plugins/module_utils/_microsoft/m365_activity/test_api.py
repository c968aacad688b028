# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer that is no list is refused: it says nothing of what is on, and nothing of what has arrived."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import NoAnswerError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.m365_activity import api


class Feed:
    """Answers the same to every call."""

    tenant, root = "t", "/r"

    def __init__(self, body: Any) -> None:
        self._body = body

    async def call(self, _call: Any) -> Any:
        return self._body

    async def answers(self, _call: Any, _following: Any) -> AsyncIterator[Any]:
        yield SimpleNamespace(body=self._body, headers={})


@pytest.mark.parametrize("body", [{}, None, "", 0, {"value": []}])
def test_what_is_no_list_is_refused(body: Any) -> None:
    feed: Any = Feed(body)
    for read in (
        api.subscriptions(feed),
        api.newest(feed, "Audit.Exchange", 0, 1),
        api.newest_record(feed, "Audit.Exchange", api.Content(1.0, "/c")),
    ):
        with pytest.raises(NoAnswerError):
            asyncio.run(read)  # type: ignore[arg-type]
