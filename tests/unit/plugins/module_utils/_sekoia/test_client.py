# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stop after a second error, which nothing undoes, and what is told of a refusal."""

from __future__ import annotations

import asyncio

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import http
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import OnboardingError, RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.redaction import MASK, Redactor
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia import client as sekoia
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.identity import Identity

CALL = sekoia.Call("GET", "/v1/me", "ask")
SECRET = "canary5ecret-of-the-target"


@pytest.fixture
def client() -> sekoia.Sekoia:
    return sekoia.Sekoia(None, Identity("https://x", "https://y", "key"))


def errors(client: sekoia.Sekoia, times: list[float], monkeypatch: pytest.MonkeyPatch, body: str = "no") -> http.Answer:
    """An error at each of the times."""
    answer = http.Answer(503, {}, {"message": body})
    for now in times:
        with monkeypatch.context() as patch:
            patch.setattr(sekoia.time, "monotonic", lambda now=now: now)
            client._worth_another(CALL, answer, {}, 1)
    return answer


@pytest.mark.parametrize(("times", "stops"), [([0, 11, 22], False), ([0, 9], True), ([0, 9, 30], True)])
def test_after_a_second_error_nothing_is_asked_not_even_once_more(
    client: sekoia.Sekoia, monkeypatch: pytest.MonkeyPatch, times: list[float], stops: bool
) -> None:
    errors(client, times, monkeypatch)
    if stops:
        with pytest.raises(RefusedError) as caught:
            asyncio.run(client._answer(CALL))
        assert caught.value.code == "NotTried"
    else:
        assert asyncio.run(client.authorize(CALL)) == {"Authorization": "Bearer key"}  # type: ignore[arg-type]


def test_a_secret_that_is_cut_off_is_hidden_when_the_run_stops(
    client: sekoia.Sekoia, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = errors(client, [0, 1], monkeypatch, "x" * (sekoia.SHOWN_TEXT - 12) + SECRET)
    error: OnboardingError = client.refusal(CALL, answer)
    told = Redactor(SECRET)(error.problem("t"))["message"]
    assert (SECRET[:12] in told, MASK in told, sekoia.STOPPED in told) == (False, True, True)
