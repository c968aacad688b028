# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values about Event Hubs: answers taken by meaning, bodies, and options with their limits."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub import api
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub import options as specs
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub.plan import (
    CONSUMERS,
    GROUP,
    HUB,
    NAMESPACE,
    READER,
    WRITER,
    Found,
    Wanted,
)
from tests.unit.plugins.module_utils._microsoft.event_hub.test_capability import (
    OURS,
    PARAMS,
    RAW_HUB,
    RAW_NAMESPACE,
    SUBSCRIPTION,
    changed,
)


def test_a_namespace_of_somebody_else_has_no_tag_of_ours() -> None:
    assert api.parse_namespace(RAW_NAMESPACE).ours
    assert not api.parse_namespace({**RAW_NAMESPACE, "tags": {"team": "mssp-onboarding"}}).ours
    assert not api.parse_namespace({**RAW_NAMESPACE, "tags": None}).ours


def test_retention_in_days_where_hours_are_not_told() -> None:
    old = changed(RAW_HUB, retentionDescription=None, messageRetentionInDays=3)
    assert api.parse_hub(old).retention_hours == 72


@pytest.mark.parametrize(
    ("policy", "compact"), [("Compact", True), ("Compaction", True), ("Delete", False), (None, False)]
)
def test_compacted_hubs_are_known(policy: str | None, compact: bool) -> None:
    assert api.parse_hub(changed(RAW_HUB, retentionDescription={"cleanupPolicy": policy})).compact is compact


def test_a_disabled_hub_is_known() -> None:
    assert not api.parse_hub(changed(RAW_HUB, status="SendDisabled")).active
    assert api.parse_hub(changed(RAW_HUB, status=None)).active


WANTED: Wanted = specs.wanted(PARAMS)


def test_what_is_made_is_marked_where_azure_has_a_place_for_it() -> None:
    after = {"location": "westeurope"}
    assert api.body(GROUP, after, Found(), WANTED)["tags"] == {OURS: "event_hub_export"}
    assert api.body(CONSUMERS, {}, Found(), WANTED) == {"properties": {"userMetadata": OURS}}


def test_every_part_has_its_place() -> None:
    ids = api.EventHubs(None, SUBSCRIPTION, WANTED).ids  # type: ignore[arg-type]
    assert ids[READER].startswith(ids[HUB] + "/")
    assert ids[CONSUMERS].startswith(ids[HUB] + "/")
    assert ids[HUB].startswith(ids[NAMESPACE] + "/")
    assert ids[WRITER].startswith(ids[NAMESPACE] + "/authorizationRules/")


WRONG = [
    ({"subscription_id": "x"}, "GUID"),
    ({"namespace": "a"}, "namespace"),
    ({"namespace": "evh-siem-"}, "namespace"),
    ({"resource_group": "rg."}, "resource_group"),
    ({"hub": "a/b"}, "hub"),
    ({"consumer_group": "$Other"}, "consumer_group"),
    ({"reader_rule": ""}, "reader_rule"),
    ({"sku": "basic"}, "24 hours"),
    ({"sku": "basic", "retention_hours": 24}, "$Default"),
    ({"retention_hours": 169}, "168"),
    ({"retention_hours": 0}, "1 to 168"),
    ({"partition_count": 33}, "32 partitions"),
    ({"partition_count": 0}, "1 to 32"),
    ({"state": "absent", "rotate": "primary"}, "present"),
    ({"state": "absent", "return_keys": True}, "present"),
]


@pytest.mark.parametrize(("given", "words"), WRONG)
def test_wrong_options_are_told_before_anything_is_sent(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        specs.wanted({**PARAMS, **given})
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {"sku": "basic", "retention_hours": 24, "consumer_group": "$Default"},
        {"sku": "premium", "retention_hours": 2160, "partition_count": 100},
        {"retention_hours": 1, "partition_count": 1},
        {"state": "absent", "retention_hours": 9999},
    ],
)
def test_options_at_their_limits(given: dict[str, Any]) -> None:
    assert specs.wanted({**PARAMS, **given})
