# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets: what of a tenant's inventory has diagnostic settings, and which of it is wanted."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple
from urllib.parse import quote

from ..._core.bodies import text
from .resource_types import (
    PREMIUM_STORAGE_SERVICES,
    SQL_DATABASE,
    SQL_SERVER,
    STORAGE_SERVICES,
    SUBSCRIPTION_TYPE,
)

# No control characters, and no piece that a server or a proxy resolves to another path.
RESOURCE = re.compile(r"(?:/[^/?#\x00-\x1f\x7f]+){2,}")
DOTS = {".", ".."}
# Names of ours are made of what they stand for, so that every run, and every machine, knows them again.
OURS = uuid.UUID("5f0d6c1e-3b4a-4f0c-9a51-6d7373702e31")
NOT_WANTED = "not among the wanted subscriptions"
# Subscriptions in these states take writes; the others answer ReadOnlyDisabledSubscription to them.
# Source: learn.microsoft.com «subscription-states» and the resource provider contract: Warned and Disabled take GET
# and DELETE only.
WRITABLE_STATES = frozenset({"Enabled", "PastDue"})
DELETABLE_STATES = WRITABLE_STATES | {"Warned", "Disabled"}


def same_id(resource_id: str) -> str:
    """A resource id in the form in which equal ones are equal."""
    return resource_id.strip().strip("/").casefold()


def name_of(*parts: str) -> str:
    """The GUID that a thing of ours has for its name, whatever the case of its parts."""
    return str(uuid.uuid5(OURS, "|".join(part.casefold() for part in parts)))


def resource_id(value: Any) -> str:
    """The id of something in Azure out of an answer, which becomes part of a path. Raises TypeError, ValueError."""
    if not RESOURCE.fullmatch(text(value)) or DOTS & set(value.split("/")):
        raise ValueError(f"{value!r:.200} is no id of a resource")
    return str(value)


def target_path(target_id: str) -> str:
    """A target's id as the path of a URL."""
    return quote(target_id, safe="/()-_.~'!*$,;:@=+")


class Subscription(NamedTuple):
    """A subscription as the list of subscriptions shows it; tenant_id is its home tenant."""

    id: str
    name: str
    state: str
    tenant_id: str


