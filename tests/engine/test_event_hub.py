# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Event Hub made, kept and removed in the lab: predicted exactly, ours only, and going on after what went wrong."""

from __future__ import annotations

from typing import Any

import pytest

from lab.client import LabClient
from lab.testing import FABRIKAM, PROSEWARE

from .engines import counts, identity
from .event_hub_engines import GROUP, HUB, NAMESPACE, OURS, PLACE, READER, SHARED, WRITER, Customer, drift

PARTS = 6
OTHER = "evh-contoso-orders"


@pytest.fixture
def customer(lab: LabClient) -> Customer:
    """Contoso, who lets the app make an Event Hub."""
    found = Customer(lab)
    found.may()
    return found


@pytest.fixture
def made(customer: Customer) -> Customer:
    """The same with all of it made."""
    assert counts(customer.run()) == {"corrected": PARTS}
    customer.lab.reset_requests()
    return customer


def test_check_predicts_the_run_and_the_second_run_changes_nothing(customer: Customer) -> None:
    customer.lab.configure(operation=2)
    predicted = customer.run(check=True, diff=True)
    assert customer.written() == []
    real = customer.run(diff=True)
    assert predicted["changed"]
    assert (predicted["changes"], predicted["diff"]) == (real["changes"], real["diff"])
    assert [kind for kind, _path in customer.written()] == ["PUT"] * PARTS
    again = customer.run(diff=True)
    assert (again["changed"], again["diff"], counts(again)) == (False, [], {"in_sync": PARTS})
    assert customer.run(location="West Europe")["changed"] is False
    assert customer.written() == []


def test_what_is_made_is_what_azure_monitor_and_a_siem_need(made: Customer) -> None:
    namespace = made.shown(PLACE)
    assert (namespace["sku"]["name"], namespace["tags"]) == ("Standard", {OURS: "event_hub_export"})
    assert made.shown(WRITER)["properties"]["rights"] == ["Listen", "Manage", "Send"]
    assert made.shown(READER)["properties"]["rights"] == ["Listen"]
    hub = made.shown(HUB)["properties"]
    assert (hub["partitionCount"], hub["retentionDescription"]["retentionTimeInHours"]) == (4, 168)
    assert made.shown(f"{HUB}/consumergroups/{OURS}")["properties"]["userMetadata"] == OURS


def test_without_the_right_nothing_is_made_and_the_right_is_named(lab: LabClient) -> None:
    result = Customer(lab).run()
    assert (result["failed"], counts(result)) == (True, {"failed": PARTS})
    steps = {one["code"]: one["next_step"] for one in result["problems"]}
    assert "Contributor" in steps["AuthorizationFailed"]
    assert "NotTried" in steps


def test_a_provider_that_is_not_registered_is_named(customer: Customer) -> None:
    customer.lab.edit("unregister", subscription=SHARED, provider="Microsoft.EventHub")
    result = customer.run()
    (problem,) = [one for one in result["problems"] if one["code"] == "MissingSubscriptionRegistration"]
    assert problem["next_step"] == "run: az provider register --namespace Microsoft.EventHub"


def test_by_lighthouse_and_by_an_administrators_token(lab: LabClient) -> None:
    """Fabrikam's subscription is delegated; a token of its own administrator is one of its own tenant all the same."""
    subscription = f"{FABRIKAM[:-1]}1"
    given = {**identity(lab, FABRIKAM), "client_secret": None, "subscription_id": subscription}
    customer = Customer(lab)
    assert counts(customer.run(**given)) == {"failed": PARTS}
    lab.edit("assign_role", tenant=PROSEWARE, role="Contributor", scope=f"/subscriptions/{subscription}")
    assert counts(customer.run(**given)) == {"corrected": PARTS}
    token = lab.admin_token(FABRIKAM, "arm")
    assert counts(customer.run(**given, access_token=token)) == {"in_sync": PARTS}


# -- drift ------------------------------------------------------------------------------------------------------------


def put_right(customer: Customer, classes: dict[str, int]) -> None:
    found = customer.run(check=True)
    assert drift(found) == classes
    assert customer.run()["changed"]
    assert not customer.run()["changed"]


@pytest.mark.parametrize("path", [WRITER, READER, f"{HUB}/consumergroups/{OURS}"])
def test_what_somebody_removed_comes_back(made: Customer, path: str) -> None:
    assert made.arm("DELETE", path)[0] == 200
    put_right(made, {"missing": 1})
    assert made.shown(path)


