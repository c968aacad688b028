# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure Resource Manager: who may come in, and what there is (subscriptions, groups, resources, providers).

Shapes: azure-rest-api-specs, Microsoft.Resources subscriptions 2022-12-01 and resources 2024-11-01. Errors: facts §2.3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from lab.azure import rbac, sinks
from lab.azure.limits import BUCKETS, OPERATION
from lab.azure.model import Resource, Subscription
from lab.azure.state import Azure
from lab.entra import token_endpoint
from lab.entra.tokens import unauthorized
from lab.kernel.http import Call, Refusal, Reply, nested, ok

RESOURCE_GRAPH = "/providers/microsoft.resourcegraph/resources"
_FILTER = re.compile(r"\s*(resourceType|resourceGroup|name|location)\s+eq\s+'([^']*)'\s*", re.I)


# -- the way in -------------------------------------------------------------------------------------------------------


def authenticate(azure: Azure, call: Call) -> None:
    """Token, audience and auxiliary tokens of a call to ARM; 401 in Azure's words."""
    who = azure.entra.tokens.check(call.headers.get("Authorization", ""))
    if who.audience not in token_endpoint.ARM_AUDIENCES and who.audience not in azure.lab.origins:
        raise unauthorized(
            azure.lab,
            "InvalidAuthenticationTokenAudience",
            f"The access token has been obtained for wrong audience or resource '{who.audience}'. It should exactly "
            "match "
            f"with one of the allowed audiences '{azure.url}/','https://management.azure.com/'.",
        )
    call.principal = who
    if "x-ms-authorization-auxiliary" in call.headers:
        call.auxiliary = sinks.auxiliary(azure, call)


def enter(azure: Azure, call: Call) -> None:
    """Authenticate, and for a subscription's path: that the token's tenant may see it, and the token buckets."""
    if azure.assignments.waiting:
        azure.assignments.settle()
    authenticate(azure, call)
    who = call.who
    if call.low.startswith("/subscriptions/"):
        scope = call.low.split("/", 3)[2]
        subscription = azure.subscriptions.get(scope)
        if subscription is None:
            raise nested(404, "SubscriptionNotFound", f"The subscription '{scope}' could not be found.")
        if not azure.sees(who.tid, subscription):
            raise _wrong_tenant(azure, who.tid, subscription)
        kind = "subscription"
    elif call.low == RESOURCE_GRAPH:
        return  # has a quota of its own
    else:
        scope, kind = who.tid, "tenant"
    operation = OPERATION.get(call.method, "writes")
    left, wait = azure.lab.throttle.take((scope, who.oid, operation), BUCKETS[operation])
    call.extra[f"x-ms-ratelimit-remaining-{kind}-{operation}"] = str(left)
    if wait:
        raise _throttled(kind, scope, operation, who.oid, wait)


def _wrong_tenant(azure: Azure, tid: str, subscription: Subscription) -> Refusal:
    return unauthorized(
        azure.lab,
        "InvalidAuthenticationTokenTenant",
        f"The access token is from the wrong issuer 'https://sts.windows.net/{tid}/'. It must match the tenant "
        f"'https://sts.windows.net/{subscription.tenant}/' associated with this subscription. Please use the authority "
        f"(URL) '{azure.url}/{subscription.tenant}' to get the token.",
        subscription.tenant,
    )


def _throttled(kind: str, scope: str, operation: str, oid: str, wait: int) -> Refusal:
    refusal = nested(
        429,
        f"{kind.title()}RequestsThrottled",
        f"Number of '{operation}' requests for {kind} '{scope}' actor '{oid}' exceeded. Please try again after "
        f"'{wait}' "
        "seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for additional "
        "information.",
    )
    refusal.headers["Retry-After"] = str(wait)
    return refusal


# -- tenants and subscriptions ----------------------------------------------------------------------------------------


