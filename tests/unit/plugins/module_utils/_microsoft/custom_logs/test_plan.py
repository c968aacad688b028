# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of a custom table and of the rule that fills it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import BLOCKED, DRIFTED, IN_SYNC
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.custom_logs.plan import (
    Flow,
    Rule,
    Table,
    Wanted,
    rule,
    table,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.custom_logs.senders import sender

WORKSPACE = (
    "/subscriptions/20000000-0000-4000-8000-000000000003/resourceGroups/rg/providers/"
    "Microsoft.OperationalInsights/workspaces/law-soc"
)
COLUMNS = {"TimeGenerated": "datetime", "Name": "string"}
WANTED = Wanted(WORKSPACE, "Alert_CL", COLUMNS, "rg", "ours", COLUMNS, "source")
FLOW = Flow(COLUMNS, "source", "Custom-Alert_CL", WORKSPACE)
RULE = Rule(FLOW, "westeurope", ours=True, endpoint="https://x.ingest.monitor.azure.com", immutable="dcr-1")


def test_names_follow_from_the_table() -> None:
    assert (WANTED.input, WANTED.output) == ("Custom-Alert", "Custom-Alert_CL")


@pytest.mark.parametrize(
    ("found", "status", "drift", "level"),
    [
        (None, DRIFTED, ("missing",), ""),
        (Table(COLUMNS, ours=False), IN_SYNC, (), ""),
        (Table({**COLUMNS, "Theirs": "int"}, ours=True), IN_SYNC, (), ""),
        (Table({"TimeGenerated": "datetime"}, ours=True), DRIFTED, ("missing",), "create"),
        (Table({"TimeGenerated": "datetime"}, ours=False), BLOCKED, ("not_ours",), ""),
        (Table({**COLUMNS, "Name": "int"}, ours=True), BLOCKED, ("type",), ""),
        (Table({"TimeGenerated": "datetime", "name": "string"}, ours=True), BLOCKED, ("type",), ""),
        (Table(COLUMNS, ours=True, classic=True), BLOCKED, ("classic",), ""),
    ],
)
def test_a_table(found: Table | None, status: str, drift: tuple[str, ...], level: str) -> None:
    verdict = table(WANTED, found)
    assert (verdict.status, verdict.drift, verdict.level) == (status, drift, level)
    assert bool(verdict.next_step) == (status == BLOCKED)


def test_columns_of_others_are_sent_back() -> None:
    assert table(WANTED, Table({"Theirs": "int"}, ours=True)).after.columns == {"Theirs": "int", **COLUMNS}


@pytest.mark.parametrize(("ours", "remove", "action"), [(True, False, ""), (False, True, ""), (True, True, "delete")])
def test_a_table_goes_only_where_it_is_ours_and_wanted(ours: bool, remove: bool, action: str) -> None:
    verdict = table(WANTED._replace(present=False, remove_table=remove), Table(COLUMNS, ours))
    assert (verdict.action, bool(verdict.reason)) == (action, True)


@pytest.mark.parametrize(
    ("changed", "status", "drift"),
    [
        ({}, IN_SYNC, ()),
        ({"flow": FLOW._replace(workspace=WORKSPACE.lower())}, IN_SYNC, ()),
        ({"flow": FLOW._replace(transform="source | take 1")}, DRIFTED, ("transform",)),
        ({"flow": FLOW._replace(stream={"TimeGenerated": "datetime"})}, DRIFTED, ("stream",)),
        ({"flow": FLOW._replace(workspace=WORKSPACE + "2")}, DRIFTED, ("workspace",)),
        ({"flow": None}, DRIFTED, ("stream", "transform", "output", "workspace")),
        ({"flow": None, "ours": False}, BLOCKED, ("not_ours",)),
        ({"others": ("Custom-Other",)}, IN_SYNC, ()),
        ({"flow": None, "others": ("Custom-Other",)}, BLOCKED, ("shared",)),
        ({"location": "northeurope"}, BLOCKED, ("location",)),
        ({"endpoint": ""}, BLOCKED, ("no_endpoint",)),
    ],
)
def test_a_rule(changed: dict[str, Any], status: str, drift: tuple[str, ...]) -> None:
    verdict = rule(WANTED, RULE._replace(**changed), "westeurope")
    assert (verdict.status, verdict.drift) == (status, drift)


@pytest.mark.parametrize(("found", "action"), [(None, ""), (RULE._replace(ours=False), ""), (RULE, "delete")])
def test_a_rule_goes_only_where_it_is_ours(found: Rule | None, action: str) -> None:
    verdict = rule(WANTED._replace(present=False), found, "westeurope")
    assert (verdict.status, verdict.action) == (DRIFTED if action else IN_SYNC, action)


def test_a_rule_that_takes_another_tables_stream_stays() -> None:
    shared = RULE._replace(others=("Custom-Other",))
    assert rule(WANTED._replace(present=False), shared, "westeurope").drift == ("shared",)


def test_a_sender_gets_the_role_on_the_rule() -> None:
    verdict = sender(WANTED.rule_id, "d0000000-0000-4000-8000-00000000000d", [], present=True)
    assert (verdict.action, verdict.subject.scope) == ("create", WANTED.rule_id)
    assert verdict.subject.body()["properties"]["principalType"] == "ServicePrincipal"
