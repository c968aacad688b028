# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tenant file gave a host at the last good run: a source that it no longer names is told, and not forgotten.

The modules work on the host, which knows nothing of earlier tenant files; the memory is the control node's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.mssp.onboarding.plugins.module_utils._core import coverage
from ansible_collections.mssp.onboarding.plugins.module_utils._core.coverage import Gone, Part, Scope, Seen
from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module
from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import UNREADABLE
from ansible_collections.mssp.onboarding.plugins.module_utils._core.result import counts
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import SEVERITY, UNKNOWN, WELL, count


def compared(
    result: dict[str, Any],
    module: Module,
    path: Path,
    given: Mapping[str, Any],
    accepted: Collection[str],
    *,
    converges: bool,
    check: bool,
) -> dict[str, Any]:
    """The result, with what is missing. Only what was made, or found as wanted, is remembered.

    Args:
        given: the options of the task; converges: whether it makes what they want, and does not only look.
    """
    summary = result.get("summary")
    if not isinstance(summary, Mapping) or not isinstance(summary.get("counts"), Mapping):
        return result
    if given.get("state") == "absent":
        if not check and not result.get("failed"):
            coverage.forget(path)
        return result
    kind, named = module.sources.removesuffix("s"), given.get(module.sources) or {}
    names = [one[kind] if isinstance(one, Mapping) else one for one in named]  # in a list, each has its own in it
    scopes = [Scope(name, f"{kind} {name}") for name in sorted(map(str, names))]
    option = f"{module.capability}_{module.sources}"
    good = not result.get("failed") and summary.get("outcome") in WELL
    gone = coverage.remembered(
        path,
        module.capability,
        Seen(scopes),
        accepted,
        regain=lambda scope: f"name {scope.name} in {option} again",
        learn=converges and good,
    )
    return _told(result, scopes, gone, whole=converges)


def _told(result: dict[str, Any], scopes: list[Scope], gone: Gone, *, whole: bool) -> dict[str, Any]:
    summary = result["summary"]
    number = {**counts(()), **summary["counts"]}
    outcome = str(summary.get("outcome"))
    unread = result.get("failed") or outcome == UNKNOWN
    parts = coverage.parts_of(Seen([] if unread else scopes), gone)
    parts += [Part(one.label, coverage.UNREACHABLE, str(result.get("msg", ""))) for one in scopes if unread]
    missing = [scope for scope, _error in gone]
    seen = 0 if unread else len(scopes)
    found = {**result, "coverage": coverage.report(len(scopes) + len(gone), seen, {}, missing, parts, whole=whole)}
    if not gone:
        return found
    number |= {name: int(number[name]) + len(gone) for name in ("targets", UNKNOWN)}
    worst = max(UNKNOWN, outcome, key=lambda status: SEVERITY.get(status, 0))
    problems = [{**error.problem(scope.label), "count": 1} for scope, error in gone]
    told = " ".join(f"{scope.label}: {error.message}. Next step: {error.next_step}." for scope, error in gone)
    return found | {
        "summary": {**summary, "counts": number, "outcome": worst, **_flows(summary, len(gone))},
        "problems": [*problems, *(result.get("problems") or [])],
        "msg": f"{told} {result.get('msg', '')}".strip(),
    }


def _flows(summary: Mapping[str, Any], missing: int) -> dict[str, Any]:
    """What a verification says of its flows: what is missing is one that cannot be read, and has not arrived."""
    told = {"arrivals": "flows", "states": UNREADABLE}
    return {
        name: {**summary[name], field: (count(summary[name].get(field)) or 0) + missing}
        for name, field in told.items()
        if isinstance(summary.get(name), Mapping)
    }
