# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The app in one tenant: its presence, what was granted to it, and the proof of both by real tokens.

Facts: learn.microsoft.com, «Create servicePrincipal», «Grant an appRoleAssignment» (a second grant of the same is a
400), «Client credentials» (C(roles) of a token are the permissions granted in its tenant C(tid); C(oid) is the service
principal there). A grant may take minutes to show in tokens; no limit is published.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any

from ..._core import http
from ..._core.errors import OnboardingError, RefusedError, SignInError
from ..._core.redaction import Redactor
from ..._core.status import CORRECTED, FAILED, IN_SYNC, UNKNOWN
from ..identity.credentials import NOT_CONSENTED, NOT_PROVISIONED, Tokens, claims
from ..identity.options import Identity
from . import application, consent, options, permissions, record
from . import principal_plan as plans
from .application import PRINCIPALS
from .client import Call, Graph, connected, malformed
from .principal_plan import PRINCIPAL, SEEN_BY_TOKEN, Observed, Wanted, permission_name
from .record import DELETE, Part

CAPABILITY = "entra_service_principal"
READS = "access_token of an administrator who may read applications"
GRANTS = "access_token of a Privileged Role Administrator or Global Administrator of this tenant"
ALREADY = "already exists"


async def by_token(tokens: Tokens, tenant: str, wanted: Iterable[str]) -> Observed:
    """What the app's own tokens show: for each resource one, of which C(roles) and C(oid) are read.

    wanted: app ids of the resources that must be known; the other known ones are asked as well, for what was granted
    besides. Raises SignInError where the app cannot sign in for another reason than its absence.
    """
    granted: dict[str, Mapping[str, str]] = {}
    resources: dict[str, permissions.Resource | OnboardingError | None] = {}
    object_id = ""
    for app_id in sorted({*wanted, *permissions.RESOURCES.values()}):
        try:
            read = claims(await tokens.get(tenant, f"{app_id}/.default"))
        except SignInError as error:
            if error.code in NOT_CONSENTED:
                return Observed("", "", {}, {})
            if error.code not in NOT_PROVISIONED:
                raise
            resources[app_id] = None
            continue
        object_id = str(read.get("oid", ""))
        granted[app_id] = dict.fromkeys(map(str, read.get("roles") or ()), "")
        resources[app_id] = SEEN_BY_TOKEN
    return Observed(object_id, "", granted, resources)


async def by_directory(graph: Graph, client_id: str, wanted: Iterable[str]) -> Observed:
    """What an administrator reads. Raises OnboardingError where the app's own object cannot be read."""
    operation = f"read the service principal of app {client_id} in tenant {graph.tenant}"
    path = f"/servicePrincipals(appId='{client_id}')?$select=id,appOwnerOrganizationId"
    answer = await graph.found(Call("GET", path, operation, READS))
    resources = await application.resources(graph, sorted(wanted))
    if answer is None:
        return Observed("", "", {}, resources)
    try:
        object_id, home = str(answer["id"]), str(answer.get("appOwnerOrganizationId") or "")
    except (KeyError, TypeError, AttributeError) as error:
        raise malformed(operation, error) from error
    granted = await _granted(graph, object_id, resources)
    return Observed(object_id, home, granted, resources)


async def _granted(
    graph: Graph, object_id: str, resources: dict[str, permissions.Resource | OnboardingError | None]
) -> dict[str, dict[str, str]]:
    """App id of each resource -> permission -> id of the grant. A resource that nobody asked for is looked up."""
    operation = f"list what is granted in tenant {graph.tenant}"
    listed = await graph.items(Call("GET", f"/servicePrincipals/{object_id}/appRoleAssignments", operation, READS))
    by_object = {one.object_id: one for one in resources.values() if isinstance(one, permissions.Resource)}
    granted: dict[str, dict[str, str]] = {}
    try:
        for item in listed:
            holder = str(item["resourceId"])
            if holder not in by_object:
                by_object[holder] = await _resource_of(graph, holder)
            one = by_object[holder]
            granted.setdefault(one.app_id, {})[one.name_of(str(item["appRoleId"]))] = str(item["id"])
    except (KeyError, TypeError) as error:
        raise malformed(operation, error) from error
    return granted


