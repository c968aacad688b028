# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab per test module, back to its scenario before each test; callers with tokens; the connector's stand-in."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from lab.client import LabClient
from lab.kernel.ca import Identity
from lab.testing import CLIENT_ID, CONTOSO, PROSEWARE, running_lab
from tests.hosts.falcon_standin.build import tree
from tests.hosts.falcon_standin.run import Standin

VERSION = "api-version=2021-05-01-preview"
SETTINGS = "/providers/Microsoft.Insights/diagnosticSettings"


class Caller:
    """Requests with a token of one tenant, and auxiliary tokens of others."""

    def __init__(self, lab: LabClient, tenant: str, *auxiliary: str) -> None:
        self.lab = lab
        self.headers = {"Authorization": f"Bearer {token(lab, tenant)}"}
        if auxiliary:
            tokens = ", ".join(f"Bearer {token(lab, other)}" for other in auxiliary)
            self.headers["x-ms-authorization-auxiliary"] = tokens

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, str], Any]:
        mark = "&" if "?" in path else "?"
        where = path if "api-version" in path else f"{path}{mark}{VERSION}"
        return self.lab.call(method, where, body, self.headers)

    def get(self, path: str) -> tuple[int, Any]:
        status, _headers, value = self.call("GET", path)
        return status, value

    def list(self, target: str) -> list[dict[str, Any]]:
        status, value = self.get(target + SETTINGS)
        assert status == 200, value
        return list(value["value"])

    def put(self, target: str, name: str, **properties: Any) -> tuple[int, Any]:
        status, _headers, value = self.call("PUT", f"{target}{SETTINGS}/{name}", {"properties": properties})
        return status, value

    def delete(self, target: str, name: str) -> tuple[int, Any]:
        status, _headers, value = self.call("DELETE", f"{target}{SETTINGS}/{name}")
        return status, value


def ask_token(lab: LabClient, tenant: str, scope: str = "", **form: str) -> tuple[int, Any]:
    """(status, body) of the token endpoint; with the client secret unless the form says otherwise."""
    fields = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "scope": scope or f"{lab.url}/.default"}
    if "client_assertion" not in form:
        fields["client_secret"] = lab.secret
    data = urllib.parse.urlencode(fields | form).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    status, _headers, body = lab.call("POST", f"/{tenant}/oauth2/v2.0/token", data, kind)
    return status, body


def token(lab: LabClient, tenant: str, **form: str) -> str:
    status, body = ask_token(lab, tenant, **form)
    assert status == 200, body
    return str(body["access_token"])


@pytest.fixture(scope="module")
def started() -> Iterator[LabClient]:
    with running_lab() as lab:
        yield lab


@pytest.fixture
def lab(started: LabClient) -> LabClient:
    started.reset()
    return started


@pytest.fixture
def caller(lab: LabClient) -> Callable[..., Caller]:
    """caller(tenant, *auxiliary tenants, of=another lab)"""
    return lambda tenant, *auxiliary, of=lab: Caller(of, tenant, *auxiliary)


@pytest.fixture
def contoso(caller: Callable[..., Caller]) -> Caller:
    """Contoso's principal with a token for Proseware's destinations."""
    return caller(CONTOSO, PROSEWARE)


@pytest.fixture
def ask(lab: LabClient) -> Callable[..., tuple[int, Any]]:
    """ask(tenant, scope, **form): the token endpoint's status and body."""
    return lambda tenant, scope="", **form: ask_token(lab, tenant, scope, **form)


@pytest.fixture
def registered(lab: LabClient) -> Identity:
    """The certificate that is registered at the app."""
    pem = Path(lab.certificate_path).read_bytes()
    return Identity(x509.load_pem_x509_certificate(pem), serialization.load_pem_private_key(pem, None))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def standin_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tree(tmp_path_factory.mktemp("standin"), "2.29.0")


@pytest.fixture
def standin(standin_files: Path, tmp_path: Path, lab: LabClient) -> Iterator[Standin]:
    made = Standin(standin_files, tmp_path, lab)
    lab.crowdstrike.do("switch", keepalive=0.2)
    yield made
    made.end()
