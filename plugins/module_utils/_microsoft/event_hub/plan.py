# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done about an Event Hub and what belongs to it: pure, the only place that knows ours and dangerous."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..._core.policy import ON_REQUEST
from ..._core.status import BLOCKED, DRIFTED, IN_SYNC
from ..._core.verdict import Verdict

GROUP, NAMESPACE, WRITER, HUB, READER, CONSUMERS = PARTS = (
    "resource_group",
    "namespace",
    "writer_rule",
    "hub",
    "reader_rule",
    "consumer_group",
)
KEYS = "reader_keys"
PARENTS = {NAMESPACE: GROUP, WRITER: NAMESPACE, HUB: NAMESPACE, READER: HUB, CONSUMERS: HUB, KEYS: READER}
# The tag of a namespace that we made, and how the names of what we make begin where others' things are.
MARK = "mssp-onboarding"
# Azure makes these itself, so they are nobody's to remove.
BUILT_IN = frozenset({"rootmanagesharedaccesskey", "$default"})
WRITER_RIGHTS = frozenset({"Listen", "Manage", "Send"})
READER_RIGHTS = frozenset({"Listen"})
TIERS = ("basic", "standard", "premium")
TLS = "1.2"
MAX_HUBS = 10  # of a Basic or Standard namespace
BLOCKED_STEPS: Mapping[str, str] = {
    "no_location": "set location",
    "name_taken": "choose another namespace: its name is unique in all of Azure",
    "sku": "have its owner raise the tier to Standard, or name another namespace",
    "tier": "name another namespace: this one cannot become what is wanted",
    "local_auth": "have its owner allow keys in it, or name another namespace",
    "network": "run: az eventhubs namespace network-rule-set update --enable-trusted-service-access true",
    "tls": "have its owner raise the minimum TLS version to 1.2",
    "location": "set location to where it is, or name another namespace",
    "rights": "name another rule, or have its owner give it these rights",
    "limit": "name another namespace, or have a hub that is no longer needed removed",
    "partition_count": "set partition_count to what is there, or name another hub and let its readers follow",
    "cleanup_policy": "name another hub",
    "retention": "set retention_hours to what is there, or name another hub",
    "disabled": "have its owner switch it on, or name another hub",
    "rotation": "have its owner change the key, or name a reader_rule of our own",
}
# Differences that Azure does not let anybody change in place.
FIXED = frozenset({"location", "partition_count", "cleanup_policy", "tier"})


class Wanted(NamedTuple):
    """Names as given, lower-case sku. rotate: none, primary or secondary; keys: whether they are to be returned."""

    resource_group: str
    namespace: str
    location: str
    sku: str
    writer_rule: str
    hub: str
    reader_rule: str
    consumer_group: str
    partition_count: int
    retention_hours: int
    present: bool = True
    rotate: str = "none"
    keys: bool = False

    def name(self, part: str) -> str:
        return str(getattr(self, READER if part == KEYS else part))


class Namespace(NamedTuple):
    """A namespace as found. state: provisioningState; raw: the whole answer, for a write that keeps the rest.

    closed: it takes nothing from public networks, nor from trusted services such as Azure Monitor.
    """

    location: str
    sku: str
    local_auth: bool
    tls: str
    ours: bool
    state: str
    raw: Mapping[str, Any]
    closed: bool = False


class Hub(NamedTuple):
    """A hub as found."""

    name: str
    partitions: int
    retention_hours: int
    compact: bool
    active: bool
    raw: Mapping[str, Any]


class Found(NamedTuple):
    """What is there. None: it is not; rights as Azure spells them; hubs and consumer groups by lower-case name.

    name_taken: why no namespace of that name can be made; consumer_groups: name -> its metadata.
    """

    group: bool = False
    namespace: Namespace | None = None
    name_taken: str = ""
    writer: frozenset[str] | None = None
    hubs: Mapping[str, Hub] = {}
    reader: frozenset[str] | None = None
    consumer_groups: Mapping[str, str] = {}

    def hub(self, wanted: Wanted) -> Hub | None:
        return self.hubs.get(wanted.hub.casefold())


def plan(wanted: Wanted, found: Found) -> dict[str, Verdict]:
    """Part -> verdict, in the order in which they are to be written; the targets are named by who knows their ids."""
    if not wanted.present:
        return {part: _absent(part, wanted, found) for part in reversed(PARTS)}
    verdicts: dict[str, Verdict] = {}
    asked = wanted.keys or wanted.rotate != "none"
    for part, rule in RULES.items():
        if part == KEYS and not asked:
            continue
        parent = verdicts.get(PARENTS.get(part, ""))
        if parent and parent.status != IN_SYNC and not (parent.action or parent.before):
            verdicts[part] = _drifted(("waits",), f"waits for the {PARENTS[part].replace('_', ' ')}")
        else:
            verdicts[part] = rule(wanted, found)
    return verdicts


