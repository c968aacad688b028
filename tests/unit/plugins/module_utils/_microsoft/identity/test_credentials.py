# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens: one request in flight a tenant, renewed in time, refused once, and always of the tenant asked for."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError, SignInError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.findings import CUSTOMER
from ansible_collections.mssp.onboarding.plugins.module_utils._core.redaction import Redactor
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import credentials
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity.cloud import Cloud
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity.credentials import (
    GivenToken,
    Tokens,
    claims,
)

HOME, OTHER, SCOPE = "2-home", "1-other", "https://arm.example/.default"


def token(tenant: str, number: int = 1) -> str:
    payload = base64.urlsafe_b64encode(json.dumps({"tid": tenant, "n": number}).encode()).decode().rstrip("=")
    return f"header.{payload}.signature{number}"


class Clock:
    def __init__(self) -> None:
        self.now = 10_000.0

    def time(self) -> float:
        return self.now


class Credential:
    """As azure-identity: keeps its tokens until they end."""

    def __init__(self, clock: Clock, life: float = 3600.0) -> None:
        self.clock, self.life = clock, life
        self.asked: list[tuple[str, str]] = []
        self.in_flight = self.most_in_flight = 0
        self.closed = False
        self.error: Exception | None = None
        self.tenant_of: Callable[[str], str] = lambda tenant: tenant

    async def get_token(self, scope: str, tenant_id: str) -> Any:
        self.asked.append((tenant_id, scope))
        self.in_flight += 1
        self.most_in_flight = max(self.in_flight, self.most_in_flight)
        await asyncio.sleep(0)
        self.in_flight -= 1
        if self.error:
            raise self.error
        return SimpleNamespace(
            token=token(self.tenant_of(tenant_id), len(self.asked)), expires_on=self.clock.now + self.life
        )

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    one = Clock()
    monkeypatch.setattr(credentials, "time", one)
    return one


@pytest.fixture
def given(clock: Clock) -> Credential:
    return Credential(clock)


@pytest.fixture
def tokens(given: Credential) -> Tokens:
    return Tokens(lambda: given, Redactor())


def get(tokens: Tokens, tenant: str = HOME) -> str:
    return asyncio.run(tokens.get(tenant, SCOPE))


def test_a_token_is_kept_while_it_is_fresh(tokens: Tokens, given: Credential, clock: Clock) -> None:
    first = get(tokens)
    clock.now += 3600 - credentials.REFRESH_SECONDS - 1
    assert get(tokens) == first
    assert given.asked == [(HOME, SCOPE)]


def test_a_token_is_renewed_before_it_ends(tokens: Tokens, given: Credential, clock: Clock) -> None:
    first = get(tokens)
    clock.now += 3600 - credentials.REFRESH_SECONDS + 1
    assert get(tokens) != first
    assert len(given.asked) == 2


def test_a_short_lived_token_is_used_for_half_its_life(tokens: Tokens, given: Credential, clock: Clock) -> None:
    given.life = 100
    first = get(tokens)
    clock.now += 49
    assert get(tokens) == first
    clock.now += 2
    assert get(tokens) != first


def test_each_tenant_and_scope_has_a_token_of_its_own(tokens: Tokens, given: Credential) -> None:
    get(tokens)
    get(tokens, OTHER)
    asyncio.run(tokens.get(HOME, "https://logs.example/.default"))
    assert given.asked == [(HOME, SCOPE), (OTHER, SCOPE), (HOME, "https://logs.example/.default")]


def test_many_who_ask_at_once_make_one_request(tokens: Tokens, given: Credential) -> None:
    async def many() -> list[str]:
        return await asyncio.gather(*(tokens.get(HOME, SCOPE) for _number in range(50)))

    assert len(set(asyncio.run(many()))) == 1
    assert given.asked == [(HOME, SCOPE)]


