# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a certificate's file may hold, and the proof of possession that Graph verifies."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.application import certificates

NOW = datetime.now(UTC)
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def make(key: Any = RSA, *, end: timedelta = timedelta(days=365)) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "app")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    return builder.not_valid_before(NOW - timedelta(days=400)).not_valid_after(NOW + end).sign(key, hashes.SHA256())


def pem(key: Any) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))


def public(one: x509.Certificate) -> bytes:
    return one.public_bytes(serialization.Encoding.PEM)


def write(folder: Path, data: bytes) -> str:
    path = folder / "app.pem"
    path.write_bytes(data)
    return str(path)


@pytest.mark.parametrize("key_first", [True, False])
def test_of_a_file_with_a_key_only_the_certificate_is_taken(tmp_path: Path, key_first: bool) -> None:
    one = make()
    data = [pem(RSA), public(one)] if key_first else [public(one), pem(RSA)]
    found = certificates.read(write(tmp_path, b"".join(data)), NOW)
    assert found.der == one.public_bytes(serialization.Encoding.DER)
    assert found.thumbprint == one.fingerprint(hashes.SHA1()).hex().upper()
    assert (found.label, found.end) == ("app.pem", one.not_valid_after_utc)


SMALL = rsa.generate_private_key(public_exponent=65537, key_size=1024)
WRONG: dict[str, tuple[bytes, str]] = {
    "no certificate": (b"nothing\n", "holds no certificate"),
    "a key alone": (pem(RSA), "holds no certificate"),
    "broken": (public(make()).replace(b"MII", b"???", 1), "holds no certificate"),
    "too short a key": (public(make(SMALL)), "has 1024 bits"),
    "another kind of key": (public(make(ec.generate_private_key(ec.SECP256R1()))), "not RSA"),
    "expired": (public(make(end=timedelta(days=-1))), "expired on"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_entra_would_not_take_is_said_before_anything_is_sent(tmp_path: Path, case: str) -> None:
    data, words = WRONG[case]
    path = write(tmp_path, data)
    with pytest.raises(InputError, match=words) as caught:
        certificates.read(path, NOW)
    assert path in str(caught.value)
    assert caught.value.next_step


def test_a_missing_file_is_named() -> None:
    with pytest.raises(InputError, match=r"/nowhere/app\.pem.*No such file"):
        certificates.read("/nowhere/app.pem", NOW)


# ---- the proof ------------------------------------------------------------------------------------------------------


def decoded(part: str) -> Any:
    return json.loads(raw(part))


def raw(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


@pytest.mark.parametrize("pfx", [False, True])
def test_the_proof_is_signed_by_the_key_and_says_what_graph_asks_for(tmp_path: Path, pfx: bool) -> None:
    one = make()
    data = pem(RSA) + public(one)
    if pfx:
        data = pkcs12.serialize_key_and_certificates(b"app", RSA, one, None, serialization.NoEncryption())
    signer = certificates.signer(write(tmp_path, data))
    assert signer is not None
    header, claims, signature = certificates.proof(signer, "object-id", NOW).split(".")
    RSA.public_key().verify(raw(signature), f"{header}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
    assert decoded(header)["alg"] == "RS256"
    assert raw(decoded(header)["x5t"]) == one.fingerprint(hashes.SHA1())
    said = decoded(claims)
    assert (said["aud"], said["iss"]) == ("00000002-0000-0000-c000-000000000000", "object-id")
    assert (said["nbf"], said["exp"] - said["nbf"]) == (int(NOW.timestamp()), 600)


def test_without_a_certificate_nobody_signs() -> None:
    assert certificates.signer(None) is None


ENCRYPTED = RSA.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
)
NO_KEY: dict[str, bytes] = {
    "no key": public(make()),
    "no certificate": pem(RSA),
    "a password": ENCRYPTED + public(make()),
    "neither": b"\x30\x03\x02\x01\x00",
}


@pytest.mark.parametrize("case", NO_KEY)
def test_a_file_that_cannot_sign_is_named(tmp_path: Path, case: str) -> None:
    with pytest.raises(InputError, match="certificate with its private key"):
        certificates.signer(write(tmp_path, NO_KEY[case]))
