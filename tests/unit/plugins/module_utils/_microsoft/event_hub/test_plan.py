# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rule about an Event Hub: what counts as equal, ours, fixed and dangerous."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.verdict import Verdict
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub import plan as plans
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub.plan import (
    CONSUMERS,
    GROUP,
    HUB,
    KEYS,
    NAMESPACE,
    PARTS,
    READER,
    WRITER,
    Found,
    Hub,
    Namespace,
    Wanted,
)

OURS = "mssp-onboarding"
WANTED = Wanted("rg-siem", "evh-siem", "westeurope", "standard", f"{OURS}-writer", OURS, f"{OURS}-reader", OURS, 4, 168)


def namespace(**given: Any) -> Namespace:
    values = {"location": "westeurope", "sku": "standard", "local_auth": True, "tls": "1.2", "ours": True,
              "state": "Succeeded", "raw": {}} | given  # fmt: skip
    return Namespace(**values)


def hub(name: str = OURS, **given: Any) -> Hub:
    values = {"partitions": 4, "retention_hours": 168, "compact": False, "active": True, "raw": {}} | given
    return Hub(name, **values)


def found(**given: Any) -> Found:
    """All that is wanted, in a namespace of ours, unless told otherwise."""
    values: dict[str, Any] = {
        "group": True,
        "namespace": namespace(),
        "writer": plans.WRITER_RIGHTS,
        "hubs": {OURS: hub()},
        "reader": plans.READER_RIGHTS,
        "consumer_groups": {OURS: OURS, "$default": ""},
    }
    return Found(**(values | given))


FOREIGN = {"namespace": namespace(ours=False)}
THEIRS = WANTED._replace(writer_rule="siem-w", hub="logs", reader_rule="siem-r", consumer_group="siem")


def theirs(**given: Any) -> Found:
    """All that THEIRS names, in a namespace of somebody else."""
    values = {**FOREIGN, "hubs": {"logs": hub("logs")}, "consumer_groups": {"siem": ""}} | given
    return found(**values)


def verdict(part: str, observed: Found, wanted: Wanted = WANTED) -> Verdict:
    return plans.plan(wanted, observed)[part]


def short(one: Verdict) -> tuple[str, tuple[str, ...], str]:
    return one.status, one.drift, one.action


def actions(observed: Found, wanted: Wanted = WANTED) -> dict[str, str]:
    return {part: one.action for part, one in plans.plan(wanted, observed).items() if one.action}


def test_all_as_wanted_asks_for_nothing() -> None:
    verdicts = plans.plan(WANTED, found())
    assert list(verdicts) == list(PARTS), "parents first"
    assert {short(one) for one in verdicts.values()} == {("in_sync", (), "")}


def test_nothing_there_is_made_parents_first() -> None:
    made = plans.plan(WANTED, Found())
    assert [(part, *short(one)) for part, one in made.items()] == [
        (part, "drifted", ("missing",), "create") for part in PARTS
    ]
    assert made[NAMESPACE].after == {"location": "westeurope", "sku": "standard", "local_auth": True,
                                     "minimum_tls_version": "1.2"}  # fmt: skip
    assert made[HUB].after["partition_count"] == 4
    assert made[HUB].after["retention_hours"] == 168
    assert made[WRITER].after["rights"] == ["Listen", "Manage", "Send"]
    assert made[READER].after["rights"] == ["Listen"]


def test_a_group_that_is_there_is_not_made() -> None:
    assert short(verdict(GROUP, Found(group=True))) == ("in_sync", (), "")
    assert short(verdict(GROUP, found(group=False))) == ("in_sync", (), ""), "there is a namespace in it"


def test_in_somebody_elses_namespace_what_is_missing_is_made() -> None:
    assert set(actions(Found(True, namespace(ours=False)))) == {WRITER, HUB, READER, CONSUMERS}


