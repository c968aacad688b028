# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource Graph: the language it answers, pages, visibility, quota."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lab.azure import kql
from lab.client import LabClient
from lab.scenarios.sizes import BENCH
from lab.testing import CONTOSO, FABRIKAM, PROSEWARE, running_lab

PRODUCTION = f"{CONTOSO[:-1]}1"
COLUMNS = "id, name, type, kind, location, tags, resourceGroup, subscriptionId, sku"
ROWS: list[dict[str, Any]] = [
    {"id": "/b", "type": "microsoft.keyvault/vaults", "location": "westeurope", "sku": {"name": "premium"}},
    {"id": "/a", "type": "microsoft.keyvault/vaults", "location": "uksouth", "sku": None},
    {"id": "/C", "type": "microsoft.network/frontdoors", "location": "global", "tags": {"Env": "prod"}},
]
Callers = Callable[..., Any]


def query(caller: Any, text: str, subscriptions: list[str] | None = None, **options: Any) -> tuple[int, Any]:
    body = {"query": text, "options": options} | ({"subscriptions": subscriptions} if subscriptions else {})
    status, _headers, answer = caller.call(
        "POST", "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01", body
    )
    return status, answer


# -- the language -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("resources | order by id asc", ["/C", "/a", "/b"]),
        ("Resources | sort by id desc | take 2", ["/b", "/a"]),
        ("resources | where type == 'microsoft.keyvault/vaults'", ["/b", "/a"]),
        ("resources | where type == 'Microsoft.KeyVault/vaults'", []),
        ("resources | where type =~ 'Microsoft.KeyVault/vaults'", ["/b", "/a"]),
        ("resources | where type in~ ('Microsoft.Network/frontDoors', \"x\")", ["/C"]),
        ("resources | where type in ('Microsoft.Network/frontDoors')", []),
        ("resources | where type !in~ ('Microsoft.Network/frontDoors') and location != 'uksouth'", ["/b"]),
        ("resources\n| where sku.name =~ 'Premium'\n| limit 5", ["/b"]),
        ("resources | where tags.env == 'prod' | project id", ["/C"]),
        ("resources | top 1 by id asc", ["/C"]),
    ],
)
def test_language(text: str, ids: list[str]) -> None:
    assert [row["id"] for row in kql.run(text, ROWS)] == ids


def test_language_that_makes_other_rows() -> None:
    assert kql.run("resources | count", ROWS) == [{"Count": 3}]
    assert kql.run("resources | summarize count() by type", ROWS) == [
        {"type": "microsoft.keyvault/vaults", "count_": 2},
        {"type": "microsoft.network/frontdoors", "count_": 1},
    ]
    assert kql.run("resources | summarize n = count()", ROWS) == [{"n": 3}]
    assert kql.run("resources | distinct location | take 1", ROWS) == [{"location": "westeurope"}]
    assert kql.run("resources | project where_ = location | take 1", ROWS) == [{"where_": "westeurope"}]


@pytest.mark.parametrize(
    "text",
    [
        "resourcecontainers",
        "resources | extend x = 1",
        "resources | where type contains 'vault'",
        "resources | where zodiac == 'x'",
        "resources | where type == 'x' or type == 'y'",
        "resources | project nothing",
        "resources | take many",
        "resources | order by id asc extra",
        "resources |",
        "resources | where type in~ ('a'",
        "resources | where type =~ 'a' # comment",
    ],
)
def test_language_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(kql.KqlError):
        kql.run(text, ROWS)


# -- the endpoint -----------------------------------------------------------------------------------------------------


def test_the_query_of_the_sweep(caller: Callers) -> None:
    text = f"resources | where type in~ ('Microsoft.KeyVault/vaults') | project {COLUMNS} | order by id asc"
    status, body = query(caller(CONTOSO), text, [PRODUCTION])
    assert status == 200
    assert (body["totalRecords"], body["count"], body["resultTruncated"], body["facets"]) == (3, 3, "false", [])
    row = next(item for item in body["data"] if item["name"] == "kv-shop-prod")
    assert row["type"] == "microsoft.keyvault/vaults"
    assert "/resourceGroups/rg-shop-prod/providers/Microsoft.KeyVault/" in row["id"]
    assert (row["resourceGroup"], row["subscriptionId"], row["tags"]["env"]) == ("rg-shop-prod", PRODUCTION, "prod")
    assert list(row) == COLUMNS.split(", ")


