# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tickets, what we have last written to them, and the steps that change them. Pure, and of no particular ITSM.

Each ticket holds a memo of ours in one of its fields, written in the same request as what it tells of. So no other
memory is needed to know a hand-made edit from our own, and no note is made twice whenever a run is ended.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, NamedTuple

from ..._core.progress import clean

# States of a ticket: resolved may be reopened, closed may not.
OPEN, DONE, CLOSED = "open", "resolved", "closed"
# What the memo says of the incident, when we wrote last.
LIVE, RESOLVED, REDIRECTED, DUPLICATE = "live", "resolved", "redirected", "duplicate"
CREATE, UPDATE, NOTE, REOPEN, CLOSE, TAG = "create", "update", "note", "reopen", "close", "tag"
SEVERITIES = ("informational", "low", "medium", "high")
STATUSES = "|".join((LIVE, RESOLVED, REDIRECTED, DUPLICATE))
MEMO = re.compile(rf"mssp1 ({STATUSES}) ([0-9a-f]{{6}}) ({'|'.join(SEVERITIES)}|-)((?: [0-9a-f]{{6}})*)")
# So many that a memo fits into 100 characters. Only notes whose source is not closed yet have to be known.
ABSORBED_KEPT = 8
MAX_TITLE, MAX_NOTE = 160, 4000
# ServiceNow shows as HTML what stands between these.
CODE = re.compile(r"\[(/?)code\]", re.IGNORECASE)


def plain(text: str, limit: int = MAX_TITLE) -> str:
    """Text of strangers as one printable line that no ITSM takes for markup."""
    return clean(CODE.sub(r"(\1code)", text), limit)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:6]


class Memo(NamedTuple):
    """What we wrote last. title: its digest; absorbed: digests of incidents that were noted, the latest last."""

    status: str = LIVE
    title: str = ""
    severity: str = ""
    absorbed: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return " ".join(("mssp1", self.status, self.title, self.severity or "-", *self.absorbed[-ABSORBED_KEPT:]))


def memo(text: str) -> Memo | None:
    """Of the text of a ticket's field, None where somebody has put something else there."""
    found = MEMO.fullmatch(text.strip())
    if not found:
        return None
    status, title, severity, absorbed = found.groups()
    return Memo(status, title, severity.strip("-"), tuple(absorbed.split()))


class Ticket(NamedTuple):
    """As it stands in the ITSM.

    key: names tenant and incident, with /2 and so on for one that was made after another was closed for good.
    severity: '' where it is none of those that we write; ours: we have made it.
    """

    key: str
    id: str = ""
    number: str = ""
    state: str = OPEN
    title: str = ""
    severity: str = ""
    memo: Memo | None = None
    created: str = ""
    ours: bool = True

    @property
    def edited(self) -> bool:
        """Whether somebody has changed what we wrote, or nobody can tell."""
        return not (self.memo and self.memo.title == digest(self.title) and self.memo.severity == self.severity)

    @property
    def given_up(self) -> bool:
        """Whether we have closed it, whatever has been done with it since."""
        return self.memo is not None and self.memo.status != LIVE

    def view(self) -> dict[str, Any]:
        return {"ticket": self.number, "state": self.state, "title": self.title, "severity": self.severity}


class Step(NamedTuple):
    """One request about one ticket; each leaves the ticket in a state from which the next run goes on.

    incident: whose ticket it is; key: of the ticket that is made; ticket: the one that is meant, where it is not the
    incident's current one; title, severity: '' where they stay; note: for people; see: the incident whose ticket the
    note names; status: for the memo; absorbed: the incident that the note is about.
    """

    kind: str
    incident: str
    key: str = ""
    ticket: Ticket | None = None
    title: str = ""
    severity: str = ""
    note: str = ""
    see: str = ""
    status: str = LIVE
    absorbed: str = ""


# The state of a ticket after a step; of any other step it stays.
STATE_AFTER = {CREATE: OPEN, REOPEN: OPEN, CLOSE: DONE}


def after(ticket: Ticket | None, step: Step) -> Ticket:
    """The ticket as it is to be after a step."""
    held = ticket or Ticket(step.key)
    before = held.memo or Memo(severity=held.severity, title=digest(held.title))
    title = plain(step.title) or held.title
    absorbed = (*before.absorbed, digest(step.absorbed)) if step.absorbed else before.absorbed
    told = Memo(
        before.status if step.kind == NOTE else step.status,
        digest(title) if step.title else before.title,
        step.severity or before.severity,
        absorbed[-ABSORBED_KEPT:],
    )
    state = STATE_AFTER.get(step.kind, held.state)
    return held._replace(title=title, severity=step.severity or held.severity, state=state, memo=told)


def again(key: str) -> str:
    """The key of a ticket that is made after this one."""
    base, _mark, number = key.partition("/")
    return f"{base}/{int(number or 1) + 1}"


def _age(ticket: Ticket) -> tuple[str, str, str]:
    """Times are to the second, and numbers go up."""
    return ticket.created, ticket.number, ticket.id


def current(tickets: list[Ticket] | tuple[Ticket, ...]) -> Ticket | None:
    """The latest made after others; of two with one key, the oldest."""
    if not tickets:
        return None
    latest = max((one.key for one in tickets), key=lambda key: int(key.partition("/")[2] or 1))
    return min((one for one in tickets if one.key == latest), key=_age)


def spare(tickets: list[Ticket] | tuple[Ticket, ...]) -> list[Ticket]:
    """Open ones that have the key of an older one."""
    first: dict[str, Ticket] = {}
    for one in sorted(tickets, key=_age):
        first.setdefault(one.key, one)
    return [one for one in tickets if one is not first[one.key] and one.state == OPEN]
