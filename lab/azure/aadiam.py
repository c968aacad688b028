# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""microsoft.aadiam: a tenant's diagnostic settings, which send the logs of Microsoft Entra.

Shapes: azure-rest-api-specs, azureactivedirectory 2017-04-01. 403 for service principals, with its scope: azure-rest-
api-specs#11085, terraform-provider-azurerm#12986; the role that cures it: terraform-provider-azapi#247, #255; who may
among the users: entra-docs#868; the limit: terraform-provider-azurerm#27801; a GET that finds nothing after a PUT:
azure-rest-api-specs#38858. Assumed: words and shape of the 404; that every category is listed, those that are off with
enabled false; conflicts as those of resources; that a tenant may use all categories, whatever its licence.
"""

from __future__ import annotations

from lab.azure import bodies, sinks
from lab.azure.bodies import json_object
from lab.azure.catalog import Kind
from lab.azure.diagnostics import check_conflict, check_limit, check_version
from lab.azure.model import Setting
from lab.azure.rbac import require
from lab.azure.state import Azure
from lab.kernel.http import Call, Handler, Reply, flat, ok

VERSIONS = frozenset({"2017-04-01", "2017-04-01-preview"})
SCOPE = "/providers/microsoft.aadiam"
TARGET = f"{SCOPE}/diagnosticSettings"
# Users with one of these need no role of Azure's.
ADMINISTRATORS = ("Global Administrator", "Security Administrator")
_CATEGORIES = (
    "AuditLogs SignInLogs NonInteractiveUserSignInLogs ServicePrincipalSignInLogs ManagedIdentitySignInLogs "
    "ProvisioningLogs ADFSSignInLogs RiskyUsers UserRiskEvents RiskyServicePrincipals ServicePrincipalRiskEvents "
    "NetworkAccessTrafficLogs EnrichedOffice365AuditLogs MicrosoftGraphActivityLogs RemoteNetworkHealthLogs"
)
KIND = Kind(dict.fromkeys(_CATEGORIES.split(), ()), metrics=(), lists_all=True)


def listing(azure: Azure, call: Call) -> Reply:
    held = _enter(azure, call, "diagnosticSettings", "read")
    return ok({"value": [_show(setting) for setting in held.values() if _visible(azure, setting)]})


def get(azure: Azure, call: Call) -> Reply:
    found = _enter(azure, call, "diagnosticSettings", "read").get(call.name.lower())
    if found is None or not _visible(azure, found):
        raise flat(404, "ResourceNotFound", f"The diagnostic setting '{call.name}' doesn't exist.")
    return ok(_show(found))


def put(azure: Azure, call: Call) -> Reply:
    held = _enter(azure, call, "diagnosticSettings", "write")
    setting = bodies.parse(TARGET, call.name, json_object(call), KIND)
    refused = next((log.name for log in setting.logs if log.enabled and log.name in azure.entra_refused), None)
    if refused:  # assumed: the words of a resource's setting
        raise flat(400, "BadRequest", f"Category '{refused}' is not supported.")
    sinks.check(azure, call, setting, None, "microsoft.aadiam/diagnosticSettings/write")
    check_limit(held, call.name)
    check_conflict(held, setting, KIND)
    azure.put_entra_setting(call.who.tid, setting)
    return ok(_show(setting))


def delete(azure: Azure, call: Call) -> Reply:
    held = _enter(azure, call, "diagnosticSettings", "delete")
    return Reply(204 if held.pop(call.name.lower(), None) is None else 200)


def categories(azure: Azure, call: Call) -> Reply:
    _enter(azure, call, "diagnosticSettingsCategories", "read")
    type_ = "microsoft.aadiam/diagnosticSettingsCategories"
    return ok(
        {
            "value": [
                {
                    "id": f"/providers/{type_}/{name}",
                    "type": type_,
                    "name": name,
                    "properties": {"categoryType": "Logs"},
                }
                for name in KIND.logs
                if name not in azure.entra_lost
            ]
        }
    )


def _show(setting: Setting) -> dict[str, object]:
    """As of a resource, under the ids of the tenant's own."""
    shown = bodies.render(setting, KIND)
    return {**shown, "id": f"{TARGET[1:]}/{setting.name}", "type": None}


def _visible(azure: Azure, setting: Setting) -> bool:
    return azure.now() >= setting.since + azure.aadiam_lag


def _enter(azure: Azure, call: Call, what: str, verb: str) -> dict[str, Setting]:
    """Settings of the caller's tenant, by lower name."""
    check_version(call, VERSIONS, what, "microsoft.aadiam")
    who, call.scope = call.who, f"{SCOPE}/{what}/{call.name}".rstrip("/")
    if who.oid not in (azure.entra.user_oid(who.tid, role) for role in ADMINISTRATORS):
        require(azure, who, f"microsoft.aadiam/{what}/{verb}", call.scope)
    return azure.entra_settings.setdefault(who.tid, {})


ROUTES: dict[tuple[str, bool], dict[str, tuple[str, Handler]]] = {
    ("microsoft.aadiam/diagnosticsettings", False): {"GET": ("entra_settings.list", listing)},
    ("microsoft.aadiam/diagnosticsettings", True): {
        "GET": ("entra_settings.get", get),
        "PUT": ("entra_settings.put", put),
        "DELETE": ("entra_settings.delete", delete),
    },
    ("microsoft.aadiam/diagnosticsettingscategories", False): {"GET": ("entra_categories.list", categories)},
}
