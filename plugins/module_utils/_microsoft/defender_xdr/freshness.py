# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: whether alerts, incidents, hunting's tables and streamed tables arrive, and why not. Pure.

How a stream is judged, whose setting nobody may read: facts of «Stream Microsoft Defender XDR events», and what hunting
says of the same tables. assumed: a record is in the hub within an hour of its row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..._core.errors import OnboardingError
from ..._core.findings import CUSTOMER
from ..._core.freshness import (
    ABSENT,
    CONNECTED,
    QUIET,
    STALE,
    UNREADABLE,
    WAITING_FOR_DATA,
    Flow,
    Limits,
    judge,
    stamp,
)
from .api import Newest
from .plan import Stream
from .records import Seen
from .tables import HUNTING, PULSE, STEADY

HOUR = 3600.0
ONBOARD_STEP = (
    "have the customer onboard devices to Defender for Endpoint (https://security.microsoft.com, Settings > Endpoints "
    "> Onboarding): there is none that reports"
)
STALE_STEP = "see in the Defender portal whether devices still report, and whether the streaming setting is still there"
HUNT_STEP = "add hunting to ways, by which a table without rows is told from one that is not streamed"


def refused(source: str, error: OnboardingError) -> Flow:
    """What only the customer can cure is broken, not unknown."""
    broken = error.owner == CUSTOMER and not error.code.startswith(("HTTP", "AADSTS"))
    return Flow(source, STALE if broken else UNREADABLE, error=error)


def of_graph(way: str, newest: Newest, now: float, limits: Limits) -> Flow:
    """Alerts or incidents that could be read: a tenant may have none for weeks."""
    facts = {"sources": list(newest.sources)}
    if newest.when is None:
        return Flow(way, QUIET, message="there is none in the time that was looked at", facts=facts)
    state = judge(configured=True, newest=newest.when, changed=None, now=now, limits=limits, may_be_quiet=True)
    return Flow(way, state, newest.when, facts=facts)


def of_hunting(newest: float | None, now: float, limits: Limits) -> Flow:
    """By the table in which every device reports itself."""
    source = f"{HUNTING} {PULSE}"
    if newest is None:
        text = "no device has reported in the time that was looked at"
        return Flow(source, ABSENT, code="not_onboarded", message=text, next_step=ONBOARD_STEP)
    state = judge(configured=True, newest=newest, changed=None, now=now, limits=limits)
    return Flow(source, state, newest, next_step=STALE_STEP if state == STALE else "")


class Look(NamedTuple):
    """What is known of a hub. made: when it was; seen: None where nobody could look, by error.

    rows: newest in hunting of tables that are not seen, and of PULSE; None where hunting may not be asked.
    """

    stream: Stream
    made: float | None
    seen: Seen | None = None
    error: OnboardingError | None = None
    rows: Mapping[str, float | None] | None = None


def of_stream(look: Look, now: float, limits: Limits) -> list[Flow]:
    """A flow for each wanted table; one for the whole stream where nothing of it is seen at all."""
    if look.seen is None:
        return [Flow("streamed tables", UNREADABLE, error=look.error)]
    if not set(look.seen.newest) & set(look.stream.tables):
        return [_nothing(look, now)]
    return [_table(look, look.seen, table, now, limits) for table in look.stream.tables]


def _nothing(look: Look, now: float) -> Flow:
    source, step = "streamed tables", look.stream.step
    if look.made is not None and now - look.made < HOUR:
        text = "nothing has arrived yet: it waits for the portal's setting, or for data"
        return Flow(source, WAITING_FOR_DATA, message=text, next_step=step)
    if look.rows is not None and not any(look.rows.values()):
        text = "nothing arrives, and hunting has no row of it either, and no device that reports"
        return Flow(source, ABSENT, code="not_onboarded", message=text, next_step=ONBOARD_STEP)
    why = (
        "and hunting has rows" if look.rows is not None else "and without hunting nobody can say whether devices report"
    )
    text = f"nothing arrives, {why}: the portal's setting is missing, or sends elsewhere"
    return Flow(source, ABSENT, code="not_streamed", message=text, next_step=step)


def _table(look: Look, seen: Seen, table: str, now: float, limits: Limits) -> Flow:
    source, newest = f"streamed {table}", seen.newest.get(table)
    if newest is None:
        return _not_seen(look, seen, source, table, now)
    quiet = table not in STEADY
    state = judge(configured=True, newest=newest, changed=None, now=now, limits=limits, may_be_quiet=quiet)
    return Flow(source, state, newest, next_step=STALE_STEP if state == STALE else "")


def _not_seen(look: Look, seen: Seen, source: str, table: str, now: float) -> Flow:
    if look.rows is None and table not in STEADY:
        text = "it has no record in the hub, and may have none to send"
        error = OnboardingError(f"judge {source}", text, code="NobodyCanTell", next_step=HUNT_STEP)
        return Flow(source, UNREADABLE, error=error)
    row = None if look.rows is None else look.rows.get(table)
    if look.rows is not None and row is None:
        return Flow(source, QUIET, message="hunting has no row of it either")
    if row is not None and row < seen.since:
        text = f"its newest row is of {stamp(row)}, before what was looked at in the hub: the next one tells"
        return Flow(source, WAITING_FOR_DATA, message=text)
    if row is not None and now - row < HOUR and table not in STEADY:
        return Flow(source, WAITING_FOR_DATA, message=f"its newest row is of {stamp(row)}, and may be under way")
    text = "other tables arrive, and it does not" + (f", though it has a row of {stamp(row)}" if row else "")
    step = f"tick {table} in the setting {look.stream.setting}: {look.stream.step}"
    return Flow(source, ABSENT, code="missing_table", message=text, next_step=step)


def of_export(subscription: str, look: Look, now: float, limits: Limits) -> Flow:
    """Defender for Cloud's export that is set as wanted: it may have nothing to send for weeks."""
    source = of_subscription(subscription)
    if look.seen is None:
        text = f"it is set; whether its records arrive nobody could look: {look.error}"
        return Flow(source, CONNECTED, message=text, next_step=look.error.next_step if look.error else "")
    newest = look.seen.exported.get(subscription)
    if newest is None:
        return Flow(source, QUIET, message="it is set; none of its records is among the newest events of the hub")
    state = judge(configured=True, newest=newest, changed=None, now=now, limits=limits, may_be_quiet=True)
    return Flow(source, state, newest)


def not_exported(subscription: str, reason: str) -> Flow:
    return Flow(of_subscription(subscription), ABSENT, message=reason, next_step="run the onboard playbook")


def of_subscription(subscription: str) -> str:
    return f"continuous export of {subscription}"
