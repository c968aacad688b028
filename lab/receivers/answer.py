# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer of a receiver over HTTP. In the lab they listen at its own address, alone each has a port."""

from __future__ import annotations

from aiohttp import web

from lab.kernel import faults
from lab.kernel.http import Call
from lab.receivers.receiver import Receiver, Record


async def answer(receiver: Receiver, request: web.BaseRequest, call: Call) -> tuple[web.Response, Record]:
    """The receiver's answer over HTTP; one that hangs ends when the client gives up."""
    reply, record = receiver.receive(call, request.remote or "")
    if reply.status == 0:
        if receiver.options["answer"] == "timeout":
            await faults.hang(request)
        faults.drop(request)
        return web.Response(), record
    call.extra["Content-Type"] = reply.content_type
    return web.Response(status=reply.status, body=reply.body, headers=call.extra), record
