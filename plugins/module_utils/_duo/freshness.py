# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: whether an account's logs go on, each by its newest record. Pure.

Source: duo.com/docs/adminapi («Logs»): two minutes until a record is there, 180 days of them. Exactly 180 may be
refused (duo_log_sync#36), so 179 are asked for. Version 1 tells seconds and the oldest 1000 records, version 2
milliseconds, in the order that is asked for.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .._core.freshness import ABSENT, DAY, FLOWING, QUIET, STALE, WEEKS, Flow, Limits, Volume, judge, weighed

# What is younger may not be in a log yet, and yet among the attempts.
SETTLED = 300.0
LIMITS = Limits(grace=DAY, stale=DAY)
AUTHENTICATION = "authentication"
ABSENT_STEP = "run the onboard playbook: nothing may read the logs yet"
NOT_LOGGED_STEP = "ask Duo's support why authentications are not in the log; the summary of attempts counts them"


class Log(NamedTuple):
    """A log of an account. days: how far back it is looked."""

    name: str
    path: str
    days: int


LOGS = (
    Log(AUTHENTICATION, "/admin/v2/logs/authentication", 179),
    Log("administrator", "/admin/v1/logs/administrator", 1),
    Log("offline_enrollment", "/admin/v1/logs/offline_enrollment", 30),
)


def params(log: Log, now: float) -> dict[str, str]:
    """What the log is asked for."""
    since = int(now - log.days * DAY)
    if log.name != AUTHENTICATION:
        return {"mintime": str(since)}
    return {"mintime": str(since * 1000), "maxtime": str(int(now) * 1000), "limit": "1", "sort": "ts:desc"}


def newest(log: Log, answer: Any) -> float | None:
    """The time of the newest record in an answer, None without any."""
    records = answer["authlogs"] if log.name == AUTHENTICATION else answer
    return max((float(one["timestamp"]) for one in records), default=None)


def days(log: Log, now: float) -> list[tuple[float, float]]:
    """(from, until) of which the attempts are asked: the last day and the same day of the weeks before it.

    Only authentications have a summary, which tells silence from a fault as well.
    """
    if log.name != AUTHENTICATION:
        return []
    earlier = [(now - (day + 1) * DAY, now - day * DAY) for day in WEEKS]
    return [(now - DAY, now - SETTLED), *earlier]


def flow(account: str, log: Log, found: float | None, attempts: list[int], now: float) -> Flow:
    """The state of a log that was read. attempts: by the summary, as C(days) asks for; none where it is not known."""
    tried, *before = attempts or [0]
    state = judge(configured=True, newest=found, changed=None, now=now, limits=LIMITS, may_be_quiet=True)
    volume = Volume(tried, max(before, default=0) or None) if attempts else Volume()
    source = f"{account}/{log.name}"
    if state == FLOWING:
        return weighed(Flow(source, state, found), volume)
    if tried:
        text = f"{tried} authentications in the last day by the summary of attempts, and none of them in the log"
        return Flow(source, STALE, found, 0, "not_logged", text, NOT_LOGGED_STEP, volume=volume)
    why = "nobody has tried to sign in for a day, by the summary of attempts" if log.name == AUTHENTICATION else ""
    text = why or f"no record within {log.days} days, which such a log may have"
    return weighed(Flow(source, QUIET, found, message=text), volume)


def absent(account: str) -> list[Flow]:
    return [Flow(f"{account}/{log.name}", ABSENT, next_step=ABSENT_STEP) for log in LOGS]
