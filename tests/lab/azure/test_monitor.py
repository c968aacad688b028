# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records in the workspace, messages in the Event Hub, and the activity log."""

from __future__ import annotations

import time
import urllib.parse
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from lab.azure import flows
from lab.client import LabClient
from lab.testing import CLIENT_ID, CONTOSO, EVENT_HUB_RULE, PROSEWARE, TAILSPIN, WORKSPACE

PRODUCTION = f"/subscriptions/{CONTOSO[:-1]}1"
SHOP = f"{PRODUCTION}/resourceGroups/rg-shop-prod/providers"
VAULT = f"{SHOP}/Microsoft.KeyVault/vaults/kv-shop-prod"
APP = f"{SHOP}/Microsoft.Web/sites/app-shop-web"
OWN_WORKSPACE = (
    f"/subscriptions/{CONTOSO[:-1]}3/resourceGroups/rg-operations/providers/Microsoft.OperationalInsights/workspaces"
    "/law-contoso-ops"
)
QUERY = (
    f"union * | where _SubscriptionId in~ ('{PRODUCTION[15:]}')"
    " | extend SubscriptionId = tolower(_SubscriptionId), ResourceType = tostring(split(_ResourceId, '/')[6])"
    " | summarize Newest = max(TimeGenerated), Ingested = max(ingestion_time()), Records = count()"
    " by SubscriptionId, ResourceType"
)
ALL = [{"categoryGroup": "allLogs", "enabled": True}]
Callers = Callable[..., Any]
NAMESPACE = EVENT_HUB_RULE.partition("/authorizationRules")[0]


