# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's Graph security says what its documents say, and merges incidents as Defender does."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from lab.client import LabClient
from lab.testing import CONTOSO, TAILSPIN
from tests.lab.conftest import token

NEWEST = "DeviceInfo | summarize max(Timestamp)"


class Security:
    """One tenant's, by the app with all permissions."""

    def __init__(self, lab: LabClient, tenant: str = CONTOSO) -> None:
        for name in ("SecurityIncident.ReadWrite.All", "ThreatHunting.Read.All"):
            lab.edit("grant_permission", tenant=tenant, resource="microsoft_graph", permission=name)
        self.lab, self.tenant = lab, tenant
        self.bearer = f"Bearer {token(lab, tenant, scope='https://graph.microsoft.com/.default')}"

    def __call__(self, method: str, path: str, body: Any = None, prefer: str = "") -> tuple[int, Any]:
        headers = {"Authorization": self.bearer, **({"Prefer": prefer} if prefer else {})}
        where = path.removeprefix(self.lab.url)
        where = where if where.startswith("/") else "/graph/v1.0/security/" + quote(where, safe="/?$=&,'")
        status, _headers, value = self.lab.call(method, where, body, headers)
        return status, value["error"]["message"] if status >= 400 else value

    def ids(self, path: str) -> list[str]:
        status, value = self("GET", path)
        assert status == 200, value
        return [one["id"] for one in value["value"]]

    def incident(self, id: str, **more: Any) -> Any:
        return self("GET", f"incidents/{id}?$expand=alerts", **more)[1]

    def hunt(self, query: str = NEWEST, span: str = "P1D") -> tuple[int, Any]:
        return self("POST", "runHuntingQuery", {"Query": query, "Timespan": span})


@pytest.fixture
def security(lab: LabClient) -> Security:
    return Security(lab)


def test_lists_begin_with_the_most_recent_and_are_filtered_and_paged(lab: LabClient, security: Security) -> None:
    for number, severity in enumerate(("low", "high", "high", "low")):
        lab.edit("security_incident", tenant=CONTOSO, id=str(number), ago=100.0 - number, severity=severity)
    assert security.ids("incidents") == ["3", "2", "1", "0"]
    assert security.ids("incidents?$filter=severity eq 'high' and status ne 'resolved'&$top=50") == ["2", "1"]
    assert security.ids("incidents?$orderby=createdDateTime asc&$top=2") == ["0", "1"]
    since = security("GET", "incidents/2")[1]["createdDateTime"]
    assert security.ids(f"incidents?$filter=createdDateTime ge {since}") == ["3", "2"]
    _status, page = security("GET", "incidents?$top=3&$count=true")
    assert page["@odata.count"] == 4
    assert [one["id"] for one in security("GET", page["@odata.nextLink"])[1]["value"]] == ["0"]


@pytest.mark.parametrize(
    "path",
    ["incidents?$top=51", "incidents?$search=x", "alerts_v2?$filter=title eq 'x'", "alerts_v2?$filter=status eq new",
     "alerts_v2?$expand=evidence", "incidents?$filter=createdDateTime ge yesterday", "nothing"],
)  # fmt: skip
def test_what_it_does_not_know_is_refused(security: Security, path: str) -> None:
    assert security("GET", path)[0] == 400


def test_a_merged_incident_is_redirected_without_its_alerts(lab: LabClient, security: Security) -> None:
    for id in ("29", "31"):
        lab.edit("security_incident", tenant=CONTOSO, id=id, ago=7200.0)
        lab.edit("security_alert", tenant=CONTOSO, id=f"a{id}", incident=id, ago=7000.0)
    lab.edit("security_merge", tenant=CONTOSO, source="29", target="31")
    source, target = security.incident("29"), security.incident("31")
    assert (source["status"], source["redirectIncidentId"], source["alerts"]) == ("redirected", "31", [])
    assert [one["id"] for one in target["alerts"]] == ["a29", "a31"]
    assert security.ids("incidents?$filter=status eq 'redirected'") == ["29"]
    assert security("PATCH", "incidents/29", {"customTags": ["x"]})[0] == 200
    assert security.incident("29")["customTags"] == [], "it takes no writes any more"


def test_an_incident_is_changed_and_commented(lab: LabClient, security: Security) -> None:
    lab.edit("security_incident", tenant=CONTOSO, id="7", customTags=["theirs"])
    assert security("PATCH", "incidents/7", {"customTags": ["INC1"], "status": "resolved"})[0] == 200
    assert security("POST", "incidents/7/comments", {"comment": "closed"})[0] == 200
    found = security.incident("7")
    assert (found["customTags"], found["status"], len(found["comments"])) == (["INC1"], "resolved", 1)
    assert security("PATCH", "incidents/7", {"status": "redirected"})[0] == 400
    assert security("PATCH", "incidents/8", {"status": "active"})[0] == 404


def test_members_that_came_later_are_named_only_where_they_are_preferred(lab: LabClient, security: Security) -> None:
    lab.edit("security_incident", tenant=CONTOSO, id="7", status="awaitingAction")
    assert security.incident("7")["status"] == "unknownFutureValue"
    assert security.incident("7", prefer="include-unknown-enum-members")["status"] == "awaitingAction"


def test_hunting_tells_the_newest_row(lab: LabClient, security: Security) -> None:
    _status, found = security.hunt()
    assert found["schema"] == [{"name": "max_Timestamp", "type": "DateTime"}]
    assert found["results"][0]["max_Timestamp"]
    assert security.hunt("EmailEvents | summarize Newest = max(Timestamp)")[1]["results"] == [{"Newest": None}]
    lab.edit("defender_rows", tenant=CONTOSO, table="EmailEvents", ago=7200.0)
    assert security.hunt("EmailEvents | summarize max(Timestamp)", "PT1H")[1]["results"][0]["max_Timestamp"] is None
    assert security.hunt("EmailEvents | summarize max(Timestamp)")[1]["results"][0]["max_Timestamp"]
    lab.edit("defender_devices", tenant=CONTOSO, on=False)
    assert security.hunt()[1]["results"][0]["max_Timestamp"] is None
    assert "Failed to resolve table" in security.hunt("Nothing | summarize max(Timestamp)")[1]


def test_a_missing_role_and_a_missing_licence_are_told_apart_by_their_text_only(
    lab: LabClient, security: Security
) -> None:
    lab.edit("defender_licence", tenant=CONTOSO, on=False)
    status, text = security("GET", "alerts_v2")
    assert (status, "provisioned" in text) == (403, True)
    lab.reset()
    bare = {"Authorization": f"Bearer {token(lab, TAILSPIN, scope='https://graph.microsoft.com/.default')}"}
    status, _headers, value = lab.call("POST", "/graph/v1.0/security/runHuntingQuery", {"Query": NEWEST}, bare)
    assert (status, value["error"]["code"]) == (403, "Forbidden")
    assert "Missing application roles. API required roles: ThreatHunting.Read.All" in value["error"]["message"]


def test_it_is_limited_by_the_minute(lab: LabClient, security: Security) -> None:
    lab.configure(security_per_minute=1)
    assert [security("GET", "incidents")[0] for _ in range(2)] == [200, 429]
