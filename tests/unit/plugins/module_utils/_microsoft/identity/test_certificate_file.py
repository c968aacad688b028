# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of certificates as people have them: the one that belongs to the key is taken, whatever lies beside it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.application import certificates
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import certificate_file, credentials

NOW = datetime.now(UTC)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PASSWORD = "canary ü/+"


def make(key: Any, name: str, issuer: str, signer: Any, *, ca: bool | None, days: int = 30) -> x509.Certificate:
    subject, above = (x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, one)]) for one in (name, issuer))
    builder = x509.CertificateBuilder(above, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(NOW - timedelta(days=99)).not_valid_after(NOW + timedelta(days=days))
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    return builder.sign(signer, hashes.SHA256())


ROOT = make(OTHER, "root", "root", OTHER, ca=True, days=3650)
LEAF = make(KEY, "app", "root", OTHER, ca=False)
SELF = make(KEY, "app", "app", KEY, ca=True)
ENDED = make(KEY, "app", "app", KEY, ca=None, days=-1)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def pem(*parts: Any, password: str = "", old: bool = False) -> bytes:
    form = serialization.PrivateFormat.TraditionalOpenSSL if old else serialization.PrivateFormat.PKCS8
    how: Any = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    encoding = serialization.Encoding.PEM
    return b"".join(
        one.public_bytes(encoding) if isinstance(one, x509.Certificate) else one.private_bytes(encoding, form, how)
        for one in parts
    )


def pfx(password: str = "", chain: tuple[x509.Certificate, ...] = ()) -> bytes:
    how: Any = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"app", KEY, LEAF, chain, how)


def write(folder: Path, data: bytes) -> str:
    path = folder / "app.pem"
    path.write_bytes(data)
    path.chmod(0o600)
    return str(path)


GOOD: dict[str, tuple[bytes, str | None]] = {
    "key, root, leaf": (pem(KEY, ROOT, LEAF), None),
    "leaf, root, key": (pem(LEAF, ROOT, KEY), None),
    "root, leaf, key": (pem(ROOT, LEAF, KEY), None),
    "PKCS#1": (pem(KEY, LEAF, old=True), None),
    "PKCS#1, encrypted": (pem(KEY, ROOT, LEAF, password=PASSWORD, old=True), PASSWORD),
    "PKCS#8, encrypted": (pem(KEY, ROOT, LEAF, password=PASSWORD), PASSWORD),
    "a password that is not needed": (pem(KEY, LEAF), PASSWORD),
    "PFX": (pfx(), None),
    "PFX with a chain and a password": (pfx(PASSWORD, (ROOT,)), PASSWORD),
    "words between": (b"Bag Attributes\n  x: y\n" + pem(KEY) + b"subject=/CN=root\n" + pem(ROOT, LEAF), None),
    "Windows' line ends": (pem(KEY, ROOT, LEAF).replace(b"\n", b"\r\n"), None),
}


@pytest.mark.parametrize("case", GOOD)
def test_the_certificate_that_belongs_to_the_key_is_taken(tmp_path: Path, case: str) -> None:
    data, password = GOOD[case]
    path = write(tmp_path, data)
    held = certificate_file.usable(path, password)
    assert held.certificate == LEAF
    assert x509.load_pem_x509_certificate(held.pem()) == LEAF
    assert serialization.load_pem_private_key(held.pem(), None) is not None
    (told,) = credentials.expiries(path, password)
    assert told["expires"].startswith(str(LEAF.not_valid_after_utc.date()))
    assert certificates.read(path, NOW, password).end == LEAF.not_valid_after_utc
    assert certificates.signer(path, password).thumbprint == LEAF.fingerprint(hashes.SHA1()).hex().upper()  # type: ignore[union-attr]