def test_at_expiry_one_request_is_in_flight(tokens: Tokens, given: Credential, clock: Clock) -> None:
    async def many() -> None:
        await tokens.get(HOME, SCOPE)
        clock.now += 3600
        await asyncio.gather(*(tokens.get(HOME, SCOPE) for _number in range(50)))

    asyncio.run(many())
    assert given.most_in_flight == 1
    assert len(given.asked) == 2


def test_tenants_do_not_wait_for_each_other(tokens: Tokens, given: Credential) -> None:
    async def both() -> None:
        await asyncio.gather(tokens.get(HOME, SCOPE), tokens.get(OTHER, SCOPE))

    asyncio.run(both())
    assert given.most_in_flight == 2


# ---- refused ------------------------------------------------------------------------------------------------------

ENTRA = (
    "(invalid_client) AADSTS7000222: The provided client secret keys are expired. Trace ID: t-1 Correlation ID: c-1 "
    "Timestamp: 2026\nContent: {}"
)


def test_a_refused_sign_in_is_not_tried_again_for_a_while(tokens: Tokens, given: Credential, clock: Clock) -> None:
    given.error = ClientAuthenticationError(ENTRA)
    for _target in range(5):
        with pytest.raises(SignInError):
            get(tokens)
    assert len(given.asked) == 1
    clock.now += credentials.REFUSED_SECONDS + 1
    given.error = None
    assert get(tokens)


def test_a_token_that_lives_is_used_where_a_new_one_is_refused(tokens: Tokens, given: Credential, clock: Clock) -> None:
    first = get(tokens)
    given.error = ClientAuthenticationError("AADSTS90033: passing")
    clock.now += 3600 - 200
    assert [get(tokens), get(tokens)] == [first, first]
    asked = len(given.asked)
    assert asked == 2, "the refusal is kept for a while"
    clock.now += 195
    with pytest.raises(SignInError):
        get(tokens)


def test_the_refusal_of_one_tenant_is_none_of_another(tokens: Tokens, given: Credential) -> None:
    given.error = ClientAuthenticationError(ENTRA)
    with pytest.raises(SignInError):
        get(tokens, OTHER)
    given.error = None
    assert get(tokens, HOME)


def test_entras_words(tokens: Tokens, given: Credential) -> None:
    given.error = ClientAuthenticationError(ENTRA)
    with pytest.raises(SignInError) as caught:
        get(tokens)
    error = caught.value
    assert (error.operation, error.code) == (f"sign in to tenant {HOME}", "AADSTS7000222")
    assert (error.message, error.request_id) == ("The provided client secret keys are expired", "t-1")
    assert "new client secret" in error.next_step


OTHERS: dict[str, tuple[Exception, str, str]] = {
    "no words": (ClientAuthenticationError(""), "SignInFailed", "check the identity's options"),
    "an unheard code": (ClientAuthenticationError("AADSTS1: x"), "AADSTS1", "check the identity's options"),
    "no network": (ServiceRequestError("Cannot connect to host x:443"), "SignInFailed", "proxy"),
    "another authority": (ServiceRequestError("certificate verify failed: unable"), "SignInFailed", "ca_file"),
    "a broken file": (ValueError("no PEM data"), "ValueError", ""),
    "an unreadable file": (OSError("no such file"), "OSError", ""),
}


@pytest.mark.parametrize("case", OTHERS)
def test_other_refusals(tokens: Tokens, given: Credential, case: str) -> None:
    given.error, code, step = OTHERS[case]
    with pytest.raises(SignInError) as caught:
        get(tokens)
    assert caught.value.code == code
    assert caught.value.message
    assert step in caught.value.next_step
    assert caught.value.next_step, "an error has its next step"


def test_a_refused_sign_in_carries_its_step_and_its_owner(tokens: Tokens, given: Credential) -> None:
    given.error = ClientAuthenticationError("AADSTS53003: Access has been blocked by Conditional Access policies.")
    with pytest.raises(SignInError) as caught:
        get(tokens)
    assert "Conditional Access" in caught.value.next_step
    assert caught.value.owner == CUSTOMER


# ---- the right tenant ---------------------------------------------------------------------------------------------


