# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions that break once a workspace is onboarded to Defender, wherever they stand in a rule."""

from __future__ import annotations

from typing import Any

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync.automation import broken


def asks(name: str) -> dict[str, Any]:
    return {"conditionType": "Property", "conditionProperties": {"propertyName": name, "operator": "Equals"}}


def rule(*conditions: dict[str, Any], enabled: bool = True) -> dict[str, Any]:
    logic = {"isEnabled": enabled, "conditions": list(conditions)}
    return {"name": "guid", "properties": {"displayName": "Close noise", "triggeringLogic": logic}}


def test_each_condition_that_breaks_is_named_once_with_its_replacement() -> None:
    inner = {"conditionType": "Boolean", "conditionProperties": {"operator": "And", "innerConditions": [
        asks("IncidentTitle"), asks("IncidentTitle")]}}  # fmt: skip
    found = broken(rule(asks("IncidentSeverity"), asks("IncidentProviderName"), inner))
    assert [(one.rule, one.instead) for one in found] == [
        ("Close noise", "Alert product names"),
        ("Close noise", "Analytic rule name"),
    ]


def test_a_rule_that_is_off_or_asks_for_neither_is_fine() -> None:
    assert broken(rule(asks("IncidentTitle"), enabled=False)) == []
    assert broken(rule(asks("AlertProductNames"))) == []
    assert broken({"name": "guid", "properties": {}}) == []
