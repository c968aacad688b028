# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""azure-monitor-ingestion, which Microsoft wrote, works against the lab unmodified, and is refused as by Azure."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.client import LabClient
from lab.testing import CLIENT_ID, CONTOSO, ROOT, running_lab

DRIVER = Path(__file__).with_name("ingestion_driver.py")
WORKSPACE = (
    "/subscriptions/20000000-0000-4000-8000-000000000003/resourceGroups/rg-operations/providers/"
    "Microsoft.OperationalInsights/workspaces/law-contoso-ops"
)
GROUP = WORKSPACE.partition("/providers/")[0]
TABLE = f"{WORKSPACE}/tables/Alert_CL"
RULE = f"{GROUP}/providers/Microsoft.Insights/dataCollectionRules/alerts"
COLUMNS = [{"name": "TimeGenerated", "type": "datetime"}, {"name": "Result", "type": "dynamic"}]
TRANSFORM = "source | extend TimeGenerated = now(), Result = todynamic(Result)"


@pytest.fixture(scope="module")
def fleet() -> Iterator[LabClient]:
    with running_lab() as lab:
        yield lab


@pytest.fixture
def lab(fleet: LabClient) -> LabClient:
    fleet.reset()
    return fleet


def arm(lab: LabClient, method: str, path: str, version: str, body: Any = None) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {lab.admin_token(CONTOSO, 'arm')}"}
    status, _headers, answer = lab.call(method, f"{path}?api-version={version}", body, headers)
    return status, answer


def put_table(lab: LabClient, columns: list[dict[str, str]]) -> tuple[int, Any]:
    return arm(lab, "PUT", TABLE, "2022-10-01", {"properties": {"schema": {"name": "Alert_CL", "columns": columns}}})


def put_rule(lab: LabClient, location: str = "westeurope", name: str = "alerts", **flow: Any) -> tuple[int, Any]:
    way = {"streams": ["Custom-Alert"], "destinations": ["here"], "transformKql": TRANSFORM,
           "outputStream": "Custom-Alert_CL", **flow}  # fmt: skip
    properties = {
        "streamDeclarations": {"Custom-Alert": {"columns": [{"name": "Result", "type": "string"}]}},
        "destinations": {"logAnalytics": [{"name": "here", "workspaceResourceId": WORKSPACE}]},
        "dataFlows": [way],
    }
    path = RULE.replace("/alerts", f"/{name}")
    return arm(lab, "PUT", path, "2023-03-11", {"location": location, "kind": "Direct", "properties": properties})


@pytest.fixture
def rule(lab: LabClient) -> dict[str, Any]:
    assert put_table(lab, COLUMNS)[0] == 200
    status, answer = put_rule(lab)
    assert status == 200, answer
    return dict(answer["properties"])


def upload(lab: LabClient, rule: dict[str, Any], *uploads: dict[str, Any]) -> list[dict[str, Any]]:
    python = ROOT / ".cache" / "peers" / "ingestion" / "bin" / "python"
    if not python.exists():
        pytest.skip("there is no azure-monitor-ingestion in .cache/peers/ingestion")
    given = {
        "tenant": CONTOSO, "app": CLIENT_ID, "secret": lab.secret, "url": lab.url, "ca_file": lab.ca_file,
        "endpoint": rule["endpoints"]["logsIngestion"], "rule": rule["immutableId"], "stream": "Custom-Alert",
        "uploads": uploads,
    }  # fmt: skip
    done = subprocess.run(
        [str(python), str(DRIVER)], input=json.dumps(given), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_records_are_transformed_into_the_table_and_refusals_are_azures(lab: LabClient, rule: dict[str, Any]) -> None:
    logs = [{"Result": '{"src": "203.0.113.5"}'}, {"Result": "no JSON", "Other": 1}]
    _status, other = put_rule(lab, name="others")
    lab.edit("assign_role", tenant=CONTOSO, role="Monitoring Metrics Publisher", scope=RULE)
    wrong = [{"rule": other["properties"]["immutableId"]}, {"rule": "dcr-0"}, {"stream": "Custom-X"}]
    told = upload(lab, rule, {"logs": logs}, *({"logs": logs, **one} for one in wrong))
    assert [one["status"] for one in told] == [204, 403, 404, 404]
    assert told[1]["code"] == "OperationFailed"
    found = lab.logs_ingestion.rows("Alert_CL")
    assert [one["Result"] for one in found] == [{"src": "203.0.113.5"}, "no JSON"]
    assert all(one.keys() == {"TimeGenerated", "Result"} for one in found)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"transformKql": "source | extend TimeGenerated = now()"}, "InvalidTransformOutput"),
        ({"transformKql": "source | extend Result = todynamic(Result)"}, "InvalidTransformOutput"),
        ({"transformKql": "Alert_CL"}, "InvalidTransformQuery"),
        ({"transformKql": "source | extend TimeGenerated = todatetime(Nothing)"}, "InvalidTransformQuery"),
        ({"outputStream": "Custom-Other_CL"}, "InvalidOutputTable"),
        ({"streams": ["Custom-Other"]}, "InvalidStream"),
        ({"location": "northeurope"}, "InvalidDestination"),
    ],
)
def test_a_rule_that_azure_refuses(lab: LabClient, rule: dict[str, Any], change: dict[str, Any], code: str) -> None:
    status, answer = put_rule(lab, **change)
    assert (status, answer["error"]["code"]) == (400, "InvalidPayload")
    assert code in [one["code"] for one in answer["error"]["details"]]


def test_what_azure_refuses_of_a_table(lab: LabClient, rule: dict[str, Any]) -> None:
    assert put_table(lab, [COLUMNS[0], {"name": "Result", "type": "string"}])[0] == 400
    assert put_table(lab, COLUMNS[1:])[0] == 400
    assert put_table(lab, [*COLUMNS, {"name": "More", "type": "int"}])[0] == 200
    assert lab.logs_ingestion.columns("Alert_CL") == {"TimeGenerated": "datetime", "Result": "dynamic", "More": "int"}


def test_a_token_of_another_audience_is_refused(lab: LabClient, rule: dict[str, Any]) -> None:
    path = f"/dataCollectionRules/{rule['immutableId']}/streams/Custom-Alert"
    headers = {"Authorization": f"Bearer {lab.admin_token(CONTOSO, 'arm')}"}
    assert lab.call("POST", path, [{}], headers)[0] == 401
