# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wanted is checked once, before any request; four clouds by table."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import Limits
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity.options import Watch
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.m365_activity.options import (
    ACTIVITY_SPEC,
    CONVERGE_SPEC,
    PLANS,
    Setup,
    setup,
)

GUID = "20000000-0000-4000-8000-00000000000"
GOOD: dict[str, Any] = {
    "tenant_id": f"{GUID}0",
    "client_id": f"{GUID}1",
    "publisher_id": f"{GUID}A",
    "client_secret": "s",
}


def read(spec: dict[str, Any] = CONVERGE_SPEC, **given: Any) -> Setup:
    found = ArgumentSpecValidator(spec).validate({**GOOD, **given})
    assert not found.error_messages, found.error_messages
    return setup(found.validated_parameters)


@pytest.mark.parametrize("plan", PLANS)
def test_each_plan_has_its_root_and_its_cloud(plan: str) -> None:
    found = read(office_plan=plan, cloud=PLANS[plan].cloud)
    assert found.scope == f"{found.url}/.default"
    hosts = ("manage.office.com", "manage-gcc.office.com", "manage.office365.us", "manage.protection.apps.mil")
    assert found.url == f"https://{hosts[list(PLANS).index(plan)]}"
    assert found.identity.cloud.authority.endswith(".us" if plan in ("gcc_high", "dod") else ".com")


def test_another_address_has_the_plans_tokens() -> None:
    found = read(api_url="https://proxy.example/")
    assert (found.url, found.scope) == ("https://proxy.example", "https://manage.office.com/.default")


def test_the_types_are_in_one_order_and_the_publisher_in_one_spelling() -> None:
    found = read(content_types=["DLP.All", "Audit.Exchange", "DLP.All"])
    assert (found.types, found.publisher) == (("Audit.Exchange", "DLP.All"), f"{GUID}a")
    assert read().types == ("Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General")


def test_another_spelling_is_refused() -> None:
    found = ArgumentSpecValidator(CONVERGE_SPEC).validate({**GOOD, "content_types": ["Audit.Sharepoint"]})
    assert "Audit.Sharepoint" in found.error_messages[0]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"office_plan": "gcc_high"}, "azure_public, which has enterprise, gcc"),
        ({"cloud": "azure_china"}, "which has none"),
        ({"publisher_id": "proseware"}, "publisher_id"),
        ({"api_url": "http://x"}, "api_url"),
        ({"content_types": []}, "content_types"),
    ],
)
def test_what_cannot_be_right_is_said(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        read(**given)
    assert words in caught.value.message


@pytest.mark.parametrize("hours", [0, 169])
def test_verify_looks_back_as_far_as_content_is_kept(hours: int) -> None:
    with pytest.raises(InputError):
        read(ACTIVITY_SPEC, window_hours=hours)


def test_the_window_and_the_limits_are_those_of_the_task() -> None:
    given = read(ACTIVITY_SPEC, window_hours=24, grace_minutes=30, stale_hours=2).watch
    assert given == Watch(timedelta(hours=24), Limits(1800, 7200))
    assert read(ACTIVITY_SPEC).watch == read().watch == Watch(timedelta(days=7), Limits(3 * 3600, 24 * 3600))
