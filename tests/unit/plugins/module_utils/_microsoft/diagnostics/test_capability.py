# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run over resources says: its subscriptions, its stages, and the destinations that refuse."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import (
    CORRECTED,
    DRIFTED,
    IN_SYNC,
    SKIPPED,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._core.verdict import Record, Verdict
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm.resources import Target
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import capability
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics.api import Session
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics.capability import (
    MAX_SINK_REFUSALS,
    Diagnostics,
    Subject,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics.options import wanted
from tests.unit.plugins.module_utils._microsoft.builders import HUB_RULE, VAULT, WORKSPACE, setting
from tests.unit.plugins.module_utils._microsoft.diagnostics.test_options import parameters
from tests.unit.plugins.module_utils._microsoft.scripts_of_http import answer, scripted

SHOWN = {"name": "x", "properties": {}}
REFUSED = {"error": {"code": "LinkedAuthorizationFailed", "message": "no right"}}


def verdict(name: str, *, subscription: str = "s1", **given: Any) -> Verdict:
    target = Target(f"/subscriptions/{subscription}/{name}", "type", subscription)
    facts = {"subscription": subscription, "type": "type"}
    values: dict[str, Any] = {"action": "create", "after": setting()} | given
    return Verdict(target.id, DRIFTED, ("missing",), subject=Subject(target, VAULT), facts=facts, **values)


def record(name: str, status: str = CORRECTED, **given: Any) -> Record:
    return Record(verdict(name, **given), status)


def test_what_is_sent_goes_before_what_is_removed() -> None:
    gone = record("a", action="delete", before=setting(), after=None)
    sent = record("b")
    assert Diagnostics().stages([gone, sent]) == [[sent], [gone]]
    assert Diagnostics().stages([gone]) == [[gone]]


@pytest.mark.parametrize("code", ["LinkedAuthorizationFailed", "AuthorizationFailed"])
def test_a_destination_that_refuses_is_not_tried_for_ever(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    body = {"error": {"code": code, "message": "no right"}}
    arm, _script, _clock, _tokens = scripted(monkeypatch, *[answer(403, body)] * MAX_SINK_REFUSALS)
    session, azure, wish = Session(arm), Diagnostics(), wanted(parameters())
    for number in range(MAX_SINK_REFUSALS):
        assert azure.veto(session, verdict("next"), {}) is None, f"after {number} refusals"
        with pytest.raises(RefusedError):
            asyncio.run(azure.apply(session, wish, verdict(str(number))))
    vetoed = azure.veto(session, verdict("next"), {})
    assert (vetoed is not None) == (code == "LinkedAuthorizationFailed"), "others say nothing of the destination"
    other = setting(sinks={"event_hub_authorization_rule_id": HUB_RULE})
    assert azure.veto(session, verdict("next", after=other), {}) is None, "another destination may take it"


LAW = WORKSPACE.rpartition("/")[2]
GONE = {
    "the workspace": ("ResourceNotFound", 404, f"The Resource 'Microsoft.OperationalInsights/workspaces/{LAW}' under "
                      "resource group 'rg-sentinel' was not found."),
    "its group": ("ResourceGroupNotFound", 404, "Resource group 'rg-sentinel' could not be found."),
    "in other words": ("BadRequest", 400, f"Workspace {WORKSPACE} does not exist."),
}  # fmt: skip


@pytest.mark.parametrize("case", GONE)
def test_a_destination_that_is_gone_is_told_and_asked_a_few_times_only(
    monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """All targets at once, as with the default concurrency."""
    code, status, text = GONE[case]
    refusal = answer(status, {"error": {"code": code, "message": text}})
    arm, script, _clock, _tokens = scripted(monkeypatch, *[refusal] * 40)
    session, azure, wish = Session(arm), Diagnostics(), wanted(parameters())

    async def all_at_once() -> list[Any]:
        writes = [azure.apply(session, wish, verdict(str(number))) for number in range(40)]
        return await asyncio.gather(*writes, return_exceptions=True)

    errors = asyncio.run(all_at_once())
    assert len(script.requests) == MAX_SINK_REFUSALS
    assert [error.code for error in errors[:MAX_SINK_REFUSALS]] == [code] * MAX_SINK_REFUSALS
    assert f"{WORKSPACE} is gone" in errors[0].next_step
    assert {error.code for error in errors[MAX_SINK_REFUSALS:]} == {"NotTried"}


def test_a_target_that_is_gone_says_nothing_of_the_destination(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "The Resource 'Microsoft.KeyVault/vaults/kv' under resource group 'rg' was not found."
    arm, _script, _clock, _tokens = scripted(
        monkeypatch, answer(404, {"error": {"code": "ResourceNotFound", "message": text}})
    )
    session = Session(arm)
    with pytest.raises(RefusedError) as caught:
        asyncio.run(Diagnostics().apply(session, wanted(parameters()), verdict("kv")))
    assert "run again" in caught.value.next_step
    assert not any(session.refusals.values())


def test_once_a_destination_has_taken_something_all_the_rest_goes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    arm, script, _clock, _tokens = scripted(monkeypatch, *[answer(body=SHOWN)] * 9)
    session, azure, wish = Session(arm), Diagnostics(), wanted(parameters())

    async def all_at_once() -> None:
        await asyncio.gather(*(azure.apply(session, wish, verdict(str(number))) for number in range(9)))

    asyncio.run(all_at_once())
    assert len(script.requests) == 9
    assert len(session.proven) == 1


def test_subscriptions_are_bounded() -> None:
    records = [record("a", subscription=f"s{n}") for n in range(200)]
    assert len(capability.by_subscription(records, {})) == capability.MAX_SUBSCRIPTIONS_SHOWN


def test_subscriptions_with_something_to_say_come_first() -> None:
    records = [record("a", IN_SYNC), record("b", SKIPPED, subscription="s2"), record("c", DRIFTED, subscription="s3")]
    table = capability.by_subscription(records, {"s3": "third"})
    assert next(iter(table.items())) == ("third (s3)", {DRIFTED: 1})


def test_the_message_counts_the_subscriptions() -> None:
    records = [record("a"), record("b"), record("c", subscription="s3")]
    assert Diagnostics().lead(wanted(parameters()), records) == "3 targets in 2 subscriptions"


def test_a_line_of_evidence() -> None:
    line = record("a").line()
    assert {name: line[name] for name in ("target", "subscription", "type", "status", "drift", "action")} == {
        "target": "/subscriptions/s1/a", "subscription": "s1", "type": "type", "status": CORRECTED,
        "drift": ["missing"], "action": "create",
    }  # fmt: skip
    assert (line["before"], line["after"]["name"]) == ({}, "mssp-onboarding")
