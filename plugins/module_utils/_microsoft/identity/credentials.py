# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens of the multitenant app: one credential, one token a tenant, each checked for its tenant."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import importlib
import logging
import os
import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from ..._core import bodies
from ..._core.bodies import is_token
from ..._core.client import ODD_SHAPE, documented
from ..._core.errors import InputError, MissingLibraryError, SignInError, tls_step
from ..._core.http import BROKEN_BODIES
from ..._core.redaction import Redactor
from . import certificate_file
from .cloud import Cloud
from .refusals import OTHER_STEP, cure
from .transport import limited

try:
    from azure.core.exceptions import AzureError
    from azure.identity.aio import CertificateCredential, ClientSecretCredential, WorkloadIdentityCredential
except ImportError:  # said by Tokens, so that documentation tools can import this file

    class AzureError(Exception):  # type: ignore[no-redef]
        """Stands for the library's own."""

    ClientSecretCredential = None  # type: ignore[assignment,misc]

with contextlib.suppress(ImportError):
    # azure-core imports it with the first request, which took 20 ms in each of Ansible's workers.
    importlib.import_module("azure.core.rest._aiohttp")

# azure-identity logs what it also raises; without a handler Python prints that to stderr, past Ansible's display.
logging.getLogger("azure").addHandler(logging.NullHandler())

REFRESH_SECONDS = 300
# A request that is under way when its token ends is refused.
ENDING_SECONDS = 10
# azure-identity by itself waits for five minutes, and tries again three times.
SIGN_IN_SECONDS = 60
# A refused sign-in is not tried again for this long: every target of the tenant would ask for the same.
REFUSED_SECONDS = 60


class Cached(NamedTuple):
    token: str
    refresh_at: float
    ends_at: float


NOTHING = Cached("", 0.0, 0.0)


class Tokens:
    """Access tokens by tenant and scope; one request in flight for each, refreshed before they end.

    Facts: azure-identity 1.27 answers for another tenant only when it is allowed, and with
    AZURE_IDENTITY_DISABLE_MULTITENANTAUTH set it returns the default tenant's token without a word. So each token's
    C(tid) claim is compared with the tenant that was asked for.
    """

    def __init__(self, make: Callable[[], Any], redactor: Redactor) -> None:
        self._make = make
        self._credential = make()
        self._spent: list[Any] = []
        self._replaced: dict[tuple[str, str], float] = {}
        self._redactor = redactor
        self._cache: dict[tuple[str, str], Cached] = {}
        self._refused: dict[tuple[str, str], tuple[SignInError, float]] = {}
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}

    async def get(self, tenant: str, scope: str) -> str:
        """The token as text. Raises SignInError."""
        key = (tenant, scope)
        if token := self._fresh(key):
            return token
        async with self._locks.setdefault(key, asyncio.Lock()):
            if token := self._fresh(key):
                return token
            error, until = self._refused.get(key, (None, 0.0))
            if not error or time.time() >= until:
                try:
                    return await self._fetch(key)
                except SignInError as refused:
                    error = refused
                    self._refused[key] = (error, time.time() + REFUSED_SECONDS)
            # A token that is due is good until it ends: Azure/azure-sdk-for-java PR#11704.
            if token := self._living(key):
                return token
            raise error

    def refuse(self, tenant: str, scope: str, token: str) -> bool:
        """Forget a token that the vendor refused, with the credential that keeps it: azure-identity caches too.

        At most once in REFUSED_SECONDS, since every target of the tenant is refused alike. Whether the next one that
        is asked for may be another: always, since one that is over is renewed in any case.
        """
        key, now = (tenant, scope), time.time()
        if self._cache.get(key, NOTHING).token != token or now < self._replaced.get(key, 0.0) + REFUSED_SECONDS:
            return True
        del self._cache[key]
        self._replaced[key] = now
        self._spent.append(self._credential)
        self._credential = self._make()
        return True

    def _fresh(self, key: tuple[str, str]) -> str | None:
        cached = self._cache.get(key, NOTHING)
        return cached.token if time.time() < cached.refresh_at else None

    def _living(self, key: tuple[str, str]) -> str | None:
        cached = self._cache.get(key, NOTHING)
        return cached.token if time.time() < cached.ends_at - ENDING_SECONDS else None

    async def _fetch(self, key: tuple[str, str]) -> str:
        tenant, scope = key
        operation = f"sign in to tenant {tenant}"
        try:
            async with asyncio.timeout(SIGN_IN_SECONDS):
                token = await self._credential.get_token(scope, tenant_id=tenant)
        except TimeoutError as error:
            text = f"no answer within {SIGN_IN_SECONDS} s"
            raise SignInError(operation, text, code="Timeout", next_step=OTHER_STEP) from error
        except AzureError as error:
            raise _sign_in_error(operation, self._redactor(str(error))) from error
        except (*BROKEN_BODIES, *ODD_SHAPE) as error:
            text = self._redactor(str(error))
            raise SignInError(operation, text, code=type(error).__name__, next_step=OTHER_STEP) from error
        if not is_token(token.token):
            raise SignInError(operation, "what came is no token", code="BadShape", next_step=OTHER_STEP)
        self._redactor.add(token.token)
        claimed = str(claims(token.token).get("tid", ""))
        if claimed.casefold() != tenant.casefold():
            raise SignInError(
                operation,
                f"the token that came is one of tenant {claimed or 'unknown'}",
                code="WrongTenant",
                next_step="unset AZURE_IDENTITY_DISABLE_MULTITENANTAUTH where this runs, and check the tenant ids",
            )
        # A token that lives for less than twice the margin is used for half its life, not fetched for each request.
        now = time.time()
        refresh_at = max(token.expires_on - REFRESH_SECONDS, (token.expires_on + now) / 2)
        self._cache[key] = Cached(str(token.token), refresh_at, token.expires_on)
        return str(token.token)

    async def close(self) -> None:
        for credential in (*self._spent, self._credential):
            await credential.close()


