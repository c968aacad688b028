# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph's conversation: what is tried again, pages, lag and words, against a scripted HTTP layer."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import client, http, throttle
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import NoAnswerError, RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.graph import client as clients
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.graph.client import Call, Graph
from tests.unit.plugins.module_utils._microsoft.scripts_of_http import CLOUD, HOME, Clock, Script, answer

READ = Call("GET", "/applications(appId='a')?$select=id", "read the app", "Application.Read.All")
MAKE = Call("POST", "/servicePrincipals", "make it", "an administrator", {"appId": "a"})
SET = Call("PATCH", "/applications/1", "change the app", "an administrator", {"displayName": "x"})


class Tokens:
    def __init__(self) -> None:
        self.number = 1
        self.refused: list[str] = []

    async def get(self, tenant: str, scope: str) -> str:
        assert (tenant, scope) == (HOME, CLOUD.graph_scope)
        return f"token-{self.number}"

    def refuse(self, _tenant: str, _scope: str, token: str) -> bool:
        self.refused.append(token)
        self.number += 1
        return True


def cut(what: Call, code: str = "ServerDisconnectedError") -> NoAnswerError:
    return NoAnswerError(what.operation, "dropped", code=code)


def error(status: int, code: str, text: str = "said", **headers: Any) -> http.Answer:
    return answer(status, {"error": {"code": code, "message": text}}, **headers)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Any:
    def make(*answers: Any) -> tuple[Graph, Script]:
        script = Script(clock, *answers)
        monkeypatch.setattr(http, "send", script.send)
        monkeypatch.setattr(asyncio, "sleep", clock.sleep)
        for module in (client, clients):
            monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=clock))
        graph = Graph(None, CLOUD, Tokens(), HOME)  # type: ignore[arg-type]
        graph.buckets = throttle.Buckets(dict(Graph.LIMITS), clock)
        return graph, script

    return make


def call(graph: Graph, what: Call) -> Any:
    return asyncio.run(graph.call(what))


def test_a_read(scripted: Any) -> None:
    graph, script = scripted(answer(body={"id": "1"}))
    assert call(graph, READ) == {"id": "1"}
    (sent,) = script.requests
    assert sent.url == "https://graph.example/v1.0/applications(appId='a')?$select=id"
    assert sent.headers == {"Authorization": "Bearer token-1", "Content-Type": "application/json"}
    assert graph.requests == {"GET": 1}


def test_an_upsert_says_so(scripted: Any) -> None:
    graph, script = scripted(answer(201))
    call(graph, SET._replace(prefer="create-if-missing"))
    assert script.requests[0].headers["Prefer"] == "create-if-missing"
    assert script.requests[0].body == {"displayName": "x"}


# ---- what is tried again, and what is not ---------------------------------------------------------------------------

AGAIN: dict[str, tuple[Call, Any]] = {
    "a read that was cut": (READ, cut(READ)),
    "a write that was cut, of a state": (SET, cut(SET)),
    "a read after a 500": (READ, answer(500)),
    "a write of a state after a 502": (SET, answer(502)),
    "a creation that was throttled": (MAKE, answer(429, Retry_After=2)),
    "a creation that found nobody at home": (MAKE, answer(503)),
    "a creation that was never sent": (MAKE, cut(MAKE, "ClientConnectorError")),
    "a creation with a token that is over": (MAKE, error(401, "InvalidAuthenticationToken")),
}
NOT_AGAIN: dict[str, tuple[Call, Any]] = {
    "a creation that was cut": (MAKE, cut(MAKE)),
    "a creation after a 500": (MAKE, answer(500)),
    "a creation after a 504": (MAKE, answer(504)),
    "a refusal": (READ, error(403, "Authorization_RequestDenied")),
    "a bad request": (SET, error(400, "Request_BadRequest")),
}


@pytest.mark.parametrize("case", AGAIN)
def test_it_is_tried_again(scripted: Any, case: str) -> None:
    what, first = AGAIN[case]
    graph, script = scripted(first, answer(body={"id": "1"}))
    assert call(graph, what) == {"id": "1"}
    assert len(script.requests) == 2


