# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider's app against the lab's Graph: made, put right, its certificates rolled without a gap, its secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.client import LabClient
from lab.testing import CLIENT_ID, CONTOSO, PROSEWARE

from .graph_engines import (
    DEFENDER,
    GRAPH,
    O365,
    REDIRECT,
    WANTED,
    Directory,
    certificate,
    counts,
    customer,
    held,
    provider,
)

NAME = "proseware-log-onboarding"
NEW_APP = "uniqueName='mssp-onboarding'"


@pytest.fixture
def home(lab: LabClient) -> Directory:
    """The app that is there, wanted as it is."""
    return provider(lab, display_name=NAME, permissions=WANTED, redirect_uris=[REDIRECT])


@pytest.fixture
def new(lab: LabClient, tmp_path: Path) -> Directory:
    """An app that is not there yet."""
    return provider(
        lab,
        client_id=None,
        display_name="Proseware SOC",
        permissions=WANTED,
        redirect_uris=[REDIRECT],
        certificate_paths=[certificate(tmp_path / "first.pem")],
    )


def own(lab: LabClient, path: str, **given: Any) -> Directory:
    """The app by itself, with a certificate."""
    return Directory(lab, "application", PROSEWARE, client_certificate_path=path, display_name=NAME, **given)


def names(lab: LabClient, app: str = f"appId='{CLIENT_ID}'") -> set[str]:
    """customKeyIdentifier of each certificate of the app."""
    return {one["customKeyIdentifier"] for one in held(lab, app)["keyCredentials"]}


# ---- the app --------------------------------------------------------------------------------------------------------


def test_made_as_predicted_and_again_without_a_change(lab: LabClient, new: Directory) -> None:
    predicted = new.run(check=True, diff=True)
    assert (predicted["changed"], new.writes(), predicted["app_id"]) == (True, [], "")
    made = new.run(diff=True)
    assert made["changed"], made["msg"]
    assert (made["changes"], made["diff"]) == (predicted["changes"], predicted["diff"])
    assert counts(made) == {"corrected": 6}
    app = held(lab, NEW_APP)
    assert (app["appId"], app["id"]) == (made["app_id"], made["object_id"])
    assert (app["signInAudience"], app["displayName"]) == ("AzureADMultipleOrgs", "Proseware SOC")
    assert app["web"]["redirectUris"] == [REDIRECT]
    assert {one["resourceAppId"] for one in app["requiredResourceAccess"]} == {
        "00000003-0000-0000-c000-000000000000",
        "c5393580-f805-4401-95e8-94b7a6ef2fc2",
    }
    assert len(app["keyCredentials"]) == len(made["summary"]["credentials"]) == 1
    assert made["service_principal_id"]
    before = new.writes()
    again = new.run()
    assert (again["changed"], again["summary"]["outcome"], new.writes()) == (False, "in_sync", before)


def test_the_new_app_signs_in_with_its_certificate(lab: LabClient, new: Directory) -> None:
    made = new.run()
    path = new.given["certificate_paths"][0]
    signed = Directory(lab, "principal", PROSEWARE, client_id=made["app_id"], client_certificate_path=path)
    assert signed.run()["service_principal_id"] == made["service_principal_id"]


def test_an_app_of_the_same_display_name_is_not_taken_for_ours(lab: LabClient, new: Directory) -> None:
    before = held(lab)
    new.run(display_name=NAME)
    assert held(lab) == before
    assert held(lab, NEW_APP)["appId"] != CLIENT_ID


def test_what_others_changed_is_put_back_and_what_they_added_is_kept(lab: LabClient, home: Directory) -> None:
    other = "https://somebody.example/back"
    status, _ = lab.graph(
        PROSEWARE, "PATCH", f"applications(appId='{CLIENT_ID}')",
        {"displayName": "Taken over", "signInAudience": "AzureADMyOrg", "web": {"redirectUris": [other]},
         "requiredResourceAccess": []},
    )  # fmt: skip
    assert status == 204
    found = home.run()
    assert counts(found) == {"in_sync": 1, "corrected": 5}
    assert found["summary"]["drift"] == {"changed": 2, "unexpected": 1, "missing": 3}
    app = held(lab)
    assert (app["displayName"], app["signInAudience"]) == (NAME, "AzureADMultipleOrgs")
    assert app["web"]["redirectUris"] == sorted([other, REDIRECT])
    again = home.run()
    assert (again["changed"], again["summary"]["drift"]) == (False, {"unexpected": 1})
    assert home.run(exact=True)["changed"]
    assert held(lab)["web"]["redirectUris"] == [REDIRECT]


def test_the_apps_certificates_survive_a_change_of_its_permissions(lab: LabClient, home: Directory) -> None:
    before = names(lab)
    assert home.run(permissions={GRAPH: ["AuditLog.Read.All"]})["changed"]
    assert names(lab) == before != set()


