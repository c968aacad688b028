# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signs on the control node what a host asks for, so that an authority's key never lies on the host.

Of a request only the public key counts: who a certificate is for is said by the options, never by the host.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import (
    InputError,
    MissingLibraryError,
    RefusedError,
)

try:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
except ImportError:  # said by signed(), so that documentation tools can import this file
    x509 = None  # type: ignore[assignment]

CA, KEY = "tls_ca", "tls_ca_key"
DAYS = timedelta(days=825)
CLOCK = timedelta(hours=1)  # that the host's clock may be behind
LARGEST = 20_000  # of a request
READ = "read the certificate authority"
STEP = f"give {CA} as PEM text and {KEY} as the PEM text of its key, RSA or EC, without a passphrase"


def signed(ca: str, key: str, requests: object, names: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """PEM text of each certificate that the host asked for.

    Args:
        ca: PEM text of the authority's certificate, or of a chain that begins with it.
        key: PEM text of its private key.
        requests: name of a certificate to its request as PEM text: what a host said, so of any form.
        names: name of each certificate that the host may have to the DNS names and addresses in it.

    Raises:
        InputError: the authority cannot sign.
        MissingLibraryError: cryptography is not installed.
        RefusedError: the host asked for what it may not have, or its request is none.

    """
    if x509 is None:
        raise MissingLibraryError("cryptography")
    authority, private = _authority(ca, key)
    if not isinstance(requests, Mapping) or not requests.keys() <= names.keys():
        raise RefusedError("sign certificates", "the host asks for others than the options name", code="request")
    return {name: _certificate(authority, private, str(request), names[name]) for name, request in requests.items()}


def _authority(ca: str, key: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey]:
    try:
        authority = x509.load_pem_x509_certificate(ca.encode())
        private = serialization.load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(READ, f"{CA} or {KEY} cannot be read", next_step=STEP) from error
    if not isinstance(private, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey)):
        raise InputError(READ, f"{KEY} is neither RSA nor EC", next_step=STEP)
    if private.public_key() != authority.public_key():
        raise InputError(READ, f"{KEY} is not the key of {CA}", next_step=STEP)
    return authority, private


def _certificate(
    authority: x509.Certificate,
    private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    request: str,
    names: Sequence[str],
) -> str:
    try:
        asked = x509.load_pem_x509_csr(request[:LARGEST].encode())
        valid, public = asked.is_signature_valid, asked.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise RefusedError("sign a certificate", "the host's request cannot be read", code="request") from error
    if not valid:
        raise RefusedError("sign a certificate", "the host has not the key of its request", code="request")
    now = datetime.now(UTC)
    usage = dict.fromkeys(
        (
            *("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign"),
            *("crl_sign", "encipher_only", "decipher_only"),
        ),
        False,
    )
    ends = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])]))
        .issuer_name(authority.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK)
        .not_valid_after(now + DAYS)  # where the authority ends before, that is what verify tells
        .add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, **usage), critical=True)
        .add_extension(x509.ExtendedKeyUsage(ends), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(_issuer(authority), critical=False)
    )
    return made.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def _issuer(authority: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """As the authority names its own key: verifiers compare the two."""
    try:
        own = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())  # type: ignore[arg-type]
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
