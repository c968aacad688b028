# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Duo engines in this process, against the lab."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core import engines, limits
from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._core.findings import CUSTOMER, PROVIDER
from ansible_collections.mssp.onboarding.plugins.module_utils._duo import capability, options
from lab.client import LabClient
from lab.duo.client import CONTOSO, CONTOSO_KEY, FOURTH_COFFEE, LITWARE, PROSEWARE_KEY, WINGTIP

NAME = options.NAME
NETWORKS = {"networks": ["127.0.0.0/8", "192.0.2.7"]}


class Duo:
    """The engines with the keys of one application."""

    def __init__(self, lab: LabClient, key: str = CONTOSO_KEY) -> None:
        self.lab = lab
        self.identity = {
            "api_host": lab.duo.host,
            "ca_file": lab.ca_file,
            "integration_key": key,
            "secret_key": lab.duo.secret(key),
        }

    def run(self, engine: Any, spec: dict[str, Any], check: bool = False, **given: Any) -> dict[str, Any]:
        found = ArgumentSpecValidator(spec, **options.RULES).validate({**self.identity, **given})
        assert not found.error_messages, found.error_messages
        secrets = found._no_log_values
        return execute(engine, "duo_logs", found.validated_parameters, check=check, diff=False, secrets=secrets)

    def converge(self, check: bool = False, **given: Any) -> dict[str, Any]:
        return self.run(capability.converge, options.CONVERGE_SPEC, check, **given)

    def verify(self, **given: Any) -> dict[str, Any]:
        return self.run(capability.verify, options.FLOW_SPEC, **given)

    def preflight(self, **given: Any) -> dict[str, Any]:
        return self.run(capability.preflight, options.ACCESS_SPEC, **given)

    def made(self) -> dict[str, Any]:
        """The application of contoso's that reads the logs; there is exactly one of ours."""
        (one,) = self.lab.duo.applications(CONTOSO).values()
        return dict(one)

    def kept(self) -> list[dict[str, str]]:
        made = self.made()
        return [{"account": "localhost", "integration_key": made["key"], "secret_key": made["secret"]}]


@pytest.fixture
def duo(lab: LabClient) -> Duo:
    return Duo(lab)


def outcome(found: dict[str, Any]) -> tuple[bool, str]:
    return found["changed"], found["summary"]["outcome"]


def codes(found: dict[str, Any]) -> list[str]:
    return [one["code"] for one in found["problems"]]


def test_one_account_through_its_life(duo: Duo) -> None:
    assert duo.preflight()["summary"]["outcome"] == "in_sync"
    assert outcome(duo.converge(check=True, application=NETWORKS)) == (True, "drifted")
    assert duo.lab.duo.applications(CONTOSO) == {}
    assert outcome(duo.converge(application=NETWORKS)) == (True, "corrected")
    one = duo.made()
    assert (one["name"], one["permissions"]) == (NAME, ["adminapi_read_log"])
    assert one["networks"] == "127.0.0.0/8,192.0.2.7/32"
    again = duo.converge(application=NETWORKS)
    assert outcome(again) == (False, "in_sync")
    assert again["summary"]["requests"] == {"GET /admin/v3/integrations": 1}
    assert again["applications"][0]["integration_key"] == one["key"]
    assert outcome(duo.converge(state="absent")) == (True, "corrected")
    assert outcome(duo.converge(state="absent")) == (False, "in_sync")
    assert duo.lab.duo.applications(CONTOSO) == {}


def test_secrets_are_told_where_asked_for_and_nowhere_else(duo: Duo) -> None:
    """Kept out of everything else by the redactor: the answer of the create holds the secret."""
    made = duo.converge()
    secret = duo.made()["secret"]
    assert secret not in str(made)
    (told,) = duo.converge(return_secrets=True)["applications"]
    assert (told["integration_key"], told["secret_key"]) == (duo.made()["key"], secret)
    (told,) = duo.converge(return_secrets=True, kept=duo.kept())["applications"]
    assert (told["integration_key"], told["secret_key"]) == (duo.made()["key"], "")


def test_a_secret_that_was_reset_or_never_came_is_handed_over_again(duo: Duo) -> None:
    duo.converge()
    assert outcome(duo.converge(hand_over=True)) == (True, "corrected")
    kept = duo.kept()
    assert outcome(duo.converge(hand_over=True, kept=kept)) == (False, "in_sync")
    duo.lab.edit("reset_duo_secret", key=duo.made()["key"])
    found = duo.converge(check=True, hand_over=True, kept=kept)
    assert found["summary"]["drift"] == {"secret_changed": 1}
    assert found["applications"][0]["handed_over"] is False


