# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tickets in any other ITSM: each step is told to a webhook, signed; what was told is remembered here.

A step is sent again, with the same id, where nobody can say whether it has arrived, or where the memory was lost: who
receives it keeps the ids. The signature is HMAC-SHA256 over «timestamp.body», as many a webhook has it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ..._core import http, memory
from ..._core.client import VendorClient
from ..._core.errors import OnboardingError, RefusedError
from ..._core.evidence import now
from ..._core.findings import PROVIDER
from ..._core.redaction import Redactor
from . import tickets as t
from .memory import ABOUT
from .options import Desk
from .tickets import Step, Ticket

CONCURRENCY = 4
STEPS = {
    401: "check webhook_secret, and that the receiver signs «timestamp.body» in the same way",
    403: "check webhook_secret, and that the receiver signs «timestamp.body» in the same way",
    404: "check webhook_url",
}
EVIDENCE_STEP = "enable the evidence callback, or set incident_sync_evidence_path"
OTHER_STEP = "look at the receiver's log, then run again"


class Call(NamedTuple):
    path: str
    operation: str
    body: bytes
    id: str
    method: str = "POST"
    again: bool = True  # by its id the receiver knows it again


class Webhook(VendorClient[Call]):
    """One receiver, and what it was told of one tenant."""

    def __init__(self, session: Any, desk: Desk, path: Path | None, *, writes: bool) -> None:
        super().__init__(session, desk.url)
        self._secret, self._path, self._writes = desk.password, path, writes
        held = memory.load(path, _told, ABOUT) if path else {}
        self._held = {key: ticket for key, (ticket, _times) in held.items()}
        # How much was told of each: what is told twice in a life has two ids.
        self._times = Counter({key: times for key, (_ticket, times) in held.items()})

    async def authorize(self, call: Call) -> Mapping[str, str]:
        when = str(int(time.time()))
        signed = hmac.new(self._secret.encode(), f"{when}.".encode() + call.body, hashlib.sha256).hexdigest()
        return {"Idempotency-Key": call.id, "X-MSSP-Timestamp": when, "X-MSSP-Signature": f"sha256={signed}"}

    def refusal(self, call: Call, answer: http.Answer) -> OnboardingError:
        text = t.plain(str(answer.body or "the receiver gave no text"), 300)
        step = STEPS.get(answer.status, OTHER_STEP)
        return RefusedError(call.operation, text, code=f"HTTP{answer.status}", status=answer.status, next_step=step)

    async def find(self, keys: Iterable[str]) -> dict[str, list[Ticket]]:
        held: dict[str, list[Ticket]] = {key: [] for key in keys}
        for one in self._known():
            base = one.key.partition("/")[0]
            if base in held:
                held[base].append(one)
        return held

    def _known(self) -> list[Ticket]:
        """All that was told. Raises OnboardingError where nothing remembers it: all would be told at each run."""
        if self._path is None:
            text = "nothing remembers what the webhook was told"
            raise OnboardingError("read the tickets", text, code="NoMemory", next_step=EVIDENCE_STEP, owner=PROVIDER)
        return list(self._held.values())

    async def open(self, prefix: str) -> list[Ticket]:
        return [one for one in self._known() if one.key.startswith(prefix) and one.state == t.OPEN]

    async def create(self, step: Step) -> Ticket:
        made = t.after(None, step)._replace(id=step.key, number=step.key, created=now())
        return await self._told(made, step)

    async def change(self, ticket: Ticket, step: Step) -> Ticket:
        return await self._told(t.after(ticket, step), step)

    async def _told(self, ticket: Ticket, step: Step) -> Ticket:
        """Send it, then remember it, at once: a run may be ended in the middle."""
        told = {
            "version": 1,
            "action": step.kind,
            "key": ticket.key,
            "incident": step.incident,
            "state": ticket.state,
            "title": ticket.title,
            "severity": ticket.severity,
            "note": t.plain(step.note, t.MAX_NOTE),
            "absorbed": step.absorbed,
        }
        memo = ticket.memo.text if ticket.memo else ""
        sent = json.dumps([told, memo, self._times[ticket.key]], sort_keys=True)
        id = hashlib.sha256(sent.encode()).hexdigest()[:32]
        body = json.dumps({"id": id, **told}, separators=(",", ":")).encode()
        operation = f"tell the webhook to {step.kind} the ticket of incident {step.incident}"
        answer = await self.call(Call("", operation, body, id))
        number = answer.get("number") if isinstance(answer, dict) else None
        if isinstance(number, str) and step.kind == t.CREATE:
            ticket = ticket._replace(number=t.plain(number, 40))
        self._held[ticket.key] = ticket
        self._times[ticket.key] += 1
        if self._path and self._writes:
            kept = {key: {"ticket": _kept(one), "times": self._times[key]} for key, one in self._held.items()}
            memory.save(self._path, kept, ABOUT)
        return ticket


def _kept(ticket: Ticket) -> dict[str, Any]:
    return {**ticket._asdict(), "memo": ticket.memo.text if ticket.memo else ""}


def _told(held: Mapping[str, Any]) -> dict[str, tuple[Ticket, int]]:
    """By key, with how much was told of each. Raises what ODD_SHAPE names for another shape."""
    return {
        key: (Ticket(**{**one["ticket"], "memo": t.memo(one["ticket"]["memo"])}), int(one["times"]))
        for key, one in held.items()
    }


@asynccontextmanager
async def connected(
    desk: Desk, ca_file: str | None, redactor: Redactor, path: Path | None, *, writes: bool
) -> AsyncIterator[Webhook]:
    redactor.add(desk.password)
    async with http.session(desk.url, ca_file, CONCURRENCY) as session:
        yield Webhook(session, desk, path, writes=writes)
