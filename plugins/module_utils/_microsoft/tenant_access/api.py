# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the app has and lacks in a customer's tenant, read with its own tokens: a consent is proven by what they say."""

from __future__ import annotations

from ..._core.bodies import texts
from ..._core.client import documented
from ..._core.errors import InputError, NoAnswerError, OnboardingError, SignInError
from ..._core.findings import Finding
from ..._core.status import IN_SYNC
from ..arm import subscriptions as inventory
from ..arm.permissions import permissions as rights_at
from ..arm.permissions import registration
from ..arm.resources import WRITABLE_STATES
from ..identity.credentials import claims
from ..rights import plan as role_plan
from ..rights.api import assignments
from ..rights.definitions import find
from ..rights.identities import Identities
from .rules import Role, Seen, Wanted


class Look:
    """The reads of one tenant. app: the app's own way; arm: the administrator's where a token of one is given.

    wanted: with the subscriptions that were found where none was named; seen, findings: of the look that was taken;
    known: the app may be let in; reaches: it can take away what it has set.
    """

    def __init__(self, way: Identities, asked: Wanted) -> None:
        self.way = way
        self.wanted = asked
        self.scope = way.identity.cloud.graph_scope
        self.principal_id = ""
        self.seen = Seen()
        self.findings: list[Finding] = []
        self.known = self.reaches = False
        self.given = way.identity.access_token is not None
        self.app = way.app or way.arm
        self.arm = way.arm.in_tenant(asked.tenant_id) if self.given else self.app

    async def all(self) -> Seen:
        """What is there. Raises OnboardingError where an administrator's token is no good."""
        sign_ins = {tenant: await self._sign_in(tenant) for tenant in self.wanted.sign_ins}
        home = sign_ins.get(self.wanted.tenant_id, self) is None
        reader = sign_ins[self.wanted.reader] is None
        if reader:
            self.principal_id = await self.way.object_id(self.wanted.reader)
        trouble = await self._subscriptions() if reader or self.given else None
        roles = {role: await self._has(role) for role in self.wanted.assigned} if home else {}
        delegations = {one: await self._delegated(one) for one in self.wanted.delegated} if reader else {}
        seen = Seen(
            sign_ins=sign_ins,
            subscriptions=trouble,
            granted={app_id: await self._granted(app_id) for app_id in self.wanted.permissions} if home else {},
            roles=roles,
            delegations=delegations,
            credentials=tuple(self.way.identity.expiries()),
            lent=self.given,
        )
        return seen._replace(providers={one: await self._registration(one) for one in self._readable(seen)})

    def _readable(self, seen: Seen) -> list[str]:
        """Subscriptions of which more can be told than that the app has no right there."""
        able = {role.scope.casefold() for role, there in seen.roles.items() if there is True}
        able |= {f"/subscriptions/{one}".casefold() for one, there in seen.delegations.items() if there is True}
        return [one for one in self.wanted.subscriptions if self.given or f"/subscriptions/{one}".casefold() in able]

    async def _sign_in(self, tenant: str) -> OnboardingError | None:
        try:
            await self.app.tokens.get(tenant, self.scope)
        except SignInError as error:
            return error
        return None

    async def _subscriptions(self) -> OnboardingError | None:
        """Completes what is wanted with the tenant's subscriptions where none is named."""
        if self.wanted.subscriptions:
            return None
        try:
            found = await inventory.subscriptions(self.arm)
        except OnboardingError as error:
            if self.given:
                raise
            return error
        own = [one for one in found if one.tenant_id.casefold() == self.wanted.tenant_id.casefold()]
        ids = sorted(one.id for one in own if one.state in WRITABLE_STATES)
        self.wanted = self.wanted._replace(subscriptions=tuple(ids))
        return None

    async def sees(self) -> bool:
        """Whether the app itself sees a subscription of the tenant; what could not be read is no such answer."""
        try:
            found = await inventory.subscriptions(self.app)
        except OnboardingError:
            return True
        return any(one.tenant_id.casefold() == self.wanted.tenant_id.casefold() for one in found)

    async def _granted(self, app_id: str) -> frozenset[str] | OnboardingError:
        """Names of the permissions in a token for the resource."""
        try:
            token = await self.app.tokens.get(self.wanted.tenant_id, f"{app_id}/.default")
            with documented(f"read what the app's token for {app_id} says"):
                return frozenset(texts(claims(token).get("roles")))
        except (SignInError, NoAnswerError) as error:
            return error

    async def _has(self, role: Role) -> bool | OnboardingError:
        """Whether the app has the role in the customer's own tenant, by an assignment there or above."""
        arm = self.arm if self.given else self.app.in_tenant(self.wanted.tenant_id)
        try:
            principal = await self.way.object_id(self.wanted.tenant_id)
            definition = await find(arm, role.scope, role.role)
            there = await assignments(arm, role.scope, principal)
        except InputError:
            raise
        except OnboardingError as error:
            return error
        asked = role_plan.Wanted(role.scope, definition, principal, "ServicePrincipal", True)
        return role_plan.plan(asked, there).status == IN_SYNC

    async def _delegated(self, subscription: str) -> bool | OnboardingError:
        """Whether the app may do what the role allows, by what Azure lists as its permissions."""
        scope = f"/subscriptions/{subscription}"
        try:
            role = await find(self.app, scope, self.wanted.role)
            return not role_plan.ineffective(role, await rights_at(self.app, scope))
        except InputError:
            raise
        except OnboardingError as error:
            return error

    async def _registration(self, subscription: str) -> str | OnboardingError:
        try:
            return await registration(self.arm, subscription)
        except OnboardingError as error:
            return error
