# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done with each connector: pure, and the only place that knows what is equal, ours or in the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .._core.status import BLOCKED, DRIFTED, IN_SYNC
from .connectors import CONNECTED, DISCONNECTED, Connector, Wanted
from .formats import place, same_url

CREATE, UPDATE, DELETE, SYNC = "create", "update", "delete", "sync"

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
    """One write. kind: create, update, delete or sync; secrets: whether they are sent; id: '' for create."""

    kind: str
    id: str = ""
    secrets: bool = False

    @property
    def level(self) -> str:
        """The kind of write that a policy of correction takes it for: a sync only starts something."""
        return CREATE if self.kind == SYNC else self.kind


class Verdict(NamedTuple):
    """status: in_sync, drifted or blocked; drift: of DRIFT_CLASSES. With in_sync, a sync tests and changes nothing."""

    status: str
    drift: tuple[str, ...] = ()
    reason: str = ""
    action: Action | None = None
    before: Connector | None = None
    after: Wanted | None = None


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
                verdicts[key] = _unnamed(other, waits)
    return verdicts


def _unnamed(other: Connector, waits: list[str]) -> Verdict:
    """What nobody named goes only when all that is named is in place: it may be what sends the tickets meanwhile."""
    if waits:
        text = f"the tenant file does not name it; it stays while {', '.join(waits)} is not as wanted"
        return Verdict(BLOCKED, ("unexpected",), text, before=other)
    return _remove(other, "the tenant file does not name it")


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
        return Verdict(BLOCKED, ("duplicate",), f"{len(found)} connectors have this name ({ids})")
    ours = found[0] if found else None
    if one.state == "absent":
        return _absent(ours)
    if ours is None and one.id:
        return Verdict(BLOCKED, ("missing",), f"no connector has the id {one.id}")
    if one.apply_to_all and not policy.channel and not (ours and ours.inherited):
        return Verdict(
            BLOCKED, ("not_all_customers",), "the workspace is no channel, so it has no customers", before=ours
        )
    if rivals and (ours is None or place(ours.format, ours.fields) != place(one.format, one.fields)):
        inherited = f", inherited from {rivals[0].channel}" if rivals[0].inherited else ""
        text = f"connector {rivals[0].name!r}{inherited} already sends to the same place"
        return Verdict(BLOCKED, ("conflict",), text, before=ours)
    if ours is None:
        return Verdict(DRIFTED, ("missing",), "", Action(CREATE, secrets=True), None, one)
    return _present(one, ours, ours.id in stale, policy)


def _absent(ours: Connector | None) -> Verdict:
    if ours is None:
        return Verdict(IN_SYNC)
    if ours.inherited:
        return Verdict(BLOCKED, ("inherited",), f"it is inherited from {ours.channel} and goes there only", before=ours)
    return _remove(ours, "it is to be removed")


def _remove(ours: Connector, reason: str) -> Verdict:
    return Verdict(DRIFTED, ("unexpected",), reason, Action(DELETE, ours.id), ours)


def _present(one: Wanted, ours: Connector, stale: bool, policy: Policy) -> Verdict:
    differences = differing(one, ours)
    if ours.inherited:
        return _inherited(one, ours, differences)
    if ours.format != one.format:
        known = ours.format or "another format"
        return Verdict(BLOCKED, ("format",), f"it is one of {known}, and Coro changes no format", before=ours)
    if differences or stale:
        drift = (*(("changed",) if differences else ()), *(("secret",) if stale else ()))
        reason = ", ".join((*differences, *(("the secret",) if stale else ()))) + " to be changed"
        send = stale or "headers" in differences
        return Verdict(DRIFTED, drift, reason, Action(UPDATE, ours.id, send), ours, one)
    if ours.status == CONNECTED:
        return Verdict(IN_SYNC, action=Action(SYNC, ours.id) if one.state == "synced" else None, before=ours)
    return _silent(one, ours, policy)


def _inherited(one: Wanted, ours: Connector, differences: tuple[str, ...]) -> Verdict:
    """Coro's actions are there in regular and channel workspaces only, so nothing is written in a child."""
    told = [name for name in differences if name not in ("apply_to_all_customers", "headers")]
    text = f"it is inherited from {ours.channel} and read-only here"
    if ours.format != one.format or told:
        return Verdict(BLOCKED, ("inherited",), f"{text}; differs in {', '.join(told) or 'format'}", before=ours)
    if ours.status == DISCONNECTED:
        return Verdict(BLOCKED, ("disconnected",), f"{text}; {silence(ours)}", before=ours)
    return Verdict(IN_SYNC, reason=text, before=ours)


def _silent(one: Wanted, ours: Connector, policy: Policy) -> Verdict:
    """Coro sends nothing by a connector that is Disconnected until a sync has succeeded."""
    if ours.status == DISCONNECTED and (policy.reconnect or one.state == "synced"):
        return Verdict(DRIFTED, ("disconnected",), silence(ours), Action(SYNC, ours.id), ours, one)
    if ours.status == DISCONNECTED:
        return Verdict(BLOCKED, ("disconnected",), silence(ours), before=ours)
    return Verdict(BLOCKED, ("disconnected",), "its status is one that the contract profile does not know", before=ours)


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
        return Verdict(BLOCKED, ("not_inherited",), text)
    left = sorted(name for name, for_all in expected.items() if not for_all and name in copies)
    if left:
        return Verdict(BLOCKED, ("left_behind",), f"{', '.join(left)} is not for all customers and still here")
    silent = [copies[name] for name, for_all in expected.items() if for_all and copies[name].status != CONNECTED]
    if silent:
        return Verdict(BLOCKED, ("disconnected",), f"{silent[0].name}: {silence(silent[0])}", before=silent[0])
    return Verdict(IN_SYNC)