async def _resource_of(graph: Graph, object_id: str) -> permissions.Resource:
    operation = f"read the resource {object_id} in tenant {graph.tenant}"
    path = f"/servicePrincipals/{object_id}?$select=id,appId,appRoles"
    answer = await graph.call(Call("GET", path, operation, READS))
    try:
        return permissions.parse_resource(answer)
    except (KeyError, TypeError, AttributeError) as error:
        raise malformed(operation, error) from error


class Run:
    """One run over the app's presence in one tenant."""

    def __init__(self, params: Mapping[str, Any], identity: Identity, reporter: Any, redactor: Redactor) -> None:
        self.identity = identity
        self.reporter = reporter
        self.redactor = redactor
        self.wait_seconds: int = params["wait_seconds"]
        self.own = options.has_own(params)
        self.present = params["state"] == "present"
        self.answered = bool(params["consent_response"])
        url = consent.link(
            identity.cloud.authority,
            identity.tenant_id,
            identity.client_id,
            params["redirect_uri"],
            params["state_key"],
        )
        self.wanted = Wanted(
            identity.tenant_id,
            identity.client_id,
            options.principal(params),
            params["exact"],
            bool(params["access_token"]),
            url,
        )
        self.seen = Observed("", "", {}, {})
        self.parts: list[Part] = []
        self.requests: dict[str, int] = {}
        self.proof = "directory"

    async def run(self, *, check: bool) -> None:
        if not self.wanted.able:
            consented = self._all_granted if self.answered and self.present else None
            self.seen = await self._by_token(consented)
            self.parts = self._planned()
            return
        async with connected(self.identity, self.redactor) as graph:
            self.seen = await by_directory(graph, self.wanted.client_id, self.wanted.permissions)
            self.parts = self._planned()
            if not check:
                await self._apply(graph)
            self.requests = dict(graph.requests)
        if self.present and self.own and not any(part.pending for part in self.parts):
            await self._prove()

    def _planned(self) -> list[Part]:
        return (plans.plan_present if self.present else plans.plan_absent)(self.wanted, self.seen)

    def _all_granted(self, seen: Observed) -> bool:
        return all(set(names) <= set(seen.granted.get(app_id, ())) for app_id, names in self.wanted.permissions.items())

    async def _by_token(self, enough: Callable[[Observed], bool] | None) -> Observed:
        """What the app's tokens show; with C(enough) fresh tokens are asked for until they do, or the time is over."""
        self.proof = "token"
        until, attempt = time.monotonic() + self.wait_seconds, 0
        while True:
            attempt += 1
            tokens = self.identity.tokens(self.redactor)
            try:
                seen = await by_token(tokens, self.identity.tenant_id, self.wanted.permissions)
            finally:
                await tokens.close()
            if enough is None or (seen.object_id and enough(seen)) or time.monotonic() >= until:
                return seen
            await asyncio.sleep(http.backoff(attempt))

    async def _apply(self, graph: Graph) -> None:
        """The service principal first; without it nothing can be granted."""
        await self._write(PRINCIPAL, partial(self._principal, graph))
        if not self.seen.object_id or not self.present:
            return
        for app_id in {**self.wanted.permissions, **self.seen.granted}:
            for name in {*self.wanted.permissions.get(app_id, ()), *self.seen.granted.get(app_id, ())}:
                await self._write(permission_name(app_id, name), partial(self._permission, graph, app_id, name))

    async def _write(self, name: str, write: Callable[[], Awaitable[bool]]) -> None:
        """Do what a part asks for, if it asks for anything, and keep how it has ended.

        C(write) says whether it has changed anything: a list may not show for a while what is there already.
        """
        index = next((i for i, part in enumerate(self.parts) if part.name == name and part.pending), None)
        if index is None:
            return
        try:
            written = await write()
        except OnboardingError as error:
            self.reporter.failure(str(error))
            self.parts[index] = self.parts[index]._replace(status=FAILED, error=error)
        else:
            self.parts[index] = self.parts[index]._replace(status=CORRECTED if written else IN_SYNC, written=written)

    async def _principal(self, graph: Graph) -> bool:
        if not self.present:
            path = f"/servicePrincipals/{self.seen.object_id}"
            await graph.found(
                Call("DELETE", path, f"remove the service principal in tenant {graph.tenant}", PRINCIPALS)
            )
        else:
            self.seen = self.seen._replace(object_id=await application.make_principal(graph, self.wanted.client_id))
        return True

    async def _permission(self, graph: Graph, app_id: str, name: str) -> bool:
        tenant, resource = self.wanted.tenant_id, self.seen.resources.get(app_id)
        if grant := self.seen.granted.get(app_id, {}).get(name):
            path = f"/servicePrincipals/{self.seen.object_id}/appRoleAssignments/{grant}"
            await graph.found(Call("DELETE", path, f"take back {name} in tenant {tenant}", GRANTS))
            return True
        if not isinstance(resource, permissions.Resource):
            raise RuntimeError(f"{name} of a resource app that is not known")
        sent = {
            "principalId": self.seen.object_id,
            "resourceId": resource.object_id,
            "appRoleId": resource.roles[name],
        }
        path = f"/servicePrincipals/{resource.object_id}/appRoleAssignedTo"
        made = any(part.name == PRINCIPAL and part.written for part in self.parts)
        call = Call("POST", path, f"grant {name} in tenant {tenant}", GRANTS, sent)
        try:
            await (graph.settled(call) if made else graph.call(call))
        except OnboardingError as error:
            # A grant that is there already, or that came of a request without an answer, is what was wanted.
            if ALREADY in error.message.casefold() and error.status == 400:
                return False
            if isinstance(error, RefusedError) or not await self._is_granted(graph, app_id, name):
                raise
        return True

    async def _is_granted(self, graph: Graph, app_id: str, name: str) -> bool:
        seen = await by_directory(graph, self.wanted.client_id, self.wanted.permissions)
        return name in seen.granted.get(app_id, {})

    async def _prove(self) -> None:
        """What the directory says is granted must show in the app's own tokens, if only after a while."""
        granted = {
            permission_name(app_id, name): (app_id, name)
            for app_id, names in self.wanted.permissions.items()
            for name in names
        }
        due = {
            part.name: granted[part.name]
            for part in self.parts
            if part.name in granted and part.status in (IN_SYNC, CORRECTED)
        }

        def shown(seen: Observed) -> bool:
            return all(name in seen.granted.get(app_id, {}) for app_id, name in due.values())

        error = OnboardingError(
            f"see it in a token of tenant {self.wanted.tenant_id}",
            f"it is granted, but no token has shown it within {self.wait_seconds} s",
            code="NotInToken",
            next_step="run again in some minutes",
        )
        seen = Observed("", "", {}, {})
        try:
            seen = await self._by_token(shown)
        except OnboardingError as refused:  # what was granted is told all the same
            error = refused
        for index, part in enumerate(self.parts):
            app_id, name = due.get(part.name, ("", ""))
            if name and name not in seen.granted.get(app_id, {}):
                self.parts[index] = part._replace(status=UNKNOWN, error=error)

    def result(self, *, check: bool, diff: bool) -> dict[str, Any]:
        subject = f"App {self.wanted.client_id} in tenant {self.wanted.tenant_id}"
        granted, missing, extra = plans.ended(self.wanted, self.seen, self.parts)
        found = record.result(CAPABILITY, self.parts, check=check, diff=diff, subject=subject)
        gone = any(part.name == PRINCIPAL and part.action == DELETE and part.written for part in self.parts)
        return found | {
            "service_principal_id": "" if gone else self.seen.object_id,
            "granted": {} if gone else permissions.shown(granted),
            "missing": permissions.shown(missing),
            "extra": {} if gone else permissions.shown(extra),
            "consent_url": self.wanted.consent_url,
        }


async def run(
    params: Mapping[str, Any], reporter: Any, redactor: Redactor, *, check: bool, diff: bool
) -> dict[str, Any]:
    """Bring the app into one tenant, or take it out; the shape of the result is in the module's RETURN.

    Raises OnboardingError when the tenant cannot be read or an option cannot be right.
    """
    started = time.monotonic()
    identity = options.identity(params)
    one = Run(params, identity, reporter, redactor)
    if params["consent_response"]:
        consent.check(params["consent_response"], identity.tenant_id, identity.client_id, params["state_key"])
    await one.run(check=check)
    found = one.result(check=check, diff=diff)
    found["summary"] |= {
        "proof": one.proof,
        "credentials": identity.expiries(),
        "requests": one.requests,
        "seconds": round(time.monotonic() - started, 1),
    }
    record.keep(found, params["evidence_path"], one.parts, redactor)
    return found