def test_a_rule_with_too_many_rights_loses_them(made: Customer) -> None:
    made.arm("PUT", READER, {"properties": {"rights": ["Listen", "Send"]}})
    assert counts(made.run(correct="safe")) == {"in_sync": 5, "drifted": 1}
    put_right(made, {"rights": 1})
    assert made.shown(READER)["properties"]["rights"] == ["Listen"]


def test_a_short_retention_is_lengthened_and_a_long_one_left(made: Customer) -> None:
    made.make_hub(hours=24)
    put_right(made, {"retention": 1})
    longer = made.run(retention_hours=100)
    assert (longer["changed"], drift(longer)) == (False, {"unexpected": 1})


def test_settings_of_our_namespace_come_back_and_tags_of_others_stay(made: Customer) -> None:
    body = {"location": "westeurope", "sku": {"name": "Standard", "capacity": 5}, "tags": {OURS: "x", "team": "soc"},
            "properties": {"minimumTlsVersion": "1.0", "disableLocalAuth": True}}  # fmt: skip
    assert made.arm("PUT", PLACE, body)[0] == 200
    put_right(made, {"local_auth": 1, "tls": 1})
    after = made.shown(PLACE)
    assert (after["sku"]["capacity"], after["tags"]) == (5, {OURS: "x", "team": "soc"})


def test_another_number_of_partitions_is_told_and_the_hub_stays(made: Customer) -> None:
    result = made.run(partition_count=8)
    assert (result["changed"], drift(result), made.written()) == (False, {"partition_count": 1}, [])
    assert result["problems"][0]["code"] == "partition_count"
    assert made.run(partition_count=8, fail_on="drift")["failed"]
    assert made.shown(HUB)["properties"]["partitionCount"] == 4


# -- others' ----------------------------------------------------------------------------------------------------------


def test_a_namespace_of_the_customers_is_used_and_not_changed(customer: Customer) -> None:
    place = customer.make_namespace(minimumTlsVersion="1.0")
    customer.make_hub("orders")
    before = customer.shown(place)
    result = customer.run()
    assert counts(result) == {"in_sync": 1, "corrected": 4, "drifted": 1}
    assert (result["failed"], result["problems"][0]["code"]) == (False, "tls")
    assert customer.shown(place) == before
    assert not customer.run()["changed"]
    gone = customer.run(state="absent")
    assert counts(gone) == {"in_sync": 2, "corrected": 4}
    assert any("not one that we made" in line for line in gone["summary"]["kept"])
    assert customer.shown(place) == before
    assert customer.shown(f"{PLACE}/eventhubs/orders")


def test_a_hub_of_the_customers_is_told_of_and_left(customer: Customer) -> None:
    customer.make_namespace()
    customer.make_hub("logs", partitions=2, hours=24)
    result = customer.run(hub="logs")
    assert drift(result) == {"missing": 3, "partition_count": 1, "retention": 1}
    assert customer.shown(f"{PLACE}/eventhubs/logs")["properties"]["messageRetentionInDays"] == 1
    gone = customer.run(hub="logs", state="absent")
    assert not gone["failed"]
    assert customer.shown(f"{PLACE}/eventhubs/logs"), "it was not ours"
    assert customer.shown(f"{PLACE}/eventhubs/logs/consumergroups/{OURS}") is None


def test_a_basic_namespace_of_the_customers_takes_what_it_can(customer: Customer) -> None:
    customer.make_namespace(sku="Basic")
    result = customer.run(retention_hours=24)
    assert drift(result) == {"missing": 3, "sku": 1, "tier": 1}
    assert not result["failed"]


def test_a_name_that_another_tenant_has(customer: Customer) -> None:
    body = {"location": "westeurope", "sku": {"name": "Standard"}}
    headers = {"Authorization": f"Bearer {customer.lab.admin_token(FABRIKAM, 'arm')}"}
    group = f"/subscriptions/{FABRIKAM[:-1]}1/resourceGroups/rg-x"
    for path, version in ((group, "2021-04-01"), (f"{group}{PLACE.partition(GROUP)[2]}", "2024-01-01")):
        assert customer.lab.call("PUT", f"{path}?api-version={version}", body, headers)[0] == 201
    result = customer.run(check=True)
    assert drift(result) == {"missing": 1, "name_taken": 1, "waits": 4}
    assert [one["code"] for one in result["problems"]] == ["name_taken"]


# -- going ------------------------------------------------------------------------------------------------------------


def test_all_of_ours_goes_and_a_second_time_nothing(made: Customer) -> None:
    predicted = made.run(state="absent", check=True)
    assert made.written() == []
    gone = made.run(state="absent")
    assert (predicted["changes"], counts(gone)) == (gone["changes"], {"in_sync": 1, "corrected": 5})
    assert made.shown(PLACE) is None
    assert [path.split("/")[-1] for _method, path in made.written()][-1] == NAMESPACE
    again = made.run(state="absent")
    assert (again["changed"], made.written()) == (False, [])


