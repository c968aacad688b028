# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has arrived: answers of Azure's clients as values, and the result of a verification."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import AzureError, HttpResponseError

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import OnboardingError, SignInError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import freshness as arrivals

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)

TYPES = {
    "/subscriptions/s/providers/Microsoft.Insights/diagnosticSettings/x": "microsoft.resources/subscriptions",
    "/subscriptions/s/resourceGroups/r/providers/Microsoft.KeyVault/vaults/kv/providers/microsoft.insights/"
    "diagnosticSettings/x": "microsoft.keyvault/vaults",
    "/subscriptions/s/resourcegroups/r/providers/microsoft.sql/servers/a/databases/b/providers/Microsoft.Insights/"
    "diagnosticSettings/x": "microsoft.sql/servers/databases",
    "/subscriptions/s/resourceGroups/r/providers/Microsoft.Storage/storageAccounts/a/blobServices/default/providers/"
    "Microsoft.Insights/diagnosticSettings/x": "microsoft.storage/storageaccounts/blobservices",
    "": "microsoft.resources/subscriptions",
}


@pytest.mark.parametrize("setting", TYPES)
def test_the_type_that_a_setting_belongs_to(setting: str) -> None:
    assert arrivals.type_of(setting) == TYPES[setting]


def row(kind: str, hour: int, records: int) -> dict[str, Any]:
    return {"ResourceType": kind, "Newest": NOON.replace(hour=hour), "Ingested": NOON, "Records": records}


def test_the_newest_of_a_type_over_its_subscriptions() -> None:
    table = SimpleNamespace(rows=[row("a", 9, 1), row("a", 11, 2), row("a", 10, 4), row("b", 8, 8)])
    found = arrivals._newest(table)
    assert (found["a"].newest.hour, found["a"].records) == (11, 7)
    assert (found["b"].newest.hour, found["b"].records) == (8, 8)


def words(error: Exception, steps: dict[int, str] | None = None) -> OnboardingError:
    with pytest.raises(OnboardingError) as caught, arrivals._in_words("query x", steps or {}):
        raise error
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


def flow(kind: str, state: str, **given: Any) -> dict[str, Any]:
    return {"resource_type": kind, "state": state, "newest": None, "error": "", "next_step": f"do {state}", **given}


def test_the_result() -> None:
    states = ["absent", "pending", "flowing", "idle", "stale", "error"]
    found = arrivals.result([flow(state, state) for state in states], {"GET reads": 3})
    counts = found["summary"]["counts"]
    assert [counts[name] for name in ("targets", "in_sync", "drifted", "pending", "unknown")] == [6, 2, 2, 1, 1]
    assert found["summary"]["outcome"] == "unknown"
    assert found["summary"]["drift"] == {"absent": 1, "stale": 1}
    assert {problem["code"] for problem in found["problems"]} == {"absent", "stale", "error"}
    assert found["msg"].startswith("6 flows: 1 absent, 1 pending, 1 flowing, 1 idle, 1 stale, 1 error\n")


def test_silence_is_drift_and_no_failure() -> None:
    assert arrivals.result([flow("a", "stale"), flow("b", "flowing")], {})["summary"]["outcome"] == "drifted"
    assert arrivals.result([flow("a", "idle"), flow("b", "pending")], {})["summary"]["outcome"] == "pending"
    assert arrivals.result([flow("a", "idle"), flow("b", "flowing")], {})["summary"]["outcome"] == "in_sync"


def test_flows_of_one_cause_are_one_problem_that_names_the_types() -> None:
    told = arrivals.problems([flow(f"t{n}", "error", error="no right") for n in range(7)])
    (problem,) = told
    assert (problem["count"], problem["message"]) == (7, "no right")
    assert problem["target"] == "t0, t1, t2, t3, t4 and 2 more"
