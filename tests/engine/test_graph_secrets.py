# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Canaries: secrets, tokens, keys and proofs stand in no result, no report, no evidence, no diff and no trace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import http
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.application import certificates
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import credentials
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.principal import api as principal
from lab.client import LabClient
from lab.testing import CONTOSO, NORTHWIND, PROSEWARE

from .graph_engines import REDIRECT, STATE_KEY, WANTED, Directory, certificate, customer, provider

NAME = "proseware-log-onboarding"


class Watch:
    """Everything that leaves a run, everything that must not, and every body that was sent."""

    def __init__(self, lab: LabClient, folder: Path) -> None:
        self.folder = folder
        self.told: list[str] = []
        self.sent: list[str] = []
        self.canaries = {lab.secret, STATE_KEY}

    def update(self, **given: Any) -> None:
        self.told.append(json.dumps(given))

    def failure(self, text: str) -> None:
        self.told.append(text)

    def check(self, one: Directory, **given: Any) -> dict[str, Any]:
        """Run it, and look for canaries in all that came out; the result."""
        self.canaries |= {one.given["access_token"]} if one.given.get("access_token") else set()
        path = self.folder / "evidence.jsonl"
        result = one.run(diff=True, evidence_path=str(path), reporter=self, **given)
        everything = "\n".join([json.dumps(result), *self.told, path.read_text() if path.exists() else ""])
        assert len(self.canaries) > 2, "tokens are to be known"
        for canary in self.canaries:
            assert canary not in everything, "a secret got out"
        return result


@pytest.fixture
def watch(lab: LabClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    found = Watch(lab, tmp_path)
    claims, proof, send = credentials.claims, certificates.proof, http.send

    def seen(token: str) -> dict[str, Any]:
        found.canaries.add(token)
        return claims(token)

    def proven(*given: Any) -> str:
        text = proof(*given)
        found.canaries.add(text)
        return text

    async def sending(client: Any, method: str, url: str, **given: Any) -> http.Answer:
        found.sent.append(json.dumps(given.get("body")))
        return await send(client, method, url, **given)

    monkeypatch.setattr(credentials, "claims", seen)
    monkeypatch.setattr(principal, "claims", seen)
    monkeypatch.setattr(certificates, "proof", proven)
    monkeypatch.setattr(http, "send", sending)
    return found


@pytest.fixture
def home(lab: LabClient) -> Directory:
    return provider(lab, display_name=NAME, permissions=WANTED, redirect_uris=[REDIRECT])


def test_runs_without_trouble(lab: LabClient, home: Directory, watch: Watch, tmp_path: Path) -> None:
    path = certificate(tmp_path / "new.pem")
    assert watch.check(home, display_name="Another", certificate_paths=[path])["changed"]
    assert watch.check(customer(lab, CONTOSO, redirect_uri=REDIRECT, state_key=STATE_KEY))["consent_url"]
    token = lab.admin_token(NORTHWIND, "graph")
    assert watch.check(customer(lab, access_token=token, state_key=STATE_KEY))["changed"]
    key = "".join(Path(path).read_text().partition("-----BEGIN PRIVATE KEY-----")[2].split())
    assert not any(key[:60] in body for body in watch.sent), "a private key was sent"


def test_a_roll_by_proof(lab: LabClient, watch: Watch, tmp_path: Path) -> None:
    path = certificate(tmp_path / "new.pem")
    one = Directory(lab, "application", PROSEWARE, client_certificate_path=lab.certificate_path, display_name=NAME)
    assert watch.check(one, certificate_paths=[path])["changed"]
    assert any("proof" in body for body in watch.sent)


def test_a_new_secret_is_in_its_own_return_value_only(home: Directory, watch: Watch) -> None:
    result = home.run(diff=True, evidence_path=str(watch.folder / "evidence.jsonl"), reporter=watch, secret_name="siem")
    secret = result.pop("client_secret")
    assert secret
    rest = "\n".join([json.dumps(result), *watch.told, (watch.folder / "evidence.jsonl").read_text()])
    assert secret not in rest


@pytest.mark.parametrize("kind", ["graph.applications.update", "graph.applications.get"])
def test_graph_says_the_token_back(lab: LabClient, home: Directory, watch: Watch, kind: str) -> None:
    lab.fault("status", kind=kind, status=400, code="Echo", message=f"no right with {home.given['access_token']}")
    watch.canaries.add("another-canary")
    result = watch.check(home, display_name="Another")
    assert result["failed"]
    assert "VALUE_HIDDEN" in json.dumps(result)


def test_entra_says_the_secret_back(lab: LabClient, watch: Watch) -> None:
    watch.canaries.add("another-canary")
    lab.fault("status", kind="token", status=401, code="invalid_client", count=None,
              message=f"AADSTS7000215: Invalid client secret {lab.secret}. Trace ID: 1")  # fmt: skip
    assert watch.check(customer(lab, CONTOSO))["failed"]


def test_a_defect_of_ours_shows_no_token_in_its_trace(
    home: Directory, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_client: Any, _method: str, _url: str, **given: Any) -> http.Answer:
        raise RuntimeError(given["headers"]["Authorization"])

    monkeypatch.setattr(http, "send", broken)
    result = watch.check(home)
    assert result["msg"].startswith("Internal error")
    assert "RuntimeError" in result["exception"]
