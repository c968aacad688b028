# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the environment says of proxies, and what answers are written in."""

from __future__ import annotations

import json

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import http
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import NoAnswerError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.http import Format

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


def test_an_answer_has_the_form_that_is_asked_for() -> None:
    """An error's body is text where it has another one, since it may come from a proxy."""
    shout = Format("SHOUT", lambda raw: raw.decode().upper() if raw.islower() else json.loads("no"))
    assert http._parse(b"yes", 200, "read", shout) == "YES"
    assert http._parse(b" ", 200, "read", shout) is None
    assert http._parse(b"NO", 502, "read", shout) == "NO"
    with pytest.raises(NoAnswerError, match="not SHOUT") as caught:
        http._parse(b"NO", 200, "read", shout)
    assert caught.value.code == "BadShout"
    with pytest.raises(NoAnswerError) as caught:
        http._parse(b"{", 200, "read", http.JSON)
    assert caught.value.code == "BadJson"