class Target(NamedTuple):
    """Something with diagnostic settings. type, kind and sku are lower-case; location is '' for none."""

    id: str
    type: str
    subscription: str
    kind: str = ""
    sku: str = ""
    location: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What the offered categories depend on."""
        return self.type, self.kind, self.sku


def parse_subscription(raw: Mapping[str, Any]) -> Subscription:
    """Raises KeyError, TypeError, ValueError or AttributeError; an id that is no GUID would become part of queries."""
    values = [text(raw.get(field) or "") for field in ("displayName", "state", "tenantId")]
    return Subscription(str(uuid.UUID(text(raw["subscriptionId"]))), *values)


def choose_subscriptions(
    found: Iterable[Subscription],
    tenant_id: str,
    include: Sequence[str],
    exclude: Sequence[str],
    states: frozenset[str] = WRITABLE_STATES,
) -> tuple[list[Subscription], list[tuple[Subscription, str]], list[str]]:
    """(taken, left out with the reason, patterns of C(include) that match nothing). states: those to take."""
    taken, left = [], []
    unmatched = list(include)
    for subscription in found:
        hits = [pattern for pattern in include if _named(subscription, pattern)]
        unmatched = [pattern for pattern in unmatched if pattern not in hits]
        if subscription.tenant_id and subscription.tenant_id.casefold() != tenant_id.casefold():
            left.append((subscription, f"belongs to tenant {subscription.tenant_id}"))
        elif include and not hits:
            left.append((subscription, NOT_WANTED))
        elif any(_named(subscription, pattern) for pattern in exclude):
            left.append((subscription, "excluded"))
        elif subscription.state not in states:
            left.append((subscription, f"is {subscription.state}, so it takes no writes"))
        else:
            taken.append(subscription)
    return taken, left, unmatched


def _named(subscription: Subscription, pattern: str) -> bool:
    pattern = pattern.casefold()
    return fnmatchcase(subscription.id.casefold(), pattern) or fnmatchcase(subscription.name.casefold(), pattern)


class Filter(NamedTuple):
    """Which resources are wanted. Patterns are lower-case globs; tags compare names without case, values as globs."""

    resource_groups: tuple[str, ...] = ()
    include_tags: tuple[tuple[str, str], ...] = ()
    exclude_tags: tuple[tuple[str, str], ...] = ()
    exclude_resources: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        resource_groups: Iterable[str],
        include_tags: Mapping[str, Any],
        exclude_tags: Mapping[str, Any],
        exclude_resources: Iterable[str],
    ) -> Filter:
        return cls(
            tuple(group.casefold() for group in resource_groups),
            _pairs(include_tags),
            _pairs(exclude_tags),
            tuple("/" + pattern.casefold().strip("/") for pattern in exclude_resources),
        )

    def takes(self, row: Mapping[str, Any]) -> bool:
        """Whether a resource row (id, resourceGroup, tags) is wanted."""
        tags = {str(name).casefold(): str(value).casefold() for name, value in (row.get("tags") or {}).items()}
        group = group_of(row).casefold()
        return (
            (not self.resource_groups or any(fnmatchcase(group, pattern) for pattern in self.resource_groups))
            and all(_tagged(tags, pair) for pair in self.include_tags)
            and not any(_tagged(tags, pair) for pair in self.exclude_tags)
        )

    def takes_target(self, target_id: str) -> bool:
        return not any(means(pattern, target_id) for pattern in self.exclude_resources)


def means(pattern: str, target_id: str) -> bool:
    """Whether a lower-case glob of C(exclude_resources) means a target, or what the target is a part of."""
    folded = target_id.casefold()
    return fnmatchcase(folded, pattern) or folded.startswith(pattern + "/")


def _pairs(tags: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((name.casefold(), "*" if value is None else str(value).casefold()) for name, value in tags.items())


def _tagged(tags: Mapping[str, str], pair: tuple[str, str]) -> bool:
    name, pattern = pair
    return name in tags and fnmatchcase(tags[name], pattern)


def group_of(row: Mapping[str, Any]) -> str:
    """The name of the resource group that a resource row is in."""
    parts = row["id"].split("/")
    return row.get("resourceGroup") or (parts[4] if len(parts) > 4 else "")


def targets_of(
    subscriptions: Iterable[Subscription],
    rows: Iterable[Mapping[str, Any]],
    wanted: frozenset[str] | None,
    chosen: Filter,
) -> list[Target]:
    """Every wanted target once: the subscriptions themselves, resources, and parts that have settings of their own."""
    targets: dict[str, Target] = {}
    if wanted is None or SUBSCRIPTION_TYPE in wanted:
        for subscription in subscriptions:
            target = Target(f"/subscriptions/{subscription.id}", SUBSCRIPTION_TYPE, subscription.id)
            targets[target.id.casefold()] = target
    for row in rows:
        if chosen.takes(row):
            for target in row_targets(row):
                if wanted is None or target.type in wanted:
                    targets.setdefault(target.id.casefold(), target)
    return [target for target in targets.values() if chosen.takes_target(target.id)]


def row_targets(row: Mapping[str, Any]) -> list[Target]:
    """What of a resource has settings of its own: itself, or its parts."""
    whole = Target(
        id=row["id"],
        type=row["type"].casefold(),
        subscription=row["id"].split("/")[2],
        kind=(row.get("kind") or "").casefold(),
        sku=_sku(row),
        location=(row.get("location") or "").replace(" ", "").casefold(),
    )
    parts = PARTS.get(whole.type)
    return parts(whole) if parts else [whole]


def _sku(row: Mapping[str, Any]) -> str:
    sku = row.get("sku") or {}
    return "/".join(str(sku[field]).casefold() for field in ("name", "tier") if sku.get(field))


def _storage_parts(account: Target) -> list[Target]:
    """The services of an account; the account itself has metrics only.

    assumed: premium accounts of the general kind have no queues or tables.
    """
    premium = account.sku.startswith("premium")
    return [
        account._replace(id=f"{account.id}/{service}/default", type=f"{account.type}/{service}".casefold(), sku="")
        for service, lacking in STORAGE_SERVICES
        if account.kind not in lacking and not (premium and service not in PREMIUM_STORAGE_SERVICES)
    ]


def _sql_parts(server: Target) -> list[Target]:
    """A server's master database: it carries the server's audit events, and the inventory may not list it."""
    return [Target(f"{server.id}/databases/master", SQL_DATABASE, server.subscription, "", "", server.location)]


def _sql_database(database: Target) -> list[Target]:
    """A database; master is the same target whether the inventory lists it or not."""
    if database.id.casefold().endswith("/databases/master"):
        return [database._replace(kind="", sku="")]
    return [database]


PARTS: dict[str, Callable[[Target], list[Target]]] = {
    "microsoft.storage/storageaccounts": _storage_parts,
    SQL_SERVER: _sql_parts,
    SQL_DATABASE: _sql_database,
}
