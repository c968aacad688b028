# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight: what this identity may and may not do in one tenant, found by reading only."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from ..._core import engines
from ..._core.capability import Capability
from ..._core.coverage import Scope, Seen
from ..._core.errors import InputError, OnboardingError, SignInError
from ..._core.findings import CUSTOMER, MISSING, OK, PROVIDER, UNKNOWN, Finding
from ..._core.options import RunOptions
from ..._core.redaction import Redactor
from ..._core.verdict import Record
from ..arm import subscriptions as inventory
from ..arm.client import Arm, connected
from ..arm.permissions import grant, lacking, permissions, registration
from ..arm.refusals import is_gone, lacks_right
from ..arm.resources import Subscription, choose_subscriptions
from ..identity.refusals import whose
from . import api, choices, options, scopes
from .api import Session, Unchosen
from .options import Asked

# Requests at once: most checks come one after the other.
CONNECTIONS = 8
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
SUBSCRIPTION_ACTIONS = (
    "Microsoft.Resources/subscriptions/resources/read",
    "Microsoft.Insights/diagnosticSettings/read",
    "Microsoft.Insights/diagnosticSettings/write",
    "Microsoft.Insights/diagnosticSettings/delete",
    "Microsoft.Insights/diagnosticSettingsCategories/read",
)
READ_PROVIDERS = "Microsoft.Resources/subscriptions/providers/read"
SUBSCRIPTION_ROLE = "Monitoring Contributor"

# learn.microsoft.com «diagnostic settings», and for the hub Azure's own LinkedAuthorizationFailed text.
# assumed: listKeys is what a storage account asks for.
SINK_ACTIONS = {
    "workspace_id": (
        "Microsoft.OperationalInsights/workspaces/read",
        "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
    ),
    "event_hub_authorization_rule_id": ("Microsoft.EventHub/namespaces/authorizationRules/listKeys/action",),
    "storage_account_id": ("Microsoft.Storage/storageAccounts/listKeys/action",),
    "marketplace_partner_id": (),
}
SINK_ROLES = {
    "workspace_id": "Log Analytics Contributor",
    "event_hub_authorization_rule_id": "Azure Event Hubs Data Owner",  # assumed
    "storage_account_id": "Storage Account Contributor",
    "marketplace_partner_id": "Contributor",
}


class Access(Capability[Asked, Session]):
    """Whether a tenant's settings may be written, and its destinations used."""

    name = "azure_access"
    covers = "azure_diagnostics"
    expects = "subscriptions"

    def wanted(self, params: Mapping[str, Any]) -> Asked:
        return options.asked(params)

    @asynccontextmanager
    async def connect(self, wanted: Asked, options: RunOptions, redactor: Redactor) -> AsyncIterator[Session]:
        async with connected(wanted.identity, CONNECTIONS, redactor) as arm:
            yield Session(arm)

    async def preflight(self, client: Session, wanted: Asked) -> list[Finding]:
        checks = Checks(client, wanted)
        await checks.run()
        return checks.findings

    def seen(self, client: Session, wanted: Asked) -> Seen | None:
        return scopes.seen(client)

    def wants(self, wanted: Asked, scope: Scope) -> bool:
        return scopes.wants(wanted.selection, scope)

    def regain(self, wanted: Asked, scope: Scope) -> str:
        return scopes.regain(wanted.identity, scope)

    def summary(self, client: Session, wanted: Asked, records: Sequence[Record]) -> Mapping[str, Any]:
        return {"credentials": wanted.identity.expiries()}


