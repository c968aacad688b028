# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Short ways through the lab's Microsoft Graph, for its tests."""

from __future__ import annotations

import base64
import time
import uuid
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes, serialization

from lab.client import LabClient
from lab.entra.directory_roles import RESOURCES
from lab.entra.token_endpoint import ASSERTION
from lab.graph.keys import PROOF_AUDIENCE
from lab.kernel.ca import Identity
from lab.testing import CLIENT_ID, CONTOSO, PROSEWARE
from tests.lab.conftest import ask_token, token

GRAPH_SCOPE = "https://graph.microsoft.com/.default"
OURS = f"applications(appId='{CLIENT_ID}')"


def error(answer: tuple[int, Any]) -> dict[str, Any]:
    """The error of an answer, after a look at its form."""
    _status, body = answer
    assert {"date", "request-id", "client-request-id"} == set(body["error"]["innerError"])
    return dict(body["error"])


def code(answer: tuple[int, Any]) -> tuple[int, str]:
    return answer[0], str(error(answer)["code"])


def roles(lab: LabClient, tenant: str, key: str) -> list[str]:
    """The claim of the app's token for a resource app."""
    text = token(lab, tenant, scope=f"{RESOURCES[key].app_id}/.default")
    return list(jwt.decode(text, options={"verify_signature": False}).get("roles", []))


def resource(lab: LabClient, tenant: str, key: str, name: str) -> tuple[str, dict[str, Any]]:
    """(object id of the resource app, its role with the name, its app id beside)."""
    app_id = RESOURCES[key].app_id
    status, body = lab.graph(tenant, "GET", f"servicePrincipals(appId='{app_id}')?$select=id,appRoles")
    assert status == 200, body
    role = next(
        role for role in body["appRoles"] if role["value"] == name and "Application" in role["allowedMemberTypes"]
    )
    return body["id"], {**role, "app": app_id}


def grant(lab: LabClient, tenant: str, key: str, name: str, side: str = "appRoleAssignedTo") -> tuple[int, Any]:
    """By the administrator, to the lab's app."""
    app, role = resource(lab, tenant, key, name)
    ours = lab.graph(tenant, "GET", f"servicePrincipals(appId='{CLIENT_ID}')")[1]["id"]
    sent = {"principalId": ours, "resourceId": app, "appRoleId": role["id"]}
    return lab.graph(tenant, "POST", f"servicePrincipals/{app if side == 'appRoleAssignedTo' else ours}/{side}", sent)


def entry(identity: Identity, **more: Any) -> dict[str, Any]:
    """A certificate as an entry of keyCredentials."""
    der = identity.certificate.public_bytes(serialization.Encoding.DER)
    return {"type": "AsymmetricX509Cert", "usage": "Verify", "key": base64.b64encode(der).decode(), **more}


def proof(lab: LabClient, identity: Identity, **changes: Any) -> str:
    """Of possession of a key, for addKey and removeKey; a change to None leaves the claim out."""
    now = int(time.time())
    object_id = lab.graph(PROSEWARE, "GET", OURS)[1]["id"]
    claims = {"aud": PROOF_AUDIENCE, "iss": object_id, "nbf": now, "exp": now + 600, **changes}
    return jwt.encode({key: value for key, value in claims.items() if value is not None}, identity.key, "RS256")


def signed_in(lab: LabClient, identity: Identity) -> int:
    """0, or the number of the refusal, of the app's sign-in at Contoso by that certificate."""
    now = int(time.time())
    audience = f"{lab.url}/{CONTOSO}/oauth2/v2.0/token"
    claims = {"aud": audience, "iss": CLIENT_ID, "sub": CLIENT_ID, "jti": str(uuid.uuid4()), "nbf": now}
    digest = base64.urlsafe_b64encode(identity.certificate.fingerprint(hashes.SHA256())).decode().rstrip("=")
    text = jwt.encode({**claims, "exp": now + 600}, identity.key, "RS256", {"x5t#S256": digest})
    status, body = ask_token(lab, CONTOSO, client_assertion=text, client_assertion_type=ASSERTION)
    return 0 if status == 200 else int(body["error_codes"][0])
