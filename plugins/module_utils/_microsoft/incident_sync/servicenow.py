# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tickets in ServiceNow by its Table API.

Facts: docs of the Table API: 401, 404, Link, 10,000 rows without a limit; an insert may be made twice, and only a data
policy keeps a correlation_id from being there twice; a field that the access control hides is not written, and nobody
is told; a condition on a field that is not there is left out. So each row that answers is looked at, and each write is
read back. assumed: lengths of fields; journals may not be read, so nothing here needs them; priority is computed from
urgency and impact; that closing needs close_code and close_notes.
"""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import quote

from ..._core import http
from ..._core.bodies import items, mapping, text, words
from ..._core.client import VendorClient, documented
from ..._core.errors import NoAnswerError, OnboardingError, RefusedError
from ..._core.findings import PROVIDER
from ..._core.redaction import Redactor
from . import tickets as t
from .options import Desk
from .tickets import Step, Ticket

CONCURRENCY = 4
TABLE = "/api/now/table"
FIELDS = ("sys_id", "number", "state", "active", "correlation_id", "short_description", "urgency", "impact",
          "sys_created_on", "sys_created_by")  # fmt: skip
# (urgency, impact), of which ServiceNow computes the priority.
LEVELS = {"high": ("1", "1"), "medium": ("2", "2"), "low": ("2", "3"), "informational": ("3", "3"), "": ("3", "3")}
SEVERITY_OF = {levels: severity for severity, levels in LEVELS.items() if severity}
# So many keys in one query, that its URL stays below what servers take.
KEYS_PER_QUERY, PAGE = 20, 1000
NEXT = re.compile(r'<([^<>]+)>\s*;\s*rel="next"')
HIDDEN, SHOWN = "HiddenField", 300
UNFOUND = "Closed at once: no query of the integration user finds it."
STEPS = {
    401: "correct servicenow_username and servicenow_password, or servicenow_api_key",
    403: "give the integration user the role itil, and the right to what the text names",
    404: "check servicenow_url; the record may be gone, or hidden from the integration user",
    429: "run again later, or raise the instance's rate limit for the integration user",
}
OTHER_STEP = "run again; if it stays, look at the instance's system log"


class Call(NamedTuple):
    """What to do and how to speak of it."""

    method: str
    path: str
    operation: str
    body: Any = None

    @property
    def again(self) -> bool:
        """A write adds a note, or a ticket."""
        return self.method == "GET"


class ServiceNow(VendorClient[Call]):
    """One user's way to one instance."""

    REQUEST_ID = "X-Transaction-ID"

    def __init__(self, session: Any, desk: Desk) -> None:
        super().__init__(session, desk.url)
        self.desk = desk
        self._references: dict[tuple[str, str], str | OnboardingError] = {}

    async def authorize(self, call: Call) -> Mapping[str, str]:
        accept = {"Accept": "application/json"}
        if self.desk.api_key:
            return {**accept, "x-sn-apikey": self.desk.api_key}
        token = base64.b64encode(f"{self.desk.username}:{self.desk.password}".encode()).decode()
        return {**accept, "Authorization": f"Basic {token}"}

    def refusal(self, call: Call, answer: http.Answer) -> OnboardingError:
        told = answer.body.get("error") if isinstance(answer.body, dict) else None
        told = told if isinstance(told, dict) else {"message": told or answer.body}
        texts = [str(told[name]) for name in ("message", "detail") if told.get(name)]
        return RefusedError(
            call.operation,
            t.plain(": ".join(texts), SHOWN) or "ServiceNow gave no text",
            code=f"HTTP{answer.status}",
            status=answer.status,
            next_step=STEPS.get(answer.status, OTHER_STEP),
            owner=PROVIDER if answer.status in STEPS else "",
        )

    # --- reading

    async def rows(
        self, table: str, query: str, fields: Iterable[str], operation: str, most: int = 0
    ) -> list[dict[str, str]]:
        """All rows of a query, or the first ones. Raises OnboardingError."""
        path = f"{TABLE}/{table}?sysparm_query={quote(query, safe='')}&sysparm_fields={','.join(fields)}"
        call = Call("GET", f"{path}&sysparm_exclude_reference_link=true&sysparm_limit={most or PAGE}", operation)
        found: list[dict[str, str]] = []
        async for answer in self.answers(call, lambda answer, call: None if most else self._following(answer, call)):
            with documented(operation):
                found += [row(one) for one in items(answer.body["result"])]
        return found

    def _following(self, answer: http.Answer, call: Call) -> Call | None:
        link = NEXT.search(answer.headers.get("Link", ""))
        return call._replace(path=self.own_path(link[1], call.operation)) if link else None

    async def find(self, keys: Iterable[str]) -> dict[str, list[Ticket]]:
        wanted, found = list(keys), []
        for chunk in _chunks(wanted, KEYS_PER_QUERY):
            parts = [f"correlation_id={key}^ORcorrelation_idSTARTSWITH{key}/" for key in chunk]
            query = "^OR".join(parts) + "^ORDERBYsys_created_on^ORDERBYsys_id"
            found += await self._tickets(query)
        held: dict[str, list[Ticket]] = {key: [] for key in wanted}
        for one in found:
            base = one.key.partition("/")[0]
            if base in held:
                held[base].append(one)
        return held

    async def open(self, prefix: str) -> list[Ticket]:
        query = f"correlation_idSTARTSWITH{prefix}^active=true^ORDERBYsys_created_on^ORDERBYsys_id"
        return [one for one in await self._tickets(query) if one.key.startswith(prefix) and one.state == t.OPEN]

    async def _tickets(self, query: str) -> list[Ticket]:
        operation = "read the tickets of incidents"
        rows = await self.rows("incident", query, (*FIELDS, self.desk.marker), operation)
        with documented(operation):
            return [self.ticket(one) for one in rows if "/" not in one["correlation_id"] or _numbered(one)]

    def ticket(self, row: Mapping[str, str]) -> Ticket:
        """Raises what ODD_SHAPE names where a field that is needed is hidden."""
        state, user = row["state"], self.desk.username
        closed = state in self.desk.closed or row.get("active") == "false"
        return Ticket(
            row["correlation_id"],
            row["sys_id"],
            t.plain(row["number"], 40),
            t.CLOSED if closed else t.DONE if state == self.desk.resolved else t.OPEN,
            row["short_description"],
            SEVERITY_OF.get((row.get("urgency", ""), row.get("impact", "")), ""),
            t.memo(row.get(self.desk.marker, "")),
            row.get("sys_created_on", ""),
            not user or row.get("sys_created_by") == user,
        )

    async def reference(self, table: str, field: str, name: str) -> str:
        """The id of an active row of that name, '' for no name. Raises OnboardingError, once and again the same."""
        if not name:
            return ""
        if (table, name) not in self._references:
            try:
                self._references[table, name] = await self._look_up(table, field, name)
            except OnboardingError as error:
                self._references[table, name] = error
        found = self._references[table, name]
        if isinstance(found, OnboardingError):
            raise found
        return found

    async def _look_up(self, table: str, field: str, name: str) -> str:
        operation = f"find {name} in {table}"
        rows = await self.rows(table, f"{field}={name}", ("sys_id", field, "active"), operation)
        named = [row for row in rows if row.get(field) == name]
        active = [row for row in named if row.get("active") != "false"]
        if len(active) == 1:
            return active[0]["sys_id"]
        what = f"{len(active)} are active" if active else "it is retired" if named else "there is none"
        step = "name one that is active, by caller or assignment_group"
        raise RefusedError(operation, what, code="NotFound", next_step=step, owner=PROVIDER)

    # --- writing

    async def create(self, step: Step) -> Ticket:
        wanted = t.after(None, step)
        caller = await self.reference("sys_user", "user_name", self.desk.caller)
        group = await self.reference("sys_user_group", "name", self.desk.group)
        urgency, impact = LEVELS[step.severity]
        fields = {
            "short_description": wanted.title,
            "description": t.plain(step.note, t.MAX_NOTE),
            "urgency": urgency,
            "impact": impact,
            "correlation_id": step.key,
            self.desk.marker: wanted.memo.text if wanted.memo else "",
            "caller_id": caller,
            "assignment_group": group,
            "category": self.desk.category,
        }
        sent = {name: value for name, value in fields.items() if value}
        operation = f"create the ticket of incident {step.incident}"
        try:
            row = await self._write(Call("POST", f"{TABLE}/incident", operation, sent))
        except NoAnswerError:
            # Whether it was made is told by the table; a second one would be made.
            held = t.current((await self.find([step.key]))[step.key])
            if held is None:
                raise
            return held
        if row.get("correlation_id") != step.key or row.get(self.desk.marker) != sent[self.desk.marker]:
            await self._withdraw(row, operation)
        with documented(operation):
            made = self.ticket(row)
        return await self._only(made, step)

    async def _only(self, ours: Ticket, step: Step) -> Ticket:
        """Ours, or the older one that another run has made meanwhile; ours is closed then.

        So is one that is not found, as the next run would not find it either: it is reopened if that run does.
        """
        base = step.key.partition("/")[0]
        same = [one for one in (await self.find([base]))[base] if one.key == step.key]
        first = t.current(same)
        if first and first.id == ours.id:
            return ours
        note = f"This ticket is double: {first.number} has the same incident." if first else UNFOUND
        await self.change(ours, Step(t.CLOSE, step.incident, note=note, status=t.DUPLICATE))
        if first is None:
            raise self.hidden(f"find the ticket of incident {step.incident} again", ["correlation_id"])
        return first

    async def _withdraw(self, row: Mapping[str, str], operation: str) -> None:
        """A ticket that nobody finds again is closed at once. Raises OnboardingError."""
        note = "Closed at once: the fields that name its incident were not kept."
        closing = self._closing(note)
        await self._write(Call("PATCH", f"{TABLE}/incident/{row['sys_id']}", operation, closing))
        raise self.hidden(operation, ["correlation_id", self.desk.marker])

    def hidden(self, operation: str, fields: list[str]) -> OnboardingError:
        names = ", ".join(f"incident.{name}" for name in fields)
        text = f"the instance does not show, or did not keep, one of {names}: access control hides such a field"
        step = f"let the integration user read and write {names}"
        return RefusedError(operation, text, code=HIDDEN, next_step=step, owner=PROVIDER)

    def _closing(self, note: str) -> dict[str, str]:
        return {"state": self.desk.resolved, "close_code": self.desk.close_code, "close_notes": note}

    async def change(self, ticket: Ticket, step: Step) -> Ticket:
        made = t.after(ticket, step)
        note = t.plain(step.note, t.MAX_NOTE)
        fields = {"work_notes": note} if note else {}
        fields |= {self.desk.marker: made.memo.text if made.memo else ""}
        if step.title:
            fields["short_description"] = made.title
        if step.severity:
            fields["urgency"], fields["impact"] = LEVELS[step.severity]
        if step.kind == t.CLOSE:
            fields |= self._closing(note)
        if step.kind == t.REOPEN:
            fields["state"] = self.desk.reopened
        operation = f"{step.kind} ticket {ticket.number}"
        row = await self._write(Call("PATCH", f"{TABLE}/incident/{ticket.id}", operation, fields))
        if row.get(self.desk.marker) != fields[self.desk.marker]:
            raise self.hidden(operation, [self.desk.marker])
        with documented(operation):
            found = self.ticket(row)
        if (found.state == t.OPEN) != (made.state == t.OPEN):
            text = f"it was written, and the ticket is in state {row['state']!r:.20} all the same"
            step_text = "look for a business rule that sets the state, or correct resolved_state and reopened_state"
            raise RefusedError(operation, text, code="StateNotKept", next_step=step_text, owner=PROVIDER)
        return found

    async def _write(self, call: Call) -> dict[str, str]:
        address = f"{call.path}?sysparm_exclude_reference_link=true"
        body = await self.call(call._replace(path=address))
        with documented(call.operation):
            return row(body["result"])


def row(value: Any) -> dict[str, str]:
    """A row, of which fields that are no text are of no use here."""
    found = {name: words(one) for name, one in mapping(value).items() if isinstance(one, str | None)}
    text(found["sys_id"])
    return found


def _numbered(row: Mapping[str, str]) -> bool:
    """Whether what follows the key is the number of a later ticket, and not somebody's own."""
    return row["correlation_id"].partition("/")[2].isdecimal()


def _chunks(values: list[str], size: int) -> Iterator[list[str]]:
    for first in range(0, len(values), size):
        yield values[first : first + size]


@asynccontextmanager
async def connected(desk: Desk, ca_file: str | None, redactor: Redactor) -> AsyncIterator[ServiceNow]:
    redactor.add(desk.password)
    redactor.add(desk.api_key)
    async with http.session(desk.url, ca_file, CONCURRENCY) as session:
        yield ServiceNow(session, desk)
