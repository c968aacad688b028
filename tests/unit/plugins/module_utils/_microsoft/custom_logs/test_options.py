# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wanted is checked once, and all that is wrong is said at once."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.custom_logs.options import setup

from .test_plan import COLUMNS, WORKSPACE

GOOD: dict[str, Any] = {
    "tenant_id": "20000000-0000-4000-8000-000000000000",
    "client_id": "a0000000-0000-4000-8000-00000000000a",
    **dict.fromkeys(("client_secret", "client_certificate_path", "client_certificate_password")),
    **dict.fromkeys(("federated_token_file", "resource_manager_url", "authority_url", "log_analytics_url", "ca_file")),
    "cloud": "azure_public",
    "workspace_id": WORKSPACE + "/",
    "table": "Alert_CL",
    "columns": COLUMNS,
}


def test_what_is_not_given_follows_from_the_rest() -> None:
    found = setup(GOOD)
    assert (found.wanted.group, found.wanted.stream, found.marked) == ("rg", COLUMNS, "Name")
    assert found.wanted.rule_id.startswith("/subscriptions/20000000-0000-4000-8000-000000000003/resourceGroups/rg/")
    assert found.probe_seconds is None
    assert setup({**GOOD, "probe": True, "probe_seconds": 7}).probe_seconds == 7


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"workspace_id": "law-soc"}, "workspace_id"),
        ({"table": "Alert"}, "_CL"),
        ({"rule": "a/b"}, "rule 'a/b'"),
        ({"resource_group": "a/b"}, "resource_group"),
        ({"senders": ["app"]}, "senders"),
        ({"columns": {"Name": "string"}}, "TimeGenerated: datetime"),
        ({"columns": {**COLUMNS, "Type": "string"}}, "'Type'"),
        ({"columns": {**COLUMNS, "a b": "string"}}, "'a b'"),
        ({"columns": {**COLUMNS, "At": "datetim"}}, "did you mean datetime"),
        ({"transform": "Alert_CL | take 1"}, "must begin with source"),
        ({"transform": "source | " + "x" * 16_000}, "15360"),
        ({"stream_columns": {"Name": "string"}}, "TimeGenerated is not sent"),
        ({"stream_columns": {**COLUMNS, "Name": "dynamic"}}, "Name is sent as dynamic and kept as string"),
        ({"probe": True, "probes": False}, "probes is off"),
        ({"probe": True, "columns": {"TimeGenerated": "datetime"}}, "no column of type string"),
    ],
)
def test_what_cannot_be_right_is_said(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        setup({**GOOD, **given})
    assert said in caught.value.message


def test_every_reason_is_said() -> None:
    with pytest.raises(InputError) as caught:
        setup({**GOOD, "table": "x", "rule": "/", "columns": {}})
    assert caught.value.message.count(";") >= 2
