# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of a feed: an event a line, an empty line as keep-alive, until the session or the connection ends.

Chunked, application/json, as public clients read it (elastic/beats, gofalcon). The pace of the keep-alives is assumed.
"""

from __future__ import annotations

import asyncio
import json

from aiohttp import web

from lab.crowdstrike import events
from lab.crowdstrike.state import CrowdStrike, Event, Session

BATCH = 200  # events in one write


class Stream:
    """One GET of a feed. `start`: first offset wanted; no `types` means all."""

    def __init__(self, falcon: CrowdStrike, session: Session, start: int, types: frozenset[str]) -> None:
        self.falcon = falcon
        self.session = session
        self.next = start
        self.types = types

    async def run(self, request: web.BaseRequest) -> web.StreamResponse:
        self.session.alive = lambda: request.transport is not None and not request.transport.is_closing()
        self.session.opened += 1
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        try:
            await response.prepare(request)
            await self._send(request, response)
        except ConnectionError:
            self._abort(request)  # the client has gone
        finally:
            self.session.alive = lambda: False
        return response

    async def _send(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        falcon, session = self.falcon, self.session
        while not falcon.closed and session.ends > self.falcon.now() and session.token in falcon.sessions:
            changed = falcon.changed
            if session.cut_after == 0 and not session.cut_middle:
                return self._abort(request)
            silent = falcon.cids[session.cid].silent
            events = [] if silent else self._due()
            for event in events:
                if session.cut_after == 0:
                    line = self._line(event)
                    await response.write(line[: len(line) // 2])
                    await asyncio.sleep(0.01)
                    return self._abort(request)
                await response.write(self._line(event))
                self._delivered(event)
            if not events and not await self._changes(changed) and not silent:
                await response.write(b"\r\n")
        return None

    def _due(self) -> list[Event]:
        """The next events, at most a batch; moves over those of other types."""
        found = []
        for event in self.session.feed.since(self.next):
            if self.types and event.type not in self.types:
                continue
            found.append(event)
            if len(found) == BATCH:
                break
        return found

    def _line(self, event: Event) -> bytes:
        value = events.render(event, self.session.cid, self.falcon.shown(event.at))
        if self.session.format == "flatjson":
            value = events.flatten(value)
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\r\n"

    def _delivered(self, event: Event) -> None:
        self.next = event.offset + 1
        self.session.delivered += 1
        self.session.last_offset = event.offset
        if self.session.cut_after:
            self.session.cut_after -= 1

    async def _changes(self, changed: asyncio.Event) -> bool:
        """False when nothing changed for as long as a keep-alive takes."""
        try:
            await asyncio.wait_for(changed.wait(), self.falcon.switches["keepalive"])
        except TimeoutError:
            return False
        return True

    def _abort(self, request: web.BaseRequest) -> None:
        self.session.cut_after = None
        if request.transport is not None:
            request.transport.abort()
