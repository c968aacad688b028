# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done with each content type of a tenant's audit log: pure, and all that knows what is equal.

Facts: MicrosoftDocs/office-365-management-api (activity-api-reference): subscriptions belong to a tenant and an app; a
start without a webhook takes somebody's webhook away; 15 minutes between two starts. Issue 479 there: a start soon
after a stop is accepted and comes to nothing, for days; so nothing here is ever stopped and started to repair it.
assumed: a subscription that is listed without its status is on, as in the reference's own sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..._core.errors import malformed
from ..._core.freshness import stamp
from ..._core.status import BLOCKED, DRIFTED, IN_SYNC
from ..._core.verdict import Verdict, unknown

# As they are spelled: other spellings are taken in places, and lead to nothing in others.
CONTENT_TYPES = ("Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General", "DLP.All")
DLP = "DLP.All"
READ, READ_DLP = "ActivityFeed.Read", "ActivityFeed.ReadDlp"
ON, OFF = "enabled", "disabled"
START, STOP = "start", "stop"
START_WAIT = 900.0
# Until the first content of a new subscription may be there.
FIRST_CONTENT = 12 * 3600.0
WEBHOOK_STEP = "ask who has set the webhook: a program of yours with the same app; a start would take it away"
SHARED_STEP = "nothing has to be done; whoever has set it uses the same app, and loses it when the app leaves"
UNEXPECTED_STEP = (
    "name it in content_types if it is wanted; if not, whoever has started it with the same app may stop it"
)
NOT_LISTED_STEP = (
    "do not stop and start it, which makes it last; look again with verify in some hours, and if it stays for a day, "
    "open a case at Microsoft: management activity API, subscription not listed"
)


class Subscription(NamedTuple):
    """As the tenant lists it. status: '' where the list does not say; webhook: its address, '' for none."""

    type: str
    status: str = ON
    webhook: str = ""
    webhook_status: str = ""

    @property
    def on(self) -> bool:
        return self.status in (ON, "")

    def view(self) -> dict[str, Any]:
        return {"status": self.status or ON, "webhook": self.webhook or None}


class Known(NamedTuple):
    """What earlier runs knew of a content type, in seconds since the epoch.

    started, stopped: by us, the last time; first, last: since when, and when lastly, it was seen to be on.
    """

    started: float | None = None
    stopped: float | None = None
    first: float | None = None
    last: float | None = None

    def seen(self, on: bool, now: float) -> Known:
        return self._replace(first=self.first or now, last=now) if on else self._replace(first=None)

    @property
    def since(self) -> float | None:
        """Since when it is known to be on, None for not known."""
        return self.started or self.first

    @property
    def unheard(self) -> bool:
        """Whether our last start has never been seen in a list."""
        return self.started is not None and (self.last is None or self.last < self.started)


NOTHING_KNOWN = Known()
Found = Mapping[str, Subscription]
Memory = Mapping[str, Known]


def permissions(types: Sequence[str]) -> tuple[str, ...]:
    """The application permissions that these content types need."""
    return (READ, READ_DLP) if DLP in types else (READ,)


def plan(types: Sequence[str], found: Found, memory: Memory, now: float, *, leaving: bool) -> Iterator[Verdict]:
    """A verdict on each content type that is wanted or there, of a list that was read without doubt."""
    for type in dict.fromkeys((*types, *found)):
        wanted, one, known = type in types, found.get(type, Subscription(type, OFF)), memory.get(type, NOTHING_KNOWN)
        if one.status not in (ON, OFF, ""):
            error = malformed(f"read the subscription of {type}", ValueError(f"status {one.status[:20]!r}"))
            yield unknown(type, error)
        elif leaving:
            yield _leaving(one, ours=wanted or known.started is not None)
        elif wanted:
            yield _kept(one) if one.on else _due(one, type in found, known, now)
        elif one.on:
            yield _blocked(one, "unexpected", "it is subscribed to, and not wanted", UNEXPECTED_STEP)


def _kept(one: Subscription) -> Verdict:
    if not one.webhook:
        return Verdict(one.type, IN_SYNC, before=one)
    state = f", which is {one.webhook_status}" if one.webhook_status != ON else ""
    reason = f"somebody has it sent to a webhook{state}; it can be read all the same"
    return Verdict(one.type, IN_SYNC, ("webhook",), reason, before=one, next_step=SHARED_STEP)


def _due(one: Subscription, listed: bool, known: Known, now: float) -> Verdict:
    if one.webhook:
        return _blocked(one, "webhook", "it is off, and has the webhook of somebody", WEBHOOK_STEP)
    if reason := too_soon(known, now):
        step = "run again then: a content type is started once in 15 minutes at most, and not soon after a stop"
        return _blocked(one, "too_soon", reason, step)
    if not listed and lost(known, now):
        return _blocked(one, "not_listed", f"our start of {stamp(known.started)} is not listed", NOT_LISTED_STEP)
    drift = "stopped" if listed else "missing"
    before = one if listed else None
    return Verdict(
        one.type, DRIFTED, (drift,), action=START, level="create", before=before, after=Subscription(one.type)
    )


def too_soon(known: Known, now: float) -> str:
    """Why it may not be started yet, '' where it may."""
    at = max(known.started or 0.0, known.stopped or 0.0) + START_WAIT
    what = "started" if (known.started or 0.0) >= (known.stopped or 0.0) else "stopped"
    return f"it was {what} a moment ago; not before {stamp(at)}" if now < at else ""


def lost(known: Known, now: float) -> bool:
    """Whether a start of ours was accepted and is not to be seen: it is not started again and again."""
    return known.unheard and now - (known.started or 0.0) < FIRST_CONTENT


def _leaving(one: Subscription, *, ours: bool) -> Verdict:
    if not one.on:
        return Verdict(one.type, IN_SYNC)
    if one.webhook:
        step = "ask who has set the webhook: a program of yours with the same app; it ends with the app's access"
        return _blocked(one, "webhook", "somebody has it sent to a webhook, so it is not stopped", step)
    if not ours:
        return Verdict(one.type, IN_SYNC, ("unexpected",), "it was not started here, and is left", before=one,
                       next_step=SHARED_STEP)  # fmt: skip
    return Verdict(one.type, DRIFTED, ("unexpected",), "it is to be stopped", STOP, "delete", before=one)


def _blocked(one: Subscription, drift: str, reason: str, step: str) -> Verdict:
    return Verdict(one.type, BLOCKED, (drift,), reason, before=one, next_step=step)
