# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scripted HTTP layer: answers in order, every request kept, and a clock on which nobody really waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple

from multidict import CIMultiDict

from ansible_collections.mssp.onboarding.plugins.module_utils._core import client, http, throttle
from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Engine, Silent
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import NoAnswerError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.redaction import Redactor
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm import client as arms
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm import polling
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity.cloud import Cloud
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity.options import (
    ADMINISTRATOR_SPEC,
    IDENTITY_SPEC,
)

HOME, OTHER = "20000000-0000-4000-8000-000000000000", "10000000-0000-4000-8000-000000000000"
CLOUD = Cloud("https://arm.example", "https://login.example", "https://logs.example", "https://graph.example")

# The options of an identity that is never asked to sign in.
IDENTITY: dict[str, Any] = {
    **{name: spec.get("default") for name, spec in {**IDENTITY_SPEC, **ADMINISTRATOR_SPEC}.items()},
    "tenant_id": HOME,
    "client_id": HOME,
    "resource_manager_url": CLOUD.resource_manager,
}


class Request(NamedTuple):
    at: float
    method: str
    url: str
    headers: Mapping[str, str]
    body: Any


def answer(status: int = 200, body: Any = None, **headers: Any) -> http.Answer:
    """Headers are given with _ for -."""
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return http.Answer(status, CIMultiDict(named), {} if body is None else body)


class Clock:
    """Seconds that pass only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += max(seconds, 1e-9)  # a wait too short for a float would never end


class Tokens:
    """Tokens that say whose and the how-manyth they are."""

    def __init__(self) -> None:
        self.number = 1
        self.refused: list[tuple[str, str]] = []

    async def get(self, tenant: str, scope: str) -> str:
        assert scope == CLOUD.arm_scope
        return f"{tenant[0]}-{self.number}"

    def refuse(self, tenant: str, scope: str, token: str) -> bool:
        self.refused.append((tenant, token))
        self.number += 1
        return True


class Script:
    """Answers, one a request, in order; an exception is raised. Running out of them is an error of the test."""

    def __init__(self, clock: Clock, *answers: http.Answer | Exception | Callable[[], http.Answer]) -> None:
        self.clock = clock
        self.answers = list(answers)
        self.requests: list[Request] = []

    async def send(
        self,
        _client: Any,
        method: str,
        url: str,
        *,
        operation: str,
        headers: Mapping[str, str],
        body: Any = None,
        form: http.Format = http.JSON,
    ) -> http.Answer:
        self.requests.append(Request(self.clock(), method, url, headers, body))
        assert self.answers, f"nobody expected {method} {url}"
        given = self.answers.pop(0)
        if isinstance(given, NoAnswerError):
            given.operation = operation
        if isinstance(given, Exception):
            raise given
        return given() if callable(given) else given


def scripted(monkeypatch: Any, *answers: Any) -> tuple[arms.Arm, Script, Clock, Tokens]:
    """An Arm over a script; its waits are on the clock."""
    clock, tokens = Clock(), Tokens()
    script = Script(clock, *answers)
    monkeypatch.setattr(http, "send", script.send)
    monkeypatch.setattr(asyncio, "sleep", clock.sleep)
    monkeypatch.setattr(client, "time", SimpleNamespace(monotonic=clock))
    one = arms.Arm(None, CLOUD, tokens, HOME)  # type: ignore[arg-type]
    monkeypatch.setattr(polling, "time", SimpleNamespace(monotonic=clock))
    one.buckets = throttle.Buckets(arms.LIMITS, clock)
    return one, script, clock, tokens


def told(
    monkeypatch: Any, module: Any, arm: arms.Arm, params: Mapping[str, Any], *, verb: str = "converge",
    check: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """What a capability's engine says over this Arm. Raises what ends the tenant."""

    @asynccontextmanager
    async def connected(*_given: object) -> AsyncIterator[arms.Arm]:
        yield arm

    monkeypatch.setattr(module, "connected", connected)
    engine: Engine = getattr(module, verb)
    return asyncio.run(engine({**IDENTITY, **params}, Silent(), Redactor(), check=check, diff=True))
