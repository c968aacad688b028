# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to one tenant's Defender: Graph, Resource Manager and the Event Hub, with the tokens of one identity.

A 403 of Graph security is told apart by the token: clientst0r#143 has one that came with the permission, from a tenant
without a licence. assumed: what hunting says of a table that a tenant's licence does not include.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from ..._core import http
from ..._core.errors import InternalError, OnboardingError, RefusedError
from ..._core.findings import CUSTOMER
from ..._core.redaction import Redactor
from ..arm.client import Arm
from ..event_hub.api import EventHubs
from ..event_hub.plan import NAMESPACE
from ..graph.client import CONCURRENCY, Graph
from ..graph.consent import consent_step, link
from ..identity.credentials import Tokens, roles_of
from .options import Setup
from .plan import Stream
from .tables import GRAPH_WAYS, holds

NO_PERMISSION, NOT_LICENSED = "PermissionMissing", "NotLicensed"
LICENCE_STEP = (
    "have the customer see to a licence of Microsoft Defender XDR (Defender for Endpoint, Office 365 or Identity; "
    "Microsoft 365 E5 has all), and have an administrator open https://security.microsoft.com once, which sets it up"
)
NO_TABLE = "failed to resolve table"
# Whose service principal only a tenant with Defender for Endpoint has. learn.microsoft.com, «Use Microsoft Defender for
# Endpoint APIs»; other clouds have other addresses, which are not looked at.
ENDPOINT_SCOPES = {"azure_public": "https://api.securitycenter.microsoft.com/.default"}


class Work(NamedTuple):
    """A run's ways; hubs: None where no way goes by an Event Hub; arrived: tables whose records were seen in it."""

    setup: Setup
    tokens: Tokens
    graph: Graph
    arm: Arm
    hubs: EventHubs | None
    redactor: Redactor
    arrived: set[str]

    @property
    def event_hubs(self) -> EventHubs:
        """Those that the options ask for where a way goes by an Event Hub."""
        if self.hubs is None:
            raise InternalError("use the Event Hub", "no way goes by one")
        return self.hubs

    @property
    def stream(self) -> Stream:
        """What the portal's setting is to be."""
        hubs, setup = self.event_hubs, self.setup
        return Stream(setup.identity.tenant_id, setup.setting, hubs.ids[NAMESPACE], hubs.wanted.hub, setup.tables)

    @property
    def consent(self) -> str:
        who = self.setup.identity
        return consent_step(link(who.cloud.authority, who.tenant_id, who.client_id, None, None))

    async def roles(self) -> frozenset[str]:
        """The permissions of Graph that the app has here. Raises SignInError."""
        identity = self.setup.identity
        token = await self.tokens.get(identity.tenant_id, identity.cloud.graph_scope)
        return roles_of(token)

    async def explained(self, way: str, error: OnboardingError) -> OnboardingError:
        """A refusal of Graph security as what it is: no permission, or no licence; any other as it came.

        One without a code of Graph's own, as a proxy's, says of neither.
        """
        if not isinstance(error, RefusedError) or error.code.startswith("HTTP"):
            return error
        if error.status == 403:
            held = holds(await self.roles(), GRAPH_WAYS[way].permission)
            return _lacks_licence(error) if held else _lacks_permission(error, way, self.consent)
        return _lacks_licence(error) if NO_TABLE in error.message.casefold() else error

    def costs(self) -> dict[str, Any]:
        """Of Graph and Resource Manager together."""
        one, two = self.graph.costs(), self.arm.costs()
        return {name: {**one[name], **two[name]} if name == "requests" else one[name] + two[name] for name in one}


def _lacks_permission(error: RefusedError, way: str, step: str) -> RefusedError:
    text = f"the app has not {GRAPH_WAYS[way].permission} in this tenant: {error.message}"
    return _of_customer(error, NO_PERMISSION, text, step)


def _lacks_licence(error: RefusedError) -> RefusedError:
    return _of_customer(error, NOT_LICENSED, f"Defender is not set up in this tenant: {error.message}", LICENCE_STEP)


def _of_customer(error: RefusedError, code: str, text: str, step: str) -> RefusedError:
    return RefusedError(
        error.operation, text, code=code, status=error.status, next_step=step, request_id=error.request_id,
        owner=CUSTOMER,
    )  # fmt: skip


@asynccontextmanager
async def connected(setup: Setup, redactor: Redactor) -> AsyncIterator[Work]:
    """The ways with their sessions and credential, all closed at the end."""
    who = setup.identity
    tokens, cloud = who.tokens(redactor), who.cloud
    try:
        async with (
            http.session(cloud.microsoft_graph, who.ca_file, CONCURRENCY) as graph,
            http.session(cloud.resource_manager, who.ca_file, CONCURRENCY) as manager,
        ):
            arm = Arm(manager, cloud, tokens, who.sign_in)
            hubs = EventHubs(arm, setup.subscription, setup.hub, setup.wait_seconds) if setup.hub else None
            yield Work(setup, tokens, Graph(graph, cloud, tokens, who.tenant_id), arm, hubs, redactor, set())
    finally:
        await tokens.close()
