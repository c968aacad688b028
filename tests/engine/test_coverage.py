# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was there at the last run and is not seen now is unknown, by name, in every verb, until it is confirmed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab.client import LabClient
from lab.testing import CLIENT_ID, CONTOSO, FABRIKAM

from .engines import DEVELOPMENT, PRODUCTION, Tenant, counts, log

VERBS = ["settings", "flow", "access"]
PRODUCTION_NAME = f"contoso-production ({PRODUCTION})"


@pytest.fixture
def remembering(lab: LabClient, tmp_path: Path) -> Tenant:
    """Contoso after a good run; every later run keeps its evidence beside it."""
    tenant = Tenant(lab, families=["key_vault", "azure_firewall"], evidence_path=str(tmp_path / "contoso.x.jsonl"))
    assert counts(tenant.run(check=True)).keys() <= {"drifted", "in_sync"}
    return tenant


def lose(lab: LabClient, subscription: str) -> None:
    lab.edit("unassign_role", tenant=CONTOSO, role="Monitoring Contributor", scope=f"/subscriptions/{subscription}")


def unknown(result: dict[str, Any]) -> set[str]:
    """What is told as missing, wherever a verb tells it."""
    return {one["target"] for one in result["problems"] if one["code"] in ("Missing", "unknown")}


@pytest.mark.parametrize("verb", VERBS)
def test_a_lost_subscription_is_unknown_by_name(remembering: Tenant, verb: str) -> None:
    lose(remembering.lab, PRODUCTION)
    result = remembering.run(verb, check=verb == "settings")
    assert result["summary"]["outcome"] == "unknown", result["msg"]
    assert result["summary"]["counts"]["unknown"] == 1, "and not each of its types beside it"
    assert unknown(result) == {PRODUCTION_NAME}
    (problem,) = [one for one in result["problems"] if one["target"] == PRODUCTION_NAME]
    assert f"--scope /subscriptions/{PRODUCTION}" in problem["next_step"], "the step can be pasted"
    assert CLIENT_ID in problem["next_step"]
    assert f"azure_diagnostics_accept_missing: [{PRODUCTION}]" in problem["next_step"]
    assert result["coverage"]["missing"] == [PRODUCTION]
    assert result["coverage"]["expected"] == result["coverage"]["looked_at"] + 1
    again = remembering.run(verb, check=verb == "settings")
    assert unknown(again) == {PRODUCTION_NAME}, "not forgotten by the run that told it"


@pytest.mark.parametrize("verb", VERBS)
def test_it_is_confirmed_by_name_or_label_and_that_is_kept(remembering: Tenant, verb: str, tmp_path: Path) -> None:
    lose(remembering.lab, PRODUCTION)
    accepted = remembering.run(verb, check=verb == "settings", accept_missing=[PRODUCTION_NAME.upper()])
    assert unknown(accepted) == set(), accepted["msg"]
    assert unknown(remembering.run(verb, check=verb == "settings")) == set(), "confirmed once is enough"
    (kept,) = (tmp_path / "coverage").iterdir()
    (entry,) = json.loads(kept.read_text())["confirmed"].items()
    assert entry[0] == PRODUCTION
    assert entry[1]["when"]
    assert entry[1]["who"]
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_glob_confirms_nothing(remembering: Tenant) -> None:
    lose(remembering.lab, PRODUCTION)
    assert unknown(remembering.run(check=True, accept_missing=["*", "contoso-*"])) == {PRODUCTION_NAME}


def test_a_lost_type_is_unknown_where_its_subscription_is_still_there(remembering: Tenant) -> None:
    lines = map(json.loads, Path(remembering.given["evidence_path"]).read_text().splitlines())
    for target in {line["target"] for line in lines if line["type"] == "microsoft.network/azurefirewalls"}:
        remembering.lab.edit("remove_resource", id=target)
    result = remembering.run(check=True)
    assert unknown(result) == {"resources of type microsoft.network/azurefirewalls"}
    assert unknown(remembering.run(check=True, accept_missing=["microsoft.network/azurefirewalls"])) == set()


def test_what_the_options_no_longer_want_is_not_missed(remembering: Tenant) -> None:
    assert unknown(remembering.run(check=True, families=["key_vault"])) == set()
    assert unknown(remembering.run(check=True, exclude_subscriptions=["contoso-production"])) == set()
    lose(remembering.lab, PRODUCTION)
    assert unknown(remembering.run(check=True)) == set(), "it was left out by choice before it was lost"


def test_a_subscription_that_takes_no_writes_any_more_is_told(remembering: Tenant) -> None:
    remembering.lab.edit("subscription_state", subscription=DEVELOPMENT, state="Disabled")
    result = remembering.run(check=True)
    assert unknown(result) == {f"contoso-development ({DEVELOPMENT})"}
    assert result["coverage"]["left_out"] == {
        f"contoso-development ({DEVELOPMENT})": "is Disabled, so it takes no writes"
    }


def test_what_could_not_be_listed_is_not_taken_for_gone(remembering: Tenant) -> None:
    remembering.lab.fault(kind="resource_graph", action="status", status=403)
    remembering.lab.fault(kind="resources.list", action="status", status=403, subscription=PRODUCTION)
    result = remembering.run(check=True)
    assert result["coverage"]["missing"] == []
    assert result["summary"]["counts"]["unknown"] == 1