class Checks:
    """The checks of one tenant; findings in the order in which a person would cure them."""

    def __init__(self, session: Session, wanted: Asked) -> None:
        self.session = session
        self.arm = session.arm
        self.wanted = wanted
        self.identity = wanted.identity
        self.findings: list[Finding] = []
        self.visible: dict[str, Subscription] = {}
        self.asked: set[str] = set()
        self.chosen = False

    async def run(self) -> None:
        if path := self.identity.exposed():
            self.add("credential", path, MISSING, "every user of this machine may read the key", PROVIDER,
                     f"chmod go= {path}")  # fmt: skip
        if not await self._sign_in(self.identity.sign_in, self.arm):
            return
        for subscription in await self._subscriptions():
            await self._subscription(subscription)
        await self._choice()
        for kind, sink in self.wanted.sinks:
            await self._destination(kind, sink)

    def add(self, check: str, subject: str, status: str, *rest: str) -> None:
        self.findings.append(Finding(check, subject, status, *rest))

    async def _sign_in(self, tenant: str, arm: Arm) -> bool:
        try:
            await arm.sign_in()
        except SignInError as error:
            who = whose(error, tenant, self.identity.tenant_id)
            self.add("sign_in", tenant, MISSING, f"{error.code}: {error.message}", who, error.next_step)
            return False
        self.add("sign_in", tenant, OK, "the token is one of this tenant")
        return True

    async def _subscriptions(self) -> list[Subscription]:
        found = await inventory.subscriptions(self.arm)
        self.visible = {subscription.id.casefold(): subscription for subscription in found}
        chosen = self.wanted.selection
        taken, left, unmatched = choose_subscriptions(
            found, chosen.tenant_id, chosen.subscriptions, chosen.exclude_subscriptions
        )
        for pattern in unmatched:
            (detail,) = choices.subscription_names("subscriptions", [pattern], found)
            self.add("subscriptions", pattern, MISSING, detail, CUSTOMER, self._see(pattern))
        self.chosen = bool(taken) and not unmatched
        for subscription, reason in left:
            self.add("subscriptions", self._spell(subscription), OK, f"left out: {reason}")
        if not taken and not unmatched:
            self.add("subscriptions", chosen.tenant_id, MISSING, "none is visible", CUSTOMER, self._see())
        return taken

    async def _choice(self) -> None:
        """Whether each option that chooses targets and logs means something in the tenant."""
        if not self.chosen:
            return
        selection, subject = self.wanted.selection, self.identity.tenant_id
        try:
            self.session.estate = estate = await api.estate(self.arm, selection)
            fit = [target for target in estate.targets if not api.unfit(target)]
            offers = await api.offers(self.arm, fit, CONNECTIONS)
            choices.check_logs(self.wanted.logs, {target: offers[target.key] for target in fit})
        except InputError as error:
            self.add("selection", subject, MISSING, error.message, PROVIDER, error.next_step)
        except OnboardingError as error:
            self.add("selection", subject, UNKNOWN, f"{error.code}: {error.message}", CUSTOMER, error.next_step)
        else:
            for subscription, failed in estate.failed.items():
                self.add("selection", subscription, UNKNOWN, f"{failed.code}: {failed.message}", CUSTOMER,
                         failed.next_step)  # fmt: skip
            self.add("selection", subject, OK, f"{len(estate.targets)} targets")
            listed = [one for one in estate.taken if one.id not in estate.failed]
            try:
                self.session.unchosen = await api.unchosen(self.arm, selection, listed, CONNECTIONS)
            except OnboardingError as error:  # no finding: this only says what else there is
                self.session.unchosen = Unchosen(unread={"": error})

    def _see(self, pattern: str = "") -> str:
        """The step by which a subscription becomes visible; only an id can be put into a command as it is."""
        if self.identity.sign_in != self.identity.tenant_id:
            which = f"subscription {pattern}" if GUID.fullmatch(pattern) else "the subscriptions"
            return f"delegate {which} to tenant {self.identity.sign_in} by Azure Lighthouse"
        which = pattern if GUID.fullmatch(pattern) else "<subscription id>"
        return grant(self.identity.client_id, SUBSCRIPTION_ROLE, f"/subscriptions/{which}")

    @staticmethod
    def _spell(subscription: Subscription) -> str:
        return f"{subscription.name} ({subscription.id})"

    async def _subscription(self, subscription: Subscription) -> None:
        scope = f"/subscriptions/{subscription.id}"
        path = "Lighthouse" if self.identity.sign_in != self.identity.tenant_id else "the customer's own tenant"
        step = grant(self.identity.client_id, SUBSCRIPTION_ROLE, scope)
        if self.identity.sign_in != self.identity.tenant_id:
            step = f"delegate {SUBSCRIPTION_ROLE} on {scope} by Azure Lighthouse"
        await self._rights("write_settings", self._spell(subscription), self.arm, scope, SUBSCRIPTION_ACTIONS,
                           f"by {path}", CUSTOMER, step)  # fmt: skip
        await self._registered(subscription)

    async def _registered(self, subscription: Subscription) -> None:
        """Azure refuses every setting of a subscription in which Microsoft.Insights is not registered."""
        await self._registration(self.arm, subscription.id, self._spell(subscription), CUSTOMER)

    async def _registration(self, arm: Arm, subscription: str, subject: str, who: str) -> None:
        self.asked.add(subscription.casefold())
        check = "provider_registered"
        step = f"az provider register --namespace Microsoft.Insights --subscription {subscription}"
        try:
            state = await registration(arm, subscription)
        except OnboardingError as error:
            self.add(check, subject, UNKNOWN, f"{error.code}: {error.message}", error.owner or who, error.next_step)
            return
        if state == "Registered":
            self.add(check, subject, OK)
        else:
            self.add(check, subject, MISSING, f"Microsoft.Insights is {state}", who, step)

    async def _destination(self, kind: str, sink: str) -> None:
        """Whether the destination takes what we send, and through which token."""
        if sink.split("/")[2].casefold() in self.visible:
            await self._sink_rights(kind, sink, self.arm, "by the primary token")
            return
        if not self.identity.auxiliary:
            self.add("use_destination", sink, MISSING, "lies in a subscription that the token does not see", PROVIDER,
                     "name its tenant in auxiliary_tenant_ids, or use Lighthouse and managing_tenant_id")  # fmt: skip
            return
        for tenant in self.identity.auxiliary:
            arm = self.arm.in_tenant(tenant)
            if not await self._sign_in(tenant, arm):
                continue
            try:
                seen = {found.id.casefold() for found in await inventory.subscriptions(arm)}
            except OnboardingError as error:
                self.add("use_destination", sink, UNKNOWN, f"{error.code}: {error.message}", PROVIDER, error.next_step)
                return
            if sink.split("/")[2].casefold() in seen:
                await self._sink_rights(kind, sink, arm, f"by an auxiliary token of tenant {tenant}")
                return
        self.add("use_destination", sink, MISSING, "no auxiliary tenant's token sees its subscription", PROVIDER,
                 grant(self.identity.client_id, SINK_ROLES[kind], sink))  # fmt: skip

    async def _sink_rights(self, kind: str, sink: str, arm: Arm, path: str) -> None:
        step = grant(self.identity.client_id, SINK_ROLES[kind], sink)
        await self._rights("use_destination", sink, arm, sink, SINK_ACTIONS[kind], path, PROVIDER, step)
        subscription = sink.split("/")[2]
        if subscription.casefold() in self.asked:
            return
        self.asked.add(subscription.casefold())
        # It must be registered there as well (Azure/ALZ-Bicep#565). A role on the destination alone does not let the
        # app ask, and then somebody else has to look.
        subject = f"subscription of the destination {sink}"
        try:
            may = not lacking(await permissions(arm, f"/subscriptions/{subscription}"), (READ_PROVIDERS,))
        except OnboardingError as error:
            if not lacks_right(error):
                self.add("provider_registered", subject, UNKNOWN, f"{error.code}: {error.message}", PROVIDER,
                         error.next_step)  # fmt: skip
                return
            may = False
        if may:
            await self._registration(arm, subscription, subject, PROVIDER)
        else:
            text = f"Microsoft.Insights was not looked at: the app has no right to in the {subject}"
            step = f"az provider show --namespace Microsoft.Insights --subscription {subscription}"
            self.add("provider_registered", subject, OK, text, PROVIDER, step)

    async def _rights(
        self, check: str, subject: str, arm: Arm, scope: str, actions: tuple[str, ...], path: str, who: str, step: str
    ) -> None:
        try:
            missing = lacking(await permissions(arm, scope), actions)
        except OnboardingError as error:
            refused = lacks_right(error)
            gone = is_gone(error)
            step = step if refused else error.next_step
            if gone and check == "use_destination":
                step = "make the destination again, or give another: it is gone, or the app has no role on it"
            self.add(check, subject, MISSING if refused or gone else UNKNOWN, f"{error.code}: {error.message}",
                     who if refused else error.owner or who, step)  # fmt: skip
            return
        if missing:
            self.add(check, subject, MISSING, f"lacks {', '.join(missing)}", who, step)
        else:
            self.add(check, subject, OK, path)


preflight = engines.preflight(Access())
