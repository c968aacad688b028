# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a drift run may correct, in which order of rings, and how much of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .status import CORRECTED, DRIFTED, count

NEVER, SAFE, ALL = LEVELS = ("never", "safe", "all")
# Kinds of writes that a level allows: to add what is missing takes nothing away from anybody.
WRITES: Mapping[str, frozenset[str]] = {
    NEVER: frozenset(),
    SAFE: frozenset({"create"}),
    ALL: frozenset({"create", "update", "delete"}),
}
# A write that the user asked for by an option of its own, as a rotation: no level forbids it.
ON_REQUEST = "on_request"
# Classes of drift that adding or starting something puts right.
ADDING = frozenset({"missing", "stopped"})
RINGS = ("canary", "early", "all")


def allowed(level: str, action: str) -> bool:
    """Whether the level (of LEVELS) lets a write of this kind (create, update, delete, on_request) be done."""
    return action == ON_REQUEST or action in WRITES[level]


def correctable(actions: Iterable[str]) -> dict[str, int]:
    """Level -> how many of these writes it lets be done: the C(correctable) of a summary."""
    kinds = list(actions)
    return {level: sum(allowed(level, kind) for kind in kinds) for level in LEVELS if level != NEVER}


def together(drifted: int, classes: Iterable[str]) -> dict[str, int]:
    """The same of targets that are one configuration: level safe corrects it where all of its drift is missing."""
    return {SAFE: drifted if ADDING.issuperset(classes) else 0, ALL: drifted}


def changes(result: Mapping[str, Any], level: str) -> int:
    """How many targets of a drift result were changed, or would be when corrected on this level.

    What is no result, or has counts that are none, is a host that nothing is known of: it counts nothing and has
    nothing to be corrected.
    """
    summary = _mapping(_mapping(result).get("summary"))
    counts, correctable = _mapping(summary.get("counts")), _mapping(summary.get("correctable"))
    drifted, corrected, due = count(counts.get(DRIFTED)), count(counts.get(CORRECTED)), count(correctable.get(level, 0))
    return 0 if drifted is None or corrected is None or due is None else corrected + due


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def total(hosts: Iterable[Mapping[str, Any]], results: Mapping[str, Iterable[str]]) -> int:
    """The sum of C(changes) over hosts and capabilities: what the run has changed, and would change so far.

    results: role to the variables of a host that hold what its drift found; <role>_correct holds the level. A host
    without a result has not been looked at yet; one without a level has the roles' default.
    """
    return sum(
        changes(host[result], str(host.get(f"{role}_correct", ALL)))
        for host in hosts
        for role, names in results.items()
        for result in names
        if "summary" in _mapping(host.get(result))
    )


def failed_share(groups: Mapping[str, Iterable[str]], hosts: Iterable[str]) -> float:
    """The percentage of hosts that have failed in a capability so far, of the ring where it is highest.

    hosts: of the play; those of other plays count where they have failed.
    """
    failed = set(groups.get("mssp_failed", ()))
    there = failed | set(hosts)
    rings = [there & set(groups.get(f"ring_{ring}", ())) for ring in RINGS]
    return max((100 * len(ring & failed) / len(ring) for ring in rings if ring), default=0.0)


def ring_sizes(groups: Mapping[str, Iterable[str]], hosts: Sequence[str]) -> list[int]:
    """Batches for C(serial): how many of the hosts each ring has, empty rings left out.

    The hosts have to be in the order of RINGS; those of no ring come last, as one batch.
    """
    left = set(hosts)
    sizes = []
    for ring in RINGS:
        members = left & set(groups.get(f"ring_{ring}", ()))
        left -= members
        sizes.append(len(members))
    return [size for size in (*sizes, len(left)) if size] or [1]
