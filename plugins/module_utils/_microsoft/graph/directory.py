# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the app's own side and a customer's have in common: service principals of the app and of the resource apps."""

from __future__ import annotations

from collections.abc import Iterable

from ..._core.bodies import piece
from ..._core.client import documented
from ..._core.errors import NoAnswerError, OnboardingError, RefusedError
from .client import Call, Graph, lags
from .permissions import Known, Resource, key_of, parse_resource

READS = "Application.Read.All in the app's own tenant, or access_token of an administrator"
PRINCIPALS = "access_token of a Cloud Application Administrator of this tenant"


async def make_principal(graph: Graph, app_id: str) -> str:
    """Give the app a service principal in the tenant; its object id. Raises OnboardingError."""
    tenant = graph.tenant
    call = Call("POST", "/servicePrincipals", f"make a service principal in tenant {tenant}", PRINCIPALS,
                {"appId": app_id})  # fmt: skip
    lost: OnboardingError | None = None
    try:
        await graph.settled(call)
    except OnboardingError as error:
        # Made by somebody meanwhile, or by us where no answer came: what counts is that it is there.
        if not isinstance(error, NoAnswerError) and getattr(error, "status", None) != 409:
            raise
        lost = error
    read = Call("GET", f"/servicePrincipals(appId='{app_id}')?$select=id",
                f"read the new service principal in tenant {tenant}", READS)  # fmt: skip
    try:
        answer = await graph.settled(read)
    except RefusedError as error:
        if lost is None or not lags(error):
            raise
        raise lost from error  # it is not there: why is what the write has been told
    with documented(read.operation):
        return piece(answer["id"])


async def resource(graph: Graph, app_id: str) -> Resource | None:
    """A resource app as the tenant has it, None where it has none. Raises OnboardingError."""
    operation = f"read the permissions of {key_of(app_id)} in tenant {graph.tenant}"
    path = f"/servicePrincipals(appId='{app_id}')?$select=id,appId,appRoles"
    answer = await graph.found(Call("GET", path, operation, READS))
    with documented(operation):
        return None if answer is None else parse_resource(answer)


async def resources(graph: Graph, app_ids: Iterable[str]) -> Known:
    """Each resource app, None where the tenant has none, or why that is not known."""
    found: Known = {}
    for app_id in sorted(app_ids):
        try:
            found[app_id] = await resource(graph, app_id)
        except OnboardingError as error:
            found[app_id] = error
    return found