def test_a_memory_that_cannot_be_read_is_no_empty_one(remembering: Tenant, tmp_path: Path) -> None:
    (kept,) = (tmp_path / "coverage").iterdir()
    kept.write_text('{"scopes": []}')
    result = remembering.run(check=True)
    assert result["problems"][0]["code"] == "CoverageUnknown"
    assert result["summary"]["outcome"] == "unknown"
    assert kept.read_text() == '{"scopes": []}', "not written over"


def test_removal_ends_the_memory(remembering: Tenant, tmp_path: Path) -> None:
    lose(remembering.lab, PRODUCTION)
    assert unknown(remembering.run(state="absent")) == set()
    assert list((tmp_path / "coverage").iterdir()) == []


def test_preflight_says_that_nothing_is_remembered_without_evidence(lab: LabClient) -> None:
    result = Tenant(lab).run("access")
    assert result["summary"]["outcome"] == "in_sync"
    assert "no evidence is kept, so nothing tells what has gone" in result["msg"]
    assert "azure_diagnostics_subscriptions" in result["msg"]


def test_the_step_of_a_delegated_subscription_is_the_delegation(lab: LabClient, tmp_path: Path) -> None:
    tenant = Tenant(lab, FABRIKAM, families=["key_vault"], evidence_path=str(tmp_path / "fabrikam.x.jsonl"))
    tenant.run(check=True)
    (kept,) = (tmp_path / "coverage").iterdir()
    memory = json.loads(kept.read_text())
    gone = f"{FABRIKAM[:-1]}9"
    memory["scopes"][gone] = {"label": f"fabrikam-old ({gone})", "within": [], "seen": "2026-11-01"}
    kept.write_text(json.dumps(memory))
    (problem,) = tenant.run("access")["problems"]
    assert f"delegate Monitoring Contributor on /subscriptions/{gone}" in problem["next_step"]
    assert "2026-11-01" in problem["message"]
    assert log(lab, "settings.put") == []


# --- what the customer has and nobody collects


def uncollected(result: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["next_step"] for one in result["coverage"]["parts"] if one["state"] == "not_asked"}


def test_types_that_offer_logs_and_are_not_chosen_are_told_by_preflight(lab: LabClient) -> None:
    result = Tenant(lab, families=["key_vault"]).run("access")
    found = uncollected(result)
    firewalls = "resources of type microsoft.network/azurefirewalls"
    assert found[firewalls] == (
        "name azure_firewall in azure_diagnostics_families, or name microsoft.network/azurefirewalls in "
        "azure_diagnostics_resource_types"
    )
    assert "resources of type microsoft.keyvault/vaults" not in found
    assert "resources of type microsoft.resources/subscriptions" in found, "the activity log is one, too"
    assert result["summary"]["outcome"] == "in_sync", "no finding: nobody has asked for it"
    chosen = Tenant(lab, families=["key_vault"], resource_types=["microsoft.network/azurefirewalls"])
    assert firewalls not in uncollected(chosen.run("access"))


@pytest.mark.parametrize(("refused", "why"), [
    (1, "2 resources offer logs"),
    (None, "whether they offer logs is not known: AuthorizationFailed: "),
])  # fmt: skip
def test_a_type_of_which_nobody_knows_what_it_offers_is_told_so(lab: LabClient, refused: int | None, why: str) -> None:
    lab.fault("status", kind="categories.list", path="/azurefirewalls/", status=403, code="AuthorizationFailed",
              count=refused)  # fmt: skip
    parts = Tenant(lab, families=["key_vault"]).run("access")["coverage"]["parts"]
    (one,) = [part for part in parts if part["name"] == "resources of type microsoft.network/azurefirewalls"]
    assert (one["state"], one["why"].startswith(why)) == ("not_asked", True), one
    assert one["next_step"]


def test_what_offers_no_logs_is_not_told_as_left_out(lab: LabClient) -> None:
    assert uncollected(Tenant(lab, families=["all"]).run("access")) == {}
    asked = {
        one.removeprefix("resources of type ") for one in uncollected(Tenant(lab, families=["key_vault"]).run("access"))
    }
    assert "microsoft.compute/virtualmachines" not in asked


def test_subscriptions_that_nobody_named_are_told_with_the_step_that_takes_them(lab: LabClient) -> None:
    for verb in VERBS:
        result = Tenant(lab, families=["key_vault"], subscriptions=[PRODUCTION]).run(verb, check=True)
        step = f"name {DEVELOPMENT} in azure_diagnostics_subscriptions"
        assert uncollected(result)[f"contoso-development ({DEVELOPMENT})"] == step, verb


def test_a_type_of_which_nothing_could_be_read_is_not_covered(lab: LabClient) -> None:
    lab.fault("status", kind="settings.list", path="/azurefirewalls/", status=403, code="AuthorizationFailed",
              count=None)  # fmt: skip
    result = Tenant(lab, families=["key_vault", "azure_firewall"]).run(check=True)
    states = {one["name"]: one["state"] for one in result["coverage"]["parts"]}
    assert states["resources of type microsoft.network/azurefirewalls"] == "unreachable"
    assert states["resources of type microsoft.keyvault/vaults"] == "covered"
    assert states[PRODUCTION_NAME] == "covered", "some of it is looked after"


def test_a_subscription_that_was_excluded_was_so_by_choice(lab: LabClient) -> None:
    result = Tenant(lab, families=["key_vault"], exclude_subscriptions=["contoso-development"]).run(check=True)
    states = {one["name"]: one["state"] for one in result["coverage"]["parts"]}
    assert states[f"contoso-development ({DEVELOPMENT})"] == "excluded"
    assert states[PRODUCTION_NAME] == "covered"
