# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delegations of one subscription by Azure Lighthouse: what is read and written, in the tenant where it is done.

assumed: a token of the managing tenant is answered 401 InvalidAuthenticationTokenTenant when nothing of the
subscription is delegated to that tenant, as it is for every foreign subscription; a definition may answer 409 for a
moment after its assignment went.
"""

from __future__ import annotations

from typing import Any

from ..._core.capability import Applied
from ..._core.client import ODD_SHAPE
from ..._core.errors import InputError, RefusedError, malformed
from ..._core.verdict import Verdict
from ..arm import subscriptions as inventory
from ..arm.client import Call
from ..arm.polling import finished, insist, until
from ..arm.refusals import is_gone, lacks_right, not_delegated
from ..arm.resources import resource_id, same_id
from ..identity.options import READ
from ..rights import api as rights
from ..rights.definitions import Role, find
from ..rights.identities import Identities
from .api import (
    ASSIGNMENTS,
    DEFINITIONS,
    DONE,
    FAILED_STATES,
    MANAGED_SERVICES_API,
    Authorization,
    Observed,
    Wanted,
    known_role,
    parse_definition,
    parse_delegation,
    refusal,
    state_of,
)
from .options import Setup
from .plan import DEFINITION, differences


class Delegations:
    """The identities at work on one subscription, and what they have found out.

    level: of C(correct); wanted: what names stand for; own: roles of the app itself among what is given; effective:
    whether they count, None where that cannot be asked or was not to be.
    """

    wanted: Wanted

    def __init__(self, identities: Identities, setup: Setup, level: str) -> None:
        self.identities, self.setup, self.level = identities, setup, level
        self.arm = identities.arm
        self.customer = identities.tenant.casefold() == setup.identity.tenant_id.casefold()
        self.own: list[Role] = []
        self.effective: bool | None = None

    # --- reading

    async def resolve(self) -> None:
        """Find out what the names of roles stand for. Raises OnboardingError, also for what Lighthouse would refuse."""
        setup = self.setup
        given = await self._authorizations() if setup.present else []
        self.wanted = Wanted(
            setup.subscription, setup.manager, setup.offer, setup.description, tuple(given), setup.present,
            self.customer, setup.command,
        )  # fmt: skip

    async def observe(self) -> Observed:
        """What is delegated, and our definition even where it is not assigned. Raises OnboardingError."""
        wanted = self.wanted
        try:
            raw = await self._listed(ASSIGNMENTS, "?$expandRegistrationDefinition=true")
        except RefusedError as error:
            if self.customer or not not_delegated(error):
                raise
            return Observed(seen=False)
        start = f"subscriptions/{wanted.subscription}/providers/{ASSIGNMENTS}/".casefold()
        try:
            own = [one for one in raw if same_id(one["id"]).startswith(start)]
            found = tuple([parse_delegation(await self._with_definition(one)) for one in own])
            ours = [one.definition for one in found if one.definition.id == same_id(wanted.definition_id)]
            if not ours:
                definitions = [parse_definition(one) for one in await self._listed(DEFINITIONS)]
                ours = [one for one in definitions if one.id == same_id(wanted.definition_id)]
        except ODD_SHAPE as error:
            raise malformed(f"read the delegations of {wanted.subscription}", error) from error
        return Observed(found, ours[0] if ours else None)

    async def _with_definition(self, raw: Any) -> Any:
        """An assignment with its definition, which Azure may leave out of a list (MicrosoftDocs/feedback#4005)."""
        properties = raw["properties"]
        if properties.get("registrationDefinition"):
            return raw
        path = resource_id(properties["registrationDefinitionId"])
        definition = await self.arm.call(self._call("GET", path, f"read the Lighthouse definition {path}"))
        return {**raw, "properties": {**properties, "registrationDefinition": definition}}

    async def _listed(self, kind: str, query: str = "") -> list[Any]:
        scope = f"/subscriptions/{self.setup.subscription}"
        operation = f"list the Lighthouse {kind.partition('/')[2]} of {scope}"
        call = self._call("GET", f"{scope}/providers/{kind}{query}", operation)
        try:
            return [one async for page in self.arm.pages(call) for one in page["value"]]
        except ODD_SHAPE as error:
            raise malformed(operation, error) from error

    def _call(self, method: str, path: str, operation: str) -> Call:
        return Call(method, path, MANAGED_SERVICES_API, operation, self.setup.subscription)

    async def _authorizations(self) -> list[Authorization]:
        asked = self.setup.authorizations
        roles = await self._roles({name for one in asked for name in (one.role, *one.delegated)})
        own = await self.identities.object_id(self.setup.manager) if any(not one.principal_id for one in asked) else ""
        made = []
        for one in asked:
            role = roles[one.role]
            if why := refusal(role, bool(one.delegated)):
                raise InputError(
                    READ, f"the role {role.name} cannot be delegated: {why}", code="RoleNotDelegable",
                    next_step="choose another built-in role for this authorization",
                )  # fmt: skip
            principal = (one.principal_id or own).casefold()
            delegated = frozenset(roles[name].guid for name in one.delegated)
            shown = one.name or f"{self.setup.offer}: {role.name}"
            made.append(Authorization(principal, role.guid, delegated, shown, role.name))
            self.own += [role] if role.permissions and principal == own.casefold() else []
        return made

    async def _roles(self, names: set[str]) -> dict[str, Role]:
        """Name -> role. Built-in roles are alike everywhere, so what the managing tenant sees will do for its token."""
        scope = f"/subscriptions/{self.setup.subscription}"
        if self.customer:
            return {name: await find(self.arm, scope, name) for name in sorted(names)}
        seen = [one.id for one in await inventory.subscriptions(self.arm)]
        if seen and self.setup.subscription.casefold() not in (one.casefold() for one in seen):
            scope = f"/subscriptions/{seen[0]}"
        found = {}
        for name in sorted(names):
            try:
                found[name] = await find(self.arm, scope, name)
            except RefusedError:
                known = known_role(name)
                if known is None:
                    raise
                found[name] = known
        return found

    @property
    def confirms(self) -> bool:
        """Whether it can be seen that the app's own roles count."""
        return bool(self.identities.app and self.own and self.setup.wait_seconds > 0)

    async def confirm(self) -> None:
        """See that they do. Raises OnboardingError."""
        if self.confirms and self.identities.app:
            self.effective = False
            scope = f"/subscriptions/{self.setup.subscription}"
            await rights.effective(self.identities.app, scope, self.own, self.setup.wait_seconds)
            self.effective = True

    # --- writing

    async def write(self, verdict: Verdict, properties: dict[str, Any]) -> Applied | None:
        """Make, change or remove the definition or the assignment, and wait until Azure has finished with it.

        Raises OnboardingError where the write is refused.
        """
        kind, seconds = verdict.subject, self.setup.wait_seconds
        operation = f"{verdict.action} the Lighthouse {kind} of {verdict.target}"
        call = self._call("DELETE", verdict.target, operation)
        look = call._replace(method="GET")
        if verdict.action == "delete":
            try:
                await insist(lambda: self.arm.call(call), lambda error: error.status == 409, seconds, operation)
            except RefusedError as error:
                if not self._went(error):  # the answer of an earlier try was lost
                    raise
                return None
            return await finished(until(lambda: self._gone(look), bool, seconds, operation))
        await self.arm.call(call._replace(method="PUT", body={"properties": properties}))
        return await finished(until(lambda: self._done(look, kind), bool, seconds, operation))

    async def _gone(self, call: Call) -> bool:
        """Whether it is gone; the managing tenant's own access goes with it."""
        try:
            await self.arm.call(call)
        except RefusedError as error:
            if self._went(error) or (not self.customer and lacks_right(error)):
                return True
            raise
        return False

    def _went(self, error: RefusedError) -> bool:
        """Whether a refusal says that it is gone, or the managing tenant's access with it."""
        return is_gone(error) or (not self.customer and not_delegated(error))

    async def _done(self, call: Call, kind: str) -> bool:
        """Whether Azure has finished with it, and shows it as it was sent: that of an update was finished before.

        Raises RefusedError where it ended otherwise.
        """
        try:
            raw = await self.arm.call(call)
            state = state_of(raw)
            compared = state == DONE and kind == DEFINITION
            shown = not compared or not differences(self.wanted.definition, parse_definition(raw))
        except RefusedError as error:
            if is_gone(error):  # written, and not to be read yet
                return False
            raise
        except ODD_SHAPE as error:
            raise malformed(call.operation, error) from error
        if state in FAILED_STATES:
            text = f"Azure took it, and it ended as {raw['properties']['provisioningState']}"
            step = "run again, or ask Azure support"
            raise RefusedError(call.operation, text, code="ProvisioningFailed", next_step=step)
        return state == DONE and shown
