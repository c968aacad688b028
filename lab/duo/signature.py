# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request must be signed with: duo.com/docs/adminapi («Authentication»), versions 2 and 5."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, quote

from lab.kernel.http import Call

DATE_SECONDS = 300.0


def credentials(call: Call) -> tuple[str, str]:
    """(integration key, signature in hex), two empty strings where there are none."""
    kind, _, text = call.headers.get("Authorization", "").partition(" ")
    try:
        key, _, signature = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (key, signature) if kind.lower() == "basic" else ("", "")


def fresh(call: Call, now: float) -> bool:
    try:
        return abs(parsedate_to_datetime(call.headers["Date"]).timestamp() - now) <= DATE_SECONDS
    except (KeyError, TypeError, ValueError):
        return False


def signed(call: Call, secret: str, signature: str) -> bool:
    """By either version: which one is not said in the request."""
    for text, digest in _canonical(call):
        made = hmac.new(secret.encode(), text.encode(), digest).hexdigest()
        if hmac.compare_digest(made, signature.lower()):
            return True
    return False


def host(call: Call) -> str:
    """The host that was asked, without its port: that is how it is signed."""
    return call.headers.get("Host", "").rpartition(":")[0].lower()


def _canonical(call: Call) -> list[tuple[str, str]]:
    """(text, digest) of each version. Version 2 has SHA-1 by the documents, SHA-512 by duo_client 5."""
    head = [call.headers["Date"], call.method, host(call), call.path]
    form = call.body.decode() if "urlencoded" in call.headers.get("Content-Type", "") else ""
    old = "\n".join([*head, _params(call.query_string or form)])
    own = {name.lower(): value for name, value in call.headers.items() if name.lower().startswith("x-duo-")}
    extra = "\0".join(part for name in sorted(own) for part in (name, own[name]))
    hashes = [hashlib.sha512(call.body).hexdigest(), hashlib.sha512(extra.encode()).hexdigest()]
    return [(old, "sha1"), (old, "sha512"), ("\n".join([*head, _params(call.query_string), *hashes]), "sha512")]


def _params(text: str) -> str:
    pairs = sorted((quote(name, "~"), quote(value, "~")) for name, value in parse_qsl(text, keep_blank_values=True))
    return "&".join(f"{name}={value}" for name, value in pairs)
