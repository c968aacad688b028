# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two identities of a module that gives rights: who does the work, and the app that gets them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack, nullcontext
from typing import Any

from ..._core.errors import InputError, SignInError
from ..._core.evidence import EvidenceFile
from ..._core.redaction import Redactor
from ..arm.client import Arm, connected
from ..identity.credentials import claims, object_id
from ..identity.options import READ, Identity
from .targets import Verdict

REQUESTS_IN_FLIGHT = 4


class Ways:
    """arm: of the identity that does the work; app: of the app itself, None where it was given nothing to sign in with.

    Without an administrator's token both are one. tenant: where the work is done.
    """

    arm: Arm
    app: Arm | None = None

    def __init__(self, identity: Identity, redactor: Redactor) -> None:
        self.identity, self.redactor = identity, redactor
        self.tenant = _tenant(identity)

    async def __aenter__(self) -> Ways:
        async with AsyncExitStack() as opened:
            self.arm = await self._open(opened, self.identity._replace(sign_in=self.tenant))
            if not self.identity.access_token:
                self.app = self.arm
            elif any(self.identity.secrets.values()):
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


def _tenant(identity: Identity) -> str:
    """An administrator's token is one of the customer's tenant, or of the managing one where it says so."""
    if not identity.access_token:
        return identity.sign_in
    claimed = str(claims(identity.access_token).get("tid", ""))
    return identity.sign_in if claimed.casefold() == identity.sign_in.casefold() else identity.tenant_id


async def principal(ways: Ways, tenant: str, given: str | None) -> tuple[str, Arm | None]:
    """(object id of the principal, its own way where it is the app and can sign in). Raises OnboardingError."""
    try:
        own = await ways.object_id(tenant)
    except (InputError, SignInError):
        if given:
            return given, None
        raise
    wanted = given or own
    return wanted, ways.app if wanted.casefold() == own.casefold() else None


def finished(
    result: dict[str, Any], verdicts: Sequence[Verdict], ways: Ways, evidence_path: str | None, reporter: Any
) -> dict[str, Any]:
    """The result with what it cost, and its evidence written."""
    result["summary"] |= {
        "credentials": ways.identity.expiries(),
        "requests": dict(ways.arm.requests),
        "throttled_answers": ways.arm.throttled,
        "throttled_seconds": round(ways.arm.buckets.throttled_seconds, 1),
    }
    with EvidenceFile(evidence_path, redact=ways.redactor) if evidence_path else nullcontext() as evidence:
        for one in verdicts:
            if one.error:
                reporter.failure(str(one.error))
            if evidence:
                evidence.write(one.line())
    result["evidence"] = str(evidence_path) if evidence and not evidence.error else ""
    result["problems"] += evidence.problems if evidence else []
    reporter.update(done=len(verdicts), changed=sum(one.written for one in verdicts))
    return result
