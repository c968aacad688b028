# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource Graph's answer counts only when it is whole, and one of another shape is never an empty tenant."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import OnboardingError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm import subscriptions as inventory
from tests.unit.plugins.module_utils._microsoft.scripts_of_http import answer, scripted

SUB = "20000000-0000-4000-8000-000000000001"


def row(name: str) -> dict[str, Any]:
    return {"id": f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/{name}",
            "type": "microsoft.keyvault/vaults"}  # fmt: skip


def graph(rows: Any, total: Any, token: str = "") -> Any:
    return answer(body={"data": rows, "totalRecords": total, **({"$skipToken": token} if token else {})})


def look(one: Any, types: list[str] | None = None) -> tuple[list[str], dict[str, OnboardingError], str]:
    rows, failed, source = asyncio.run(inventory.resources(one, [SUB], types))
    return [one["id"].rsplit("/", 1)[1] for one in rows], failed, source


def test_pages_are_asked_for_in_order_until_there_is_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    one, script, _clock, _tokens = scripted(monkeypatch, graph([row("a")], 2, "t1"), graph([row("b")], 2))
    assert look(one, ["microsoft.keyvault/vaults"]) == (["a", "b"], {}, "resource_graph")
    first, second = (request.body for request in script.requests)
    assert first["subscriptions"] == [SUB]
    assert first["options"] == {"$top": 1000, "resultFormat": "objectArray"}
    assert second["options"]["$skipToken"] == "t1"
    assert first["query"] == second["query"]


def test_the_query_is_ordered_so_that_pages_do_not_overlap() -> None:
    assert inventory.graph_query(None).endswith("| order by id asc")
    assert "type in~ ('a','b')" in inventory.graph_query(["a", "b"])


WRONG: dict[str, Any] = {
    "fewer rows than the total": graph([row("a")], 2),
    "more rows than the total": graph([row("a"), row("b")], 1),
    "no total": answer(body={"data": []}),
    "no rows": answer(body={"totalRecords": 0}),
    "a total that is no number": graph([], "many"),
    "rows that are a table": graph({"columns": [], "rows": []}, 2),
    "rows that are texts": graph(["x"], 1),
    "a row without an id": graph([{"type": "x"}], 1),
    "a row without a type": graph([{"id": "/subscriptions/x"}], 1),
    "a row of something else": graph([{"id": "/tenants/x", "type": "x"}], 1),
    "nulls": graph(None, 0),
    "a list": answer(body=[]),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_answer_that_is_not_whole_leads_to_the_lists(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    one, script, _clock, _tokens = scripted(monkeypatch, WRONG[case], answer(body={"value": [row("listed")]}))
    names, failed, source = look(one)
    assert (names, failed) == (["listed"], {})
    assert source.startswith("lists, since Resource Graph failed: ")
    assert script.requests[1].url.startswith(f"https://arm.example/subscriptions/{SUB}/resources?")


LISTS: dict[str, Any] = {
    "an error": {"error": {}},
    "a list": [],
    "nulls": {"value": None},
    "rows that are texts": {"value": ["x"]},
    "a row without an id": {"value": [{"type": "x"}]},
    "a row without a type": {"value": [{"id": "/subscriptions/x"}]},
    "nothing": "",
}


@pytest.mark.parametrize("types", [None, ["microsoft.keyvault/vaults"]])
@pytest.mark.parametrize("case", LISTS)
def test_a_list_of_another_shape_leaves_its_subscription_unknown(
    monkeypatch: pytest.MonkeyPatch, case: str, types: list[str] | None
) -> None:
    one, _script, _clock, _tokens = scripted(monkeypatch, answer(403), answer(body=LISTS[case]))
    names, failed, _source = look(one, types)
    assert names == []
    assert failed[SUB].code == "BadShape"


def test_after_a_broken_page_the_subscription_is_known_not_to_be_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    link = f"https://arm.example/subscriptions/{SUB}/resources?p=2"
    one, _script, _clock, _tokens = scripted(
        monkeypatch, answer(403), answer(body={"value": [row("a")], "nextLink": link}), answer(403)
    )
    names, failed, _source = look(one)
    assert names == ["a"], "what was seen is still looked at"
    assert failed[SUB].status == 403


def test_more_subscriptions_than_a_query_takes_are_asked_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "GRAPH_SUBSCRIPTIONS", 2)
    one, script, _clock, _tokens = scripted(monkeypatch, graph([], 0), graph([], 0))
    asyncio.run(inventory.resources(one, ["a", "b", "c"], None))
    assert [request.body["subscriptions"] for request in script.requests] == [["a", "b"], ["c"]]


SUBSCRIPTIONS: dict[str, Any] = {
    "an error": {"error": {}}, "a list": [], "nulls": {"value": None}, "texts": {"value": ["x"]},
    "without an id": {"value": [{"displayName": "x"}]},
}  # fmt: skip


@pytest.mark.parametrize("case", SUBSCRIPTIONS)
def test_subscriptions_of_another_shape_are_an_error(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    one, _script, _clock, _tokens = scripted(monkeypatch, answer(body=SUBSCRIPTIONS[case]))
    with pytest.raises(OnboardingError, match="another shape"):
        asyncio.run(inventory.subscriptions(one))
