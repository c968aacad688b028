# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who writes rights and who sees whether they count: an administrator and the app, in the tenants of each."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from ..._core.errors import InputError, SignInError
from ..._core.redaction import Redactor
from ..arm.client import Arm, connected
from ..identity.credentials import claims, object_id
from ..identity.options import READ, Identity

REQUESTS_IN_FLIGHT = 4


class Identities:
    """arm: of the identity that does the work; app: of the app itself, None where it was given nothing to sign in with.

    Without an administrator's token both are one. tenant: where the work is done.
    """

    arm: Arm
    app: Arm | None = None

    def __init__(self, identity: Identity, redactor: Redactor) -> None:
        self.identity, self.redactor = identity, redactor
        self.tenant = _tenant(identity)

    async def __aenter__(self) -> Identities:
        async with AsyncExitStack() as opened:
            self.arm = await self._open(opened, self.identity._replace(sign_in=self.tenant))
            if not self.identity.access_token:
                self.app = self.arm
            elif self.identity.has_own:
                self.app = await self._open(opened, self.identity._replace(access_token=None))
            self._stack = opened.pop_all()
        return self

    async def _open(self, opened: AsyncExitStack, identity: Identity) -> Arm:
        return await opened.enter_async_context(connected(identity, REQUESTS_IN_FLIGHT, self.redactor))

    async def __aexit__(self, *_trouble: object) -> None:
        await self._stack.aclose()

    async def object_id(self, tenant: str) -> str:
        """Of the app in a tenant. Raises SignInError, and InputError where the app cannot sign in."""
        if self.app is None:
            raise InputError(
                READ,
                "principal_id is missing, and only the app itself can tell its own",
                next_step="set principal_id, or one of client_secret, client_certificate_path, federated_token_file",
            )
        return await object_id(self.app.tokens, tenant, self.identity.cloud.arm_scope)

    async def principal(self, tenant: str, given: str) -> tuple[str, Arm | None]:
        """(object id of the principal, the app's Arm where it is the app and can sign in). Raises OnboardingError."""
        try:
            own = await self.object_id(tenant)
        except (InputError, SignInError):
            if given:
                return given, None
            raise
        wanted = given or own
        return wanted, self.app if wanted.casefold() == own.casefold() else None

    def summary(self) -> dict[str, Any]:
        """Further fields of a result's summary."""
        return {"credentials": self.identity.expiries(), **self.arm.costs()}


def _tenant(identity: Identity) -> str:
    """An administrator's token is one of the customer's tenant, or of the managing one where it says so."""
    if not identity.access_token:
        return identity.sign_in
    claimed = str(claims(identity.access_token).get("tid", ""))
    return identity.sign_in if claimed.casefold() == identity.sign_in.casefold() else identity.tenant_id