@pytest.mark.parametrize(
    ("change", "drift"),
    [
        ({"permissions": ["adminapi_read_log", "adminapi_admins"]}, {"wider_permissions": 1}),
        ({"permissions": []}, {"permissions": 1}),
        ({"networks": "192.0.2.7,127.0.0.0/8"}, {}),
        ({"networks": ""}, {"networks": 1}),
        ({"name": "renamed"}, {"name": 1}),
    ],
)
def test_drift_is_found_by_class_and_corrected(duo: Duo, change: dict[str, Any], drift: dict[str, int]) -> None:
    duo.converge(application=NETWORKS)
    kept, before = duo.kept(), duo.made()
    duo.lab.edit("change_duo_application", key=before["key"], **change)
    found = duo.converge(application=NETWORKS, kept=kept)
    assert found["summary"]["drift"] == drift
    assert {**duo.made(), "networks": ""} == {**before, "networks": ""}


def test_two_of_the_name_are_refused_with_both_keys(duo: Duo) -> None:
    for _one in range(2):
        duo.lab.edit("put_duo_application", account=CONTOSO, name=NAME, permissions=["adminapi_read_log"])
    found = duo.converge()
    assert (outcome(found), codes(found)) == ((False, "drifted"), ["duplicate"])
    keys = [one for one, held in duo.lab.duo.state()["applications"].items() if held["name"] == NAME]
    assert all(key in found["problems"][0]["message"] for key in keys)
    assert outcome(duo.converge(application={"integration_key": keys[0]})) == (False, "in_sync")


@pytest.mark.parametrize("state", ["present", "absent"])
def test_the_application_that_signs_in_is_never_touched(duo: Duo, state: str) -> None:
    before = duo.lab.duo.state()["applications"][CONTOSO_KEY]
    for application in ({"name": "Onboarding"}, {"integration_key": CONTOSO_KEY}):
        assert codes(duo.converge(application=application, state=state)) == ["own_application"]
    assert duo.lab.duo.state()["applications"][CONTOSO_KEY] == before


def test_others_stay_as_they_are(duo: Duo) -> None:
    duo.lab.edit(
        "put_duo_application", account=CONTOSO, name="HR", permissions=["adminapi_admins"], networks="192.0.2.1"
    )
    before = duo.lab.duo.applications(CONTOSO)["HR"]
    duo.converge()
    duo.converge(state="absent")
    assert duo.lab.duo.applications(CONTOSO) == {"HR": before}


@pytest.mark.parametrize("refuses", [True, False])
def test_a_permission_that_may_not_be_given_is_told(duo: Duo, refuses: bool) -> None:
    duo.lab.edit("change_duo_application", key=CONTOSO_KEY, permissions=["adminapi_integrations"])
    duo.lab.configure(duo_refuses_flags=refuses)
    found = duo.converge()
    assert (found["failed"], codes(found)) == (True, ["40301" if refuses else "NotGranted"])
    assert refuses or "Grant setting permissions" in found["problems"][0]["next_step"]


def test_a_lost_answer_is_recovered(duo: Duo) -> None:
    duo.lab.fault("drop_after", kind="duo.integrations.create")
    assert outcome(duo.converge()) == (True, "corrected")
    assert duo.made()["name"] == NAME


def test_a_cut_before_is_told_and_makes_nothing(duo: Duo) -> None:
    duo.lab.fault("drop", kind="duo.integrations.create")
    assert duo.converge()["summary"]["outcome"] == "failed"
    assert duo.lab.duo.applications(CONTOSO) == {}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"action": "status", "status": 403, "code": "40301"}, "40301"),
        ({"action": "malformed"}, "BadJson"),
        ({"action": "empty"}, "BadShape"),
        ({"action": "html", "status": 200}, "BadJson"),
        ({"action": "redirect"}, "HTTP302"),
        ({"action": "endless_offsets"}, "EndlessList"),
        ({"action": "throttle"}, "42901"),
        ({"action": "drop"}, "ServerDisconnectedError"),
    ],
)
def test_what_cannot_be_read_is_unknown_and_never_absent(
    duo: Duo, hasty: Any, fault: dict[str, Any], code: str
) -> None:
    duo.converge()
    duo.lab.fault(**fault, kind="duo.integrations.list", count=None)
    found = duo.converge(state="present")
    assert (found["failed"], outcome(found), codes(found)) == (True, (False, "unknown"), [code])
    assert duo.made()


