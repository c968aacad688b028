"""The closing table, letter by letter, and what the exit line says."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.history import Left
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


ARRIVALS = {"flows": 3, "arrived": 3, "newest": "2026-11-21T10:00:00Z", "lag_seconds": 45, "records_last_day": 9,
            "records_usual": None}  # fmt: skip


def test_what_has_arrived_is_told_that_of_which_least_has_first() -> None:
    outcomes = Outcomes()
    outcomes.add("contoso", "azure_log_flow_info", result(arrivals=ARRIVALS, targets=3, in_sync=3))
    outcomes.add("fabrikam", "azure_log_flow_info", result("pending", arrivals={"flows": 2, "arrived": 0}, targets=2))
    outcomes.add("tailspin", STEP, result(targets=1, in_sync=1))
    lines = [line.text for line in closing(outcomes.rows, 120, seconds=1)]
    at = lines.index("What has arrived")
    assert [line.strip() for line in lines[at + 1 : at + 3]] == [
        "fabrikam: azure_diagnostics: 0 of 2 flows",
        "contoso: azure_diagnostics: 3 of 3 flows, newest record 2026-11-21T10:00:00Z, 9 records in the last day, "
        "up to 45 s late",
    ]
    assert "What has arrived" not in [line.text for line in closing(one().rows, 120, seconds=1)]


def test_numbers_of_arrivals_that_are_none_are_not_believed() -> None:
    odd = {"flows": -1, "arrived": "all", "newest": "\x1b[31m", "lag_seconds": [], "records_last_day": 1.5}
    (row,) = Outcomes().add("contoso", STEP, result(arrivals=odd))
    assert row.arrivals == {}


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
    outcomes.add("fabrikam", STEP, result("corrected", targets=1, corrected=1))
    assert "Check mode" not in text(closing(outcomes.rows, 80, seconds=1)), "what was corrected is"
    outcomes.add("contoso", STEP, result("corrected", targets=1, corrected=1), check=True)
    assert f"Check mode in {STEP}: what is called corrected there" in text(closing(outcomes.rows, 80, seconds=1))


def test_drift_that_is_left_is_named_with_the_command_that_corrects_it() -> None:
    outcomes = Outcomes()
    changes = [{"target": f"/t/{n}", "action": "update", "drift": ["changed"], "before": "x 1", "after": "x 2"}
               for n in range(4)]  # fmt: skip
    for tenant in ("contoso", "fabrikam"):
        drifted = result("drifted", targets=4, drifted=4, drifts={"changed": 4}, changes=changes)
        outcomes.add(tenant, STEP, drifted, verb="drift")
    told = text(closing(outcomes.rows, 80, seconds=1, command="ansible-playbook -i inventories/prod"))
    assert "  contoso: update /t/0: changed (x 1 → x 2)\n" in told
    assert "  and 3 more\n" in told
    command = "ansible-playbook -i inventories/prod mssp.onboarding.drift -l contoso,fabrikam -e drift_correct=true"
    assert command in " ".join(told.split())


@pytest.mark.parametrize(
    ("verb", "words"), [("onboard", "Made or changed"), ("offboard", "Taken away"), ("drift", "Drift found")]
)
def test_what_a_verb_does_is_not_called_drift(verb: str, words: str) -> None:
    outcomes = Outcomes()
    outcomes.add("contoso", STEP, result("corrected", targets=1, corrected=1, drifts={"missing": 1}), verb=verb)
    assert words in text(closing(outcomes.rows, 80, seconds=1))


def test_a_long_text_keeps_its_end_and_what_was_not_tried_comes_last() -> None:
    outcomes = Outcomes()
    refused = REFUSED | {"message": f"The client {'x ' * 200}has no permission to write the thing"}
    echo = REFUSED | {"code": "NotTried", "message": "not tried: the first has failed", "count": 53}
    outcomes.add("contoso", STEP, result("failed", echo, refused, targets=60, failed=60))
    told = text(closing(outcomes.rows, 80, seconds=1))
    assert "permission to write the thing" in " ".join(told.split())
    assert told.index("AuthorizationFailed") < told.index("NotTried")


def test_a_collector_is_no_tenant_of_its_own() -> None:
    outcomes = Outcomes()
    for host in ("contoso", "contoso-log1"):
        outcomes.add(host, STEP, result(targets=1, in_sync=1), slug="contoso")
    assert "Exit 0: 1 tenant, all well." in text(exit_lines(0, outcomes.rows, 80))


def test_few_numbers_are_told_as_they_are() -> None:
    outcomes = Outcomes()
    for tenant, number in (("contoso", 401), ("fabrikam", 500)):
        problem = REFUSED | {"operation": "", "message": f"the last answer: HTTP {number}"}
        outcomes.add(tenant, STEP, result("failed", problem, targets=1, failed=1))
    assert "HTTP 401; the last answer: HTTP 500" in text(closing(outcomes.rows, 80, seconds=1))
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


def covered(**states: int) -> Outcomes:
    """Contoso by two steps of one role, of which verify saw less."""
    outcomes = Outcomes()
    told = {"states": states, "parts": []}
    outcomes.add("contoso", STEP, result(targets=1, in_sync=1, coverage=told), role="azure_diagnostics")
    seen = {"states": {"covered": 1}, "parts": []}
    outcomes.add(
        "contoso", "azure_log_flow_info", result(targets=1, in_sync=1, coverage=seen), role="azure_diagnostics"
    )
    return outcomes


def test_the_closing_words_tell_what_is_covered() -> None:
    rows = covered(covered=9, unreachable=1, excluded=4, not_asked=2).rows
    told = text(closing(rows, 120, seconds=1))
    assert "Coverage: 75 % of 12 parts (1 unreachable, 2 not asked, 4 excluded)" in told
    assert meaning(0, rows).text == "Exit 0: 1 tenant, all well; 75 % of what they have is covered."
    assert meaning(0, covered(covered=9, excluded=1).rows).text == "Exit 0: 1 tenant, all well."
    assert "Coverage" not in text(closing(one().rows, 80, seconds=1))


def test_what_left_its_tenant_file_is_named_and_not_well() -> None:
    left = {"contoso-log1": Left("contoso"), "contoso-log2": Left("contoso", ("scp_target",))}
    told = " ".join(text(closing(one().rows, 120, seconds=1, left=left)).split())
    assert "Gone from the tenant file, and never offboarded: contoso-log1" in told
    assert "never offboarded: scp_target of contoso-log2" in told
    assert "scripts/report --confirm-gone contoso" in told
    said = "Exit 0, though what has gone from the tenant files at 2 hosts was never offboarded."
    assert meaning(0, one().rows, left=left).text == said
    assert meaning(0, one().rows, left=left).tone == "changed"


def test_that_nobody_knows_what_left_is_told_and_not_well() -> None:
    said = "what has gone from the tenant files is not known: the history cannot be read."
    assert said[1:] in text(closing(one().rows, 120, seconds=1, left=None))
    assert meaning(0, one().rows, left=None).text == f"Exit 0, though {said}"
