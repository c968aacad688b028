# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines of Microsoft 365's activity in this process, against the lab."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.m365_activity import capability, options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.m365_activity.plan import CONTENT_TYPES
from lab.client import LabClient
from lab.testing import CLIENT_ID, CONTOSO, NORTHWIND, PROSEWARE
from tests.lab.conftest import token

from .m365_engines import AUDIT, Feed

ENTRA, EXCHANGE, SHAREPOINT, GENERAL, DLP = CONTENT_TYPES
RESOURCE = "office365_management"
CUSTOMER, PROVIDER = "customer's administrator", "MSSP's administrator"
HOUR = 3600.0
SCOPE = "https://manage.office.com/.default"


@pytest.fixture
def feed(lab: LabClient, tmp_path: Path) -> Feed:
    return Feed(lab, tmp_path)


def outcome(found: dict[str, Any]) -> tuple[bool, str]:
    assert "exception" not in found, found["exception"]
    return found["changed"], found["summary"]["outcome"]


def codes(found: dict[str, Any]) -> list[str]:
    return [one["code"] for one in found["problems"]]


def states(found: dict[str, Any]) -> dict[str, str]:
    assert "exception" not in found, found["exception"]
    return {one["source"]: one["state"] for one in found["flows"]}


# --- onboard, drift, offboard


def test_a_tenant_through_its_life(feed: Feed) -> None:
    assert outcome(feed.converge(check=True)) == (True, "drifted")
    assert feed.starts() == 0
    made = feed.converge()
    assert outcome(made) == (True, "corrected")
    left = [part for part in made["coverage"]["parts"] if part["name"] == DLP]
    assert left == [{"name": DLP, "state": "not_asked", "next_step": f"add {DLP} to content_types"}]
    assert made["coverage"]["states"] == {"not_asked": 1, "covered": 4}
    assert made["feed"] == {
        "tenant_id": CONTOSO,
        "client_id": CLIENT_ID,
        "publisher_id": PROSEWARE,
        "url": feed.lab.url,
        "content_types": sorted(AUDIT),
    }
    feed.lab.reset_requests()
    again = feed.converge()
    assert (outcome(again), feed.starts()) == ((False, "in_sync"), 0)
    assert again["summary"]["requests"] == {"GET list": 1}
    assert outcome(feed.converge(state="absent")) == (True, "corrected")
    assert outcome(feed.converge(state="absent")) == (False, "in_sync")
    assert {one["status"] for one in feed.held().values()} == {"disabled"}


def test_every_request_is_in_the_providers_name(feed: Feed) -> None:
    feed.lab.configure(m365_first_delay=0, m365_page_size=1)
    feed.converge(content_types=[EXCHANGE])
    for _number in range(3):
        feed.lab.m365.record(CONTOSO, EXCHANGE)
    feed.verify(content_types=[EXCHANGE])
    kinds = {one["kind"] for one in feed.asked() if one["kind"].startswith("m365.")}
    assert kinds == {"m365.list", "m365.start", "m365.content", "m365.blob"}
    assert feed.lab.m365.publishers() == [PROSEWARE]


def test_who_else_started_it_meanwhile_is_no_change(feed: Feed) -> None:
    feed.lab.fault("status", kind="m365.start", status=400, code="AF20024", message="already enabled", count=None)
    assert outcome(feed.converge()) == (False, "in_sync")


def test_a_subscription_with_somebodys_webhook_is_left_alone(feed: Feed) -> None:
    for type, status in ((EXCHANGE, "enabled"), (SHAREPOINT, "disabled")):
        feed.other(type, webhook="https://soar.example/o365", status=status)
    before = feed.held()
    found = feed.converge()
    assert found["summary"]["drift"] == {"missing": 2, "webhook": 2}
    assert outcome(found) == (True, "drifted")
    gone = feed.converge(state="absent")
    assert outcome(gone) == (True, "drifted")
    assert {type: feed.held()[type] for type in before} == before


def test_what_is_not_wanted_is_told_and_left(feed: Feed) -> None:
    feed.other(DLP)
    found = feed.converge()
    assert (outcome(found), codes(found)) == ((True, "drifted"), ["unexpected"])
    feed.converge(state="absent")
    assert feed.held()[DLP]["status"] == "enabled"


def test_what_was_started_here_is_stopped_though_it_is_no_longer_wanted(feed: Feed) -> None:
    feed.converge(content_types=[ENTRA, EXCHANGE])
    feed.converge(content_types=[ENTRA], state="absent")
    assert {one["status"] for one in feed.held().values()} == {"disabled"}


