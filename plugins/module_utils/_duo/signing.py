# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signature version 5 of Duo's APIs: pure.

Source: duo.com/docs/adminapi («Authentication»), and duo_client 5.7, with whose texts the tests compare these.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from urllib.parse import quote

# Of the additional X-Duo- headers, of which we send none.
NO_HEADERS = hashlib.sha512(b"").hexdigest()


def query(params: Mapping[str, str]) -> str:
    """Parameters in the order and the encoding in which they are signed, which serves as the query, too."""
    pairs = sorted((quote(name, "~"), quote(value, "~")) for name, value in params.items())
    return "&".join(f"{name}={value}" for name, value in pairs)


def body(params: Mapping[str, str]) -> bytes:
    """Parameters as the body of a POST."""
    return json.dumps(params, sort_keys=True, separators=(",", ":")).encode()


def canonical(date: str, method: str, host: str, path: str, query: str, body: bytes) -> str:
    """What is signed. host: without its port."""
    return "\n".join([date, method, host.lower(), path, query, hashlib.sha512(body).hexdigest(), NO_HEADERS])


def authorization(integration_key: str, secret_key: str, text: str) -> str:
    """The header that proves it."""
    signature = hmac.new(secret_key.encode(), text.encode(), "sha512").hexdigest()
    return "Basic " + base64.b64encode(f"{integration_key}:{signature}".encode()).decode()