def ours(part: str, wanted: Wanted, found: Found) -> bool:
    """Whether we made it: all in a namespace with our tag, elsewhere what has our name or mark."""
    name = wanted.name(part).casefold()
    tagged = found.namespace is not None and found.namespace.ours
    if part == NAMESPACE:
        return tagged
    marked = part == CONSUMERS and found.consumer_groups.get(name) == MARK
    return name not in BUILT_IN and (tagged or marked or name.startswith(MARK))


def _in_sync(reason: str = "", before: Mapping[str, Any] | None = None) -> Verdict:
    return Verdict("", IN_SYNC, reason=reason, before=before or {}, after={})


def _blocked(drift: tuple[str, ...], reason: str, before: Mapping[str, Any] | None = None) -> Verdict:
    known = next((name for name in drift if name in BLOCKED_STEPS), "")
    order = (known, *(name for name in drift if name != known)) if known else drift
    return Verdict("", BLOCKED, order, reason, before=before or {}, after={}, next_step=BLOCKED_STEPS.get(known, ""))


def _drifted(
    drift: tuple[str, ...],
    reason: str,
    action: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> Verdict:
    level = ON_REQUEST if action == "rotate" else ""
    return Verdict("", DRIFTED, drift, reason, action, level, before or {}, after or {})


def _create(after: Mapping[str, Any]) -> Verdict:
    return _drifted(("missing",), "", "create", {}, after)


def _change(
    part: str, wanted: Wanted, found: Found, differences: Mapping[str, str], before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> Verdict:  # fmt: skip
    """The verdict on something that is there. differences: class of drift -> what differs, in words."""
    if not differences:
        return _in_sync(before=before)
    drift, reason = tuple(differences), "; ".join(differences.values())
    if not ours(part, wanted, found):
        return _blocked(drift, f"{reason}; it is not one that we made, so it is left alone", before=before)
    if set(differences) <= FIXED:
        return _blocked(drift, f"{reason}; Azure does not change that in place", before=before)
    return _drifted(drift, reason, "update", before, after)


def _group(wanted: Wanted, found: Found) -> Verdict:
    if found.group or found.namespace:
        return _in_sync(before={"name": wanted.resource_group})
    if not wanted.location:
        return _no_location()
    return _create({"name": wanted.resource_group, "location": wanted.location})


def _no_location() -> Verdict:
    return _blocked(("no_location",), "it is not there, and location does not say where to make it")


def _namespace(wanted: Wanted, found: Found) -> Verdict:
    there = found.namespace
    new = {"location": wanted.location, "sku": wanted.sku, "local_auth": True, "minimum_tls_version": TLS}
    if there is None and found.name_taken:
        return _blocked(("name_taken",), found.name_taken)
    if there is None:
        return _create(new) if wanted.location else _no_location()
    differences = {}
    if TIERS.index(there.sku) < TIERS.index(wanted.sku):
        kind = "tier" if wanted.sku == "premium" else "sku"
        differences[kind] = f"it is of the {there.sku} tier and {wanted.sku} is wanted"
    if not there.local_auth:
        differences["local_auth"] = "it takes no keys (disableLocalAuth), which Azure Monitor writes with"
    if there.tls < TLS:
        differences["tls"] = f"it takes TLS {there.tls}"
    if wanted.location and _folded(wanted.location) != _folded(there.location):
        differences["location"] = f"it is in {there.location} and {wanted.location} is wanted"
    if there.closed:
        reason = (
            "public network access is disabled and trusted services may not pass, so Azure Monitor's logs never come"
        )
        return _blocked(
            ("network", *differences), "; ".join([reason, *differences.values()]), {"location": there.location}
        )
    before = {"location": there.location, "sku": there.sku, "local_auth": there.local_auth,
              "minimum_tls_version": there.tls}  # fmt: skip
    after = {**before, "local_auth": True, "minimum_tls_version": max(TLS, there.tls)}
    after["sku"] = wanted.sku if "sku" in differences else there.sku
    return _change(NAMESPACE, wanted, found, differences, before, after)


def _folded(location: str) -> str:
    """«West Europe» and westeurope are one."""
    return location.replace(" ", "").casefold()


def tier(wanted: Wanted, found: Found) -> str:
    """The namespace's tier after our write."""
    verdict = _namespace(wanted, found)
    return str((verdict.after or verdict.before).get("sku", wanted.sku))


def _rule(part: str, rights: frozenset[str], wanted: Wanted, found: Found, there: frozenset[str] | None) -> Verdict:
    after = {"name": wanted.name(part), "rights": sorted(rights)}
    if there is None:
        return _create(after)
    differences = {}
    if there != rights:
        differences["rights"] = f"it gives {', '.join(sorted(there))} and {', '.join(sorted(rights))} is wanted"
    return _change(part, wanted, found, differences, {**after, "rights": sorted(there)}, after)


def _writer(wanted: Wanted, found: Found) -> Verdict:
    return _rule(WRITER, WRITER_RIGHTS, wanted, found, found.writer)


def _reader(wanted: Wanted, found: Found) -> Verdict:
    return _rule(READER, READER_RIGHTS, wanted, found, found.reader)


def _hub(wanted: Wanted, found: Found) -> Verdict:
    there = found.hub(wanted)
    new = {"name": wanted.hub, "partition_count": wanted.partition_count, "retention_hours": wanted.retention_hours,
           "cleanup_policy": "delete", "active": True}  # fmt: skip
    if there is None and len(found.hubs) >= MAX_HUBS and tier(wanted, found) != "premium":
        return _blocked(("limit",), f"the namespace has {len(found.hubs)} hubs; Azure allows {MAX_HUBS}")
    if there is None:
        return _create(new)
    differences = {}
    if there.partitions != wanted.partition_count:
        differences["partition_count"] = f"it has {there.partitions} partitions and {wanted.partition_count} are wanted"
    if there.retention_hours < wanted.retention_hours:
        differences["retention"] = f"it keeps {there.retention_hours} hours and {wanted.retention_hours} are wanted"
    if there.compact:
        differences["cleanup_policy"] = "it is compacted, and Azure Monitor does not write to such hubs"
    if not there.active:
        differences["disabled"] = "it is switched off"
    before = {"name": there.name, "partition_count": there.partitions, "retention_hours": there.retention_hours,
              "cleanup_policy": "compact" if there.compact else "delete", "active": there.active}  # fmt: skip
    after = {**before, "retention_hours": max(there.retention_hours, wanted.retention_hours), "active": True}
    verdict = _change(HUB, wanted, found, differences, before, after)
    if there.retention_hours > wanted.retention_hours:
        more = f"it keeps {there.retention_hours} hours, more than wanted, which is left: less would delete events"
        return verdict._replace(
            drift=(*verdict.drift, "unexpected"), reason=f"{verdict.reason}; {more}".removeprefix("; ")
        )
    return verdict


def _consumers(wanted: Wanted, found: Found) -> Verdict:
    name = wanted.consumer_group.casefold()
    if name in found.consumer_groups or name in BUILT_IN:
        return _in_sync(before={"name": wanted.consumer_group})
    if tier(wanted, found) == "basic":
        return _blocked(("tier",), "the Basic tier has no consumer groups but $Default")
    return _create({"name": wanted.consumer_group})


def _keys(wanted: Wanted, found: Found) -> Verdict:
    if wanted.rotate == "none" or found.reader is None:
        return _in_sync(reason="" if wanted.rotate == "none" else "its keys are new")
    if not ours(READER, wanted, found):
        return _blocked(("rotation",), "the rule is not one that we made, so its keys are not changed")
    before, after = {wanted.rotate: "the old key"}, {wanted.rotate: "a new key"}
    return _drifted(("rotation",), f"the {wanted.rotate} key is to be changed", "rotate", before, after)


RULES: Mapping[str, Callable[[Wanted, Found], Verdict]] = {
    GROUP: _group,
    NAMESPACE: _namespace,
    WRITER: _writer,
    HUB: _hub,
    READER: _reader,
    CONSUMERS: _consumers,
    KEYS: _keys,
}


def _absent(part: str, wanted: Wanted, found: Found) -> Verdict:
    """The verdict where all that is ours is to go: only ours, and no namespace that others' hubs are in."""
    name = wanted.name(part)
    there = {
        GROUP: False,  # deleting a group deletes whatever is in it by then, so ours stays, which costs nothing
        NAMESPACE: found.namespace is not None,
        WRITER: found.writer is not None,
        HUB: found.hub(wanted) is not None,
        READER: found.reader is not None,
        CONSUMERS: name.casefold() in found.consumer_groups,
    }[part]
    if not there:
        return _in_sync()
    before = {"name": name}
    if not ours(part, wanted, found):
        return _in_sync(reason="kept: it is not one that we made", before=before)
    others = sorted(hub.name for key, hub in found.hubs.items() if key != wanted.hub.casefold())
    if part == NAMESPACE and others:
        return _in_sync(reason=f"kept: it has other hubs ({', '.join(others[:5])})", before=before)
    return _drifted(("unexpected",), "ours is to be removed", "delete", before)
