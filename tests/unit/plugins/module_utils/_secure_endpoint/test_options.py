# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrong options are told before anything is sent, all at once."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._secure_endpoint import options

GOOD: dict[str, Any] = {
    "client_id": "2cee1c2632a2e9d63f53", "api_key": "key", "secret_file": "/x", "streams": [{"name": "SIEM"}]
}  # fmt: skip


def checked(**given: Any) -> options.Setup:
    found = ArgumentSpecValidator(options.CONVERGE_SPEC, **options.RULES).validate({**GOOD, **given})
    assert not found.error_messages
    return options.setup(found.validated_parameters)


def test_what_is_right_is_typed() -> None:
    found = checked(streams=[{"name": "SIEM", "event_types": []}])
    assert found.streams == (options.Named("SIEM", (), None),)
    assert found.identity.urls == options.API_URLS


@pytest.mark.parametrize(
    "given",
    [
        {"api_urls": []},
        {"api_urls": ["http://api.amp.cisco.com"]},
        {"api_urls": ["https://api.amp.cisco.com/v1"]},
        {"client_id": "two words"},
        {"streams": []},
        {"streams": [{"name": ""}]},
        {"streams": [{"name": "two\nlines"}]},
        {"streams": [{"name": "SIEM"}, {"name": "SIEM"}]},
        {"streams": [{"name": f"SIEM {number}"} for number in range(6)]},
    ],
)
def test_what_is_wrong_is_told(given: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        checked(**given)
