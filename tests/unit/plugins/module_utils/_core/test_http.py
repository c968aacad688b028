# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the environment says of proxies."""

from __future__ import annotations

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import http

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("unproxied", "endpoint", "proxied"),
    [
        ("", "https://api.example", True),
        ("api.example", "https://api.example", False),
        ("example", "https://api.example", False),
        ("api.example:8443", "https://api.example:8443", False),
        ("api.example:8443", "https://api.example", True),
        ("127.0.0.1:8443", "https://127.0.0.1:8443", False),
        ("other,10.0.0.0/8", "https://10.1.2.3", False),
        ("other, fd00::/8", "https://[fd00::1]", False),
        ("10.0.0.0/8", "https://11.1.2.3", True),
        ("10.0.0.0/99,/,x/y", "https://10.1.2.3", True),
        ("*", "https://api.example", False),
    ],
)
def test_no_proxy(monkeypatch: pytest.MonkeyPatch, unproxied: str, endpoint: str, proxied: bool) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", unproxied)
    assert http._proxy(endpoint) == (PROXY if proxied else None)
