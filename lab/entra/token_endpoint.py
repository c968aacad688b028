# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Entra: the token endpoint for client credentials.

Codes and wording of the errors: learn.microsoft.com, reference-error-codes. Bodies and claims follow the v2.0
client-credentials protocol; which HTTP status goes with which code is assumed where the protocol leaves it open.
"""

from __future__ import annotations

import base64
import hashlib
import re
import time
import uuid
from typing import Any
from urllib.parse import parse_qsl

import jwt
from cryptography.hazmat.primitives import hashes, serialization

from lab.entra import directory_roles
from lab.entra.directory import App, Key, ServicePrincipal, granted
from lab.entra.state import Entra
from lab.kernel.clock import stamp
from lab.kernel.http import Call, Refusal, Reply, dumps, ok

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ARM_AUDIENCES = frozenset(
    {
        "https://management.azure.com",
        "https://management.core.windows.net",
        "https://management.usgovcloudapi.net",
        "https://eventhubs.azure.net",
        "https://management.core.usgovcloudapi.net",
        "https://management.chinacloudapi.cn",
        "https://management.core.chinacloudapi.cn",
    }
)
LOGS_AUDIENCES = frozenset(
    {
        "https://api.loganalytics.io",
        "https://api.loganalytics.azure.com",
        "https://api.loganalytics.us",
    }
)
INGESTION_AUDIENCES = frozenset({"https://monitor.azure.com", "https://monitor.azure.us", "https://monitor.azure.cn"})
_AZURE = ARM_AUDIENCES | LOGS_AUDIENCES | INGESTION_AUDIENCES
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
COMMON = ("common", "organizations")


def refuse(status: int, error: str, code: int, message: str) -> Refusal:
    """An error of the token endpoint."""
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    now = stamp(time.time())[:19].replace("T", " ") + "Z"
    return Refusal(
        Reply(
            status,
            dumps(
                {
                    "error": error,
                    "error_description": f"AADSTS{code}: {message} Trace ID: {trace} Correlation ID: {correlation} "
                    f"Timestamp: {now}",
                    "error_codes": [code],
                    "timestamp": now,
                    "trace_id": trace,
                    "correlation_id": correlation,
                    "error_uri": f"https://login.microsoftonline.com/error?code={code}",
                }
            ),
        )
    )


def tenant_id(entra: Entra, name: str) -> str:
    """Tenant id by id or domain; AADSTS90002 when there is none."""
    found = entra.tenant_named(name)
    if found is None:
        raise refuse(
            400,
            "invalid_request",
            90002,
            f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the "
            "correct cloud. Check with your subscription administrator, this may happen if there are no active "
            "subscriptions for the tenant.",
        )
    return found.id


# -- the token endpoint -----------------------------------------------------------------------------------------------


def token(entra: Entra, call: Call) -> Reply:
    """POST /{tenant}/oauth2/v2.0/token with grant client_credentials."""
    form = dict(parse_qsl(call.body.decode("utf-8", "replace")))
    tenant = tenant_id(entra, call.low.split("/")[1])
    for name in ("grant_type", "client_id", "scope"):
        if not form.get(name):
            raise refuse(
                400, "invalid_request", 900144, f"The request body must contain the following parameter: '{name}'."
            )
    if form["grant_type"] != "client_credentials":
        raise refuse(
            400, "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{form['grant_type']}'."
        )
    app = entra.apps.get(form["client_id"].lower())
    if app is None or not app.known_in(tenant):
        raise refuse(
            400,
            "unauthorized_client",
            700016,
            f"Application with identifier '{form['client_id']}' was not found in the directory '{tenant}'. This can "
            "happen if the application has not been installed by the administrator of the tenant or consented to by "
            "any "
            "user in the tenant. You may have sent your authentication request to the wrong tenant.",
        )
    audience, resource = _audience(entra, tenant, form["scope"])
    _authenticate(entra, app, tenant, form)
    principal = entra.directory.find(tenant, app.client_id)
    if principal is None:
        raise refuse(
            401,
            "invalid_client",
            7000229,
            f"The client application {app.client_id} is missing service principal in the tenant {tenant}. See "
            "instructions here: https://go.microsoft.com/fwlink/?linkid=2225119",
        )
    if not principal.enabled:  # assumed: after the proof of the client
        raise refuse(
            400,
            "unauthorized_client",
            7000112,
            f"Application '{app.client_id}'({principal.name}) is disabled.",
        )
    life = entra.token_life
    claims = _app_claims(entra, app, principal, resource)
    return ok(
        {
            "token_type": "Bearer",
            "expires_in": life,
            "ext_expires_in": life,
            "access_token": sign(entra, tenant, principal.oid, audience, life, **claims),
        }
    )


def _audience(entra: Entra, tenant: str, scope: str) -> tuple[str, str | None]:
    """The token's audience, and the app id of the resource app that it is for; Azure's own APIs have no roles here."""
    resource, dot, rest = scope.partition("/.default")
    resource = resource.rstrip("/")
    if not dot or rest:
        raise refuse(
            400,
            "invalid_scope",
            1002012,
            f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
            "/.default suffixed to the resource identifier (application ID URI).",
        )
    if resource in entra.lab.origins or resource in _AZURE:
        return resource, None
    found = resource_of(entra, tenant, resource)
    if found is None:
        raise refuse(
            400,
            "invalid_resource",
            500011,
            f"The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if "
            "the application has not been installed by the administrator of the tenant or consented to by any user in "
            "the tenant.",
        )
    return resource, found.app_id


def resource_of(entra: Entra, tenant: str, name: str) -> ServicePrincipal | None:
    """The resource app that a scope names, the lab's own address of Microsoft Graph among the names."""
    return entra.directory.resource(tenant, directory_roles.GRAPH if name in entra.graph_audiences else name)


