# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the relay of Splunk's alerts."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.client import ODD_SHAPE
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import (
    FLOWING,
    STALE,
    WAITING_FOR_DATA,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import BLOCKED, DRIFTED, IN_SYNC
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.alert_relay import api
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.alert_relay.freshness import judged
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.alert_relay.options import setup
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.alert_relay.plan import (
    Wanted,
    Workflow,
    definition,
    ends,
    ingestion_url,
    plan,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm.workflow_runs import Run

RULE = (
    "/subscriptions/20000000-0000-4000-8000-000000000003/resourceGroups/rg/providers/Microsoft.Insights/"
    "dataCollectionRules/mssp-onboarding"
)
WANTED = Wanted(RULE, "Custom-Alert", "rg", "relay", ("192.0.2.1/32", "198.51.100.0/24"))
DEFINED = definition(
    ingestion_url("https://x.ingest.monitor.azure.com", "dcr-1", "Custom-Alert"), "https://monitor.azure.com"
)
FOUND = Workflow("westeurope", True, True, "d0", ("198.51.100.0/24", "192.0.2.1/32"), DEFINED)
SCRIPT = {"actions": {"GetToken": {"inputs": {"body": "client_secret=x"}}}}
GOOD: dict[str, Any] = {
    "tenant_id": "20000000-0000-4000-8000-000000000000",
    "client_id": "a0000000-0000-4000-8000-00000000000a",
    **dict.fromkeys(("client_secret", "client_certificate_path", "client_certificate_password")),
    **dict.fromkeys(("federated_token_file", "resource_manager_url", "authority_url", "ca_file")),
    "cloud": "azure_public", "rule_id": RULE, "stream": "Custom-Alert", "resource_group": "", "workflow": "relay",
    "callers": ["192.0.2.1"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "replace", "status", "drift"),
    [
        ({}, False, IN_SYNC, ()),
        ({"ours": False}, False, IN_SYNC, ()),
        ({"definition": {**DEFINED, "outputs": {}}}, False, IN_SYNC, ()),
        ({"principal": ""}, False, DRIFTED, ("identity",)),
        ({"callers": ()}, False, DRIFTED, ("callers",)),
        ({"enabled": False}, False, DRIFTED, ("disabled",)),
        ({"definition": {}}, False, DRIFTED, ("definition",)),
        ({"definition": {}, "ours": False}, False, BLOCKED, ("not_ours",)),
        ({"definition": {}, "ours": False}, True, BLOCKED, ("not_ours",)),
        ({"definition": SCRIPT, "ours": False}, False, BLOCKED, ("secret",)),
        ({"definition": SCRIPT, "ours": False}, True, DRIFTED, ("secret", "definition")),
    ],
)
def test_a_workflow(changed: dict[str, Any], replace: bool, status: str, drift: tuple[str, ...]) -> None:
    verdict = plan(WANTED._replace(replace=replace), FOUND._replace(**changed), DEFINED, "westeurope")
    assert (verdict.status, verdict.drift) == (status, drift)
    assert "client_secret=x" not in str([verdict.before.view(), verdict.reason])


def test_what_is_not_there_is_made_where_the_rule_is() -> None:
    verdict = plan(WANTED, None, DEFINED, "westeurope")
    assert (verdict.action, verdict.after.location) == ("create", "westeurope")
    assert plan(WANTED, None, None, "").drift == ("rule",)


def test_what_is_there_stays_in_its_region() -> None:
    verdict = plan(WANTED, FOUND._replace(location="northeurope", enabled=False), DEFINED, "westeurope")
    assert verdict.after.location == "northeurope"


@pytest.mark.parametrize(("found", "action"), [(None, ""), (FOUND._replace(ours=False), ""), (FOUND, "delete")])
def test_ours_alone_goes(found: Workflow | None, action: str) -> None:
    assert plan(WANTED._replace(present=False), found, None, "").action == action


def test_the_definition_has_no_secret_and_sends_as_itself() -> None:
    assert not FOUND.has_secret
    inputs = DEFINED["actions"]["Send"]["inputs"]
    assert inputs["authentication"] == {"type": "ManagedServiceIdentity", "audience": "https://monitor.azure.com"}
    assert inputs["uri"].endswith("/dataCollectionRules/dcr-1/streams/Custom-Alert?api-version=2023-01-01")


@pytest.mark.parametrize("day", [0, 1, 89, 90, 91, 179])
def test_a_url_is_good_for_a_whole_period_at_least(day: int) -> None:
    now = 20_000 * 86400.0 + day * 86400
    left = (ends(now, 90) - now) / 86400
    assert 90 <= left <= 180
    assert ends(now, 90) == ends(now + 1, 90)


def test_what_we_write_is_read_back_as_ours() -> None:
    raw = {**api.body(FOUND), "identity": {"principalId": "d0"}}
    assert api.parse(raw) == FOUND


@pytest.mark.parametrize("odd", [5, "x", [], [1]])
def test_another_shape_is_refused(odd: Any) -> None:
    good = {**api.body(FOUND), "identity": {"principalId": "d0"}}
    changes = [{"properties": odd}, {"identity": odd}] if odd != [] else [{"location": odd}]
    for changed in changes:
        with pytest.raises(ODD_SHAPE):
            api.parse({**good, **changed})


def test_callers_are_written_as_azure_does() -> None:
    assert setup({**GOOD, "callers": ["192.0.2.1", "198.51.100.7/24"]}).wanted.callers == WANTED.callers


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rule_id": "x"}, "rule_id"),
        ({"stream": "Alert"}, "stream"),
        ({"workflow": "a/b"}, "workflow"),
        ({"callers": []}, "at least one address"),
        ({"callers": ["splunk.example"]}, "'splunk.example'"),
        ({"callers": ["0.0.0.0/0"]}, "whole internet"),
        ({"url_days": 0}, "url_days"),
    ],
)
def test_what_cannot_be_right_is_said(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        setup({**GOOD, **given})
    assert said in caught.value.message


def test_runs_fail_without_a_finding_while_the_role_does_not_count() -> None:
    failed = [Run(6, "Failed", "Forbidden")]
    states = {age: judged("relay", failed, age).state for age in (None, 60.0, 1801.0)}
    assert states == {None: STALE, 60.0: WAITING_FOR_DATA, 1801.0: STALE}
    young = judged("relay", failed, 60.0)
    assert ("its role is 60 s old" in young.message, young.code) == (True, "")
    assert judged("relay", [Run(6, "Succeeded")], 60.0).state == FLOWING
