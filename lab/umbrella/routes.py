# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Umbrella's API: tokens, rotateKey, activity.

Paths, fields and statuses: Cisco's OpenAPI documents (token, rotateKey, Reports API); 400 invalid_request for a token
that is over, and an error within a 200: developer.cisco.com, «S3 Bucket Key Rotation»; limits: «Rate limits». Assumed:
words of the 401 of a wrong API key, that a child's token may rotate, what activity answers beside C(data).
"""

from __future__ import annotations

import base64
import binascii
import secrets
from datetime import UTC, datetime
from typing import Any

from lab.kernel.http import Call, Principal, Refusal, Reply, dumps, ok
from lab.kernel.registration import Operation
from lab.kernel.router import Table
from lab.umbrella.state import Organization, Umbrella

LIFETIME = 3600.0
# (requests, seconds) of an API key.
ADMIN_LIMITS = ((5, 1.0), (14, 60.0), (350, 1800.0))
TOKEN_LIMIT = (20, 60.0)
NOT_FOUND = "Not found IAM key info for org {}."


def shape(_code: str, message: str, status: int) -> dict[str, Any]:
    return {"error": message, "status": status, "timestamp": datetime.now(UTC).isoformat()}


def fail(status: int, message: str, path: str = "") -> Refusal:
    return Refusal(Reply(status, dumps(shape("", message, status) | ({"path": path} if path else {}))))


def _limited(umbrella: Umbrella, kind: str, key: str, *limits: tuple[int, float]) -> None:
    for number, seconds in limits:
        left, _resets = umbrella.lab.throttle.window(f"umbrella {kind} {key} {seconds}", number, seconds)
        if left < 0:
            raise fail(429, "Too Many Requests")


# -- tokens -----------------------------------------------------------------------------------------------------------


def token(umbrella: Umbrella, call: Call) -> Reply:
    kind, _blank, given = call.headers.get("Authorization", "").partition(" ")
    try:
        name, _colon, secret = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        name, secret = "", ""
    held = umbrella.keys.get(name)
    if kind != "Basic" or held is None or secret != held.secret:
        raise fail(401, "Authorization token is invalid.")
    _limited(umbrella, "token", name, TOKEN_LIMIT)
    if call.body != b"grant_type=client_credentials":
        raise fail(400, "invalid_request")
    child = call.headers.get("X-Umbrella-OrgId", "")
    organization = child or held.organization
    if child and (child not in umbrella.organizations or umbrella.organizations[child].parent != held.organization):
        raise fail(403, "Forbidden")
    made = secrets.token_urlsafe(32)
    umbrella.tokens[made] = (name, organization, umbrella.now() + LIFETIME)
    return ok({"token_type": "bearer", "access_token": made, "expires_in": int(LIFETIME)})


def _enter(umbrella: Umbrella, call: Call, scope: str) -> str:
    given = call.headers.get("Authorization", "").removeprefix("Bearer ")
    key, organization, until = umbrella.tokens.get(given, ("", "", 0.0))
    if not key:
        raise fail(401, "Authorization token is invalid.", call.path)
    if until <= umbrella.now():
        raise Refusal(Reply(400, dumps({"error": "invalid_request"})))
    if scope not in umbrella.keys[key].scopes:
        raise fail(403, "Forbidden", call.path)
    call.principal = Principal(organization, key, key, "umbrella", 0.0)
    return key


def enter_admin(umbrella: Umbrella, call: Call) -> None:
    _limited(umbrella, "admin", _enter(umbrella, call, "admin.iam:write"), *ADMIN_LIMITS)


def enter_reports(umbrella: Umbrella, call: Call) -> None:
    _enter(umbrella, call, "reports")


# -- what is asked ----------------------------------------------------------------------------------------------------


def _own(umbrella: Umbrella, call: Call) -> Organization:
    return umbrella.organizations[call.who.tid]


def rotate(umbrella: Umbrella, call: Call) -> Reply:
    one = _own(umbrella, call)
    if not one.first_rotation:
        text = NOT_FOUND.format(one.id)
        if umbrella.umbrella_error_in_200:
            return ok(shape("", text, 200) | {"path": "/iam/rotate-key"})
        raise fail(400, text, "/iam/rotate-key")
    old = umbrella.rotate(one)
    created = datetime.fromtimestamp(umbrella.shown(umbrella.now()), UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return ok({"oldKeyId": old, "currentKeyId": one.key, "secretAccessKey": one.secret, "keyCreationDate": created})


def activity(umbrella: Umbrella, call: Call) -> Reply:
    if "from" not in call.query or "limit" not in call.query:
        raise fail(400, "from, limit")
    seen = [{"type": call.args["kind"], "timestamp": int(umbrella.shown(umbrella.now()) * 1000)}]
    return ok({"meta": {}, "data": seen if _own(umbrella, call).traffic else []})


ROUTES = Table(
    {
        ("POST", "/auth/v2/token"): Operation("umbrella.token", token),
        ("POST", "/admin/v2/iam/rotateKey"): Operation("umbrella.rotate", rotate, enter_admin),
        ("GET", "/reports/v2/activity/{kind}"): Operation("umbrella.activity", activity, enter_reports),
    }
)
