# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: whether alerts still start the playbook, and whether what it sends is taken. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..._core.freshness import ABSENT, FLOWING, QUIET, STALE, UNREADABLE, WAITING_FOR_DATA, Flow
from . import graph
from .api import DONE, RUNNING, Alert, PlaybookRun
from .plan import Playbook

# From an alert to its run: a block that was not used lately starts within a minute.
GRACE_SECONDS = 900.0
ABSENT_STEP = "run the onboard playbook: nothing sends the alerts"
OFF_STEP = "run the drift playbook, which says why it is off"
RUN_STEP = "see the run in Sekoia.io, at the playbook's Runs, and what its blocks say"
START_STEP = "run the drift playbook: it finds a trigger that is wired at one place only; else ask Sekoia.io's support"
TARGET_STEP = "see to the target: whether it takes what is sent, and whether the secret is still good"


class Seen(NamedTuple):
    """What was read. alert: the newest that the playbook should start for; runs: the newest first.

    failed: why the newest run has sent nothing, '' where it has.
    """

    playbook: Playbook
    enabled: bool
    alert: Alert | None
    runs: Sequence[PlaybookRun]
    failed: str = ""


def absent(name: str) -> Flow:
    return Flow(name, ABSENT, next_step=ABSENT_STEP)


def sender(playbook: Playbook) -> str:
    """The id of the block that sends, '' for none."""
    found = [key for key, one in playbook.nodes.items() if one.get("action_uuid") == graph.REQUEST_URL]
    return found[0] if len(found) == 1 else ""


def unsent(playbook: Playbook, run: PlaybookRun) -> tuple[str, str]:
    """(the run of the block that has failed, '' for none; why nothing was sent in this run, '' where it was)."""
    _uuid, status = run.nodes.get(sender(playbook), ("", ""))
    if status in DONE:
        return "", ""
    # In the order of the graph: what comes after a block that has failed may fail, too.
    failed = [run.nodes[key] for key in sorted(run.nodes, key=lambda key: (len(key), key))]
    uuid = next((uuid for uuid, status in failed if status == "error"), "")
    told = f"has the status {status[:40]!r}" if status else "was not reached"
    return uuid, "the target did not take it" if status == "error" else f"the block that sends {told}"


def flow(name: str, seen: Seen, now: float) -> Flow:
    """The state of a playbook that is there."""
    newest = seen.runs[0] if seen.runs else None
    done = next((one.started for one in seen.runs if one.status in DONE), None)
    if not seen.enabled:
        return Flow(name, STALE, done, code="disabled", message="the playbook is switched off", next_step=OFF_STEP)
    if newest and newest.status == "error":
        return Flow(
            name, STALE, done, code="run_failed", message=newest.error or "its newest run failed", next_step=RUN_STEP
        )
    if newest and newest.status not in (*DONE, *RUNNING):
        text = f"its newest run has the status {newest.status[:40]!r}, which nobody here knows"
        return Flow(name, UNREADABLE, done, code="run_status", message=text, next_step=RUN_STEP)
    if seen.failed:
        return Flow(name, STALE, done, code="not_delivered", message=seen.failed, next_step=TARGET_STEP)
    if seen.alert and (newest is None or newest.started < seen.alert.created):
        if now - seen.alert.created <= GRACE_SECONDS:
            text = f"alert {seen.alert.short_id} was created just now, and its run is to come"
            return Flow(name, WAITING_FOR_DATA, done, message=text)
        text = f"alert {seen.alert.short_id} has started no run"
        return Flow(name, STALE, done, code="not_started", message=text, next_step=START_STEP)
    if newest is None:
        return Flow(
            name, QUIET, message="none of the newest alerts is one that it would be started for, or tested with"
        )
    if newest.status in RUNNING:
        return Flow(name, WAITING_FOR_DATA, done, message="its newest run goes on")
    return Flow(name, FLOWING, done, message="its newest run was taken by the target")
