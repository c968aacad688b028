# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our queries read by Microsoft's own parser, in one process of node, and by the lab, which has to agree.

What both are asked is told apart by the name of its kind, wrong ones included: a parser that takes all proves nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm.subscriptions import graph_query
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.custom_logs import data
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics.records import query
from lab.azure import log_query
from lab.logs_ingestion.transform import Transform

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = "@kusto/language-service-next"
VERSION = "12.4.1"
KEPT = ROOT / ".cache" / "kql" / VERSION
COLUMNS = {
    "TimeGenerated": "datetime", "Type": "string", "TenantId": "string", "_ResourceId": "string",
    "_SubscriptionId": "string",
}  # fmt: skip
TABLES = dict.fromkeys(("AzureActivity", "AzureDiagnostics", "AKSAudit"), COLUMNS)
# Resource Graph's own table.
GRAPH = {
    "resources": {
        **dict.fromkeys(("id", "name", "type", "kind", "location", "subscriptionId", "resourceGroup"), "string"),
        **dict.fromkeys(("tags", "sku", "properties"), "dynamic"),
    }
}
WINDOW = timedelta(hours=360)
LOGS = {
    "all tables by resource": query(list(TABLES), WINDOW, resources=True, subscriptions=["a-b", "c"]),
    "all tables by type": query(list(TABLES), WINDOW, resources=False, subscriptions=["a-b"]),
    "of all tenants": query(list(TABLES), WINDOW, resources=True, subscriptions=None),
    "one table alone": query(["AKSAudit"], timedelta(hours=24), resources=True, subscriptions=None),
}
# Custom logs: what verify asks of a table, and transforms with what has to come out of them.
ALERTS = {"TimeGenerated": "datetime", "SearchName": "string", "Result": "dynamic"}
STREAM = dict.fromkeys(("SearchName", "Result"), "string")
OF_ALERTS = {
    "a custom table": data.arrivals_query("SplunkAlert_CL", "SearchName"),
    "a custom table without a marked column": data.arrivals_query("SplunkAlert_CL", ""),
    "a probe": data.probe_query("SplunkAlert_CL", "SearchName", "mssp-onboarding-probe-1"),
}
TRANSFORMS = {
    "a transform that casts": "source | extend TimeGenerated = now(), Result = todynamic(Result)",
    "a transform that counts": "source | extend Size = strlen(Result), By = 'splunk' | project-away Result",
}
RESOURCES = {"some types": graph_query(["microsoft.keyvault/vaults", "b/c"]), "every type": graph_query(None)}
RIGHT = LOGS["of all tenants"]
WRONG = {
    "a column that is not there": RIGHT.replace("_ResourceId", "_ResId"),
    "a table that is not there": RIGHT.replace("AKSAudit", "Heartbeat"),
    "a function that is not there": RIGHT.replace("tolower(", "lower("),
    "an operator that is not there": RIGHT.replace("| summarize", "| summarise"),
    "a parenthesis too few": RIGHT.replace("max(ingestion_time())", "max(ingestion_time()"),
    "an argument too few": RIGHT.replace("array_length(Piece)", "array_length()"),
    "a column summarized away": RIGHT + " | where Piece == 'x'",
}


def library() -> Path:
    """The folder of the parser, downloaded once. Skips where there is no node; where CI promised it, fails."""
    missing = [name for name in ("node", "npm") if not shutil.which(name)]
    if missing:
        reason = f"the parser needs {' and '.join(missing)}"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    found = KEPT / "node_modules" / PACKAGE
    if not (found / "package.json").exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", KEPT]
        subprocess.run([*install, f"{PACKAGE}@{VERSION}"], check=True, capture_output=True, timeout=300)
    return found


def test_microsofts_parser_takes_our_queries_and_no_wrong_ones() -> None:
    queries = {**LOGS, **RESOURCES, **OF_ALERTS, **TRANSFORMS, **WRONG}
    known = {**TABLES, **GRAPH, "SplunkAlert_CL": ALERTS, "source": STREAM}
    # In brackets, since some names are words of the language.
    columns = {name: [f"['{one}']: {kind}" for one, kind in held.items()] for name, held in known.items()}
    tables = {name: f"({', '.join(held)})" for name, held in columns.items()}
    given = {"library": str(library()), "tables": tables, "queries": list(queries.values())}
    answer = subprocess.run(
        ["node", Path(__file__).with_name("parse_kql.js")],
        input=json.dumps(given), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    told = dict(zip(queries, json.loads(answer.stdout), strict=True))
    assert {name: one["errors"] for name, one in told.items() if name not in WRONG and one["errors"]} == {}
    assert [name for name in WRONG if not told[name]["errors"]] == [], "the parser has to see what is wrong"
    for name, text in TRANSFORMS.items():  # the lab's own reader gives the columns that Microsoft's gives
        assert Transform(text, STREAM).columns == told[name]["columns"]


@pytest.mark.parametrize("name", LOGS)
def test_the_lab_takes_what_the_parser_takes(name: str) -> None:
    asked = log_query.parse(LOGS[name], dict.fromkeys(TABLES, ()))
    assert asked.tables <= TABLES.keys()
    assert list(asked.columns)[:3] == ["Newest", "Ingested", "Records"]


@pytest.mark.parametrize("name", OF_ALERTS)
def test_the_lab_takes_what_is_asked_of_a_custom_table(name: str) -> None:
    asked = log_query.parse(OF_ALERTS[name], {"SplunkAlert_CL": tuple(ALERTS)})
    assert (asked.tables, list(asked.columns)[:3]) == ({"SplunkAlert_CL"}, ["Newest", "Ingested", "Records"])


@pytest.mark.parametrize("name", WRONG)
def test_the_lab_refuses_what_the_parser_refuses(name: str) -> None:
    with pytest.raises(log_query.QueryError):
        log_query.parse(WRONG[name], dict.fromkeys(TABLES, ()))
