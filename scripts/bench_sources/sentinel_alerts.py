# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alerts of a Splunk in Sentinel: requests of a custom table and its rule, of the relay, and of a saved search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.alert_relay import capability as relay
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.alert_relay import options as relay_options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.alert_relay.plan import COLUMNS
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.custom_logs import capability as logs
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.custom_logs import options as logs_options
from ansible_collections.mssp.onboarding.plugins.module_utils._splunk import capability as splunk
from ansible_collections.mssp.onboarding.plugins.module_utils._splunk import options as splunk_options
from lab.client import LabClient
from lab.testing import CLIENT_ID, CONTOSO
from scripts.bench_sources import Row, Runs, rows

SEARCHES = 100
GROUP = "/subscriptions/20000000-0000-4000-8000-000000000003/resourceGroups/rg-operations"
WORKSPACE = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/law-contoso-ops"
RULE = f"{GROUP}/providers/Microsoft.Insights/dataCollectionRules/mssp-onboarding"
ROLES = (
    *("Log Analytics Contributor", "Monitoring Contributor", "Role Based Access Control Administrator"),
    "Logic App Contributor",
)


def azure(lab: LabClient) -> dict[str, Any]:
    for role in ROLES:
        lab.edit("assign_role", tenant=CONTOSO, role=role, scope=GROUP)
    text = dict.fromkeys(COLUMNS, "string")
    return {
        "tenant_id": CONTOSO,
        "client_id": CLIENT_ID,
        "client_secret": lab.secret,
        "authority_url": lab.url,
        "resource_manager_url": lab.url,
        "log_analytics_url": lab.url,
        "ca_file": lab.ca_file,
        "workspace_id": WORKSPACE,
        "table": "SplunkAlert_CL",
        "columns": {"TimeGenerated": "datetime", **text, "Result": "dynamic"},
        "stream_columns": text,
        "transform": "source | extend TimeGenerated = now(), Result = todynamic(Result)",
        "rule_id": RULE,
        "stream": "Custom-SplunkAlert",
        "callers": ["127.0.0.1"],
    }


def verbs(given: dict[str, Any], preflight: Any, converge: Any, verify: Any) -> Runs:
    """Each of the three an engine with its options, of what is given those that it has."""

    def told(pair: Any, **more: Any) -> tuple[Any, Any, dict[str, Any]]:
        engine, spec = pair
        return engine, spec, {name: value for name, value in {**given, **more}.items() if name in spec}

    return {
        "preflight": told(preflight),
        "onboard": told(converge),
        "onboard again": told(converge),
        "verify": told(verify),
        "offboard": told(converge, state="absent"),
    }


def bench(lab: LabClient, _folder: Path) -> list[Row]:
    given = azure(lab)
    access, flow = (logs.preflight, logs_options.ACCESS_SPEC), (logs.verify, logs_options.FLOW_MODULE_SPEC)
    of_table = verbs(given, access, (logs.converge_table, logs_options.TABLE_MODULE_SPEC), flow)
    of_rule = verbs(given, access, (logs.converge, logs_options.RULE_MODULE_SPEC), flow)
    of_relay = verbs(
        given, (relay.preflight, relay_options.RELAY_ACCESS_SPEC), (relay.converge, relay_options.RELAY_MODULE_SPEC),
        (relay.verify, relay_options.RELAY_FLOW_SPEC),
    )  # fmt: skip
    names = [f"Alert {number}" for number in range(SEARCHES)]
    for name in names:
        lab.edit("splunk_add", name=name)
    alerts = {
        "api_url": lab.url,
        "ca_file": lab.ca_file,
        "token": lab.splunk.token,
        "webhook_url": "https://relay.example/in?sig=key",
        "alerts": {name: {} for name in names},
    }
    of_alerts = verbs(
        alerts, (splunk.preflight, splunk_options.ACCESS_SPEC), (splunk.converge, splunk_options.CONVERGE_SPEC),
        (splunk.verify, splunk_options.FLOW_SPEC),
    )  # fmt: skip
    stays = {name: run for name, run in of_table.items() if name != "offboard"}
    return [
        *rows(lab, "azure_custom_logs", "table", 1, stays),
        *rows(lab, "azure_custom_logs", "rule", 1, {name: of_rule[name] for name in ("onboard", "onboard again")}),
        *rows(lab, "splunk_alert_relay", "relay", 1, of_relay),
        *rows(lab, "azure_custom_logs", "rule", 1, {"offboard": of_rule["offboard"]}),
        *rows(lab, "azure_custom_logs", "table", 1, {"offboard": of_table["offboard"]}),
        *rows(lab, "splunk_alerts", "saved search", SEARCHES, of_alerts),
    ]
