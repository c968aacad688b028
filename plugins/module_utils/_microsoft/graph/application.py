# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider's own app: observe, plan, apply, and say what was seen and done.

Facts: learn.microsoft.com, «application: upsert» (a PATCH by uniqueName with C(Prefer: create-if-missing) may be sent
twice), «addKey» and «removeKey» (with a proof of possession an app needs no right to roll its own certificates),
«addPassword» (the text of a secret is told once).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from ..._core.errors import NoAnswerError, OnboardingError, RefusedError
from ..._core.redaction import Redactor
from ..._core.status import CORRECTED, FAILED, UNKNOWN
from . import application_plan as plans
from . import certificates, options, permissions, record
from .client import Call, Graph, connected, malformed
from .record import CREATE, DELETE, Part

CAPABILITY = "mssp_application"
FIELDS = "id,appId,displayName,signInAudience,web,requiredResourceAccess,passwordCredentials"
READS = "Application.Read.All in the app's own tenant, or access_token of an administrator"
PRINCIPALS = "access_token of a Cloud Application Administrator of this tenant"
WRITES = "access_token of an Application Administrator, or Application.ReadWrite.OwnedBy and to own the app"


async def make_principal(graph: Graph, app_id: str) -> str:
    """Give the app a service principal in the tenant; its object id. Raises OnboardingError."""
    tenant = graph.tenant
    call = Call("POST", "/servicePrincipals", f"make a service principal in tenant {tenant}", PRINCIPALS,
                {"appId": app_id})  # fmt: skip
    try:
        await graph.settled(call)
    except OnboardingError as error:
        # Made by somebody meanwhile, or by us where no answer came: what counts is that it is there.
        if not isinstance(error, NoAnswerError) and getattr(error, "status", None) != 409:
            raise
    read = Call("GET", f"/servicePrincipals(appId='{app_id}')?$select=id",
                f"read the new service principal in tenant {tenant}", READS)  # fmt: skip
    answer = await graph.settled(read)
    try:
        return str(answer["id"])
    except (KeyError, TypeError) as error:
        raise malformed(read.operation, error) from error


async def resource(graph: Graph, app_id: str) -> permissions.Resource | None:
    """A resource app as the tenant has it, None where it has none. Raises OnboardingError."""
    operation = f"read the permissions of {permissions.key_of(app_id)} in tenant {graph.tenant}"
    path = f"/servicePrincipals(appId='{app_id}')?$select=id,appId,appRoles"
    answer = await graph.found(Call("GET", path, operation, READS))
    try:
        return None if answer is None else permissions.parse_resource(answer)
    except (KeyError, TypeError, AttributeError) as error:
        raise malformed(operation, error) from error


async def resources(graph: Graph, app_ids: Sequence[str]) -> dict[str, permissions.Resource | OnboardingError | None]:
    """Each resource app, None where the tenant has none, or why that is not known."""
    found: dict[str, permissions.Resource | OnboardingError | None] = {}
    for app_id in app_ids:
        try:
            found[app_id] = await resource(graph, app_id)
        except OnboardingError as error:
            found[app_id] = error
    return found