@pytest.mark.parametrize(
    ("observed", "wanted", "drift"),
    [
        (Found(), WANTED._replace(location=""), "no_location"),
        (Found(True), WANTED._replace(location=""), "no_location"),
        (Found(True, name_taken="in use"), WANTED, "name_taken"),
    ],
)
def test_where_no_namespace_can_be_made_the_rest_waits(observed: Found, wanted: Wanted, drift: str) -> None:
    verdicts = plans.plan(wanted, observed)
    told = {(one.status, one.drift) for one in verdicts.values() if one.status != "in_sync"}
    assert told == {("blocked", (drift,)), ("drifted", ("waits",))}
    assert not any(one.action for one in verdicts.values())
    assert verdicts[HUB].reason == "waits for the namespace"
    assert verdicts[READER].reason == "waits for the hub"


# -- the namespace ----------------------------------------------------------------------------------------------------

DIFFERENCES = {
    "sku": {"sku": "basic"},
    "local_auth": {"local_auth": False},
    "tls": {"tls": "1.0"},
}


@pytest.mark.parametrize("drift", DIFFERENCES)
def test_our_namespace_is_put_right(drift: str) -> None:
    one = verdict(NAMESPACE, found(namespace=namespace(**DIFFERENCES[drift])))
    assert short(one) == ("drifted", (drift,), "update")
    assert one.after == {"location": "westeurope", "sku": "standard", "local_auth": True, "minimum_tls_version": "1.2"}
    assert one.before != one.after


@pytest.mark.parametrize("drift", DIFFERENCES)
def test_somebody_elses_namespace_is_told_of_and_left(drift: str) -> None:
    one = verdict(NAMESPACE, found(namespace=namespace(ours=False, **DIFFERENCES[drift])))
    assert short(one) == ("blocked", (drift,), "")
    assert "left alone" in one.reason


def test_a_namespace_stays_where_it_is() -> None:
    one = verdict(NAMESPACE, found(namespace=namespace(location="northeurope")))
    assert short(one) == ("blocked", ("location",), "")
    assert "northeurope" in one.reason


@pytest.mark.parametrize("location", ["West Europe", "WESTEUROPE", ""])
def test_a_location_by_any_spelling_or_none_is_no_difference(location: str) -> None:
    assert short(verdict(NAMESPACE, found(), WANTED._replace(location=location))) == ("in_sync", (), "")


def test_a_higher_tier_is_left() -> None:
    better = found(namespace=namespace(sku="premium"))
    assert short(verdict(NAMESPACE, better)) == ("in_sync", (), "")
    after = verdict(NAMESPACE, found(namespace=namespace(sku="premium", tls="1.0"))).after
    assert after["sku"] == "premium", "no way down by the way"


def test_premium_is_not_reached_in_place() -> None:
    one = verdict(NAMESPACE, found(), WANTED._replace(sku="premium"))
    assert short(one) == ("blocked", ("tier",), "")


def test_what_can_be_put_right_is_beside_what_cannot() -> None:
    one = verdict(NAMESPACE, found(namespace=namespace(location="northeurope", tls="1.1")))
    assert short(one) == ("drifted", ("tls", "location"), "update")
    assert one.after["location"] == "northeurope"


# -- the rules --------------------------------------------------------------------------------------------------------

RULES = [(WRITER, "writer", {"Listen"}), (READER, "reader", {"Listen", "Send"}), (READER, "reader", {"Send"})]


@pytest.mark.parametrize(("part", "field", "rights"), RULES)
def test_our_rule_gets_the_rights_that_are_wanted_and_no_more(part: str, field: str, rights: set[str]) -> None:
    one = verdict(part, found(**{field: frozenset(rights)}))
    assert short(one) == ("drifted", ("rights",), "update")
    assert one.after["rights"] == sorted(plans.WRITER_RIGHTS if part == WRITER else plans.READER_RIGHTS)


