# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in: each refusal of Entra in words, which token goes where, and how often one is asked for."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from ansible_collections.mssp.onboarding.plugins.module_utils._core import http
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import NoAnswerError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import credentials
from lab.client import LabClient
from lab.entra.credentials import AUDIENCE, ISSUER, SUBJECT
from lab.kernel import ca
from lab.testing import CONTOSO, FABRIKAM, PROSEWARE, TAILSPIN

from .engines import DEVELOPMENT, OWN_WORKSPACE, Tenant, counts, log

STRANGER = "90000000-0000-4000-8000-000000000009"


def assertion(folder: Path, **claims: Any) -> str:
    """A federated token that Entra has reason to refuse: signed by nobody it knows, with these claims."""
    now = int(time.time())
    text = {"iss": ISSUER, "sub": SUBJECT, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 600} | claims
    path = folder / "token.jwt"
    path.write_text(jwt.encode(text, ca.rsa_key(), algorithm="RS256"))
    return str(path)


def certificate(folder: Path) -> str:
    """A certificate that is not registered with the app."""
    made = ca.make_app("stranger")
    path = folder / "stranger.pem"
    key = made.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.certificate.public_bytes(serialization.Encoding.PEM) + key)
    return str(path)


SECRET: dict[str, Any] = {"client_secret": None}
REFUSED: dict[str, tuple[str, Callable[[Path], dict[str, Any]], str, str]] = {
    "wrong secret": (CONTOSO, lambda _f: {"client_secret": "not-the-secret"}, "AADSTS7000215", "the secret's value"),
    "expired secret": (CONTOSO, lambda _f: {"client_secret": "expired-lab-secret"}, "AADSTS7000222", "expired"),
    "no consent": (FABRIKAM, lambda _f: {"managing_tenant_id": None}, "AADSTS7000229", "have its admin consent"),
    "unknown tenant": (STRANGER, lambda _f: {}, "AADSTS90002", "knows no such tenant"),
    "unknown app": (CONTOSO, lambda _f: {"client_id": STRANGER}, "AADSTS700016", "have its admin consent"),
    "unknown certificate": (
        CONTOSO, lambda folder: {**SECRET, "client_certificate_path": certificate(folder)},
        "AADSTS700027", "upload the certificate",
    ),
    "unknown issuer": (
        TAILSPIN, lambda folder: {"federated_token_file": assertion(folder, iss="https://stranger.example")},
        "AADSTS700211", "issuer, subject and audience",
    ),
    "unknown audience": (
        TAILSPIN, lambda folder: {"federated_token_file": assertion(folder, aud="api://stranger")},
        "AADSTS700212", "issuer, subject and audience",
    ),
    "unknown subject": (
        TAILSPIN, lambda folder: {"federated_token_file": assertion(folder, sub="repo:stranger")},
        "AADSTS700213", "issuer, subject and audience",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_sign_in_says_entras_words_and_the_next_step(lab: LabClient, tmp_path: Path, case: str) -> None:
    tenant, given, code, step = REFUSED[case]
    result = Tenant(lab, tenant, **given(tmp_path)).run()
    assert result["failed"]
    (problem,) = result["problems"]
    assert problem["code"] == code
    assert problem["operation"] == f"sign in to tenant {tenant}"
    assert problem["message"]
    assert "Trace ID" not in problem["message"]
    assert "AADSTS" not in problem["message"], "the code stands by itself"
    assert step in problem["next_step"]
    assert problem["request_id"], "Entra's trace id is told"
    assert code in result["msg"]
    assert {one["kind"] for one in log(lab)} <= {"token", "openid", "discovery"}, "without a token nothing is asked"
    assert len(log(lab, "token")) == 1, "a refused sign-in is not repeated"


MISSING: dict[str, dict[str, Any]] = {
    "ca_file": {"ca_file": "/nowhere/ca.pem"},
    "client_certificate_path": {"client_secret": None, "client_certificate_path": "/nowhere/app.pem"},
    "federated_token_file": {"client_secret": None, "federated_token_file": "/nowhere/token"},
}


@pytest.mark.parametrize("case", MISSING)
def test_a_missing_file_is_named(contoso: Tenant, case: str) -> None:
    result = contoso.run(**MISSING[case])
    assert result["failed"]
    assert f"{MISSING[case][case]} is missing or cannot be read" in result["msg"]
    assert log(contoso.lab) == []


def test_a_ca_file_that_holds_no_certificate_is_named(contoso: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("nothing\n")
    result = contoso.run(ca_file=str(path))
    assert result["failed"]
    assert str(path) in result["msg"]
    assert "Internal error" not in result["msg"]
    assert log(contoso.lab) == []


def test_a_certificate_file_that_holds_no_key_is_an_error_in_words(contoso: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "app.pem"
    path.write_text("nothing\n")
    result = contoso.run(client_secret=None, client_certificate_path=str(path))
    assert result["failed"]
    assert "Internal error" not in result["msg"], result["msg"]


def test_an_authority_of_another_ca_is_refused_and_ca_file_named(
    contoso: Tenant, tmp_path: Path, no_waits: None
) -> None:
    path = tmp_path / "other.pem"
    path.write_bytes(ca.cert_pem(ca.make_ca().certificate).encode())
    result = contoso.run(ca_file=str(path))
    assert result["failed"], "TLS is verified always"
    assert "certificate verify failed" in result["msg"].casefold()
    assert "ca_file" in result["problems"][0]["next_step"]
    assert log(contoso.lab) == []


def test_without_ca_file_the_labs_certificate_is_refused(contoso: Tenant, no_waits: None) -> None:
    result = contoso.run(ca_file=None)
    assert result["failed"], "TLS is verified always"
    assert "certificate verify failed" in result["msg"].casefold()


def test_an_endpoint_of_another_ca_is_refused_and_ca_file_named(lab: LabClient) -> None:
    """Beyond the sign-in: every request verifies."""

    async def ask() -> None:
        async with http.session(lab.url, None, 1) as client:
            await http.send(client, "GET", f"{lab.url}/subscriptions", operation="list", headers={})

    with pytest.raises(NoAnswerError) as caught:
        asyncio.run(ask())
    assert caught.value.code == "CertificateRefused"
    assert "ca_file" in caught.value.next_step


def test_a_proxy_that_is_not_there_is_named(
    contoso: Tenant, no_waits: None, hasty: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    result = contoso.run()
    assert result["failed"]
    assert "127.0.0.1:9" in result["msg"]
    assert "proxy" in result["problems"][0]["next_step"]
    assert log(contoso.lab) == []


@pytest.mark.parametrize("engine", ["settings", "access"])
def test_the_end_of_the_certificate_is_told(lab: LabClient, engine: str) -> None:
    ends = x509.load_pem_x509_certificate(Path(lab.certificate_path).read_bytes()).not_valid_after_utc
    [found] = Tenant(lab, FABRIKAM).run(engine, check=True)["summary"]["credentials"]
    assert found["name"] == f"certificate {Path(lab.certificate_path).name}"
    assert datetime.fromisoformat(found["expires"]) == ends.replace(microsecond=0)


def test_a_secret_has_no_end_that_could_be_told(contoso: Tenant) -> None:
    [told] = contoso.run(check=True)["summary"]["credentials"]
    assert (told["name"].startswith("client secret of app "), told["expires"]) == (True, "")


def test_a_sign_in_that_hangs_has_an_end(contoso: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "SIGN_IN_SECONDS", 0.3)
    contoso.lab.fault("hang", path="/oauth2/v2.0/token", count=None)
    result = contoso.run()
    assert result["failed"]
    assert result["problems"][0]["code"] == "Timeout"
    assert "no answer within 0.3 s" in result["msg"]
    contoso.lab.clear_faults()


def test_no_proxy_is_kept(dev: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert counts(dev.run()) == {"corrected": 2}


def test_http_is_refused(contoso: Tenant) -> None:
    result = contoso.run(resource_manager_url=contoso.lab.url.replace("https", "http"))
    assert result["failed"]
    assert "must be an https URL" in result["msg"]
    assert log(contoso.lab) == []


# ---- auxiliary tokens ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tenant", [CONTOSO, TAILSPIN], ids=["contoso", "tailspin"])
def test_the_auxiliary_token_goes_with_writes_and_with_nothing_else(lab: LabClient, tenant: str) -> None:
    one = Tenant(lab, tenant, families=["key_vault"])
    one.run()
    assert {line["auxiliary"] for line in log(lab, "settings.put")} == {1}
    assert {line["auxiliary"] for line in log(lab) if line["kind"] != "settings.put"} == {0}
    assert {line["tenant"] for line in log(lab, "settings.put")} == {tenant}, "the primary token is the customer's"
    lab.reset_requests()
    one.run(state="absent")
    assert {line["auxiliary"] for line in log(lab)} == {0}, "a removal has no destination"


def test_no_auxiliary_token_for_a_destination_of_the_same_tenant(dev: Tenant) -> None:
    assert counts(dev.run(workspace_id=OWN_WORKSPACE)) == {"corrected": 2}
    assert {line["auxiliary"] for line in log(dev.lab)} == {0}
    assert {line["path"].split("/")[1] for line in log(dev.lab, "token")} == {CONTOSO}, "nor is one asked for"


def test_a_run_that_writes_nothing_asks_for_no_auxiliary_token(dev: Tenant) -> None:
    dev.run(check=True)
    assert {line["path"].split("/")[1] for line in log(dev.lab, "token")} == {CONTOSO}


def test_more_than_three_auxiliary_tenants_are_refused(contoso: Tenant) -> None:
    result = contoso.run(auxiliary_tenant_ids=[PROSEWARE, FABRIKAM, TAILSPIN, STRANGER])
    assert result["failed"]
    assert "auxiliary_tenant_ids has 4; Azure takes 3" in result["msg"]
    assert log(contoso.lab) == []


def test_a_token_of_another_tenant_is_refused_before_any_write(dev: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """azure-identity then gives the default tenant's token without a word."""
    monkeypatch.setenv("AZURE_IDENTITY_DISABLE_MULTITENANTAUTH", "1")
    result = dev.run()
    assert counts(result) == {"failed": 2}
    (problem,) = result["problems"]
    assert problem["code"] == "WrongTenant"
    assert CONTOSO in problem["message"]
    assert "AZURE_IDENTITY_DISABLE_MULTITENANTAUTH" in problem["next_step"]
    assert dev.written() == [], "no request may go out with a token of the wrong tenant"


def test_a_refused_auxiliary_sign_in_is_tried_once_and_not_for_each_target(contoso: Tenant) -> None:
    contoso.lab.edit("remove_principal", tenant=PROSEWARE)
    result = contoso.run(families=["key_vault"])
    assert counts(result) == {"failed": 6, "in_sync": 1}
    (problem,) = result["problems"]
    assert (problem["code"], problem["count"]) == ("AADSTS7000229", 6)
    assert problem["operation"] == f"sign in to tenant {PROSEWARE}"
    asked = [line for line in log(contoso.lab, "token") if line["path"].startswith(f"/{PROSEWARE}/")]
    assert len(asked) == 1
    assert contoso.written() == []


# ---- life of a token ----------------------------------------------------------------------------------------------


def test_one_token_a_tenant_and_run(contoso: Tenant) -> None:
    contoso.run()
    asked = [line["path"].split("/")[1] for line in log(contoso.lab, "token")]
    assert sorted(asked) == [CONTOSO, PROSEWARE] or sorted(asked) == [PROSEWARE, CONTOSO], asked


def test_tokens_are_renewed_during_a_long_run_one_request_at_a_time(lab: LabClient) -> None:
    lab.configure(token_life=2, latency=0.05)
    result = Tenant(lab).run(concurrency=4)
    assert not result["failed"], result["msg"]
    asked = log(lab, "token")
    for tenant in (CONTOSO, PROSEWARE):
        mine = [(line["at"] - line["seconds"], line["at"]) for line in asked if line["path"].startswith(f"/{tenant}/")]
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(mine)), (
            "two requests for the same token were in flight"
        )
    seconds = result["summary"]["seconds"]
    first = [line for line in asked if line["path"].startswith(f"/{CONTOSO}/")]
    assert 2 <= len(first) <= seconds + 2, f"{len(first)} tokens of 2 s in {seconds} s"


def test_a_token_that_azure_refuses_is_replaced_once(dev: Tenant) -> None:
    dev.lab.fault("status", kind="subscriptions.list", status=401, code="ExpiredAuthenticationToken")
    assert counts(dev.run(workspace_id=OWN_WORKSPACE)) == {"corrected": 2}
    assert len(log(dev.lab, "token")) == 2, "the same token again would be refused again"


def test_a_token_that_azure_goes_on_refusing_is_an_error(dev: Tenant) -> None:
    dev.lab.fault("status", kind="settings.list", status=401, code="InvalidAuthenticationToken", count=None)
    result = dev.run()
    assert counts(result) == {"unknown": 2}
    assert len(log(dev.lab, "settings.list")) == 4, "each is tried once more"
    assert len(log(dev.lab, "token")) <= 3, "and tokens are not asked for again and again"
    assert "check the identity" in result["problems"][0]["next_step"]


def test_many_refusals_of_one_token_replace_it_once(contoso: Tenant) -> None:
    contoso.lab.configure(latency=0.1)  # all are on their way before the first is refused
    contoso.lab.fault("status", kind="settings.list", status=401, code="ExpiredAuthenticationToken", count=6)
    result = contoso.run(check=True)
    assert set(counts(result)) == {"drifted", "in_sync", "skipped"}
    assert len(log(contoso.lab, "token")) == 2


def test_the_subscription_of_another_tenant_is_told(lab: LabClient) -> None:
    """A token of the wrong tenant is InvalidAuthenticationTokenTenant with a 401."""
    lab.fault("status", kind="settings.list", status=401, code="InvalidAuthenticationTokenTenant", count=None)
    (problem,) = Tenant(lab, subscriptions=[DEVELOPMENT], families=["key_vault"]).run()["problems"]
    assert "check tenant_id, or managing_tenant_id" in problem["next_step"]
