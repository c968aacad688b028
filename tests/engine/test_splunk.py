# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The splunk engines in this process, against the lab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._splunk import capability, options
from lab.client import LabClient

from .engines import counts

URL = "https://prod-1.westeurope.logic.azure.com:443/workflows/abc/triggers/manual/paths/invoke?sp=%2Frun&sig=canary5ecret"
OTHER = "https://hooks.soc.example/in/p4th?key=th3irs"
BRUTE, MALWARE, ADMIN = "Brute force", "Malware found", "Admin added"
ENGINES = {
    "converge": (capability.converge, options.CONVERGE_SPEC),
    "preflight": (capability.preflight, options.ACCESS_SPEC),
    "verify": (capability.verify, options.FLOW_SPEC),
}


class Splunk:
    """The lab's Splunk with two alerts that are wanted; options given to a run replace these."""

    def __init__(self, lab: LabClient) -> None:
        self.lab = lab
        self.given: dict[str, Any] = {
            "api_url": lab.url,
            "ca_file": lab.ca_file,
            "token": lab.splunk.token,
            "webhook_url": URL,
            "alerts": {BRUTE: {}, MALWARE: {}},
        }

    def run(self, engine: str = "converge", *, check: bool = False, diff: bool = True, **given: Any) -> dict[str, Any]:
        function, spec = ENGINES[engine]
        found = ArgumentSpecValidator(spec).validate(
            {key: value for key, value in {**self.given, **given}.items() if key in spec}
        )
        assert not found.error_messages, found.error_messages
        secrets = found._no_log_values
        return execute(function, "splunk_alerts", found.validated_parameters, check=check, diff=diff, secrets=secrets)

    def findings(self, **given: Any) -> dict[str, dict[str, Any]]:
        """By check and subject, what is not well."""
        told = self.run("preflight", **given)["findings"]
        return {f"{one['check']} {one['subject']}": one for one in told if one["status"] != "ok"}

    def flows(self, **given: Any) -> dict[str, dict[str, Any]]:
        return {one["source"]: one for one in self.run("verify", **given)["flows"]}

    def posts(self) -> list[str]:
        return [one["kind"] for one in self.lab.requests(last=2000)["last"] if one["method"] == "POST"]


@pytest.fixture
def splunk(lab: LabClient) -> Splunk:
    return Splunk(lab)


def codes(result: dict[str, Any]) -> list[str]:
    return [one["code"] for one in result["problems"]]


def test_check_predicts_the_run_and_the_second_run_changes_nothing(splunk: Splunk) -> None:
    predicted = splunk.run(check=True)
    assert splunk.posts() == []
    real = splunk.run()
    assert (predicted["changes"], predicted["diff"]) == (real["changes"], real["diff"])
    assert counts(real) == {"corrected": 2, "in_sync": 2}
    assert splunk.lab.splunk.search(BRUTE)["actions"] == "email,webhook"
    assert splunk.lab.splunk.search(MALWARE)["action.webhook.param.url"] == URL
    assert splunk.posts() == ["splunk.searches.update"] * 2
    assert not splunk.run()["changed"]


def test_the_key_is_never_told(splunk: Splunk) -> None:
    splunk.lab.edit("splunk_change", name=BRUTE, content={"actions": "webhook", "action.webhook.param.url": OTHER})
    told = str([splunk.run(check=True), splunk.run(), splunk.run("preflight"), splunk.run("verify")])
    assert [one for one in ("canary5ecret", "th3irs", "p4th", splunk.given["token"]) if one in told] == []
    assert "https://hooks.soc.example (" in told


def test_the_webhook_of_another_receiver_is_left_until_it_may_go(splunk: Splunk) -> None:
    splunk.lab.edit("splunk_change", name=BRUTE, content={"actions": "webhook", "action.webhook.param.url": OTHER})
    assert codes(splunk.run(fail_on="blocked")) == ["foreign"]
    assert splunk.lab.splunk.search(BRUTE)["action.webhook.param.url"] == OTHER
    assert splunk.run(alerts={BRUTE: {"replace": True}})["changed"]
    assert splunk.lab.splunk.search(BRUTE)["action.webhook.param.url"] == URL


