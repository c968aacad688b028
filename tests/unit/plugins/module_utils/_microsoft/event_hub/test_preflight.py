# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight of an Event Hub: which right is missing, where it is looked for, and which step brings it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.findings import Finding
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub import options as specs
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub import preflight as access
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub.api import EventHubs
from tests.unit.plugins.module_utils._microsoft.event_hub.test_capability import NO_GROUP, SUBSCRIPTION
from tests.unit.plugins.module_utils._microsoft.scripts_of_http import HOME, IDENTITY, OTHER, Script, answer, scripted

PARAMS = {"subscription_id": SUBSCRIPTION, "resource_group": "rg-siem", "namespace": "evh-siem", "hub": "logs"}
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-siem"
REGISTERED = answer(200, {"registrationState": "Registered"})
THERE = answer(200, {"name": "rg-siem"})
REFUSED = answer(403, {"error": {"code": "AuthorizationFailed", "message": "no"}})
ODD = answer(200, {})
CATEGORIES = answer(200, {"value": [{"name": "AuditLogs", "properties": {"categoryType": "Logs"}}]})


def may(*actions: str) -> Any:
    return answer(200, {"value": [{"actions": list(actions), "notActions": []}]})


def look(
    monkeypatch: pytest.MonkeyPatch, *answers: Any, sign_in: str = HOME, entra: bool = False
) -> tuple[dict[str, Finding], Script]:
    """Findings by check."""
    arm, script, _clock, _tokens = scripted(monkeypatch, *answers)
    setup = specs.setup({**IDENTITY, **PARAMS, "managing_tenant_id": sign_in})
    preflight = access.Preflight(EventHubs(arm, SUBSCRIPTION, setup.hub), setup)
    asyncio.run(preflight.entra() if entra else preflight.run())
    assert script.answers == []
    return {one.check: one for one in preflight.findings}, script


def test_rights_on_the_group_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    found, script = look(monkeypatch, REGISTERED, THERE, may("Microsoft.EventHub/*"))
    assert [one.status for one in found.values()] == ["ok", "ok", "ok"]
    assert {one.who for one in found.values()} == {""}
    assert f"{GROUP}/providers/Microsoft.Authorization/permissions" in script.requests[-1].url
    assert "/providers/Microsoft.EventHub?" in script.requests[0].url


def test_rights_on_the_subscription_where_the_group_is_to_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    found, script = look(monkeypatch, REGISTERED, NO_GROUP, may("Microsoft.EventHub/*"))
    lacks = found["make_event_hub"]
    assert (lacks.status, lacks.detail) == ("missing", f"lacks {access.GROUP_ACTION}")
    assert (lacks.who, lacks.subject) == ("customer's administrator", f"/subscriptions/{SUBSCRIPTION}")
    assert lacks.next_step.startswith(f"az role assignment create --assignee {HOME}")
    assert f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization" in script.requests[-1].url
    well, _script = look(monkeypatch, REGISTERED, NO_GROUP, may("*"))
    assert well["make_event_hub"].status == "ok"


def test_by_lighthouse_the_role_is_delegated(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _script = look(monkeypatch, REGISTERED, THERE, may("*/read"), sign_in=OTHER)
    assert found["make_event_hub"].next_step == f"delegate Contributor on {GROUP} by Azure Lighthouse"


def test_a_provider_that_is_not_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    state = answer(200, {"registrationState": "NotRegistered"})
    found, _script = look(monkeypatch, state, THERE, may("*"))
    one = found["provider_registered"]
    assert (one.status, one.detail) == ("missing", "Microsoft.EventHub is NotRegistered")
    assert one.next_step == f"az provider register --namespace Microsoft.EventHub --subscription {SUBSCRIPTION}"


def test_a_refusal_is_a_missing_right_with_the_grant(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _script = look(monkeypatch, REFUSED, REFUSED)
    for check in ("provider_registered", "make_event_hub"):
        assert (found[check].status, found[check].detail) == ("missing", "AuthorizationFailed: no")
        assert '--role "Contributor"' in found[check].next_step


def test_what_cannot_be_read_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _script = look(monkeypatch, ODD, THERE, ODD)
    for check in ("provider_registered", "make_event_hub"):
        assert found[check].status == "unknown"
        assert "az role" not in found[check].next_step, "no right is known to be missing"


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ((answer(200, {"value": []}), CATEGORIES), "ok"),
        ((answer(200, {"value": []}), REFUSED), "missing"),
        ((REFUSED,), "missing"),
        ((ODD,), "unknown"),
    ],
)
def test_entras_settings(monkeypatch: pytest.MonkeyPatch, given: Any, status: str) -> None:
    found, script = look(monkeypatch, *given, entra=True)
    assert found["entra_settings"].status == status
    assert ("elevateAccess" in found["entra_settings"].next_step) == (status == "missing")
    assert "/providers/microsoft.aadiam/diagnosticSettings?" in script.requests[0].url
