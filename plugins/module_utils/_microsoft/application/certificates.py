# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of the app: what a file holds, checked before anything is sent, and the proof of possession of a key.

Only the certificate of a file ever leaves this machine; the private key beside it serves to sign, here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import uuid
from datetime import datetime
from typing import Any, NamedTuple

from ..._core.errors import InputError, MissingLibraryError

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.serialization import pkcs12
except ImportError:  # said by the readers, so that documentation tools can import this file
    x509 = None  # type: ignore[assignment]

# Entra refuses shorter keys.
MIN_BITS = 2048
# learn.microsoft.com «Generate proof-of-possession tokens for rolling keys».
PROOF_AUDIENCE = "00000002-0000-0000-c000-000000000000"
PROOF_SECONDS = 600


class Certificate(NamedTuple):
    """der: the certificate alone; thumbprint: its SHA-1 in upper-case hex, by which Entra names it."""

    label: str
    der: bytes
    thumbprint: str
    start: datetime
    end: datetime


class Signer(NamedTuple):
    """The certificate that signs this run in, with its private key."""

    thumbprint: str
    key: Any


def thumbprint(der: bytes) -> str:
    return hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()


def read(path: str, now: datetime) -> Certificate:
    """The first certificate of a PEM file. Raises InputError for one that Entra would not take."""
    operation = f"read the certificate {path}"
    data = _content(path, operation)
    try:
        found = x509.load_pem_x509_certificates(data)[0]
        key = found.public_key()
    except ValueError as error:
        raise InputError(operation, "the file holds no certificate in PEM", next_step="give its PEM file") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise InputError(operation, "its key is not RSA, which Entra asks for", next_step="make one with an RSA key")
    if key.key_size < MIN_BITS:
        step = f"make one of {MIN_BITS} bits or more"
        raise InputError(operation, f"its RSA key has {key.key_size} bits", next_step=step)
    start, end = found.not_valid_before_utc, found.not_valid_after_utc
    if end <= now:
        raise InputError(operation, f"it has expired on {end.isoformat()}", next_step="make a new certificate")
    der = found.public_bytes(serialization.Encoding.DER)
    return Certificate(os.path.basename(path), der, thumbprint(der), start, end)


def signer(path: str | None) -> Signer | None:
    """The private key and the thumbprint of what signs in; None when no certificate does. Raises InputError."""
    if not path:
        return None
    operation = f"read the key of {path}"
    data = _content(path, operation)
    try:
        if b"-----BEGIN" in data:
            found, key = x509.load_pem_x509_certificates(data)[0], serialization.load_pem_private_key(data, None)
        else:
            key, found, _chain = pkcs12.load_key_and_certificates(data, None)  # type: ignore[assignment]
        der = found.public_bytes(serialization.Encoding.DER)
    except (ValueError, TypeError, AttributeError) as error:
        text = "the file does not hold a certificate with its private key, without a password"
        raise InputError(operation, text) from error
    return Signer(thumbprint(der), key)


def proof(one: Signer, object_id: str, now: datetime) -> str:
    """A token by which the app proves that it has the key of a certificate that is registered with it."""
    begin = int(now.timestamp())
    header = {"alg": "RS256", "typ": "JWT", "kid": one.thumbprint, "x5t": _text(bytes.fromhex(one.thumbprint))}
    claims = {
        "aud": PROOF_AUDIENCE,
        "iss": object_id,
        "nbf": begin,
        "exp": begin + PROOF_SECONDS,
        "jti": str(uuid.uuid4()),
    }
    signed = f"{_text(json.dumps(header).encode())}.{_text(json.dumps(claims).encode())}"
    return f"{signed}.{_text(one.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _content(path: str, operation: str) -> bytes:
    if x509 is None:
        raise MissingLibraryError("cryptography")
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise InputError(operation, error.strerror or str(error)) from error


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
