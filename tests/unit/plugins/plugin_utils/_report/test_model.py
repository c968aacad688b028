"""What the report of a run tells."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.history import DAY
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.outcomes import timestamp
from ansible_collections.mssp.onboarding.plugins.plugin_utils._report.model import Report, build
from ansible_collections.mssp.onboarding.plugins.plugin_utils._report.words import standing_since, verdict
from tests.unit.plugins.plugin_utils._report.fleets import LOST, REFUSED, START, fleet_of, history, row, run, story


def report(*runs: dict[str, Any], of: int = -1, only: str = "") -> Report:
    return build(history(*runs), runs[of], only)


def test_the_worst_tenants_come_first() -> None:
    rows = [row("a", "x"), row("b", "x", "drifted"), row("c", "x", "failed"), row("d", "x", "unreachable")]
    made = report(run(1, *rows))
    assert [(tenant.slug, tenant.status) for tenant in made.tenants] == [
        ("c", "failed"),
        ("d", "unknown"),
        ("b", "drifted"),
        ("a", "in_sync"),
    ]
    assert verdict(made) == "3 of 4 tenants are not in sync."


def test_a_report_holds_what_other_runs_said_of_what_this_one_did_not_ask() -> None:
    made = report(run(1, row("a", "x", "failed"), row("a", "y")), run(2, row("a", "y", "corrected")))
    assert {name: cell.status for name, cell in made.tenants[0].cells.items()} == {"x": "failed", "y": "corrected"}


def test_the_report_of_an_earlier_run_does_not_know_what_came_later() -> None:
    made = report(run(1, row("a", "x")), run(2, row("a", "x", "failed")), of=0)
    assert (made.tenants[0].status, made.previous, made.news[0].after) == ("in_sync", None, "in_sync")


@pytest.mark.parametrize(
    ("outcomes", "news"),
    [
        (["in_sync", "drifted"], [("in_sync", "drifted")]),
        (["drifted", "corrected"], [("drifted", "corrected")]),
        (["failed", "in_sync"], [("failed", "in_sync")]),
        (["in_sync", "corrected"], [("in_sync", "corrected")]),
        (["corrected", "in_sync"], []),
        (["drifted", "drifted"], []),
        (["failed"], [("", "failed")]),
    ],
)
def test_what_changed_since_the_run_before(outcomes: list[str], news: list[tuple[str, str]]) -> None:
    made = report(*(run(number, row("a", "x", outcome)) for number, outcome in enumerate(outcomes, 1)))
    assert [(item.before, item.after) for item in made.news] == news


def test_causes_are_those_of_all_tenants_together_by_capability() -> None:
    rows = [row(name, "azure", "failed", REFUSED) for name in "abc"] + [row("d", "syslog", "unreachable", LOST)]
    found = [(name, cause.code, cause.tenants, cause.next_step) for name, cause in report(run(1, *rows)).reasons]
    assert found == [
        ("azure", "AuthorizationFailed", ["a", "b", "c"], REFUSED["next_step"]),
        ("syslog", "unreachable", ["d"], LOST["next_step"]),
    ]


def test_drift_and_what_gives_no_reason_have_a_next_step_too() -> None:
    rows = [row("a", "x", "drifted", drifts={"missing": 2, "disabled": 1}), row("b", "y", "failed", msg="Broken.")]
    (drift, failed) = [cause for _name, cause in report(run(1, *rows)).reasons]
    assert (drift.code, drift.message, drift.count) == ("drift", "disabled, missing", 3)
    assert "drift_correct=true" in drift.next_step
    assert (failed.code, failed.message) == ("failed", "Broken.")
    assert failed.next_step


def test_causes_of_what_is_well_are_none() -> None:
    assert report(run(1, row("a", "x", "in_sync", REFUSED))).reasons == []


def expiring(days: float) -> list[dict[str, str]]:
    return [{"name": "certificate", "expires": timestamp(START + 3600 + days * DAY)}]


@pytest.mark.parametrize(("days", "left"), [(31, []), (29.5, [29]), (0.5, [0]), (-2, [-2])])
def test_credentials_that_expire_within_30_days(days: float, left: list[int]) -> None:
    rows = [row("a", capability, credentials=expiring(days)) for capability in "xy"]
    assert [item.days for item in report(run(1, *rows)).credentials] == left


def test_a_credential_whose_end_nobody_knows_is_told_once_with_its_tenants() -> None:
    secret = [{"name": "client secret of app x", "expires": ""}]
    rows = [row(tenant, capability, credentials=secret) for tenant in "ab" for capability in "xy"]
    told = report(run(1, *rows), run(2, row("b", "x"), row("b", "y")))
    assert [(one.name, one.tenants) for one in told.undated] == [("client secret of app x", ("a",))]
    assert told.credentials == []


def test_a_credential_that_was_renewed_is_told_by_the_last_that_saw_it() -> None:
    def seen(number: int, capability: str, a: float, *b: float) -> dict[str, Any]:
        of_b = [one for days in b for one in expiring(days)]
        return run(number, row("a", capability, credentials=expiring(a)), row("b", capability, credentials=of_b))

    told = report(seen(1, "x", 3, 3), seen(2, "y", 3, 3), seen(3, "x", 300, 5, 7)).credentials
    assert [(item.tenant, item.days) for item in told] == [("b", 4), ("b", 6)]
    told = report(seen(1, "x", 3, 3), seen(2, "y", 300, 5, 7)).credentials
    assert [(item.tenant, item.days) for item in told] == [("b", 4), ("b", 6)]


def test_the_slowest_tenants_with_all_their_hosts_and_steps() -> None:
    fleet = {"a": {"tenant": "a"}, "log-a": {"tenant": "a"}, "b": {"tenant": "b"}}
    rows = [row("a", "x", seconds=2.0), row("log-a", "x", seconds=3.0), row("b", "x", seconds=4.0)]
    assert report(run(1, *rows, fleet=fleet)).slowest == [("a", 5.0), ("b", 4.0)]


def test_the_items_of_a_loop_took_their_seconds_once() -> None:
    rows = [row("a", "x", step=f"m[{number}]", seconds=2.0) for number in range(3)]
    assert report(run(1, *rows)).slowest == [("a", 2.0)]


def test_the_trend_is_the_fleet_after_each_run() -> None:
    fleet = fleet_of(["a", "b"], ["azure_x"])
    said = [("in_sync", "in_sync"), ("drifted", "in_sync"), ("corrected", "in_sync"), ("in_sync", "failed")]
    runs = [
        run(number, row("a", "azure_x", a), row("b", "azure_x", b), fleet=fleet)
        for number, (a, b) in enumerate(said, 1)
    ]
    assert [point.tenants for point in report(*runs).trend] == [
        {"in_sync": 2},
        {"drifted": 1, "in_sync": 1},
        {"corrected": 1, "in_sync": 1},
        {"in_sync": 1, "failed": 1},
    ]


def test_before_its_first_run_a_wanted_capability_was_never_run() -> None:
    fleet = fleet_of(["a"], ["azure_x"])
    runs = [run(1, row("a", "access", role="azure_x_access"), fleet=fleet), run(2, row("a", "azure_x"), fleet=fleet)]
    assert [point.tenants for point in report(*runs).trend] == [{"never_run": 1}, {"in_sync": 1}]


@pytest.mark.parametrize(
    ("outcome", "status"), [("corrected", "corrected"), ("failed", "failed"), ("waiting", "waiting")]
)
def test_what_was_granted_once_stands_until_a_later_look_at_all_access(outcome: str, status: str) -> None:
    def granted(number: int) -> dict[str, Any]:
        return run(number, row("a", "azure_role_assignment", outcome, role="tenant_access"))

    def looked(number: int, found: str = "in_sync") -> dict[str, Any]:
        return run(number, row("a", "tenant_access", found))

    made = report(looked(1), granted(2), looked(3), looked(4))
    assert [[*point.tenants] for point in made.trend] == [["in_sync"], [status], ["in_sync"], ["in_sync"]]
    assert made.capabilities == ["tenant_access"]
    unseen = report(looked(1), granted(2), looked(3, "unknown")).tenants[0].cells
    assert unseen["azure_role_assignment"].status == status
    again = report(looked(1), granted(2), looked(3), granted(4)).tenants[0].cells
    assert again["azure_role_assignment"].status == status


def test_the_replayed_trend_ends_with_what_stands() -> None:
    made = report(*story(60))
    assert made.trend[-1].tenants == {status: number for status, number in made.counts.items() if number}
    assert len(made.trend) == 30


def test_hosts_that_were_not_reached_are_named() -> None:
    assert report(run(1, row("a", "x"), not_reached=["c", "b"])).not_reached == ["b", "c"]


def test_since_when_in_words() -> None:
    made = report(
        run(1, row("a", "x", "drifted"), row("a", "y")), run(80, row("a", "x", "drifted"), row("a", "y", "failed"))
    )
    cells = made.tenants[0].cells
    assert standing_since(made, cells["x"]) == "for 3 d"
    assert standing_since(made, cells["y"]) == "since this run"
    old = report(run(1, row("a", "x", "drifted")), run(80, row("b", "x")))
    assert standing_since(old, old.tenants[0].cells["x"]) == "for 3 d, seen 3 d ago"


class TestOneTenant:
    FLEET = fleet_of(["contoso", "fabrikam", "contoso-uk"], ["azure_x"]) | {
        "fab-log-01": {"tenant": "fabrikam", "name": "Fabrikam", "ring": "all", "roles": []}
    }
    PROBLEM = REFUSED | {
        "message": "Fabrikam's fab-log-01 (fabrikam-log) and contoso-uk hold what contoso wants, prefabrikamed",
        "next_step": "ask FABRIKAM",
    }

    def made(self) -> Report:
        rows = [row(name, "azure_x", "failed", self.PROBLEM, msg="see fabrikam") for name in ("contoso", "fabrikam")]
        return report(run(1, *rows, fleet=self.FLEET), only="contoso")

    def test_holds_only_its_own(self) -> None:
        made = self.made()
        assert [tenant.slug for tenant in made.tenants] == ["contoso"]
        assert (made.slowest, made.trend, made.not_reached) == ([], [], [])
        assert made.reasons[0][1].tenants == ["contoso"]

    def test_other_tenants_are_not_named_in_its_texts(self) -> None:
        (problem,) = self.made().tenants[0].cells["azure_x"].findings[0].problems
        assert problem.message == (
            "another tenant's another tenant (another tenant-log) and another tenant hold what contoso wants, "
            "prefabrikamed"
        )
        assert problem.next_step == "ask another tenant"

    def test_its_timeline_is_what_changed(self) -> None:
        runs = [
            run(n, row("a", "x", outcome), row("b", "x"))
            for n, outcome in enumerate(["in_sync", "drifted", "in_sync"], 1)
        ]
        lines = report(*runs, only="a").timeline
        assert [line.status for line in lines] == ["in_sync", "drifted", "in_sync"]
        assert lines[0].until is None
        assert lines[1].until == lines[0].since
        assert [line.status for line in report(*runs, of=1, only="a").timeline] == ["drifted", "in_sync"]