def metadata(azure: Azure, call: Call) -> Reply:
    """GET /metadata/endpoints: one object since 2020-06-01 (az fails on anything else), a list before."""
    host = azure.url.removeprefix("https://")
    cloud: dict[str, Any] = {
        "name": "lab",
        "portal": f"{azure.url}/portal",
        "media": azure.url,
        "graphAudience": azure.url,
        "graph": azure.url,
        "authentication": {
            "loginEndpoint": azure.url,
            "audiences": [azure.url, "https://management.azure.com/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "suffixes": {
            "storage": host,
            "keyVaultDns": f"vault.{host}",
            "sqlServerHostname": f"database.{host}",
            "acrLoginServer": f"azurecr.{host}",
            "azureDataLakeStoreFileSystem": host,
            "azureDataLakeAnalyticsCatalogAndJob": host,
            "mhsmDns": host,
            "mysqlServerEndpoint": host,
            "postgresqlServerEndpoint": host,
            "mariadbServerEndpoint": host,
            "synapseAnalytics": host,
            "azureFrontDoorEndpointSuffix": host,
            "storageSyncEndpointSuffix": host,
        },
        "batch": azure.url,
        "resourceManager": azure.url,
        "vmImageAliasDoc": azure.url,
        "activeDirectoryDataLake": azure.url,
        "sqlManagement": azure.url,
        "microsoftGraphResourceId": azure.entra.graph_url,
        "gallery": azure.url,
        "appInsightsResourceId": azure.url,
        "appInsightsTelemetryChannelResourceId": azure.url,
        "attestationResourceId": azure.url,
        "synapseAnalyticsResourceId": azure.url,
        "logAnalyticsResourceId": azure.url,
        "ossrDbmsResourceId": azure.url,
    }
    return ok([cloud] if call.query.get("api-version", "") < "2020" else cloud)


def tenants(azure: Azure, call: Call) -> Reply:
    tenant = azure.entra.tenants[call.who.tid]
    return ok(
        {
            "value": [
                {
                    "id": f"/tenants/{tenant.id}",
                    "tenantId": tenant.id,
                    "countryCode": "NL",
                    "displayName": tenant.slug,
                    "domains": [tenant.domain],
                    "tenantCategory": "Home",
                    "defaultDomain": tenant.domain,
                    "tenantType": "AAD",
                }
            ]
        }
    )


def subscriptions(azure: Azure, call: Call) -> Reply:
    """Those where the principal has some role, of its own tenant or delegated to it."""
    who = call.who
    seen = [
        _subscription(azure, sub)
        for sub in azure.subscriptions.values()
        if azure.sees(who.tid, sub) and rbac.may_see(azure, who.oid, sub.id)
    ]
    return page(azure, call, seen, count={"type": "Total", "value": len(seen)})


def subscription(azure: Azure, call: Call) -> Reply:
    rbac.require(azure, call.who, "Microsoft.Resources/subscriptions/read", call.scope)
    return ok(_subscription(azure, _sub(azure, call)))


def _subscription(azure: Azure, sub: Subscription) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{sub.id}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [{"tenantId": tenant} for tenant in sub.managed_by],
        "subscriptionId": sub.id,
        "tenantId": sub.tenant,
        "displayName": sub.name,
        "state": sub.state,
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "EnterpriseAgreement_2014-09-01",
            "spendingLimit": "Off",
        },
    }


def _sub(azure: Azure, call: Call) -> Subscription:
    return azure.subscriptions[call.low.split("/", 3)[2]]


# -- groups, resources, providers -------------------------------------------------------------------------------------


def groups(azure: Azure, call: Call) -> Reply:
    rbac.require(azure, call.who, "Microsoft.Resources/subscriptions/resourceGroups/read", call.scope)
    sub = _sub(azure, call)
    return page(azure, call, [show_group(sub, name, location) for name, location in sub.groups.values()])


def show_group(sub: Subscription, name: str, location: str) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{sub.id}/resourceGroups/{name}",
        "name": name,
        "location": location,
        "type": "Microsoft.Resources/resourceGroups",
        "properties": {"provisioningState": "Succeeded"},
    }


