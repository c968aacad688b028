# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a subscription is made over ARM: resource groups, and the registration of resource providers.

Shapes: azure-rest-api-specs, Microsoft.Resources resources 2024-11-01. Codes: learn.microsoft.com, resource-manager
error-register-resource-provider (MissingSubscriptionRegistration, with its words) and common-deployment-errors
(InvalidResourceGroupLocation, words assumed). That registering takes `operation` seconds is assumed.
"""

from __future__ import annotations

import re
from typing import Any

from lab.azure.arm import show_group
from lab.azure.bodies import json_object
from lab.azure.diagnostics import subscription_of, writable
from lab.azure.rbac import require
from lab.azure.state import Azure
from lab.kernel.http import Call, Reply, nested, ok

_GROUP_NAME = re.compile(r"[-\w._()]{0,89}[-\w_()]")


def registered(azure: Azure, call: Call, namespace: str) -> None:
    """409 where the subscription has not registered a resource provider."""
    if not _settled(azure, call, namespace):
        raise nested(
            409,
            "MissingSubscriptionRegistration",
            f"The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for "
            "how to register subscriptions.",
            details=[{"code": "MissingSubscriptionRegistration", "target": namespace}],
        )


def _settled(azure: Azure, call: Call, namespace: str) -> bool:
    sub, low = subscription_of(azure, call.scope), namespace.lower()
    if low in sub.registering and azure.now() >= sub.registering[low]:
        del sub.registering[low]
        sub.unregistered.discard(low)
    return low not in sub.unregistered


def provider(azure: Azure, call: Call) -> Reply:
    """GET /subscriptions/{id}/providers/{namespace}: is it registered?"""
    require(azure, call.who, "Microsoft.Resources/subscriptions/providers/read", call.scope)
    return ok(_provider(azure, call))


def register(azure: Azure, call: Call) -> Reply:
    """POST /subscriptions/{id}/providers/{namespace}/register"""
    require(azure, call.who, f"{call.name}/register/action", call.scope)
    writable(azure, call)
    if not _settled(azure, call, call.name):
        sub = subscription_of(azure, call.scope)
        sub.registering.setdefault(call.name.lower(), azure.now() + azure.operation)
        return ok({**_provider(azure, call), "registrationState": "Registering"})
    return ok(_provider(azure, call))


def _provider(azure: Azure, call: Call) -> dict[str, Any]:
    registering = call.name.lower() in subscription_of(azure, call.scope).registering
    state = "Registered" if _settled(azure, call, call.name) else "Registering" if registering else "NotRegistered"
    return {
        "id": f"{call.scope}/providers/{call.name}",
        "namespace": call.name,
        "resourceTypes": [],
        "registrationState": state,
        "registrationPolicy": "RegistrationRequired",
    }


def put_group(azure: Azure, call: Call) -> Reply:
    """PUT of a resource group: 201 when it is new."""
    require(azure, call.who, "Microsoft.Resources/subscriptions/resourceGroups/write", call.scope)
    writable(azure, call)
    sub, name = subscription_of(azure, call.scope), call.path.split("/")[4]
    location = str(json_object(call).get("location") or "").replace(" ", "").lower()
    if not location:
        raise nested(400, "LocationRequired", "The location property is required for this definition.")
    if not _GROUP_NAME.fullmatch(name):
        raise nested(400, "InvalidResourceGroup", f"The provided resource group name '{name}' has invalid characters.")
    before = sub.groups.get(name.lower())
    if before is not None and before[1] != location:
        raise nested(
            409,
            "InvalidResourceGroupLocation",
            f"Invalid resource group location '{location}'. The Resource group already exists in location "
            f"'{before[1]}'.",
        )
    azure.add_group(sub.id, name, location)
    return ok(show_group(sub, *sub.groups[name.lower()]), 200 if before else 201)
