# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: whether the records of each content type arrive, and why not. Pure.

Source: MicrosoftDocs/office-365-management-api (activity-api-reference, troubleshooting): the first content within 12
hours of a start, 60 to 90 minutes as a rule after that, kept for seven days, no order, no promise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..._core.errors import OnboardingError, RefusedError
from ..._core.findings import CUSTOMER
from ..._core.freshness import ABSENT, FLOWING, QUIET, STALE, UNREADABLE, WAITING_FOR_DATA, Flow, Limits, judge, stamp
from .client import IS_OFF
from .plan import FIRST_CONTENT, NOT_LISTED_STEP, Known, Subscription, lost

HOUR = 3600.0
# A window ends a little later than now, whose second may not be over; the oldest begins a little after the limit.
MARGIN = 300.0
# What tenants may have none of for days, with a licence and without.
MAY_BE_QUIET = frozenset({"Audit.General", "DLP.All"})
STEPS = {
    ABSENT: "run the onboard playbook: it is not subscribed to",
    WAITING_FOR_DATA: "run verify again 12 hours after the start: until then there may be no content",
    STALE: (
        "see in Microsoft Purview, at Audit, whether records are found there: if so, open a case at Microsoft; if not, "
        "whether the users' licences include auditing"
    ),
}
REFUSED_STEP = "do not stop and start it; run verify again in some hours, and if it stays, open a case at Microsoft"
KEEP_STEP = "keep evidence (the evidence callback), by which the next run knows since when it is on"


class Seen(NamedTuple):
    """What was found of one content type. content, record: times of the newest, None without any."""

    content: float | None = None
    record: float | None = None


def windows(now: float, seconds: float) -> Iterator[tuple[float, float]]:
    """Pieces of the time to look at, the newest and smallest first, a day at most each."""
    until, oldest = now + 1, now - seconds + MARGIN
    for back in (HOUR, 3 * HOUR, *(24 * HOUR * day for day in range(1, 8))):
        since = max(now - back, oldest)
        if since < until:
            yield since, until
            until = since


def flow(type: str, seen: Seen, known: Known, now: float, limits: Limits, *, kept: bool) -> Flow:
    """The state of a content type that is subscribed to and was read. kept: whether there is a memory."""
    facts = {"newest_content": stamp(seen.content), "newest_record": stamp(seen.record)}
    newest = seen.record or seen.content
    if seen.content is None:
        if known.since is not None and now - known.since < FIRST_CONTENT:
            text = f"on since {stamp(known.since)}, as far as is known"
            return Flow(type, WAITING_FOR_DATA, message=text, next_step=STEPS[WAITING_FOR_DATA], facts=facts)
        if known.since is None and not kept:
            text = "there is no content, and nobody has kept since when it is on: it may be pending, quiet or broken"
            error = OnboardingError(f"judge {type}", text, code="StartUnknown", next_step=KEEP_STEP)
            return Flow(type, UNREADABLE, error=error, facts=facts)
    state = judge(
        configured=True, newest=seen.content, changed=None, now=now, limits=limits, may_be_quiet=type in MAY_BE_QUIET
    )
    return Flow(type, state, newest, message=_told(state, seen), next_step=STEPS.get(state, ""), facts=facts)


def _told(state: str, seen: Seen) -> str:
    if seen.content is None:
        return "no content in the time that was looked at" + (", which such a type may have" if state == QUIET else "")
    if seen.record is None and state == FLOWING:
        return "its newest content could no longer be fetched, so no record's time is known"
    return "" if state == FLOWING else f"newest content: {stamp(seen.content)}"


def off(type: str, one: Subscription | None, known: Known, now: float) -> Flow:
    """The state of a content type that is not subscribed to."""
    if one is None and lost(known, now):
        text = f"our start of {stamp(known.started)} was accepted, and is not listed"
        return Flow(type, ABSENT, code="not_listed", message=text, next_step=NOT_LISTED_STEP)
    text = f"its subscription is {one.status}" if one else "it is not in the list of subscriptions"
    return Flow(type, ABSENT, message=text, next_step=STEPS[ABSENT])


def refused(type: str, error: OnboardingError) -> Flow:
    """The state of a content type that could not be read: what only the customer can cure is broken, not unknown.

    A refusal without a code of the vendor's own, as a proxy's, says of neither.
    """
    if error.code in IS_OFF:
        text = f"it is listed as on, and its content is refused: {error.code}: {error.message}"
        return Flow(type, STALE, error=RefusedError(error.operation, text, code=error.code, status=error.status,
                                                    next_step=REFUSED_STEP))  # fmt: skip
    broken = error.owner == CUSTOMER and not error.code.startswith("HTTP")
    return Flow(type, STALE if broken else UNREADABLE, error=error)