@pytest.fixture
def reader(lab: LabClient, caller: Callers, ask: Callers) -> Callable[..., tuple[int, Any]]:
    """reader(query, tenant=, **body): a query to the workspace of the MSSP."""
    customer = caller(PROSEWARE).get(WORKSPACE)[1]["properties"]["customerId"]

    def query(
        text: str = QUERY, tenant: str = PROSEWARE, where: str = f"workspaces/{customer}", **body: Any
    ) -> tuple[int, Any]:
        token = ask(tenant, "https://api.loganalytics.io/.default")[1]["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        status, _headers, answer = lab.call("POST", f"/v1/{where}/query", {"query": text, **body}, headers)
        return status, answer

    return query


def rows(answer: tuple[int, Any]) -> dict[str, dict[str, Any]]:
    """resource type -> row"""
    status, body = answer
    assert status == 200, body
    table = body["tables"][0]
    names = [column["name"] for column in table["columns"]]
    assert names == ["SubscriptionId", "ResourceType", "Newest", "Ingested", "Records"]
    assert {row[0] for row in table["rows"]} <= {PRODUCTION[15:]}
    return {row[1]: dict(zip(names, row, strict=True)) for row in table["rows"]}


def age(text: str) -> float:
    return time.time() - datetime.fromisoformat(text).timestamp()


# -- records ----------------------------------------------------------------------------------------------------------


def test_first_record_comes_some_time_after_the_setting(lab: LabClient, contoso: Any, reader: Callers) -> None:
    contoso.put(APP, "soc", workspaceId=WORKSPACE, logs=ALL)
    assert "microsoft.web/sites" not in rows(reader())
    lab.advance(flows.FIRST - 5)
    assert "microsoft.web/sites" not in rows(reader())
    lab.advance(400)
    row = rows(reader())["microsoft.web/sites"]
    assert 30 <= age(row["Newest"]) <= 275
    assert age(row["Ingested"]) < age(row["Newest"])
    assert row["Records"] >= 1


def test_seeded_setting_flows_from_the_start(reader: Callers) -> None:
    row = rows(reader())["microsoft.keyvault/vaults"]  # soc-sentinel of the scenario
    assert 1000 < row["Records"] <= 1441  # one a minute, a day when no timespan is given
    assert rows(reader(timespan="PT1H"))["microsoft.keyvault/vaults"]["Records"] <= 61


def test_flow_ends_with_its_setting(lab: LabClient, contoso: Any, reader: Callers) -> None:
    contoso.put(APP, "soc", workspaceId=WORKSPACE, logs=ALL)
    lab.advance(7200)
    contoso.put(APP, "soc", workspaceId=WORKSPACE, logs=[{"categoryGroup": "audit", "enabled": True}])
    assert age(rows(reader())["microsoft.web/sites"]["Newest"]) < 300  # an update does not begin anew
    contoso.put(APP, "soc", workspaceId=OWN_WORKSPACE, logs=ALL)
    lab.advance(3600)
    assert 3600 < age(rows(reader())["microsoft.web/sites"]["Newest"]) < 3900
    lab.advance(90000)
    assert "microsoft.web/sites" not in rows(reader())  # out of the timespan
    assert "microsoft.web/sites" in rows(reader(timespan="P7D"))


def test_disabled_setting_sends_nothing(lab: LabClient, contoso: Any, reader: Callers) -> None:
    contoso.put(APP, "soc", workspaceId=WORKSPACE, logs=[{"categoryGroup": "allLogs", "enabled": False}])
    lab.advance(7200)
    assert "microsoft.web/sites" not in rows(reader())


def test_quiet_types_have_no_records(lab: LabClient, contoso: Any, reader: Callers) -> None:
    address = (
        f"{PRODUCTION}/resourceGroups/rg-hub-network/providers/Microsoft.Network/publicIPAddresses/pip-afw-hub-weu"
    )
    assert contoso.put(address, "soc", workspaceId=WORKSPACE, logs=ALL)[0] == 200
    lab.advance(86400)
    assert "microsoft.network/publicipaddresses" not in rows(reader(timespan="P2D"))


def test_stopped_flow(lab: LabClient, reader: Callers) -> None:
    flow = {"subscription": PRODUCTION[15:], "resource_type": "Microsoft.KeyVault/vaults", "workspace_id": WORKSPACE}
    lab.edit("stop_flow", seconds_ago=36000, **flow)
    assert 36000 < age(rows(reader())["microsoft.keyvault/vaults"]["Newest"]) < 36300
    lab.edit("resume_flow", **flow)
    assert age(rows(reader())["microsoft.keyvault/vaults"]["Newest"]) < 300


def test_types_of_children_and_of_the_subscription(lab: LabClient, contoso: Any, reader: Callers) -> None:
    contoso.put(PRODUCTION, "soc", workspaceId=WORKSPACE, logs=ALL)
    contoso.put(
        f"{SHOP}/Microsoft.Storage/storageAccounts/stshopassets/blobServices/default",
        "soc",
        workspaceId=WORKSPACE,
        logs=ALL,
    )
    lab.advance(7200)
    assert {"microsoft.resources/subscriptions", "microsoft.storage/storageaccounts/blobservices"} <= set(
        rows(reader())
    )


def test_subscriptions_not_asked_for_are_left_out(reader: Callers) -> None:
    assert rows(reader(QUERY.replace(PRODUCTION[15:], TAILSPIN))) == {}


def test_workspace_by_resource_id(reader: Callers) -> None:
    assert "microsoft.keyvault/vaults" in rows(reader(where=WORKSPACE[1:]))


@pytest.mark.parametrize("timespan", ["PT2H", "P1D", "2020-01-01T00:00:00Z/2035-01-01T00:00:00Z", "P1DT2H"])
def test_timespans(reader: Callers, timespan: str) -> None:
    assert "microsoft.keyvault/vaults" in rows(reader(timespan=timespan))


def test_window_that_lies_before_the_setting(reader: Callers) -> None:
    assert rows(reader(timespan="2020-01-01T00:00:00Z/PT1H")) == {}


def test_refusals_of_the_query(lab: LabClient, reader: Callers) -> None:
    status, body = reader(tenant=CONTOSO)
    assert (status, body["error"]["code"]) == (403, "InsufficientAccessError")
    assert reader("AzureActivity | take 1")[0] == 400
    assert reader(timespan="a while")[0] == 400
    assert reader(where="workspaces/none")[0] == 404
    lab.edit("unassign_role", tenant=PROSEWARE, role="Log Analytics Contributor", scope=WORKSPACE)
    assert reader()[0] == 200  # still a reader of the resource group
    lab.edit("unassign_role", tenant=PROSEWARE, role="Reader", scope=WORKSPACE.partition("/providers")[0])
    assert reader()[0] == 403


WRONG = {
    "a table that is not there": ("union *", "Heartbeat", "Failed to resolve table expression named 'Heartbeat'"),
    "a column that is not there": ("tolower(_SubscriptionId)", "tolower(SubId)", "expression named 'SubId'"),
    "an unknown function": ("tostring(", "totext(", "Unknown function: 'totext'"),
    "too few arguments": ("split(_ResourceId, '/')", "split(_ResourceId)", "split(): function expects 2 to 3"),
    "an aggregate that is none": ("count()", "tolower(Type)", "Unknown function: 'tolower'"),
    "a missing parenthesis": ("in~ (", "in~ ", "could not be parsed"),
    "an open string": ("'/'", "'/", "could not be parsed"),
    "an unknown operator": ("| extend", "| widen", "could not be parsed at 'widen'"),
    "a column that is gone": ("by SubscriptionId,", "by SubscriptionId | where Type =~", "expression named 'Type'"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_query_that_azure_refuses_is_refused(reader: Callers, case: str) -> None:
    right, wrong, words = WRONG[case]
    assert right in QUERY
    status, body = reader(QUERY.replace(right, wrong))
    assert status == 400
    assert words in body["error"]["innererror"]["message"]


def test_records_of_a_day_and_by_resource(lab: LabClient, reader: Callers) -> None:
    week = "W = countif(TimeGenerated between (ago(8d) .. ago(7d)))"
    counted = f"Records = count(), Day = countif(TimeGenerated > ago(1d)), {week}"
    text = QUERY.replace("Records = count()", counted).replace("ResourceType = tostring(split(_ResourceId, '/')[6])",
                         "ResourceType = tolower(Type), Resource = tolower(_ResourceId)")  # fmt: skip
    status, body = reader(text + ", Resource", timespan="P15D")
    assert status == 200, body
    (table,) = body["tables"]
    names = [column["name"] for column in table["columns"]]
    assert names == ["SubscriptionId", "ResourceType", "Resource", "Newest", "Ingested", "Records", "Day", "W"]
    vault = next(dict(zip(names, row, strict=True)) for row in table["rows"] if "/vaults/" in row[2])
    assert vault["Day"] == pytest.approx(1440, abs=5)
    assert vault["W"] == pytest.approx(1440, abs=5)
    assert vault["Records"] > 10 * vault["Day"]


def test_partial_answer(lab: LabClient, reader: Callers) -> None:
    lab.fault("partial", kind="logs.query")
    status, body = reader()
    assert status == 200
    assert body["error"]["code"] == "PartialError"
    assert body["tables"]


# -- metrics ----------------------------------------------------------------------------------------------------------


def totals(caller: Any, hours: float = 1, names: str = "IncomingMessages") -> list[float]:
    now = time.time()
    span = "/".join(datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for at in (now - hours * 3600, now))
    query = urllib.parse.urlencode(
        {
            "timespan": span,
            "interval": "PT15M",
            "metricnames": names,
            "aggregation": "Total",
            "api-version": "2024-02-01",
        }
    )
    status, body = caller.get(f"{NAMESPACE}/providers/Microsoft.Insights/metrics?{query}")
    assert status == 200, body
    return [point["total"] for point in body["value"][0]["timeseries"][0]["data"]]


def test_messages_of_an_event_hub(lab: LabClient, contoso: Any, caller: Callers) -> None:
    proseware = caller(PROSEWARE)
    assert totals(proseware) == [0.0] * 4
    contoso.put(VAULT, "soc", eventHubAuthorizationRuleId=EVENT_HUB_RULE, logs=ALL)
    lab.advance(flows.FIRST + 1200)
    assert 15 <= sum(totals(proseware)) <= 20
    lab.advance(86400)
    assert totals(proseware) == [15.0] * 4


def test_refusals_of_metrics(lab: LabClient, caller: Callers) -> None:
    proseware = caller(PROSEWARE)
    status, body = proseware.get(f"{NAMESPACE}/providers/Microsoft.Insights/metrics?metricnames=Zodiac")
    assert (status, body["code"]) == (400, "BadRequest")
    lab.edit("unassign_role", tenant=PROSEWARE, role="Reader", scope=WORKSPACE.partition("/providers")[0])
    assert proseware.get(f"{NAMESPACE}/providers/Microsoft.Insights/metrics")[0] == 403


# -- activity log -----------------------------------------------------------------------------------------------------


def events(caller: Any, seconds_ago: float = 600, more: str = "") -> list[dict[str, Any]]:
    at = datetime.fromtimestamp(time.time() - seconds_ago, UTC).isoformat()
    query = urllib.parse.urlencode({"$filter": f"eventTimestamp ge '{at}'{more}", "api-version": "2015-04-01"})
    status, body = caller.get(f"{PRODUCTION}/providers/microsoft.insights/eventtypes/management/values?{query}")
    assert status == 200, body
    return list(body["value"])


def test_activity_log(lab: LabClient, contoso: Any) -> None:
    contoso.put(VAULT, "soc", workspaceId=WORKSPACE, logs=ALL)
    contoso.put(VAULT, "soc", workspaceId="/nonsense", logs=ALL)
    lab.edit("delete_setting", target=VAULT, name="soc")
    found = [(item["operationName"]["value"], item["caller"], item["resourceId"]) for item in events(contoso)]
    setting = f"{VAULT}/providers/Microsoft.Insights/diagnosticSettings/soc"
    assert found == [
        ("Microsoft.Insights/diagnosticSettings/delete", "admin@portal.example", setting),
        ("Microsoft.Insights/diagnosticSettings/write", CLIENT_ID, setting),
    ]
    other = f"/subscriptions/{CONTOSO[:-1]}2/resourceGroups/rg-shop-dev/providers/Microsoft.KeyVault/vaults/kv-shop-dev"
    contoso.put(other, "soc", workspaceId=WORKSPACE, logs=ALL)
    assert len(events(contoso)) == 2
    assert len(events(contoso, more=f" and caller eq '{CLIENT_ID}'")) == 1
    lab.advance(3600)
    assert events(contoso) == []
    assert 3600 <= age(events(contoso, 7200)[0]["eventTimestamp"]) < 3610


def test_activity_log_wants_a_filter_it_knows(contoso: Any) -> None:
    path = f"{PRODUCTION}/providers/microsoft.insights/eventtypes/management/values"
    assert contoso.get(path)[0] == 400
    assert contoso.get(f"{path}?$filter=zodiac%20eq%20'x'")[0] == 400