def test_a_namespace_that_somebody_else_uses_too_stays(made: Customer) -> None:
    made.make_hub("orders")
    gone = made.run(state="absent")
    assert counts(gone) == {"in_sync": 2, "corrected": 4}
    assert "has other hubs (orders)" in "".join(gone["summary"]["kept"])
    assert made.shown(f"{PLACE}/eventhubs/orders")
    assert made.shown(HUB) is None


# -- what goes wrong --------------------------------------------------------------------------------------------------

FAULTS: list[dict[str, Any]] = [
    {"action": "status", "kind": "event_hub_rules.put", "status": 409, "code": "Conflict"},
    {"action": "status", "kind": "event_hubs.put", "status": 403, "code": "AuthorizationFailed"},
    {"action": "status", "kind": "consumer_groups.put", "status": 400, "code": "BadRequest"},
    {"action": "drop", "kind": "event_hubs.put", "count": None},
    {"action": "status", "kind": "namespaces.put", "status": 500, "count": None},
    {"action": "html", "kind": "event_hubs.put", "count": None},
]


@pytest.mark.parametrize("fault", FAULTS)
def test_half_done_is_told_and_the_next_run_does_the_rest(
    customer: Customer, hasty: list[float], fault: dict[str, Any]
) -> None:
    customer.lab.fault(**fault)
    first = customer.run()
    done = first["summary"]["counts"]
    assert (first["failed"], done["failed"] > 0, done["corrected"] > 0) == (True, True, True)
    customer.lab.clear_faults()
    second = customer.run()
    assert done["corrected"] <= second["summary"]["counts"]["in_sync"], "what was made is not made twice"
    assert counts(customer.run()) == {"in_sync": PARTS}


PASSING: list[dict[str, Any]] = [
    {"action": "throttle", "kind": "event_hubs.put", "seconds": 1},
    {"action": "status", "kind": "namespaces.put", "status": 503},
    {"action": "drop_after", "kind": "namespaces.put"},
    {"action": "truncated", "kind": "event_hub_rules.put"},
    {"action": "slow", "kind": "namespaces.get", "seconds": 1},
]


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_is_waited_out(customer: Customer, hasty: list[float], fault: dict[str, Any]) -> None:
    customer.lab.fault(**fault)
    assert counts(customer.run()) == {"corrected": PARTS}
    assert counts(customer.run()) == {"in_sync": PARTS}


@pytest.mark.parametrize("kind", ["namespaces.get", "event_hubs.list", "event_hub_rules.list", "consumer_groups.list"])
@pytest.mark.parametrize("action", ["status", "malformed", "empty"])
def test_what_cannot_be_read_is_never_made_anew(made: Customer, hasty: list[float], kind: str, action: str) -> None:
    made.lab.fault(action, kind=kind, status=403, code="AuthorizationFailed", count=None)
    result = made.run()
    assert (result["failed"], result["changed"], made.written()) == (True, False, [])
    assert made.run(state="absent")["failed"]
    assert made.written() == []


def test_a_namespace_that_goes_is_waited_for(made: Customer) -> None:
    made.lab.configure(operation=600)
    made.lab.advance(601)
    first = made.run(state="absent", wait_seconds=0)
    assert (first["failed"], first["problems"][0]["code"]) == (True, "NotFinished")
    assert made.run(check=True, wait_seconds=0)["summary"]["outcome"] in ("failed", "unknown"), "on its way out"
    made.lab.advance(601)
    gone = made.run(state="absent")
    assert (gone["failed"], gone["changed"]) == (False, False)


def test_a_namespace_that_is_not_done_in_time_is_gone_on_with_later(customer: Customer) -> None:
    customer.lab.configure(operation=3600)
    first = customer.run(wait_seconds=1)
    assert {one["code"] for one in first["problems"]} == {"NotFinished", "NotTried"}
    customer.lab.advance(3600)
    assert counts(customer.run()) == {"in_sync": 2, "corrected": 4}


@pytest.mark.parametrize(("fault", "codes"), [
    ({"action": "empty"}, []),
    ({"action": "status", "status": 200}, ["NotShown"]),
])  # fmt: skip
def test_a_write_whose_answer_shows_nothing_is_read_back(
    lab: LabClient, fault: dict[str, Any], codes: list[str]
) -> None:
    customer = Customer(lab)
    customer.may()
    lab.fault(method="PUT", path=READER, **fault)
    assert [one["code"] for one in customer.run()["problems"]] == codes