def test_rows_of_children_and_none_of_storage_services(caller: Callers) -> None:
    _status, body = query(caller(CONTOSO), "resources | summarize count() by type")
    counts = {row["type"]: row["count_"] for row in body["data"]}
    assert counts["microsoft.sql/servers/databases"] == 7
    assert counts["microsoft.web/sites/slots"] == 1
    assert not [type_ for type_ in counts if "services" in type_]


def test_pages(caller: Callers) -> None:
    contoso, text = caller(CONTOSO), f"resources | project {COLUMNS} | order by id asc"
    whole = query(contoso, text)[1]["data"]
    found: list[Any] = []
    options: dict[str, Any] = {"$top": 30}
    while True:
        _status, body = query(contoso, text, **options)
        found += body["data"]
        assert body["count"] <= 30
        if "$skipToken" not in body:
            break
        options["$skipToken"] = body["$skipToken"]
    assert found == whole
    assert len(whole) > 60


def test_a_page_has_a_thousand_rows_at_most(caller: Callers) -> None:
    with running_lab("spread:1500x3") as big:
        bench = caller(BENCH, of=big)
        _status, body = query(bench, "resources | project id | order by id asc", **{"$top": 5000})
        assert (body["totalRecords"], body["count"]) == (1500, 1000)


def test_rows_only_of_what_the_token_may_see(lab: LabClient, caller: Callers) -> None:
    _status, body = query(caller(PROSEWARE), "resources | summarize count() by tenantId")
    assert {row["tenantId"] for row in body["data"]} == {PROSEWARE, FABRIKAM}
    status, body = query(caller(PROSEWARE), "resources", [PRODUCTION])
    assert (status, body["error"]["details"][0]["code"]) == (400, "NoValidSubscriptionsInQueryRequest")
    lab.edit("unassign_role", tenant=CONTOSO, role="Monitoring Contributor", scope=f"/subscriptions/{PRODUCTION}")
    lab.edit(
        "assign_role",
        tenant=CONTOSO,
        role="Reader",
        scope=f"/subscriptions/{PRODUCTION}/resourceGroups/rg-aks-prod",
    )
    _status, body = query(caller(CONTOSO), "resources | distinct resourceGroup", [PRODUCTION])
    assert body["data"] == [{"resourceGroup": "rg-aks-prod"}]


def test_query_that_is_not_understood(caller: Callers) -> None:
    status, body = query(caller(CONTOSO), "resources | join kind=inner (resources) on id")
    assert (status, body["error"]["code"], body["error"]["details"][0]["code"]) == (400, "BadRequest", "InvalidQuery")
    assert query(caller(CONTOSO), "")[1]["error"]["details"][0]["code"] == "EmptyQuery"


def test_table_format(caller: Callers) -> None:
    _status, body = query(caller(CONTOSO), "resources | project name | take 1", resultFormat="table")
    assert body["data"]["columns"] == [{"name": "name", "type": "string"}]
    assert len(body["data"]["rows"]) == 1


def test_answer_follows_the_world(lab: LabClient, caller: Callers) -> None:
    contoso = caller(CONTOSO)
    before = query(contoso, "resources | count")[1]["data"][0]["Count"]
    lab.edit("add_resource", subscription=PRODUCTION, group="rg-new", type="Microsoft.KeyVault/vaults", name="kv-new")
    assert query(contoso, "resources | count")[1]["data"][0]["Count"] == before + 1


def test_quota(caller: Callers) -> None:
    contoso = caller(CONTOSO)
    left = []
    for _ in range(15):
        status, headers, _body = contoso.call(
            "POST", "/providers/Microsoft.ResourceGraph/resources", {"query": "resources | count"}
        )
        assert status == 200
        left.append(int(headers["x-ms-user-quota-remaining"]))
    assert left == list(range(14, -1, -1))
    status, headers, body = contoso.call("POST", "/providers/Microsoft.ResourceGraph/resources", {"query": "resources"})
    assert (status, body["error"]["code"]) == (429, "RateLimiting")
    assert 1 <= int(headers["retry-after"]) <= 6
    assert headers["x-ms-user-quota-resets-after"].startswith("00:00:0")
    other = caller(PROSEWARE).call(
        "POST", "/providers/Microsoft.ResourceGraph/resources", {"query": "resources | count"}
    )
    assert other[0] == 200  # a quota per user
