# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done with the tickets of a tenant's incidents: pure, and all that knows when to open and close one.

Facts: techcommunity.microsoft.com, «Microsoft Sentinel and Defender: ITSM integrations explained»: correlation moves
alerts to another incident; the one that loses them is redirected, and takes no part in anything any more. Redirects
may lead on. A ticket is closed only where it is known without doubt where its alerts have gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Union

from ..._core.errors import OnboardingError, malformed
from ..._core.status import BLOCKED, DRIFTED, IN_SYNC, SKIPPED
from ..._core.verdict import Verdict, unknown
from . import tickets as t
from .tickets import LIVE, OPEN, REDIRECTED, RESOLVED, Step, Ticket, digest, plain

# What is done with the ticket that we closed, when its incident is active again.
REOPEN, NEW, LEAVE = REOPENED = ("reopen", "new", "leave")
# What is done with the ticket of a redirected incident, when somebody has closed that of its target.
NOTE, KEEP = CLOSED_TARGET = ("note", "keep")
MAX_REDIRECTS = 10
TICKETS, REDIRECTS, OTHERS = STAGES = (0, 1, 2)
LEFT = "it stays open: finish its work, or set incident_sync_close_tickets"
NOT_OURS = "it stays open: somebody else has made it, close it by hand"


class Incident(NamedTuple):
    """status: LIVE, RESOLVED, REDIRECTED, or the vendor's own word for what we do not know; target: of the redirect."""

    id: str
    status: str
    title: str = ""
    severity: str = ""
    target: str = ""
    updated: float = 0.0
    url: str = ""
    tags: frozenset[str] = frozenset()


class Policy(NamedTuple):
    severities: frozenset[str] = frozenset(t.SEVERITIES)
    reopened: str = REOPEN
    closed_target: str = NOTE
    tags: bool = False


# An error for one that a redirect leads to and nobody could read.
Incidents = Mapping[str, Union[Incident, OnboardingError]]  # noqa: UP007 - ansible-test's pylint refuses the other
Held = Mapping[str, Sequence[Ticket]]


def key(tenant: str, id: str) -> str:
    """Two tenants may have an incident of one id."""
    return f"{tenant}:{id}"


def unread(incidents: Incidents) -> set[str]:
    """Where redirects lead that has not been read yet."""
    leading = (one.target for one in incidents.values() if isinstance(one, Incident) and one.status == REDIRECTED)
    return {id for id in leading if id and id not in incidents}


def plan(tenant: str, incidents: Incidents, held: Held, policy: Policy) -> Iterator[Verdict]:
    """A verdict on each incident, and on each that nobody could read and that has an open ticket.

    held: all tickets that have a key of one, read without doubt.
    """
    book = _Book(tenant, incidents, held, policy)
    for id, one in incidents.items():
        if isinstance(one, Incident):
            yield _RULES.get(one.status, _odd)(book, one)
        elif (ticket := book.ticket(id)) and ticket.state == OPEN:
            yield unknown(f"incident {id}", one)


def end(id: str, incidents: Incidents) -> Incident | OnboardingError:
    """The incident at the end of a chain of redirects, or why nobody can tell."""
    passed: dict[str, None] = {}
    while True:
        if id in passed or len(passed) > MAX_REDIRECTS:
            what = "come back to where they began" if id in passed else f"are more than {MAX_REDIRECTS}"
            return _unclear("redirect_cycle", f"the redirects {what}: {' to '.join(passed)}")
        passed[id] = None
        one = incidents.get(id)
        if one is None:
            return _unclear("target_unknown", f"incident {list(passed)[-2:][0]} does not say where its alerts are")
        if isinstance(one, OnboardingError) or one.status != REDIRECTED:
            return one
        id = one.target


def _unclear(code: str, text: str) -> OnboardingError:
    step = "look at the incident in the Defender portal, and close its ticket by hand"
    return OnboardingError("find where its alerts are", text, code=code, next_step=step)


