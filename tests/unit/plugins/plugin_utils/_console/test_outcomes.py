"""A tenant is called ok only where all is known to be; the same cause at many tenants is told once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.coverage import MAX_PARTS
from ansible_collections.mssp.onboarding.plugins.module_utils._core.findings import CUSTOMER, PROVIDER
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.states import cells
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.grouping import causes, template
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.outcomes import (
    OUTCOMES,
    Outcomes,
    declared,
    slowest,
    totals,
)
from tests.unit.plugins.plugin_utils._console.results import REFUSED, STEP, mixed, result, thousand
from tests.unit.plugins.plugin_utils._report.fleets import history, run

STEP_INFO = "scp_target_info"


def outcome(given: dict[str, Any], **how: Any) -> str:
    outcomes = Outcomes()
    (row,) = outcomes.add("contoso", STEP, given, **how)
    assert outcomes.rows == [row]
    return row.outcome


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (result("in_sync", targets=3, in_sync=3), "in_sync"),
        (result("in_sync", targets=3, in_sync=2, skipped=1), "in_sync"),
        (result("corrected", targets=3, in_sync=2, corrected=1), "corrected"),
        (result("drifted", targets=3, in_sync=2, drifted=1), "drifted"),
        (result("pending", targets=3, in_sync=2, pending=1), "pending"),
        (result("waiting", REFUSED, targets=3, in_sync=2, waiting=1), "waiting"),
        (result("waiting", REFUSED, targets=3, waiting=2, unknown=1), "unknown"),
        (result("skipped", targets=3, skipped=3), "skipped"),
        (result("failed", targets=3, in_sync=2, failed=1), "failed"),
        (result("failed", targets=3, failed=3), "failed"),
        # The numbers say worse than the word.
        (result("in_sync", targets=3, in_sync=2, corrected=1), "corrected"),
        (result("corrected", targets=3, in_sync=2, drifted=1), "drifted"),
        (result("in_sync", targets=3, in_sync=2, failed=1), "failed"),
        (result("in_sync", targets=3, in_sync=2, unknown=1), "unknown"),
        (result("corrected", targets=3, corrected=2, unknown=1), "unknown"),
        (result("drifted", targets=3, drifted=2, unknown=1), "unknown"),
        (result("in_sync", REFUSED, targets=3, in_sync=3), "failed"),
        (result("in_sync", {**REFUSED, "warning": True}, targets=3, in_sync=3), "in_sync"),
        (result("in_sync", {**REFUSED, "warning": "yes"}, targets=3, in_sync=3), "failed"),
        (result("in_sync", targets=3, in_sync=2, pending=1), "pending"),
        (result("in_sync", targets=3, in_sync=2, waiting=1), "waiting"),
        # Words that nobody defined, and no numbers at all.
        (result("splendid", targets=3, in_sync=3), "unknown"),
        ({"summary": {"capability": "azure_diagnostics", "outcome": "in_sync"}}, "unknown"),
        ({"summary": {"capability": "azure_diagnostics", "outcome": "in_sync", "counts": "many"}}, "unknown"),
        # Numbers that are none, as of a machine that is not ours any more.
        (result("in_sync", targets=3, in_sync=3, drifted=-1_000_000), "unknown"),
        (result("in_sync", targets=3, in_sync="many"), "unknown"),
        (result("in_sync", targets=3, in_sync=10**30), "unknown"),
        (result("in_sync", targets=3, in_sync=3, drifts={"missing": -5}), "unknown"),
        (result("in_sync", targets=3, in_sync=3, drifts=5), "unknown"),
        ({"censored": "the output has been hidden", "changed": False}, "unknown"),
    ],
)
def test_the_worst_of_what_a_result_says_counts(given: dict[str, Any], expected: str) -> None:
    assert outcome(given) == expected


def test_a_failed_task_is_never_better_than_its_result() -> None:
    assert outcome(result("in_sync", targets=1, in_sync=1), failed=True) == "failed"
    assert outcome(result("corrected", targets=1, corrected=1, failed=False) | {"failed": True}) == "failed"
    assert outcome(result("drifted", targets=1, drifted=1), failed=True) == "drifted"
    assert outcome(result("unknown", targets=1, unknown=1), failed=True) == "unknown"
    assert outcome(result("pending", targets=1, pending=1), failed=True) == "failed"
    assert outcome({"msg": "boom"}, failed=True) == "failed"
    assert outcome(result("in_sync", targets=1, in_sync=1), unreachable=True) == "unreachable"
    assert outcome({"msg": "boom"}, unreachable=True) == "unreachable"


def test_a_failure_without_problems_gives_its_message_as_the_reason() -> None:
    outcomes = Outcomes()
    (row,) = outcomes.add("contoso", STEP, {"msg": "Wrong options: tenant_id"}, failed=True)
    assert [problem.message for problem in row.problems] == ["Wrong options: tenant_id"]


def test_of_other_tasks_nothing_but_the_failure_is_kept() -> None:
    outcomes = Outcomes()
    outcomes.add("contoso", "Set a password", {"msg": "hunter2 is weak", "stdout": "hunter2"}, failed=True, ours=False)
    outcomes.add("fabrikam", "Set a password", {"msg": "hunter2", "stdout": "hunter2"}, ours=False)
    assert [row.tenant for row in outcomes.rows] == ["contoso"]
    assert "hunter2" not in json.dumps(outcomes.summary())


def test_of_our_results_only_the_known_fields_are_kept() -> None:
    outcomes = Outcomes()
    given = result("failed", REFUSED | {"body": "hunter2"}, targets=1, failed=1, invocation={"secret": "hunter2"})
    given["summary"] |= {"note": "hunter2"}
    outcomes.add("contoso", STEP, given, failed=True)
    assert "AuthorizationFailed" in json.dumps(outcomes.summary())
    assert "hunter2" not in json.dumps(outcomes.summary())


def test_text_of_a_vendor_cannot_steer_the_terminal() -> None:
    outcomes = Outcomes()
    given = result("failed", REFUSED | {"message": "a\x1b[2Jb\nc\u202ed"}, targets=1, failed=1)
    (row,) = outcomes.add("contoso", STEP, given)
    assert row.problems[0].message.endswith("a?[2Jb c?d")


def test_a_rescued_failure_of_another_task_is_forgotten() -> None:
    outcomes = mixed()
    outcomes.settle(failed={"fabrikam"}, unreachable=set())
    assert [row.tenant for row in outcomes.rows] == ["fabrikam", "contoso"]


def test_a_failure_of_another_task_that_stands_is_kept() -> None:
    outcomes = mixed()
    outcomes.settle(failed={"fabrikam", "tailspin"}, unreachable=set())
    assert [row.tenant for row in outcomes.rows] == ["fabrikam", "tailspin", "contoso"]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (result("failed", REFUSED, targets=3, in_sync=2, failed=1), "failed"),
        (result("failed", REFUSED, targets=1, failed=1), "failed"),
        # What drift reports is no failure of its own.
        (result("drifted", targets=3, in_sync=2, drifted=1), "drifted"),
        (result("waiting", REFUSED, targets=3, in_sync=2, waiting=1), "waiting"),
    ],
)
def test_a_role_that_fails_for_what_its_module_said_is_one_row_the_worse_one(said: dict[str, Any], shown: str) -> None:
    outcomes = Outcomes()
    (row,) = outcomes.add("log1", "scp_target_info", said, role="scp_target", verb="verify")
    assert outcomes.add("log1", "Every source sends", {"msg": "no"}, failed=True, ours=False, role="scp_target",
                        verb="verify") == []  # fmt: skip
    outcomes.settle(failed={"log1"}, unreachable=set())
    assert outcomes.rows == [row]
    assert (row.outcome, row.counts["targets"], row.step) == (shown, said["summary"]["counts"]["targets"], STEP_INFO)
    assert [problem.code for problem in row.problems] == [problem["code"] for problem in said["problems"]]


@pytest.mark.parametrize(
    ("earlier", "task"),
    [
        (result("in_sync", targets=1, in_sync=1), {"role": "scp_target", "verb": "verify"}),
        (result("failed", REFUSED, targets=1, failed=1), {"role": "syslog_target", "verb": "verify"}),
        (result("failed", REFUSED, targets=1, failed=1), {"role": "scp_target", "verb": "drift"}),
        (result("failed", REFUSED, targets=1, failed=1), {"role": "", "verb": "verify"}),
    ],
)
def test_a_failure_that_no_result_explains_has_a_row_of_its_own(earlier: dict[str, Any], task: dict[str, str]) -> None:
    outcomes = Outcomes()
    outcomes.add("log1", STEP_INFO, earlier, role="scp_target", verb="verify")
    outcomes.add("log1", "A task", {"msg": "no"}, failed=True, ours=False, **task)
    assert [row.outcome for row in outcomes.rows if not row.capability] == ["failed"]
    assert len(outcomes.rows) == 2


def test_without_a_role_nothing_says_that_two_tasks_belong_together() -> None:
    outcomes = Outcomes()
    outcomes.add("log1", STEP_INFO, result("failed", REFUSED, targets=1, failed=1))
    outcomes.add("log1", "A task", {"msg": "no"}, failed=True, ours=False)
    assert len(outcomes.rows) == 2


def test_a_task_that_gave_no_result_is_unknown_also_when_an_earlier_one_was_well() -> None:
    outcomes = Outcomes()
    outcomes.add("contoso", STEP, result("in_sync", targets=1, in_sync=1))
    outcomes.started("contoso", STEP)
    outcomes.started("fabrikam", STEP)
    outcomes.settle(failed=set(), unreachable=set())
    assert [(row.tenant, row.outcome) for row in outcomes.rows] == [("contoso", "unknown"), ("fabrikam", "unknown")]


def test_what_was_skipped_or_missed_is_in_the_summary() -> None:
    outcomes = mixed()
    outcomes.skipped("wingtip", STEP)
    outcomes.missed = {"adatum": ["coro_connectors"]}
    summary = outcomes.summary()
    assert (summary["skipped"], summary["not_reached"], summary["missed"]) == (1, ["adatum"], outcomes.missed)


def test_the_items_of_a_loop_are_rows_of_their_own() -> None:
    outcomes = Outcomes()
    outcomes.add(
        "contoso", STEP, {"results": [result("in_sync", targets=1, in_sync=1), result("unknown", targets=1, unknown=1)]}
    )
    assert [row.outcome for row in outcomes.rows] == ["unknown", "in_sync"]
    assert totals(outcomes.rows)["outcomes"] == {"unknown": 1}


def test_totals_count_a_tenant_once_by_its_worst() -> None:
    outcomes = Outcomes()
    outcomes.add("contoso", STEP, result("in_sync", targets=5, in_sync=5))
    outcomes.add("contoso", "azure_log_flow_info", result("failed", targets=2, failed=2), failed=True)
    whole = totals(outcomes.rows)
    assert (whole["tenants"], whole["outcomes"]) == (1, {"failed": 1})
    assert whole["counts"]["targets"] == 7


def test_one_cause_at_many_tenants_is_one_and_says_what_they_share() -> None:
    outcomes = thousand()
    found = [(cause.code, len(cause.tenants), cause.count) for cause in causes(outcomes.rows)]
    assert found == [("AuthorizationFailed", 11, 88), ("unreachable", 4, 4)]
    cause = causes(outcomes.rows)[0]
    assert cause.message.startswith("create the diagnostic setting of <id>: The client '<id>' does not")
    assert cause.next_step == REFUSED["next_step"]


def test_a_tenant_with_two_such_problems_is_one_tenant() -> None:
    outcomes = Outcomes()
    other = REFUSED | {
        "operation": "create the diagnostic setting of /subscriptions/20000000-0000-4000-8000-000000000002"
    }
    outcomes.add("contoso", STEP, result("failed", REFUSED, other, targets=16, failed=16))
    assert [(cause.tenants, cause.count) for cause in causes(outcomes.rows)] == [(["contoso"], 16)]


def test_another_code_or_text_is_another_cause() -> None:
    outcomes = Outcomes()
    outcomes.add("a", STEP, result("failed", REFUSED, targets=1, failed=1))
    outcomes.add("b", STEP, result("failed", REFUSED | {"code": "ScopeLocked"}, targets=1, failed=1))
    outcomes.add("c", STEP, result("failed", REFUSED | {"message": "It is disabled."}, targets=1, failed=1))
    assert len(causes(outcomes.rows)) == 3


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a '/subscriptions/1/rg' b", "a '/subscriptions/2/RG.x' b"),
        ("retry in 7 seconds", "retry in 12 seconds"),
        ("tenant contoso is off", "tenant fabrikam is off"),
        ("until 2026-01-02T03:04:05Z.", "until 2027-11-12T13:14:15.678Z."),
    ],
)
def test_texts_that_differ_in_what_belongs_to_a_tenant_are_alike(one: str, other: str) -> None:
    assert template(one, "contoso") == template(other, "fabrikam")


def test_a_tenants_name_is_not_looked_for_inside_other_words() -> None:
    assert template("the app is contoso-app", "app") == "the <tenant> is contoso-app"


def test_slowest_leaves_out_what_was_not_timed() -> None:
    assert [row.tenant for row in slowest(mixed().rows)] == ["fabrikam", "contoso"]


@pytest.mark.parametrize("field", ["summary", "problems", "findings", "flows", "msg", "results"])
@pytest.mark.parametrize("junk", [None, 7, "x", [1, None], {"capability": "c"}, [{"count": "many", "status": []}]])
def test_no_result_makes_it_stumble(field: str, junk: Any) -> None:
    outcomes = Outcomes()
    outcomes.add("contoso", STEP, result("in_sync", targets=1, in_sync=1) | {field: junk})
    assert outcomes.rows[0].outcome in OUTCOMES
    json.dumps(outcomes.summary())


def test_the_summary_is_json_and_complete() -> None:
    summary = json.loads(json.dumps(thousand().summary()))
    assert len(summary["tenants"]) == 1000
    assert summary["totals"]["outcomes"] == {"in_sync": 843, "corrected": 142, "failed": 11, "unreachable": 4}
    assert summary["causes"][0]["tenant_count"] == 11


@pytest.mark.parametrize("step", ["azure_diagnostic_settings", "azure_log_flow_info", "syslog_receiver"])
@pytest.mark.parametrize("how", ["failed", "unreachable", "interrupted"])
def test_a_later_good_result_closes_a_row_however_the_step_failed(step: str, how: str) -> None:
    capability = declared(step).capability  # type: ignore[union-attr]
    bad = Outcomes()
    bad.started("contoso", step, "azure_diagnostics", "onboard")
    if how != "interrupted":
        bad.add("contoso", step, {"msg": "no vault secret"}, **{how: True}, role="azure_diagnostics", verb="onboard")
    good = Outcomes()
    good.add("contoso", step, result(targets=1, in_sync=1, capability=capability), role="azure_diagnostics")
    assert [row.capability for row in bad.rows] == [capability]
    made = history(run(1) | bad.summary() | {"not_reached": []}, run(2) | good.summary())
    assert {cell.status for cell in cells(made.standing(), {}).values()} == {"in_sync"}


def test_a_result_that_no_log_hides_is_unknown_unless_it_may_hold_a_secret() -> None:
    hidden = {"censored": "the output has been hidden", "changed": True}
    outcomes = Outcomes()
    (plain,) = outcomes.add("contoso", STEP, hidden)
    (secret,) = outcomes.add("contoso", "entra_application", hidden)
    (same,) = outcomes.add("fabrikam", "entra_application", hidden | {"changed": False})
    assert (plain.outcome, secret.outcome, same.outcome) == ("unknown", "corrected", "in_sync")
    assert not secret.problems


def test_what_is_wrong_with_a_tenants_file_is_its_reason() -> None:
    outcomes = Outcomes()
    wrong = "contoso.yml:3:1: ringg: unknown key, did you mean ring?"
    outcomes.add("contoso", "The tenant's file is right", {"msg": "x"}, failed=True, ours=False, known=wrong)
    assert [row.problems[0].message for row in outcomes.rows] == [wrong]


@pytest.mark.parametrize(
    ("expires", "told"),
    [("2027-01-02", ["2027-01-02T00:00:00.000Z"]), ("", [""]), ("soon", []), (None, [])],
)
def test_a_credential_has_a_date_or_is_said_to_have_none(expires: Any, told: list[str]) -> None:
    given = result("in_sync", targets=1, in_sync=1)
    given["summary"]["credentials"] = [{"name": "key", "expires": expires}]
    (row,) = Outcomes().add("contoso", STEP, given)
    assert [one["expires"] for one in row.credentials] == told


def test_of_parts_only_states_that_are_known_are_kept_and_no_more_than_a_module_tells() -> None:
    parts = [{"name": "a", "state": "fine"}, {"name": "b", "state": "covered", "why": "x" * 900}] * MAX_PARTS
    (row,) = Outcomes().add("contoso", STEP, result(coverage={"states": {"covered": 2, "fine": 3}, "parts": parts}))
    assert row.coverage["states"] == {"covered": 2}
    assert [part["state"] for part in row.coverage["parts"]] == ["covered"] * (MAX_PARTS // 2)
    assert max(len(part["why"]) for part in row.coverage["parts"]) <= 600


def test_a_step_is_what_the_customer_has_to_do_and_no_other_page_tells() -> None:
    step = {"check": "c", "subject": "s", "status": "missing", "detail": "d", "who": CUSTOMER, "next_step": "n"}
    others = [step | {"status": "ok"}, step | {"status": "unknown"}, step | {"who": PROVIDER}, "odd"]
    outcomes = Outcomes()
    outcomes.add("contoso", STEP, result("failed", REFUSED, targets=1, failed=1, findings=[step, *others]))
    outcomes.add("fabrikam", STEP, result("failed", REFUSED, targets=1, failed=1, findings=[step], handover={}))
    assert {row.tenant: row.steps for row in outcomes.rows} == {"contoso": [("c", "s", "d", "n")], "fabrikam": []}
