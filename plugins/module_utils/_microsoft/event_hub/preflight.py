# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight: what is missing before an Event Hub can be made and Entra's logs be sent to it, found by reading only."""

from __future__ import annotations

from ..._core.errors import OnboardingError, SignInError
from ..._core.findings import CUSTOMER, MISSING, OK, UNKNOWN, Finding
from ..arm.permissions import grant, lacking, permissions, registration
from ..arm.refusals import is_gone, lacks_right
from ..entra_logs.api import EntraSettings
from ..identity.options import Identity
from ..identity.refusals import whose
from .api import EventHubs
from .options import Setup
from .plan import GROUP

PROVIDER_NAME = "Microsoft.EventHub"
ACTIONS = (
    "Microsoft.EventHub/namespaces/read",
    "Microsoft.EventHub/namespaces/write",
    "Microsoft.EventHub/namespaces/delete",
    "Microsoft.EventHub/namespaces/authorizationRules/write",
    "Microsoft.EventHub/namespaces/authorizationRules/delete",
    "Microsoft.EventHub/namespaces/authorizationRules/listKeys/action",
    "Microsoft.EventHub/namespaces/eventhubs/write",
    "Microsoft.EventHub/namespaces/eventhubs/delete",
    "Microsoft.EventHub/namespaces/eventhubs/authorizationRules/write",
    "Microsoft.EventHub/namespaces/eventhubs/authorizationRules/listKeys/action",
    "Microsoft.EventHub/namespaces/eventhubs/authorizationRules/regenerateKeys/action",
    "Microsoft.EventHub/namespaces/eventhubs/consumergroups/write",
)
GROUP_ACTION = "Microsoft.Resources/subscriptions/resourceGroups/write"
ROLE = "Contributor"


def entra_of(hubs: EventHubs, identity: Identity) -> EntraSettings:
    """Entra's settings of the hub's tenant; what they offer stays with the hub's session, for its coverage."""
    hubs.entra = EntraSettings(hubs.arm.in_tenant(identity.tenant_id), identity)
    return hubs.entra


class Preflight:
    """The checks of one hub; findings in the order in which a person would cure them."""

    def __init__(self, hubs: EventHubs, setup: Setup) -> None:
        self.hubs, self.arm = hubs, hubs.arm
        self.identity, self.subscription = setup.identity, setup.subscription
        self.findings: list[Finding] = []

    def add(
        self, check: str, subject: str, status: str, detail: str = "", step: str = "", owner: str = CUSTOMER
    ) -> None:
        who = "" if status == OK else owner
        self.findings.append(Finding(check, subject, status, detail, who, step))

    def unread(self, check: str, subject: str, error: OnboardingError, step: str = "") -> None:
        """A right that Azure says is missing, or a sign-in; whatever else went wrong leaves it unknown."""
        detail, refused = f"{error.code}: {error.message}", lacks_right(error)
        status = MISSING if refused or is_gone(error) or isinstance(error, SignInError) else UNKNOWN
        owner = CUSTOMER if refused else error.owner or CUSTOMER
        self.add(check, subject, status, detail, (refused and step) or error.next_step, owner)

    async def run(self) -> None:
        try:
            await self.arm.sign_in()
        except SignInError as error:
            who = whose(error, self.identity.sign_in, self.identity.tenant_id)
            self.add("sign_in", self.identity.sign_in, MISSING, f"{error.code}: {error.message}", error.next_step, who)
            return
        self.add("sign_in", self.identity.sign_in, OK, "the token is one of this tenant")
        await self._registered()
        await self._rights()

    async def _registered(self) -> None:
        check, step = "provider_registered", f"az provider register --namespace {PROVIDER_NAME} --subscription "
        try:
            state = await registration(self.arm, self.subscription, PROVIDER_NAME)
        except OnboardingError as error:
            self.unread(check, self.subscription, error, self._grant(f"/subscriptions/{self.subscription}"))
            return
        well = state == "Registered"
        self.add(check, self.subscription, OK if well else MISSING, f"{PROVIDER_NAME} is {state}",
                 "" if well else step + self.subscription)  # fmt: skip

    async def _rights(self) -> None:
        """On the resource group where it is there, else on the subscription, where it would be made."""
        scope, actions = self.hubs.ids[GROUP], list(ACTIONS)
        try:
            if not await self.hubs.has_group():
                scope = f"/subscriptions/{self.subscription}"
                actions.append(GROUP_ACTION)
            found = await permissions(self.arm, scope)
        except OnboardingError as error:
            self.unread("make_event_hub", scope, error, self._grant(scope))
            return
        missing = lacking(found, actions)
        detail = f"lacks {', '.join(missing)}" if missing else "by the primary token"
        self.add("make_event_hub", scope, MISSING if missing else OK, detail, self._grant(scope) if missing else "")

    def _grant(self, scope: str) -> str:
        if self.identity.sign_in != self.identity.tenant_id:
            return f"delegate {ROLE} on {scope} by Azure Lighthouse"
        return grant(self.identity.client_id, ROLE, scope)

    async def entra(self) -> None:
        """Whether Entra's settings may be used: those who may not even list them may not write them either."""
        tenant = self.identity.tenant_id
        try:
            settings = entra_of(self.hubs, self.identity)
            await settings.all()
            await settings.offer(())
        except OnboardingError as error:
            self.unread("entra_settings", tenant, error, error.next_step)
        else:
            self.add("entra_settings", tenant, OK, "they can be read; writing is seen at onboard")


async def findings(hubs: EventHubs, setup: Setup) -> list[Finding]:
    """The findings about one hub and, where wanted, Entra's logs."""
    preflight = Preflight(hubs, setup)
    await preflight.run()
    if setup.entra and preflight.findings[0].status == OK:
        await preflight.entra()
    return preflight.findings