def test_a_token_of_another_tenant_is_refused(tokens: Tokens, given: Credential) -> None:
    given.tenant_of = lambda _asked: HOME
    assert get(tokens, HOME)
    with pytest.raises(SignInError) as caught:
        get(tokens, OTHER)
    assert caught.value.code == "WrongTenant"
    assert HOME in caught.value.message
    assert "AZURE_IDENTITY_DISABLE_MULTITENANTAUTH" in caught.value.next_step


def test_a_tenant_in_another_case_is_the_same(tokens: Tokens) -> None:
    assert get(tokens, HOME.upper())


def test_what_is_no_jwt_has_no_tenant(tokens: Tokens, given: Credential, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "claims", lambda _token: {})
    with pytest.raises(SignInError, match="one of tenant unknown"):
        get(tokens)


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "a.!!!.c", "a." + base64.b64encode(b"[1]").decode() + ".c"])
def test_claims_of_what_is_no_jwt(text: str) -> None:
    assert claims(text) == {}


# ---- a token that the vendor refused ------------------------------------------------------------------------------


def made(clock: Clock) -> tuple[Tokens, list[Credential]]:
    every: list[Credential] = []

    def make() -> Credential:
        every.append(Credential(clock))
        return every[-1]

    return Tokens(make, Redactor()), every


def test_a_refused_token_is_replaced_with_its_credential(clock: Clock) -> None:
    """azure-identity would give the same token from its own cache."""
    tokens, every = made(clock)
    assert tokens.refuse(HOME, SCOPE, get(tokens)), "another one may be had"
    get(tokens)
    assert [len(one.asked) for one in every] == [1, 1]


def test_a_token_that_was_replaced_already_is_not_replaced_again(clock: Clock) -> None:
    tokens, every = made(clock)
    old = get(tokens)
    tokens.refuse(HOME, SCOPE, old)
    get(tokens)
    tokens.refuse(HOME, SCOPE, old)
    get(tokens)
    assert len(every) == 2
    assert tokens.refuse(HOME, SCOPE, "an earlier one"), "another one is there"


def test_tokens_are_not_replaced_again_and_again(clock: Clock) -> None:
    tokens, every = made(clock)
    assert [tokens.refuse(HOME, SCOPE, get(tokens)) for _target in range(20)] == [True] * 20
    assert len(every) == 2
    clock.now += credentials.REFUSED_SECONDS + 1
    tokens.refuse(HOME, SCOPE, get(tokens))
    assert len(every) == 3


def test_all_credentials_are_closed(clock: Clock) -> None:
    tokens, every = made(clock)
    tokens.refuse(HOME, SCOPE, get(tokens))
    asyncio.run(tokens.close())
    assert [one.closed for one in every] == [True, True]


# ---- secrets and credentials --------------------------------------------------------------------------------------


def test_every_token_becomes_a_secret(given: Credential) -> None:
    redactor = Redactor()
    one = get(Tokens(lambda: given, redactor))
    assert redactor(f"Bearer {one}") == "Bearer VALUE_HIDDEN"


def test_a_token_of_the_wrong_tenant_is_a_secret_too(given: Credential) -> None:
    redactor = Redactor()
    given.tenant_of = lambda _asked: OTHER
    with pytest.raises(SignInError):
        get(Tokens(lambda: given, redactor))
    assert redactor(token(OTHER, 1)) == "VALUE_HIDDEN"


def test_the_secret_in_entras_words_is_hidden(given: Credential) -> None:
    given.error = ClientAuthenticationError("AADSTS7000215: Invalid client secret canary-secret.")
    with pytest.raises(SignInError) as caught:
        get(Tokens(lambda: given, Redactor("canary-secret")))
    assert "canary-secret" not in str(caught.value)


CLOUD = Cloud(
    "https://arm.example", "https://login.example", "https://logs.example", "https://graph.example", own_authority=True
)
GUID = "20000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize("option", ["client_certificate_path", "federated_token_file", "ca_file"])
def test_a_missing_file_is_named(option: str) -> None:
    given: dict[str, Any] = {"client_secret": "x", option: "/nowhere/file"}
    with pytest.raises(InputError, match="/nowhere/file is missing or cannot be read"):
        credentials.credential(CLOUD, GUID, GUID, **given)