def test_what_never_runs_gets_the_webhook_and_is_told(splunk: Splunk) -> None:
    splunk.lab.edit("splunk_change", name=BRUTE, content={"disabled": "1"})
    splunk.lab.edit("splunk_change", name=MALWARE, orphan=True)
    found = splunk.run()
    assert (counts(found), sorted(codes(found))) == ({"corrected": 2, "in_sync": 2}, ["missing", "missing"])
    assert splunk.lab.splunk.search(BRUTE)["disabled"] == "1"
    assert sorted(codes(splunk.run())) == ["disabled", "orphaned"]
    assert {flow["state"] for flow in splunk.flows().values()} == {"stale"}


def test_an_allow_list_gets_one_entry_that_lets_nothing_else_through(splunk: Splunk) -> None:
    splunk.lab.edit("splunk_allow", entries={"theirs": r"^https://hooks\.soc\.example/"})
    assert counts(splunk.run(correct="safe")) == {"corrected": 3, "in_sync": 1}
    assert splunk.posts()[:2] == ["splunk.settings.put", "splunk.reload"]
    held = splunk.lab.splunk.settings()
    assert held["allowlist.theirs"] == r"^https://hooks\.soc\.example/"
    assert held["allowlist.mssp_onboarding"].startswith(
        "^https://prod\\-1\\.westeurope\\.logic\\.azure\\.com(:443)?/workflows/abc/"
    )
    assert not splunk.run()["changed"]
    assert splunk.run(state="absent")["changed"]
    assert "allowlist.mssp_onboarding" not in splunk.lab.splunk.settings()


def test_splunk_clouds_allow_list_is_a_step_that_proves_itself(splunk: Splunk) -> None:
    splunk.lab.edit("splunk_allow", entries={"theirs": "^https://x/"})
    found = splunk.run(platform="cloud")
    assert counts(found) == {"corrected": 2, "in_sync": 1, "waiting": 1}
    (step,) = [one["next_step"] for one in found["problems"]]
    expression = step.rpartition(": ")[2]
    assert splunk.findings(platform="cloud").keys() == {"allow_list allow list"}
    splunk.lab.edit("splunk_allow", entries={"by_hand": expression})
    assert counts(splunk.run(platform="cloud")) == {"in_sync": 4}


def test_before_the_relay_is_there_nothing_is_written_nor_taken_for_ours(splunk: Splunk) -> None:
    splunk.given["webhook_url"] = None
    splunk.lab.edit("splunk_allow", entries={"theirs": "^https://x/"})
    found = splunk.run()
    assert (counts(found), found["changed"]) == ({"drifted": 3, "in_sync": 1}, False)
    assert found["summary"]["drift"] == {"no_url": 3}
    assert splunk.findings() == {}
    splunk.lab.edit("splunk_capabilities", names=["search"])
    assert splunk.findings().keys() == {"allow_list allow list"}
    splunk.lab.edit("splunk_change", name=BRUTE, content={"actions": "webhook", "action.webhook.param.url": OTHER})
    left = splunk.run(state="absent")
    assert (left["changed"], counts(left)) == (False, {"in_sync": 4})
    assert splunk.lab.splunk.search(BRUTE)["actions"] == "webhook"


def test_a_stanza_that_breaks_every_webhook_is_told_and_never_made(splunk: Splunk) -> None:
    splunk.lab.edit("splunk_settings", poisoned=True)
    found = splunk.run(fail_on="blocked")
    assert (found["failed"], codes(found)) == (True, ["poisoned"])
    assert "etc/apps/search/local" in splunk.findings()["webhook_action webhook action"]["next_step"]
    assert "splunk.action.post" not in splunk.posts()


