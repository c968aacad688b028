# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a write keeps of the setting that it changes, and when an adoption would not be legal."""

from __future__ import annotations

from typing import Any

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.settings.plan import plan, written
from tests.unit.plugins.module_utils._microsoft.builders import (
    HUB_RULE,
    OTHER_WORKSPACE,
    OURS,
    STORAGE,
    VAULT,
    WORKSPACE,
    desired,
    setting,
)

HUB = "event_hub_authorization_rule_id"
AUDIT: dict[str, Any] = {"groups": (), "categories": {"auditevent"}}
POLICY: dict[str, Any] = {"groups": (), "categories": {"azurepolicyevaluationdetails"}}


def test_an_update_keeps_the_spelling_of_the_name() -> None:
    verdict = plan(desired(), (setting(OURS.upper(), **AUDIT),), VAULT)
    assert (verdict.action, written(verdict)) == ("update", OURS.upper())
    assert verdict.after is not None
    assert verdict.after.name == OURS.upper()


def test_an_update_keeps_the_name_of_a_hub_that_someone_added() -> None:
    found = setting(sinks={"workspace_id": WORKSPACE, HUB: HUB_RULE}, event_hub_name="theirs", **AUDIT)
    after = plan(desired(), (found,), VAULT).after
    assert after is not None
    assert (after.sinks[HUB], after.event_hub_name) == (HUB_RULE, "theirs")


def test_an_adoption_keeps_the_table_of_the_setting() -> None:
    """A write that left it out would move the owner's data to another table."""
    after = plan(desired(adopt=True), (setting("sec", table="dedicated", **AUDIT),), VAULT).after
    assert after is not None
    assert after.table == "dedicated"


def test_an_adoption_that_would_send_twice_to_another_destination_is_a_conflict() -> None:
    rival = setting("sec", sinks={"workspace_id": WORKSPACE, "storage_account_id": STORAGE}, **AUDIT)
    archive = setting("archive", sinks={"storage_account_id": STORAGE}, **POLICY)
    verdict = plan(desired(adopt=True), (rival, archive), VAULT)
    assert (verdict.status, verdict.drift, verdict.action) == ("blocked", ("conflict",), "")


def test_beside_a_setting_of_ours_nothing_is_adopted() -> None:
    found = (setting(sinks={"workspace_id": OTHER_WORKSPACE}), setting("sec", **AUDIT))
    verdict = plan(desired(adopt=True), found, VAULT)
    assert (verdict.status, verdict.drift, verdict.action) == ("blocked", ("conflict",), "")