def _app_claims(entra: Entra, app: App, principal: ServicePrincipal, resource: str | None) -> dict[str, Any]:
    """What makes it an app's token; `roles` is left out where there are none, as Entra does."""
    roles = granted(principal, resource, entra.now() - entra.token_lag) if resource else []
    return {"appid": app.client_id, "appidacr": "1", "idtyp": "app", **({"roles": roles} if roles else {})}


def sign(entra: Entra, tenant: str, oid: str, audience: str, life: int, **more: Any) -> str:
    """An access token of form 1.0, as Azure's APIs get them."""
    now = int(time.time())
    claims = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{tenant}/",
        "iat": now,
        "nbf": now - 5,
        "exp": now + life,
        "aio": base64.b64encode(uuid.uuid4().bytes * 2).decode(),
        "idp": f"https://sts.windows.net/{tenant}/",
        "oid": oid,
        "sub": oid,
        "tid": tenant,
        "uti": uuid.uuid4().hex[:22],
        "ver": "1.0",
        "xms_tcdt": now - 86400 * 365,
        **more,
    }
    return jwt.encode(
        claims, entra.signer.key, algorithm="RS256", headers={"kid": entra.signer.id, "x5t": entra.signer.id}
    )


# -- proof of the client ----------------------------------------------------------------------------------------------


def _authenticate(entra: Entra, app: App, tenant: str, form: dict[str, str]) -> None:
    if "client_assertion" in form:
        _check_assertion(entra, app, tenant, form)
    elif "client_secret" in form:
        _check_secret(entra, app, form["client_secret"])
    else:
        raise refuse(
            401,
            "invalid_client",
            7000218,
            ("The request body must contain the following parameter: 'client_assertion' or 'client_secret'."),
        )


def _check_secret(entra: Entra, app: App, value: str) -> None:
    for secret in app.secrets:
        if secret.value == value:
            if secret.expires > entra.now():
                return
            raise refuse(
                401,
                "invalid_client",
                7000222,
                f"The provided client secret keys for app '{app.client_id}' are expired. Visit the Azure portal to "
                "create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate "
                "credentials "
                "for added security: https://aka.ms/certCreds.",
            )
    raise refuse(
        401,
        "invalid_client",
        7000215,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not "
        "the "
        f"client secret ID, for a secret added to app '{app.client_id}'.",
    )


def _check_assertion(entra: Entra, app: App, tenant: str, form: dict[str, str]) -> None:
    if form.get("client_assertion_type") != ASSERTION:
        raise refuse(
            400,
            "invalid_request",
            900144,
            "The request body must contain the following parameter: 'client_assertion_type'.",
        )
    assertion = form["client_assertion"]
    try:
        header = jwt.get_unverified_header(assertion)
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise refuse(401, "invalid_client", 50027, "JWT token is invalid or malformed.") from None
    if claims.get("iss") == app.client_id:
        _check_certificate(entra, app, tenant, assertion, header)
    else:
        _check_federation(entra, app, assertion, claims)


