# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event Hubs over ARM: namespaces that take their time, hubs, consumer groups, rules, keys, and metrics of a hub."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.eventhub import EventHubManagementClient

from lab.azure import flows
from lab.client import LabClient
from lab.testing import CONTOSO, EVENT_HUB_RULE, NORTHWIND, PROSEWARE
from tests.lab.azure.arm_tools import Arm, Given, administrator, app, client_options, text

VERSION = "2024-01-01"
SUBSCRIPTION = f"/subscriptions/{NORTHWIND[:-1]}1"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-logs"
NAMESPACES = f"{GROUP}/providers/Microsoft.EventHub/namespaces"
NAMESPACE = f"{NAMESPACES}/evh-northwind"
HUB = f"{NAMESPACE}/eventhubs/logs"
SENTINEL = EVENT_HUB_RULE.partition("/authorizationRules")[0]
BODY = {"location": "westeurope", "sku": {"name": "Standard", "tier": "Standard"}}
RIGHTS = ["Manage", "Send", "Listen"]


@pytest.fixture
def admin(lab: LabClient) -> Arm:
    made = administrator(lab, NORTHWIND, VERSION)
    assert made.call("PUT", GROUP, {"location": "westeurope"})[0] == 201
    return made


@pytest.fixture
def hub(admin: Arm) -> Arm:
    """With a namespace and a hub in it."""
    assert admin.call("PUT", NAMESPACE, BODY)[0] == 201
    assert admin.put(HUB, partitionCount=2)[0] == 200
    return admin


# -- resource groups --------------------------------------------------------------------------------------------------


def test_groups(admin: Arm) -> None:
    assert admin.get(GROUP)["location"] == "westeurope"
    assert admin.call("PUT", GROUP.lower(), {"location": "West Europe"})[0] == 200
    assert admin.call("PUT", GROUP, {"location": "eastus"})[:2] == (409, "InvalidResourceGroupLocation")
    assert admin.call("PUT", f"{GROUP}-2", {})[:2] == (400, "LocationRequired")
    assert admin.call("PUT", f"{GROUP}.", {"location": "eastus"})[:2] == (400, "InvalidResourceGroup")


# -- namespaces -------------------------------------------------------------------------------------------------------


def test_a_namespace_takes_its_time(lab: LabClient, admin: Arm) -> None:
    lab.configure(operation=600)
    status, _code, made = admin.call("PUT", NAMESPACE, BODY)
    assert (status, made["properties"]["provisioningState"]) == (201, "Creating")
    assert admin.get(NAMESPACE)["properties"]["provisioningState"] == "Creating"
    assert admin.put(HUB)[:2] == (429, "429")
    lab.advance(601)
    found = admin.get(NAMESPACE)
    assert found["properties"]["provisioningState"] == "Succeeded"
    assert found["sku"] == {"name": "Standard", "tier": "Standard", "capacity": 1}
    assert found["properties"]["minimumTlsVersion"] == "1.2"
    assert admin.put(HUB)[0] == 200


def test_a_namespace_always_says_that_it_is_being_made_first(admin: Arm) -> None:
    """Also where an operation takes no time: no client may take the answer for the end."""
    assert admin.call("PUT", NAMESPACE, BODY)[2]["properties"]["provisioningState"] == "Creating"
    assert admin.get(NAMESPACE)["properties"]["provisioningState"] == "Succeeded"


def test_a_namespaces_life(admin: Arm) -> None:
    admin.call("PUT", NAMESPACE, BODY)
    changed = BODY | {"tags": {"by": "soc"}, "properties": {"minimumTlsVersion": "1.3", "disableLocalAuth": True}}
    status, _code, body = admin.call("PUT", NAMESPACE, changed)
    assert (status, body["tags"]) == (200, {"by": "soc"})
    assert (body["properties"]["minimumTlsVersion"], body["properties"]["disableLocalAuth"]) == ("1.3", True)
    for where in (NAMESPACES, f"{SUBSCRIPTION}/providers/Microsoft.EventHub/namespaces"):
        assert [item["id"] for item in admin.get(where)["value"]] == [NAMESPACE]
    assert admin.call("DELETE", NAMESPACE)[0] == 202
    assert admin.call("DELETE", NAMESPACE)[0] == 204
    assert admin.call("GET", NAMESPACE)[:2] == (404, "ResourceNotFound")
    assert admin.call("GET", HUB)[:2] == (404, "ParentResourceNotFound")


