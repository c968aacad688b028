# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people of a tenant do: get a token as an administrator, ask Microsoft Graph, click in the consent page."""

from __future__ import annotations

import html
import re
import urllib.parse
import urllib.request
from abc import ABC, abstractmethod
from typing import Any


class LabError(RuntimeError):
    """The lab said no; the text is its own."""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """The redirect itself is the answer: where it leads nobody may be."""

    def redirect_request(self, *_: Any) -> None:
        return None


class EntraControl(ABC):
    """Base of lab.client.LabClient."""

    url: str

    @abstractmethod
    def call(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], Any]: ...

    @abstractmethod
    def control(self, method: str, path: str, body: Any = None) -> Any: ...

    @property
    def graph_url(self) -> str:
        """The base URL of Microsoft Graph, without its version."""
        return self.url + "/graph"

    def admin_token(self, tenant: str, api: str, role: str = "Global Administrator", **more: Any) -> str:
        """An access token of a user of the tenant. api: graph or arm; roles in lab/users.py; life in seconds."""
        body = {"tenant": tenant, "api": api, "role": role, **more}
        return str(self.control("POST", "admin_token", body)["access_token"])

    def graph(self, tenant: str, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        """(status, body) of /v1.0/PATH of Graph, with the token or as the tenant's Global Administrator."""
        bearer = {"Authorization": f"Bearer {token or self.admin_token(tenant, 'graph')}"}
        where = "/graph/v1.0/" + urllib.parse.quote(path.lstrip("/"), safe="/?$=&,()'%")
        status, _headers, value = self.call(method, where, body, bearer)
        return status, value

    def consent(self, url: str, accept: bool = True) -> str:
        """Open a consent link and click; the URL that the browser is sent to. LabError where there is no page."""
        path = url.removeprefix(self.url)
        status, _headers, page = self.call("GET", path)
        if status != 200:
            raise LabError(_text(page))
        form = urllib.parse.urlencode({"decision": "accept" if accept else "cancel"}).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        status, headers, page = self.call("POST", path, form, kind)
        if status != 302:
            raise LabError(_text(page))
        return headers["location"]


def _text(page: Any) -> str:
    """What a person reads on a page."""
    raw = page.decode() if isinstance(page, bytes) else str(page)
    return " ".join(html.unescape(re.sub(r"<head>.*?</head>|<[^>]+>", " ", raw, flags=re.S)).split())
