# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options are refused with every reason before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.defender_xdr import options

GUID = "20000000-0000-4000-8000-000000000001"
HUB = {"subscription_id": GUID, "resource_group": "rg", "namespace": "evh-siem"}


def setup(**given: Any) -> options.Setup:
    base = {"tenant_id": GUID, "client_id": GUID, "client_secret": "s"}
    found = ArgumentSpecValidator(options.STREAM_SPEC).validate({**base, **given})
    assert not found.error_messages, found.error_messages
    return options.setup(found.validated_parameters)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"ways": []}, "ways must name"),
        ({"ways": ["streaming"]}, "namespace is needed for streaming"),
        ({"ways": ["continuous_export"]}, "resource_group is needed for continuous_export"),
        ({"ways": ["streaming"], "tables": [], **HUB}, "tables must name"),
        ({"ways": ["continuous_export"], "export_sources": [], **HUB}, "export_sources must name"),
        ({"export_name": "a/b"}, "export_name"),
        ({"export_resource_group": "a/b"}, "export_resource_group"),
        ({"export_subscription_ids": ["x"]}, "GUIDs"),
        ({"window_hours": 721}, "30 days"),
        ({"ways": ["streaming"], **HUB, "namespace": "x y"}, "namespace"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        setup(**given)


def test_graph_alone_needs_no_hub() -> None:
    found = setup()
    assert (found.hub, found.ways) == (None, ("alerts", "incidents"))


def test_an_export_is_of_the_hubs_subscription_unless_others_are_named() -> None:
    assert setup(ways=["continuous_export"], **HUB).export.subscriptions == (GUID,)
    assert setup(ways=["continuous_export"], export_subscription_ids=[GUID.upper(), GUID], **HUB).export == (
        "mssp-onboarding", ("Alerts",), (GUID,), "rg",
    )  # fmt: skip
