# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether records arrive in the table: by what is in it and, on request, by a record of ours that is sent and found."""

from __future__ import annotations

import time
from typing import NamedTuple

from ..._core.client import documented
from ..._core.errors import NoAnswerError, OnboardingError, RefusedError
from ..._core.freshness import (
    ABSENT,
    FLOWING,
    STALE,
    UNREADABLE,
    WAITING_FOR_DATA,
    Flow,
    Volume,
    judge,
    stamp,
    weighed,
)
from ..arm.polling import NOT_FINISHED, until
from ..identity.credentials import object_id
from . import data
from .api import CustomLogs
from .options import Setup
from .plan import Rule
from .role import NEW_ROLE_STEP, ROLE_SECONDS, role_age

# Until the first rows of a new table are shown.
FIRST_ROWS_SECONDS = 900.0
STEPS = {
    ABSENT: "run the onboard playbook: the table or the rule is not there",
    WAITING_FOR_DATA: NEW_ROLE_STEP,
    STALE: "run verify with -e verify_probe=true: where the probe arrives, the source is silent; else run drift",
}
NO_ROLE_STEP = "run the onboard playbook: it gives the app the role on the rule"
REFUSED_STEP = (
    "run drift; where the role is there for more than 30 minutes, have it removed and onboard again, and see whether a "
    "network isolation of Azure Monitor (a private link scope) keeps this address out"
)
UNBOUND_STEP = "have the rule removed and run onboard again: it does not belong to the address that it shows"
LOST_STEP = (
    "look at the rule's metric «Logs Rows Dropped per Min» and at the table DCRLogErrors: its transform may fail"
)


class Probe(NamedTuple):
    """What became of a record of ours. state: FLOWING, WAITING_FOR_DATA or STALE; the rest as in a Flow."""

    state: str
    message: str = ""
    next_step: str = ""
    error: OnboardingError | None = None


async def flow(logs: CustomLogs, setup: Setup) -> Flow:
    """The flow of the table; what cannot be read is its error."""
    asked = setup.wanted
    source, now = f"table {asked.table}", time.time()
    try:
        found, table = await logs.rule(), await logs.table()
        if found is None or found.flow is None or table is None:
            return Flow(source, ABSENT, next_step=STEPS[ABSENT])
        arrived = await _arrived(logs, setup)
        with documented(f"read when the rule {asked.rule} was made"):
            made = data.age(found.made)
        probe = None if setup.probe_seconds is None else await _probed(logs, setup, found, made)
    except OnboardingError as error:
        return Flow(source, UNREADABLE, error=error)
    return judged(source, arrived, None if made is None else now - made, probe, setup, now)


async def _arrived(logs: CustomLogs, setup: Setup) -> data.Arrived:
    query = data.arrivals_query(setup.wanted.table, setup.marked)
    hours = setup.watch.window.total_seconds() / 3600
    return await data.ask(logs.arm, setup.identity, setup.wanted.workspace, query, hours)


def judged(
    source: str, arrived: data.Arrived, made: float | None, probe: Probe | None, setup: Setup, now: float
) -> Flow:
    """The flow by its records, and by the probe where one was sent: a closed way counts for more. Pure."""
    newest = arrived.newest
    state = judge(configured=True, newest=newest, changed=made, now=now, limits=setup.watch.limits,
                  may_be_quiet=setup.may_be_quiet)  # fmt: skip
    quiet = "the source may be silent for days" if setup.may_be_quiet and newest is None else ""
    lag = None if newest is None or arrived.ingested is None else max(0.0, arrived.ingested - newest)
    found = Flow(source, state, newest, arrived.records, message=quiet, next_step=STEPS.get(state, ""), lag=lag)
    day, *before = arrived.days or (0,)
    found = weighed(found, Volume(day, max(before, default=0) or None))
    if probe is None:
        return found
    if probe.state == FLOWING:
        text = f"the probe arrived{probe.message}"
        return found._replace(message="; ".join(filter(None, [found.message, text])))
    if probe.error is not None:
        return found._replace(state=UNREADABLE, error=probe.error)
    return found._replace(state=probe.state, message=probe.message, next_step=probe.next_step)


async def _probed(logs: CustomLogs, setup: Setup, rule: Rule, made: float | None) -> Probe:
    """Send a record that is marked, and look for it. What cannot be said is its error."""
    record = data.probe(setup.wanted, setup.marked)
    try:
        await data.send(logs.arm, setup.identity, setup.wanted, rule, record)
        return await _seen(logs, setup, str(record[setup.marked]), made)
    except RefusedError as error:
        if not data.lacks_access(error):
            return Probe(UNREADABLE, error=error)
        try:
            return refused(error, await _own_age(logs, setup))
        except OnboardingError as unread:
            return Probe(UNREADABLE, error=unread)
    except OnboardingError as error:
        return Probe(UNREADABLE, error=error)


async def _seen(logs: CustomLogs, setup: Setup, marker: str, made: float | None) -> Probe:
    asked, sent = setup.wanted, time.time()
    query = data.probe_query(asked.table, setup.marked, marker)

    async def look() -> data.Arrived:
        return await data.ask(logs.arm, setup.identity, asked.workspace, query, 24)

    try:
        await until(look, lambda one: one.records > 0, setup.probe_seconds or 0.0, "find the probe")
    except NoAnswerError as error:
        if error.code != NOT_FINISHED:
            raise
        return unseen(sent, made)
    return Probe(FLOWING, f" within {time.time() - sent:.0f} s")


def unseen(sent: float, made: float | None) -> Probe:
    """A probe that was taken and is not found: what is new may need its time. made: the rule's age. Pure."""
    text = f"the probe of {stamp(sent)} was taken, and is not in the table yet"
    if made is not None and made <= FIRST_ROWS_SECONDS:
        return Probe(WAITING_FOR_DATA, f"{text}; the rule is {made:.0f} s old", STEPS[WAITING_FOR_DATA])
    return Probe(STALE, text, LOST_STEP)


def refused(error: RefusedError, role: float | None) -> Probe:
    """A probe that was not taken. role: how old the role of the app is, None where it has none. Pure."""
    if data.unbound(error):
        return Probe(STALE, "the rule refuses all senders: it is not bound to the address", UNBOUND_STEP)
    if role is None:
        return Probe(ABSENT, "the app may not send: it has no role on the rule", NO_ROLE_STEP)
    if role <= ROLE_SECONDS:
        text = f"the app's role on the rule is {role:.0f} s old, and does not count yet"
        return Probe(WAITING_FOR_DATA, text, STEPS[WAITING_FOR_DATA])
    return Probe(
        STALE, f"the app has its role for {role / 60:.0f} minutes, and is refused: {error.message}", REFUSED_STEP
    )


async def _own_age(logs: CustomLogs, setup: Setup) -> float | None:
    """How old the app's own right to send is. Raises OnboardingError."""
    who = setup.identity
    own = await object_id(logs.arm.tokens, who.tenant_id, who.cloud.arm_scope)
    return await role_age(logs.arm, setup.wanted.rule_id, own)
