"""Summaries of runs over a fleet, as the evidence callback writes them, made up reproducibly."""

from __future__ import annotations

import random
import weakref
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.history import History
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.outcomes import COUNTS, timestamp

CAPABILITIES = ("azure_diagnostics", "azure_log_flow", "coro_connectors", "falcon_siem", "scp_target", "syslog_target")
START = datetime(2026, 11, 1, 6, tzinfo=UTC).timestamp()
HOUR = 3600.0
WORDS = (
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "harbor", "iris", "juniper", "kestrel", "lumen",
    "maple", "north", "orchid", "pine", "quartz", "river", "sable", "tundra", "umbra", "vale", "willow", "zephyr",
)  # fmt: skip
KINDS = ("bank", "clinic", "foods", "logistics", "media", "motors", "schools", "steel")
REFUSED = {
    "code": "AuthorizationFailed",
    "message": "create the diagnostic setting: the client does not have authorization to perform action "
    "'Microsoft.Insights/diagnosticSettings/write'",
    "next_step": "grant Monitoring Contributor on the subscription to the app",
    "status": 403,
    "count": 8,
}
SILENT = {
    "code": "logs stale",
    "message": "no record for 26 hours",
    "next_step": "look at the appliance: its last record came before its maintenance window",
    "status": None,
    "count": 1,
}
LOST = {
    "code": "unreachable",
    "message": "The host could not be reached by the task «Receiver of the tenant».",
    "next_step": "start the collector, or take it out of the tenant's file",
    "status": None,
    "count": 1,
}


def row(
    host: str, capability: str, outcome: str = "in_sync", *problems: Mapping[str, Any], **more: Any
) -> dict[str, Any]:
    """One row of a summary. C(more): counts by name, and other fields of the row."""
    counts = dict.fromkeys(COUNTS, 0) | {name: more.pop(name) for name in COUNTS if name in more}
    return {
        "tenant": host,
        "role": capability,
        "verb": "drift",
        "step": capability,
        "capability": capability,
        "outcome": outcome,
        "check_mode": False,
        "counts": counts,
        "drift": more.pop("drifts", {}),
        "seconds": 1.5,
        "throttled_seconds": 0.0,
        "msg": "What was found.",
        "changes": [],
        "problems": list(problems),
        "credentials": [],
        "evidence": "",
        **more,
    }


def run(number: int, *rows: dict[str, Any], fleet: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """The summary of the run that ended C(number) hours after START."""
    end = START + number * HOUR
    for one in rows:
        one.setdefault("ended", timestamp(end - 1))
    return {
        "schema": 1,
        "run": f"run-{number:04}",
        "playbook": "drift",
        "started": timestamp(end - 60),
        "ended": timestamp(end),
        "seconds": 60.0,
        "check_mode": False,
        "complete": True,
        "exit": {"code": 0, "meaning": ""},
        "tenants": list(rows),
        "not_reached": [],
        "fleet": dict(fleet or {}),
        **more,
    }


def history(*runs: dict[str, Any]) -> History:
    """A history in memory that holds them."""
    made = History(":memory:", write=True)
    weakref.finalize(made, made._connection.close)
    for one in runs:
        made.add(one)
    return made


def fleet_of(tenants: Sequence[str], roles: Sequence[str] = CAPABILITIES) -> dict[str, dict[str, Any]]:
    return {
        slug: {
            "tenant": slug,
            "name": " ".join(part.capitalize() for part in slug.split("-")),
            "ring": ("canary", "early", "all")[min(number // 5, 2)],
            "roles": [role for role in roles if (number + len(role)) % 7 or role.startswith("azure")],
        }
        for number, slug in enumerate(tenants)
    }


def covering(*parts: tuple[str, ...]) -> dict[str, Any]:
    """The coverage of a row: (name, state, why, next step) of each part."""
    states: dict[str, int] = {}
    for part in parts:
        states[part[1]] = states.get(part[1], 0) + 1
    fields = ("name", "state", "why", "next_step")
    return {"states": states, "parts": [dict(zip(fields, part, strict=False)) for part in parts]}


def slugs(number: int) -> list[str]:
    names = [f"{word}-{kind}" for kind in KINDS for word in WORDS]
    return [names[n % len(names)] + (f"-{n // len(names) + 1}" if n >= len(names) else "") for n in range(number)]


def story(tenants: int, runs: int = 30, ill: float = 0.06) -> list[dict[str, Any]]:
    """Hourly drift runs: some tenants drift and are corrected, some fail for days, a few were never run."""
    chance = random.Random(tenants)
    fleet = fleet_of(slugs(tenants))
    state: dict[tuple[str, str], int] = {}
    told = []
    for number in range(1, runs + 1):
        rows = []
        for place, (slug, entry) in enumerate(fleet.items()):
            for capability in entry["roles"]:
                if place % 41 == 7 and capability == "coro_connectors":
                    continue  # never run
                left = state.get((slug, capability), 0)
                if not left and chance.random() < ill / 8:
                    left = chance.choice((2, 2, 3, 9, -6))
                rows.append(_told(slug, capability, left, place, number))
                state[slug, capability] = left - (left > 0) + (left < 0)
        told.append(run(number, *rows, fleet=fleet, check_mode=False))
    return told


def _told(slug: str, capability: str, left: int, place: int, number: int) -> dict[str, Any]:
    seconds = round(1 + place % 17 / 3 + len(capability) / 5 + (place % 23 == 0) * 40, 1)
    expires = [{"name": "certificate of the app", "expires": timestamp(START + (30 + place % 60) * 24 * HOUR)}]
    more: dict[str, Any] = {"seconds": seconds, "targets": 60, "credentials": expires if place % 29 == 3 else []}
    if left == 0:
        return row(slug, capability, in_sync=60, **more)
    if left < 0:
        return row(slug, capability, "unreachable", LOST, unknown=60, **more)
    if left > 3:
        return row(slug, capability, "failed", REFUSED if capability.startswith("azure") else SILENT, failed=60, **more)
    if left == 1:
        changes = [f"update /subscriptions/{place:08}/resourceGroups/rg-app: sink_changed"]
        return row(slug, capability, "corrected", in_sync=58, corrected=2, changes=changes, **more)
    return row(slug, capability, "drifted", in_sync=58, drifted=2, drifts={"missing": 1, "sink_changed": 1}, **more)
