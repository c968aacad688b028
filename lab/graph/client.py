# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control client's part for Microsoft Graph, of nothing but the standard library."""

from __future__ import annotations

import urllib.parse
from typing import Any

from lab.client import LabClient


class Client:
    def __init__(self, lab: LabClient) -> None:
        self._lab = lab
        self.url = lab.url + "/graph"  # without its version

    def __call__(self, tenant: str, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        """(status, body) of /v1.0/PATH of Graph, with the token or as the tenant's Global Administrator."""
        bearer = {"Authorization": f"Bearer {token or self._lab.admin_token(tenant, 'graph')}"}
        where = "/graph/v1.0/" + urllib.parse.quote(path.lstrip("/"), safe="/?$=&,()'%")
        status, _headers, value = self._lab.call(method, where, body, bearer)
        return status, value
