# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the connector on this host says about itself: heartbeat, last event, failures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.errors import OnboardingError
from .._core.freshness import ABSENT, CONNECTED, FLOWING, QUIET, STALE, UNREADABLE, Flow, stamp, verified
from .._core.redaction import Redactor
from . import desired, log, package, system
from .catalog import CAPABILITY
from .plan import Service, secrets_in

NEXT_STEPS = {
    ABSENT: "run onboard for this collector",
    STALE: "see the connector's log; restart cs.falconhoseclientd if it says nothing at all",
    "stopped": "see the connector's log and systemctl status cs.falconhoseclientd on the host",
    "unknown_words": "read the line; where it is a failure that has a name, set falcon_siem_connector_failure_patterns",
}


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
        flows.append(flow(cid, there is not None, service, said, newest, now, params["stale_minutes"]))
        problems += further(cid, flows[-1], said)
    return told(flows, problems, package.installed(), now)


def flow(
    cid: desired.Cid,
    there: bool,
    service: Service,
    said: log.Said,
    newest: float | None,
    now: float,
    stale_minutes: int,
) -> Flow:
    """One CID. A cloud without events lately is quiet, which is no fault; one that never had any is only connected.

    there: the configuration; newest: when the offsets or the output were last written to.
    """
    stale = 60 * stale_minutes
    code, last = "", said.last
    if not there:
        state = ABSENT
    elif not service.running or said.failures:
        state, code = STALE, said.failures[0].code if said.failures else "stopped"
    elif said.heartbeat is None or now - said.heartbeat > stale:
        state = STALE
    elif said.unknown:
        state, code, last = UNREADABLE, "unknown_words", said.unknown[-1]
    else:
        fresh = newest is not None and now - newest <= stale
        state = FLOWING if fresh else CONNECTED if newest is None else QUIET
    message = f"last heartbeat: {stamp(said.heartbeat) or 'none'}; last line: {last or 'none'}"
    step = NEXT_STEPS.get(code or state, "")
    if there and said.failures:
        message, step = said.failures[0].line, said.failures[0].next_step
    facts = {"heartbeat": stamp(said.heartbeat), "failures": [seen.code for seen in said.failures]}
    return Flow(cid.name, state, newest, code=code, message=message, next_step=step, facts=facts)


def further(cid: desired.Cid, found: Flow, said: log.Said) -> list[dict[str, Any]]:
    """The failures since the last heartbeat beside the first, which the flow itself tells."""
    failures = said.failures[1:] if found.state != ABSENT else ()
    operation = f"read the event stream of CID {cid.name}"
    errors = [(OnboardingError(operation, one.line, code=one.code, next_step=one.next_step), one) for one in failures]
    return [{**error.problem(cid.name), "count": one.count} for error, one in errors]


def told(flows: list[Flow], problems: list[dict[str, Any]], version: str, now: float) -> dict[str, Any]:
    return verified(CAPABILITY, flows, now, problems=problems, outputs={"package_version": version})