def test_names_of_namespaces(admin: Arm) -> None:
    path = f"{SUBSCRIPTION}/providers/Microsoft.EventHub/checkNameAvailability"
    for name, reason in (("evh-sentinel", "NameInUse"), ("1", "InvalidName"), ("evh-free", "None")):
        found = admin.call("POST", path, {"name": name})[2]
        assert (found["nameAvailable"], found["reason"]) == (reason == "None", reason)
    status, code, body = admin.call("PUT", f"{NAMESPACES}/evh-sentinel", BODY)
    assert (status, code, text(body)) == (400, "BadRequest", "The specified name is not available.")
    assert admin.call("PUT", f"{NAMESPACES}/x", BODY)[:2] == (400, "BadRequest")


def test_namespaces_that_are_refused(lab: LabClient, admin: Arm) -> None:
    missing = NAMESPACE.replace("rg-logs", "rg-none")
    assert admin.call("PUT", missing, BODY)[:2] == (404, "ResourceGroupNotFound")
    assert admin.call("PUT", NAMESPACE, {"sku": BODY["sku"]})[:2] == (400, "LocationRequired")
    assert admin.call("PUT", NAMESPACE, BODY | {"sku": {"name": "Gold"}})[:2] == (400, "BadRequest")
    admin.call("PUT", NAMESPACE, BODY)
    assert admin.get(NAMESPACE)["location"] == "West Europe", "by its display name"
    assert admin.call("PUT", NAMESPACE, BODY | {"location": "eastus"})[:2] == (409, "InvalidResourceLocation")
    lab.edit("unregister", subscription=NORTHWIND[:-1] + "1", provider="Microsoft.EventHub")
    assert admin.call("PUT", NAMESPACE, BODY)[:2] == (409, "MissingSubscriptionRegistration")
    assert admin.call("PUT", f"{NAMESPACE}?api-version=2099-01-01", BODY)[:2] == (400, "InvalidResourceType")


def test_who_may_not(lab: LabClient) -> None:
    """Monitoring Contributor reads, and neither makes anything nor sees keys."""
    mine = app(lab, VERSION, CONTOSO)
    operations = f"/subscriptions/{CONTOSO[:-1]}3/resourceGroups/rg-operations/providers/Microsoft.EventHub/namespaces"
    rule = f"{operations}/evh-contoso-ops/authorizationRules/send"
    assert mine.get(rule)["properties"]["rights"] == ["Send"]
    for method, path, body, action in (
        ("PUT", f"{operations}/evh-new", BODY, "Microsoft.EventHub/namespaces/write"),
        ("PUT", f"{operations}/evh-contoso-ops/eventhubs/x", {}, "Microsoft.EventHub/namespaces/eventhubs/write"),
        ("POST", f"{rule}/listKeys", None, "Microsoft.EventHub/namespaces/authorizationRules/listkeys/action"),
    ):
        status, code, answer = mine.call(method, path, body)
        assert (status, code) == (403, "AuthorizationFailed")
        assert f"to perform action '{action}' over scope" in text(answer)


# -- hubs and consumer groups -----------------------------------------------------------------------------------------


def test_a_hub(hub: Arm) -> None:
    found = hub.get(HUB)["properties"]
    assert (found["partitionCount"], found["partitionIds"]) == (2, ["0", "1"])
    assert found["retentionDescription"] == {"cleanupPolicy": "Delete", "retentionTimeInHours": 24}
    hub.put(HUB, retentionDescription={"cleanupPolicy": "Delete", "retentionTimeInHours": 72})
    found = hub.get(f"{NAMESPACE}/eventhubs")["value"][0]["properties"]
    assert (found["messageRetentionInDays"], found["partitionCount"]) == (3, 2)
    assert hub.call("DELETE", HUB)[0] == 200
    assert hub.call("DELETE", HUB)[0] == 204
    assert hub.call("GET", HUB)[:2] == (404, "NotFound")


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"partitionCount": 4}, "SubCode=40000. PartitionCount cannot be changed for EventHub."),
        ({"partitionCount": 33}, "between 1 and 32"),
        ({"messageRetentionInDays": 8}, "The value '8' of MessageRetentionInDays isn't valid for the Standard tier."),
    ],
)
def test_hubs_that_are_refused(hub: Arm, properties: dict[str, Any], words: str) -> None:
    status, code, body = hub.put(HUB, **properties)
    assert (status, code) == (400, "BadRequest")
    assert words in text(body)


def test_ten_hubs_are_enough(hub: Arm) -> None:
    for number in range(9):
        assert hub.put(f"{HUB}-{number}")[0] == 200
    status, code, body = hub.put(f"{HUB}-9")
    assert (status, code) == (409, "Conflict")
    assert "Actual: 10, Max allowed: 10" in text(body)
    assert hub.put(HUB)[0] == 200


