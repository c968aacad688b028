# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the playbook, and what verify and preflight say. Pure."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.playbook import freshness, graph
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.playbook.api import Alert, PlaybookRun
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.playbook.freshness import Seen
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.playbook.graph import Request
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.playbook.plan import (
    TAG,
    Configuration,
    Found,
    Playbook,
    Policy,
    Wanted,
    definition,
    left_behind,
    plan,
)  # fmt: skip
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.playbook.profile import profile
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.preflight import expiry

REQUEST = Request("https://t.example/x", "Bearer", "", "canary", {"id": "short_id"}, {}, {})
WANTED = Wanted("Sync", REQUEST)
TRIGGER = Configuration("T", "Sync", graph.ALERT_CREATED, {})
MODULE = Configuration("M", "Sync", graph.SEKOIA_MODULE, {})
POLICY = Policy(profile(None))
NODES = graph.parsed(graph.built(REQUEST, "t.example", "T", "M", secrets=False))
GOOD = Playbook("P", "Sync", "enabled", frozenset({TAG}), frozenset(), NODES, (("T", graph.ALERT_CREATED),))
ALL = Found((GOOD,), (TRIGGER,), (MODULE,))


def said(found: Found, wanted: Wanted = WANTED, policy: Policy = POLICY) -> tuple[str, tuple[str, ...], str]:
    verdict = plan(wanted, found, policy)
    assert "canary" not in str(verdict._replace(after=None, subject=None))
    return verdict.status, verdict.drift, verdict.action


@pytest.mark.parametrize(("found", "expected"), [
    (ALL, ("in_sync", (), "")),
    (Found(), ("drifted", ("missing",), "create")),
    (ALL._replace(playbooks=(GOOD._replace(configurations=()),)), ("drifted", ("never_fires",), "update")),
    (ALL._replace(triggers=()), ("drifted", ("never_fires",), "update")),
    (ALL._replace(triggers=(TRIGGER._replace(uuid="U"),)), ("drifted", ("never_fires",), "update")),
    (ALL._replace(triggers=(TRIGGER._replace(value={"rule_filter": "x"}),)),
     ("drifted", ("trigger_filter",), "update")),
    (ALL._replace(modules=()), ("drifted", ("module_configuration",), "update")),
    (ALL._replace(playbooks=(GOOD._replace(status="disabled"),)), ("drifted", ("disabled",), "update")),
    (ALL._replace(playbooks=(GOOD._replace(status="disabled"),), errors=["e"] * 5), ("blocked", ("disabled",), "")),
    (ALL._replace(playbooks=(GOOD._replace(issues=frozenset({"configuration_issues"})),)),
     ("blocked", ("configuration_issues",), "")),
    (ALL._replace(playbooks=(GOOD._replace(tags=frozenset()),)), ("blocked", ("foreign",), "")),
    (ALL._replace(playbooks=(GOOD, GOOD._replace(uuid="Q"))), ("blocked", ("duplicate",), "")),
    (ALL._replace(triggers=(TRIGGER, TRIGGER._replace(uuid="U"))), ("in_sync", (), "")),
    (Found((), (TRIGGER, TRIGGER._replace(uuid="U"))), ("blocked", ("duplicate",), "")),
    (ALL._replace(stale=frozenset({"P"})), ("drifted", ("secret_changed",), "update")),
    (ALL._replace(stale=frozenset({"other"})), ("in_sync", (), "")),
])  # fmt: skip
def test_the_verdict(found: Found, expected: Any) -> None:
    assert said(found) == expected


def test_what_five_errors_have_switched_off_is_switched_on_when_asked_or_with_what_else_is_put_right() -> None:
    off = ALL._replace(playbooks=(GOOD._replace(status="disabled"),), errors=["e"] * 5)
    verdict = plan(WANTED, off, POLICY._replace(restart=True))
    assert (verdict.action, verdict.due("never"), "5 errors in a row: e" in verdict.reason) == ("update", True, True)
    assert said(off._replace(stale=frozenset({"M"})))[2] == "update"


