# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API of SFOS on each firewall of a tenant: a sign-in in every request, and none that is tried twice in vain."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from .._core import http
from .._core.client import VendorClient, documented
from .._core.errors import OnboardingError, RefusedError
from .._core.redaction import Redactor
from . import wire
from .options import Firewall, Setup
from .wire import Node

PATH = "/webconsole/APIController"
# SFOS answers 200 always, so that this came from something else on the way, or from something else altogether.
STATUS_STEP = "check host and port, and what stands between: SFOS itself answers 200, whatever it says"
SHOWN_TEXT = 300


class Call(NamedTuple):
    """What to do and how to speak of it. entity: whose answer it is; written: that has to say that it is done."""

    firewall: Firewall
    operation: str
    entity: str
    inside: str
    written: bool = False
    again: bool = True
    method: str = "POST"
    path: str = PATH

    @property
    def body(self) -> bytes:
        return wire.request(self.firewall.username, self.firewall.password, self.inside)


class Sophos(VendorClient[Call]):
    """The way to the firewalls of one tenant."""

    FORM = http.Format("XML", wire.parse)

    def __init__(self, session: Any) -> None:
        super().__init__(session, "")
        self._signed_in: set[Firewall] = set()

    async def authorize(self, call: Call) -> Mapping[str, str]:
        return {"Content-Type": "application/x-www-form-urlencoded"}

    def url(self, call: Call) -> str:
        return call.firewall.url + call.path

    def counted(self, call: Call) -> str:
        return f"{'Set or Remove' if call.written else 'Get'} {call.entity}"

    def refusal(self, call: Call, answer: http.Answer) -> OnboardingError:
        text = str(answer.body or "no text")[:SHOWN_TEXT] if not isinstance(answer.body, Node) else "an answer in XML"
        code = f"HTTP{answer.status}"
        return RefusedError(call.operation, text, code=code, status=answer.status, next_step=STATUS_STEP)

    async def ask(self, call: Call) -> list[Node]:
        """The entities of the answer. Raises OnboardingError.

        Until a firewall has taken the password, nothing is sent to it twice: a lost answer may have been a refusal, and
        some of these lock our address out.
        """
        known = call.firewall in self._signed_in
        root = await self.call(call._replace(again=call.again and known))
        with documented(call.operation):
            found = wire.answered(call.operation, root, call.entity, written=call.written)
        self._signed_in.add(call.firewall)
        return found


@asynccontextmanager
async def connected(wanted: Setup, redactor: Redactor) -> AsyncIterator[Sophos]:
    """A client with its session, closed at the end."""
    for one in wanted.firewalls:
        redactor.add(one.password)
    async with http.session(wanted.firewalls[0].url, wanted.ca_file, wanted.concurrency, wanted.proxy) as session:
        yield Sophos(session)