@pytest.mark.parametrize("case", NOT_AGAIN)
def test_it_is_not_tried_again(scripted: Any, case: str) -> None:
    what, first = NOT_AGAIN[case]
    graph, script = scripted(first)
    with pytest.raises((RefusedError, NoAnswerError)):
        call(graph, what)
    assert len(script.requests) == 1


@pytest.mark.parametrize(("status", "kind"), [(500, NoAnswerError), (502, NoAnswerError), (403, RefusedError)])
def test_after_an_error_of_its_own_nobody_knows_whether_a_creation_was_done(
    scripted: Any, status: int, kind: type[Exception]
) -> None:
    graph, _script = scripted(error(status, "Said"))
    with pytest.raises(kind) as caught:
        call(graph, MAKE)
    assert getattr(caught.value, "status", None) == status


def test_the_pause_is_the_one_that_graph_asks_for(scripted: Any, clock: Clock) -> None:
    graph, _script = scripted(answer(429, Retry_After=7), answer())
    call(graph, READ)
    assert clock.slept == [7.0]
    assert graph.throttled == 1


def test_trying_comes_to_an_end(scripted: Any) -> None:
    graph, script = scripted(*[answer(503)] * http.ATTEMPTS)
    with pytest.raises(RefusedError):
        call(graph, READ)
    assert len(script.requests) == http.ATTEMPTS


def test_a_token_that_is_over_is_replaced_once(scripted: Any) -> None:
    refusal = error(401, "InvalidAuthenticationToken")
    graph, script = scripted(refusal, refusal)
    with pytest.raises(RefusedError):
        call(graph, READ)
    assert [one.headers["Authorization"] for one in script.requests] == ["Bearer token-1", "Bearer token-2"]


# ---- what is not there ----------------------------------------------------------------------------------------------


def test_only_the_directorys_own_word_means_absent(scripted: Any) -> None:
    graph, _script = scripted(error(404, "Request_ResourceNotFound"))
    assert asyncio.run(graph.found(READ)) is None
    for refusal in (answer(404, "no such page"), error(404, "UnknownError"), error(403, "Request_ResourceNotFound")):
        graph, _script = scripted(refusal)
        with pytest.raises(RefusedError):
            asyncio.run(graph.found(READ))


@pytest.mark.parametrize("body", [None, [], "text"])
def test_an_answer_that_says_nothing_does_not_mean_absent(scripted: Any, body: Any) -> None:
    graph, _script = scripted(answer()._replace(body=body))
    with pytest.raises(NoAnswerError, match="another shape"):
        asyncio.run(graph.found(READ))


@pytest.mark.parametrize(
    ("what", "lag"),
    [
        (READ, error(404, "Request_ResourceNotFound")),
        (MAKE, error(400, "Request_BadRequest", "The appId 'a' … does not reference a valid application object.")),
        (MAKE, error(400, "Request_BadRequest", "Not a valid reference update.")),
    ],
)
def test_the_lag_of_what_is_new_is_waited_for(scripted: Any, what: Call, lag: http.Answer) -> None:
    graph, script = scripted(lag, lag, lag, answer(body={"id": "1"}))
    assert asyncio.run(graph.settled(what)) == {"id": "1"}
    assert len(script.requests) == 4


def test_the_wait_for_what_is_new_has_a_limit(scripted: Any, clock: Clock) -> None:
    graph, _script = scripted(*[error(404, "Request_ResourceNotFound")] * 1000)
    began = clock.now
    with pytest.raises(RefusedError):
        asyncio.run(graph.settled(READ))
    assert clients.LAG_SECONDS <= clock.now - began <= clients.LAG_SECONDS + 30


def test_another_refusal_of_what_is_new_is_not_waited_for(scripted: Any) -> None:
    graph, script = scripted(error(403, "Authorization_RequestDenied"))
    with pytest.raises(RefusedError):
        asyncio.run(graph.settled(READ))
    assert len(script.requests) == 1


# ---- lists ----------------------------------------------------------------------------------------------------------

LIST = Call("GET", "/servicePrincipals/1/appRoleAssignments", "list")


def test_a_list_goes_on_where_its_link_says(scripted: Any) -> None:
    link = "https://graph.example/v1.0/servicePrincipals/1/appRoleAssignments?$skiptoken=2"
    graph, script = scripted(answer(body={"value": [{"id": 1}], "@odata.nextLink": link}), answer(body={"value": []}))
    assert asyncio.run(graph.items(LIST)) == [{"id": 1}]
    assert script.requests[1].url == link


