# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Canaries: the client secret and the tokens stand in no result, no report, no evidence and no trace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import http
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import credentials
from lab.testing import CONTOSO

from .engines import DEV_VAULT, Tenant, counts


class Watch:
    """Everything that leaves a run, and every token that went in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[str] = []
        self.tokens: set[str] = set()

    def update(self, **given: Any) -> None:
        self.told.append(json.dumps(given))

    def failure(self, text: str) -> None:
        self.told.append(text)

    def check(self, tenant: Tenant, result: dict[str, Any]) -> None:
        files = [path.read_text() for path in self.folder.rglob("*") if path.is_file()]
        everything = "\n".join([json.dumps(result), *self.told, *files])
        assert self.tokens, "the canaries are to be known"
        for canary in (tenant.lab.secret, *self.tokens):
            assert canary not in everything, "a secret got out"


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    found = Watch(tmp_path)
    claims = credentials.claims

    def seen(token: str) -> dict[str, Any]:
        found.tokens.add(token)
        return claims(token)

    monkeypatch.setattr(credentials, "claims", seen)
    return found


def test_a_run_without_trouble(dev: Tenant, watch: Watch) -> None:
    path = watch.folder / "contoso.jsonl"
    result = dev.run(diff=True, evidence_path=str(path), reporter=watch)
    assert path.stat().st_size
    watch.check(dev, result)


def test_azure_says_the_secret_back(dev: Tenant, watch: Watch) -> None:
    dev.lab.fault("status", kind="settings.list", path=DEV_VAULT, status=403, code="AuthorizationFailed",
                  message=f"no right with {dev.lab.secret}")  # fmt: skip
    result = dev.run(evidence_path=str(watch.folder / "contoso.jsonl"), reporter=watch)
    assert counts(result)["unknown"] == 1
    assert "VALUE_HIDDEN" in json.dumps(result["problems"])
    watch.check(dev, result)


def test_azure_says_the_token_back(dev: Tenant, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    send = http.send

    async def echo(client: Any, method: str, url: str, **given: Any) -> http.Answer:
        answer = await send(client, method, url, **given)
        if method == "PUT":
            text = " ".join(given["headers"].values())
            return answer._replace(status=403, body={"error": {"code": "Echo", "message": text}})
        return answer

    monkeypatch.setattr(http, "send", echo)
    result = dev.run(evidence_path=str(watch.folder / "contoso.jsonl"), reporter=watch)
    assert counts(result) == {"failed": 2}
    assert len(watch.tokens) == 2, "the customer's and the auxiliary one"
    watch.check(dev, result)


def test_entra_says_the_secret_back(dev: Tenant, watch: Watch) -> None:
    watch.tokens.add(dev.lab.secret)
    text = f"AADSTS7000215: Invalid client secret {dev.lab.secret}. Trace ID: 1"
    dev.lab.fault("status", kind="token", status=401, code="invalid_client", message=text, count=None)
    result = dev.run(reporter=watch)
    assert result["failed"]
    watch.check(dev, result)


def test_a_defect_of_ours_shows_no_secret_in_its_trace(
    dev: Tenant, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_client: Any, _method: str, _url: str, **given: Any) -> http.Answer:
        raise RuntimeError(given["headers"]["Authorization"], dev.lab.secret)

    monkeypatch.setattr(http, "send", broken)
    result = dev.run(reporter=watch)
    assert result["failed"]
    assert result["msg"].startswith("Internal error")
    assert "RuntimeError" in result["exception"]
    watch.check(dev, result)


def test_the_other_modules_too(dev: Tenant, watch: Watch) -> None:
    for engine in ("access", "flow"):
        dev.lab.fault("status", kind="permissions.list", status=500, code="Echo", message=dev.lab.secret, count=1)
        dev.lab.fault("status", kind="logs.query", status=403, code="Echo", message=dev.lab.secret, count=1)
        given: dict[str, Any] = {"evidence_path": str(watch.folder / "flow.jsonl")} if engine == "flow" else {}
        watch.check(dev, dev.run(engine, reporter=watch, **given))


def test_a_wrong_secret_is_not_told_either(dev: Tenant, watch: Watch) -> None:
    watch.tokens.add("a-wrong-secret-canary")
    result = dev.run(client_secret="a-wrong-secret-canary", reporter=watch)
    assert result["problems"][0]["operation"] == f"sign in to tenant {CONTOSO}"
    watch.check(dev, result)