def _check_certificate(entra: Entra, app: App, tenant: str, assertion: str, header: dict[str, Any]) -> None:
    """The app's own assertion: signed by a registered certificate that x5t or x5t#S256 names, for this endpoint."""
    for key in app.certificates:
        der = key.certificate.public_bytes(serialization.Encoding.DER)
        sha1 = _b64(key.certificate.fingerprint(hashes.SHA1()))
        # azure-identity's asyncio credential (1.27) pads the thumbprint.
        given = {str(header.get(name, "")).rstrip("=") for name in ("x5t", "x5t#S256")}
        if given.isdisjoint({sha1, _b64(hashlib.sha256(der).digest())}) or entra.lags(key.made):
            continue
        _check_dates(entra, app, key)
        accepted = [
            f"{entra.url}/{part}{tail}"
            for part in (tenant, *COMMON)
            for tail in ("/oauth2/v2.0/token", "/v2.0", "/oauth2/token")
        ]
        _verified(app, assertion, key.certificate.public_key(), accepted)
        return
    thumb = header.get("x5t#S256") or header.get("x5t")
    raise refuse(
        401,
        "invalid_client",
        700027,
        "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - "
        f"The key was not found., Thumbprint of key used by client: '{thumb}', Please visit the Azure Portal, Graph "
        f"Explorer or directly use MS Graph to see configured keys for app Id '{app.client_id}'.]",
    )


def _check_dates(entra: Entra, app: App, key: Key) -> None:
    if key.started <= entra.now() < key.expires:
        return
    start, end = (stamp(entra.shown(at))[:19] for at in (key.started, key.expires))
    raise refuse(
        401,
        "invalid_client",
        700027,
        "The certificate with identifier used to sign the client assertion is expired on application. [Reason - The "
        f"key used is expired., Found key 'Start={start}Z, End={end}Z', Please visit the Azure Portal, Graph Explorer "
        f"or directly use MS Graph to see configured keys for app Id '{app.client_id}'.]",
    )


def _verified(app: App, assertion: str, key: Any, audience: list[str]) -> None:
    try:
        jwt.decode(assertion, key, algorithms=["RS256", "PS256"], audience=audience, leeway=300)
    except jwt.ExpiredSignatureError:
        raise refuse(
            401,
            "invalid_client",
            700024,
            "Client assertion is not within its valid time range. Ensure that the access token is not expired before "
            "using it for user assertion, or request a new token.",
        ) from None
    except jwt.InvalidAudienceError:
        raise refuse(
            401, "invalid_client", 700023, "Client assertion audience claim does not match Realm issuer."
        ) from None
    except jwt.PyJWTError:
        raise refuse(
            401,
            "invalid_client",
            700027,
            "Client assertion contains an invalid signature. [Reason - The provided signature value did not match the "
            f"expected signature value., app Id '{app.client_id}'.]",
        ) from None


def _check_federation(entra: Entra, app: App, assertion: str, claims: dict[str, Any]) -> None:
    """A workload identity's assertion: issuer, subject and audience must equal one registered credential."""
    issuer, subject = claims.get("iss"), claims.get("sub")
    same_issuer = [f for f in app.federations if f.issuer == issuer]
    if not same_issuer:
        raise refuse(
            401,
            "invalid_client",
            700211,
            f"No matching federated identity record found for presented assertion issuer '{issuer}'.",
        )
    audience = claims.get("aud")
    for federation in same_issuer:
        if federation.subject == subject:
            if federation.audience not in ([audience] if isinstance(audience, str) else audience or []):
                raise refuse(
                    401,
                    "invalid_client",
                    700212,
                    (f"No matching federated identity record found for presented assertion audience '{audience}'."),
                )
            key = serialization.load_pem_public_key(federation.public_key.encode())
            _verified(app, assertion, key, [federation.audience])
            return
    raise refuse(
        401,
        "invalid_client",
        700213,
        f"No matching federated identity record found for presented assertion subject '{subject}'.",
    )


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
