# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One fleet lab a worker, back to its scenario before each test; engines that do not wait for real seconds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.pipeline.transport._aiohttp import AioHttpTransport

from ansible_collections.mssp.onboarding.plugins.module_utils._core import http
from lab.client import LabClient
from lab.testing import running_lab

from .engines import Tenant


@pytest.fixture(scope="session")
def fleet() -> Iterator[LabClient]:
    with running_lab() as lab:
        yield lab


@pytest.fixture
def lab(fleet: LabClient) -> LabClient:
    fleet.reset()
    return fleet


@pytest.fixture
def contoso(lab: LabClient) -> Tenant:
    return Tenant(lab)


@pytest.fixture
def dev(lab: LabClient) -> Tenant:
    """Two vaults and no more: enough for most rules, and quick."""
    return Tenant(lab, subscriptions=["contoso-development"], families=["key_vault"])


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    return tmp_path / "evidence" / "contoso.jsonl"


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits between tries take no time; what they would have been is in the list."""
    waits: list[float] = []

    def retry_after(headers: Any, default: float) -> float:
        waits.append(float(headers.get("Retry-After", default)))
        return 0.0

    def backoff(attempt: int) -> float:
        waits.append(0.5 * 2**attempt * random.uniform(0.5, 1.0))
        return 0.0

    monkeypatch.setattr(http, "retry_after", retry_after)
    monkeypatch.setattr(http, "backoff", backoff)
    return waits


@pytest.fixture
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of Azure's own libraries between tries."""

    async def sleep(_transport: Any, _seconds: float) -> None: ...

    monkeypatch.setattr(AioHttpTransport, "sleep", sleep)
