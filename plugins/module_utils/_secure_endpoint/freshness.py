# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: whether a stream is read, and how long what waits in it will live. Pure.

Source: api-docs.amp.cisco.com («Event Streams»): what nobody reads is gone after ten days.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .._core.bodies import amount, mapping, text
from .._core.errors import OnboardingError
from .._core.freshness import ABSENT, FALLEN, FLOWING, QUIET, STALE, UNREADABLE, WAITING_FOR_DATA, Flow
from .plan import Kept
from .probe import Depth

DAY = 86400.0
LIVES_DAYS = 10.0
# A reader that falls behind is told while there is time to see to it.
WARN_DAYS = 7.0
# Refusals by which it is the credential or the queue that is wrong, and not the way.
BROKEN = (403, 404, 530)
ABSENT_STEP = "run the onboard playbook: there is no stream of ours"
READER_STEP = (
    "see to the SIEM's consumer: it has to read this queue by AMQPS, passive and durable, with what secret_file has"
)
SECOND_STEP = "find who else reads the queue, and give each reader a stream of its own: each sees a part of the events"
BEHIND_STEP = "see to the SIEM's consumer, which reads slower than events come"
BROKEN_STEP = "run the drift playbook, which says what became of the stream"


class Sample(NamedTuple):
    """How a queue stood at an earlier verify. at: seconds since the epoch."""

    id: int
    at: float
    messages: int


class Backlog(NamedTuple):
    """days_left: until the oldest that waits is lost, None where two samples do not tell."""

    days_left: float | None = None

    @property
    def words(self) -> str:
        if self.days_left is None:
            return "when the first are lost is not known yet: that takes two samples between which the queue grew"
        if self.days_left <= 0:
            return "the first are lost already, or about to be"
        return f"the first are lost in about {self.days_left:.1f} days"


def backlog(now: Sample, before: Sample | None) -> Backlog:
    """The oldest has waited for as long as the queue took to grow so long, at the rate between the samples.

    At least as long as the samples are apart, where the queue has not shrunk and was not empty: who reads takes the
    oldest first, so with a reader it is the most that it may be.
    """
    if not now.messages or before is None or before.id != now.id or not before.at < now.at:
        return Backlog()
    grown = now.messages - before.messages
    if grown <= 0:
        return Backlog()
    waited = (now.at - before.at) * now.messages / grown
    return Backlog(max(0.0, LIVES_DAYS - waited / DAY))


def sample(one: Any) -> Sample:
    """Of the file that remembers. Raises what ODD_SHAPE names."""
    given = mapping(one)
    return Sample(int(amount(given["id"])), amount(given["at"]), int(amount(given["messages"])))


def samples(document: Any) -> dict[str, Sample]:
    """By name. Raises what ODD_SHAPE names."""
    return {text(name): sample(one) for name, one in mapping(document).items()}


def flow(kept: Kept, depth: Depth, before: Sample | None, newest: float | None, now: float) -> Flow:
    """The state of a stream whose queue was seen. newest: of the organisation's events, None without any."""
    behind = backlog(Sample(kept.id, now, depth.messages), before)
    facts: Mapping[str, Any] = {
        "stream": kept.id,
        "consumers": depth.consumers,
        "messages": depth.messages,
        "days_left": None if behind.days_left is None else round(behind.days_left, 1),
    }
    waiting = f"{depth.messages} events wait, and {behind.words}" if depth.messages else "none waits"
    told = Flow(kept.name, FLOWING, newest, facts=facts)
    if depth.consumers > 1:
        text = f"{depth.consumers} consumers read the queue, of which one is ours; {waiting}"
        return told._replace(state=FALLEN, code="second_consumer", message=text, next_step=SECOND_STEP)
    if not depth.consumers:
        text = f"nobody reads the queue; {waiting}"
        state = WAITING_FOR_DATA if now - kept.made <= DAY else STALE
        return told._replace(state=state, code="no_consumer", message=text, next_step=READER_STEP)
    if behind.days_left is not None and behind.days_left < WARN_DAYS:
        return told._replace(state=FALLEN, code="backlog", message=waiting, next_step=BEHIND_STEP)
    if newest is None or now - newest > DAY:
        when = "has no event at all" if newest is None else "has had no event for a day"
        return told._replace(state=QUIET, message=f"the queue is read, and the organisation {when}, by its event list")
    return told._replace(message=f"the queue is read; {waiting}")


def unseen(kept: Kept, error: OnboardingError) -> Flow:
    """A queue that refuses what we keep is broken for the SIEM, too; one that gives no answer nobody can judge."""
    broken = error.status in BROKEN
    return Flow(kept.name, STALE if broken else UNREADABLE, error=error, facts={"stream": kept.id})


def absent(name: str) -> Flow:
    return Flow(name, ABSENT, next_step=ABSENT_STEP)