def test_names_that_cannot_be_had_are_told_and_the_rest_is_done(lab: LabClient, home: Directory) -> None:
    asked = {GRAPH: [*WANTED[GRAPH], "SecurityAlerts.Read"], O365: WANTED[O365], DEFENDER: ["AdvancedQuery.Read.All"]}
    found = home.run(permissions=asked)
    assert found["changed"]
    assert not found["failed"]
    told = {one["code"]: one for one in found["problems"]}
    assert set(told) == {"not_offered", "retired"}
    assert "did you mean SecurityAlert" in told["not_offered"]["message"]
    assert "ThreatHunting.Read.All" in told["retired"]["message"]
    assert len(held(lab)["requiredResourceAccess"]) == 3


def test_a_service_principal_that_went_is_made_again(lab: LabClient, home: Directory) -> None:
    lab.edit("remove_principal", tenant=PROSEWARE)
    found = home.run()
    assert [one["target"] for one in found["changes"]] == ["service principal"]
    assert found["service_principal_id"]


def test_a_client_id_that_is_not_there_is_an_error_and_makes_nothing(lab: LabClient, home: Directory) -> None:
    found = home.run(client_id="b0000000-0000-4000-8000-00000000000b")
    assert found["failed"]
    assert found["problems"][0]["code"] == "Request_ResourceNotFound"
    assert home.writes() == []


def test_a_user_without_the_role_is_told_which(lab: LabClient, home: Directory) -> None:
    token = lab.admin_token(PROSEWARE, "graph", role="User")
    found = home.run(access_token=token, display_name="Other")
    assert found["failed"]
    assert "Application Administrator" in found["problems"][0]["next_step"]
    assert held(lab)["displayName"] == NAME


def test_tokens_that_cannot_serve_are_said_with_the_command(lab: LabClient, home: Directory) -> None:
    wrong = home.run(access_token=lab.admin_token(CONTOSO, "graph"))
    assert wrong["problems"][0]["code"] == "WrongTenant"
    arm = home.run(access_token=lab.admin_token(PROSEWARE, "arm"))
    assert "--scope" in arm["problems"][0]["next_step"]
    over = home.run(access_token=lab.admin_token(PROSEWARE, "graph", life=-10))
    assert over["problems"][0]["code"] == "TokenExpired"
    assert all("az account get-access-token" in one["problems"][0]["next_step"] for one in (wrong, arm, over))


# ---- certificates ---------------------------------------------------------------------------------------------------


def test_a_certificate_is_added_beside_those_that_are_there(lab: LabClient, home: Directory, tmp_path: Path) -> None:
    before = names(lab)
    path = certificate(tmp_path / "new.pem")
    signs = lab.certificate_path
    assert counts(home.run(certificate_paths=[path], client_certificate_path=signs)) == {"in_sync": 6, "corrected": 1}
    assert [method for method, _path in home.writes()] == ["PATCH"], "an administrator needs no proof"
    assert before < names(lab)
    assert len(names(lab)) == len(before) + 1
    again = home.run(certificate_paths=[path])
    assert not again["changed"]
    found = customer(lab, CONTOSO, client_secret=None, client_certificate_path=path).run()
    assert found["summary"]["outcome"] == "in_sync"


@pytest.mark.parametrize("by_itself", [False, True], ids=["by an administrator", "by the app itself"])
def test_a_roll_has_no_gap_in_which_a_run_would_fail(
    lab: LabClient, home: Directory, tmp_path: Path, by_itself: bool
) -> None:
    first, second = certificate(tmp_path / "first.pem"), certificate(tmp_path / "second.pem")
    others = names(lab)

    def roll(*paths: str, signs: str, **given: Any) -> dict[str, Any]:
        if by_itself:
            return own(lab, signs, certificate_paths=[*paths], **given).run()
        return home.run(certificate_paths=[*paths], **given)

    def works(path: str) -> bool:
        found = customer(lab, CONTOSO, client_secret=None, client_certificate_path=path).run()
        return bool(found["summary"]["outcome"] == "in_sync")

    assert roll(first, signs=lab.certificate_path)["changed"]
    assert works(first)
    added = roll(first, second, signs=first)
    assert [one["action"] for one in added["changes"]] == ["create"], added["msg"]
    assert works(first), "those who have not moved yet"
    assert works(second), "those who have"
    waits = roll(second, signs=second)
    assert not waits["changed"], "the grace time is not over"
    assert works(first)
    over = roll(second, signs=second, certificate_grace_days=0)
    assert [(one["action"], one["drift"]) for one in over["changes"]] == [("delete", ["superseded"])]
    assert works(second)
    assert not works(first)
    assert others < names(lab), "what others added is never removed"
    assert len(names(lab)) == len(others) + 1
    assert not roll(second, signs=second, certificate_grace_days=0)["changed"]


def test_by_itself_the_app_adds_with_a_proof_and_never_writes_the_list(lab: LabClient, tmp_path: Path) -> None:
    path = certificate(tmp_path / "new.pem")
    one = own(lab, lab.certificate_path, certificate_paths=[path])
    assert one.run()["changed"]
    (write,) = one.writes()
    assert write[0] == "POST"
    assert write[1].endswith("/addKey")


