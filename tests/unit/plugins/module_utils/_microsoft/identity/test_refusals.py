# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entra's refusals of an app that signs in as itself: each has its one step and its owner."""

from __future__ import annotations

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import SignInError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.findings import CUSTOMER, PROVIDER
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import refusals
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity.refusals import cure, whose

# Number -> owner, piece of the step.
CODES = {
    7000215: (PROVIDER, "client_secret"),
    7000222: (PROVIDER, "new client secret"),
    7000218: (PROVIDER, "client_certificate_path"),
    700016: (CUSTOMER, "consent"),
    7000229: (CUSTOMER, "consent"),
    65001: (CUSTOMER, "consent"),
    90002: (PROVIDER, "no such tenant"),
    900023: (PROVIDER, "not one"),
    90038: (PROVIDER, "cloud"),
    53003: (CUSTOMER, "Conditional Access"),
    530003: (CUSTOMER, "Conditional Access"),
    50076: (CUSTOMER, "multi-factor"),
    50079: (CUSTOMER, "multi-factor"),
    53011: (CUSTOMER, "risk"),
    7000112: (CUSTOMER, "enable"),
    500011: (CUSTOMER, "cloud"),
    650052: (CUSTOMER, "license"),
    50034: (PROVIDER, "client_id"),
    50194: (PROVIDER, "multitenant"),
    700027: (PROVIDER, "certificate"),
    700024: (PROVIDER, "clock"),
    500133: (PROVIDER, "clock"),
    700213: (PROVIDER, "issuer, subject and audience"),
    500213: (CUSTOMER, "cross-tenant"),
    500021: (PROVIDER, "tenant restrictions"),
    90033: ("", "run again"),
    50196: ("", "throttles"),
}


@pytest.mark.parametrize("number", CODES)
def test_a_code_has_its_step_and_owner(number: int) -> None:
    owner, piece = CODES[number]
    found = cure(f"AADSTS{number}")
    assert found.owner == owner
    assert piece in found.step


def test_no_code_stands_twice_and_none_is_left_to_the_general_step() -> None:
    named = [number for _cure, numbers in refusals._ROWS for number in numbers.split()]
    assert len(named) == len(set(named)) == len(refusals.CURES)
    assert all(number.isdecimal() for number in named)
    assert refusals.OTHER not in refusals.CURES.values()
    assert cure("AADSTS1").step == refusals.OTHER_STEP


def test_every_absence_has_a_cure() -> None:
    assert refusals.CURES.keys() >= refusals.NOT_CONSENTED | refusals.NOT_PROVISIONED


def test_in_another_tenant_than_the_customers_everything_is_the_providers() -> None:
    error = SignInError("sign in", "no", code="AADSTS700016", owner=CUSTOMER)
    assert whose(error, "customer", "customer") == CUSTOMER
    assert whose(error, "provider", "customer") == PROVIDER
    assert whose(SignInError("sign in", "no"), "customer", "customer") == PROVIDER
