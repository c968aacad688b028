# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options, checked before any request."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync.options import (
    CONVERGE_SPEC,
    FLOW_SPEC,
    Setup,
    setup,
)

GUID = "20000000-0000-4000-8000-00000000000A"
GIVEN = {
    "tenant_id": GUID,
    "client_id": GUID,
    "client_secret": "s",
    "servicenow_url": "https://example.service-now.com/",
    "servicenow_api_key": "k",
    "caller": "mssp",
    "close_code": "Resolved by caller",
}


def parsed(spec: dict[str, Any] = CONVERGE_SPEC, **given: Any) -> Setup:
    found = ArgumentSpecValidator(spec).validate({**GIVEN, **given})
    assert not found.error_messages
    return setup(found.validated_parameters)


def test_what_is_given_is_typed() -> None:
    found = parsed(severities=["high"], state="absent", lookback_hours=48)
    assert (found.desk.url, found.tenant) == ("https://example.service-now.com", GUID.casefold())
    assert (found.policy.severities, found.leaving, found.lookback) == (frozenset({"high"}), True, 172_800.0)
    assert parsed(FLOW_SPEC, stale_hours=3).limits.stale == 10_800.0
    hook = parsed(itsm="webhook", webhook_url="https://x/y", webhook_secret="s", caller=None).desk
    assert (hook.url, hook.password) == ("https://x/y", "s")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"servicenow_api_key": None}, "servicenow_username is needed with itsm: servicenow"),
        ({"caller": ""}, "caller is needed"),
        ({"itsm": "webhook"}, "webhook_secret is needed with itsm: webhook"),
        ({"servicenow_url": "http://example.service-now.com"}, "servicenow_url must be an https URL"),
        ({"servicenow_url": "https://user@example.service-now.com"}, "servicenow_url must be an https URL"),
        ({"servicenow_url": "https://["}, "servicenow_url must be an https URL"),
        ({"marker_field": "x^y"}, "marker_field must be the name of a column"),
        ({"severities": []}, "severities must name at least one"),
        ({"lookback_hours": 0}, "lookback_hours must be 1 to 720"),
        ({"caller": "a^ORactive=true"}, "caller must not have a ^"),
        ({"tenant_id": "x"}, "tenant_id must be a GUID"),
    ],
)
def test_what_cannot_be_right_is_said_before_any_request(given: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why.replace("^", r"\^").replace("[", r"\[")):
        parsed(**given)


@pytest.mark.parametrize("name", ["servicenow_url", "webhook_url"])
@pytest.mark.parametrize("url", ["https://user:s3cret@example.test", "https://example.test/x?sig=s3cret"])
def test_a_secret_in_a_url_is_not_told(name: str, url: str) -> None:
    with pytest.raises(InputError, match=name) as told:
        parsed(**{name: url})
    assert "s3cret" not in str(told.value)
