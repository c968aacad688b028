# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider's own app in its tenant: the reads and writes, each of which leaves the app as it is known then.

Facts: learn.microsoft.com, «application: upsert» (a PATCH by uniqueName with C(Prefer: create-if-missing) may be sent
twice), «addKey» and «removeKey» (with a proof of possession an app needs no right to roll its own certificates),
«addPassword» (the text of a secret is told once).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ..._core.bodies import piece
from ..._core.client import documented
from ..._core.errors import NoAnswerError, OnboardingError, RefusedError
from ..._core.verdict import Verdict
from ..graph.client import Call, Graph
from ..graph.directory import READS, make_principal
from . import certificates
from .certificates import Certificate, Signer
from .options import Setup
from .plan import STAMP, Application, Credential, body, certificate_name, key_list, new_key, parse

FIELDS = "id,appId,displayName,signInAudience,web,requiredResourceAccess,passwordCredentials"
WRITES = "access_token of an Application Administrator, or Application.ReadWrite.OwnedBy and to own the app"
# Of a key that signs, nobody is told the content; addKey leaves the others alone.
UNTOLD = (
    f"use an identity with {READS}; where it is a key that signs, let the app add its certificate by itself: without "
    "access_token, with client_certificate_path"
)
PROOF = "client_certificate_path to be a certificate that the app has and that is valid now"


