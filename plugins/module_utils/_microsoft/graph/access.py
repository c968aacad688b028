# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the app has and lacks in a customer's tenant, read with its own tokens: a consent is proven by what they say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..._core import policy as drift
from ..._core.errors import InputError, OnboardingError, SignInError
from ..._core.redaction import Redactor
from ..._core.status import IN_SYNC
from ..arm import subscriptions as inventory
from ..arm.permissions import permissions as rights_at
from ..arm.permissions import registration
from ..arm.resources import WRITABLE_STATES
from ..identity import options as identity_options
from ..identity.credentials import claims
from ..identity.options import ADMINISTRATOR_SPEC, GRAPH_SPEC, GUID, IDENTITY_RULES, IDENTITY_SPEC, READ
from ..rights import plan as role_plan
from ..rights.api import assignments
from ..rights.definitions import find
from ..rights.identities import Identities
from . import access_rules, consent, handover, permissions
from .access_rules import Role, Seen, Wanted

CAPABILITY = access_rules.CAPABILITY
UNUSED: dict[str, Any] = {"auxiliary_tenant_ids": [], "log_analytics_url": None}
MODULE_SPEC: dict[str, dict[str, Any]] = {
    **{name: option for name, option in IDENTITY_SPEC.items() if name not in UNUSED},
    **ADMINISTRATOR_SPEC,
    **GRAPH_SPEC,
    "permissions": {"type": "dict", "default": {}},
    "subscriptions": {"type": "list", "elements": "str", "default": []},
    "role": {"type": "str", "default": "Monitoring Contributor"},
    "roles": {"type": "list", "elements": "dict", "default": []},
    "redirect_uri": {"type": "str"},
    "state_key": {"type": "str", "no_log": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "correct": {"type": "str", "choices": list(drift.LEVELS), "default": drift.ALL},
}
RULES = IDENTITY_RULES


def wanted(params: Mapping[str, Any], identity: identity_options.Identity) -> Wanted:
    """What the parameters want, of subscriptions only those that they name. Raises InputError."""
    for subscription in params["subscriptions"]:
        if not GUID.fullmatch(subscription):
            raise InputError(READ, f"subscriptions must be ids (GUIDs), not {subscription!r}")
    for role in params["roles"]:
        if set(role) != {"role", "scope"} or not str(role["scope"]).startswith("/"):
            raise InputError(READ, f"each of roles must have role and scope (an id that starts with /), not {role!r}")
    return Wanted(
        tenant_id=params["tenant_id"],
        client_id=params["client_id"],
        managing_tenant_id=params["managing_tenant_id"] or "",
        permissions=permissions.wanted("permissions", params["permissions"]),
        subscriptions=tuple(params["subscriptions"]),
        role=params["role"],
        further=tuple(Role(role["role"], role["scope"].rstrip("/")) for role in params["roles"]),
        consent_url=consent.link(
            identity.cloud.authority,
            params["tenant_id"],
            params["client_id"],
            params["redirect_uri"],
            params["state_key"],
        ),
        cloud=params["cloud"],
    )


class Look:
    """The reads of one tenant. app: the app's own way; arm: the administrator's where a token of one is given."""

    def __init__(self, way: Identities, asked: Wanted) -> None:
        self.way = way
        self.wanted = asked
        self.scope = way.identity.cloud.graph_scope
        self.principal_id = ""
        self.given = way.identity.access_token is not None
        self.app = way.app or way.arm
        self.arm = way.arm.in_tenant(asked.tenant_id) if self.given else self.app

    async def run(self) -> Seen:
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
        except SignInError as error:
            return error
        return frozenset(map(str, claims(token).get("roles") or ()))

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


async def run(
    params: Mapping[str, Any], reporter: Any, redactor: Redactor, *, check: bool, diff: bool
) -> dict[str, Any]:
    """The findings of one tenant. Reads only, so check mode is no different.

    Raises OnboardingError where the options are wrong, or an administrator's token is no good.
    """
    identity = identity_options.identity({**UNUSED, **params})
    # By Lighthouse the app signs in to the managing tenant, and for its permissions to the customer's as well.
    identity = identity._replace(auxiliary=(identity.tenant_id,) if identity.sign_in != identity.tenant_id else ())
    asked = wanted(params, identity)
    reporter.update(phase="observe", total=1)
    async with Identities(identity, redactor) as way:
        look = Look(way, asked)
        seen = await look.run()
        is_known = access_rules.known if params["state"] == "present" else access_rules.remains
        known = is_known(look.wanted, seen)
        # Before it leaves, nothing can be taken away where an earlier run has already given back its last role.
        reaches = known and (params["state"] == "present" or await look.sees())
    judge = access_rules.judge if params["state"] == "present" else access_rules.judge_leaving
    found = judge(look.wanted, seen, datetime.now(UTC))
    result = access_rules.result(found, params["correct"])
    result["summary"]["credentials"] = identity.expiries()
    return result | {
        "known": known,
        "reaches": reaches,
        "principal_id": look.principal_id,
        "subscriptions": list(look.wanted.subscriptions),
        "roles": [role._asdict() for role in look.wanted.assigned],
        "consent_url": asked.consent_url,
        "handover": handover.content(look.wanted, seen, found),
    }
