# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event Hubs in Resource Manager: what is read and written, and the way to and from the wire.

Contract: Microsoft.EventHub, api-version 2024-01-01 (azure-rest-api-specs), by whose names the properties go.
assumed: a PUT of what a GET showed, with single values changed, keeps the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from ..._core.bodies import amount, mapping, text, texts, words
from ..._core.client import ODD_SHAPE
from ..._core.errors import RefusedError, malformed
from ..arm.client import Arm, Call
from ..arm.polling import insist, until
from ..arm.refusals import is_busy, is_gone
from ..entra_logs.api import EntraSettings
from .plan import (
    CONSUMERS,
    GROUP,
    HUB,
    KEYS,
    MARK,
    NAMESPACE,
    READER,
    TIERS,
    TLS,
    WRITER,
    Found,
    Hub,
    Namespace,
    Wanted,
)

Value = TypeVar("Value")
EVENT_HUB_API = "2024-01-01"
GROUPS_API = "2021-04-01"
# Codes of a 404 that says «it is not there»; any other 404 may be a wrong subscription or a proxy's.
NOT_THERE = frozenset({"ResourceNotFound", "ResourceGroupNotFound", "ParentResourceNotFound", "NotFound"})
# What Azure tells of a resource and takes no value for.
READ_ONLY = frozenset(
    {"provisioningState", "status", "createdAt", "updatedAt", "serviceBusEndpoint", "metricId",
     "privateEndpointConnections", "partitionIds", "messageRetentionInDays", "pendingReplicationOperationsCount"}
)  # fmt: skip
SETTLED = "succeeded"
BROKEN = ("failed", "canceled")
KEY_FIELDS = {
    "key_name": "keyName",
    "primary_key": "primaryKey",
    "secondary_key": "secondaryKey",
    "primary_connection_string": "primaryConnectionString",
    "secondary_connection_string": "secondaryConnectionString",
}