def test_a_content_type_out_of_the_file_is_unknown_by_name_until_confirmed(feed: Feed) -> None:
    feed.converge(content_types=[ENTRA, DLP])
    for verb in (feed.converge, feed.verify, feed.preflight):
        found = verb(content_types=[ENTRA])
        assert found["coverage"]["missing"] == [DLP]
        assert f"m365_activity_accept_missing: [{DLP}]" in found["msg"]
        (lost,) = [one for one in found["coverage"]["parts"] if one["name"] == DLP]
        assert (lost["state"], "not seen now" in lost["why"]) == ("unreachable", True)
    assert feed.converge(content_types=[ENTRA], accept_missing=[DLP])["coverage"]["missing"] == []
    assert feed.converge(content_types=[ENTRA])["coverage"]["missing"] == []


def test_a_start_that_comes_to_nothing_is_told_and_not_tried_again(feed: Feed) -> None:
    feed.lab.edit("m365_subscribe", tenant=CONTOSO, app=CLIENT_ID, type=EXCHANGE, dead=True, status="disabled")
    feed.lab.edit("m365_change", tenant=CONTOSO, app=CLIENT_ID, type=EXCHANGE, stopped=feed.now() - 60)
    found = feed.converge(content_types=[EXCHANGE])
    assert (found["failed"], codes(found)) == (True, ["NotListed"])
    assert "do not stop and start it" in found["problems"][0]["next_step"]
    assert codes(feed.converge(content_types=[EXCHANGE])) == ["too_soon"]
    feed.older(HOUR)
    assert codes(feed.converge(content_types=[EXCHANGE])) == ["not_listed"]
    assert feed.starts() == 1
    (flow,) = feed.verify(content_types=[EXCHANGE])["flows"]
    assert (flow["state"], "not listed" in flow["message"]) == ("absent", True)


def test_a_tenant_that_comes_back_is_not_started_for_fifteen_minutes(feed: Feed) -> None:
    feed.converge()
    feed.converge(state="absent")
    found = feed.converge()
    assert (outcome(found), codes(found)) == ((False, "drifted"), ["too_soon"])
    assert "15 minutes" in found["problems"][0]["next_step"]
    feed.older(1000)
    assert outcome(feed.converge()) == (True, "corrected")


def test_a_start_that_is_too_soon_is_not_waited_for(feed: Feed) -> None:
    """As where another machine has just started it, of which nothing is known here."""
    feed.lab.fault("status", kind="m365.start", status=429, code="AF429", headers={"Retry-After": "200"}, count=None)
    found = feed.converge(content_types=[EXCHANGE])
    assert (found["failed"], codes(found), feed.starts()) == (True, ["AF429"], 1)
    assert "15 minutes" in found["problems"][0]["next_step"]


@pytest.mark.parametrize(("fault", "ended"), [("drop_after", (True, "corrected")), ("drop", (False, "failed"))])
def test_whether_a_lost_start_was_done_is_seen_in_the_list(feed: Feed, fault: str, ended: tuple[bool, str]) -> None:
    feed.lab.fault(fault, kind="m365.start")
    assert outcome(feed.converge(content_types=[EXCHANGE])) == ended
    assert feed.starts() == 1


def test_without_an_audit_log_there_is_one_step_for_the_customer(feed: Feed) -> None:
    """Of every content type alike, with no trace and no id of the service's in it."""
    feed.lab.edit("m365_audit", tenant=CONTOSO, on=False)
    found = feed.converge()
    assert (outcome(found), found["failed"]) == ((False, "waiting"), False)
    (problem,) = found["problems"]
    assert (problem["code"], problem["count"]) == ("AuditOff", 4)
    assert found["coverage"]["states"] == {"waiting": 4, "not_asked": 1}
    assert "Set-AdminAuditLogConfig" in problem["next_step"]
    assert not any(word in str(found) for word in ("AzureManager", "CorrId"))


def test_other_content_types_go_on(feed: Feed) -> None:
    feed.lab.fault("status", kind="m365.start", status=400, code="x DataServiceException: Tenant y does not exist",
                   path="re:.", after=1, count=1)  # fmt: skip
    found = feed.converge()
    assert (found["summary"]["counts"]["waiting"], found["summary"]["counts"]["corrected"]) == (1, 3)
    assert outcome(feed.converge()) == (True, "corrected")