def test_ours_alone_is_taken_off(splunk: Splunk) -> None:
    splunk.run()
    splunk.lab.edit("splunk_change", name=MALWARE, content={"action.webhook.param.url": OTHER})
    assert counts(splunk.run(state="absent")) == {"corrected": 1, "in_sync": 3}
    held = splunk.lab.splunk.search(BRUTE)
    assert (held["actions"], held["action.webhook.param.url"]) == ("email", "")
    assert splunk.lab.splunk.search(MALWARE)["actions"] == "webhook"
    assert not splunk.run(state="absent")["changed"]


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("kind", ["splunk.searches.list", "splunk.settings.get"])
def test_what_cannot_be_read_is_never_missing(splunk: Splunk, kind: str, status: int) -> None:
    splunk.lab.fault("status", kind=kind, status=status, message="requires capability: list_settings", count=None)
    found = splunk.run()
    assert (found["failed"], codes(found)[0]) == (True, f"HTTP{status}")
    assert "list_settings" in found["problems"][0]["message"]


def test_a_write_that_is_refused_is_a_record(splunk: Splunk) -> None:
    splunk.lab.edit("splunk_change", name=BRUTE, can_write=False)
    assert splunk.findings().keys() == {f"search {BRUTE}"}
    found = splunk.run()
    assert (counts(found), codes(found)) == ({"corrected": 1, "failed": 1, "in_sync": 2}, ["HTTP403"])


def test_preflight_tells_the_token_the_port_and_the_capability(splunk: Splunk) -> None:
    assert splunk.run("preflight")["summary"]["outcome"] == "in_sync"
    assert splunk.findings(token="canary-5ecret").keys() == {f"token {splunk.lab.url}"}
    splunk.lab.edit("splunk_allow", entries={"theirs": "^https://x/"})
    splunk.lab.edit("splunk_capabilities", names=["search"])
    assert "edit_webhook_allow_list" in splunk.findings()["allow_list allow list"]["next_step"]
    closed = splunk.findings(api_url="https://127.0.0.1:9", platform="cloud")
    assert "IP allow list" in closed["management_port https://127.0.0.1:9"]["next_step"]


def test_verify_tells_what_fired_and_what_was_lost(splunk: Splunk) -> None:
    assert {flow["state"] for flow in splunk.flows().values()} == {"absent"}
    splunk.run()
    assert {flow["state"] for flow in splunk.flows().values()} == {"quiet"}
    splunk.lab.edit("splunk_fired", name=BRUTE, ago=60)
    found = splunk.flows()
    assert (found[BRUTE]["state"], found[BRUTE]["records"], found[MALWARE]["state"]) == ("flowing", 1, "quiet")
    splunk.lab.edit("splunk_fired", name=BRUTE, failed="Webhook receiver responded with HTTP status=401")
    lost = splunk.flows()["webhooks of this Splunk"]
    assert (lost["state"], "status=401" in lost["message"]) == ("stale", True)


def test_a_log_that_is_not_shown_is_no_silence(splunk: Splunk) -> None:
    splunk.run()
    splunk.lab.edit("splunk_shows_log", value=False)
    found = splunk.run("verify")
    assert {one["state"] for one in found["flows"]} == {"unreadable"}
    assert (found["summary"]["outcome"], codes(found)) == ("unknown", ["NoLog"])
    assert "_internal" in found["problems"][0]["next_step"]
    assert splunk.findings().keys() == {"log _internal"}


def test_what_the_tenant_file_no_longer_names_is_unknown_until_confirmed(splunk: Splunk, tmp_path: Path) -> None:
    given = {"evidence_path": str(tmp_path / "contoso.splunk_flow_info.jsonl")}
    splunk.run("verify", **given)
    gone = splunk.run("verify", alerts={BRUTE: {}}, **given)
    assert gone["coverage"]["missing"] == [MALWARE]
    assert splunk.run("verify", alerts={BRUTE: {}}, accept_missing=[MALWARE], **given)["coverage"]["missing"] == []