class _Book:
    """What the rules look up."""

    def __init__(self, tenant: str, incidents: Incidents, held: Held, policy: Policy) -> None:
        self.tenant, self.incidents, self.policy = tenant, incidents, policy
        self.current = {id: t.current(list(found)) for id, found in held.items()}
        self.spare = {id: spare for id, found in held.items() if len(found) > 1 and (spare := t.spare(list(found)))}
        self.ends = {
            one.id: end(one.id, incidents)
            for one in incidents.values()
            if isinstance(one, Incident) and one.status == REDIRECTED and self.pending(one)
        }
        self.absorbing = {one.id for one in self.ends.values() if isinstance(one, Incident)}

    def ticket(self, id: str) -> Ticket | None:
        return self.current.get(id)

    def pending(self, one: Incident) -> bool:
        """Whether a redirected incident has a ticket that is still to be closed."""
        held = self.ticket(one.id)
        return held is not None and held.state == OPEN and not (held.memo and held.memo.status == REDIRECTED)

    def verdict(self, one: Incident, steps: list[Step], drift: Iterable[str], **more: Any) -> Verdict:
        """In sync without any step, where more does not say otherwise. What is double is closed along with the rest."""
        drift = list(drift)
        for double in self.spare.get(one.id, ()):
            if double.ours and not double.edited:
                note = "This ticket is double: an older one has the same incident."
                steps.append(Step(t.CLOSE, one.id, ticket=double, note=note, see=one.id, status=t.DUPLICATE))
                drift.append("duplicate")
            else:
                text = f"ticket {double.number} has the same incident as {_number(self.ticket(one.id))}"
                more = {"status": BLOCKED, "reason": text, "next_step": "close one of them by hand", **more}
                drift.append("double")
        held = self.ticket(one.id)
        if not steps:
            return Verdict(_name(one), drift=tuple(drift), before=held, **{"status": IN_SYNC, **more})
        action = "create" if steps[0].kind == t.CREATE else "update"
        told = {"before": held, "after": _shown(held, steps), "subject": tuple(steps), **more, "status": DRIFTED}
        return Verdict(_name(one), drift=tuple(dict.fromkeys(drift)), action=action, **told)


def stage(verdict: Verdict) -> int:
    """Which writes come first: tickets that others' notes go to, then what is redirected, then all else."""
    first = verdict.subject[0].kind if verdict.subject else ""
    return TICKETS if first in (t.CREATE, t.REOPEN) else REDIRECTS if "redirected" in verdict.drift else OTHERS


def leaving(open_ones: Sequence[Ticket], *, closes: bool) -> Iterator[Verdict]:
    """What becomes of open tickets when the tenant leaves."""
    for held in open_ones:
        name = f"ticket {held.number}"
        if closes and held.ours:
            step = Step(t.CLOSE, held.key, ticket=held, note="The tenant has left.", status=RESOLVED)
            shown = t.after(held, step).view()
            yield Verdict(name, DRIFTED, ("unexpected",), "it is to be closed", t.CLOSE, "delete", held, shown,
                          subject=(step,))  # fmt: skip
        else:
            yield Verdict(name, IN_SYNC, ("left_open",), LEFT if held.ours else NOT_OURS, before=held)


def _name(one: Incident) -> str:
    return f"incident {one.id}"


def _number(ticket: Ticket | None) -> str:
    return ticket.number if ticket else "none"


def _shown(held: Ticket | None, steps: list[Step]) -> dict[str, Any]:
    """What the steps come to, for the diff."""
    own = [one for one in steps if one.kind != t.TAG and one.incident == steps[-1].incident and not one.ticket]
    made = held
    for step in own:
        made = t.after(None if step.kind == t.CREATE else made, step)
    view = made.view() if made else {}
    notes = [step.note for step in steps if step.note]
    return {**view, **({"notes": notes} if notes else {}), **({"tagged": True} if _tags(steps) else {})}


def _tags(steps: list[Step]) -> bool:
    return any(step.kind == t.TAG for step in steps)


# --- an incident that is worked on


def _live(book: _Book, one: Incident) -> Verdict:
    held = book.ticket(one.id)
    if held is None:
        if one.severity not in book.policy.severities and one.id not in book.absorbing:
            return Verdict(_name(one), SKIPPED, reason=f"its severity {plain(one.severity, 20)} is not wanted")
        return book.verdict(one, _created(book, one, key(book.tenant, one.id), ""), ["missing"])
    if held.state != OPEN:
        return _done_too_soon(book, one, held)
    title, severity = _news(one, held)
    steps, drift = [], []
    if title or severity or held.given_up:
        note = "The incident is active." if held.given_up else ""
        steps.append(Step(t.UPDATE, one.id, title=title, severity=severity, note=note))
        drift.append("changed" if title or severity else "reopened")
    if book.policy.tags and held.number not in one.tags:
        steps.append(Step(t.TAG, one.id))
        drift.append("untagged")
    return book.verdict(one, steps, drift)


def _news(one: Incident, held: Ticket) -> tuple[str, str]:
    """Title and severity that are to be written: what has changed at the incident, and by nobody in the ticket."""
    told = held.memo
    if told is None:
        return "", ""
    title = plain(one.title)
    new_title = digest(title) != told.title and digest(held.title) == told.title
    new_severity = one.severity in t.SEVERITIES and one.severity != told.severity and held.severity == told.severity
    return title if new_title and title else "", one.severity if new_severity else ""


