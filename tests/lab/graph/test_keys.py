# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Graph: certificates and secrets of an application, and rolling them with proof of possession."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from lab.client import LabClient
from lab.kernel.ca import Identity, make_app
from lab.testing import CLIENT_ID, CONTOSO, PROSEWARE
from tests.lab.conftest import ask_token, token
from tests.lab.graph.graph_tools import GRAPH_SCOPE, OURS, code, entry, proof, signed_in


def made(key: Any, days: float = 30, ago: float = 1) -> Identity:
    """A self-signed certificate of that key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "soc")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(now - timedelta(days=ago))
    return Identity(builder.not_valid_after(now + timedelta(days=days)).sign(key, hashes.SHA256()), key)


def keys(lab: LabClient) -> list[dict[str, Any]]:
    return list(lab.graph(PROSEWARE, "GET", f"{OURS}?$select=keyCredentials")[1]["keyCredentials"])


# -- upload -----------------------------------------------------------------------------------------------------------


def test_key_is_shown_only_when_asked_for_by_name(lab: LabClient, registered: Identity) -> None:
    assert lab.graph(PROSEWARE, "GET", OURS)[1]["keyCredentials"][0]["key"] is None
    listed = lab.graph(PROSEWARE, "GET", "applications?$select=keyCredentials")[1]["value"][0]
    assert listed["keyCredentials"][0]["key"] is None
    assert keys(lab)[0]["key"] == entry(registered)["key"]
    assert keys(lab)[0]["customKeyIdentifier"] == registered.certificate.fingerprint(hashes.SHA1()).hex().upper()


def test_patch_replaces_the_whole_list(lab: LabClient, registered: Identity) -> None:
    other = make_app("other")
    assert lab.graph(PROSEWARE, "PATCH", OURS, {"keyCredentials": [entry(other)]})[0] == 204
    assert (signed_in(lab, other), signed_in(lab, registered)) == (0, 700027)


def test_patch_keeps_what_is_sent_back(lab: LabClient, registered: Identity) -> None:
    other = make_app("other")
    old = keys(lab)[0]
    sent = [{**old, "key": None}, entry(other, displayName="new")]
    assert lab.graph(PROSEWARE, "PATCH", OURS, {"keyCredentials": sent})[0] == 204
    assert (signed_in(lab, other), signed_in(lab, registered)) == (0, 0)
    assert keys(lab)[0] == old
    assert lab.graph(PROSEWARE, "PATCH", OURS, {"keyCredentials": keys(lab)})[0] == 204  # with their keys
    assert [key["displayName"] for key in keys(lab)] == ["lab", "new"]


def iso(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (
            lambda: {"type": "AsymmetricX509Cert", "usage": "Verify", "keyId": str(uuid.UUID(int=7))},
            "Request_BadRequest",
        ),
        (lambda: entry(make_app("x"), usage="Sign"), "Request_BadRequest"),
        (lambda: entry(make_app("x"), key="bm8gY2VydGlmaWNhdGU="), "Request_BadRequest"),
        (lambda: entry(make_app("x"), key="***"), "Request_BadRequest"),
        (lambda: entry(made(rsa.generate_private_key(65537, 1024))), "Request_BadRequest"),
        (lambda: entry(made(ec.generate_private_key(ec.SECP256R1()))), "Request_BadRequest"),
        (lambda: entry(make_app("x"), endDateTime="soon"), "Request_BadRequest"),
        (lambda: entry(make_app("x"), endDateTime=iso(3000)), "KeyCredentialsInvalidEndDate"),
        (lambda: entry(made(rsa.generate_private_key(65537, 2048), days=-1, ago=9)), "KeyCredentialsInvalidEndDate"),
        (lambda: entry(make_app("x"), startDateTime=iso(-9)), "KeyCredentialsInvalidStartDate"),
    ],
)
def test_keys_that_are_refused(lab: LabClient, sent: Callable[[], dict[str, Any]], expected: str) -> None:
    before = keys(lab)
    assert code(lab.graph(PROSEWARE, "PATCH", OURS, {"keyCredentials": [*before, sent()]})) == (400, expected)
    assert keys(lab) == before


# -- expiry -----------------------------------------------------------------------------------------------------------


def test_certificate_that_expired(lab: LabClient, registered: Identity) -> None:
    lab.edit("expire_certificate")
    assert signed_in(lab, registered) == 700027
    assert datetime.fromisoformat(keys(lab)[0]["endDateTime"]) < datetime.now(UTC)


def test_time_runs_out(lab: LabClient, registered: Identity) -> None:
    before = datetime.fromisoformat(keys(lab)[0]["endDateTime"])
    lab.advance(20 * 86400)
    assert before - datetime.fromisoformat(keys(lab)[0]["endDateTime"]) == timedelta(days=20)
    assert signed_in(lab, registered) == 0
    lab.advance(20 * 86400)
    assert signed_in(lab, registered) == 700027


def test_new_certificate_takes_a_while(lab: LabClient, registered: Identity) -> None:
    lab.configure(graph_lag=3600)
    other = make_app("other")
    assert lab.graph(PROSEWARE, "PATCH", OURS, {"keyCredentials": [*keys(lab), entry(other)]})[0] == 204
    assert (signed_in(lab, other), signed_in(lab, registered)) == (700027, 0)
    lab.configure(graph_lag=0)
    assert signed_in(lab, other) == 0


# -- roll -------------------------------------------------------------------------------------------------------------


def test_roll_by_the_app_itself(lab: LabClient, registered: Identity) -> None:
    """No permission is needed for one's own keys, and both certificates are good until the old one is removed."""
    lab.edit(
        "revoke_permission", tenant=PROSEWARE, resource="microsoft_graph", permission="Application.ReadWrite.OwnedBy"
    )
    bearer, other, old = token(lab, PROSEWARE, scope=GRAPH_SCOPE), make_app("other"), keys(lab)[0]["keyId"]
    sent = {"keyCredential": entry(other), "passwordCredential": None, "proof": proof(lab, registered)}
    status, added = lab.graph(PROSEWARE, "POST", f"{OURS}/addKey", sent, bearer)
    assert (status, added["key"]) == (200, None)
    assert (signed_in(lab, other), signed_in(lab, registered)) == (0, 0)
    removal = {"keyId": old, "proof": proof(lab, other)}
    assert lab.graph(PROSEWARE, "POST", f"{OURS}/removeKey", removal, bearer) == (204, None)
    assert (signed_in(lab, other), signed_in(lab, registered)) == (0, 700027)
    assert code(lab.graph(PROSEWARE, "POST", f"{OURS}/removeKey", removal, bearer)) == (400, "Request_BadRequest")


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "00000003-0000-0000-c000-000000000000"},
        {"iss": CLIENT_ID},
        {"exp": int(time.time()) + 7200},
        {"exp": None},
        {"nbf": None},
        {"nbf": int(time.time()) - 7200, "exp": int(time.time()) - 6600},
    ],
)
def test_proof_with_a_wrong_claim(lab: LabClient, registered: Identity, changes: dict[str, Any]) -> None:
    sent = {"keyCredential": entry(make_app("other")), "proof": proof(lab, registered, **changes)}
    answer = lab.graph(PROSEWARE, "POST", f"{OURS}/addKey", sent)
    assert code(answer) == (401, "Authentication_MissingOrMalformed")
    assert len(keys(lab)) == 1


