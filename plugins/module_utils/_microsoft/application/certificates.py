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

from ..._core.errors import InputError
from ..identity import certificate_file

try:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
except ImportError:  # said by certificate_file, so that documentation tools can import this file
    pass

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


def read(path: str, now: datetime, password: str | None = None) -> Certificate:
    """The certificate of a file that is the app's. Raises InputError for one that Entra, or good sense, refuses."""
    operation = f"read the certificate {path}"
    held = certificate_file.load(path, password, need_key=False)
    found, key = held.certificate, held.certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise InputError(operation, "its key is not RSA, which Entra asks for", next_step="make one with an RSA key")
    if key.key_size < MIN_BITS:
        step = f"make one of {MIN_BITS} bits or more"
        raise InputError(operation, f"its RSA key has {key.key_size} bits", next_step=step)
    start, end = found.not_valid_before_utc, found.not_valid_after_utc
    if end <= now:
        raise InputError(operation, f"it has expired on {end.isoformat()}", next_step="make a new certificate")
    if held.is_authority:
        text = "it is an authority's: whoever has that key could sign in as the app"
        step = "give the app's own certificate, made with basicConstraints=critical,CA:FALSE, and its key beside it"
        raise InputError(operation, text, code="AuthorityCertificate", next_step=step)
    der = found.public_bytes(serialization.Encoding.DER)
    return Certificate(os.path.basename(path), der, thumbprint(der), start, end)


def signer(path: str | None, password: str | None = None) -> Signer | None:
    """The private key and the thumbprint of what signs in; None when no certificate does. Raises InputError."""
    if not path:
        return None
    held = certificate_file.load(path, password, need_key=True)
    return Signer(thumbprint(held.certificate.public_bytes(serialization.Encoding.DER)), held.key)


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


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
