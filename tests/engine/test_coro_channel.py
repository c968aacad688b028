# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A channel with customers below it: looked at in one task, never written; and what a child may do by itself."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import engines, limits
from lab.client import LabClient

from .coro_engines import CHILDREN, GAMES, KIDS, TAILSPIN, Workspace, actions, counts


@pytest.fixture
def channel(lab: LabClient) -> Workspace:
    return Workspace(lab, TAILSPIN)


def shared(workspace: Workspace, **more: Any) -> dict[str, Any]:
    return workspace.wanted("fluency", "soc", apply_to_all_customers=True, **more)


def test_it_reaches_all_customers_and_each_is_looked_at(channel: Workspace) -> None:
    result = channel.run(shared(channel))
    assert counts(result) == {"in_sync": 3, "corrected": 1}
    assert result["summary"]["customers"] == 3
    assert all("soc" in channel.held(child) for child in CHILDREN)
    again = channel.run(shared(channel))
    assert (again["changed"], counts(again)) == (False, {"in_sync": 4})
    assert len(channel.writes()) == 1


def test_without_all_customers_nobody_below_is_asked(channel: Workspace) -> None:
    result = channel.run(channel.wanted("fluency", "soc"))
    assert (counts(result), result["summary"]["customers"]) == ({"corrected": 1}, 0)
    assert channel.run(shared(channel), check_customers=False)["summary"]["customers"] == 0


def test_toggled_on_and_off(channel: Workspace) -> None:
    channel.run(channel.wanted("fluency", "soc"))
    on = channel.run(shared(channel))
    assert (actions(on), counts(on)) == ([("soc", "update")], {"in_sync": 3, "corrected": 1})
    assert "soc" in channel.held(KIDS)
    off = channel.run(channel.wanted("fluency", "soc"))
    assert (actions(off), off["summary"]["customers"]) == ([("soc", "update")], 3)
    assert all(channel.held(child) == {} for child in CHILDREN)


def test_removed_from_all(channel: Workspace) -> None:
    channel.run(shared(channel))
    gone = channel.run({"name": "soc", "state": "absent"})
    assert counts(gone) == {"in_sync": 3, "corrected": 1}
    assert all(channel.held(child) == {} for child in CHILDREN)


def test_a_new_customer_that_did_not_get_it_is_told(channel: Workspace) -> None:
    channel.run(shared(channel))
    channel.lab.coro.configure(new_children="none")
    channel.lab.coro.put_workspace("tailspinnew_Dd1K_b", "Tailspin New", "child", TAILSPIN)
    report = channel.run(shared(channel))
    assert (report["changed"], report["summary"]["drift"]) == (False, {"not_inherited": 1})
    assert "tailspinnew_Dd1K_b" in report["problems"][0]["operation"]
    cured = channel.run(shared(channel), update_secret="always")
    assert cured["summary"]["counts"]["drifted"] == 0


def test_check_mode_does_not_blame_customers_for_what_comes_with_the_run(channel: Workspace) -> None:
    predicted = channel.run(shared(channel), check=True)
    assert (actions(predicted), predicted["summary"]["drift"]) == ([("soc", "create")], {"missing": 1})


def test_a_customer_that_cannot_be_read_is_unknown_and_the_rest_is_known(channel: Workspace) -> None:
    channel.run(shared(channel))
    channel.lab.fault("status", kind="coro.connectors.list", status=403, code="FORBIDDEN", after=1)
    result = channel.run(shared(channel))
    assert counts(result) == {"in_sync": 3, "unknown": 1}
    assert (result["failed"], result["summary"]["outcome"]) == (True, "unknown")


def test_a_customers_copy_that_is_disconnected(channel: Workspace) -> None:
    channel.run(shared(channel))
    channel.lab.coro.set_status(GAMES, "soc", "DISCONNECTED")
    assert channel.run(shared(channel))["summary"]["drift"] == {"disconnected": 1}
    seen = channel.run(engine="info", names=["soc"])
    bad = [one for one in seen["flows"] if one["state"] != "connected"]
    assert [(one["workspace"], one["state"]) for one in bad] == [(GAMES, "stale")]
    assert seen["summary"]["outcome"] == "drifted"


class TestChild:
    def test_what_is_inherited_is_read_only(self, channel: Workspace) -> None:
        channel.run(shared(channel))
        kids = Workspace(channel.lab, KIDS)
        before = len(kids.writes())
        assert counts(kids.run(kids.wanted("fluency", "soc"))) == {"in_sync": 1}
        other = kids.wanted("fluency", "soc", listener_url=kids.receivers["fluency"]["url"] + "/x")
        assert kids.run(other)["summary"]["drift"] == {"inherited": 1}
        assert kids.run({"name": "soc", "state": "absent"})["summary"]["drift"] == {"inherited": 1}
        assert counts(kids.run(kids.wanted("fluency", "soc"), update_secret="always", exclusive=True)) == {"in_sync": 1}
        assert len(kids.writes()) == before

    def test_all_customers_is_refused_below_and_beside_a_channel(self, channel: Workspace) -> None:
        for workspace in (KIDS, "contoso_Qx7d_b"):
            one = Workspace(channel.lab, workspace)
            result = one.run(shared(one), check=True)
            assert result["summary"]["drift"] == {"not_all_customers": 1}
            undone = one.run(shared(one), check=True, fail_on="blocked")
            assert (undone["failed"], undone["summary"]["outcome"]) == (True, "failed")

    def test_a_child_that_may_have_none_says_where_to_make_it(self, channel: Workspace) -> None:
        channel.lab.coro.configure(child_connectors="none")
        kids = Workspace(channel.lab, KIDS)
        result = kids.run(kids.wanted("splunk"))
        assert counts(result) == {"failed": 1}
        assert result["problems"][0]["code"] == "CHILD_WORKSPACE"
        assert "channel" in result["problems"][0]["next_step"]


def test_many_customers_by_pages_with_bounded_concurrency(channel: Workspace) -> None:
    for number in range(130):
        channel.lab.coro.put_workspace(f"customer{number}_x_b", f"Customer {number}", "child", TAILSPIN)
    channel.run(shared(channel))
    channel.lab.reset_requests()
    result = channel.run(shared(channel), concurrency=8)
    assert counts(result) == {"in_sync": 134}
    assert result["summary"]["requests"] == {
        "GET /v1/workspaces": 1,
        "GET /v1/siem-connectors": 134,
        "POST /v1/workspaces": 2,
    }
    assert channel.lab.requests()["max_in_flight"] <= 8


def test_a_verification_that_runs_out_of_time_keeps_what_it_saw(
    channel: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel.run(shared(channel))
    monkeypatch.setattr(engines, "time_limit", lambda _seconds, operation: limits.time_limit(0.3, operation))
    channel.lab.fault(action="hang", path="re:/v1/siem-connectors$", count=None, after=1)
    result = channel.run(engine="info")
    assert [one["source"].partition("/")[2] for one in result["flows"]] == ["soc", ""], "and the rest as not reached"
    assert result["problems"][0]["code"] == "TimeLimit"