@pytest.mark.parametrize("kind", ["update", "delete"])
@pytest.mark.parametrize("action", ["drop", "drop_after", "throttle"])
def test_a_write_that_is_cut_or_throttled_is_done_all_the_same(duo: Duo, hasty: Any, kind: str, action: str) -> None:
    """Both may be done twice: what is gone is gone, and what is set is set."""
    duo.converge()
    duo.lab.edit("change_duo_application", key=duo.made()["key"], permissions=[])
    duo.lab.fault(action, kind=f"duo.integrations.{kind}")
    assert outcome(duo.converge(state={"delete": "absent"}.get(kind, "present"))) == (True, "corrected")
    assert [one["permissions"] for one in duo.lab.duo.applications(CONTOSO).values()] == {
        "delete": [],
        "update": [["adminapi_read_log"]],
    }[kind]


def test_a_throttled_call_waits_as_long_as_the_limit_is_for(duo: Duo, hasty: list[float]) -> None:
    """Duo does not say how long; its limits are for a minute, and a call is tried five times."""
    duo.lab.fault("throttle", kind="duo.integrations.list", count=4)
    assert outcome(duo.converge()) == (True, "corrected")
    assert (len(hasty), sum(hasty) > 60) == (4, True)


def test_a_removal_that_is_only_said_is_not_believed(duo: Duo) -> None:
    duo.converge()
    duo.lab.fault("status", kind="duo.integrations.delete", status=404, code="40401")
    assert codes(duo.converge(state="absent")) == ["StillThere"]
    assert duo.made()


def test_a_secret_that_cannot_be_read_again_is_a_failure(duo: Duo) -> None:
    duo.converge()
    duo.lab.fault("status", kind="duo.integrations.skey", status=403, code="40301", count=None)
    found = duo.converge(hand_over=True, return_secrets=True)
    assert (found["summary"]["outcome"], codes(found)) == ("failed", ["40301"])
    assert set(states(duo.verify()).values()) == {"unreadable"}


def test_a_budget_holds_the_writes_back(msp: Duo) -> None:
    found = msp.converge(child_accounts=["all"], max_changes=1)
    assert (found["failed"], found["changed"], codes(found)[0]) == (True, False, "MaxChanges")
    assert msp.lab.duo.applications(LITWARE) == {}


def test_a_wrong_key_is_told_and_its_secret_not(duo: Duo) -> None:
    duo.identity["secret_key"] = "canary-5ecret"
    found = duo.preflight()
    assert [(one["check"], one["status"]) for one in found["findings"]] == [("sign_in", "missing")]
    assert "canary-5ecret" not in str([found, duo.converge()])


def test_without_keys_the_first_application_is_somebody_elses_step(duo: Duo) -> None:
    del duo.identity["integration_key"], duo.identity["secret_key"]
    (finding,) = duo.preflight()["findings"]
    assert (finding["check"], finding["status"]) == ("first_application", "missing")
    assert "Protect an Application" in finding["next_step"]
    # That of a parent is made in the provider's own account.
    (parents,) = duo.preflight(child_accounts=["all"])["findings"]
    assert (finding["who"], parents["who"]) == (CUSTOMER, PROVIDER)
    assert codes(duo.converge()) == codes(duo.verify()) == ["FirstApplication"]


def test_each_missing_permission_is_a_finding_of_its_own(duo: Duo) -> None:
    duo.lab.edit("change_duo_application", key=CONTOSO_KEY, permissions=["adminapi_integrations"])
    bad = [one["check"] for one in duo.preflight()["findings"] if one["status"] == "missing"]
    assert bad == ["adminapi_allow_to_set_permissions", "adminapi_info"]


# --- verify


def states(found: dict[str, Any]) -> dict[str, str]:
    return {one["source"].rpartition("/")[2]: one["state"] for one in found["flows"]}


def test_nobody_reads_before_the_application_is_there(duo: Duo) -> None:
    assert set(states(duo.verify()).values()) == {"absent"}


def test_logs_that_go_on(duo: Duo) -> None:
    duo.converge()
    duo.lab.edit("duo_sign_in", account=CONTOSO)
    duo.lab.edit("duo_record", account=CONTOSO, log="offline_enrollment")
    duo.lab.edit("duo_record", account=CONTOSO, log="administrator")
    found = duo.verify(kept=duo.kept())
    assert states(found) == {"administrator": "flowing", "authentication": "flowing", "offline_enrollment": "flowing"}
    assert sum(found["summary"]["requests"].values()) == 7
    assert found["summary"]["arrivals"]["records_last_day"] == 1


