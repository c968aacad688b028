# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets of connectors in a tenant file: an editor's schema takes them late only, at any depth."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from tests.unit.ansible_tools import ROOT

LATE = "{{ lookup('ansible.builtin.env', 'X') }}"


def fits(secrets: Any) -> bool:
    schema = json.loads((ROOT / "inventories" / "tenant.schema.json").read_text(encoding="utf-8"))
    tenant = {
        "plugin": "mssp.onboarding.tenants",
        "slug": "contoso",
        "name": "Contoso",
        "sources": {"coro_connectors": {"secrets": secrets}},
    }
    return jsonschema.Draft202012Validator(schema).is_valid(tenant)


@pytest.mark.parametrize(
    "secrets", [LATE, {"soc": {"token": LATE}}, {"soc": {"headers": {"X-Key": LATE}}}, {"a": LATE}]
)
def test_late_values_fit(secrets: Any) -> None:
    assert fits(secrets)


@pytest.mark.parametrize("secrets", ["plain", {"soc": {"token": "plain"}}, {"soc": {"headers": {"X-Key": "plain"}}}])
def test_plain_text_does_not(secrets: Any) -> None:
    assert not fits(secrets)
