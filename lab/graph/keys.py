# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates and secrets of an application: shapes, upload, addKey and removeKey with proof of possession.

Source: learn.microsoft.com, resources keyCredential and passwordCredential, application-addkey, -removekey,
-addpassword, application-rollkey-prooftoken (`aud` is 00000002-…, `iss` the application's object id, ten minutes at
most); a proof that fails: microsoft-graph-docs#10686, #14626. customKeyIdentifier is the thumbprint, and an entry of a
PATCH that has a known keyId and no key keeps what is there: so Office365-REST-Python-Client reads and sends them.
Assumed: wording of the 400s, and that keys of the past are kept by such a PATCH.
"""

from __future__ import annotations

import base64
import secrets
import time
from datetime import datetime
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lab.entra.directory import App, Key, Secret, guid
from lab.graph import api
from lab.graph.api import Item
from lab.graph.state import Graph
from lab.kernel.http import Call, Reply, ok

PROOF_AUDIENCE = "00000002-0000-0000-c000-000000000000"
PROOF_LIFE = 600
TWO_YEARS = 2 * 365 * 86400.0


# -- as Graph shows them ----------------------------------------------------------------------------------------------


def shown_key(graph: Graph, key: Key, *, raw: bool) -> Item:
    """`raw`: with the certificate itself, which Graph gives only to a GET that selects keyCredentials, and of no key
    that signs."""
    der = key.certificate.public_bytes(serialization.Encoding.DER)
    return {
        "customKeyIdentifier": key.certificate.fingerprint(hashes.SHA1()).hex().upper(),
        "displayName": key.name or key.certificate.subject.rfc4514_string(),
        "endDateTime": api.when(graph, key.expires),
        "key": base64.b64encode(der).decode() if raw and key.usage == "Verify" else None,
        "keyId": key.key_id,
        "startDateTime": api.when(graph, key.started),
        "type": "AsymmetricX509Cert",
        "usage": key.usage,
    }


def shown_secret(graph: Graph, secret: Secret, *, raw: bool = False) -> Item:
    """`raw`: with its text, which Graph gives once."""
    return {
        "customKeyIdentifier": None,
        "displayName": secret.name,
        "endDateTime": api.when(graph, secret.expires),
        "hint": secret.value[:3],
        "keyId": secret.key_id,
        "secretText": secret.value if raw else None,
        "startDateTime": api.when(graph, secret.started),
    }


# -- upload -----------------------------------------------------------------------------------------------------------


def replaced(graph: Graph, call: Call, app: App | None, entries: Any) -> list[Key]:
    """What keyCredentials of a POST or PATCH makes of an application's certificates: the whole list anew."""
    if not isinstance(entries, list):
        raise api.bad(call, "Invalid value specified for property 'keyCredentials' of resource 'Application'.")
    there = {key.key_id: key for key in app.certificates} if app else {}
    keys = [there.get(entry.get("keyId")) if not entry.get("key") else parsed(graph, call, entry) for entry in entries]
    if None in keys:
        raise api.bad(call, "Key value is invalid certificate or is missing for a new key credential.")
    made = [key for key in keys if key]
    return [_same(there.get(key.key_id), key) for key in made]


def _same(old: Key | None, new: Key) -> Key:
    """A key that was sent again as it is has been there since it was made."""
    return old if old and old.certificate == new.certificate else new


def parsed(graph: Graph, call: Call, entry: Item) -> Key:
    """A certificate as a client sends it: base64 of its DER; dates within the certificate's own."""
    if (entry.get("type"), entry.get("usage")) != ("AsymmetricX509Cert", "Verify"):
        raise api.bad(call, "Key credential type and usage must be 'AsymmetricX509Cert' and 'Verify'.")
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode(entry["key"], validate=True))
    except (KeyError, TypeError, ValueError):
        raise api.bad(call, "Key value is invalid certificate.") from None
    public = certificate.public_key()
    if not isinstance(public, rsa.RSAPublicKey) or public.key_size < 2048:
        raise api.bad(call, "Key value is invalid certificate: RSA of 2048 bits or more is needed.")
    first, last = certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()
    start, end = _date(call, entry, "startDateTime", first), _date(call, entry, "endDateTime", last)
    if end > last or end <= time.time():
        raise api.refuse(call, 400, "KeyCredentialsInvalidEndDate", "Key credential end date is invalid.")
    if start < first or start >= end:
        raise api.refuse(call, 400, "KeyCredentialsInvalidStartDate", "Key credential start date is invalid.")
    shift = graph.lab.clock.offset
    name, key_id = entry.get("displayName"), entry.get("keyId") or guid()
    return Key(certificate, start + shift, end + shift, name, key_id, time.time())


