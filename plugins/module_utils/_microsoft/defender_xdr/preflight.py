# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight: consent, licence, permissions, devices, hub and rights, each told by itself, found by reading only.

Not licensed, not onboarded and not consented are three things: the token says of consent and permissions, the service
principal of Defender for Endpoint and Graph's own answer of the licence, hunting of devices.
"""

from __future__ import annotations

from ..._core.errors import OnboardingError, SignInError
from ..._core.findings import CUSTOMER, MISSING, OK, PROVIDER, UNKNOWN, Finding
from ..arm.permissions import allows, grant, lacking, permissions, registration
from ..arm.refusals import lacks_right
from ..event_hub.plan import HUB, NAMESPACE
from ..identity.credentials import roles_of
from ..identity.refusals import NOT_CONSENTED, NOT_PROVISIONED, whose
from . import api
from .client import ENDPOINT_SCOPES, LICENCE_STEP, NOT_LICENSED, Work
from .freshness import ONBOARD_STEP
from .plan import BASIC_STEP, CLOSED_STEP, HUB_STEP, REGISTERED, providers
from .records import RECEIVER, library, seen
from .tables import EXPORT, GRAPH_WAYS, HUNTING, LEGACY, STREAMING, holds

RECEIVE = "Microsoft.EventHub/namespaces/messages/receive/action"
EXPORT_ACTIONS = ("Microsoft.Security/automations/read", "Microsoft.Security/automations/write",
                  "Microsoft.Security/automations/delete")  # fmt: skip
SEND_ACTION = "Microsoft.EventHub/namespaces/authorizationRules/listKeys/action"
EXPORT_ROLE, REGISTER_ROLE = "Security Admin", "Contributor"


class Preflight:
    """The checks of one tenant; findings in the order in which a person would cure them."""

    def __init__(self, work: Work) -> None:
        self.work, self.setup = work, work.setup
        self.tenant = work.setup.identity.tenant_id
        self.findings: list[Finding] = []

    def add(
        self, check: str, subject: str, status: str, detail: str = "", step: str = "", owner: str = CUSTOMER
    ) -> None:
        self.findings.append(Finding(check, subject, status, detail, owner if step else "", step))

    def failed(self, check: str, subject: str, error: OnboardingError, step: str = "") -> None:
        """What somebody can cure is missing, whatever else went wrong leaves it unknown."""
        denied = lacks_right(error)
        status = MISSING if denied or error.owner else UNKNOWN
        owner = CUSTOMER if denied else error.owner or PROVIDER
        self.add(check, subject, status, f"{error.code}: {error.message}", (denied and step) or error.next_step, owner)

    async def run(self) -> list[Finding]:
        """What stands on something that is missing is left out."""
        roles = await self._signed_in()
        if roles is None:
            return self.findings
        endpoint = await self._licensed()
        for way in self.setup.ways:
            if way in GRAPH_WAYS and self._permitted(way, roles) and (endpoint or way != HUNTING):
                await self._answers(way)
        if self.work.hubs is not None:
            await self._in_azure()
        return self.findings

    # --- Entra and Graph

    async def _signed_in(self) -> frozenset[str] | None:
        try:
            roles = await self.work.roles()
        except SignInError as error:
            if error.code in NOT_CONSENTED:
                self.add("consent", self.tenant, MISSING, f"{error.code}: {error.message}", self.work.consent)
            else:
                status = MISSING if error.code.startswith("AADSTS") else UNKNOWN
                owner = whose(error, self.tenant, self.tenant)
                self.add("sign_in", self.tenant, status, f"{error.code}: {error.message}", error.next_step, owner)
            return None
        self.add("sign_in", self.tenant, OK, "the token is one of this tenant")
        self._legacy("microsoft_graph", roles)
        return roles

    async def _licensed(self) -> bool:
        """Whether Defender for Endpoint is there, by the service principal that only such a tenant has."""
        scope = ENDPOINT_SCOPES.get(self.setup.cloud)
        if not scope:
            return True
        try:
            token = await self.work.tokens.get(self.tenant, scope)
        except SignInError as error:
            if error.code in NOT_PROVISIONED and (self.setup.wants(HUNTING) or self.setup.wants(STREAMING)):
                self._licence("the tenant has no Defender for Endpoint: its service principal is not there")
            return error.code not in NOT_PROVISIONED  # of anything else the calls themselves tell
        self._legacy("windows_defender_atp", roles_of(token))
        return True

    def _licence(self, detail: str) -> None:
        """Once, whoever says so."""
        if not any(one.check == "licence" for one in self.findings):
            self.add("licence", self.tenant, MISSING, detail, LICENCE_STEP)

    def _legacy(self, resource: str, roles: frozenset[str]) -> None:
        for name in sorted(roles):
            successor = LEGACY.get((resource, name))
            if successor:
                text = f"the app holds {name} of {resource}, which nothing needs any more"
                self.add(
                    "legacy_permission", name, OK, text, f"ask for {successor} of microsoft_graph instead", PROVIDER
                )

    def _permitted(self, way: str, roles: frozenset[str]) -> bool:
        name = GRAPH_WAYS[way].permission
        held = holds(roles, name)
        if held:
            self.add("permission", name, OK, "in the token")
        else:
            self.add("permission", name, MISSING, "not in the token", self.work.consent)
        return held

    async def _answers(self, way: str) -> None:
        try:
            found = await api.look(self.work, way)
        except OnboardingError as error:
            if error.code == NOT_LICENSED:
                self._licence(error.message)
            else:
                self.failed(way, self.tenant, error)
            return
        if way == HUNTING and found.when is None:
            self.add("devices", self.tenant, MISSING, "no device reports to Defender for Endpoint", ONBOARD_STEP)
        else:
            self.add(way, self.tenant, OK, "Graph answers")

    # --- Azure

    async def _in_azure(self) -> None:
        try:
            await self.work.arm.sign_in()
        except SignInError as error:
            who = whose(error, self.setup.identity.sign_in, self.tenant)
            self.add("sign_in", self.setup.identity.sign_in, MISSING, f"{error.code}: {error.message}",
                     error.next_step, who)  # fmt: skip
            return
        for subscription, provider in providers(self.setup.ways, self.setup.subscription, self.setup.export):
            await self._registered(subscription, provider)
        hub = await self._hub()
        if self.setup.wants(STREAMING):
            may = hub and await self._may_receive()
            if self._library() and may:
                await self._portal()
        if self.setup.wants(EXPORT):
            for subscription in self.setup.export.subscriptions:
                await self._may(f"/subscriptions/{subscription}", EXPORT_ACTIONS, EXPORT_ROLE, "make_export")
            await self._may(self._id(NAMESPACE), (SEND_ACTION,), REGISTER_ROLE, "read_key")

    async def _registered(self, subscription: str, provider: str) -> None:
        """What is not registered is registered by onboard; who may not do so needs the customer."""
        check, scope, action = "provider_registered", f"/subscriptions/{subscription}", f"{provider}/register/action"
        try:
            state = await registration(self.work.arm, subscription, provider)
            may = state == REGISTERED or allows(await permissions(self.work.arm, scope), action)
        except OnboardingError as error:
            self.failed(check, subscription, error, self._grant(REGISTER_ROLE, scope))
            return
        step = "" if may else f"az provider register --namespace {provider} --subscription {subscription}"
        more = "" if may and state == REGISTERED else ", onboard registers it" if may else ""
        self.add(check, subscription, OK if may else MISSING, f"{provider} is {state}{more}", step)

    async def _hub(self) -> bool:
        """Whether the hub is there and can take a stream; a hub that is not there is made by another role."""
        try:
            found = await self.work.event_hubs.found()
        except OnboardingError as error:
            self.failed("event_hub", self._id(HUB), error, self._grant(REGISTER_ROLE, self._id(NAMESPACE)))
            return False
        namespace, hub = found.namespace, found.hub(self.work.event_hubs.wanted)
        step = HUB_STEP if hub is None else BASIC_STEP if namespace and namespace.sku == "basic" else ""
        step = step or (CLOSED_STEP if namespace and namespace.closed else "")
        text = {HUB_STEP: "it is not there", BASIC_STEP: "it is of the Basic tier", CLOSED_STEP:
                "the namespace is closed to trusted services, so Defender cannot write to it"}  # fmt: skip
        self.add("event_hub", self._id(HUB), MISSING if step else OK, text.get(step, "it is there"), step, PROVIDER)
        return not step

    def _library(self) -> bool:
        try:
            library()
        except OnboardingError as error:
            self.failed("library", "azure-eventhub", error)
            return False
        self.add("library", "azure-eventhub", OK, "it is installed")
        return True

    async def _portal(self) -> None:
        """A record is the proof of the setting that only a person can make."""
        check, stream = "streaming_setting", self.work.stream
        try:
            found = await seen(self.work)
        except OnboardingError as error:
            self.failed(check, stream.setting, error)
            return
        if set(found.newest) & set(stream.tables):
            self.add(check, stream.setting, OK, "its records arrive")
        else:
            self.add(check, stream.setting, MISSING, "no record of it has arrived yet", stream.step)

    async def _may_receive(self) -> bool:
        """Data actions are given by roles of data alone: no Contributor has them."""
        scope = self._id(HUB)
        try:
            held = await permissions(self.work.arm, scope)
        except OnboardingError as error:
            self.failed("read_records", scope, error, self._grant(RECEIVER, scope))
            return False
        may = allows([{"actions": one["dataActions"], "notActions": one["notDataActions"]} for one in held], RECEIVE)
        step = "" if may else self._grant(RECEIVER, scope)
        self.add("read_records", scope, OK if may else MISSING, "" if may else f"lacks {RECEIVE}", step)
        return may

    async def _may(self, scope: str, actions: tuple[str, ...], role: str, check: str) -> None:
        try:
            missing = lacking(await permissions(self.work.arm, scope), actions)
        except OnboardingError as error:
            self.failed(check, scope, error, self._grant(role, scope))
            return
        step = self._grant(role, scope) if missing else ""
        self.add(check, scope, MISSING if missing else OK, f"lacks {', '.join(missing)}" if missing else "", step)

    def _id(self, part: str) -> str:
        return self.work.event_hubs.ids[part]

    def _grant(self, role: str, scope: str) -> str:
        identity = self.setup.identity
        if identity.sign_in != identity.tenant_id:
            return f"delegate {role} on {scope} by Azure Lighthouse"
        return grant(identity.client_id, role, scope)


async def findings(work: Work) -> list[Finding]:
    return await Preflight(work).run()
