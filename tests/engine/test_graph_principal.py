# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The app in a customer's tenant against the lab: consent by link, grants by an administrator, drift, the way out."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lab.client import LabClient
from lab.testing import CONTOSO, FABRIKAM, NORTHWIND, PROSEWARE, TAILSPIN

from .graph_engines import DEFENDER, GRAPH, O365, REDIRECT, STATE_KEY, WANTED, Directory, counts, customer


@pytest.fixture
def northwind(lab: LabClient) -> Directory:
    """A tenant that has nothing, by the app itself."""
    return customer(lab, redirect_uri=REDIRECT, state_key=STATE_KEY, wait_seconds=0)


def administered(lab: LabClient, tenant: str = NORTHWIND, **given: Any) -> Directory:
    """The same by an administrator of the tenant."""
    return customer(lab, tenant, access_token=lab.admin_token(tenant, "graph"), **given)


# ---- consent by the link --------------------------------------------------------------------------------------------


def test_from_nothing_to_consented_by_the_link(lab: LabClient, northwind: Directory) -> None:
    waits = northwind.run()
    assert (waits["changed"], waits["failed"], waits["summary"]["outcome"]) == (False, False, "waiting")
    assert (waits["service_principal_id"], waits["missing"], waits["granted"]) == ("", WANTED, {})
    (problem,) = waits["problems"]
    assert problem["count"] == 4
    assert waits["consent_url"] in problem["next_step"]
    assert waits["consent_url"] in waits["msg"]
    back = lab.consent(waits["consent_url"])
    done = northwind.run(consent_response=back)
    assert (done["summary"]["outcome"], done["summary"]["proof"]) == ("in_sync", "token")
    assert (done["granted"], done["missing"], done["extra"]) == (WANTED, {}, {})
    assert done["service_principal_id"] == northwind.run()["service_principal_id"] != ""
    assert northwind.writes() == [], "the app itself writes nothing"


def test_a_customer_who_declines_is_heard(lab: LabClient, northwind: Directory) -> None:
    back = lab.consent(northwind.run()["consent_url"], accept=False)
    found = northwind.run(consent_response=back)
    assert found["failed"]
    assert found["problems"][0]["code"] == "access_denied"
    assert "ask the customer" in found["msg"]


@pytest.mark.parametrize("forge", ["state", "tenant"])
def test_an_answer_that_is_not_this_tenants_is_refused(lab: LabClient, northwind: Directory, forge: str) -> None:
    back = lab.consent(northwind.run()["consent_url"])
    forged = re.sub(rf"({forge}=)[^&]+", rf"\g<1>{CONTOSO}", back)
    assert forged != back
    found = northwind.run(consent_response=forged)
    assert found["failed"]
    assert found["problems"][0]["code"] in ("WrongState", "WrongTenant")


def test_consent_that_nobody_gave_is_not_believed(lab: LabClient, northwind: Directory) -> None:
    """A right address proves nothing by itself: the app's tokens do."""
    link = northwind.run()["consent_url"]
    state = link.rpartition("state=")[2]
    found = northwind.run(consent_response=f"{REDIRECT}?admin_consent=True&tenant={NORTHWIND}&state={state}")
    assert found["summary"]["outcome"] == "waiting"
    assert found["missing"] == WANTED


def test_what_was_consented_to_is_waited_for(lab: LabClient, northwind: Directory, hasty: list[float]) -> None:
    back = lab.consent(northwind.run()["consent_url"])
    lab.fault("status", kind="token", status=400, code="unauthorized_client", count=3,
              message="AADSTS7000229: The client application is missing service principal in the tenant.")  # fmt: skip
    found = northwind.run(consent_response=back, wait_seconds=60)
    assert found["summary"]["outcome"] == "in_sync", found["msg"]
    assert hasty, "it was asked again"


# ---- grants by an administrator -------------------------------------------------------------------------------------


def test_an_administrator_grants_it_all_as_predicted_and_once(lab: LabClient) -> None:
    one = administered(lab)
    predicted = one.run(check=True, diff=True)
    assert (predicted["changed"], one.writes(), predicted["missing"]) == (True, [], WANTED)
    done = one.run(diff=True)
    assert (done["changes"], done["diff"]) == (predicted["changes"], predicted["diff"])
    assert (counts(done), done["granted"], done["missing"]) == ({"corrected": 4}, WANTED, {})
    assert done["summary"]["proof"] == "token"
    before = one.writes()
    assert len(before) == 4
    again = one.run()
    assert (again["changed"], again["summary"]["outcome"], one.writes()) == (False, "in_sync", before)
    assert customer(lab).run()["granted"] == WANTED


def test_an_administrator_alone_is_proof_by_the_directory(lab: LabClient) -> None:
    found = administered(lab, client_secret=None).run()
    assert (found["summary"]["proof"], found["granted"]) == ("directory", WANTED)


def test_permissions_are_found_by_name_where_they_have_other_ids(lab: LabClient) -> None:
    """Tailspin's are those of another cloud: a table of ids would grant nothing, or something else."""
    asked = {**WANTED, GRAPH: [*WANTED[GRAPH], "AuditLog.Read.All"]}
    found = administered(lab, TAILSPIN, permissions=asked).run()
    assert counts(found) == {"in_sync": 4, "corrected": 1}
    assert found["granted"][GRAPH] == sorted(asked[GRAPH])


def test_a_product_that_the_customer_does_not_have(lab: LabClient) -> None:
    asked = {DEFENDER: ["Machine.Read.All"]}
    for one in (administered(lab, FABRIKAM, permissions=asked), customer(lab, TAILSPIN, permissions=asked)):
        told = {problem["code"]: problem for problem in one.run()["problems"]}
        assert "license" in told["not_provisioned"]["next_step"]