def test_a_permission_less_waits_for_the_customer(feed: Feed) -> None:
    found = feed.converge(content_types=[EXCHANGE, DLP])
    assert (outcome(found), codes(found)) == ((True, "waiting"), ["AF10001"])
    assert f"/{CONTOSO}/adminconsent" in found["problems"][0]["next_step"]
    feed.lab.edit("grant_permission", tenant=CONTOSO, resource=RESOURCE, permission="ActivityFeed.ReadDlp")
    assert outcome(feed.converge(content_types=[EXCHANGE, DLP])) == (True, "corrected")
    feed.lab.edit("revoke_permission", tenant=CONTOSO, resource=RESOURCE, permission="ActivityFeed.Read")
    found = feed.converge(content_types=[EXCHANGE, DLP])
    assert (outcome(found), codes(found), found["problems"][0]["count"]) == ((False, "waiting"), ["AF10001"], 2)


@pytest.mark.parametrize("action", ["empty", "redirect"])
def test_what_cannot_be_listed_is_never_absent(feed: Feed, action: str) -> None:
    """What else may happen to it is in the fault table."""
    feed.lab.fault(action, kind="m365.list", count=None)
    found = feed.converge()
    assert (found["failed"], feed.starts()) == (True, 0)
    assert found["problems"][0]["next_step"]
    assert set(states(feed.verify()).values()) == {"unreadable"}


def test_a_stop_that_is_only_said_is_not_believed(feed: Feed) -> None:
    feed.converge(content_types=[EXCHANGE])
    feed.lab.fault("status", kind="m365.stop", status=400, code="AF20022")
    assert codes(feed.converge(content_types=[EXCHANGE], state="absent")) == ["StillThere"]


def test_a_type_that_is_listed_without_its_status_is_on(feed: Feed) -> None:
    feed.converge()
    feed.lab.configure(m365_no_status=[EXCHANGE])
    feed.lab.reset_requests()
    assert (outcome(feed.converge()), feed.starts()) == ((False, "in_sync"), 0)


# --- one thing less is one finding


LESS: dict[str, tuple[dict[str, Any], tuple[str, str, str]]] = {
    "consent": ({"edit": "remove_principal"}, ("consent", CUSTOMER, "adminconsent")),
    "licence": ({"edit": "remove_resource_app", "resource": RESOURCE}, ("licence", CUSTOMER, "licence with auditing")),
    "role": (
        {"edit": "revoke_permission", "resource": RESOURCE, "permission": "ActivityFeed.Read"},
        ("permission", CUSTOMER, "adminconsent"),
    ),
    "audit": ({"edit": "m365_audit", "on": False}, ("audit_log", CUSTOMER, "Set-AdminAuditLogConfig")),
}


