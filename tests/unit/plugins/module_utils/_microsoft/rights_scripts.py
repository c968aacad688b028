# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the modules that give rights over scripted HTTP: every request in its order, nobody really waits."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core import throttle
from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm import client as arms
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity_options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.rights import identities
from tests.unit.plugins.module_utils._microsoft.scripts_of_http import CLOUD, HOME, Script, Tokens, answer, scripted

SUBSCRIPTION = f"{HOME[:-1]}1"
SCOPE = f"/subscriptions/{SUBSCRIPTION}"
OID = "aaaaaaaa-0000-4000-8000-000000000001"
STRANGER = "bbbbbbbb-0000-4000-8000-000000000002"
MONITORING = "749f88d5-cbae-40b8-bcfc-e573ddc772fa"
DELETE_ROLE = "91c1777a-f3dc-4fae-b103-61d183457e46"
ACTIONS = {
    "Monitoring Contributor": ["*/read", "Microsoft.Insights/DiagnosticSettings/*"],
    "Managed Services Registration assignment Delete Role": [
        "Microsoft.ManagedServices/registrationAssignments/delete"
    ],
}
IDENTITY = {"tenant_id": HOME, "client_id": OID, "client_secret": "canary-secret"}


def jwt(**claims: Any) -> str:
    """A token as only its reader sees it."""
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in ({}, claims, "signature"))


class AppTokens(Tokens):
    """Tokens of an app that tell its object id, which is another one in each tenant."""

    async def get(self, tenant: str, scope: str) -> str:
        await super().get(tenant, scope)
        return jwt(tid=tenant, oid=OID)

    async def close(self) -> None: ...


def role(name: str = "Monitoring Contributor", guid: str = MONITORING, **more: Any) -> dict[str, Any]:
    """A role definition as Azure lists it. more: kind, actions, dataActions, notActions."""
    permission = {
        "actions": more.get("actions", ACTIONS.get(name, ["*/read"])),
        "notActions": more.get("notActions", []),
        "dataActions": more.get("dataActions", []),
        "notDataActions": [],
    }
    properties = {"roleName": name, "type": more.get("kind", "BuiltInRole"), "permissions": [permission]}
    return {"id": f"{SCOPE}/providers/Microsoft.Authorization/roleDefinitions/{guid}", "properties": properties}


def listed(*values: Any) -> Any:
    return answer(body={"value": list(values)})


def refused(status: int, code: str, message: str = "no") -> Any:
    return answer(status, {"error": {"code": code, "message": message}})


def plain(spec: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    found = ArgumentSpecValidator(spec, **identity_options.ADMINISTRATOR_RULES).validate({**IDENTITY, **args})
    assert not found.error_messages, found.error_messages
    return dict(found.validated_parameters)


def conversation(monkeypatch: Any, *answers: Any) -> Script:
    """The script that every Arm of the next runs talks to; an administrator's token and the app share it."""
    _arm, script, clock, _tokens = scripted(monkeypatch, *answers)

    @asynccontextmanager
    async def connected(identity: identity_options.Identity, _limit: int, redactor: Any) -> AsyncIterator[arms.Arm]:
        tokens = identity.administrator(redactor) if identity.access_token else AppTokens()
        one = arms.Arm(None, CLOUD, tokens, identity.sign_in)  # type: ignore[arg-type]
        one.buckets = throttle.Buckets(arms.LIMITS, clock)
        yield one

    monkeypatch.setattr(identities, "connected", connected)
    monkeypatch.setattr(identity_options.clouds, "resolve", lambda *_given: CLOUD)
    return script


def run(module: Any, spec: dict[str, Any], *, check: bool = False, diff: bool = False, **args: Any) -> dict[str, Any]:
    return execute(module.converge, "rights", plain(spec, args), check=check, diff=diff, secrets=["canary-secret"])


def spoken(script: Script) -> list[str]:
    """«METHOD last part of the path» of each request."""
    return [f"{one.method} {one.url.partition('?')[0].rpartition('/')[2]}" for one in script.requests]