class Home:
    """The app in its own tenant, for one run.

    held: the app as last read, None for none; principal: object id of its service principal, '' for none, or why that
    is not known.
    """

    def __init__(
        self, graph: Graph, setup: Setup, wanted: Sequence[Certificate], signer: Signer | None, now: datetime
    ) -> None:
        self.graph = graph
        self.certificates, self.now = wanted, now
        self.held: Application | None = None
        self.principal: str | OnboardingError = ""
        # With an administrator's right the list is replaced; the app by itself proves that it has a registered key.
        self.by_proof = not setup.identity.access_token and signer is not None
        self.in_use = signer.thumbprint if signer else ""
        self._setup, self._signer = setup, signer
        self._due: Sequence[Verdict] = ()
        self._sent: asyncio.Task[None] | None = None

    @property
    def app(self) -> Application:
        """The app, for what is only done where it is there."""
        if self.held is None:
            raise RuntimeError("there is no app yet")
        return self.held

    @property
    def _path(self) -> str:
        return f"/applications/{self.app.object_id}"

    # --- reads

    async def look(self) -> None:
        """Read the app and its service principal. Raises OnboardingError where the app cannot be read."""
        self.held = await self._find()
        self.principal = await self._principal() if self.held else ""

    async def _find(self) -> Application | None:
        """The app by its id where one is given, which must then be there, else by the name that we gave it."""
        given = self._setup.app_id
        address = f"appId='{given}'" if given else f"uniqueName='{self._setup.unique_name}'"
        call = Call("GET", f"/applications({address})?$select={FIELDS}", f"read the app ({address})", READS)
        answer = await (self.graph.call(call) if given else self.graph.found(call))
        return None if answer is None else await self._whole(answer, call.operation)

    async def _principal(self) -> str | OnboardingError:
        path = f"/servicePrincipals(appId='{self.app.app_id}')?$select=id"
        call = Call("GET", path, "read the app's service principal", READS)
        try:
            answer = await self.graph.found(call)
            with documented(call.operation):
                return "" if answer is None else piece(answer["id"])
        except OnboardingError as error:
            return error

    async def _whole(self, answer: Any, operation: str) -> Application:
        """The app with its certificates, whose content only a read of nothing but them gives."""
        with documented(operation):
            path = f"/applications/{piece(answer['id'])}?$select=keyCredentials"
            keys = await self.graph.settled(Call("GET", path, "read the app's certificates", READS))
            return parse(answer, keys)

    async def again(self) -> Application:
        """The app as it is now, read by its id."""
        call = Call("GET", f"{self._path}?$select={FIELDS}", "read the app again", READS)
        return await self._whole(await self.graph.settled(call), call.operation)

    # --- writes

    def begin(self, due: Sequence[Verdict]) -> None:
        """What is written together from now on."""
        self._due, self._sent = due, None

    async def once(self, write: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """One request for all that is written together: the first part sends it, and each of them ends as it does."""
        self._sent = self._sent or asyncio.create_task(write())
        await self._sent

    async def set_properties(self) -> None:
        """All properties that are due in one PATCH, which makes the app where there is none."""
        sent = body(self.held, self._due)
        if self.held is not None:
            await self.graph.call(Call("PATCH", self._path, "change the app", WRITES, sent))
            return
        path = f"/applications(uniqueName='{self._setup.unique_name}')"
        await self.graph.call(Call("PATCH", path, "make the app", WRITES, sent, "create-if-missing"))
        call = Call("GET", f"{path}?$select={FIELDS}", "read the new app", READS)
        self.held = await self._whole(await self.graph.settled(call), call.operation)

    async def bring_home(self) -> None:
        """Make the service principal."""
        self.principal = await make_principal(self.graph, self.app.app_id)

    async def replace_keys(self) -> None:
        """PATCH replaces the whole list, so all that stay are sent again."""
        operation = "change the app's certificates"
        try:
            keys = key_list(self.app, self._due, self.now)
        except ValueError as error:
            text = f"Graph does not tell the content of {error}, which the change would lose; nothing was sent"
            raise RefusedError(operation, text, code="KeyNotTold", next_step=UNTOLD) from error
        await self.graph.settled(Call("PATCH", self._path, operation, WRITES, {"keyCredentials": keys}))

    async def add_key(self, one: Certificate) -> None:
        name = certificate_name(one.thumbprint)
        sent = {"keyCredential": new_key(one, self.now), "passwordCredential": None, "proof": self._proof()}
        try:
            call = Call("POST", f"{self._path}/addKey", f"add the {name}", PROOF, sent)
            answer = await self.graph.call(call)
            if not isinstance(answer, dict) or "keyId" not in answer:
                raise NoAnswerError(call.operation, "the answer shows no key", code="NotShown", status=200)
        except NoAnswerError:
            if not await self._has_key(one.thumbprint):
                raise

    async def remove_key(self, one: Credential) -> None:
        name = certificate_name(one.thumbprint)
        sent = {"keyId": one.raw["keyId"], "proof": self._proof()}
        try:
            await self.graph.call(Call("POST", f"{self._path}/removeKey", f"remove the {name}", PROOF, sent))
        except NoAnswerError:
            if await self._has_key(one.thumbprint):
                raise

    def _proof(self) -> str:
        if self._signer is None:
            raise RuntimeError("there is no certificate to prove anything with")
        return certificates.proof(self._signer, self.app.object_id, datetime.now(UTC))

    async def _has_key(self, thumbprint: str) -> bool:
        return thumbprint in {key.thumbprint for key in (await self.again()).certificates}

    async def make_secret(self) -> str:
        """The text of a new secret. Without a whole answer one may be there that nobody knows: it is taken away."""
        name, days = self._setup.wanted.secret_name, self._setup.wanted.secret_days
        ends = (self.now + timedelta(days=days)).strftime(STAMP)
        sent = {"passwordCredential": {"displayName": name, "endDateTime": ends}}
        call = Call("POST", f"{self._path}/addPassword", f"make the secret {name}", WRITES, sent, once=True)
        try:
            with documented(call.operation):
                return str((await self.graph.settled(call))["secretText"])
        except NoAnswerError:
            await self._unmake_secret(name)
            raise

    async def _unmake_secret(self, name: str) -> None:
        """Remove every secret of this name that was not there before."""
        before = {one.raw["keyId"] for one in self.app.secrets}
        for one in (await self.again()).secrets:
            if one.name == name and one.raw["keyId"] not in before:
                sent = {"keyId": one.raw["keyId"]}
                path = f"{self._path}/removePassword"
                await self.graph.call(Call("POST", path, f"remove the unknown secret {name}", WRITES, sent))