def _date(call: Call, entry: Item, name: str, default: float) -> float:
    """Real seconds."""
    if not entry.get(name):
        return default
    try:
        return datetime.fromisoformat(entry[name]).timestamp()
    except (TypeError, ValueError):
        raise api.bad(call, f"Invalid value specified for property '{name}'.") from None


# -- roll with proof of possession ------------------------------------------------------------------------------------


def add_key(graph: Graph, call: Call, app: App) -> Reply:
    """POST /applications/{id}/addKey"""
    sent = _proven(graph, call, app)
    if not isinstance(sent.get("keyCredential"), dict):
        raise api.bad(call, "A value is required for parameter 'keyCredential'.")
    key = parsed(graph, call, sent["keyCredential"])
    app.certificates.append(key)
    context = f"{graph.entra.graph_url}/v1.0/$metadata#microsoft.graph.keyCredential"
    return ok({"@odata.context": context, **shown_key(graph, key, raw=False)})


def remove_key(graph: Graph, call: Call, app: App) -> Reply:
    """POST /applications/{id}/removeKey"""
    key_id = _proven(graph, call, app).get("keyId")
    found = next((key for key in app.certificates if key.key_id == key_id), None)
    if found is None:
        raise api.bad(call, f"No key credential found with keyId '{key_id}'.")
    app.certificates.remove(found)
    return Reply(204)


def _proven(graph: Graph, call: Call, app: App) -> Item:
    """The body, when its proof is signed by a certificate that is good now; an app needs no permission for its own."""
    own = not call.who.user and call.who.appid == app.client_id
    if not own:
        api.require_write(call, app.owners)
    sent = api.body(call)
    now = graph.now()
    good = [key for key in app.certificates if key.started <= now < key.expires and not graph.entra.lags(key.made)]
    if not any(_signed(str(sent.get("proof")), app, key) for key in good):
        raise api.refuse(call, 401, "Authentication_MissingOrMalformed", "Access Token missing or malformed.")
    return sent


def _signed(proof: str, app: App, key: Key) -> bool:
    try:
        claims = jwt.decode(
            proof,
            key.certificate.public_key(),  # type: ignore[arg-type]  # parsed() lets RSA keys in only
            algorithms=["RS256", "PS256"],
            audience=PROOF_AUDIENCE,
            issuer=app.object_id,
            leeway=60,
            options={"require": ["exp", "nbf", "aud", "iss"]},
        )
    except jwt.PyJWTError:
        return False
    return int(claims["exp"]) - int(claims["nbf"]) <= PROOF_LIFE


# -- secrets ----------------------------------------------------------------------------------------------------------


def add_password(graph: Graph, call: Call, app: App) -> Reply:
    """POST /applications/{id}/addPassword"""
    api.require_write(call, app.owners)
    wanted = api.body(call).get("passwordCredential") or {}
    now = time.time()
    start, end = _date(call, wanted, "startDateTime", now), _date(call, wanted, "endDateTime", now + TWO_YEARS)
    shift = graph.lab.clock.offset
    made = Secret("lab~" + secrets.token_urlsafe(30), end + shift, wanted.get("displayName"), start + shift)
    app.secrets.append(made)
    context = f"{graph.entra.graph_url}/v1.0/$metadata#microsoft.graph.passwordCredential"
    return ok({"@odata.context": context, **shown_secret(graph, made, raw=True)})


def remove_password(graph: Graph, call: Call, app: App) -> Reply:
    """POST /applications/{id}/removePassword"""
    api.require_write(call, app.owners)
    key_id = api.body(call).get("keyId")
    found = next((secret for secret in app.secrets if secret.key_id == key_id), None)
    if found is None:
        raise api.bad(call, f"No password credential found with keyId '{key_id}'.")
    app.secrets.remove(found)
    return Reply(204)
