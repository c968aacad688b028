# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done with each connector: pure, and the only place that knows what is equal, ours or in the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .._core.status import BLOCKED, DRIFTED, IN_SYNC
from .._core.verdict import Verdict
from .connectors import CONNECTED, DISCONNECTED, Connector, Wanted
from .formats import place, same_url

CREATE, UPDATE, DELETE, SYNC = "create", "update", "delete", "sync"

BLOCKED_STEPS = {
    "missing": "correct connector_id, or take it out so that a connector is made",
    "disconnected": "see to the receiver, then set reconnect, or sync the connector in Coro's console",
    "format": "remove the connector by state absent, then onboard again",
    "conflict": "remove the other connector, or set same_destination: allow where both are meant",
    "duplicate": "give connector_id, or remove one of them in Coro's console",
    "inherited": "change it in the channel workspace that it is inherited from",
    "not_all_customers": "set apply_to_all_customers in a channel workspace only",
    "unexpected": "see to the connectors that are named first, then run again",
    "not_inherited": "save the channel's connector anew, by one run with update_secret always or in the console",
    "left_behind": "remove it in Coro's console, or ask Coro's support why it is still there",
}
DRIFT_CLASSES = (
    "missing",
    "changed",
    "secret",
    "disconnected",
    "format",
    "conflict",
    "not_all_customers",
    "duplicate",
    "inherited",
    "unexpected",
    "not_inherited",
    "left_behind",
)


class Policy(NamedTuple):
    """exclusive, reconnect: as the options; both_allowed: a second connector to the same place is meant.

    channel: whether the workspace has customers below it, so that a connector may apply to all of them.
    """

    exclusive: bool = False
    reconnect: bool = False
    both_allowed: bool = False
    channel: bool = True


class Action(NamedTuple):
    """One write. kind: create, update, delete or sync; secrets: whether they are sent; id: '' for create.

    named: the tenant file names the connector.
    """

    kind: str
    id: str = ""
    secrets: bool = False
    named: bool = True


def _in_sync(reason: str = "", action: Action | None = None, before: Connector | None = None) -> Verdict:
    """With an action, a sync that tests and changes nothing."""
    return _verdict(IN_SYNC, (), reason, action, before, None)


def _drifted(drift: tuple[str, ...], reason: str, action: Action, *sides: Any) -> Verdict:
    return _verdict(DRIFTED, drift, reason, action, *sides)


def _blocked(drift: str, reason: str, before: Connector | None = None) -> Verdict:
    return _verdict(BLOCKED, (drift,), reason, None, before, None)._replace(next_step=BLOCKED_STEPS[drift])


def _verdict(
    status: str,
    drift: tuple[str, ...],
    reason: str,
    action: Action | None,
    before: Connector | None,
    after: Wanted | None = None,
) -> Verdict:
    """The target is named by C(plan)."""
    if after and before and action and action.secrets:
        after = after._replace(anew=True)
    kind = action.kind if action else ""
    level = CREATE if kind == SYNC else ""  # a sync only starts something
    return Verdict("", status, drift, reason, kind, level, before, after, subject=action)


def plan(
    desired: Iterable[Wanted], observed: tuple[Connector, ...], stale: frozenset[str], policy: Policy
) -> dict[str, Verdict]:
    """Verdicts by name on one workspace whose connectors were read without doubt.

    stale: ids of connectors whose secret is to be sent again. With C(exclusive), connectors of other names are judged
    too; a name that two of those share counts as C(<name> (<id>)).
    """
    wanted = list(desired)
    verdicts = {one.name: _one(one, _named(one, observed), _rivals(one, wanted, observed, policy), stale, policy)
                for one in wanted}  # fmt: skip
    if policy.exclusive:
        waits = sorted(name for name, verdict in verdicts.items() if verdict.status == BLOCKED)
        kept = {one.name for one in wanted}
        ids = {one.id for one in wanted if one.id}
        for other in observed:
            if other.name not in kept and other.id not in ids and not other.inherited:
                key = other.name if other.name not in verdicts else f"{other.name} ({other.id})"
                verdicts[key] = _extra(other, waits)
    return verdicts


def _extra(other: Connector, waits: list[str]) -> Verdict:
    """What nobody named goes only when all that is named is in place: it may be what sends the tickets meanwhile."""
    if waits:
        text = f"the tenant file does not name it; it stays while {', '.join(waits)} is not as wanted"
        return _blocked("unexpected", text, other)
    return _drifted(("unexpected",), "the tenant file does not name it", Action(DELETE, other.id, named=False), other)


def _named(one: Wanted, observed: tuple[Connector, ...]) -> list[Connector]:
    """The connectors that are meant: by id where one is given, else by name."""
    if one.id:
        return [other for other in observed if other.id == one.id]
    return [other for other in observed if other.name == one.name]


def _rivals(one: Wanted, wanted: list[Wanted], observed: tuple[Connector, ...], policy: Policy) -> list[Connector]:
    """Connectors that nobody named here and that send to the same place; those about to be removed are none."""
    names = {other.name for other in wanted}
    ids = {other.id for other in wanted}
    here = place(one.format, one.fields) if one.format else ()
    return [
        other
        for other in observed
        if not policy.both_allowed
        and place(other.format, other.fields) == here
        and other.name not in names
        and other.id not in ids
        and (other.inherited or not policy.exclusive)
    ]


