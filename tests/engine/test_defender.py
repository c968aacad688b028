# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines of Defender XDR in this process, against the lab."""

from __future__ import annotations

from typing import Any

import pytest

from lab.client import LabClient
from lab.testing import CONTOSO

from .defender_engines import ALL_WAYS, RECEIVER, TABLES, Defender
from .event_hub_engines import HUB, PLACE, SHARED, WRITER

CUSTOMER, PROVIDER = "customer's administrator", "MSSP's administrator"
PERMISSIONS = ("ThreatHunting.Read.All",)
SUBSCRIPTION = f"/subscriptions/{SHARED}"
EXPORT = f"{SUBSCRIPTION}/resourceGroups/rg-siem/providers/Microsoft.Security/automations/mssp-onboarding"
EXPORTS = "api-version=2019-01-01-preview"
EXPORTED = f"continuous export of {SHARED}"


@pytest.fixture
def defender(lab: LabClient) -> Defender:
    return Defender(lab)


@pytest.fixture
def ready(defender: Defender) -> Defender:
    """All that is needed is there."""
    defender.may(*PERMISSIONS)
    defender.hub()
    defender.given["ways"] = ALL_WAYS
    return defender


@pytest.fixture
def whole(ready: Defender) -> Defender:
    """Onboarded, and the portal's setting sends all tables."""
    assert outcome(ready.converge())[0]
    ready.stream(HUB, *TABLES)
    return ready


def outcome(found: dict[str, Any]) -> tuple[bool, str]:
    assert "exception" not in found, found["exception"]
    return found["changed"], found["summary"]["outcome"]


def codes(found: dict[str, Any]) -> list[str]:
    return [one["code"] for one in found["problems"]]


def states(found: dict[str, Any]) -> dict[str, str]:
    assert "exception" not in found, found["exception"]
    return {one["source"]: one["state"] for one in found["flows"]}


