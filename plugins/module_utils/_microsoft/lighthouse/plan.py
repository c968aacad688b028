# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done about the delegation of a subscription by Azure Lighthouse. Pure.

That two offers with the same principal get in each other's way: learn.microsoft.com «Update a delegation».
"""

from __future__ import annotations

from typing import Any

from ..._core.errors import NoAnswerError
from ..._core.status import BLOCKED, DRIFTED, IN_SYNC, SKIPPED, UNKNOWN, WAITING
from ..._core.verdict import Verdict
from ..arm.polling import NOT_FINISHED
from ..arm.resources import same_id
from .api import DONE, FAILED_STATES, Definition, Delegation, Observed, Wanted

DEFINITION, ASSIGNMENT, TEMPLATE = KINDS = ("definition", "assignment", "template")
ONLY_CUSTOMER = "only an Owner of the subscription in the customer's tenant can do that"
HARMLESS = "the definition, which gives nobody a right by itself, can only be removed in the customer's tenant"


def plan(wanted: Wanted, observed: Observed) -> tuple[Verdict, Verdict]:
    """Verdicts in the order in which they are to be carried out: one on the definition, one on the assignment."""
    mine = [one for one in observed.delegations if one.definition.id == same_id(wanted.definition_id)]
    others = [
        one for one in observed.delegations if one not in mine and one.definition.manager == wanted.manager.casefold()
    ]
    if not wanted.present:
        return _assignment_to_go(wanted, mine, others), _definition_to_go(wanted, observed, mine)
    if not mine and others:
        found = _by_another(wanted, others)
        if found:
            return found
    first = _definition(wanted, observed.definition)
    second = _assignment(wanted, mine)
    if first.status == UNKNOWN and second.status == DRIFTED:
        second = second._replace(status=UNKNOWN, action="", error=first.error)
    if not wanted.customer:
        return _handed_over(wanted, first), _handed_over(wanted, second)
    # Nothing is assigned of a definition that may not be put right: it would give away what somebody put into it.
    return first, second._replace(level="update") if first.action == "update" else second


def _in_sync(wanted: Wanted, kind: str, drift: tuple[str, ...] = (), reason: str = "") -> Verdict:
    target = wanted.definition_id if kind == DEFINITION else wanted.assignment_id
    return Verdict(target, IN_SYNC, drift, reason, subject=kind)


def _drifted(
    wanted: Wanted, kind: str, drift: tuple[str, ...], action: str, before: Any = None, after: Any = None
) -> Verdict:
    verdict = _in_sync(wanted, kind, drift)
    return verdict._replace(status=DRIFTED, action=action, before=before, after=after)


def _blocked(wanted: Wanted, kind: str, why: str, reason: str, next_step: str) -> Verdict:
    return _in_sync(wanted, kind, (why,), reason)._replace(status=BLOCKED, next_step=next_step)


def _by_another(wanted: Wanted, others: list[Delegation]) -> tuple[Verdict, Verdict] | None:
    """Offers of another name to the same tenant: one that gives it all is enough, one in the way has to go first."""
    rights = wanted.definition.rights
    for one in others:
        if rights <= one.definition.rights and one.state not in FAILED_STATES:
            reason = f"the offer {one.definition.offer!r} already delegates this"
            return _in_sync(wanted, DEFINITION), _in_sync(wanted, ASSIGNMENT, (), reason)
    for one in others:
        if wanted.definition.principals & one.definition.principals:
            reason = (
                f"the offer {one.definition.offer!r} gives the same principal other roles, and with two offers either "
                "may take away the rights of the other"
            )
            step = "have the customer remove that offer (Azure portal, Service providers), then run again"
            return (
                _blocked(wanted, DEFINITION, "conflict", reason, step),
                _blocked(wanted, ASSIGNMENT, "conflict", reason, step),
            )
    return None


def _definition(wanted: Wanted, found: Definition | None) -> Verdict:
    after = wanted.definition.view(wanted.role_names)
    if found is None:
        return _drifted(wanted, DEFINITION, ("missing",), "create", after=after)
    drift = differences(wanted.definition, found)
    if not drift:
        return _in_sync(wanted, DEFINITION) if found.state == DONE else _unfinished(wanted, DEFINITION, found.state)
    return _drifted(wanted, DEFINITION, drift, "update", found.view(wanted.role_names), after)


def differences(wanted: Definition, found: Definition) -> tuple[str, ...]:
    """Drift classes. Whatever was added counts: it is access to a customer that nobody here wants."""
    drift = []
    if wanted.rights - found.rights:
        drift.append("authorization_missing")
    if found.rights - wanted.rights or found.eligible:
        drift.append("authorization_extra")
    if _renamed(wanted, found):
        drift.append("renamed")
    if found.state in FAILED_STATES:
        drift.append("failed")
    return tuple(drift)


def _renamed(wanted: Definition, found: Definition) -> bool:
    """Whether the customer is shown another name of the offer, or of who has a right, than is wanted."""
    names = {one.right: one.name for one in found.authorizations}
    shown = any(names.get(one.right, one.name) != one.name for one in wanted.authorizations)
    return shown or (wanted.offer, wanted.description) != (found.offer, found.description)


def _assignment(wanted: Wanted, mine: list[Delegation]) -> Verdict:
    after = {"definition": wanted.definition_id}
    good = [one for one in mine if one.state not in FAILED_STATES]
    if good and not any(one.state == DONE for one in good):
        return _unfinished(wanted, ASSIGNMENT, good[0].state)
    if good:
        other = "" if any(one.name == wanted.name for one in good) else f"it is assigned as {good[0].name}"
        return _in_sync(wanted, ASSIGNMENT, (), other)
    if mine:
        before = after | {"state": mine[0].state}
        return _drifted(wanted, ASSIGNMENT, ("failed",), "update", before, after)
    return _drifted(wanted, ASSIGNMENT, ("missing",), "create", after=after)


def _unfinished(wanted: Wanted, kind: str, state: str) -> Verdict:
    """What Azure has taken and not made yet: it may still fail."""
    shown = _in_sync(wanted, kind)
    text, step = f"Azure has not finished with it: it is {state}", "run again in some minutes"
    error = NoAnswerError(f"see the {kind} {shown.target} done", text, code=NOT_FINISHED, next_step=step)
    return shown._replace(status=UNKNOWN, error=error)


def _handed_over(wanted: Wanted, verdict: Verdict) -> Verdict:
    """What the managing tenant finds lacking waits for the customer."""
    if verdict.status != DRIFTED:
        return verdict
    handed = _in_sync(wanted, verdict.subject, verdict.drift, ONLY_CUSTOMER)
    return handed._replace(status=WAITING, next_step=wanted.command)


def _assignment_to_go(wanted: Wanted, mine: list[Delegation], others: list[Delegation]) -> Verdict:
    ours = [one for one in mine if one.name == wanted.name]
    kept = [f"assignment {one.name} of our definition" for one in mine if one not in ours]
    kept += [f"the offer {one.definition.offer!r}" for one in others]
    extra = ("not_ours",) if kept else ()
    reason = f"not ours and kept: {', '.join(kept)}" if kept else ""
    if not ours:
        return _in_sync(wanted, ASSIGNMENT, extra, reason)
    before = {"definition": wanted.definition_id}
    return _drifted(wanted, ASSIGNMENT, ("unexpected", *extra), "delete", before)._replace(reason=reason)


def _definition_to_go(wanted: Wanted, observed: Observed, mine: list[Delegation]) -> Verdict:
    if not wanted.customer and (observed.definition or not observed.seen):
        return _in_sync(wanted, DEFINITION, (), HARMLESS)._replace(status=SKIPPED)
    if observed.definition is None:
        return _in_sync(wanted, DEFINITION)
    if any(one.name != wanted.name for one in mine):
        reason = "an assignment that is not ours uses the definition"
        step = "have the customer remove that assignment (Azure portal, Service providers), then run again"
        return _blocked(wanted, DEFINITION, "in_use", reason, step)
    return _drifted(wanted, DEFINITION, ("unexpected",), "delete", observed.definition.view(wanted.role_names))
