# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the app's presence that are checked by hand, and what becomes of them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.principal import options

TENANT, CLIENT = (f"{n}0000000-0000-4000-8000-000000000000" for n in (6, "a"))


def setup(**given: Any) -> options.Setup:
    needed = {"tenant_id": TENANT, "client_id": CLIENT}
    found = ArgumentSpecValidator(options.MODULE_SPEC, **options.RULES).validate({**needed, **given})
    assert not found.error_messages
    return options.setup(found.validated_parameters)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"redirect_uri": "http://x.example"}, "https"),
        ({"wait_seconds": -1}, "wait_seconds"),
        ({"consent_response": "https://x.example?admin_consent=True"}, "state_key"),
        ({"permissions": {"graph": ["X"]}}, "permissions has the key"),
    ],
)
def test_wrong_options_are_said(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        setup(client_secret="s", **given)


@pytest.mark.parametrize(
    ("given", "able", "own"),
    [
        ({"client_secret": "s"}, False, True),
        ({"access_token": "t"}, True, False),
        ({"access_token": "t", "client_secret": "s"}, True, True),
    ],
)
def test_who_writes_and_who_proves(given: dict[str, Any], able: bool, own: bool) -> None:
    found = setup(**given)
    assert (found.wanted.able, found.own) == (able, own)