class EventHubs:
    """Reads and writes of one hub and what belongs to it.

    seen: what was found; given: the reader rule's keys, where they have been read or changed; entra: the tenant's own
    settings, where a verb looks at them.
    """

    def __init__(self, arm: Arm, subscription: str, wanted: Wanted, wait_seconds: float = 0.0) -> None:
        self.arm = arm
        self.wait_seconds = wait_seconds
        self.subscription = subscription
        self.wanted = wanted
        self.seen = Found()
        self.given: dict[str, str] = {}
        self.entra: EntraSettings | None = None
        group = f"/subscriptions/{subscription}/resourceGroups/{wanted.resource_group}"
        namespace = f"{group}/providers/Microsoft.EventHub/namespaces/{wanted.namespace}"
        hub = f"{namespace}/eventhubs/{wanted.hub}"
        self.ids = {
            GROUP: group,
            NAMESPACE: namespace,
            WRITER: f"{namespace}/authorizationRules/{wanted.writer_rule}",
            HUB: hub,
            READER: f"{hub}/authorizationRules/{wanted.reader_rule}",
            CONSUMERS: f"{hub}/consumergroups/{wanted.consumer_group}",
            KEYS: f"{hub}/authorizationRules/{wanted.reader_rule}/keys",
        }

    async def found(self) -> Found:
        """All that is there. Raises OnboardingError where any of it cannot be read."""
        namespace = await self.settled(may_go=True)
        if namespace is None:
            return Found(await self.has_group(), name_taken=await self._name_taken() if self.wanted.present else "")
        # MicrosoftDocs/azure-docs#64680, hashicorp/terraform-provider-azurerm#18717.
        if namespace.closed and await self._trusts():
            namespace = namespace._replace(closed=False)
        hubs = await self.hubs()
        reader, groups = None, {}
        if self.wanted.hub.casefold() in hubs:
            reader = await self._rights(READER)
            listed = await self._listed(CONSUMERS)
            groups = _each(listed, "consumer groups", lambda one: words(one["properties"].get("userMetadata")))
        return Found(True, namespace, "", await self._rights(WRITER), hubs, reader, groups)

    async def has_group(self) -> bool:
        return await self._read(GROUP) is not None

    async def namespace(self) -> Namespace | None:
        raw = await self._read(NAMESPACE)
        return None if raw is None else _parsed(raw, f"read the namespace {self.ids[NAMESPACE]}", parse_namespace)

    async def _trusts(self) -> bool:
        """Whether trusted services may pass a namespace that is closed to public networks."""
        operation = f"read the network rules of {self.ids[NAMESPACE]}"
        path = f"{quote(self.ids[NAMESPACE])}/networkRuleSets/default"
        answer = await self.arm.call(Call("GET", path, EVENT_HUB_API, operation, self.subscription))
        return _parsed(answer, operation, lambda one: bool(one["properties"].get("trustedServiceAccessEnabled")))

    async def settled(self, *, may_go: bool = False) -> Namespace | None:
        """The namespace as soon as it takes what belongs into it; None where it may go, and has gone meanwhile.

        Raises OnboardingError.
        """
        operation = f"wait for the namespace {self.ids[NAMESPACE]}"

        def done(there: Namespace | None) -> bool:
            if there is None:
                return may_go
            state = there.state.casefold()
            if state in BROKEN and self.wanted.present:
                step = "see its activity log in Azure, remove it and run again"
                text = f"its provisioning ended as {there.state}"
                raise RefusedError(operation, text, code=f"Provisioning{there.state}", next_step=step)
            return state == SETTLED or state in BROKEN

        return await until(self.namespace, done, self.wait_seconds, operation)

    async def removed(self) -> None:
        """Wait until the namespace is gone. Raises OnboardingError."""
        operation = f"see the namespace {self.ids[NAMESPACE]} go"
        await until(self.namespace, lambda there: there is None, self.wait_seconds, operation)

    async def hubs(self) -> dict[str, Hub]:
        return _each(await self._listed(HUB), "hubs", parse_hub)

    async def _rights(self, part: str) -> frozenset[str] | None:
        rules = _each(
            await self._listed(part),
            "authorization rules",
            lambda one: frozenset(texts(one["properties"]["rights"])),
        )
        return rules.get(self.wanted.name(part).casefold())

    async def _name_taken(self) -> str:
        """Why Azure would not take the name, '' when it would; whoever may not ask hears it at the write."""
        address = f"/subscriptions/{self.subscription}/providers/Microsoft.EventHub/checkNameAvailability"
        asked = {"name": self.wanted.namespace}
        operation = f"ask whether the namespace {self.wanted.namespace} can be made"
        try:
            answer = await self.arm.call(Call("POST", address, EVENT_HUB_API, operation, self.subscription, body=asked))
        except RefusedError as error:
            if error.status == 403:
                return ""
            raise
        return _parsed(
            answer, operation, lambda one: "" if one["nameAvailable"] else text(one.get("message") or one["reason"])
        )

    async def _read(self, part: str) -> Any:
        """The body of the answer, None for what is not there."""
        call = self.call("GET", part, "read")
        try:
            answer = await self.arm.call(call)
        except RefusedError as error:
            if error.status == 404 and error.code in NOT_THERE:
                return None
            raise
        if not isinstance(answer, dict):
            raise malformed(call.operation, TypeError(f"{type(answer).__name__} is no resource"))
        return answer

    async def _listed(self, part: str) -> list[Any]:
        """All of a part's kind beside it."""
        above = self.ids[part].rpartition("/")[0]
        operation = f"list the {above.rpartition('/')[2]} of {above.rpartition('/')[0]}"
        call = Call("GET", quote(above), EVENT_HUB_API, operation, self.subscription)
        try:
            return [one async for page in self.arm.pages(call) for one in page["value"]]
        except ODD_SHAPE as error:
            raise malformed(operation, error) from error

    def call(self, method: str, part: str, verb: str, body: Any = None) -> Call:
        """One request for a part; verb: for the words."""
        version = GROUPS_API if part == GROUP else EVENT_HUB_API
        operation = f"{verb} the {part.replace('_', ' ')} {self.ids[part]}"
        return Call(method, quote(self.ids[part]), version, operation, self.subscription, body=body)

    async def insisted(self, call: Call, passing: Callable[[RefusedError], bool] | None = None) -> Any:
        """The answer, also to what meets the lag of its parent, just made, or another operation, within wait_seconds.

        hashicorp/terraform-provider-azurerm#6983, PR#7122; Azure/durabletask#14. Raises OnboardingError.
        """
        return await insist(lambda: self.arm.call(call), passing or passes, self.wait_seconds, call.operation)

    async def keys(self, rotate: str = "none") -> dict[str, str]:
        """The reader rule's keys as the result shows them, after changing one where asked. Raises OnboardingError."""
        change = rotate != "none"
        call = self.call("POST", READER, "change the keys of" if change else "read the keys of")
        path = call.path + ("/regenerateKeys" if change else "/listKeys")
        body = {"keyType": f"{rotate.capitalize()}Key"} if change else None
        answer = await self.insisted(call._replace(path=path, body=body, limit="writes" if change else ""))
        return _parsed(answer, call.operation, parse_keys)


