# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is of the app in one tenant: as an administrator reads it, or as the app's own tokens show it.

Facts: learn.microsoft.com, «Create servicePrincipal», «Grant an appRoleAssignment» (a second grant of the same is a
400), «Client credentials» (C(roles) of a token are the permissions granted in its tenant C(tid); C(oid) is the service
principal there). A grant may take minutes to show in tokens; no limit is published.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping

from ..._core import http
from ..._core.bodies import piece, text, texts, words
from ..._core.client import documented
from ..._core.errors import NoAnswerError, OnboardingError, RefusedError, SignInError
from ..._core.redaction import Redactor
from ..graph.client import Call, Graph
from ..graph.directory import PRINCIPALS, make_principal, resources
from ..graph.permissions import RESOURCES, Known, Resource, parse_resource
from ..identity.credentials import Tokens, claims
from ..identity.refusals import DISABLED, NOT_CONSENTED, NOT_PROVISIONED
from .options import Setup
from .plan import SEEN_BY_TOKEN, Observed, Permission

READS = "access_token of an administrator who may read applications"
GRANTS = "access_token of a Privileged Role Administrator or Global Administrator of this tenant"
ALREADY = "already exists"
GONE = "being updated or deleted is not found"


async def by_token(tokens: Tokens, tenant: str, wanted: Iterable[str]) -> Observed:
    """What the app's own tokens show: for each resource one, of which C(roles) and C(oid) are read.

    wanted: app ids of the resources that must be known; the other known ones are asked as well, for what was granted
    besides. Raises SignInError where the app cannot sign in for another reason than its absence.
    """
    granted: dict[str, Mapping[str, str]] = {}
    known: Known = {}
    object_id = ""
    for app_id in sorted({*wanted, *RESOURCES.values()}):
        try:
            read = claims(await tokens.get(tenant, f"{app_id}/.default"))
        except SignInError as error:
            if error.code in NOT_CONSENTED:
                return Observed("", "", {}, {})
            if error.code == DISABLED:
                return Observed("", "", {}, {}, disabled=True)
            if error.code not in NOT_PROVISIONED:
                raise
            known[app_id] = None
            continue
        with documented(f"read what the app's token of tenant {tenant} says"):
            object_id = words(read.get("oid"))
            granted[app_id] = dict.fromkeys(texts(read.get("roles")), "")
        known[app_id] = SEEN_BY_TOKEN
    return Observed(object_id, "", granted, known)


async def by_directory(graph: Graph, client_id: str, wanted: Iterable[str]) -> Observed:
    """What an administrator reads. Raises OnboardingError where the app's own object cannot be read."""
    operation = f"read the service principal of app {client_id} in tenant {graph.tenant}"
    path = f"/servicePrincipals(appId='{client_id}')?$select=id,appOwnerOrganizationId,accountEnabled"
    answer = await graph.found(Call("GET", path, operation, READS))
    known = await resources(graph, wanted)
    if answer is None:
        return Observed("", "", {}, known)
    with documented(operation):
        object_id, home = piece(answer["id"]), words(answer.get("appOwnerOrganizationId"))
        disabled = answer.get("accountEnabled") is False
    granted = await _granted(graph, object_id, known)
    return Observed(object_id, home, granted, known, disabled)


async def _granted(graph: Graph, object_id: str, known: Known) -> dict[str, dict[str, str]]:
    """App id of each resource -> permission -> id of the grant. A resource that nobody asked for is looked up."""
    operation = f"list what is granted in tenant {graph.tenant}"
    listed = await graph.items(Call("GET", f"/servicePrincipals/{object_id}/appRoleAssignments", operation, READS))
    by_object = {one.object_id: one for one in known.values() if isinstance(one, Resource)}
    granted: dict[str, dict[str, str]] = {}
    with documented(operation):
        for item in listed:
            holder = piece(item["resourceId"])
            if holder not in by_object:
                by_object[holder] = await _resource_of(graph, holder)
            one = by_object[holder]
            granted.setdefault(one.app_id, {})[one.name_of(text(item["appRoleId"]))] = piece(item["id"])
    return granted


async def _resource_of(graph: Graph, object_id: str) -> Resource:
    operation = f"read the resource {object_id} in tenant {graph.tenant}"
    path = f"/servicePrincipals/{object_id}?$select=id,appId,appRoles"
    answer = await graph.call(Call("GET", path, operation, READS))
    with documented(operation):
        return parse_resource(answer)


