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

from .._core.freshness import ABSENT, FLOWING, QUIET, STALE, Flow, Limits, judge

DAY = 86400.0
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


def needs_attempts(log: Log, found: float | None, now: float) -> bool:
    """Whether silence has to be told from a fault: only authentications have a summary."""
    return log.name == AUTHENTICATION and (found is None or now - found > LIMITS.grace)


def flow(account: str, log: Log, found: float | None, tried: int, now: float) -> Flow:
    """The state of a log that was read. tried: authentications of the last day by the summary."""
    state = judge(configured=True, newest=found, changed=None, now=now, limits=LIMITS, may_be_quiet=True)
    if state == FLOWING:
        return Flow(f"{account}/{log.name}", state, found)
    if tried:
        text = f"{tried} authentications in the last day by the summary of attempts, and none of them in the log"
        return Flow(f"{account}/{log.name}", STALE, found, 0, "not_logged", text, NOT_LOGGED_STEP)
    why = "nobody has tried to sign in for a day, by the summary of attempts" if log.name == AUTHENTICATION else ""
    text = why or f"no record within {log.days} days, which such a log may have"
    return Flow(f"{account}/{log.name}", QUIET, found, message=text)


def absent(account: str) -> list[Flow]:
    return [Flow(f"{account}/{log.name}", ABSENT, next_step=ABSENT_STEP) for log in LOGS]
