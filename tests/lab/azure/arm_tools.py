# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure Resource Manager as a person or an app sees it: requests with one token, and the token for vendors' clients."""

from __future__ import annotations

import time
from typing import Any

from azure.core.credentials import AccessToken

from lab.client import LabClient
from lab.testing import CONTOSO
from tests.lab.conftest import token


class Arm:
    """`call` gives (status, code of the error or "", body)."""

    def __init__(self, lab: LabClient, bearer: str, version: str) -> None:
        self.lab = lab
        self.bearer = bearer
        self.version = version

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, str, Any]:
        mark = "&" if "?" in path else "?"
        url = path if "api-version" in path else f"{path}{mark}api-version={self.version}"
        status, _headers, value = self.lab.call(method, url, body, {"Authorization": f"Bearer {self.bearer}"})
        refused = value if isinstance(value, dict) and status >= 400 else {}
        return status, str((refused.get("error") or refused).get("code", "")), value

    def get(self, path: str) -> Any:
        status, _code, value = self.call("GET", path)
        assert status == 200, value
        return value

    def put(self, path: str, **properties: Any) -> tuple[int, str, Any]:
        return self.call("PUT", path, {"properties": properties})


class Given:
    """A credential of azure-identity's form that has its token already."""

    def __init__(self, bearer: str) -> None:
        self.bearer = bearer

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken(self.bearer, int(time.time()) + 3600)


def administrator(lab: LabClient, tenant: str, version: str, role: str = "Global Administrator") -> Arm:
    return Arm(lab, lab.admin_token(tenant, "arm", role), version)


def app(lab: LabClient, version: str, tenant: str = CONTOSO) -> Arm:
    return Arm(lab, token(lab, tenant), version)


def client_options(lab: LabClient) -> dict[str, Any]:
    """What every azure-mgmt client needs to speak with the lab."""
    return {
        "base_url": lab.url,
        "credential_scopes": [f"{lab.url}/.default"],
        "connection_verify": lab.ca_file,
        "polling_interval": 0.05,
    }


def text(body: Any) -> str:
    return str((body.get("error") or body)["message"])
