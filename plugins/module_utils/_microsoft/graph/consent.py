# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The consent of a customer's administrator: the link, its signed state, and what came back by it. Pure.

Facts: learn.microsoft.com, «Grant tenant-wide admin consent» (the v1 address asks for all of the app's
requiredResourceAccess, the v2 one for one resource at a time) and «Admin consent on the Microsoft identity platform»
(what is appended to the redirect URI). assumed: without redirect_uri Entra takes the first that the app has.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from urllib.parse import parse_qs, urlencode, urlsplit

from ..._core.errors import InputError, RefusedError

READ = "read the consent's response"
# What the key signs besides the ids, so that a signature serves no other purpose.
PURPOSE = "mssp.onboarding consent"
# MicrosoftDocs/azure-docs#41053: what Cancel sends has no description.
CANCELLED = "the administrator cancelled"


def state(tenant_id: str, client_id: str, key: str) -> str:
    """The tenant that is asked, signed: an answer for one tenant cannot be passed off as another's.

    The same in every run. It proves where the answer belongs; that consent was given is proven by a token.
    """
    text = "\0".join((PURPOSE, tenant_id.casefold(), client_id.casefold()))
    signature = hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()
    return f"{tenant_id.casefold()}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def link(authority: str, tenant_id: str, client_id: str, redirect_uri: str | None, key: str | None) -> str:
    """The address at which the customer's administrator consents to all that the app asks for."""
    query = {"client_id": client_id}
    if redirect_uri:
        query["redirect_uri"] = redirect_uri
    if key:
        query["state"] = state(tenant_id, client_id, key)
    return f"{authority}/{tenant_id}/adminconsent?{urlencode(query)}"


def consent_step(url: str) -> str:
    """What a customer's administrator does where the app lacks a permission."""
    return f"open {url} as the tenant's administrator and accept; the app itself has to ask for the permission before"


def check(response: str, tenant_id: str, client_id: str, key: str | None) -> None:
    """Whether the address that the administrator was sent back to says yes, for this tenant and by our own link.

    Raises InputError for what is no answer of ours, RefusedError for a no.
    """
    given = _answer(response)
    if not key:
        raise InputError(READ, "a response cannot be checked without state_key", next_step="set state_key")
    expected = state(tenant_id, client_id, key)
    if not hmac.compare_digest(given.get("state", "")[: len(expected)].encode(), expected.encode()):
        raise InputError(
            READ,
            "its state is not the one of this tenant's link",
            code="WrongState",
            next_step="paste the whole address, and that of this customer; do not trust an answer nobody was asked for",
        )
    if "error" in given:
        raise RefusedError(
            f"have tenant {tenant_id} consent",
            _no(given),
            code=given["error"],
            next_step="ask the customer's administrator why, then send the link again",
        )
    if given.get("tenant", "")[: len(tenant_id)].casefold() != tenant_id.casefold():
        raise InputError(READ, f"it is one of tenant {given.get('tenant') or 'unknown'}", code="WrongTenant")
    if not given.get("admin_consent", "").casefold().startswith("true"):
        raise InputError(READ, "it does not say that consent was given", code="NoConsent")


def _answer(response: str) -> dict[str, str]:
    """The values of an address as it is pasted: with line breaks, in brackets, or its query alone.

    What a browser shows as the page's title may hang on the last of them (OfficeDev/microsoft-teams-library-js#2515).
    """
    parts = urlsplit(re.sub(r"\s*[\r\n\t]\s*", "", response.strip()).strip("<>\"'"))
    query = parts.query or parts.fragment or parts.path.lstrip("?")
    return {name: values[-1] for name, values in parse_qs(query).items()}


def _no(given: Mapping[str, str]) -> str:
    cancelled = given.get("error_subcode", "").casefold().startswith("cancel")
    return given.get("error_description") or (CANCELLED if cancelled else "Entra gave no text")