def test_with_a_secret_the_app_writes_the_list_by_its_own_right(lab: LabClient, tmp_path: Path) -> None:
    before = names(lab)
    given = {"display_name": NAME, "certificate_paths": [certificate(tmp_path / "new.pem")]}
    one = Directory(lab, "application", PROSEWARE, client_secret=lab.secret, **given)
    assert one.run()["changed"]
    assert [method for method, _path in one.writes()] == ["PATCH"]
    assert before < names(lab)
    lab.edit("revoke_permission", tenant=PROSEWARE, resource=GRAPH, permission="Application.ReadWrite.OwnedBy")
    refused = one.run(certificate_paths=[certificate(tmp_path / "other.pem")])
    assert refused["failed"]
    assert "Application.Read.All" in refused["problems"][0]["next_step"]


def test_the_certificate_that_signs_in_is_never_removed(lab: LabClient, home: Directory, tmp_path: Path) -> None:
    first, second = certificate(tmp_path / "first.pem"), certificate(tmp_path / "second.pem")
    home.run(certificate_paths=[first])
    own(lab, first, certificate_paths=[second]).run()
    found = own(lab, first, certificate_paths=[second], certificate_grace_days=0).run()
    assert not found["changed"]


def test_an_expired_certificate_cannot_prove_and_the_way_out_is_told(lab: LabClient, tmp_path: Path) -> None:
    path = certificate(tmp_path / "new.pem")
    lab.edit("expire_certificate")
    found = own(lab, lab.certificate_path, certificate_paths=[path]).run()
    assert found["failed"]
    assert found["problems"][0]["code"].startswith("AADSTS")


@pytest.mark.parametrize(
    ("made", "words"),
    [({"bits": 1024}, "has 1024 bits"), ({"days": 0, "started": 5}, "expired"), (None, "holds no certificate")],
)
def test_a_wrong_certificate_is_said_before_anything_is_sent(
    lab: LabClient, home: Directory, tmp_path: Path, made: dict[str, int] | None, words: str
) -> None:
    path = tmp_path / "wrong.pem"
    if made is None:
        path.write_text("nothing\n")
    else:
        certificate(path, **made)
    token = lab.admin_token(PROSEWARE, "graph")
    lab.reset_requests()
    found = home.run(access_token=token, certificate_paths=[str(path)])
    assert found["failed"]
    assert words in found["msg"]
    assert lab.requests(last=10)["last"] == []


def test_a_key_that_signs_is_kept_and_the_way_round_it_is_told(lab: LabClient, home: Directory, tmp_path: Path) -> None:
    lab.edit("sign_with_key", app=CLIENT_ID)
    before = names(lab)
    found = home.run(certificate_paths=[certificate(tmp_path / "new.pem")])
    assert (found["changed"], found["problems"][0]["code"]) == (False, "KeyNotTold")
    assert "without access_token" in found["problems"][0]["next_step"]
    assert (names(lab), home.writes()) == (before, [])


def test_that_nothing_lasts_is_told(lab: LabClient, home: Directory, tmp_path: Path) -> None:
    lab.edit("remove_secret")
    found = home.run(expiry_days=45)
    assert found["summary"]["drift"] == {"expiring": 1}
    assert (found["summary"]["outcome"], found["failed"]) == ("drifted", False)
    assert "certificate_paths" in found["problems"][0]["next_step"]
    assert home.run(expiry_days=45, certificate_paths=[certificate(tmp_path / "new.pem")])["changed"]
    assert home.run(expiry_days=45)["summary"]["outcome"] == "in_sync"


# ---- secrets --------------------------------------------------------------------------------------------------------


def test_a_secret_is_made_once_and_told_once(lab: LabClient, home: Directory) -> None:
    assert "client_secret" not in home.run()
    made = home.run(secret_name="siem", secret_days=90)
    assert customer(lab, CONTOSO, client_secret=made["client_secret"]).run()["summary"]["outcome"] == "in_sync"
    again = home.run(secret_name="siem")
    assert not again["changed"]
    assert "client_secret" not in again
    assert "secret siem" in {one["name"] for one in again["summary"]["credentials"]}
    assert home.run(secret_name="siem", check=True)["changed"] is False
    assert home.run(secret_name="another", check=True)["changed"] is True
    assert {one["displayName"] for one in held(lab)["passwordCredentials"]} == {"lab", "old", "siem"}


@pytest.mark.parametrize("action", ["drop_after", "malformed", "empty", "html"])
def test_a_secret_whose_answer_was_lost_is_taken_away_again(lab: LabClient, home: Directory, action: str) -> None:
    lab.fault(action, kind="graph.addpassword")
    lost = home.run(secret_name="siem")
    assert lost["failed"]
    assert [one["displayName"] for one in held(lab)["passwordCredentials"]] == ["lab", "old"]
    assert home.run(secret_name="siem")["client_secret"]
