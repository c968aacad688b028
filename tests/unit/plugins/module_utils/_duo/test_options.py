# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wanted is checked once, and all that is wrong is said at once."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._duo.options import (
    CONVERGE_SPEC,
    NAME,
    RULES,
    Setup,
    setup,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._duo.plan import Kept

GOOD: dict[str, Any] = {"api_host": "API-1.duosecurity.com", "integration_key": "DI1", "secret_key": "s"}


def typed(**given: Any) -> Setup:
    found = ArgumentSpecValidator(CONVERGE_SPEC, **RULES).validate({**GOOD, **given})
    assert not found.error_messages, found.error_messages
    return setup(found.validated_parameters)


def test_parameters_are_typed() -> None:
    found = typed(state="absent", kept=[{"account": "DA1", "integration_key": "DI2", "secret_key": "t"}])
    assert (found.identity.host, found.identity.port, found.policy.caller) == ("api-1.duosecurity.com", "", "DI1")
    assert (found.policy.leaving, found.kept) == (True, {"DA1": Kept("DI2", "t")})
    assert (found.application.name, found.application.permissions) == (NAME, {"adminapi_read_log"})
    assert found.application.networks is None
    assert typed(api_host="localhost:8443").identity.port == ":8443"
    assert typed(application={"networks": ["192.0.2.1"]}).application.networks == {"192.0.2.1/32"}


def test_every_reason_is_said() -> None:
    application = {"name": " x", "integration_key": "di", "permissions": [], "networks": ["here"]}
    with pytest.raises(InputError) as caught:
        typed(api_host="https://x", application=application, child_accounts=["all"])
    words = ("api_host", "application.name", "integration_key", "permissions", "'here'", "child account")
    assert all(word in caught.value.message for word in words)


def test_one_key_alone_is_refused() -> None:
    given = {"api_host": "h", "integration_key": "DI1"}
    assert ArgumentSpecValidator(CONVERGE_SPEC, **RULES).validate(given).error_messages
