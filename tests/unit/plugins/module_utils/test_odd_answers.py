# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reads an answer gives values of the types that it declares, or refuses the answer: whatever stands in any place.

A reader is tried with each leaf and branch of an answer in the documented form replaced by values of every kind.
"""

from __future__ import annotations

import copy
import types
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.client import ODD_SHAPE
from ansible_collections.mssp.onboarding.plugins.module_utils._coro import connectors, profile
from ansible_collections.mssp.onboarding.plugins.module_utils._duo import api as duo
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.application import plan as application
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm import permissions, resources
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm import subscriptions as inventory
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.custom_logs import api as custom_logs
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.defender_xdr import api as defender
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub import api as event_hub
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.graph import permissions as graph
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync import feed as incidents
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync import sentinel
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync.options import Desk
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync.servicenow import ServiceNow
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync.servicenow import (
    row as _ticket_row,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.lighthouse import api as lighthouse
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.m365_activity import api as m365
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.rights import definitions, plan
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.settings import setting
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.intake import api as sekoia_intake
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.playbook import api as sekoia
from ansible_collections.mssp.onboarding.plugins.module_utils._splunk import api as splunk

ID = "20000000-0000-4000-8000-000000000001"
SUB = f"/subscriptions/{ID}"
VAULT = f"{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/v"
GONE = object()
ODD: tuple[Any, ...] = (
    None, True, -1, 5, 1e300, "", "x", "../x", "a\r\nb", "\ud800", "y" * 5000, [], [5], [None], [[]], [{}], {},
    {"a": 5},
    GONE,
)  # fmt: skip
SETTING = {
    "name": "x",
    "properties": {
        "workspaceId": VAULT,
        "eventHubName": "h",
        "logs": [{"category": "a", "enabled": True}, {"categoryGroup": "b", "enabled": False}],
        "metrics": [{"category": "AllMetrics", "enabled": True}],
        "logAnalyticsDestinationType": "Dedicated",
    },
}
ROLE = {
    "id": f"{SUB}/providers/Microsoft.Authorization/roleDefinitions/{ID}",
    "properties": {
        "roleName": "Reader",
        "type": "BuiltInRole",
        "permissions": [{"actions": ["*"], "notActions": ["x"], "dataActions": [], "notDataActions": []}],
    },
}
DEFINITION = {
    "id": f"{SUB}/providers/Microsoft.ManagedServices/registrationDefinitions/{ID}",
    "properties": {
        "registrationDefinitionName": "o",
        "description": "d",
        "managedByTenantId": ID,
        "provisioningState": "Succeeded",
        "authorizations": [
            {"principalId": ID, "roleDefinitionId": ID, "principalIdDisplayName": "n",
             "delegatedRoleDefinitionIds": [ID]}
        ],
        "eligibleAuthorizations": [],
    },
}  # fmt: skip
KEY = {"keyId": ID, "displayName": "k", "key": "AAAA", "startDateTime": "2026-01-01T00:00:00Z",
       "endDateTime": "2027-01-01T00:00:00.1234567Z"}  # fmt: skip
APP = {
    "id": ID, "appId": ID, "displayName": "n", "signInAudience": "AzureADMultipleOrgs",
    "web": {"redirectUris": ["https://x"]},
    "requiredResourceAccess": [{"resourceAppId": ID, "resourceAccess": [{"id": ID, "type": "Role"}]}],
    "passwordCredentials": [KEY],
}  # fmt: skip
CORO = profile.profile(None)


def _row(row: dict[str, Any]) -> Any:
    (whole,) = inventory._whole([row], [ID])
    return resources.row_targets(whole), resources.Filter(include_tags=(("env", "*"),)).takes(whole)


READERS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "subscription": (
        resources.parse_subscription, {"subscriptionId": ID, "displayName": "n", "state": "Enabled", "tenantId": ID}
    ),
    "row": (_row, {"id": VAULT, "type": "Microsoft.KeyVault/vaults", "kind": "k", "location": "w", "tags": {"env": "p"},
                   "resourceGroup": "rg", "sku": {"name": "n", "tier": "t"}}),
    "setting": (setting.parse_setting, SETTING),
    "categories": (lambda body: setting.parse_offered(body).logs, {"value": [
        {"name": "a", "properties": {"categoryType": "Logs", "categoryGroups": ["audit"]}}]}),
    "permission": (permissions.parse_permission, ROLE["properties"]["permissions"][0]),  # type: ignore[index]
    "role": (definitions.parse_role, ROLE),
    "assignment": (plan.parse_assignment, {"name": ID, "properties": {
        "roleDefinitionId": ID, "principalId": ID, "scope": SUB, "condition": "c"}}),
    "definition": (lighthouse.parse_definition, DEFINITION),
    "delegation": (lighthouse.parse_delegation, {"name": ID, "properties": {
        "registrationDefinition": DEFINITION, "provisioningState": "Succeeded"}}),
    "namespace": (event_hub.parse_namespace, {"location": "w", "sku": {"name": "Standard", "capacity": 1}, "tags": {
        "a": "b"}, "properties": {"disableLocalAuth": False, "minimumTlsVersion": "1.2", "provisioningState": "x",
                                  "publicNetworkAccess": "Enabled"}}),
    "hub": (event_hub.parse_hub, {"name": "h", "properties": {
        "partitionCount": 4, "messageRetentionInDays": 1, "status": "Active",
        "retentionDescription": {"retentionTimeInHours": 24, "cleanupPolicy": "Delete"}}}),
    "keys": (event_hub.parse_keys, dict.fromkeys(event_hub.KEY_FIELDS.values(), "k")),
    "resource app": (graph.parse_resource, {"id": ID, "appId": ID, "appRoles": [
        {"id": ID, "value": "v", "isEnabled": True, "allowedMemberTypes": ["Application"]}]}),
    "application": (lambda body: application.parse(body["app"], body["keys"]),
                    {"app": APP, "keys": {"keyCredentials": [KEY]}}),
    "duo": (duo.parsed, {"integration_key": "DI" * 10, "name": "n", "type": "adminapi", "secret_key": "s" * 40,
                         "adminapi_read_log": 1, "networks_for_api_access": "192.0.2.7"}),
    "duo account": (duo._account, {"account_id": "DA" * 10, "api_hostname": "api-x.duosecurity.com", "name": "n"}),
    "m365 subscription": (m365.parse, {"contentType": "Audit.Exchange", "status": "enabled", "webhook": {
        "status": "enabled", "address": "https://x", "authId": "a", "expiration": ""}}),
    "m365 content": (m365.parse_content, {"contentCreated": "2026-01-01T00:00:00.000Z", "contentUri": "https://x/y"}),
    "incident of Sentinel": (sentinel.parse, {
        "name": "00000000-0000-4000-8000-000000000001", "etag": '"1"', "properties": {
            "title": "x", "severity": "High", "status": "Closed", "incidentNumber": 1, "providerIncidentId": "31",
            "providerName": "Microsoft XDR",
            "labels": [{"labelName": "Redirected"}], "lastModifiedTimeUtc": "2026-01-01T00:00:00.1234567Z",
            "additionalData": {"alertsCount": 0, "mergedIncidentNumber": "2", "providerIncidentUrl": "https://x"}}}),
    "incident": (incidents.parse, {
        "id": "29", "status": "redirected", "displayName": "n", "severity": "high", "redirectIncidentId": "31",
        "lastUpdateDateTime": "2026-01-01T00:00:00.1234567Z", "incidentWebUrl": "https://x", "customTags": ["a"]}),
    "ticket": (lambda row: ServiceNow(None, Desk("servicenow", "https://x")).ticket(_ticket_row(row)), {
        "sys_id": "s", "number": "INC1", "state": "1", "active": "true", "correlation_id": "c:29", "urgency": "1",
        "short_description": "n", "impact": "1", "sys_created_on": "2026-01-01 00:00:00", "sys_created_by": "u",
        "correlation_display": "mssp1 live 0a1b2c high"}),
    "defender newest": (lambda body: defender.parse_newest(body["value"]), {"value": [{
        "createdDateTime": "2026-01-01T00:00:00.1234567Z", "lastUpdateDateTime": "2026-01-01T00:00:00Z",
        "serviceSource": "x"}]}),
    "defender hunting": (defender.parse_row, {"schema": [{"name": "max_Timestamp", "type": "DateTime"}], "results": [{
        "max_Timestamp": "2026-01-01T00:00:00Z"}]}),
    "defender export": (defender.parse_automation, {"id": SUB + "/resourceGroups/g/providers/p/t/n", "tags": {"a": "b"},
        "properties": {"isEnabled": True, "scopes": [{"scopePath": SUB}], "sources": [{"eventSource": "Alerts",
            "ruleSets": [{"rules": []}]}], "actions": [{"eventHubResourceId": SUB, "sasPolicyName": "r"}]}}),
    "sekoia playbook": (sekoia.parsed, {
        "uuid": ID, "name": "n", "status": "enabled", "tags": ["t"], "status_tags": ["s"],
        "content": {"nodes": {"0": {"name": "n", "type": "trigger", "trigger_uuid": "t", "outputs": {"default": []}}}},
        "trigger_configurations": [{"uuid": ID, "trigger_uuid": ID}]}),
    "sekoia configuration": (lambda one: sekoia.configuration(one, "module_uuid"), {
        "uuid": ID, "name": "n", "module_uuid": ID, "value": {"api_key": "m"}}),
    "sekoia run": (sekoia.playbook_run, {"uuid": ID, "status": "finished", "started_at": "2026-01-01T00:00:00Z",
        "error": "e", "node_runs": {"1": {"uuid": ID, "status": "error"}}}),
    "sekoia alert": (sekoia.alert, {"uuid": ID, "short_id": "AL1", "created_at": 5, "rule": {"name": "r"}}),
    "sekoia intake": (sekoia_intake.parsed, {"uuid": ID, "name": "n", "format_uuid": ID, "entity_uuid": ID,
        "intake_key": "k" * 20}),
    "custom table": (custom_logs.parse_table, {"properties": {"provisioningState": "Succeeded", "schema": {
        "columns": [{"name": "n", "type": "string"}], "description": "d", "tableSubType": "Classic"}}}),
    "collection rule": (lambda body: custom_logs.parse_rule(body, "s"), {
        "location": "w", "tags": {"a": "b"}, "systemData": {"createdAt": "t"}, "properties": {
            "streamDeclarations": {"s": {"columns": [{"name": "n", "type": "string"}]}}, "immutableId": "i",
            "endpoints": {"logsIngestion": "https://x"},
            "destinations": {"logAnalytics": [{"name": "d", "workspaceResourceId": VAULT}]},
            "dataFlows": [{"streams": ["s"], "destinations": ["d"], "transformKql": "source", "outputStream": "o"}]}}),
    "saved search": (splunk.parse, {"name": "n", "acl": {"app": "a", "owner": "o", "sharing": "app"}, "content": {
        "actions": "email", "action.webhook.param.url": "https://x", "disabled": "0", "is_scheduled": True,
        "alert.digest_mode": 1}}),
    "allow list": (splunk.parse_allow_list, {"acl": {"app": "system"}, "content": {
        "enable_allowlist": "1", "allowlist.a": "^x"}}),
    "coro": (lambda item: connectors.parse(item, CORO), {
        **{CORO.fields[name]: "x" for name in ("id", "name", "status", "channel")},
        CORO.fields["format"]: CORO.formats["splunk"],
        CORO.fields["headers"]: [{CORO.fields["header_name"]: "h"}],
        CORO.fields["updated"]: 5,
        CORO.fields["last_error"]: {"status": 401, "body": "no"}}),
}  # fmt: skip


def places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield here
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*here, key))


def replaced(value: Any, place: tuple[Any, ...], odd: Any) -> Any:
    if not place:
        return None if odd is GONE else odd
    whole = copy.deepcopy(value)
    holder = whole
    for key in place[:-1]:
        holder = holder[key]
    if odd is GONE:
        del holder[place[-1]]
    else:
        holder[place[-1]] = odd
    return whole


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a declared type, so far as it can be seen from outside."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return True
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, one) for one in inner)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return conforms(value)
    if origin is None:
        return isinstance(value, hint) and (hint is bool or hint is float or not isinstance(value, bool))
    if isinstance(value, Mapping):
        return all(fits(key, inner[0]) and fits(one, inner[1]) for key, one in value.items())
    if isinstance(value, Collection) and not isinstance(value, str):
        kinds = inner if origin is tuple and inner[-1] is not Ellipsis else inner[:1] * len(value)
        return isinstance(value, origin) and all(map(fits, value, kinds))
    return False


def conforms(value: Any) -> bool:
    """Whether every field of a result has its type; of results without types only that there is one."""
    if isinstance(value, tuple | list) and not hasattr(value, "_fields"):
        return all(conforms(one) for one in value)
    if not hasattr(value, "_fields"):
        return True
    return all(fits(getattr(value, name), hint) for name, hint in typing.get_type_hints(type(value)).items())


@pytest.mark.parametrize("name", READERS)
def test_an_answer_is_read_as_declared_or_refused(name: str) -> None:
    read, good = READERS[name]
    assert conforms(read(copy.deepcopy(good))), "the sample itself"
    wrong = []
    for place in places(good):
        for odd in ODD:
            try:
                found = read(replaced(good, place, odd))
            except ODD_SHAPE:
                continue
            if not conforms(found):
                wrong.append((place, odd, found))
    assert not wrong, wrong[:5]