def test_the_kind_of_credential_follows_what_is_given(tmp_path: Any) -> None:
    path = tmp_path / "token"
    path.write_text("x")
    assert type(credentials.credential(CLOUD, GUID, GUID, client_secret="x")).__name__ == "ClientSecretCredential"
    federated = credentials.credential(CLOUD, GUID, GUID, federated_token_file=str(path))
    assert type(federated).__name__ == "WorkloadIdentityCredential"


def test_a_certificate_without_a_key_is_an_input_error(tmp_path: Any) -> None:
    path = tmp_path / "app.pem"
    path.write_text("nothing")
    with pytest.raises(InputError):
        credentials.credential(CLOUD, GUID, GUID, client_certificate_path=str(path))


def test_instance_discovery_is_off_only_for_an_authority_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr(credentials, "ClientSecretCredential", lambda *_args, **given: seen.append(given))
    for own in (True, False):
        credentials.credential(CLOUD._replace(own_authority=own), GUID, GUID, client_secret="x", other_tenants=(OTHER,))
    assert [given["disable_instance_discovery"] for given in seen] == [True, False]
    assert seen[0]["additionally_allowed_tenants"] == [OTHER], "an auxiliary tenant must be allowed by name"
    assert "connection_verify" not in seen[0]


# ---- an administrator's token ---------------------------------------------------------------------------------------


def administrators(clock: Clock, redactor: Redactor | None = None, **claimed: Any) -> GivenToken:
    said = {"tid": HOME, "exp": clock.now + 60, **claimed}
    payload = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    return GivenToken(f"header.{payload}.signature", redactor or Redactor())


def test_a_given_token_is_used_as_it_is(clock: Clock) -> None:
    given = administrators(clock)
    first, second = asyncio.run(given.get(HOME, SCOPE)), asyncio.run(given.get(HOME.upper(), SCOPE))
    assert first == second
    assert claims(first)["tid"] == HOME


@pytest.mark.parametrize(
    ("claimed", "code", "words"),
    [
        ({"tid": OTHER}, "WrongTenant", f"one of tenant {OTHER}"),
        ({"tid": None}, "WrongTenant", "one of tenant None"),
        ({"exp": 0}, "TokenExpired", "its time is over"),
    ],
)
def test_a_given_token_that_cannot_serve_is_said_with_the_command(
    clock: Clock, claimed: dict[str, Any], code: str, words: str
) -> None:
    with pytest.raises(SignInError, match=words) as caught:
        asyncio.run(administrators(clock, **claimed).get(HOME, SCOPE))
    assert caught.value.code == code
    assert f"az account get-access-token --tenant {HOME} --scope {SCOPE}" in caught.value.next_step


def test_a_given_token_ends_while_it_is_used(clock: Clock) -> None:
    given = administrators(clock)
    asyncio.run(given.get(HOME, SCOPE))
    clock.now += 60
    with pytest.raises(SignInError, match="time is over"):
        asyncio.run(given.get(HOME, SCOPE))


def test_what_is_no_token_is_said(clock: Clock) -> None:
    with pytest.raises(SignInError, match="tenant unknown"):
        asyncio.run(GivenToken("not-a-token", Redactor()).get(HOME, SCOPE))


def test_a_refused_given_token_is_not_replaced_and_nothing_is_left_open(clock: Clock) -> None:
    given = administrators(clock)
    token = asyncio.run(given.get(HOME, SCOPE))
    assert not given.refuse(HOME, SCOPE, token)
    assert asyncio.run(given.get(HOME, SCOPE)) == token
    asyncio.run(given.close())


def test_a_given_token_is_a_secret_from_the_beginning(clock: Clock) -> None:
    redactor = Redactor()
    given = administrators(clock, redactor)
    assert redactor(f"said {asyncio.run(given.get(HOME, SCOPE))}") == "said VALUE_HIDDEN"