def test_consumer_groups(hub: Arm) -> None:
    assert hub.put(f"{HUB}/consumergroups/siem", userMetadata="soc")[0] == 200
    assert hub.get(f"{HUB}/consumergroups/siem")["properties"]["userMetadata"] == "soc"
    assert [item["name"] for item in hub.get(f"{HUB}/consumergroups")["value"]] == ["$Default", "siem"]
    assert hub.call("DELETE", f"{HUB}/consumergroups/siem")[0] == 200
    assert hub.call("DELETE", f"{HUB}/consumergroups/siem")[0] == 204
    assert hub.call("GET", f"{HUB}/consumergroups/siem")[:2] == (404, "NotFound")


def test_the_basic_tier_is_too_small(admin: Arm) -> None:
    admin.call("PUT", NAMESPACE, BODY | {"sku": {"name": "Basic", "tier": "Basic"}})
    assert admin.put(HUB)[0] == 200
    status, code, body = admin.put(f"{HUB}/consumergroups/siem")
    assert (status, code) == (400, "BadRequest")
    assert "entity type 'ConsumerGroup' because the namespace 'evh-northwind' is using 'Basic' tier" in text(body)
    assert "can't exceed '1' day(s)" in text(admin.put(HUB, messageRetentionInDays=2)[2])


# -- rules and keys ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("parent", "tail"), [(NAMESPACE, ""), (HUB, ";EntityPath=logs")])
def test_rules_and_their_keys(hub: Arm, parent: str, tail: str) -> None:
    rule = f"{parent}/authorizationRules/siem"
    assert hub.put(rule, rights=["Listen"])[0] == 200
    assert hub.get(rule)["properties"]["rights"] == ["Listen"]
    assert "siem" in [item["name"] for item in hub.get(f"{parent}/authorizationRules")["value"]]
    before = hub.call("POST", f"{rule}/listKeys")[2]
    assert before == hub.call("POST", f"{rule}/listkeys")[2]
    assert before["keyName"] == "siem"
    assert before["primaryConnectionString"] == (
        "Endpoint=sb://evh-northwind.servicebus.windows.net/;SharedAccessKeyName=siem;"
        f"SharedAccessKey={before['primaryKey']}{tail}"
    )
    after = hub.call("POST", f"{rule}/regenerateKeys", {"keyType": "PrimaryKey"})[2]
    assert after["primaryKey"] != before["primaryKey"]
    assert after["secondaryKey"] == before["secondaryKey"]
    assert hub.call("POST", f"{rule}/listKeys")[2] == after
    assert hub.call("POST", f"{rule}/regenerateKeys", {"keyType": "Third"})[:2] == (400, "BadRequest")
    assert hub.call("DELETE", rule)[0] == 200
    assert hub.call("DELETE", rule)[0] == 204
    assert hub.call("POST", f"{rule}/listKeys")[:2] == (404, "NotFound")


@pytest.mark.parametrize("rights", [[], ["Manage"], ["Manage", "Send"], ["Own"], None])
def test_rights_that_are_refused(hub: Arm, rights: list[str] | None) -> None:
    assert hub.put(f"{HUB}/authorizationRules/siem", rights=rights)[:2] == (400, "BadRequest")


def test_a_new_namespace_has_its_root_rule(hub: Arm) -> None:
    found = hub.get(f"{NAMESPACE}/authorizationRules")["value"]
    assert [item["name"] for item in found] == ["RootManageSharedAccessKey"]
    assert sorted(found[0]["properties"]["rights"]) == sorted(RIGHTS)
    assert hub.get(f"{HUB}/authorizationRules")["value"] == []


def test_a_new_rule_is_a_destination(lab: LabClient, hub: Arm) -> None:
    vaults = hub.get(f"{SUBSCRIPTION}/resources?$filter=resourceType%20eq%20'Microsoft.KeyVault/vaults'")["value"]
    vault = next(item["id"] for item in vaults if item["location"] == "westeurope")
    path = f"{vault}/providers/Microsoft.Insights/diagnosticSettings/soc?api-version=2021-05-01-preview"
    properties = {
        "eventHubAuthorizationRuleId": f"{NAMESPACE}/authorizationRules/diagnostics",
        "eventHubName": "logs",
        "logs": [{"categoryGroup": "allLogs", "enabled": True}],
    }
    assert hub.put(path, **properties)[:2] == (404, "ResourceNotFound")
    hub.put(f"{NAMESPACE}/authorizationRules/diagnostics", rights=RIGHTS)
    assert hub.put(path, **properties)[0] == 200


# -- metrics ----------------------------------------------------------------------------------------------------------


def messages(arm: Arm, namespace: str, keep: str = "") -> dict[str, float]:
    """Sums of the last hour by hub."""
    path = f"{namespace}/providers/Microsoft.Insights/metrics?metricnames=IncomingMessages&interval=PT1H"
    found = arm.get(path + (f"&$filter=EntityName%20eq%20'{keep}'" if keep else ""))["value"][0]["timeseries"]
    names = ["".join(one["value"] for one in series["metadatavalues"]) for series in found]
    return {name: sum(point["total"] for point in series["data"]) for name, series in zip(names, found, strict=True)}