def test_legacy_permissions_are_told_with_their_successors(lab: LabClient) -> None:
    asked = {DEFENDER: ["AdvancedQuery.Read.All"], GRAPH: ["SecurityEvents.Read.All"]}
    found = administered(lab, CONTOSO, permissions=asked).run()
    assert found["missing"] == {}, "they are granted when they are asked for"
    text = " ".join(problem["message"] for problem in found["problems"])
    assert found["summary"]["drift"]["retired"] == 2
    assert "ThreatHunting.Read.All" in text
    assert "SecurityAlert.Read.All" in text


def test_a_token_of_somebody_without_the_right_is_told_which(lab: LabClient) -> None:
    token = lab.admin_token(NORTHWIND, "graph", role="User")
    found = customer(lab, access_token=token).run()
    assert found["failed"]
    assert "Application Administrator" in found["problems"][0]["next_step"]
    lab.consent(customer(lab).run()["consent_url"])
    lab.edit("revoke_permission", tenant=NORTHWIND, resource=O365, permission="ActivityFeed.Read")
    found = customer(lab, access_token=token).run()
    assert "Privileged Role Administrator" in found["problems"][0]["next_step"]
    assert found["missing"] == {O365: ["ActivityFeed.Read"]}


# ---- drift ----------------------------------------------------------------------------------------------------------


def test_a_permission_that_was_taken_back_is_missing(lab: LabClient) -> None:
    lab.edit("revoke_permission", tenant=CONTOSO, resource=GRAPH, permission="SecurityAlert.Read.All")
    seen = customer(lab, CONTOSO, redirect_uri=REDIRECT).run()
    assert (seen["missing"], seen["summary"]["outcome"]) == ({GRAPH: ["SecurityAlert.Read.All"]}, "waiting")
    cured = administered(lab, CONTOSO).run()
    assert [one["target"] for one in cured["changes"]] == [f"permission {GRAPH} SecurityAlert.Read.All"]
    assert customer(lab, CONTOSO).run()["summary"]["outcome"] == "in_sync"


@pytest.mark.parametrize("able", [True, False], ids=["by an administrator", "by tokens"])
def test_what_was_granted_besides_is_shown_kept_and_removed_on_request_only(lab: LabClient, able: bool) -> None:
    administered(lab, CONTOSO, permissions={DEFENDER: ["Machine.Read.All"]}).run()
    extra = {DEFENDER: ["Machine.Read.All"]}
    one = administered(lab, CONTOSO) if able else customer(lab, CONTOSO)
    seen = one.run()
    assert (seen["changed"], seen["extra"], seen["summary"]["outcome"]) == (False, extra, "in_sync")
    exact = one.run(exact=True)
    assert exact["changed"] is able
    assert exact["extra"] == ({} if able else extra)
    assert customer(lab, CONTOSO).run()["extra"] == ({} if able else extra)
    assert customer(lab, CONTOSO).run()["granted"][GRAPH] == WANTED[GRAPH], "what is wanted stays"


# ---- the way out ----------------------------------------------------------------------------------------------------


def test_the_app_is_taken_out_and_a_second_time_is_fine(lab: LabClient) -> None:
    one = administered(lab, CONTOSO, state="absent")
    predicted = one.run(check=True)
    assert (predicted["changed"], one.writes()) == (True, [])
    gone = one.run()
    assert (gone["changed"], gone["service_principal_id"], gone["granted"]) == (True, "", {})
    again = one.run()
    assert (again["changed"], again["summary"]["outcome"]) == (False, "in_sync")
    left = customer(lab, CONTOSO, state="absent").run()
    assert (left["changed"], left["summary"]["outcome"]) == (False, "in_sync"), "without an administrator, too"
    assert customer(lab, CONTOSO).run()["missing"] == WANTED


def test_without_an_administrator_the_customer_gets_the_command(lab: LabClient) -> None:
    found = customer(lab, CONTOSO, state="absent").run()
    assert (found["changed"], found["failed"], found["summary"]["outcome"]) == (False, False, "waiting")
    assert "az ad sp delete" in found["msg"]


def test_the_app_stays_in_its_own_tenant(lab: LabClient) -> None:
    found = administered(lab, PROSEWARE, state="absent").run()
    assert (found["changed"], found["problems"][0]["code"]) == (False, "home")


def test_a_wrong_secret_is_not_taken_for_absence(lab: LabClient) -> None:
    for state in ("present", "absent"):
        found = customer(lab, CONTOSO, client_secret="not-the-secret", state=state).run()
        assert found["failed"]
        assert found["problems"][0]["code"] == "AADSTS7000215"


def test_an_app_that_was_switched_off_is_not_well(lab: LabClient) -> None:
    admin = administered(lab)
    admin.run()
    lab.edit("disable_principal", tenant=NORTHWIND)
    result = admin.run()
    assert (result["changed"], result["summary"]["outcome"]) == (False, "waiting")
    assert "accountEnabled=true" in result["problems"][0]["next_step"]
    itself = customer(lab, NORTHWIND).run()
    assert (itself["failed"], itself["summary"]["outcome"], itself["missing"]) == (False, "waiting", {})
    assert "accountEnabled=true" in itself["problems"][0]["next_step"]
    left = customer(lab, NORTHWIND, state="absent").run()
    assert (left["summary"]["outcome"], "az ad sp delete" in left["problems"][0]["next_step"]) == ("waiting", True)