def group(azure: Azure, call: Call) -> Reply:
    """GET of one resource group."""
    rbac.require(azure, call.who, "Microsoft.Resources/subscriptions/resourceGroups/read", call.scope)
    sub, name = _sub(azure, call), call.path.split("/")[4]
    if name.lower() not in sub.groups:
        raise nested(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")
    return ok(show_group(sub, *sub.groups[name.lower()]))


def resources(azure: Azure, call: Call) -> Reply:
    """The plain list. Proxy children (databases, slots) are in it as Azure has them; storage services are not."""
    rbac.require(azure, call.who, "Microsoft.Resources/subscriptions/resources/read", call.scope)
    keep = _filter(call.query.get("$filter", ""))
    found = [describe(item) for item in _sub(azure, call).resources.values() if not item.gone and keep(item)]
    return page(azure, call, found)


def _filter(text: str) -> Callable[[Resource], bool]:
    """`resourceType eq 'x' and name eq 'y'`; anything else is refused, as ARM does."""
    wanted = []
    for part in re.split(r"\s+and\s+", text.strip()) if text.strip() else []:
        match = _FILTER.fullmatch(part)
        if match is None:
            raise nested(400, "InvalidFilterInQueryString", f"Invalid $filter '{text}' specified in the query string.")
        field = {"resourcetype": "type", "resourcegroup": "group"}.get(match[1].lower(), match[1].lower())
        wanted.append((field, match[2].lower()))
    return lambda item: all(str(getattr(item, field)).lower() == value for field, value in wanted)


def describe(item: Resource) -> dict[str, Any]:
    found: dict[str, Any] = {"id": item.id, "name": item.name, "type": item.type, "location": item.location}
    for key in ("kind", "sku", "tags"):
        if getattr(item, key):
            found[key] = getattr(item, key)
    return found


def resource(azure: Azure, call: Call) -> Reply:
    """GET of any resource by id, with its properties (a workspace's customerId among them)."""
    parts = call.path.split("/providers/")[-1].split("/")
    rbac.require(azure, call.who, "/".join([parts[0], *parts[1::2]]) + "/read", call.scope)
    item = azure.resource(call.path)
    if item is None:
        rest = call.path.split("/")
        if rest[4].lower() not in _sub(azure, call).groups:
            raise nested(404, "ResourceGroupNotFound", f"Resource group '{rest[4]}' could not be found.")
        raise nested(
            404,
            "ResourceNotFound",
            f"The Resource '{'/'.join(rest[6:])}' under resource group '{rest[4]}' was not found. For more details "
            "please "
            "go to https://aka.ms/ARMResourceNotFoundFix",
        )
    return ok({**describe(item), "properties": {"provisioningState": "Succeeded", **item.properties}})


def permissions(azure: Azure, call: Call) -> Reply:
    """What the caller may do at a scope; an empty list where it has no role (assumed: the read itself is allowed)."""
    return ok({"value": rbac.permissions(azure, call.who.oid, call.scope)})


# -- pages ------------------------------------------------------------------------------------------------------------


def page(azure: Azure, call: Call, items: Sequence[Any], **more: Any) -> Reply:
    """One page of a list, with nextLink where there is more. The link repeats the query."""
    query = call.query
    try:
        start = int(query.get("$skiptoken") or 0)
        size = min(azure.page_size, int(query.get("$top") or azure.page_size))
    except ValueError:
        raise nested(400, "InvalidSkipToken", "The skip token or $top in the query string is invalid.") from None
    answer: dict[str, Any] = {"value": items[start : start + size], **more}
    if start + size < len(items):
        rest = "&".join(f"{key}={quote(value)}" for key, value in query.items() if key != "$skiptoken")
        answer["nextLink"] = f"{azure.url}{quote(call.path)}?{rest}&$skiptoken={start + size}"
    return ok(answer)
