# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A caller of the lab's Coro API, and bodies of connectors that its receivers accept."""

from __future__ import annotations

from typing import Any

from lab.client import LabClient

CONNECTORS = "/v1/siem-connectors"
AUDIENCE = "https://secure.coro.net/api"
MASK = "********"
CONTOSO, FABRIKAM, TAILSPIN = "contoso_Qx7d_b", "fabrikam_Lm4T_b", "tailspin_Kp2W_u"
CHILDREN = ("tailspingames_Ae9R_b", "tailspinkids_Bv3N_b", "tailspinretail_Cz8H_b")
FORMATS = ("SPLUNK", "AZURE_SENTINEL", "GENERIC", "FLUENCY")
RECEIVERS = dict(zip(FORMATS, ("splunk", "azure", "generic", "fluency"), strict=True))
SECRET = {"SPLUNK": "authorization", "AZURE_SENTINEL": "primaryKey", "GENERIC": "headers", "FLUENCY": "token"}

Answer = tuple[int, Any]


def ask_token(lab: LabClient, client: str, **changes: Any) -> tuple[int, dict[str, str], Any]:
    """The token endpoint; a field that is None is left out."""
    client_id, secret = lab.coro.client(client)
    body = {"client_id": client_id, "client_secret": secret, "audience": AUDIENCE, "grant_type": "client_credentials"}
    body = {name: value for name, value in (body | changes).items() if value is not None}
    return lab.call("POST", "/oauth/token", body)


class Coro:
    """Requests with a token of one set of API credentials, for one workspace."""

    def __init__(self, lab: LabClient, client: str, workspace: str) -> None:
        status, _headers, body = ask_token(lab, client)
        assert status == 200, body
        self.lab, self.workspace = lab, workspace
        self.headers = {"Authorization": f"Bearer {body['access_token']}", "Workspace": workspace}

    def inside(self, workspace: str) -> Coro:
        """The same credentials in another workspace."""
        other = object.__new__(Coro)
        other.lab, other.workspace = self.lab, workspace
        other.headers = self.headers | {"Workspace": workspace}
        return other

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        status, _headers, value = self.lab.call(method, path, body, self.headers)
        return status, value

    def list(self) -> list[dict[str, Any]]:
        status, value = self.call("GET", f"{CONNECTORS}?pageSize=100")
        assert status == 200, value
        return list(value["items"])

    def create(self, **body: Any) -> Answer:
        return self.call("POST", CONNECTORS, body)

    def made(self, **body: Any) -> dict[str, Any]:
        status, value = self.create(**body)
        assert status == 201, value
        return dict(value)

    def put(self, id_: str, **body: Any) -> Answer:
        return self.call("PUT", f"{CONNECTORS}/{id_}", body)

    def delete(self, id_: str) -> Answer:
        return self.call("DELETE", f"{CONNECTORS}/{id_}")

    def sync(self, id_: str) -> Answer:
        return self.call("POST", f"{CONNECTORS}/{id_}/test")


def body_for(lab: LabClient, format_: str, name: str = "soc", **more: Any) -> dict[str, Any]:
    """A body that the lab's own receiver of the format accepts."""
    told = lab.receivers.describe()[RECEIVERS[format_]]
    fields: dict[str, Any] = {"listenerUrl": told["url"]}
    if format_ == "SPLUNK":
        fields["authorization"] = f"Splunk {told['token']}"
    elif format_ == "AZURE_SENTINEL":
        fields = {"workspaceId": told["workspace_id"], "primaryKey": told["primary_key"]}
    elif format_ == "GENERIC":
        fields["headers"] = [{"name": name, "value": value} for name, value in told["headers"].items()]
    else:
        fields["token"] = told["token"]
    return {"name": name, "type": format_, **fields, **more}