BAD: dict[str, tuple[bytes, str | None, str]] = {
    "a pair that does not belong together": (pem(KEY, ROOT), None, "none of its certificates belongs to its key"),
    "no key": (pem(LEAF), None, "private key"),
    "no certificate": (pem(KEY), None, "does not hold a certificate"),
    "two pairs": (pem(KEY, LEAF, OTHER, ROOT), None, "more than one pair"),
    "PKCS#1 without its password": (pem(KEY, LEAF, password=PASSWORD, old=True), None, "encrypted"),
    "PKCS#8 without its password": (pem(KEY, LEAF, password=PASSWORD), None, "encrypted"),
    "another password": (pem(KEY, LEAF, password=PASSWORD), "no", "does not open"),
    "PFX without its password": (pfx(PASSWORD), None, "encrypted"),
    "PFX with another password": (pfx(PASSWORD), "no", "does not open"),
    "nothing": (b"nothing\n", None, "does not hold a certificate"),
    "ended": (pem(KEY, ENDED), None, "ended on"),
    "another kind of key": (pem(EC_KEY, make(EC_KEY, "app", "app", EC_KEY, ca=None)), None, "not RSA"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_sign_in_is_said_with_its_step(tmp_path: Path, case: str) -> None:
    data, password, words = BAD[case]
    with pytest.raises(InputError, match=words) as caught:
        certificate_file.usable(write(tmp_path, data), password)
    assert caught.value.next_step
    assert PASSWORD not in str(caught.value)


AUTHORITIES: dict[str, bytes] = {
    "alone": pem(ROOT),
    "alone in DER": ROOT.public_bytes(serialization.Encoding.DER),
    "made for itself, without its key": pem(SELF),
    "with its key and what it has issued": pem(OTHER, ROOT, LEAF),
    "with a key that stays closed": pem(OTHER, ROOT, password=PASSWORD),
}


@pytest.mark.parametrize("case", AUTHORITIES)
def test_an_authority_is_never_the_apps_credential(tmp_path: Path, case: str) -> None:
    with pytest.raises(InputError, match="authority") as caught:
        certificates.read(write(tmp_path, AUTHORITIES[case]), NOW)
    assert "CA:FALSE" in caught.value.next_step


def test_what_may_sign_certificates_is_an_authority_even_with_its_key(tmp_path: Path) -> None:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ca")])
    builder = x509.CertificateBuilder(
        name, name, KEY.public_key(), x509.random_serial_number(), NOW, NOW + timedelta(9)
    )
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    one = builder.add_extension(usage, critical=True).sign(KEY, hashes.SHA256())
    with pytest.raises(InputError, match="authority"):
        certificates.read(write(tmp_path, pem(KEY, one)), NOW)


def test_openssls_own_default_with_its_key_beside_it_is_the_apps(tmp_path: Path) -> None:
    assert certificates.read(write(tmp_path, pem(KEY, SELF)), NOW).end == SELF.not_valid_after_utc


def test_of_several_certificates_without_a_key_none_is_guessed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="2 certificates and no key"):
        certificates.read(write(tmp_path, pem(ROOT, LEAF)), NOW)


def test_of_a_renewed_certificate_the_newer_is_taken(tmp_path: Path) -> None:
    newer = make(KEY, "app", "root", OTHER, ca=False, days=90)
    assert certificate_file.usable(write(tmp_path, pem(KEY, LEAF, newer)), None).certificate == newer


@pytest.mark.parametrize(("mode", "told"), [(0o600, False), (0o640, False), (0o644, True)])
def test_a_key_that_everybody_may_read_is_told(tmp_path: Path, mode: int, told: bool) -> None:
    path = write(tmp_path, pem(KEY, LEAF))
    Path(path).chmod(mode)
    assert certificate_file.exposed(path) is told


def test_an_encrypted_key_may_be_read_by_everybody(tmp_path: Path) -> None:
    path = write(tmp_path, pem(KEY, LEAF, password=PASSWORD))
    Path(path).chmod(0o644)
    assert not certificate_file.exposed(path)
