# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths of the receivers at the lab's own address, where every method and everything below a path is a receiver's."""

from __future__ import annotations

from aiohttp import web

from lab.kernel.http import Call, Reply
from lab.kernel.registration import Operation
from lab.receivers.answer import answer
from lab.receivers.data_collector import DataCollector
from lab.receivers.receiver import Receiver
from lab.receivers.splunk import Collector
from lab.receivers.state import Listening
from lab.receivers.webhook import Fluency, Webhook


def _operation(kind: type[Receiver]) -> Operation:
    """What Coro sends is no request of a client: not logged, and spoilt by the receiver's own options only."""

    def handler(listening: Listening, call: Call) -> Reply:
        async def stream(request: web.BaseRequest) -> web.StreamResponse:
            return (await answer(listening.receivers.by_name[kind.name], request, call))[0]

        return Reply(200, stream=stream)

    return Operation(f"receivers.{kind.name}", handler, logged=False)


_BY_PATH = {kind.path: _operation(kind) for kind in (Collector, DataCollector, Webhook, Fluency)}
OPERATIONS = tuple(_BY_PATH.values())
SEGMENTS = frozenset(path.split("/")[1] for path in _BY_PATH)


def find(call: Call) -> Operation | None:
    for path, operation in _BY_PATH.items():
        if call.low == path or call.low.startswith(path + "/"):
            return operation
    return None