def test_leaving_takes_what_is_left_of_ours_and_nothing_else() -> None:
    leaving = POLICY._replace(leaving=True)
    assert said(ALL, policy=leaving) == ("drifted", ("unexpected",), "delete")
    assert said(Found((), (), (MODULE,)), policy=leaving) == ("drifted", ("unexpected",), "delete")
    assert said(Found(), policy=leaving) == ("in_sync", (), "")
    foreign = ALL._replace(playbooks=(GOOD._replace(tags=frozenset()),))
    for wanted in (WANTED, WANTED._replace(uuid="P")):
        assert said(foreign, wanted, policy=leaving) == ("blocked", ("foreign",), "")


def test_a_playbook_that_is_named_by_uuid_is_taken_over_with_its_tags() -> None:
    foreign = GOOD._replace(tags=frozenset({"theirs"}), name="Old")
    assert said(ALL._replace(playbooks=(foreign,)), WANTED._replace(uuid="P")) == ("drifted", ("name",), "update")
    assert said(Found(), WANTED._replace(uuid="P")) == ("blocked", ("missing",), "")
    assert definition(WANTED, "T", "M", foreign.tags)["tags"] == [TAG, "theirs"]


def test_others_of_ours_that_are_on_are_told() -> None:
    others = [GOOD, GOOD._replace(name="Old", uuid="O"), GOOD._replace(name="Off", status="disabled")]
    others.append(GOOD._replace(name="Theirs", tags=frozenset()))
    assert [one.target for one in left_behind(WANTED, others, POLICY.profile)] == ["Old (O)"]


NOW = 100_000.0
ALERT = Alert("a", "AL1", NOW - 5000, "r")
RUN = PlaybookRun("r", "finished", NOW - 4990)


@pytest.mark.parametrize(("seen", "state", "code"), [
    (Seen(GOOD, True, ALERT, [RUN]), "flowing", ""),
    (Seen(GOOD, True, None, []), "quiet", ""),
    (Seen(GOOD, False, ALERT, [RUN]), "stale", "disabled"),
    (Seen(GOOD, True, ALERT, []), "stale", "not_started"),
    (Seen(GOOD, True, ALERT, [RUN._replace(started=NOW - 6000)]), "stale", "not_started"),
    (Seen(GOOD, True, ALERT._replace(created=NOW - 30), [RUN]), "pending", ""),
    (Seen(GOOD, True, ALERT, [RUN._replace(status="running")]), "pending", ""),
    (Seen(GOOD, True, ALERT, [RUN._replace(status="error", error="e")]), "stale", "run_failed"),
    (Seen(GOOD, True, ALERT, [RUN._replace(status="a word of tomorrow")]), "unreadable", "run_status"),
    (Seen(GOOD, True, ALERT, [RUN], "HTTP 503"), "stale", "not_delivered"),
])  # fmt: skip
def test_what_verify_says(seen: Seen, state: str, code: str) -> None:
    flow = freshness.flow("Sync", seen, NOW)
    assert (flow.state, flow.code) == (state, code)
    assert flow.state in ("flowing", "quiet", "pending") or flow.next_step


@pytest.mark.parametrize(("nodes", "uuid", "told"), [
    ({"1": ("d", "finished"), "2": ("s", "finished")}, "", ""),
    ({"1": ("d", "finished"), "2": ("s", "error")}, "s", "did not take it"),
    ({"1": ("d", "error"), "3": ("n", "error")}, "d", "not reached"),
    ({"1": ("d", "finished"), "2": ("s", "skipped")}, "", "'skipped'"),
    ({}, "", "not reached"),
])  # fmt: skip
def test_only_a_block_that_has_sent_has_sent(nodes: dict[str, tuple[str, str]], uuid: str, told: str) -> None:
    failed, why = freshness.unsent(GOOD, RUN._replace(nodes=nodes))
    assert (failed, bool(why)) == (uuid, bool(told))
    assert told in why


@pytest.mark.parametrize(("last", "status", "advised"), [
    (None, "ok", True), (date(2026, 1, 1), "missing", True),
    (date(2026, 6, 20), "ok", True), (date(2027, 1, 1), "ok", False),
])  # fmt: skip
def test_the_end_of_the_key(last: date | None, status: str, advised: bool) -> None:
    finding = expiry(last, date(2026, 6, 1), "somebody", "make another")
    assert (finding.status, bool(finding.next_step)) == (status, advised)