def bad(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    assert "exception" not in found, found
    return [(one["check"], one["who"], one["next_step"]) for one in found["findings"] if one["status"] != "ok"]


@pytest.mark.parametrize("less", LESS)
def test_one_thing_less_is_one_finding(feed: Feed, less: str) -> None:
    assert bad(feed.preflight()) == []
    edit, (check, who, words) = LESS[less]
    feed.lab.edit(tenant=CONTOSO, **edit)
    ((found, owner, step),) = bad(feed.preflight())
    assert (found, owner, words in step) == (check, who, True)


def test_a_secret_that_has_expired_is_the_providers_turn(feed: Feed) -> None:
    feed.lab.edit("expire_secret")
    assert [one[:2] for one in bad(feed.preflight())] == [("sign_in", PROVIDER)]


def test_the_permission_of_dlp_is_asked_for_where_dlp_is_wanted(feed: Feed) -> None:
    found = feed.preflight(content_types=[*AUDIT, DLP])
    assert [(one["subject"], one["status"]) for one in found["findings"] if one["check"] == "permission"] == [
        ("ActivityFeed.Read", "ok"),
        ("ActivityFeed.ReadDlp", "missing"),
    ]


def test_a_publisher_that_is_the_customer_is_told(feed: Feed) -> None:
    found = feed.preflight(publisher_id=CONTOSO)
    assert found["summary"]["outcome"] == "in_sync"
    assert "publisher_id is the customer's tenant" in found["msg"]


# --- verify


def test_pending_goes_to_flowing_and_to_stale_on_the_labs_clock(feed: Feed) -> None:
    feed.converge()
    feed.lab.m365.record(CONTOSO, *AUDIT)
    feed.older(11 * HOUR)
    found = feed.verify()
    assert (set(states(found).values()), found["summary"]["outcome"]) == ({"pending"}, "pending")
    feed.older(1.5 * HOUR)
    found = feed.verify()
    assert set(states(found).values()) == {"flowing"}
    flow = found["flows"][0]
    assert flow["newest"] == flow["newest_record"] < flow["newest_content"]
    feed.older(4 * HOUR)
    assert set(states(feed.verify()).values()) == {"quiet"}
    feed.older(24 * HOUR)
    stale = {ENTRA: "stale", EXCHANGE: "stale", SHAREPOINT: "stale", GENERAL: "quiet"}
    assert states(feed.verify()) == stale


def test_a_flow_that_goes_on_costs_two_requests(feed: Feed) -> None:
    feed.lab.configure(m365_first_delay=0)
    feed.converge()
    feed.lab.m365.record(CONTOSO, *AUDIT)
    assert feed.verify()["summary"]["requests"] == {"GET list": 1, "GET content": 4, "GET content blob": 4}


def test_what_was_seen_before_the_time_was_over_is_told(feed: Feed) -> None:
    """Exchange hangs, and Entra's has been read."""
    feed.lab.configure(m365_first_delay=0)
    feed.converge(content_types=[ENTRA, EXCHANGE])
    feed.lab.m365.record(CONTOSO, ENTRA)
    feed.lab.fault("hang", kind="m365.content", after=1, count=None)
    spec = {**options.ACTIVITY_SPEC, "time_limit_seconds": {"type": "float"}}
    found = feed.run(capability.verify, spec, content_types=[ENTRA, EXCHANGE], time_limit_seconds=0.3)
    assert states(found) == {ENTRA: "flowing", "(not reached)": "unreadable"}


def test_without_evidence_nobody_can_say_whether_it_is_pending(feed: Feed) -> None:
    feed.folder = None
    feed.converge()
    found = feed.verify()
    assert set(states(found).values()) == {"unreadable"}
    assert codes(found) == ["StartUnknown"]


def test_what_was_on_before_us_is_known_since_it_was_seen(feed: Feed) -> None:
    feed.other(EXCHANGE)
    assert states(feed.verify(content_types=[EXCHANGE])) == {EXCHANGE: "pending"}
    feed.older(13 * HOUR)
    assert states(feed.verify(content_types=[EXCHANGE])) == {EXCHANGE: "stale"}


def test_the_newest_of_several_pages_is_found_in_any_order(feed: Feed) -> None:
    feed.lab.configure(m365_first_delay=0, m365_page_size=2)
    feed.converge(content_types=[EXCHANGE])
    for ago in (-30, -10, -50, -20, -40):
        feed.lab.m365.record(CONTOSO, EXCHANGE, ago=ago)
    feed.lab.advance(60)
    (flow,) = feed.verify(content_types=[EXCHANGE])["flows"]
    assert (flow["state"], flow["age_seconds"]) == ("flowing", pytest.approx(10, abs=8))


@pytest.mark.parametrize("elsewhere", ["next", "content"])
def test_nothing_is_fetched_from_another_host(feed: Feed, elsewhere: str) -> None:
    feed.lab.configure(m365_first_delay=0, m365_page_size=1, m365_elsewhere=elsewhere)
    feed.converge(content_types=[EXCHANGE])
    feed.lab.m365.record(CONTOSO, EXCHANGE)
    feed.lab.m365.record(CONTOSO, EXCHANGE)
    found = feed.verify(content_types=[EXCHANGE])
    assert (states(found), codes(found)) == ({EXCHANGE: "unreadable"}, ["ForeignLink"])


def test_content_that_is_gone_when_it_is_fetched_is_no_fault(feed: Feed) -> None:
    feed.lab.configure(m365_first_delay=0)
    feed.converge(content_types=[EXCHANGE])
    feed.lab.m365.record(CONTOSO, EXCHANGE)
    feed.lab.edit("m365_lose", tenant=CONTOSO, type=EXCHANGE)
    (flow,) = feed.verify(content_types=[EXCHANGE])["flows"]
    assert (flow["state"], flow["newest_record"]) == ("flowing", None)
    assert "could no longer be fetched" in flow["message"]


def test_what_is_listed_as_on_and_refused_as_off_is_broken(feed: Feed) -> None:
    feed.converge(content_types=[EXCHANGE])
    feed.lab.fault("status", kind="m365.content", status=400, code="AF20023", count=None)
    found = feed.verify(content_types=[EXCHANGE])
    assert (states(found), codes(found)) == ({EXCHANGE: "stale"}, ["AF20023"])
    assert "do not stop and start" in found["problems"][0]["next_step"]


def test_verify_tells_an_audit_log_that_is_off(feed: Feed) -> None:
    feed.converge()
    feed.lab.edit("m365_audit", tenant=CONTOSO, on=False)
    found = feed.verify()
    assert set(states(found).values()) == {"stale"}
    assert codes(found) == ["AuditOff"]
    assert found["problems"][0]["count"] == 4


def test_each_type_has_its_own_answer(feed: Feed) -> None:
    feed.lab.configure(m365_first_delay=0)
    feed.converge(content_types=[ENTRA, EXCHANGE])
    feed.lab.m365.record(CONTOSO, ENTRA)
    feed.older(13 * HOUR)
    feed.lab.m365.record(CONTOSO, ENTRA)
    found = states(feed.verify(content_types=[ENTRA, EXCHANGE, SHAREPOINT]))
    assert found == {ENTRA: "flowing", EXCHANGE: "stale", SHAREPOINT: "absent"}


def test_a_connector_reads_by_the_result_what_verify_has_seen(feed: Feed) -> None:
    """End to end: it is set up with what the result tells, and the app's own token; the record is the tenant's."""
    feed.lab.configure(m365_first_delay=0)
    told = feed.converge(content_types=[EXCHANGE])["feed"]
    feed.lab.m365.record(CONTOSO, EXCHANGE)
    bearer = {"Authorization": f"Bearer {token(feed.lab, told['tenant_id'], scope=SCOPE)}"}

    def get(url: str, **query: str) -> Any:
        path = f"{url}?{urlencode(query)}&PublisherIdentifier={told['publisher_id']}".removeprefix(feed.lab.url)
        return feed.lab.call("GET", path, None, bearer)[2]

    root = f"{told['url']}/api/v1.0/{told['tenant_id']}/activity/feed/subscriptions"
    (content,) = [one for type in told["content_types"] for one in get(f"{root}/content", contentType=type)]
    (record,) = get(content["contentUri"])
    (flow,) = feed.verify(content_types=[EXCHANGE])["flows"]
    assert (record["OrganizationId"], record["Workload"]) == (CONTOSO, "Exchange")
    assert flow["newest_record"] == f"{record['CreationTime']}Z"


# --- from nothing


def test_from_a_contract_to_records(lab: LabClient, tmp_path: Path) -> None:
    """Northwind has neither consented nor turned its audit log on."""
    feed = Feed(lab, tmp_path, NORTHWIND)
    ((check, who, step),) = bad(feed.preflight())
    assert (check, who) == ("consent", CUSTOMER)
    lab.consent(step.split()[1])
    ((check, who, _step),) = bad(feed.preflight())
    assert (check, who) == ("audit_log", CUSTOMER)
    assert outcome(feed.converge()) == (False, "waiting")
    lab.edit("m365_audit", tenant=NORTHWIND, on=True)
    assert bad(feed.preflight()) == []
    assert outcome(feed.converge()) == (True, "corrected")
    lab.m365.record(NORTHWIND, *AUDIT)
    assert feed.verify()["summary"]["outcome"] == "pending"
    feed.older(13 * HOUR)
    assert set(states(feed.verify()).values()) == {"flowing"}
    assert outcome(feed.converge(state="absent")) == (True, "corrected")


def test_a_memory_that_cannot_be_read_is_told(feed: Feed) -> None:
    feed.converge()
    feed.memory.write_text("{")
    found = feed.converge()
    assert (found["failed"], codes(found)) == (True, ["StartsUnknown"])


def test_no_secret_is_told(feed: Feed) -> None:
    feed.lab.fault("status", kind="m365.start", status=400, code="X", message=f"echo {feed.lab.secret}", count=None)
    assert feed.lab.secret not in str(feed.converge())


def test_what_nobody_could_look_at_is_not_covered(feed: Feed, hasty: Any) -> None:
    feed.converge()
    assert feed.verify()["coverage"]["states"] == {"covered": 4, "not_asked": 1}
    feed.lab.fault("status", kind="m365.list", status=500, code="AF50000", message="no", count=None)
    assert feed.verify()["coverage"]["states"] == {"unreachable": 4, "not_asked": 1}
    feed.lab.clear_faults()
    feed.lab.fault("status", kind="m365.content", status=400, code="AF50000", message="no")
    assert feed.verify()["coverage"]["states"] == {"unreachable": 1, "covered": 3, "not_asked": 1}
