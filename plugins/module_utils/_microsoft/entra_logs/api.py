# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entra's own diagnostic settings on the wire, with the refusals that only they have.

Contract: microsoft.aadiam/diagnosticSettings, api-version 2017-04-01, and its categories, 2017-04-01-preview
(azure-rest-api-specs). Who may use it: azure-rest-api-specs issue 11085, terraform-provider-azapi issue 247.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from ..._core.client import ODD_SHAPE
from ..._core.coverage import same, unmatched
from ..._core.errors import InputError, RefusedError, malformed
from ..arm import subscriptions as inventory
from ..arm.client import TENANT, Arm, Call
from ..arm.permissions import elevated, numbered, word
from ..arm.refusals import lacks_right
from ..arm.resources import same_id
from ..identity.credentials import claims
from ..identity.options import Identity
from ..settings.setting import Offered, Setting, body, parse_offered, parse_settings

SCOPE = "/providers/microsoft.aadiam"
SETTINGS_API, CATEGORIES_API = "2017-04-01", "2017-04-01-preview"
# assumed: Azure names the licence in its text; what code it gives is in no document.
LICENCE_WORDS = ("license", "licence", "premium")
LICENCE_STEP = (
    "let the tenant have Microsoft Entra ID P1 or P2, or name categories without those of sign-ins "
    "(AuditLogs needs no licence)"
)


def cure(tenant: str, principal: str, resource_manager: str) -> str:
    """The one-time step of a customer's administrator after which an app may write Entra's diagnostic settings."""
    create = (
        f"az role assignment create --assignee-object-id {word(principal)} --assignee-principal-type ServicePrincipal "
        "--role Contributor --scope /providers/Microsoft.aadiam"
    )
    return (
        f"once, a Global Administrator of tenant {tenant} runs, with the own sign-in name for ADMINISTRATOR: "
        f"{numbered(elevated(create, resource_manager))} ; or give the access_token of a Security Administrator"
    )


class EntraSettings:
    """Reads and writes of one tenant's settings.

    offered: its categories, as far as they have been asked for; refused: those that a write had to leave
    out, where all others are set.
    """

    def __init__(self, arm: Arm, identity: Identity) -> None:
        self.arm = arm
        self.identity = identity
        self.offered = Offered({}, {})
        self.refused: list[str] = []

    async def all(self) -> tuple[Setting, ...]:
        """All settings of the tenant. Raises OnboardingError."""
        operation = f"list the Entra diagnostic settings of tenant {self.identity.tenant_id}"
        answer = await self._call(Call("GET", f"{SCOPE}/diagnosticSettings", SETTINGS_API, operation, TENANT))
        try:
            return parse_settings(answer)
        except ODD_SHAPE as error:
            raise malformed(operation, error) from error

    async def offer(self, categories: Iterable[str]) -> None:
        """Read what is offered. Raises OnboardingError, InputError where one of these (lower-case) is not."""
        operation = f"list the categories of Entra logs of tenant {self.identity.tenant_id}"
        path = f"{SCOPE}/diagnosticSettingsCategories"
        answer = await self._call(Call("GET", path, CATEGORIES_API, operation, TENANT))
        try:
            offered = parse_offered(answer)
        except ODD_SHAPE as error:
            raise malformed(operation, error) from error
        names = [category.name for category in offered.logs.values()]
        unknown = unmatched("categories", sorted(categories), names, same)
        if unknown or not names:
            step = "correct categories, or leave out what the tenant has no licence for"
            text = "; ".join(unknown) or "the tenant offers no category"
            raise InputError(operation, text, code="UnknownCategory", next_step=step)
        self.offered = offered

    async def write(self, name: str, after: Setting | None, operation: str) -> None:
        """Make or change the setting of this name, remove it where nothing is to be there. Raises OnboardingError."""
        call = Call("DELETE", f"{SCOPE}/diagnosticSettings/{quote(name)}", SETTINGS_API, operation, TENANT)
        if after is not None:
            sent = body(after, self.offered)
            del sent["properties"]["metrics"]  # a tenant has none
            call = call._replace(method="PUT", body=sent, auxiliary=await self._auxiliary(after))
        await self._call(call)

    async def _auxiliary(self, after: Setting) -> tuple[str, ...]:
        """Tenants whose tokens go along: where a destination is in a subscription that this token does not see."""
        if not self.identity.auxiliary:
            return ()
        visible = {subscription.id.casefold() for subscription in await inventory.subscriptions(self.arm)}
        crosses = any(same_id(sink).split("/")[1] not in visible for sink in after.sinks.values())
        return self.identity.auxiliary if crosses else ()

    async def _call(self, call: Call) -> Any:
        """One request, whose refusals are told as what they are here. Raises OnboardingError."""
        try:
            return await self.arm.call(call)
        except RefusedError as error:
            step = await self._step(error)
            raise RefusedError(
                error.operation,
                error.message,
                code=error.code,
                status=error.status,
                next_step=step or error.next_step,
                request_id=error.request_id,
                owner=error.owner,
            ) from error

    async def _step(self, error: RefusedError) -> str:
        """What cures a refusal that Entra's settings have of their own, '' for any other."""
        if any(word in error.message.casefold() for word in LICENCE_WORDS):
            return LICENCE_STEP
        if error.code == "LinkedAuthorizationFailed" or not lacks_right(error):
            return ""
        found = claims(await self.arm.tokens.get(self.identity.tenant_id, self.identity.cloud.arm_scope))
        if self.identity.access_token and found.get("idtyp") != "app":
            return "let the administrator whose access_token this is have the role Security Administrator"
        return cure(self.identity.tenant_id, str(found.get("oid", "<object id>")), self.identity.cloud.resource_manager)