class Run:
    """One run over the app with checked parameters."""

    def __init__(self, params: Mapping[str, Any], graph: Graph, reporter: Any, now: datetime, *, check: bool) -> None:
        self.wanted = options.application(params)
        self.graph = graph
        self.reporter = reporter
        self.now = now
        self.check = check
        self.app_id: str = params["client_id"] or ""
        self.unique_name: str = params["unique_name"]
        read = [certificates.read(path, now) for path in params["certificate_paths"]]
        self.certificates = list({one.thumbprint: one for one in read}.values())
        self.signer = certificates.signer(params["client_certificate_path"])
        # With an administrator's right the list is replaced; the app by itself proves that it has a registered key.
        self.by_proof = not params["access_token"] and self.signer is not None
        self.held: plans.Application | None = None
        self.principal: str | OnboardingError = ""
        self.plan = plans.Plan([], {})
        self.secret = ""

    @property
    def app(self) -> plans.Application:
        """The app, for what is only done where it is there."""
        if self.held is None:
            raise RuntimeError("there is no app yet")
        return self.held

    @property
    def object_path(self) -> str:
        return f"/applications/{self.app.object_id}"

    async def observe(self) -> None:
        self.held = await self._find()
        access = self.held.access if self.held and self.wanted.permissions else {}
        known = await resources(self.graph, sorted({*self.wanted.permissions, *access}))
        self.principal = await self._principal()
        in_use = self.signer.thumbprint if self.signer else ""
        self.plan = plans.plan(self.wanted, self.certificates, self.held, self.principal, known, in_use, self.now)

    async def _find(self) -> plans.Application | None:
        """The app by its id where one is given, which must then be there, else by the name that we gave it."""
        address = f"appId='{self.app_id}'" if self.app_id else f"uniqueName='{self.unique_name}'"
        call = Call("GET", f"/applications({address})?$select={FIELDS}", f"read the app ({address})", READS)
        answer = await (self.graph.call(call) if self.app_id else self.graph.found(call))
        return None if answer is None else await self._whole(answer, call.operation)

    async def _principal(self) -> str | OnboardingError:
        """The object id of the app's service principal at home, '' for none, or why that is not known."""
        if self.held is None:
            return ""
        path = f"/servicePrincipals(appId='{self.held.app_id}')?$select=id"
        call = Call("GET", path, "read the app's service principal", READS)
        try:
            answer = await self.graph.found(call)
            return "" if answer is None else str(answer["id"])
        except OnboardingError as error:
            return error
        except (KeyError, TypeError) as error:
            return malformed(call.operation, error)

    async def _whole(self, answer: Any, operation: str) -> plans.Application:
        """The app with its certificates, whose content only a read of nothing but them gives."""
        try:
            path = f"/applications/{answer['id']}?$select=keyCredentials"
            keys = await self.graph.settled(Call("GET", path, "read the app's certificates", READS))
            return plans.parse(answer, keys)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise malformed(operation, error) from error

    async def apply(self) -> None:
        """Write what the plan asks for. A refused write is a part that failed, not the end of the rest."""
        await self._write(self._property_parts(), self._set_properties)
        if self.held is None:
            return
        await self._write([part for part in self._pending() if part.name == plans.PRINCIPAL], self._make_principal)
        await self._keys()
        await self._write([part for part in self._pending() if part.name.startswith("secret ")], self._make_secret)

    def _pending(self) -> list[Part]:
        return [part for part in self.plan.parts if part.pending]

    def _property_parts(self) -> list[Part]:
        others = ("certificate ", "secret ", plans.PRINCIPAL)
        return [part for part in self._pending() if not part.name.startswith(others)]

    def _certificate_parts(self, action: str) -> list[Part]:
        return [part for part in self._pending() if part.name.startswith("certificate ") and part.action == action]

    async def _write(self, parts: Sequence[Part], write: Callable[[], Awaitable[None]]) -> None:
        """Do one write, and keep how the parts that it is for have ended."""
        if not parts:
            return
        try:
            await write()
        except OnboardingError as error:
            self.reporter.failure(str(error))
            self._end(parts, FAILED, error)
        else:
            self._end(parts, CORRECTED)

    def _end(self, parts: Sequence[Part], status: str, error: OnboardingError | None = None) -> None:
        ended = {part.name for part in parts}
        self.plan.parts[:] = [
            part._replace(status=status, error=error, written=status == CORRECTED) if part.name in ended else part
            for part in self.plan.parts
        ]

    async def _set_properties(self) -> None:
        sent = plans.body(self.wanted, self.held, self.plan)
        if self.held is not None:
            await self.graph.call(Call("PATCH", self.object_path, "change the app", WRITES, sent))
            return
        path = f"/applications(uniqueName='{self.unique_name}')"
        await self.graph.call(Call("PATCH", path, "make the app", WRITES, sent, "create-if-missing"))
        call = Call("GET", f"{path}?$select={FIELDS}", "read the new app", READS)
        self.held = await self._whole(await self.graph.settled(call), call.operation)

    async def _make_principal(self) -> None:
        self.principal = await make_principal(self.graph, self.app.app_id)

    async def _keys(self) -> None:
        """Add or remove certificates; the plan never asks for both, so that at no time nobody can sign in."""
        added, removed = self._certificate_parts(CREATE), self._certificate_parts(DELETE)
        if not self.by_proof:
            await self._write([*added, *removed], self._replace_keys)
            return
        for part in added:
            await self._write([part], partial(self._add_key, part.name))
        for part in removed:
            await self._write([part], partial(self._remove_key, part.name))

    async def _replace_keys(self) -> None:
        """PATCH replaces the whole list, so all that stay are sent again."""
        operation = "change the app's certificates"
        try:
            keys = plans.key_list(self.app, self.plan.parts, self.certificates, self.now)
        except ValueError as error:
            text = f"Graph does not tell the content of {error}, which the change would lose; nothing was sent"
            raise RefusedError(operation, text, code="KeyNotTold", next_step=f"use an identity with {READS}") from error
        await self.graph.settled(Call("PATCH", self.object_path, operation, WRITES, {"keyCredentials": keys}))

    async def _add_key(self, name: str) -> None:
        one = next(item for item in self.certificates if plans.certificate_name(item.thumbprint) == name)
        sent = {"keyCredential": plans.new_key(one, self.now), "passwordCredential": None, "proof": self._proof()}
        call = Call("POST", f"{self.object_path}/addKey", f"add the {name}", self._needs_proof(), sent)
        try:
            await self.graph.call(call)
        except NoAnswerError:
            if one.thumbprint not in {key.thumbprint for key in await self._held_keys()}:
                raise

    async def _remove_key(self, name: str) -> None:
        old = next(one for one in self.app.certificates if plans.certificate_name(one.thumbprint) == name)
        sent = {"keyId": old.raw["keyId"], "proof": self._proof()}
        call = Call("POST", f"{self.object_path}/removeKey", f"remove the {name}", self._needs_proof(), sent)
        try:
            await self.graph.call(call)
        except NoAnswerError:
            if old.thumbprint in {key.thumbprint for key in await self._held_keys()}:
                raise

    def _proof(self) -> str:
        if self.signer is None:
            raise RuntimeError("there is no certificate to prove anything with")
        return certificates.proof(self.signer, self.app.object_id, datetime.now(UTC))

    @staticmethod
    def _needs_proof() -> str:
        return "client_certificate_path to be a certificate that the app has and that is valid now"

    async def _held_keys(self) -> tuple[plans.Credential, ...]:
        return (await self._again()).certificates

    async def _again(self) -> plans.Application:
        """The app as it is now, read by its id."""
        call = Call("GET", f"{self.object_path}?$select={FIELDS}", "read the app again", READS)
        return await self._whole(await self.graph.settled(call), call.operation)

    async def _make_secret(self) -> None:
        """POST addPassword. Without a whole answer a secret may be there that nobody knows: it is taken away again."""
        name = self.wanted.secret_name
        ends = (self.now + timedelta(days=self.wanted.secret_days)).strftime(plans.STAMP)
        sent = {"passwordCredential": {"displayName": name, "endDateTime": ends}}
        call = Call("POST", f"{self.object_path}/addPassword", f"make the secret {name}", WRITES, sent)
        try:
            answer = await self.graph.settled(call)
            self.secret = str(answer["secretText"])
        except NoAnswerError:
            await self._unmake_secret(name)
            raise
        except (KeyError, TypeError) as error:
            await self._unmake_secret(name)
            raise malformed(call.operation, error) from error

    async def _unmake_secret(self, name: str) -> None:
        """Remove every secret of this name that was not there before."""
        before = {one.raw["keyId"] for one in self.app.secrets}
        for one in (await self._again()).secrets:
            if one.name == name and one.raw["keyId"] not in before:
                sent = {"keyId": one.raw["keyId"]}
                path = f"{self.object_path}/removePassword"
                await self.graph.call(Call("POST", path, f"remove the unknown secret {name}", WRITES, sent))

    async def ended(self) -> plans.Application | None:
        """The app at the end, read again where something was written; a failure of that hides nothing of the rest."""
        if not any(part.written for part in self.plan.parts):
            return self.held
        try:
            return await self._again()
        except OnboardingError as error:
            self.plan.parts.append(Part(plans.CREDENTIALS, UNKNOWN, error=error))
            return self.held


async def run(
    params: Mapping[str, Any], reporter: Any, redactor: Redactor, *, check: bool, diff: bool
) -> dict[str, Any]:
    """Make the app as wanted; the shape of the result is in the module's RETURN.

    Raises OnboardingError when the app cannot be read or an option cannot be right.
    """
    started, now = time.monotonic(), datetime.now(UTC)
    identity = options.identity(params)
    options.application(params)
    async with connected(identity, redactor) as graph:
        one = Run(params, graph, reporter, now, check=check)
        await one.observe()
        if not check:
            await one.apply()
        after = await one.ended()
    found = record.result(CAPABILITY, one.plan.parts, check=check, diff=diff, subject=f"App {one.wanted.display_name}")
    found["summary"] |= {
        "credentials": plans.expiries(after, now),
        "requests": dict(graph.requests),
        "throttled_answers": graph.throttled,
        "seconds": round(time.monotonic() - started, 1),
    }
    found |= {
        "app_id": after.app_id if after else "",
        "object_id": after.object_id if after else "",
        "service_principal_id": one.principal if isinstance(one.principal, str) else "",
    }
    record.keep(found, params["evidence_path"], one.plan.parts, redactor)
    if one.secret:
        found["client_secret"] = one.secret
    return found
