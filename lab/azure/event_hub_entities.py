# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in an Event Hubs namespace, over ARM: hubs, consumer groups, authorization rules and their keys.

Shapes: azure-rest-api-specs, eventhub 2024-01-01. Codes and words: learn.microsoft.com, event-hubs/resource-manager-
exceptions; PartitionCount: hashicorp/terraform#19029; consumer groups of Basic: terraform-provider-azurerm#17575;
limits: event-hubs-quotas. Assumed: 4 partitions and a day of retention where the body says nothing, the words about
rights and retention over a week.
"""

from __future__ import annotations

from typing import Any

from lab.azure.arm import page
from lab.azure.bodies import json_object
from lab.azure.event_hub import Routes, bad, enter, namespace, tier
from lab.azure.event_hub_state import ALL_RIGHTS, Group, Hub, Rule
from lab.azure.state import Azure
from lab.kernel.clock import stamp
from lab.kernel.http import Call, Refusal, Reply, nested, ok

MAX_HUBS = 10
MAX_PARTITIONS = 32
_DEFAULT_GROUP = "$Default"
_HOURS = {"Basic": 24, "Standard": 168, "Premium": 2160}


# -- hubs -------------------------------------------------------------------------------------------------------------


def list_hubs(azure: Azure, call: Call) -> Reply:
    enter(azure, call, "read")
    return page(azure, call, [_hub(azure, call, hub) for hub in namespace(azure, call).hubs.values()])


def get_hub(azure: Azure, call: Call) -> Reply:
    enter(azure, call, "read")
    return ok(_hub(azure, call, _find_hub(azure, call)))


def put_hub(azure: Azure, call: Call) -> Reply:
    enter(azure, call, "write")
    held, name, given = namespace(azure, call), call.path.split("/")[10], json_object(call).get("properties") or {}
    before = held.hubs.get(name.lower())
    hours, cleanup = _retention(azure, call, given, before)
    partitions = given.get("partitionCount", before.partitions if before else 4)
    if not isinstance(partitions, int) or not 1 <= partitions <= MAX_PARTITIONS:
        raise bad(f"The partition count must be between 1 and {MAX_PARTITIONS}.", 40000)
    if before is not None and partitions != before.partitions:
        raise bad("PartitionCount cannot be changed for EventHub.", 40000)
    if before is None and len(held.hubs) >= MAX_HUBS:
        raise nested(
            409,
            "Conflict",
            "SubCode=40300. The maximum number of resources of type EventHub has been reached or exceeded. "
            f"Actual: {len(held.hubs)}, Max allowed: {MAX_HUBS}",
        )
    if before is None:
        now = azure.now()
        default = Group(_DEFAULT_GROUP, None, now)
        before = Hub(call.path, name, partitions, hours, now, groups={_DEFAULT_GROUP.lower(): default})
        held.hubs[name.lower()] = before
    before.hours, before.cleanup = hours, cleanup
    return ok(_hub(azure, call, before))


def delete_hub(azure: Azure, call: Call) -> Reply:
    enter(azure, call, "delete")
    found = namespace(azure, call).hubs.pop(call.path.split("/")[10].lower(), None)
    return Reply(204 if found is None else 200)


def _retention(azure: Azure, call: Call, given: dict[str, Any], before: Hub | None) -> tuple[int, str]:
    """(hours, cleanup policy) of a body, in the new form or by messageRetentionInDays."""
    described = given.get("retentionDescription") or {}
    days = given.get("messageRetentionInDays")
    fallback = days * 24 if isinstance(days, int) else before.hours if before else 24
    hours, most = described.get("retentionTimeInHours", fallback), _HOURS[tier(azure, call)]
    if not isinstance(hours, int) or not 1 <= hours <= most:
        raise bad(
            f"The value '{hours / 24:g}' of MessageRetentionInDays isn't valid for the {tier(azure, call)} tier. The "
            f"value can't exceed '{most // 24}' day(s).",
            40000,
        )
    return hours, described.get("cleanupPolicy", before.cleanup if before else "Delete")


def _hub(azure: Azure, call: Call, hub: Hub) -> dict[str, Any]:
    made = stamp(azure.shown(hub.made))
    return {
        "id": hub.id,
        "name": hub.name,
        "type": "Microsoft.EventHub/namespaces/eventhubs",
        "location": _location(azure, call),
        "properties": {
            "messageRetentionInDays": max(1, hub.hours // 24),
            "partitionCount": hub.partitions,
            "status": "Active",
            "createdAt": made,
            "updatedAt": made,
            "partitionIds": [str(number) for number in range(hub.partitions)],
            "retentionDescription": {"cleanupPolicy": hub.cleanup, "retentionTimeInHours": hub.hours},
        },
    }


def _find_hub(azure: Azure, call: Call) -> Hub:
    name = call.path.split("/")[10]
    found = namespace(azure, call).hubs.get(name.lower())
    if found is None:
        raise _missing(call, "/".join(call.path.split("/")[:11]))
    return found


# -- consumer groups --------------------------------------------------------------------------------------------------


def list_groups(azure: Azure, call: Call) -> Reply:
    enter(azure, call, "read")
    hub = _find_hub(azure, call)
    return page(azure, call, [_group(azure, call, hub, group) for group in hub.groups.values()])


def get_group(azure: Azure, call: Call) -> Reply:
    enter(azure, call, "read")
    hub = _find_hub(azure, call)
    found = hub.groups.get(call.low.split("/")[12])
    if found is None:
        raise _missing(call, call.path)
    return ok(_group(azure, call, hub, found))


def put_group(azure: Azure, call: Call) -> Reply:
    enter(azure, call, "write")
    hub, name, parts = _find_hub(azure, call), call.path.split("/")[12], call.path.split("/")
    if tier(azure, call) == "Basic":
        raise bad(
            f"The operation can't be done on entity type 'ConsumerGroup' because the namespace '{parts[8]}' is using "
            "'Basic' tier."
        )
    made = hub.groups[name.lower()].made if name.lower() in hub.groups else azure.now()
    metadata = (json_object(call).get("properties") or {}).get("userMetadata")
    hub.groups[name.lower()] = Group(name, metadata, made)
    return ok(_group(azure, call, hub, hub.groups[name.lower()]))


def delete_group(azure: Azure, call: Call) -> Reply:
    enter(azure, call, "delete")
    found = _find_hub(azure, call).groups.pop(call.low.split("/")[12], None)
    return Reply(204 if found is None else 200)


def _group(azure: Azure, call: Call, hub: Hub, group: Group) -> dict[str, Any]:
    made = stamp(azure.shown(group.made))
    return {
        "id": f"{hub.id}/consumergroups/{group.name}",
        "name": group.name,
        "type": "Microsoft.EventHub/namespaces/eventhubs/consumergroups",
        "location": _location(azure, call),
        "properties": {"userMetadata": group.metadata, "createdAt": made, "updatedAt": made},
    }


# -- authorization rules, of a namespace or of a hub ------------------------------------------------------------------


def list_rules(azure: Azure, call: Call) -> Reply:
    enter(azure, call, "read")
    return page(azure, call, [_rule(azure, call, rule) for rule in _rules(azure, call)[0].values()])


def get_rule(azure: Azure, call: Call) -> Reply:
    enter(azure, call, "read")
    return ok(_rule(azure, call, _find_rule(azure, call)))


def put_rule(azure: Azure, call: Call) -> Reply:
    enter(azure, call, "write")
    rules, name = _rules(azure, call)
    rights = (json_object(call).get("properties") or {}).get("rights")
    if not isinstance(rights, list) or not rights or not set(rights) <= set(ALL_RIGHTS):
        raise bad(f"The rights of an authorization rule must be of {', '.join(ALL_RIGHTS)}.", 40000)
    if "Manage" in rights and set(rights) != set(ALL_RIGHTS):
        raise bad("The right 'Manage' must come with 'Send' and 'Listen'.", 40000)
    rule = rules.setdefault(name.lower(), Rule(call.path, name))
    rule.rights = tuple(sorted(set(rights)))
    return ok(_rule(azure, call, rule))


def delete_rule(azure: Azure, call: Call) -> Reply:
    enter(azure, call, "delete")
    rules, name = _rules(azure, call)
    return Reply(204 if rules.pop(name.lower(), None) is None else 200)


def list_keys(azure: Azure, call: Call) -> Reply:
    call.scope = call.path.rpartition("/")[0]
    enter(azure, call, "listkeys/action")
    return ok(_keys(azure, call, _find_rule(azure, call)))


def regenerate(azure: Azure, call: Call) -> Reply:
    """POST …/regenerateKeys {keyType: PrimaryKey | SecondaryKey}"""
    call.scope = call.path.rpartition("/")[0]
    enter(azure, call, "regeneratekeys/action")
    rule, which = _find_rule(azure, call), str(json_object(call).get("keyType", "")).removesuffix("Key").lower()
    if which not in rule.made:
        raise bad("The keyType must be PrimaryKey or SecondaryKey.", 40000)
    rule.made[which] += 1
    return ok(_keys(azure, call, rule))


def _rules(azure: Azure, call: Call) -> tuple[dict[str, Rule], str]:
    """Rules of the namespace or the hub that the path names, and the name of the rule in it."""
    parts = call.path.split("/")
    deep = parts[9].lower() == "eventhubs"
    held = _find_hub(azure, call).rules if deep else namespace(azure, call).rules
    place = 12 if deep else 10
    return held, parts[place] if len(parts) > place else ""


def _find_rule(azure: Azure, call: Call) -> Rule:
    rules, name = _rules(azure, call)
    if name.lower() not in rules:
        raise _missing(call, call.scope)
    return rules[name.lower()]


def _rule(azure: Azure, call: Call, rule: Rule) -> dict[str, Any]:
    level = "Namespaces/EventHubs" if "/eventhubs/" in rule.id.lower() else "Namespaces"
    return {
        "id": rule.id,
        "name": rule.name,
        "type": f"Microsoft.EventHub/{level}/AuthorizationRules",
        "location": _location(azure, call),
        "properties": {"rights": list(rule.rights)},
    }


def _keys(azure: Azure, call: Call, rule: Rule) -> dict[str, Any]:
    parts, found = rule.id.split("/"), {}
    path = f";EntityPath={parts[10]}" if parts[9].lower() == "eventhubs" else ""
    for which in rule.made:
        key = rule.key(azure.lab.derive, which)
        found[f"{which}Key"] = key
        found[f"{which}ConnectionString"] = (
            f"Endpoint=sb://{parts[8]}.servicebus.windows.net/;SharedAccessKeyName={rule.name};SharedAccessKey={key}{path}"
        )
    return {**found, "keyName": rule.name}


def _location(azure: Azure, call: Call) -> str:
    resource = azure.resource("/".join(call.path.split("/")[:9]))
    return resource.location if resource else ""


def _missing(call: Call, what: str) -> Refusal:
    return nested(404, "NotFound", f"The requested resource {what} does not exist.")


_RULE: dict[str, Any] = {
    "GET": ("event_hub_rules.get", get_rule),
    "PUT": ("event_hub_rules.put", put_rule),
    "DELETE": ("event_hub_rules.delete", delete_rule),
}
_HUB = "microsoft.eventhub/namespaces/*/eventhubs"
ROUTES: Routes = {
    _HUB: {"GET": ("event_hubs.list", list_hubs)},
    f"{_HUB}/*": {
        "GET": ("event_hubs.get", get_hub),
        "PUT": ("event_hubs.put", put_hub),
        "DELETE": ("event_hubs.delete", delete_hub),
    },
    f"{_HUB}/*/consumergroups": {"GET": ("consumer_groups.list", list_groups)},
    f"{_HUB}/*/consumergroups/*": {
        "GET": ("consumer_groups.get", get_group),
        "PUT": ("consumer_groups.put", put_group),
        "DELETE": ("consumer_groups.delete", delete_group),
    },
}
for _parent in ("microsoft.eventhub/namespaces/*", f"{_HUB}/*"):
    ROUTES |= {
        f"{_parent}/authorizationrules": {"GET": ("event_hub_rules.list", list_rules)},
        f"{_parent}/authorizationrules/*": _RULE,
        f"{_parent}/authorizationrules/*/listkeys": {"POST": ("event_hub_rules.keys", list_keys)},
        f"{_parent}/authorizationrules/*/regeneratekeys": {"POST": ("event_hub_rules.regenerate", regenerate)},
    }