class GivenToken:
    """One access token that an administrator gave, in the place of Tokens; never fetched again, only checked."""

    def __init__(self, token: str, redactor: Redactor) -> None:
        redactor.add(token)
        self._token = token
        self._claims = claims(token)

    async def get(self, tenant: str, scope: str) -> str:
        """The token. Raises SignInError where it is one of another tenant, or its time is over."""
        operation = f"use the access_token in tenant {tenant}"
        step = f"get a fresh one: az account get-access-token --tenant {tenant} --scope {scope} --query accessToken"
        claimed = str(self._claims.get("tid", ""))
        if claimed.casefold() != tenant.casefold():
            text = f"it is one of tenant {claimed or 'unknown'}"
            raise SignInError(operation, text, code="WrongTenant", next_step=step)
        with documented(operation):
            ends = bodies.amount(self._claims.get("exp", 0))
        if time.time() >= ends:
            raise SignInError(operation, "its time is over", code="TokenExpired", next_step=step)
        return self._token

    def refuse(self, tenant: str, scope: str, token: str) -> bool:
        """Nothing to fetch in its place: the refusal stands."""
        return False

    async def close(self) -> None:
        """Nothing is open."""


def claims(token: str) -> dict[str, Any]:
    """The claims of a JWT, read and not verified: the service verifies them. Empty when it is not a JWT."""
    try:
        payload = token.split(".")[1]
        return dict(bodies.parse(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
    except ODD_SHAPE:
        return {}


def roles_of(token: str) -> frozenset[str]:
    """The permissions of a resource that an app's token for it has."""
    return frozenset(map(str, claims(token).get("roles") or ()))


async def object_id(tokens: Tokens | GivenToken, tenant: str, scope: str) -> str:
    """The object id that the app has in a tenant, told by its token: no right in the directory is needed.

    Raises SignInError.
    """
    operation = f"find the app's object id in tenant {tenant}"
    found = claims(await tokens.get(tenant, scope)).get("oid")
    if not found:
        raise SignInError(operation, "its token has no oid", code="NoObjectId", next_step="set principal_id")
    with documented(operation):
        return bodies.piece(found)


def _sign_in_error(operation: str, text: str) -> SignInError:
    """Entra's own code and sentence out of what azure-identity wraps around them."""
    found = re.search(r"(AADSTS\d+): (.*?)(?: Trace ID: (\S+).*)?$", " ".join(text.split()))
    code, said, trace = found.groups() if found else ("SignInFailed", text.strip() or "the sign-in was refused", "")
    refused = "certificate verify failed" in text.casefold()
    step, owner = (tls_step(text), "") if refused else cure(code)
    return SignInError(operation, said.rstrip(" ."), code=code, next_step=step, request_id=trace or "", owner=owner)


def expiries(certificate_path: str | None, password: str | None = None) -> list[dict[str, str]]:
    """[{name, expires}] of the app's certificate, for the report; none for a secret, whose end only Graph knows."""
    if not certificate_path:
        return []
    try:
        ends = certificate_file.load(certificate_path, password, need_key=True).ends.replace(microsecond=0)
    except (InputError, MissingLibraryError):
        return []  # the sign-in has a better error for it
    return [{"name": f"certificate {os.path.basename(certificate_path)}", "expires": ends.isoformat()}]


def credential(
    cloud: Cloud,
    tenant: str,
    client_id: str,
    *,
    other_tenants: tuple[str, ...] = (),
    client_secret: str | None = None,
    client_certificate_path: str | None = None,
    client_certificate_password: str | None = None,
    federated_token_file: str | None = None,
    ca_file: str | None = None,
) -> Any:
    """An azure-identity credential (aio) of the one kind that is given. Raises InputError."""
    if ClientSecretCredential is None:
        raise MissingLibraryError("azure-identity")
    for path in (client_certificate_path, federated_token_file, ca_file):
        if path and not os.access(path, os.R_OK):
            raise InputError("read the identity's files", f"{path} is missing or cannot be read")
    common: dict[str, Any] = {
        "authority": cloud.authority,
        "disable_instance_discovery": cloud.own_authority,
        "additionally_allowed_tenants": list(other_tenants),
        **limited(ca_file),
    }
    try:
        if client_secret:
            return ClientSecretCredential(tenant, client_id, client_secret, **common)
        if client_certificate_path:
            held = certificate_file.usable(client_certificate_path, client_certificate_password)
            return CertificateCredential(tenant, client_id, certificate_data=held.pem(), **common)
        return WorkloadIdentityCredential(
            tenant_id=tenant, client_id=client_id, token_file_path=federated_token_file, **common
        )
    except ValueError as error:
        raise InputError("make the credential", str(error)) from error