@pytest.mark.parametrize("case", ["other key", "expired", "none", "too new"])
def test_proof_by_a_key_that_does_not_count(lab: LabClient, registered: Identity, case: str) -> None:
    other = make_app("other")
    text = {"other key": proof(lab, other), "none": ""}.get(case) or proof(lab, registered)
    if case == "expired":
        lab.edit("expire_certificate")
    if case == "too new":
        lab.configure(graph_lag=3600)
        lab.graph(PROSEWARE, "PATCH", OURS, {"keyCredentials": [*keys(lab), entry(other)]})
        text = proof(lab, other)
    sent = {"keyCredential": entry(make_app("third")), "proof": "" if case == "none" else text}
    answer = lab.graph(PROSEWARE, "POST", f"{OURS}/addKey", sent)
    assert code(answer) == (401, "Authentication_MissingOrMalformed")


def test_roll_by_who_may_not(lab: LabClient, registered: Identity) -> None:
    user = lab.admin_token(PROSEWARE, "graph", "User")
    sent = {"keyCredential": entry(make_app("other")), "proof": proof(lab, registered)}
    assert code(lab.graph(PROSEWARE, "POST", f"{OURS}/addKey", sent, user)) == (403, "Authorization_RequestDenied")


# -- secrets ----------------------------------------------------------------------------------------------------------


def test_secret_is_shown_once(lab: LabClient) -> None:
    wanted = {"passwordCredential": {"displayName": "soc", "endDateTime": iso(30)}}
    status, added = lab.graph(PROSEWARE, "POST", f"{OURS}/addPassword", wanted)
    assert status == 200
    assert ask_token(lab, CONTOSO, client_secret=added["secretText"])[0] == 200
    read = lab.graph(PROSEWARE, "GET", OURS)[1]["passwordCredentials"]
    assert [(item["displayName"], item["secretText"]) for item in read] == [("lab", None), ("old", None), ("soc", None)]
    assert read[-1]["hint"] == added["secretText"][:3]
    path = f"{OURS}/removePassword"
    assert lab.graph(PROSEWARE, "POST", path, {"keyId": added["keyId"]})[0] == 204
    assert ask_token(lab, CONTOSO, client_secret=added["secretText"])[1]["error_codes"] == [7000215]
    assert code(lab.graph(PROSEWARE, "POST", path, {"keyId": added["keyId"]})) == (400, "Request_BadRequest")
