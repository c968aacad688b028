# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has arrived: answers of Azure's clients as values, and the result of a verification."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import AzureError, HttpResponseError

from ansible_collections.mssp.onboarding.plugins.module_utils._core import freshness
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import (
    NoAnswerError,
    OnboardingError,
    RefusedError,
    SignInError,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import Flow, Limits
from ansible_collections.mssp.onboarding.plugins.module_utils._core.shared_answers import SharedAnswers
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import DRIFTED, IN_SYNC, UNKNOWN
from ansible_collections.mssp.onboarding.plugins.module_utils._core.verdict import Verdict
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import freshness as arrivals
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics.api import Session
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics.records import Arrival, Key
from tests.unit.plugins.module_utils._microsoft.builders import WORKSPACE
from tests.unit.plugins.module_utils._microsoft.diagnostics.test_options import parameters

OWNERS = {
    "/subscriptions/S/providers/Microsoft.Insights/diagnosticSettings/x": "/subscriptions/s",
    "/subscriptions/s/resourceGroups/r/providers/Microsoft.KeyVault/vaults/kv/providers/microsoft.insights/"
    "diagnosticSettings/x": "/subscriptions/s/resourcegroups/r/providers/microsoft.keyvault/vaults/kv",
    "": "",
}


@pytest.mark.parametrize("setting", OWNERS)
def test_the_target_that_a_setting_belongs_to(setting: str) -> None:
    assert arrivals.owner_of(setting) == OWNERS[setting]


def test_a_correction_of_one_target_does_not_make_the_others_new() -> None:
    old, corrected = Verdict("/A", IN_SYNC), Verdict("/B", IN_SYNC)
    assert arrivals.since([old, corrected], {"/b": 5.0}) is None
    assert arrivals.since([old, corrected], {"/a": 7.0, "/b": 5.0}) == 5.0
    assert arrivals.since([Verdict("/C", DRIFTED), corrected], {"/b": 5.0}) == 5.0, "what has no setting is not new"
    assert arrivals.since([], {}) is None


def words(error: Exception, steps: dict[int, str] | None = None) -> OnboardingError:
    async def raises() -> None:
        async with arrivals._in_words("query x", steps or {}):
            raise error

    with pytest.raises(OnboardingError) as caught:
        asyncio.run(raises())
    return caught.value


def test_an_error_of_azures_clients() -> None:
    error = HttpResponseError("words")
    error.status_code = 403
    error.error = SimpleNamespace(code="InsufficientAccessError", message="no access")  # type: ignore[assignment]
    found = words(error, {403: "grant it"})
    assert (found.operation, found.status, found.code) == ("query x", 403, "InsufficientAccessError")
    assert (found.message, found.next_step) == ("no access", "grant it")


def test_an_error_without_a_body() -> None:
    found = words(AzureError("cannot connect"))
    assert (found.code, found.message, found.status) == ("AzureError", "cannot connect", None)
    assert found.next_step


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), TypeError("x"), AttributeError("x")])
def test_an_answer_that_azures_clients_stumble_over(error: Exception) -> None:
    assert words(error).code == "BadShape"


def test_an_error_of_ours_stays_what_it_is() -> None:
    ours = SignInError("sign in", "no", code="AADSTS1")
    assert words(ours) is ours


class Workspace:
    """Stands for Azure's client: tables of an answer in which nothing else is wrong."""

    def __init__(self, *tables: Any) -> None:
        self.answer = SimpleNamespace(status=arrivals.LogsQueryStatus.SUCCESS, statistics=None, tables=list(tables))
        self.asked = 0

    def __call__(self, *_args: Any, **_options: Any) -> Workspace:
        return self

    async def __aenter__(self) -> Workspace:
        return self

    async def __aexit__(self, *_error: object) -> None:
        pass

    async def query_resource(self, *_args: Any, **_options: Any) -> Any:
        self.asked += 1
        return self.answer