def _one(
    one: Wanted, found: list[Connector], rivals: list[Connector], stale: frozenset[str], policy: Policy
) -> Verdict:
    if len(found) > 1:
        ids = ", ".join(sorted(other.id for other in found))
        return _blocked("duplicate", f"{len(found)} connectors have this name ({ids})")
    ours = found[0] if found else None
    if one.state == "absent":
        return _absent(ours)
    if ours is None and one.id:
        return _blocked("missing", f"no connector has the id {one.id}")
    if one.apply_to_all and not policy.channel and not (ours and ours.inherited):
        return _blocked("not_all_customers", "the workspace is no channel, so it has no customers", ours)
    if rivals and (ours is None or place(ours.format, ours.fields) != place(one.format, one.fields)):
        inherited = f", inherited from {rivals[0].channel}" if rivals[0].inherited else ""
        text = f"connector {rivals[0].name!r}{inherited} already sends to the same place"
        return _blocked("conflict", text, ours)
    if ours is None:
        return _drifted(("missing",), "", Action(CREATE, secrets=True), None, one)
    return _present(one, ours, ours.id in stale, policy)


def _absent(ours: Connector | None) -> Verdict:
    if ours is None:
        return _in_sync()
    if ours.inherited:
        return _blocked("inherited", f"it is inherited from {ours.channel} and goes there only", ours)
    return _drifted(("unexpected",), "it is to be removed", Action(DELETE, ours.id), ours)


def _present(one: Wanted, ours: Connector, stale: bool, policy: Policy) -> Verdict:
    differences = differing(one, ours)
    if ours.inherited:
        return _inherited(one, ours, differences)
    if ours.format != one.format:
        known = ours.format or "another format"
        return _blocked("format", f"it is one of {known}, and Coro changes no format", ours)
    if differences or stale:
        drift = (*(("changed",) if differences else ()), *(("secret",) if stale else ()))
        reason = ", ".join((*differences, *(("the secret",) if stale else ()))) + " to be changed"
        send = stale or "headers" in differences
        return _drifted(drift, reason, Action(UPDATE, ours.id, send), ours, one)
    if ours.status == CONNECTED:
        return _in_sync(action=Action(SYNC, ours.id) if one.state == "synced" else None, before=ours)
    return _silent(one, ours, policy)


def _inherited(one: Wanted, ours: Connector, differences: tuple[str, ...]) -> Verdict:
    """Coro's actions are there in regular and channel workspaces only, so nothing is written in a child."""
    told = [name for name in differences if name not in ("apply_to_all_customers", "headers")]
    text = f"it is inherited from {ours.channel} and read-only here"
    if ours.format != one.format or told:
        return _blocked("inherited", f"{text}; differs in {', '.join(told) or 'format'}", ours)
    if ours.status == DISCONNECTED:
        return _blocked("disconnected", f"{text}; {silence(ours)}", ours)
    return _in_sync(text, before=ours)


def _silent(one: Wanted, ours: Connector, policy: Policy) -> Verdict:
    """Coro sends nothing by a connector that is Disconnected until a sync has succeeded."""
    if ours.status == DISCONNECTED and (policy.reconnect or one.state == "synced"):
        return _drifted(("disconnected",), silence(ours), Action(SYNC, ours.id), ours, one)
    if ours.status == DISCONNECTED:
        return _blocked("disconnected", silence(ours), ours)
    return _blocked("disconnected", "its status is one that the contract profile does not know", ours)


def silence(ours: Connector) -> str:
    return f"Coro has stopped sending by it; the receiver's last answer: {ours.error or 'not said'}"


def differing(one: Wanted, ours: Connector) -> tuple[str, ...]:
    """Readable options that differ. What is masked is never compared."""
    found = [option for option, value in one.fields.items() if not _equal(option, value, ours.fields.get(option, ""))]
    if one.headers != ours.headers:
        found.append("headers")
    if one.apply_to_all != ours.apply_to_all:
        found.append("apply_to_all_customers")
    if one.name != ours.name:
        found.append("name")
    return tuple(found)


def _equal(option: str, wanted: str, found: str) -> bool:
    if option == "listener_url":
        return same_url(wanted) == same_url(found)
    if option == "workspace_id":
        return wanted.casefold() == found.casefold()
    return wanted == found


def child(expected: Mapping[str, bool], held: tuple[Connector, ...], channel: str) -> Verdict:
    """The verdict on one customer below a channel. Nothing is written there: Coro makes and removes the copies.

    expected: name -> whether the channel's connector applies to all customers.
    """
    copies = {other.name: other for other in held if other.inherited and other.channel == channel}
    lacking = sorted(name for name, for_all in expected.items() if for_all and name not in copies)
    if lacking:
        text = f"{', '.join(lacking)} applies to all customers and is not here"
        return _blocked("not_inherited", text)
    left = sorted(name for name, for_all in expected.items() if not for_all and name in copies)
    if left:
        return _blocked("left_behind", f"{', '.join(left)} is not for all customers and still here")
    silent = [copies[name] for name, for_all in expected.items() if for_all and copies[name].status != CONNECTED]
    if silent:
        return _blocked("disconnected", f"{silent[0].name}: {silence(silent[0])}", silent[0])
    return _in_sync()