def passes(error: RefusedError) -> bool:
    return is_busy(error) or is_gone(error)


def _parsed(raw: Any, operation: str, parse: Callable[[Any], Value]) -> Value:
    try:
        return parse(raw)
    except ODD_SHAPE as error:
        raise malformed(operation, error) from error


def _each(listed: list[Any], what: str, parse: Callable[[Any], Value]) -> dict[str, Value]:
    """Lower-case name -> value."""
    return _parsed(listed, f"read the {what}", lambda rows: {one["name"].casefold(): parse(one) for one in rows})


def parse_namespace(raw: Mapping[str, Any]) -> Namespace:
    """Raises KeyError, TypeError or AttributeError on an answer of another shape, ValueError on an unknown tier."""
    properties, sku = raw["properties"], raw["sku"]["name"].casefold()
    TIERS.index(sku)
    return Namespace(
        location=text(raw["location"]),
        sku=sku,
        local_auth=not properties.get("disableLocalAuth"),
        tls=words(properties.get("minimumTlsVersion")) or TLS,  # assumed: what is not said is Azure's default, 1.2
        ours=MARK in {tag.casefold() for tag in mapping(raw.get("tags"))},
        state=words(properties.get("provisioningState")),
        raw=raw,
        closed=words(properties.get("publicNetworkAccess")).casefold() == "disabled",
    )


def parse_hub(raw: Mapping[str, Any]) -> Hub:
    """A hub of an older api-version tells its retention in days only."""
    properties = raw["properties"]
    retention = mapping(properties.get("retentionDescription"))
    hours = retention.get("retentionTimeInHours")
    if hours is None:
        hours = amount(properties.get("messageRetentionInDays") or 0) * 24
    return Hub(
        name=text(raw["name"]),
        partitions=int(amount(properties["partitionCount"])),
        retention_hours=int(amount(hours)),
        compact=words(retention.get("cleanupPolicy")).casefold().startswith("compact"),
        active=(words(properties.get("status")) or "Active").casefold() == "active",
        raw=raw,
    )


def parse_keys(raw: Mapping[str, Any]) -> dict[str, str]:
    """Raises KeyError or TypeError on an answer of another shape."""
    found = {name: raw[field] for name, field in KEY_FIELDS.items()}
    if not all(isinstance(value, str) for value in found.values()):
        raise TypeError("a key is no text")
    return found


def body(part: str, after: Mapping[str, Any], found: Found, wanted: Wanted) -> dict[str, Any]:
    """The body of the PUT that makes a part what the plan says; what else is there is kept."""
    there = found.hub(wanted)
    if part == GROUP:
        return {"location": after["location"], "tags": {MARK: "event_hub_export"}}
    if part == NAMESPACE:
        return _namespace_body(after, found.namespace.raw if found.namespace else None)
    if part == HUB:
        return _hub_body(after, there.raw if there else None)
    if part == CONSUMERS:
        return {"properties": {"userMetadata": MARK}}
    return {"properties": {"rights": after["rights"]}}


def _kept(raw: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a PUT gives back of what a GET showed."""
    properties = (raw or {}).get("properties") or {}
    return {name: value for name, value in properties.items() if name not in READ_ONLY and value is not None}


def _namespace_body(after: Mapping[str, Any], raw: Mapping[str, Any] | None) -> dict[str, Any]:
    given = {name: raw[name] for name in ("location", "tags", "identity") if raw.get(name)} if raw else {}
    new = {} if raw else {"location": after["location"], "tags": {MARK: "event_hub_export"}}
    tier = after["sku"].capitalize()
    units = (raw["sku"].get("capacity") if raw else None) or 1
    properties = {"minimumTlsVersion": after["minimum_tls_version"], "disableLocalAuth": not after["local_auth"]}
    return {
        **given,
        **new,
        "sku": {"name": tier, "tier": tier, "capacity": units},
        "properties": {**_kept(raw), **properties},
    }


def _hub_body(after: Mapping[str, Any], raw: Mapping[str, Any] | None) -> dict[str, Any]:
    kept = _kept(raw)
    retention = {**(kept.get("retentionDescription") or {"cleanupPolicy": "Delete"})}
    retention["retentionTimeInHours"] = after["retention_hours"]
    new = {"partitionCount": after["partition_count"], "retentionDescription": retention}
    return {"properties": {**kept, **new, **({"status": "Active"} if raw else {})}}
