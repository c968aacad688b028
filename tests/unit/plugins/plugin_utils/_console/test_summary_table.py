"""The closing table, letter by letter, and what the exit line says."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.outcomes import Outcomes
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.summary_table import (
    Line,
    closing,
    duration,
    exit_lines,
    meaning,
    shorten,
    table,
)
from tests.unit.plugins.plugin_utils._console.results import REFUSED, STEP, mixed, result, thousand

SNAPSHOTS = Path(__file__).parent / "snapshots"


def one() -> Outcomes:
    outcomes = Outcomes()
    outcomes.add("contoso", STEP, result("in_sync", targets=152, in_sync=150, skipped=2), seconds=4)
    return outcomes


MISSED = {f"missed-{number}": ["azure_diagnostics"] for number in range(7)}
FLEETS = {"1": (one, 0, {}), "3": (mixed, 2, {}), "1000": (thousand, 4, MISSED)}


def text(lines: list[Line]) -> str:
    return "".join(f"{line.text}\n" for line in lines)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("fleet", FLEETS)
def test_the_whole_text(fleet: str, width: int) -> None:
    make, code, missed = FLEETS[fleet]
    rows = make().rows
    told = text([*closing(rows, width, seconds=95, missed=missed), *exit_lines(code, rows, width, missed)])
    assert told == (SNAPSHOTS / f"{fleet}_tenants_{width}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [80, 100, 200])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    outcomes = mixed()
    outcomes.add("a-tenant-with-a-name-of-forty-characters-", STEP, result("in_sync", targets=1234567, in_sync=1234567))
    assert max(len(line.text) for line in closing(outcomes.rows, width, seconds=1)) <= width


def test_thirty_tenants_are_listed_and_thirty_one_are_not() -> None:
    outcomes = Outcomes()
    for number in range(30):
        outcomes.add(f"tenant-{number}", STEP, result("in_sync", targets=1, in_sync=1))
    assert sum(line.text.startswith("tenant-") for line in table(outcomes.rows, 80)) == 30
    outcomes.add("tenant-30", STEP, result("in_sync", targets=1, in_sync=1))
    assert not any(line.text.startswith("tenant-") for line in table(outcomes.rows, 80))
    assert "31 tenants in sync" in [line.text for line in table(outcomes.rows, 80)]


def test_a_fleet_that_fails_as_a_whole_still_fits_the_screen_and_is_counted() -> None:
    outcomes = Outcomes()
    for number in range(400):
        outcomes.add(f"tenant-{number}", STEP, result("failed", REFUSED, targets=1, failed=1), failed=True)
    lines = [line.text for line in closing(outcomes.rows, 80, seconds=1)]
    assert len(lines) < 50
    assert "370 more tenants not in sync: 370 failed" in lines
    assert not any(line.endswith("tenants in sync") for line in lines)


def test_only_clean_tenants_are_folded_into_the_line_that_says_in_sync() -> None:
    lines = [line.text for line in table(thousand().rows, 80)]
    assert "985 tenants in sync (142 of them corrected)" in lines
    assert sum("unreachable" in line for line in lines) == 4


def test_steps_have_tables_of_their_own() -> None:
    outcomes = one()
    outcomes.add("contoso", "azure_log_flow_info", result("in_sync", targets=3, in_sync=3))
    titles = [line.text for line in table(outcomes.rows, 80) if line.text.endswith(")")]
    assert titles == ["azure_diagnostics (azure_diagnostic_settings)", "azure_diagnostics (azure_log_flow_info)"]


def test_a_tenant_without_a_result_is_in_the_table_of_its_step() -> None:
    outcomes = one()
    outcomes.started("fabrikam", STEP)
    lines = [line.text for line in table(outcomes.rows, 80)]
    assert sum(line.startswith("tenant ") for line in lines) == 1
    assert any(line.startswith("fabrikam") and "unknown" in line and "0" not in line for line in lines)


def test_check_mode_is_marked() -> None:
    outcomes = Outcomes()
    outcomes.add("contoso", STEP, result("drifted", targets=1, drifted=1), check=True)
    assert "Check mode: nothing was written" in text(closing(outcomes.rows, 80, seconds=1))
    outcomes.add("fabrikam", STEP, result("in_sync", targets=1, in_sync=1))
    assert "Check mode: some steps wrote nothing" in text(closing(outcomes.rows, 80, seconds=1))
    assert "Check mode" not in text(closing(one().rows, 80, seconds=1))


def test_without_results_there_is_nothing_to_say() -> None:
    assert closing([], 80, seconds=1) == []


def test_the_exit_line_never_says_well_where_something_is_not() -> None:
    assert meaning(0, one().rows) == Line("Exit 0: 1 tenant, all well.", "ok")
    assert meaning(0, mixed().rows).text == ("Exit 0, though 2 of 3 tenants are not well: 2 failed.")
    assert meaning(2, one().rows).text == "Exit 2: a task that is not ours failed."
    assert meaning(None, one().rows).tone == "failed"
    assert meaning(0, one().rows, {host: ["x"] for host in "abc"}).text.endswith(
        "3 of 4 tenants are not well: 3 not reached."
    )


def test_a_capability_that_was_not_reached_keeps_its_tenant_from_being_well() -> None:
    missed = {"contoso": ["coro_connectors", "syslog_target"]}
    assert meaning(0, one().rows, missed).text == "Exit 0, though 1 of 1 tenant is not well: 1 not reached."
    assert Line("Not reached at contoso: coro_connectors, syslog_target", "failed") in closing(
        one().rows, 80, seconds=1, missed=missed
    )
    outcomes = one()
    outcomes.add("contoso", "other", result("failed", REFUSED, targets=1, failed=1), failed=True)
    assert meaning(2, outcomes.rows, missed).text == "Exit 2: 1 of 1 tenant is not well: 1 failed."


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.4, "0 s"), (99.4, "99 s"), (100, "2 min"), (3600, "60 min"), (5940, "99 min"), (7500, "2 h 05 min")],
)
def test_durations(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected


def test_a_name_is_shortened_in_its_middle() -> None:
    assert shorten("contoso-europe-production", 16) == "contoso-eu…ction"
    assert shorten("contoso", 7) == "contoso"