def test_a_link_to_elsewhere_gets_no_token(scripted: Any) -> None:
    graph, script = scripted(answer(body={"value": [], "@odata.nextLink": "https://evil.example/v1.0/x"}))
    with pytest.raises(NoAnswerError, match="another host"):
        asyncio.run(graph.items(LIST))
    assert len(script.requests) == 1


@pytest.mark.parametrize("body", [{}, {"value": None}, {"value": ["text"]}, [1], "text"])
def test_a_list_of_another_shape_is_said(scripted: Any, body: Any) -> None:
    graph, _script = scripted(answer(body=body))
    with pytest.raises(NoAnswerError, match="another shape"):
        asyncio.run(graph.items(LIST))


# ---- words ----------------------------------------------------------------------------------------------------------


def test_a_refusal_names_graphs_words_and_the_right_that_lacks(scripted: Any) -> None:
    refusal = error(403, "Authorization_RequestDenied", "Insufficient privileges.", request_id="r-1")
    graph, _script = scripted(refusal)
    with pytest.raises(RefusedError) as caught:
        call(graph, READ)
    found = caught.value
    assert (found.code, found.message, found.status) == ("Authorization_RequestDenied", "Insufficient privileges.", 403)
    assert found.request_id == "r-1"
    assert found.next_step == "the identity needs Application.Read.All"


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (error(401, "InvalidAuthenticationToken", "Invalid audience."), "--scope https://graph.example/.default"),
        (error(401, "InvalidAuthenticationToken", "Lifetime validation failed"), "get a fresh token"),
        (error(401, "Authentication_MissingOrMalformed"), "the request needs Application.Read.All"),
        (error(404, "Request_ResourceNotFound"), "no such object"),
        (error(418, "Teapot"), "request id"),
        (answer(400, "<html>"), "options"),
    ],
)
def test_refusals_have_a_next_step(scripted: Any, refusal: http.Answer, words: str) -> None:
    graph, _script = scripted(refusal, refusal)
    with pytest.raises(RefusedError) as caught:
        call(graph, READ)
    assert words in caught.value.next_step


def test_what_hands_out_a_secret_once_is_not_sent_again_where_it_may_be_done(scripted: Any) -> None:
    """A 503 may come after it was done: two secrets, one of them known to nobody."""
    graph, script = scripted(error(503, "ServiceUnavailable"))
    with pytest.raises(NoAnswerError):
        asyncio.run(graph.call(MAKE._replace(once=True)))
    assert len(script.requests) == 1


def test_what_was_throttled_is_sent_again_even_then(scripted: Any) -> None:
    graph, script = scripted(error(429, "TooManyRequests"), answer(200, {"secretText": "x"}))
    assert asyncio.run(graph.call(MAKE._replace(once=True))) == {"secretText": "x"}
    assert len(script.requests) == 2


KNOWN = {
    "Another object with the same value for property uniqueName already exists.": "restore the deleted app",
    "CredentialInvalidLifetimeAsPerAppPolicy: The credential lifetime exceeds the max value allowed.": "secret_days",
    "CredentialTypeNotAllowedAsPerAppPolicy: …": "certificate",
}


@pytest.mark.parametrize("text", KNOWN)
def test_a_refusal_with_a_known_cure_is_told_by_it(text: str) -> None:
    assert KNOWN[text] in clients.next_step(400, "Request_BadRequest", text)
    assert KNOWN[text] in clients.next_step(400, text, "")


def test_a_proxys_404_is_no_lag(scripted: Any) -> None:
    graph, script = scripted(answer(404, "<html>"))
    with pytest.raises(RefusedError):
        asyncio.run(graph.settled(READ))
    assert len(script.requests) == 1


def test_what_lasts_for_longer_than_the_lag_is_waited_for_once_in_a_run(scripted: Any) -> None:
    graph, script = scripted(*[error(404, "Request_ResourceNotFound")] * 99)
    for _time in range(2):
        with pytest.raises(RefusedError):
            asyncio.run(graph.settled(READ))
    first = len(script.requests)
    with pytest.raises(RefusedError):
        asyncio.run(graph.settled(READ))
    assert len(script.requests) == first + 1