def test_quiet_is_told_from_broken(duo: Duo) -> None:
    duo.converge()
    assert states(duo.verify())["authentication"] == "quiet"
    duo.lab.reset_requests()
    duo.lab.edit("duo_sign_in", account=CONTOSO, logged=False)
    found = duo.verify(kept=duo.kept())
    assert states(found)["authentication"] == "stale"
    assert codes(found) == ["not_logged"]


def test_a_fall_of_the_authentications_is_told(duo: Duo) -> None:
    duo.converge()
    for ago in [600.0, *[7.5 * 86400.0] * 50]:
        duo.lab.edit("duo_sign_in", account=CONTOSO, ago=ago)
    found = duo.verify(kept=duo.kept())
    assert (states(found)["authentication"], found["summary"]["outcome"]) == ("fallen", "drifted")
    (told,) = (one for one in found["flows"] if one["source"].endswith("/authentication"))
    assert (told["records_last_day"], told["records_usual"]) == (1, 50)


def test_who_cannot_tell_says_so(duo: Duo) -> None:
    duo.converge()
    duo.lab.edit("change_duo_application", key=CONTOSO_KEY, permissions=["adminapi_integrations"])
    found = duo.verify()
    assert states(found)["authentication"] == "unreadable"
    assert found["summary"]["outcome"] == "unknown"
    duo.lab.reset_requests()
    duo.lab.edit("duo_sign_in", account=CONTOSO)
    assert states(duo.verify())["authentication"] == "flowing", "what has come needs no summary"


def test_keys_that_were_handed_over_and_no_longer_work_are_broken(duo: Duo) -> None:
    duo.converge()
    kept = duo.kept()
    duo.lab.edit("reset_duo_secret", key=duo.made()["key"])
    found = duo.verify(kept=kept)
    assert set(states(found).values()) == {"stale"}
    assert codes(found) == ["40103"]


# --- child accounts


@pytest.fixture
def msp(lab: LabClient) -> Duo:
    return Duo(lab, PROSEWARE_KEY)


def test_each_child_account_has_one_of_its_own(msp: Duo) -> None:
    found = msp.converge(child_accounts=["all"])
    assert found["summary"]["counts"]["corrected"] == 2
    assert (found["summary"]["outcome"], codes(found)) == ("waiting", ["not_reached"])
    assert "another deployment" in found["problems"][0]["next_step"]
    for child in (LITWARE, FOURTH_COFFEE):
        assert list(msp.lab.duo.applications(child)) == [NAME]
    assert msp.lab.duo.applications(WINGTIP) == {}
    again = msp.converge(child_accounts=["Litware", FOURTH_COFFEE])
    assert outcome(again) == (False, "in_sync")
    assert sum(again["summary"]["requests"].values()) == 3
    assert len(msp.verify(child_accounts=["Litware", FOURTH_COFFEE])["flows"]) == 6
    assert outcome(msp.converge(child_accounts=["Litware", FOURTH_COFFEE], state="absent")) == (True, "corrected")


def test_a_child_that_is_not_there_is_an_error_with_the_nearest(msp: Duo) -> None:
    found = msp.converge(child_accounts=["Litwear"])
    assert (found["failed"], codes(found)) == (True, ["NoSuchAccount"])
    assert "'Litware'" in found["msg"]


def test_preflight_names_the_children_that_are_not_reached(msp: Duo) -> None:
    found = msp.preflight(child_accounts=["all"])
    bad = [(one["subject"], one["who"]) for one in found["findings"] if one["status"] != "ok"]
    assert bad == [(f"Wingtip Toys ({WINGTIP})", CUSTOMER)]


def test_a_verification_that_runs_out_of_time_keeps_what_it_saw(msp: Duo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "time_limit", lambda _seconds, operation: limits.time_limit(0.3, operation))
    msp.lab.fault(action="hang", path="re:/integrations$", count=None, after=2)
    found = msp.verify(child_accounts=["all"], concurrency=1)
    assert len(found["flows"]) == 2 * 3 + 1, "the logs of two accounts, and the rest as not reached"
    assert codes(found)[-1] == "TimeLimit"


def test_an_account_of_which_a_log_cannot_be_read_is_not_covered(msp: Duo) -> None:
    given = {"child_accounts": ["Litware", FOURTH_COFFEE]}
    msp.converge(**given)
    msp.lab.fault("status", kind="duo.logs.plain", status=400, count=1)
    found = msp.verify(**given)["coverage"]["states"]
    assert (found["covered"], found["unreachable"]) == (1, 1)
