# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the MSSP's app proves itself with."""

from __future__ import annotations

import secrets
import time
import uuid
from dataclasses import dataclass

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from lab.kernel import ca

ISSUER = "https://token.actions.example"
SUBJECT = "repo:proseware/onboarding:ref:refs/heads/main"
AUDIENCE = "api://AzureADTokenExchange"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Made once per process: a reset does not change them."""

    secret: str
    certificate: ca.Identity
    federation_key: rsa.RSAPrivateKey
    federated_token: str

    @classmethod
    def make(cls) -> Credentials:
        key, now = ca.rsa_key(), int(time.time())
        token = jwt.encode(
            {
                "iss": ISSUER,
                "sub": SUBJECT,
                "aud": AUDIENCE,
                "iat": now,
                "nbf": now - 60,
                "exp": now + 7 * 86400,
                "jti": uuid.uuid4().hex,
            },
            key,
            algorithm="RS256",
            headers={"kid": "lab-ci"},
        )
        return cls("lab~" + secrets.token_urlsafe(30), ca.make_app("mssp-onboarding"), key, token)


@dataclass(frozen=True, slots=True)
class Signer:
    """The key that signs all tokens; it stays, too."""

    key: rsa.RSAPrivateKey
    id: str

    @classmethod
    def make(cls) -> Signer:
        return cls(ca.rsa_key(), uuid.uuid4().hex[:27])