def in_workspace(**given: Any) -> dict[Key, Arrival]:
    """What a tenant is told of the workspace, in the answers of the run."""
    wish = options.watched({**parameters(), **WATCH, "share_query": True, **given})
    session = Session(SimpleNamespace(tokens=None))  # type: ignore[arg-type]
    return asyncio.run(arrivals.Arrivals(session, wish).in_workspace(["T"], timedelta(days=1), resources=False))


def test_an_answer_without_a_table_is_no_empty_workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "answers", SharedAnswers())
    monkeypatch.setattr(arrivals, "LogsQueryClient", Workspace())
    with pytest.raises(NoAnswerError):
        in_workspace()


OTHERS = "b0000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(("other", "asked"), [
    ({}, 1), ({"client_id": OTHERS}, 2), ({"managing_tenant_id": OTHERS}, 2), ({"workspace_id": f"{WORKSPACE}x"}, 2),
])  # fmt: skip
def test_only_who_could_ask_is_told_what_another_has_asked(
    other: dict[str, str], asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(SimpleNamespace(columns=[], rows=[]))
    monkeypatch.setattr(arrivals, "answers", SharedAnswers())
    monkeypatch.setattr(arrivals, "LogsQueryClient", workspace)
    in_workspace()
    in_workspace(**other)
    assert workspace.asked == asked


# ---- the judgement ------------------------------------------------------------------------------------------------

HOUR, DAY = 3600.0, 86400.0
WATCH = {"window_hours": 168, "grace_minutes": 120, "stale_hours": 24, "by": "auto", "share_query": False}
LIMITS = Limits(grace=2 * HOUR, stale=DAY)
REFUSED = RefusedError("query x", "no right", next_step="grant it")
SERVED, UNSERVED = Verdict("a", IN_SYNC), Verdict("b", DRIFTED)
UNREAD = Verdict("c", UNKNOWN, error=REFUSED)


def arrived(age: float, **given: Any) -> Arrival:
    newest = time.time() - age
    lag = given.pop("lag", None)
    return Arrival(newest, **{"ingested": None if lag is None else newest + lag, "records": 1, **given})


def flow(*targets: Verdict, arrival: Arrival | None = None, written: float | None = None, **given: Any) -> Flow:
    wish = options.watched({**parameters(), **WATCH})
    changed = None if written is None else time.time() - written
    return arrivals.flow("vaults", targets or (SERVED,), wish, arrival, changed, **given)


def test_a_hub_that_took_far_less_than_usual_has_fallen() -> None:
    class Hub:
        async def in_hub(self) -> tuple[Arrival, freshness.Volume]:
            return arrived(300), freshness.Volume(9, 100)

    wish = options.watched({**parameters(), **WATCH})
    found = asyncio.run(arrivals._hub(Hub(), wish, [SERVED]))  # type: ignore[arg-type]
    assert (found.state, found.volume.usual) == ("fallen", 100)


STATES: dict[str, tuple[Flow, str]] = {
    "nothing set, nothing came": (flow(UNSERVED), "absent"),
    "set just now": (flow(written=300), "pending"),
    "set longer ago than the grace": (flow(written=2 * HOUR + 10), "stale"),
    "set at a time that nobody knows": (flow(), "stale"),
    "a quiet type, set long ago": (flow(written=2 * DAY, kind="microsoft.network/publicipaddresses"), "quiet"),
    "a quiet type, set just now": (flow(written=300, kind="microsoft.network/publicipaddresses"), "pending"),
    "fresh": (flow(arrival=arrived(300)), "flowing"),
    "older than the grace": (flow(arrival=arrived(2 * HOUR + 10)), "quiet"),
    "older than stale": (flow(arrival=arrived(DAY + 10)), "stale"),
    "a quiet type, old": (flow(arrival=arrived(5 * DAY), kind="microsoft.network/publicipaddresses"), "quiet"),
    "data though nothing of ours is set": (flow(UNSERVED, arrival=arrived(300)), "flowing"),
    "a fall": (flow(arrival=arrived(300, day=9, before=(100, 90))), "fallen"),
    "unreadable": (flow(failed=REFUSED), "unreadable"),
    "unreadable, and nothing set": (flow(UNSERVED, failed=REFUSED), "unreadable"),
    "unreadable, and set just now": (flow(written=300, failed=REFUSED), "unreadable"),
    "settings that cannot be read": (flow(UNREAD), "unreadable"),
    "unreadable in part, and data is there": (flow(SERVED, UNREAD, arrival=arrived(300)), "unreadable"),
}


@pytest.mark.parametrize("case", STATES)
def test_state(case: str) -> None:
    found, state = STATES[case]
    assert found.state == state


def test_the_states_are_those_of_every_vendor() -> None:
    others = {"connected", "doubled"}  # of a vendor that tells no record's time; by the settings of a target
    assert {found.state for found, _state in STATES.values()} == set(freshness.STATES) - others


def test_as_data() -> None:
    found = flow(SERVED, UNSERVED, arrival=arrived(300, lag=45.2, records=7))
    line = found.line(time.time())
    assert 300 <= line.pop("age_seconds") <= 310
    assert line.pop("newest").endswith("Z")
    assert line == {
        "source": "vaults", "state": "flowing", "records": 7, "records_last_day": None, "records_usual": None,
        "targets": 2, "served": 1, "lag_seconds": 45, "message": "",
        "next_step": "1 of 2 targets have no setting: run onboard",
    }  # fmt: skip


def test_a_hub_has_no_lag() -> None:
    assert flow(arrival=arrived(300)).lag is None


def test_records_that_arrive_late_are_told() -> None:
    late = flow(arrival=arrived(5 * HOUR, lag=5 * HOUR))
    assert (late.state, late.message) == (
        "quiet",
        "records arrive late: the newest is 300 minutes older than its arrival",
    )


NAMES = {
    "/subscriptions/s": "s",
    "/subscriptions/s/resourceGroups/r/providers/Microsoft.KeyVault/vaults/kv": "kv",
    "/subscriptions/s/resourceGroups/r/providers/Microsoft.Sql/servers/srv/databases/db": "srv/db",
}


@pytest.mark.parametrize("target", NAMES)
def test_what_a_resource_is_called(target: str) -> None:
    assert arrivals.short_name(target) == NAMES[target]


STEPS: dict[str, tuple[Flow, str]] = {
    "absent": (flow(UNSERVED), "run the onboard playbook"),
    "stale": (flow(), "remove the setting and run onboard again"),
    "pending": (flow(written=60), "wait"),
    "some lack a setting": (
        flow(SERVED, UNSERVED, UNSERVED, arrival=arrived(60)), "2 of 3 targets have no setting: run onboard",
    ),
    "unreadable": (flow(failed=REFUSED), "grant it"),
}  # fmt: skip


@pytest.mark.parametrize("case", STEPS)
def test_next_step(case: str) -> None:
    found, step = STEPS[case]
    assert step in found.line(time.time())["next_step"]


@pytest.mark.parametrize(("statistics", "expected"), [
    (None, {"number": 1, "milliseconds": 0, "rows_scanned": 0}),
    ({"query": {"executionTime": 0.25, "inputDatasetStatistics": {"rows": {"scanned": 7}}}},
     {"number": 1, "milliseconds": 250, "rows_scanned": 7}),
    ({"query": {"executionTime": "soon"}}, {"number": 1}),
    ({"query": {"executionTime": float("nan")}}, {"number": 1}),
    ({"query": ["x"]}, {"number": 1}),
    ({"query": {"executionTime": 1, "inputDatasetStatistics": "x"}}, {"number": 1, "milliseconds": 1000}),
])  # fmt: skip
def test_odd_statistics_cost_no_answer(statistics: Any, expected: dict[str, int]) -> None:
    assert dict(arrivals._cost(statistics)) == expected