def test_messages_of_a_hub(lab: LabClient, hub: Arm) -> None:
    hub.put(f"{NAMESPACE}/eventhubs/idle")
    lab.edit(
        "change_aadiam_setting",
        tenant=NORTHWIND,
        name="soc",
        properties={
            "eventHubAuthorizationRuleId": f"{NAMESPACE}/authorizationRules/RootManageSharedAccessKey",
            "eventHubName": "logs",
            "logs": [{"category": "AuditLogs", "enabled": True}],
        },
    )
    assert messages(hub, NAMESPACE, "logs") == {"logs": 0}
    lab.advance(flows.FIRST + 7200)
    assert messages(hub, NAMESPACE, "*") == {"logs": 60, "idle": 0}
    assert messages(hub, NAMESPACE) == {"": 60}
    lab.edit("remove_aadiam_setting", tenant=NORTHWIND, name="soc")
    assert messages(hub, NAMESPACE, "logs") == {"logs": 0}
    path = f"{NAMESPACE}/providers/Microsoft.Insights/metrics?$filter=Other%20eq%20'x'"
    assert hub.call("GET", path)[:2] == (400, "BadRequest")


# -- Microsoft's client -----------------------------------------------------------------------------------------------


@pytest.fixture(params=[VERSION, None])
def client(lab: LabClient, admin: Arm, request: pytest.FixtureRequest) -> Iterator[EventHubManagementClient]:
    """Of the API that the collection speaks, and of the client's own."""
    version = {"api_version": request.param} if request.param else {}
    made = EventHubManagementClient(Given(admin.bearer), NORTHWIND[:-1] + "1", **client_options(lab), **version)
    with made:
        yield made


def test_azure_mgmt_eventhub(client: EventHubManagementClient) -> None:
    place = ("rg-logs", "evh-northwind")
    assert client.namespaces.check_name_availability({"name": place[1]}).name_available
    made = client.namespaces.begin_create_or_update(*place, BODY).result()
    assert made.properties.provisioning_state == "Succeeded"
    retention = {"cleanupPolicy": "Delete", "retentionTimeInHours": 24}
    hub = {"properties": {"partitionCount": 2, "retentionDescription": retention}}
    assert client.event_hubs.create_or_update(*place, "logs", hub).properties.partition_ids == ["0", "1"]
    with pytest.raises(HttpResponseError, match="PartitionCount cannot be changed"):
        client.event_hubs.create_or_update(*place, "logs", {"properties": {"partitionCount": 3}})
    client.namespaces.create_or_update_authorization_rule(*place, "diagnostics", {"properties": {"rights": RIGHTS}})
    names = [rule.name for rule in client.namespaces.list_authorization_rules(*place)]
    assert names == ["RootManageSharedAccessKey", "diagnostics"]
    listen = {"properties": {"rights": ["Listen"]}}
    client.event_hubs.create_or_update_authorization_rule(*place, "logs", "siem", listen)
    before = client.event_hubs.list_keys(*place, "logs", "siem")
    after = client.event_hubs.regenerate_keys(*place, "logs", "siem", {"keyType": "SecondaryKey"})
    assert (before.primary_key, before.key_name) == (after.primary_key, "siem")
    assert before.secondary_key != after.secondary_key
    client.consumer_groups.create_or_update(*place, "logs", "siem", {})
    assert [one.name for one in client.consumer_groups.list_by_event_hub(*place, "logs")] == ["$Default", "siem"]
    client.namespaces.begin_delete(*place).result()
    assert list(client.namespaces.list_by_resource_group("rg-logs")) == []


def test_a_deletion_takes_its_time_and_keeps_the_name(lab: LabClient, client: EventHubManagementClient) -> None:
    place = ("rg-logs", "evh-northwind")
    client.namespaces.begin_create_or_update(*place, BODY).result()
    lab.configure(operation=600)
    deletion = client.namespaces.begin_delete(*place, polling=False)
    assert client.namespaces.get(*place).properties.provisioning_state == "Deleting"
    assert not client.namespaces.check_name_availability({"name": place[1]}).name_available
    with pytest.raises(HttpResponseError, match="being deleted"):
        client.namespaces.begin_create_or_update(*place, BODY)
    lab.advance(601)
    deletion.wait()
    assert client.namespaces.check_name_availability({"name": place[1]}).name_available


def test_the_mssps_own_namespace(lab: LabClient) -> None:
    mine = app(lab, VERSION, PROSEWARE)
    assert mine.get(SENTINEL)["name"] == "evh-sentinel"
    assert mine.call("POST", f"{EVENT_HUB_RULE}/listKeys")[2]["keyName"] == "diagnostics"
