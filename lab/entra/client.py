# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control client's part for Microsoft Entra: what the app proves itself with, and what people of a tenant do.

Of nothing but the standard library.
"""

from __future__ import annotations

import html
import re
import urllib.parse
from typing import Any, ClassVar

from lab.client import LabClient, LabError


class Client:
    shared: ClassVar[frozenset[str]] = frozenset(
        {"secret", "certificate_path", "federated_token_file", "admin_token", "consent"}
    )

    def __init__(self, lab: LabClient) -> None:
        self._lab = lab
        self.certificate_path = str(lab.state_dir / "app.pem")
        self.federated_token_file = str(lab.state_dir / "app.jwt")

    @property
    def secret(self) -> str:
        return (self._lab.state_dir / "app.secret").read_text()

    def admin_token(self, tenant: str, api: str, role: str = "Global Administrator", **more: Any) -> str:
        """An access token of a user of the tenant. api: graph or arm; roles in lab/entra/users.py; life in seconds."""
        body = {"tenant": tenant, "api": api, "role": role, **more}
        return str(self._lab.control("POST", "entra/admin_token", body)["access_token"])

    def consent(self, url: str, accept: bool = True) -> str:
        """Open a consent link and click; the URL that the browser is sent to. LabError where there is no page."""
        path = url.removeprefix(self._lab.url)
        status, _headers, page = self._lab.call("GET", path)
        if status != 200:
            raise LabError(_text(page))
        form = urllib.parse.urlencode({"decision": "accept" if accept else "cancel"}).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        status, headers, page = self._lab.call("POST", path, form, kind)
        if status != 302:
            raise LabError(_text(page))
        return headers["location"]


def _text(page: Any) -> str:
    """What a person reads on a page."""
    raw = page.decode() if isinstance(page, bytes) else str(page)
    return " ".join(html.unescape(re.sub(r"<head>.*?</head>|<[^>]+>", " ", raw, flags=re.S)).split())
