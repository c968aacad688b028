# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: whether Coro still sends by each connector. It says so by a status only, which is what is reported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

from .._core import outcome, status
from .._core.errors import OnboardingError
from .._core.evidence import EvidenceFile
from .._core.redaction import Redactor
from . import observe, options
from .client import connected
from .connectors import CONNECTED, DISCONNECTED, Connector
from .observe import Workspace

CAPABILITY = "coro_connector_status"
ABSENT, ERROR, UNKNOWN = "absent", "error", "unknown"
STATUS = {
    CONNECTED: status.IN_SYNC,
    DISCONNECTED: status.DRIFTED,
    ABSENT: status.DRIFTED,
    UNKNOWN: status.UNKNOWN,
    ERROR: status.UNKNOWN,
}
MAX_SHOWN = 200
NEXT_STEPS = {
    DISCONNECTED: "see to the receiver, then run onboard with coro_connectors_reconnect, or sync in Coro's console",
    ABSENT: "run the onboard playbook: nothing sends this workspace's tickets under that name",
    UNKNOWN: "compare the contract profile's statuses with what Coro answers",
}


def flow(workspace: str, name: str, found: Connector | None) -> dict[str, Any]:
    """One connector's state as data. Pure.

    last_changed: when the connector last changed at Coro; assumed to be as near as it comes to «since when».
    """
    state = ABSENT if found is None else found.status or UNKNOWN
    return {
        "workspace": workspace,
        "name": name,
        "state": state,
        "id": found.id if found else "",
        "format": found.format if found else "",
        "listener_url": found.fields.get("listener_url", "") if found else "",
        "apply_to_all_customers": bool(found and found.apply_to_all),
        "inherited": bool(found and found.inherited),
        "last_changed": _when(found.updated) if found and found.updated else None,
        "last_error": found.error if found and state != CONNECTED else "",
        "next_step": NEXT_STEPS.get(state, ""),
    }


def flows(workspace: str, found: Iterable[Connector], names: Iterable[str]) -> list[dict[str, Any]]:
    """The connectors of a workspace by name: all of them, or those named, whether they are there or not. Pure."""
    listed = sorted(found, key=lambda one: (one.name, one.id))
    wanted = list(names)
    missing = [name for name in wanted if name not in {one.name for one in listed}]
    shown = [flow(workspace, one.name, one) for one in listed if not wanted or one.name in wanted]
    return shown + [flow(workspace, name, None) for name in missing]


def failure(workspace: str, error: OnboardingError) -> dict[str, Any]:
    """A workspace that could not be read: never the same as without connectors."""
    return {**flow(workspace, "", None), "state": ERROR, "last_error": str(error), "next_step": error.next_step}


def _when(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")


async def run(
    params: Mapping[str, Any], reporter: Any, redactor: Redactor, *, check: bool, diff: bool
) -> dict[str, Any]:
    """The state of the connectors of one workspace, and of the customers below. Reads only.

    Raises OnboardingError when the workspace cannot be read.
    """
    identity = options.identity(params)
    for secret in options.bare_secrets(params):
        redactor.add(secret)
    path = params.get("evidence_path")
    concurrency = max(1, params["concurrency"])
    async with connected(identity, concurrency, redactor) as coro:
        reporter.update(phase="observe")
        held = await observe.connectors(coro, identity.workspace)
        seen = flows(identity.workspace, held, params["names"])
        shared = sorted(one["name"] for one in seen if one["apply_to_all_customers"])
        below = await observe.children(coro, identity.workspace) if shared and params["check_customers"] else []
        reporter.update(phase="customers", total=len(below))

        def look(one: Workspace, found: tuple[Connector, ...] | OnboardingError) -> None:
            if isinstance(found, OnboardingError):
                reporter.failure(str(found))
                seen.append(failure(one.id, found))
            else:
                seen.extend(flows(one.id, [other for other in found if other.inherited], shared))

        await observe.of_each(coro, below, look, concurrency)
    with EvidenceFile(path, redact=redactor) if path else nullcontext() as evidence:
        for line in seen:
            if evidence:
                evidence.write(line)
    told = result(seen, coro.requests, len(below))
    told["evidence"] = str(path) if evidence and not evidence.error else ""
    told["problems"] += evidence.problems if evidence else []
    return told


def result(seen: list[dict[str, Any]], requests: Mapping[str, int], customers: int) -> dict[str, Any]:
    """The result in the shape of every result; what does not send is a problem. Pure."""
    number = {state: sum(one["state"] == state for one in seen) for state in STATUS}
    counts = outcome.counts(STATUS[one["state"]] for one in seen)
    told = problems(seen)
    lines = [f"{len(seen)} connectors: " + (", ".join(f"{n} {state}" for state, n in number.items() if n) or "none")]
    lines += [f"{one['code']}: {one['target']}: {one['message']}. Next step: {one['next_step']}" for one in told]
    return {
        "changed": False,
        "failed": False,
        "msg": "\n".join(lines),
        "summary": {
            "capability": CAPABILITY,
            "outcome": outcome.outcome(counts),
            "counts": counts,
            "drift": {state: number[state] for state in (DISCONNECTED, ABSENT) if number[state]},
            "states": number,
            "customers": customers,
            "requests": dict(requests),
        },
        "changes": [],
        "problems": told,
        "connectors": seen[:MAX_SHOWN],
    }


def problems(seen: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What does not send; those of one cause are one entry that names their workspaces."""
    causes: dict[tuple[str, str, str], list[str]] = {}
    for one in seen:
        if one["state"] != CONNECTED:
            causes.setdefault((one["state"], _message(one), one["next_step"]), []).append(
                "/".join(part for part in (one["workspace"], one["name"]) if part)
            )
    return [
        {
            "target": ", ".join(targets[:5]) + (f" and {len(targets) - 5} more" if len(targets) > 5 else ""),
            "operation": "send tickets by the connector",
            "status": None,
            "code": state,
            "message": message,
            "next_step": step,
            "request_id": "",
            "count": len(targets),
        }
        for (state, message, step), targets in causes.items()
    ]


def _message(one: Mapping[str, Any]) -> str:
    if one["state"] == DISCONNECTED:
        return (
            f"no ticket is sent; the receiver's last answer: {one['last_error'] or 'not said'}; "
            f"last changed at Coro: {one['last_changed'] or 'not said'}"
        )
    return str(one["last_error"] or f"{one['state']} at Coro")