def bad(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    assert "exception" not in found, found
    return [(one["check"], one["who"], one["next_step"]) for one in found["findings"] if one["status"] != "ok"]


# --- Graph


def test_alerts_and_incidents_of_a_tenant_that_has_consented(defender: Defender) -> None:
    assert bad(defender.preflight()) == []
    assert outcome(defender.converge()) == (False, "in_sync")
    assert states(defender.verify()) == {"alerts": "quiet", "incidents": "quiet"}
    defender.lab.edit("security_incident", tenant=CONTOSO, id="1", status="awaitingAction")
    defender.lab.edit("security_alert", tenant=CONTOSO, id="a", incident="1", serviceSource="microsoftNewThing",
                      severity="unheardOf")  # fmt: skip
    found = defender.verify()
    assert states(found) == {"alerts": "flowing", "incidents": "flowing"}
    assert found["flows"][0]["sources"] == ["microsoftNewThing"]
    assert found["coverage"]["states"] == {"covered": 2, "not_asked": 3}


def test_members_that_came_later_are_asked_for_by_name(defender: Defender) -> None:
    defender.lab.edit("security_alert", tenant=CONTOSO, id="a", serviceSource="microsoftSentinel")
    assert defender.verify()["flows"][0]["sources"] == ["microsoftSentinel"]


def test_old_permissions_are_named_with_what_took_their_place(defender: Defender) -> None:
    for resource, name in (
        ("windows_defender_atp", "AdvancedQuery.Read.All"),
        ("microsoft_graph", "SecurityEvents.Read.All"),
    ):
        defender.lab.edit("grant_permission", tenant=CONTOSO, resource=resource, permission=name)
    found = defender.preflight()
    assert outcome(found) == (False, "in_sync")
    assert "ask for ThreatHunting.Read.All of microsoft_graph instead" in found["msg"]
    assert "ask for SecurityAlert.Read.All and SecurityIncident.Read.All of microsoft_graph instead" in found["msg"]


@pytest.mark.parametrize("action", ["empty", "redirect"])
def test_what_cannot_be_read_is_never_quiet(defender: Defender, action: str) -> None:
    defender.lab.fault(action, kind="security.alerts", count=None)
    assert outcome(defender.converge()) == (False, "unknown")
    assert states(defender.verify())["alerts"] == "unreadable"
    ((check, _who, step),) = bad(defender.preflight())
    assert (check, bool(step)) == ("alerts", True)


# --- one thing less is one finding


LESS: dict[str, tuple[dict[str, Any], tuple[str, str, str]]] = {
    "consent": ({"edit": "remove_principal", "tenant": CONTOSO}, ("consent", CUSTOMER, "adminconsent")),
    "role": (
        {"edit": "revoke_permission", "tenant": CONTOSO, "resource": "microsoft_graph",
         "permission": "SecurityIncident.Read.All"},
        ("permission", CUSTOMER, "adminconsent"),
    ),
    "licence of Endpoint": (
        {"edit": "remove_resource_app", "tenant": CONTOSO, "resource": "windows_defender_atp"},
        ("licence", CUSTOMER, "licence of Microsoft Defender"),
    ),
    "licence": ({"edit": "defender_licence", "tenant": CONTOSO, "on": False},
                ("licence", CUSTOMER, "licence of Microsoft Defender")),
    "devices": ({"edit": "defender_devices", "tenant": CONTOSO, "on": False}, ("devices", CUSTOMER, "onboard devices")),
    "right on the hub": (
        {"edit": "unassign_role", "tenant": CONTOSO, "role": RECEIVER, "scope": SUBSCRIPTION},
        ("read_records", CUSTOMER, f'--role "{RECEIVER}"'),
    ),
    "hub": ({"edit": "remove_resource", "id": PLACE}, ("event_hub", PROVIDER, "role event_hub_export")),
    "portal step": ({}, ("streaming_setting", CUSTOMER, PLACE)),
}  # fmt: skip


@pytest.mark.parametrize("less", LESS)
def test_one_thing_less_is_one_finding(ready: Defender, less: str) -> None:
    edit, (check, who, words) = LESS[less]
    if edit:
        ready.stream(HUB, *TABLES)
        ready.lab.edit(**edit)
    ways = [way for way in ALL_WAYS if less != "hub" or way != "continuous_export"]
    ((found, owner, step),) = bad(ready.preflight(ways=ways))
    assert (found, owner, words in step) == (check, who, True)


def test_nothing_less_is_no_finding(whole: Defender) -> None:
    assert bad(whole.preflight()) == []
    assert outcome(whole.converge()) == (False, "in_sync")
    found = whole.verify()
    assert outcome(found) == (False, "in_sync"), found["msg"]
    assert states(found) == {
        "alerts": "quiet", "incidents": "quiet", "hunting DeviceInfo": "flowing",
        **{f"streamed {table}": "flowing" for table in TABLES}, EXPORTED: "quiet",
    }  # fmt: skip


def test_a_provider_that_nobody_may_register_is_the_customers_turn(defender: Defender) -> None:
    defender.stream(defender.hub(), *TABLES)
    defender.given["ways"] = ["streaming"]
    defender.lab.edit("unregister", subscription=SHARED, provider="microsoft.insights")
    assert bad(defender.preflight()) == []
    defender.lab.edit("unassign_role", tenant=CONTOSO, role="Contributor", scope=SUBSCRIPTION)
    defender.lab.edit("assign_role", tenant=CONTOSO, role="Reader", scope=SUBSCRIPTION)
    ((check, who, step),) = bad(defender.preflight())
    assert (check, who, "az provider register" in step) == ("provider_registered", CUSTOMER, True)


# --- streaming


def test_the_portals_part_is_handed_over_with_every_value(defender: Defender) -> None:
    defender.hub()
    found = defender.converge(ways=["streaming"])
    assert (outcome(found), found["failed"], codes(found)) == ((False, "waiting"), False, ["handed_over"])
    step = found["problems"][0]["next_step"]
    for value in (PLACE, "mssp-onboarding", CONTOSO, *TABLES, "Security Administrator", "Contributor"):
        assert value in step
    assert found["stream"]["event_hub_resource_id"] == PLACE
    assert (states(defender.verify(ways=["streaming"])), defender.converge(ways=["streaming"])["changed"]) == (
        {"streamed tables": "pending"}, False,
    )  # fmt: skip


def test_a_step_that_nobody_took_is_one_finding_for_the_customer(defender: Defender) -> None:
    defender.may(*PERMISSIONS)
    defender.hub()
    defender.lab.advance(7200)
    found = defender.verify(ways=["hunting", "streaming"])
    assert (states(found), codes(found)) == (
        {"hunting DeviceInfo": "flowing", "streamed tables": "absent"}, ["not_streamed"],
    )  # fmt: skip
    assert PLACE in found["problems"][0]["next_step"]


def test_the_hub_is_made_first(defender: Defender) -> None:
    defender.customer.may()
    defender.customer.may(RECEIVER)
    found = defender.converge(ways=["streaming"])
    assert codes(found) == ["no_event_hub"]
    assert (states(defender.verify(ways=["streaming"])), "event_hub_export" in found["problems"][0]["next_step"]) == (
        {"streamed tables": "absent"}, True,
    )  # fmt: skip


def test_the_provider_is_registered(defender: Defender) -> None:
    defender.hub()
    defender.lab.edit("unregister", subscription=SHARED, provider="microsoft.insights")
    assert outcome(defender.converge(ways=["streaming"], check=True)) == (True, "drifted")
    assert outcome(defender.converge(ways=["streaming"])) == (True, "waiting")
    waits = defender.converge(ways=["streaming"])
    assert (outcome(waits), "covered" in waits["coverage"]["states"]) == ((False, "waiting"), False)


def test_the_sixth_table_is_named(defender: Defender) -> None:
    """Hunting tells one that is not ticked from one that has nothing to send."""
    defender.may(*PERMISSIONS)
    hub = defender.hub()
    defender.stream(hub, "DeviceInfo", "AlertInfo")
    defender.lab.edit("defender_rows", tenant=CONTOSO, table="DeviceProcessEvents", ago=60)
    found = defender.verify(ways=["hunting", "streaming"])
    assert states(found) == {
        "hunting DeviceInfo": "flowing", "streamed AlertInfo": "flowing", "streamed DeviceInfo": "flowing",
        "streamed DeviceProcessEvents": "absent", "streamed UrlClickEvents": "quiet",
    }  # fmt: skip
    assert "tick DeviceProcessEvents" in found["problems"][0]["next_step"]
    blind = states(defender.verify(ways=["streaming"]))
    assert (blind["streamed DeviceProcessEvents"], blind["streamed UrlClickEvents"]) == ("absent", "unreadable")


@pytest.mark.parametrize(("right", "code"), [(True, "NoRightToRead"), (False, "MissingLibrary")])
def test_what_nobody_may_look_at_is_neither_well_nor_absent(
    defender: Defender, right: bool, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = defender.hub()
    defender.stream(hub, "DeviceInfo")
    if right:
        defender.denied = True
    else:
        monkeypatch.setattr(Defender, "library", lambda _self: __import__("contextlib").nullcontext())
    found = defender.verify(ways=["streaming"])
    assert (set(states(found).values()) <= {"unreadable", "stale"}, codes(found)) == (True, [code])
    checks = [check for check, _who, _step in bad(defender.preflight(ways=["streaming"]))]
    assert checks == ["streaming_setting" if right else "library"]
    assert outcome(defender.converge(ways=["streaming"])) == (False, "waiting")


def test_others_records_in_a_shared_hub_break_nothing(defender: Defender) -> None:
    hub = defender.hub()
    for body in ("no json", "[1]", '{"records": [{"category": "AuditLogs"}, 7]}'):
        defender.lab.edit("send_to_hub", hub=hub, body=body)
    assert codes(defender.converge(ways=["streaming"])) == ["handed_over"]


def test_a_table_that_nobody_asked_for_is_told(defender: Defender) -> None:
    defender.stream(defender.hub(), "DeviceInfo", "EmailEvents")
    found = defender.verify(ways=["streaming"], tables=["DeviceInfo"])
    assert states(found) == {"streamed DeviceInfo": "flowing"}
    (extra,) = [one for one in found["coverage"]["parts"] if one["name"].startswith("streamed")]
    assert (extra["name"], extra["state"]) == ("streamed EmailEvents", "not_asked")


def test_a_hub_of_the_basic_tier_is_no_place_for_it(defender: Defender) -> None:
    defender.customer.may()
    defender.customer.may(RECEIVER)
    defender.customer.make_namespace(sku="Basic")
    defender.customer.make_hub(hours=24)
    ((check, who, step),) = bad(defender.preflight(ways=["streaming"]))
    assert (check, who, "Standard tier" in step) == ("event_hub", PROVIDER, True)


# --- Defender for Cloud's export


def test_an_export_is_made_kept_corrected_and_removed(defender: Defender) -> None:
    defender.hub()
    defender.given["ways"] = ["continuous_export"]
    assert outcome(defender.converge(check=True)) == (True, "drifted")
    made = defender.converge()
    assert outcome(made) == (True, "corrected"), made["msg"]
    assert "SharedAccessKey=" not in str(made)
    assert outcome(defender.converge()) == (False, "in_sync")
    status, shown = defender.customer.arm("GET", EXPORT, version=EXPORTS)
    assert (status, shown["properties"]["actions"][0]["eventHubResourceId"]) == (200, HUB)
    assert shown["properties"]["actions"][0]["sasPolicyName"] == WRITER.rpartition("/")[2]
    defender.lab.edit("change_export", id=EXPORT, isEnabled=False, sources=[{"eventSource": "SecureScores"}])
    found = defender.converge(check=True)
    assert found["summary"]["drift"] == {"disabled": 1, "missing_source": 1, "unexpected_source": 1}
    assert states(defender.verify()) == {EXPORTED: "absent"}
    assert outcome(defender.converge(correct="safe")) == (False, "drifted")
    assert outcome(defender.converge()) == (True, "corrected")
    assert outcome(defender.converge(state="absent")) == (True, "corrected")
    assert outcome(defender.converge(state="absent")) == (False, "in_sync")
    assert defender.customer.arm("GET", EXPORT, version=EXPORTS)[0] == 404


def test_an_exported_alert_is_told_from_what_else_is_in_the_hub(whole: Defender) -> None:
    """The hub has the stream's records, too; an alert is of the subscription whose resource it names."""
    ways = ["streaming", "continuous_export"]
    (quiet,) = [one for one in whole.verify(ways=ways)["flows"] if one["source"] == EXPORTED]
    assert (quiet["state"], "newest events" in quiet["message"]) == ("quiet", True)
    whole.lab.edit("cloud_alert", resource=f"{SUBSCRIPTION}/resourceGroups/rg/providers/x/y/z", ago=60)
    found = whole.verify(ways=ways)
    assert states(found) == {**{f"streamed {table}": "flowing" for table in TABLES}, EXPORTED: "flowing"}
    assert found["flows"][-1]["age_seconds"] == pytest.approx(60, abs=20)
    whole.denied = True
    (blind,) = whole.verify(ways=["continuous_export"])["flows"]
    assert (blind["state"], "nobody could look" in blind["message"]) == ("connected", True)
    assert RECEIVER in blind["next_step"]


def test_exports_of_others_are_left(defender: Defender) -> None:
    hub = defender.hub()
    defender.given["ways"] = ["continuous_export"]
    other = EXPORT.replace("mssp-onboarding", "theirs")
    defender.lab.edit("make_export", id=other, hub=hub, sources=["Assessments"])
    assert outcome(defender.converge()) == (True, "corrected")
    defender.converge(state="absent")
    assert defender.customer.arm("GET", other, version=EXPORTS)[0] == 200
    defender.lab.edit("make_export", id=other, hub=hub, sources=["Alerts", "Assessments"])
    found = defender.converge()
    assert (outcome(found), defender.customer.arm("GET", EXPORT, version=EXPORTS)[0]) == ((False, "in_sync"), 404)
    defender.lab.edit("make_export", id=EXPORT, hub=hub, sources=["Assessments"])
    defender.lab.edit("make_export", id=other, hub=hub, sources=["Assessments"])
    assert codes(defender.converge()) == ["not_ours"]


# --- leaving


def test_offboard_waits_until_nothing_is_streamed_any_more(whole: Defender) -> None:
    found = whole.converge(state="absent")
    assert (outcome(found), codes(found)) == ((True, "waiting"), ["streaming"])
    assert "delete mssp-onboarding" in found["problems"][0]["next_step"]
    whole.lab.advance(3600)
    assert outcome(whole.converge(state="absent")) == (False, "in_sync")


# --- from nothing


def test_from_a_contract_to_records(ready: Defender) -> None:
    """Consent, then the hub, then the portal; each is told when it is due, and waits for the clock."""
    ways = ["alerts", "incidents", "streaming"]
    ready.lab.edit("remove_principal", tenant=CONTOSO)
    ((check, who, step),) = bad(ready.preflight(ways=ways))
    assert (check, who) == ("consent", CUSTOMER)
    ready.lab.consent(step.split()[1])
    for role in ("Contributor", RECEIVER):
        ready.lab.edit("assign_role", tenant=CONTOSO, role=role, scope=SUBSCRIPTION)
    assert [one[:2] for one in bad(ready.preflight(ways=ways))] == [("streaming_setting", CUSTOMER)]
    assert outcome(ready.converge(ways=ways)) == (False, "waiting")
    assert ready.verify(ways=ways)["summary"]["outcome"] == "pending"
    ready.lab.advance(1800)
    ready.stream(HUB, *TABLES)
    assert bad(ready.preflight(ways=ways)) == []
    assert outcome(ready.converge(ways=ways)) == (False, "in_sync")
    assert {state for source, state in states(ready.verify(ways=ways)).items() if "streamed" in source} == {"flowing"}