@pytest.mark.parametrize(("part", "field", "rights"), RULES)
def test_somebody_elses_rule_is_told_of_and_left(part: str, field: str, rights: set[str]) -> None:
    one = verdict(part, theirs(**{field: frozenset(rights)}), THEIRS)
    assert short(one) == ("blocked", ("rights",), "")


# -- the hub ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("partitions", [2, 8])
@pytest.mark.parametrize("ours", [True, False])
def test_another_number_of_partitions_is_told_of_and_never_changed(partitions: int, ours: bool) -> None:
    observed = found(hubs={OURS: hub(partitions=partitions)}, namespace=namespace(ours=ours))
    one = verdict(HUB, observed)
    assert short(one) == ("blocked", ("partition_count",), "")
    assert f"{partitions} partitions and 4 are wanted" in one.reason
    assert actions(observed) == {}


def test_a_short_retention_of_ours_is_lengthened_and_partitions_are_kept() -> None:
    one = verdict(HUB, found(hubs={OURS: hub(retention_hours=24, partitions=2)}))
    assert short(one) == ("drifted", ("partition_count", "retention"), "update")
    assert (one.after["retention_hours"], one.after["partition_count"]) == (168, 2)


def test_a_longer_retention_is_kept_since_events_would_go() -> None:
    one = verdict(HUB, found(hubs={OURS: hub(retention_hours=200)}))
    assert short(one) == ("in_sync", ("unexpected",), "")
    both = verdict(HUB, found(hubs={OURS: hub(retention_hours=200, active=False)}))
    assert both.after["retention_hours"] == 200, "no other change shortens it"


@pytest.mark.parametrize(
    ("given", "drift"),
    [({"retention_hours": 24}, "retention"), ({"compact": True}, "cleanup_policy"), ({"active": False}, "disabled")],
)
def test_somebody_elses_hub_is_told_of_and_left(given: dict[str, Any], drift: str) -> None:
    one = verdict(HUB, theirs(hubs={"logs": hub("logs", **given)}), THEIRS)
    assert short(one) == ("blocked", (drift,), "")


def test_a_compacted_hub_cannot_be_used() -> None:
    one = verdict(HUB, found(hubs={OURS: hub(compact=True)}))
    assert short(one) == ("blocked", ("cleanup_policy",), "")


def test_our_hub_is_switched_on() -> None:
    one = verdict(HUB, found(hubs={OURS: hub(active=False)}))
    assert short(one) == ("drifted", ("disabled",), "update")
    assert one.after["active"] is True


def test_names_are_free_of_case() -> None:
    assert actions(found(), WANTED._replace(hub=OURS.upper(), consumer_group=OURS.upper())) == {}


def test_the_eleventh_hub_is_not_tried() -> None:
    full = {f"h{number}": hub(f"h{number}") for number in range(plans.MAX_HUBS)}
    observed = found(hubs=full, reader=None, consumer_groups={})
    assert short(verdict(HUB, observed)) == ("blocked", ("limit",), "")
    assert short(verdict(READER, observed)) == ("drifted", ("waits",), "")
    premium = observed._replace(namespace=namespace(sku="premium"))
    assert short(verdict(HUB, premium)) == ("drifted", ("missing",), "create")


# -- the consumer group -----------------------------------------------------------------------------------------------


def test_the_groups_that_azure_makes_are_always_there() -> None:
    default = WANTED._replace(consumer_group="$Default")
    assert short(verdict(CONSUMERS, found(consumer_groups={}), default)) == ("in_sync", (), "")


def test_basic_has_no_consumer_groups() -> None:
    basic = namespace(sku="basic", ours=False)
    assert short(verdict(CONSUMERS, found(namespace=basic, consumer_groups={}))) == ("blocked", ("tier",), "")


def test_a_basic_namespace_that_becomes_standard_takes_one() -> None:
    observed = found(namespace=namespace(sku="basic"), consumer_groups={})
    assert actions(observed) == {NAMESPACE: "update", CONSUMERS: "create"}


# -- keys -------------------------------------------------------------------------------------------------------------


