# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The token endpoint: what it gives, and every refusal with Entra's own code."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization

from lab.client import LabClient
from lab.entra.token_endpoint import ASSERTION, _b64
from lab.kernel.ca import Identity, make_app
from lab.testing import CLIENT_ID, CONTOSO, FABRIKAM, PROSEWARE, TAILSPIN

Ask = Callable[..., tuple[int, Any]]


def code(answer: tuple[int, Any]) -> tuple[int, int]:
    """(status, AADSTS code), after a look at the body's form."""
    status, body = answer
    assert body["error_description"].startswith(f"AADSTS{body['error_codes'][0]}: ")
    assert {"error", "trace_id", "correlation_id", "timestamp"} <= set(body)
    return status, body["error_codes"][0]


def claims(answer: tuple[int, Any]) -> dict[str, Any]:
    status, body = answer
    assert status == 200, body
    return dict(jwt.decode(body["access_token"], options={"verify_signature": False}))


def assertion(lab: LabClient, identity: Identity, tenant: str = CONTOSO, **changes: Any) -> dict[str, str]:
    """The form fields of a certificate's assertion."""
    now = int(time.time())
    payload = {
        "aud": f"{lab.url}/{tenant}/oauth2/v2.0/token",
        "iss": CLIENT_ID,
        "sub": CLIENT_ID,
        "jti": str(uuid.uuid4()),
        "nbf": now,
        "exp": now + 600,
    }
    der = identity.certificate.public_bytes(serialization.Encoding.DER)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(der)
    text = jwt.encode(payload | changes, identity.key, algorithm="RS256", headers={"x5t#S256": _b64(digest.finalize())})
    return {"client_assertion": text, "client_assertion_type": ASSERTION}


def test_token_speaks_for_the_principal_of_the_tenant(lab: LabClient, ask: Ask) -> None:
    first, second = claims(ask(CONTOSO)), claims(ask(TAILSPIN))
    assert (first["tid"], second["tid"]) == (CONTOSO, TAILSPIN)
    assert first["oid"] != second["oid"]
    assert first["appid"] == second["appid"] == CLIENT_ID
    assert first["aud"] == lab.url
    assert first["iss"] == f"https://sts.windows.net/{CONTOSO}/"
    assert first["exp"] - first["iat"] == 3599


def test_token_is_signed_by_the_published_key(lab: LabClient, ask: Ask) -> None:
    text = ask(CONTOSO)[1]["access_token"]
    key = lab.call("GET", f"/{CONTOSO}/discovery/v2.0/keys")[2]["keys"][0]
    jwt.decode(text, jwt.PyJWK(key), algorithms=["RS256"], audience=lab.url)
    assert jwt.get_unverified_header(text)["kid"] == key["kid"]


@pytest.mark.parametrize(
    "resource", ["https://management.azure.com/", "https://management.core.windows.net", "https://api.loganalytics.io"]
)
def test_scopes_of_the_public_cloud_are_known(ask: Ask, resource: str) -> None:
    assert claims(ask(CONTOSO, f"{resource}/.default"))["aud"] == resource.rstrip("/")


def test_token_life_is_settable(lab: LabClient, ask: Ask) -> None:
    lab.configure(token_life=60)
    status, body = ask(CONTOSO)
    assert (status, body["expires_in"]) == (200, 60)


@pytest.mark.parametrize(
    ("tenant", "form", "expected"),
    [
        (CONTOSO, {"client_id": str(uuid.UUID(int=7))}, (400, 700016)),
        (CONTOSO, {"client_secret": "wrong"}, (401, 7000215)),
        (CONTOSO, {"client_secret": "expired-lab-secret"}, (401, 7000222)),
        (CONTOSO, {"client_secret": ""}, (401, 7000218)),
        (str(uuid.UUID(int=9)), {}, (400, 90002)),
        (FABRIKAM, {}, (401, 7000229)),
        (CONTOSO, {"grant_type": "password"}, (400, 70003)),
        (CONTOSO, {"scope": "https://management.azure.com/user_impersonation"}, (400, 1002012)),
        (CONTOSO, {"scope": "https://unknown.example/.default"}, (400, 500011)),
        (CONTOSO, {"client_assertion": "x.y.z", "client_assertion_type": ASSERTION}, (401, 50027)),
    ],
)
def test_refusals(ask: Ask, tenant: str, form: dict[str, str], expected: tuple[int, int]) -> None:
    assert code(ask(tenant, **form)) == expected


def test_secret_that_expired_or_went(lab: LabClient, ask: Ask) -> None:
    lab.edit("expire_secret")
    assert code(ask(CONTOSO)) == (401, 7000222)
    lab.edit("remove_secret")
    assert code(ask(CONTOSO)) == (401, 7000215)


def test_consent_that_was_taken_back(lab: LabClient, ask: Ask) -> None:
    lab.edit("remove_principal", tenant=CONTOSO)
    assert code(ask(CONTOSO)) == (401, 7000229)


def test_unknown_tenant_in_discovery(lab: LabClient) -> None:
    status, _headers, body = lab.call("GET", f"/{uuid.UUID(int=9)}/v2.0/.well-known/openid-configuration")
    assert code((status, body)) == (400, 90002)


def test_certificate(lab: LabClient, ask: Ask, registered: Identity) -> None:
    assert claims(ask(CONTOSO, **assertion(lab, registered)))["tid"] == CONTOSO


def test_certificate_that_is_not_registered(lab: LabClient, ask: Ask) -> None:
    assert code(ask(CONTOSO, **assertion(lab, make_app("other")))) == (401, 700027)


def test_certificate_named_but_signed_by_another_key(lab: LabClient, ask: Ask, registered: Identity) -> None:
    forged = Identity(registered.certificate, make_app("other").key)
    assert code(ask(CONTOSO, **assertion(lab, forged))) == (401, 700027)


def test_assertion_for_another_tenant(lab: LabClient, ask: Ask, registered: Identity) -> None:
    assert code(ask(CONTOSO, **assertion(lab, registered, tenant=PROSEWARE))) == (401, 700023)


def test_assertion_that_expired(lab: LabClient, ask: Ask, registered: Identity) -> None:
    old = int(time.time()) - 3600
    assert code(ask(CONTOSO, **assertion(lab, registered, nbf=old, exp=old + 600))) == (401, 700024)


def federated(text: str) -> dict[str, str]:
    return {"client_assertion": text, "client_assertion_type": ASSERTION}


def test_federated_token(lab: LabClient, ask: Ask) -> None:
    text = Path(lab.federated_token_file).read_text()
    assert claims(ask(TAILSPIN, **federated(text)))["tid"] == TAILSPIN


@pytest.mark.parametrize(("claim", "expected"), [("iss", 700211), ("aud", 700212), ("sub", 700213), (None, 700027)])
def test_federated_token_that_matches_no_credential(lab: LabClient, ask: Ask, claim: str | None, expected: int) -> None:
    """The claims are compared first; with all of them right, the signature is still not the issuer's."""
    payload = jwt.decode(Path(lab.federated_token_file).read_text(), options={"verify_signature": False})
    if claim:
        payload[claim] = "other"
    text = jwt.encode(payload, make_app("other").key, algorithm="RS256")
    assert code(ask(TAILSPIN, **federated(text))) == (401, expected)