def _created(book: _Book, one: Incident, key: str, before: str) -> list[Step]:
    earlier = f" An earlier ticket of it is {before}." if before else ""
    note = f"Incident {plain(one.id)}: {one.url}.{earlier}"
    severity = one.severity if one.severity in t.SEVERITIES else ""
    title = plain(one.title) or _name(one)
    made = Step(t.CREATE, one.id, key=key, title=title, severity=severity, note=note)
    return [made, *([Step(t.TAG, one.id)] if book.policy.tags else [])]


def _comes_back(book: _Book, held: Ticket) -> bool:
    """Whether a ticket that is done gets a successor, or is reopened, once its incident is active again."""
    return held.given_up and book.policy.reopened != LEAVE


def _done_too_soon(book: _Book, one: Incident, held: Ticket) -> Verdict:
    """A ticket is done and its incident is active: we closed it and the incident came back, or a person closed it."""
    if not held.given_up:
        text = f"{held.number} was closed by hand, and the incident is active: resolve it, or reopen the ticket"
        return book.verdict(one, [], ["closed_by_hand"], reason=text)
    if not _comes_back(book, held):
        text = f"the incident is active again, and {held.number} is {held.state}: it is reopened by hand only"
        return book.verdict(one, [], ["reopened"], reason=text)
    if book.policy.reopened == REOPEN and held.state != t.CLOSED:
        return book.verdict(one, [Step(t.REOPEN, one.id, note="The incident is active again.")], ["reopened"])
    return book.verdict(one, _created(book, one, t.again(held.key), held.number), ["reopened"])


# --- an incident whose work is over


def _resolved(book: _Book, one: Incident) -> Verdict:
    held = book.ticket(one.id)
    if held is None or held.state != OPEN:
        return book.verdict(one, [], [])
    if held.memo and held.memo.status == RESOLVED:
        return _kept_open(book, one, held)
    note = "The incident is resolved."
    return book.verdict(one, [Step(t.CLOSE, one.id, note=note, status=RESOLVED)], ["resolved"])


def _kept_open(book: _Book, one: Incident, held: Ticket) -> Verdict:
    text = f"{held.number} was opened again by hand after it had been closed here: it is closed by hand only"
    return book.verdict(one, [], ["kept_open"], reason=text)


# --- an incident that has lost its alerts to another


def _redirected(book: _Book, one: Incident) -> Verdict:
    held = book.ticket(one.id)
    if held is None or held.state != OPEN:
        return book.verdict(one, [], [])
    if not book.pending(one):
        return _kept_open(book, one, held)
    where = book.ends[one.id]
    if isinstance(where, OnboardingError):
        return _doubtful(book, one, where)
    if where.status not in (LIVE, RESOLVED):
        return _doubtful(book, one, _unclear("target_unknown", f"incident {where.id} is {plain(where.status, 40)!r}"))
    there = book.ticket(where.id)
    closed = where.status == LIVE and there is not None and there.state != OPEN and not _comes_back(book, there)
    more = {}
    if closed and there:
        text = f"its alerts are in incident {where.id} now, which is active, and whose ticket {there.number} is closed"
        if book.policy.closed_target == KEEP:
            step = f"reopen {there.number}, or close {held.number} by hand"
            return _doubtful(book, one, OnboardingError("close it", text, code="target_closed", next_step=step))
        more = {"reason": text, "next_step": f"reopen {there.number} if its work is not over"}
    steps = [_absorbs(one, where)] if _to_be_told(book, one, where, there) else []
    note = f"The alerts of this incident are in incident {where.id} now: {where.url}."
    steps.append(Step(t.CLOSE, one.id, note=note, see=where.id, status=REDIRECTED))
    return book.verdict(one, steps, ["redirected"], **more)


def _absorbs(one: Incident, where: Incident) -> Step:
    note = f"Incident {one.id} was merged into this one: {plain(one.title)}"
    return Step(t.NOTE, where.id, note=note, see=one.id, absorbed=one.id)


def _to_be_told(book: _Book, one: Incident, where: Incident, there: Ticket | None) -> bool:
    """Whether the ticket at the end has no note of it yet. One that is to be made anew has none at all."""
    if there is None:
        return where.status == LIVE
    anew = where.status == LIVE and there.state != OPEN and _comes_back(book, there)
    anew = anew and (there.state == t.CLOSED or book.policy.reopened == NEW)
    return anew or there.memo is None or digest(one.id) not in there.memo.absorbed


def _doubtful(book: _Book, one: Incident, why: OnboardingError) -> Verdict:
    """Never closed on doubt."""
    return book.verdict(one, [], [why.code], status=BLOCKED, reason=why.message, next_step=why.next_step)


def _odd(_book: _Book, one: Incident) -> Verdict:
    error = malformed(f"read incident {one.id}", ValueError(f"status {plain(one.status, 40)!r}"))
    return unknown(_name(one), error)


_RULES = {LIVE: _live, RESOLVED: _resolved, REDIRECTED: _redirected}
