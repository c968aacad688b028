# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the connector on this host says about itself: heartbeat, last event, failures."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from .._core.errors import OnboardingError
from .._core.outcome import counts, outcome
from .._core.redaction import Redactor
from .._core.status import DRIFTED, FAILED, IN_SYNC, UNKNOWN
from . import desired, log, package, result, system
from .plan import Service, secrets_in

NEXT_STEPS = {
    "absent": "run onboard for this collector",
    "error": "see the connector's log and systemctl status cs.falconhoseclientd on the host",
    "stale": "see the connector's log; restart cs.falconhoseclientd if it says nothing at all",
    "unknown": "read the line; where it is a failure that has a name, set falcon_siem_connector_failure_patterns",
}
STATUS = {"absent": DRIFTED, "stale": DRIFTED, "error": FAILED, "unknown": UNKNOWN}  # the rest is in sync
SOURCE = "CrowdStrike event stream"


async def run(
    params: Mapping[str, Any], _reporter: Any, redactor: Redactor, *, check: bool, diff: bool
) -> dict[str, Any]:
    """The engine of falcon_connector_info; it only reads. A log may tell the secrets that the files hold."""
    del check, diff
    known = log.words(params["heartbeat_pattern"], params["failure_patterns"] or {})
    now, service = system.clock(), system.service()
    flows, problems = [], []
    for cid in desired.cids(params, None):
        text, written = system.tail(cid.log, system.WHOLE)
        said = log.read(text, known, written)
        there = system.read(cid.path)
        for secret in secrets_in(there.content) if there else ():
            redactor.add(secret)
        newest = max(filter(None, (system.modified(cid.offset_path), system.modified(cid.output_path))), default=None)
        entry = flow(cid, there is not None, service, said, newest, now, params["stale_minutes"])
        flows.append(entry)
        problems += troubles(cid, entry, said)
    return told(flows, problems, package.installed())


def flow(
    cid: desired.Cid,
    there: bool,
    service: Service,
    said: log.Said,
    newest: float | None,
    now: float,
    stale_minutes: int,
) -> dict[str, Any]:
    """One CID. A heartbeat makes it flow; a cloud without events is quiet, which is no fault.

    there: the configuration; newest: when the offsets or the output were last written to.
    """
    stale = 60 * stale_minutes
    if not there:
        state = "absent"
    elif not service.running or said.failures:
        state = "error"
    elif said.heartbeat is None or now - said.heartbeat > stale:
        state = "stale"
    elif said.unknown:
        state = "unknown"
    else:
        state = "flowing" if newest is not None and now - newest <= stale else "quiet"
    return {
        "source": cid.name,
        "resource_type": f"{SOURCE} {cid.name}",
        "state": state,
        "heartbeat": _stamp(said.heartbeat),
        "newest": _stamp(newest),
        "age_seconds": None if newest is None else int(now - newest),
        "failures": [seen.code for seen in said.failures],
        "next_step": NEXT_STEPS.get(state, ""),
    }


def troubles(cid: desired.Cid, entry: Mapping[str, Any], said: log.Said) -> list[dict[str, Any]]:
    """The failures since the last heartbeat as problems, or else the state itself where that is bad."""
    found = [
        _problem(cid, seen.code, seen.line, seen.next_step, seen.count)
        for seen in said.failures
        if entry["state"] != "absent"
    ]
    if not found and entry["next_step"]:
        last = said.unknown[-1] if said.unknown else said.last
        words = f"{entry['state']}; last heartbeat: {entry['heartbeat'] or 'none'}; last line: {last or 'none'}"
        found = [_problem(cid, entry["state"], words, entry["next_step"], 1)]
    return found


def _problem(cid: desired.Cid, code: str, message: str, next_step: str, count: int) -> dict[str, Any]:
    error = OnboardingError(f"read the event stream of CID {cid.name}", message, code=code, next_step=next_step)
    return {**error.problem(cid.name), "count": count}


def _stamp(seconds: float | None) -> str:
    return "" if seconds is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def told(flows: list[dict[str, Any]], problems: list[dict[str, Any]], version: str) -> dict[str, Any]:
    statuses = [STATUS.get(entry["state"], IN_SYNC) for entry in flows]
    said = [f"{problem['target']}: {problem['code']}: {problem['message']}" for problem in problems]
    return {
        "changed": False,
        "failed": False,
        "msg": "; ".join(said) or f"All {len(flows)} CIDs have a heartbeat.",
        "flows": flows,
        "package_version": version,
        "summary": result.summary(outcome(counts(statuses)), statuses, {}),
        "changes": [],
        "problems": problems,
        "evidence": "",
    }
