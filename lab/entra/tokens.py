# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checking the tokens that come back to the vendors' APIs."""

from __future__ import annotations

import time

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from lab.kernel.clock import stamp
from lab.kernel.context import Lab
from lab.kernel.http import Principal, Refusal, nested


class TokenCache:
    """Verified tokens by their text: a signature is checked once, the expiry every time."""

    def __init__(self, key: rsa.RSAPublicKey, lab: Lab) -> None:
        self._key = key
        self._lab = lab
        self._known: dict[str, Principal] = {}

    def clear(self) -> None:
        self._known.clear()

    def check(self, header: str, *, auxiliary: bool = False) -> Principal:
        """The principal of an Authorization header, or 401 in ARM's words."""
        principal = self._known.get(header)
        if principal is None:
            principal = self._decode(header, auxiliary)
            if len(self._known) > 4096:
                self._known.clear()
            self._known[header] = principal
        if principal.expires <= time.time():
            where = (
                f" The expired token belongs to client '{principal.appid}' and tenant '{principal.tid}'."
                if auxiliary
                else ""
            )
            raise unauthorized(
                self._lab,
                "ExpiredAuthenticationToken",
                f"The access token expiry UTC time '{stamp(principal.expires)[:19]}Z' is earlier than current UTC time "
                f"'{stamp(time.time())[:19]}Z'.{where}",
            )
        return principal

    def _decode(self, header: str, auxiliary: bool) -> Principal:
        scheme, _, text = header.strip().partition(" ")
        if scheme.lower() not in ("bearer", "encryptedbearer") or not text:
            raise unauthorized(
                self._lab,
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing or invalid.",
            )
        try:
            claims = jwt.decode(
                text.strip(),
                self._key,
                algorithms=["RS256"],
                options={"verify_aud": False, "verify_exp": False},
            )
        except jwt.PyJWTError:
            what = "auxiliary access token" if auxiliary else "access token"
            raise unauthorized(self._lab, "InvalidAuthenticationToken", f"The {what} is invalid.") from None
        user = claims["idtyp"] == "user"
        return Principal(
            claims["tid"],
            claims["oid"],
            claims["appid"],
            claims["aud"],
            float(claims["exp"]),
            frozenset(claims.get("wids" if user else "roles", ())),
            user,
        )


def unauthorized(lab: Lab, code: str, message: str, tenant: str = "common") -> Refusal:
    refusal = nested(401, code, message)
    refusal.headers["WWW-Authenticate"] = (
        f'Bearer authorization_uri="{lab.url}/{tenant}", error="invalid_token", error_description="{message}"'
    )
    return refusal
