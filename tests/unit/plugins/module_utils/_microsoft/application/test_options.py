# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the provider's app that are checked by hand."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.application import options

HOME = "10000000-0000-4000-8000-000000000000"


def application(**given: Any) -> options.Wanted:
    spec = options.MODULE_SPEC
    found = ArgumentSpecValidator(spec, **options.RULES).validate({"tenant_id": HOME, "access_token": "t", **given})
    assert not found.error_messages
    return options.setup(found.validated_parameters).wanted


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"access_token": None, "client_secret": "s"}, "access_token is needed"),
        ({"unique_name": "a'b"}, "unique_name"),
        ({"unique_name": ""}, "unique_name"),
        ({"redirect_uris": ["http://x.example"]}, "https"),
        ({"redirect_uris": ["http://localhost.evil.example"]}, "https"),
        ({"redirect_uris": ["https:///x"]}, "https"),
        ({"secret_days": 0}, "secret_days"),
        ({"secret_days": 731}, "secret_days"),
        ({"certificate_grace_days": -1}, "certificate_grace_days"),
    ],
)
def test_wrong_options_are_said(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        application(**given)


def test_right_options_are_taken() -> None:
    found = application(redirect_uris=["http://localhost:8080/", "https://x.example"], secret_days=730)
    assert found.redirect_uris == ("http://localhost:8080/", "https://x.example")