def test_keys_are_no_part_of_a_run_that_does_not_ask() -> None:
    assert KEYS not in plans.plan(WANTED, found())
    assert short(verdict(KEYS, found(), WANTED._replace(keys=True))) == ("in_sync", (), "")


@pytest.mark.parametrize(("which", "other"), [("primary", "secondary"), ("secondary", "primary")])
def test_one_key_is_changed_and_never_both(which: str, other: str) -> None:
    one = verdict(KEYS, found(), WANTED._replace(rotate=which))
    assert short(one) == ("drifted", ("rotation",), "rotate")
    assert which in one.after
    assert other not in one.after


def test_keys_of_a_rule_that_is_made_now_are_new_already() -> None:
    assert short(verdict(KEYS, found(reader=None), WANTED._replace(rotate="primary"))) == ("in_sync", (), "")


def test_keys_of_somebody_elses_rule_are_not_changed() -> None:
    one = verdict(KEYS, theirs(), THEIRS._replace(rotate="primary"))
    assert short(one) == ("blocked", ("rotation",), "")


# -- going ------------------------------------------------------------------------------------------------------------

GONE = WANTED._replace(present=False)


def test_all_of_ours_goes_children_first_but_for_the_group() -> None:
    asked = [(part, one.action) for part, one in plans.plan(GONE, found()).items()]
    assert asked == [
        (CONSUMERS, "delete"),
        (READER, "delete"),
        (HUB, "delete"),
        (WRITER, "delete"),
        (NAMESPACE, "delete"),
        (GROUP, ""),
    ]


def test_nothing_there_is_nothing_to_remove() -> None:
    assert {short(one) for one in plans.plan(GONE, Found(group=True)).values()} == {("in_sync", (), "")}


def test_a_namespace_with_another_hub_stays() -> None:
    observed = found(hubs={OURS: hub(), "orders": hub("Orders")})
    assert NAMESPACE not in actions(observed, GONE)
    assert "Orders" in verdict(NAMESPACE, observed, GONE).reason
    assert actions(observed, GONE)[HUB] == "delete"


def test_in_our_namespace_all_that_is_named_is_ours() -> None:
    observed = theirs(namespace=namespace())
    assert set(actions(observed, THEIRS._replace(present=False))) == {CONSUMERS, READER, HUB, WRITER, NAMESPACE}


def test_in_somebody_elses_namespace_ours_goes_by_name() -> None:
    assert set(actions(found(**FOREIGN), GONE)) == {CONSUMERS, READER, HUB, WRITER}


def test_what_has_no_name_of_ours_stays_in_somebody_elses_namespace() -> None:
    verdicts = plans.plan(THEIRS._replace(present=False), theirs())
    assert [one.action for one in verdicts.values()] == [""] * 6
    assert {part for part, one in verdicts.items() if "kept: " in one.reason} == set(PARTS) - {GROUP}


def test_a_consumer_group_is_ours_by_its_metadata_too() -> None:
    observed = theirs(consumer_groups={"siem": OURS})
    assert actions(observed, THEIRS._replace(present=False)) == {CONSUMERS: "delete"}


@pytest.mark.parametrize("field", ["writer_rule", "consumer_group"])
def test_what_azure_made_is_never_removed(field: str) -> None:
    name = {"writer_rule": "RootManageSharedAccessKey", "consumer_group": "$Default"}[field]
    part = {"writer_rule": WRITER, "consumer_group": CONSUMERS}[field]
    assert verdict(part, found(), GONE._replace(**{field: name})).action == ""


def test_the_rule_that_azure_made_may_be_the_writer() -> None:
    root = WANTED._replace(writer_rule="RootManageSharedAccessKey")
    assert short(verdict(WRITER, found(), root)) == ("in_sync", (), "")
    less = found(writer=frozenset({"Listen"}))
    assert short(verdict(WRITER, less, root)) == ("blocked", ("rights",), ""), "not ours to change either"