class Presence:
    """The app in one tenant, for one run. graph: the administrator's way, None for none.

    seen: as last read; proof: what has told so; new: its service principal was made in this run.
    """

    def __init__(self, setup: Setup, graph: Graph | None, redactor: Redactor) -> None:
        self.graph = graph
        self.seen = Observed("", "", {}, {})
        self.proof = "directory"
        self.new = False
        self._setup, self._redactor = setup, redactor
        self._wanted = setup.wanted

    @property
    def way(self) -> Graph:
        """The administrator's way, for what only an administrator may do."""
        if self.graph is None:
            raise RuntimeError("there is no administrator's token")
        return self.graph

    async def look(self) -> None:
        """Read what there is. Raises OnboardingError where it cannot be read."""
        if self.graph is not None:
            self.seen = await by_directory(self.graph, self._wanted.client_id, self._wanted.permissions)
            return
        consented = self._all_granted if self._setup.answered and self._setup.present else None
        self.seen = await self.by_token(consented)

    def _all_granted(self, seen: Observed) -> bool:
        return all(one.name in seen.granted.get(one.app_id, ()) for one in self._wanted.asked)

    async def by_token(self, enough: Callable[[Observed], bool] | None) -> Observed:
        """What the app's tokens show; with C(enough) fresh tokens are asked for until they do, or the time is over."""
        self.proof = "token"
        until, attempt = time.monotonic() + self._setup.wait_seconds, 0
        while True:
            attempt += 1
            tokens = self._setup.identity.tokens(self._redactor)
            try:
                seen = await by_token(tokens, self._wanted.tenant_id, self._wanted.permissions)
            finally:
                await tokens.close()
            if enough is None or (seen.object_id and enough(seen)) or time.monotonic() >= until:
                return seen
            await asyncio.sleep(http.backoff(attempt))

    # --- writes

    async def make(self) -> None:
        """Give the app its service principal."""
        self.seen = self.seen._replace(object_id=await make_principal(self.way, self._wanted.client_id))
        self.new = True

    async def remove(self) -> None:
        """Remove the service principal, and with it all that was granted to it."""
        operation = f"remove the service principal in tenant {self._wanted.tenant_id}"
        await self.way.found(Call("DELETE", f"/servicePrincipals/{self.seen.object_id}", operation, PRINCIPALS))

    async def take_back(self, one: Permission) -> None:
        grant = self.seen.granted[one.app_id][one.name]
        path = f"/servicePrincipals/{self.seen.object_id}/appRoleAssignments/{grant}"
        operation = f"take back {one.name} in tenant {self._wanted.tenant_id}"
        try:
            await self.way.found(Call("DELETE", path, operation, GRANTS))
        except RefusedError as error:
            # microsoftgraph/microsoft-graph-docs#12385: a grant that is gone already is no 404.
            if error.status != 400 or GONE not in error.message.casefold():
                raise

    async def grant(self, one: Permission) -> bool:
        """Whether it was not there already: a list may not show for a while what is."""
        resource = self.seen.resources.get(one.app_id)
        if not isinstance(resource, Resource):
            raise RuntimeError(f"{one.target} of a resource app that is not known")
        sent = {
            "principalId": self.seen.object_id,
            "resourceId": resource.object_id,
            "appRoleId": resource.roles[one.name],
        }
        path = f"/servicePrincipals/{resource.object_id}/appRoleAssignedTo"
        call = Call("POST", path, f"grant {one.name} in tenant {self._wanted.tenant_id}", GRANTS, sent)
        try:
            answer = await (self.way.settled(call) if self.new else self.way.call(call))
            if not isinstance(answer, dict) or "id" not in answer:
                raise NoAnswerError(call.operation, "the answer shows no grant", code="NotShown", status=201)
        except OnboardingError as error:
            # A grant that is there already, or that came of a request without an answer, is what was wanted.
            if ALREADY in error.message.casefold() and error.status == 400:
                return False
            if isinstance(error, RefusedError) or not await self._is_granted(one):
                raise
        return True

    async def _is_granted(self, one: Permission) -> bool:
        seen = await by_directory(self.way, self._wanted.client_id, self._wanted.permissions)
        return one.name in seen.granted.get(one.app_id, {})
