# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one loop, by a toy capability: shelves of a shop that are to hold so many things."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import engines
from ansible_collections.mssp.onboarding.plugins.module_utils._core.capability import Applied, Capability, Give
from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import (
    InputError,
    OnboardingError,
    RefusedError,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._core.findings import Finding
from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import FLOWING, STALE, Flow
from ansible_collections.mssp.onboarding.plugins.module_utils._core.policy import ON_REQUEST
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import (
    BLOCKED,
    DRIFTED,
    FAILED,
    IN_SYNC,
    SKIPPED,
    UNKNOWN,
    WAITING,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._core.verdict import Record, Verdict, not_tried, unknown

SECRET = "canary-5ecret"
OPTIONS = {"correct", "fail_on", "max_changes", "evidence_path", "time_limit_seconds"}


class Wanted(NamedTuple):
    shelves: Mapping[str, Any]


class Shop:
    def __init__(self) -> None:
        self.wrote: list[str] = []


class Toy(Capability[Wanted, Shop]):
    name = "toy_shelves"

    def __init__(self) -> None:
        self.shop = Shop()

    def wanted(self, params: Mapping[str, Any]) -> Wanted:
        if "bad" in params["shelves"]:
            raise InputError("read the options", "bad is no shelf")
        return Wanted(params["shelves"])

    @asynccontextmanager
    async def connect(self, wanted: Wanted, options: Any, redactor: Any) -> AsyncIterator[Shop]:
        redactor.add(SECRET)
        yield self.shop

    async def survey(self, client: Shop, wanted: Wanted, give: Give) -> None:
        give.expect(len(wanted.shelves))
        for name, verdict in wanted.shelves.items():
            if isinstance(verdict, OnboardingError):
                give(unknown(name, verdict, aisle=1))
            else:
                give(verdict._replace(target=name))

    async def apply(self, client: Shop, wanted: Wanted, verdict: Verdict) -> Applied | None:
        if isinstance(verdict.subject, OnboardingError):
            raise verdict.subject
        client.wrote.append(verdict.target)
        return verdict.subject if isinstance(verdict.subject, Applied) else None

    def stages(self, due: Sequence[Record]) -> list[list[Record]]:
        return [
            [one for one in due if one.verdict.action != "delete"],
            [one for one in due if one.verdict.action == "delete"],
        ]

    def veto(self, client: Shop, verdict: Verdict, records: Mapping[str, Record]) -> OnboardingError | None:
        broken = any(record.status == FAILED for record in records.values())
        return not_tried(verdict, "a shelf broke") if verdict.action == "delete" and broken else None

    async def preflight(self, client: Shop, wanted: Wanted) -> list[Finding]:
        return [Finding("key", "door", "missing", "no key", "customer", "bring one")]

    async def freshness(self, client: Shop, wanted: Wanted) -> list[Flow]:
        refused = RefusedError("ask", f"token {SECRET}", status=403)
        return [Flow("bread", FLOWING, newest=0.0), Flow("milk", STALE), Flow("eggs", "unreadable", error=refused)]

    def summary(self, client: Shop, wanted: Wanted, records: Sequence[Record]) -> Mapping[str, Any]:
        return {"requests": {"GET": 1}}


CREATE = Verdict("", DRIFTED, ("missing",), action="create", after={"things": 3})
UPDATE = Verdict("", DRIFTED, ("changed",), action="update", before={"things": 2}, after={"things": 3})
DELETE = Verdict("", DRIFTED, ("unexpected",), action="delete", before={"things": 9})
FINE = Verdict("", IN_SYNC)
STUCK = Verdict("", BLOCKED, ("conflict",), "somebody else's", next_step="ask them", before={"things": 1})
REFUSED = RefusedError("fill the shelf", f"no {SECRET}", code="Full", status=409, next_step="empty it")


def run(toy: Toy, *, check: bool = False, diff: bool = False, verb: str = "converge", **given: Any) -> dict[str, Any]:
    """shelves by keyword; options of a run as they are."""
    options = {name: given.pop(name) for name in OPTIONS & given.keys()}
    engine = getattr(engines, verb)(toy)
    return execute(engine, toy.name, {"shelves": given, **options}, check=check, diff=diff)


class Slow(Toy):
    """A toy whose shelves are independent; between two looks there is time for a write."""

    overlaps = True

    async def survey(self, client: Shop, wanted: Wanted, give: Give) -> None:
        for name, verdict in wanted.shelves.items():
            if name == "broken":
                raise verdict
            client.wrote.append(f"look at {name}")
            give(verdict._replace(target=name))
            for _turn in range(3):
                await asyncio.sleep(0)


class Watcher:
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    def update(self, **counts: Any) -> None:
        self.told.append(counts)

    def failure(self, text: str) -> None:
        """Not looked at."""

    def last(self, name: str) -> Any:
        return next(counts[name] for counts in reversed(self.told) if name in counts)


def counted(result: Mapping[str, Any]) -> dict[str, int]:
    return {name: number for name, number in result["summary"]["counts"].items() if number}


def test_what_is_wanted_is_made_and_said() -> None:
    toy = Toy()
    result = run(toy, a=CREATE, b=FINE, c=UPDATE)
    assert toy.shop.wrote == ["a", "c"]
    assert counted(result) == {"targets": 3, "in_sync": 1, "corrected": 2}
    assert (result["changed"], result["failed"], result["summary"]["outcome"]) == (True, False, "corrected")
    assert result["changes"] == [
        {"target": "a", "action": "create", "drift": ["missing"], "before": "", "after": "things 3"},
        {"target": "c", "action": "update", "drift": ["changed"], "before": "things 2", "after": "things 3"},
    ]
    assert result["summary"]["requests"] == {"GET": 1}
    assert "diff" not in result


def test_check_mode_predicts_and_does_not_write() -> None:
    toy = Toy()
    predicted = run(toy, check=True, diff=True, a=CREATE, b=FINE, c=UPDATE)
    assert toy.shop.wrote == []
    done = run(toy, diff=True, a=CREATE, b=FINE, c=UPDATE)
    assert (predicted["changed"], predicted["diff"], predicted["changes"]) == (True, done["diff"], done["changes"])
    assert counted(predicted) == {"targets": 3, "in_sync": 1, "drifted": 2}
    assert predicted["diff"][1] == {
        "before_header": "c (update)", "after_header": "c (update)", "before": {"things": 2}, "after": {"things": 3},
    }  # fmt: skip


def test_nothing_to_do_is_no_change() -> None:
    assert not run(Toy(), a=FINE)["changed"]
    assert not run(Toy(), check=True, a=FINE)["changed"]


@pytest.mark.parametrize(("level", "wrote"), [("never", []), ("safe", ["a"]), ("all", ["a", "b", "c"])])
def test_a_level_of_correction_says_what_may_be_written(level: str, wrote: list[str]) -> None:
    toy = Toy()
    result = run(toy, correct=level, a=CREATE, b=UPDATE, c=DELETE)
    assert toy.shop.wrote == wrote
    assert [one["target"] for one in result["changes"]] == wrote
    assert run(toy, check=True, correct=level, a=CREATE, b=UPDATE, c=DELETE)["changed"] == bool(wrote)


def test_correctable_counts_what_each_level_would_write() -> None:
    summary = run(Toy(), check=True, correct="never", a=CREATE, b=UPDATE, c=STUCK)["summary"]
    assert summary["correctable"] == {"safe": 1, "all": 2}


def test_what_is_asked_for_by_itself_is_done_on_every_level() -> None:
    toy = Toy()
    assert run(toy, correct="never", a=UPDATE._replace(action="rotate", level=ON_REQUEST))["changed"]
    assert toy.shop.wrote == ["a"]


def test_what_is_in_sync_may_ask_for_a_deed_that_changes_nothing() -> None:
    toy = Toy()
    result = run(toy, a=FINE._replace(action="test"))
    assert toy.shop.wrote == ["a"]
    assert (result["changed"], counted(result)) == (False, {"targets": 1, "in_sync": 1})


def test_a_refused_write_is_a_record_and_the_rest_goes_on() -> None:
    toy = Toy()
    result = run(toy, a=CREATE._replace(subject=REFUSED), b=CREATE)
    assert toy.shop.wrote == ["b"]
    assert (counted(result), result["failed"]) == ({"targets": 2, "corrected": 1, "failed": 1}, True)
    assert (result["summary"]["outcome"], result["problems"][0]["code"]) == ("failed", "Full")
    assert result["problems"][0]["next_step"] in result["msg"]


def test_stages_come_in_their_order_and_a_veto_is_told() -> None:
    toy = Toy()
    result = run(toy, a=DELETE, b=CREATE._replace(subject=REFUSED))
    assert toy.shop.wrote == []
    assert {one["code"] for one in result["problems"]} == {"Full", "NotTried"}
    run(toy, a=DELETE, b=CREATE)
    assert toy.shop.wrote == ["b", "a"]


def test_what_cannot_be_read_is_unknown_and_never_written() -> None:
    toy = Toy()
    result = run(toy, a=REFUSED)
    assert toy.shop.wrote == []
    assert counted(result) == {"targets": 1, "unknown": 1}
    assert (result["failed"], result["summary"]["outcome"], result["summary"]["drift"]) == (
        True,
        "unknown",
        {"unknown": 1},
    )


def test_what_is_blocked_stays_drifted_with_its_next_step() -> None:
    result = run(Toy(), a=STUCK)
    assert (result["changed"], counted(result)) == (False, {"targets": 1, "drifted": 1})
    assert (result["problems"][0]["code"], result["problems"][0]["next_step"]) == ("conflict", "ask them")


@pytest.mark.parametrize(
    ("fail_on", "shelf", "fails"),
    [
        ("error", STUCK, False),
        ("drift", STUCK, True),
        ("blocked", STUCK, True),
        ("error", REFUSED, True),
        ("blocked", REFUSED, True),
        ("never", REFUSED, False),
    ],
)
def test_what_fails_the_task(fail_on: str, shelf: Any, fails: bool) -> None:
    assert run(Toy(), fail_on=fail_on, a=shelf)["failed"] is fails


def test_what_cannot_be_made_is_a_failure_where_it_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "e"
    result = run(Toy(), fail_on="blocked", evidence_path=str(path), a=STUCK, b=CREATE)
    assert (result["failed"], result["summary"]["outcome"]) == (True, "failed")
    assert counted(result) == {"targets": 2, "corrected": 1, "failed": 1}
    assert (result["problems"][0]["code"], result["problems"][0]["next_step"]) == ("conflict", "ask them")
    lines = {line["target"]: line for line in map(json.loads, path.read_text().splitlines())}
    assert (lines["a"]["status"], lines["a"]["problem"]["next_step"]) == ("failed", "ask them")


def test_what_a_budget_withholds_is_no_failure_of_its_targets() -> None:
    result = run(Toy(), fail_on="blocked", max_changes=0, a=CREATE)
    assert (result["failed"], counted(result)) == (True, {"targets": 1, "drifted": 1})
    assert counted(run(Toy(), fail_on="blocked", correct="never", a=CREATE)) == {"targets": 1, "drifted": 1}


def test_more_than_the_budget_writes_nothing(tmp_path: Path) -> None:
    toy = Toy()
    result = run(toy, max_changes=1, evidence_path=str(tmp_path / "e"), a=CREATE, b=CREATE)
    assert toy.shop.wrote == []
    assert (result["failed"], result["changed"], result["problems"][0]["code"]) == (True, False, "MaxChanges")
    lines = [json.loads(line) for line in (tmp_path / "e").read_text().splitlines()]
    assert [(line["target"], line["status"]) for line in lines] == [("a", "drifted"), ("b", "drifted")]
    run(toy, max_changes=2, a=CREATE, b=CREATE)
    assert toy.shop.wrote == ["a", "b"]


@pytest.mark.parametrize("kind", ["Toy", "Slow"])
def test_a_budget_of_none_writes_nothing(kind: str) -> None:
    toy = {"Toy": Toy, "Slow": Slow}[kind]()
    assert run(toy, max_changes=0, a=CREATE)["problems"][0]["code"] == "MaxChanges"
    assert "a" not in toy.shop.wrote


def test_what_is_due_is_written_while_others_are_read() -> None:
    toy = Slow()
    result = run(toy, a=CREATE, b=FINE, c=UPDATE)
    assert toy.shop.wrote.index("a") < toy.shop.wrote.index("look at c"), toy.shop.wrote
    assert toy.shop.wrote[-1] == "c"
    assert counted(result) == {"targets": 3, "in_sync": 1, "corrected": 2}
    assert [change["target"] for change in result["changes"]] == ["a", "c"]


def test_where_order_matters_nothing_is_written_before_all_is_read() -> None:
    class Ordered(Slow):
        overlaps = False

    toy = Ordered()
    run(toy, a=CREATE, b=CREATE)
    assert toy.shop.wrote == ["look at a", "look at b", "a", "b"]


def test_a_budget_is_counted_before_anything_is_written(tmp_path: Path) -> None:
    toy = Slow()
    result = run(toy, max_changes=1, evidence_path=str(tmp_path / "e"), a=CREATE, b=CREATE)
    assert (toy.shop.wrote, result["problems"][0]["code"]) == (["look at a", "look at b"], "MaxChanges")
    assert len((tmp_path / "e").read_text().splitlines()) == 2
    toy = Slow()
    run(toy, max_changes=2, a=CREATE, b=CREATE)
    assert toy.shop.wrote == ["look at a", "look at b", "a", "b"]


def test_an_overlapping_check_writes_nothing() -> None:
    toy = Slow()
    assert run(toy, check=True, a=CREATE, b=CREATE)["changed"]
    assert toy.shop.wrote == ["look at a", "look at b"]


def test_an_overlapping_veto_sees_what_has_failed() -> None:
    toy = Slow()
    result = run(toy, a=CREATE._replace(subject=REFUSED), b=DELETE, c=CREATE)
    assert [name for name in toy.shop.wrote if len(name) == 1] == ["c"]
    assert {one["code"] for one in result["problems"]} == {"Full", "NotTried"}


def test_a_survey_that_ends_the_tenant_ends_it_when_overlapping_too() -> None:
    result = run(Slow(), broken=REFUSED)
    assert (result["failed"], result["problems"][0]["code"]) == (True, "Full")


def test_overlapping_evidence_has_each_target_once_as_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "e"
    run(Slow(), evidence_path=str(path), a=CREATE, b=FINE, c=CREATE._replace(subject=REFUSED))
    lines = {line["target"]: line["status"] for line in map(json.loads, path.read_text().splitlines())}
    assert len(path.read_text().splitlines()) == 3
    assert lines == {"a": "corrected", "b": "in_sync", "c": "failed"}


def watched(toy: Toy, **shelves: Any) -> Watcher:
    watcher = Watcher()
    execute(engines.converge(toy), toy.name, {"shelves": shelves}, check=False, diff=False, reporter=watcher)
    return watcher


def test_progress_is_told() -> None:
    class Paced(Toy):
        def held_up(self, client: Shop) -> float:
            return 0.5 * len(client.wrote)

    watcher = watched(Paced(), a=CREATE, b=FINE, c=UPDATE, d=REFUSED)
    told = {name: watcher.last(name) for name in ("total", "planned", "changed", "done", "failed", "throttled_seconds")}
    assert told == {"total": 4, "planned": 2, "changed": 2, "done": 4, "failed": 1, "throttled_seconds": 1.0}


def test_overlapping_progress_counts_every_write() -> None:
    watcher = watched(Slow(), a=CREATE, b=FINE, c=CREATE)
    assert (watcher.last("planned"), watcher.last("changed"), watcher.last("done")) == (2, 2, 3)


def test_evidence_has_each_target_once_as_it_ended_without_secrets(tmp_path: Path) -> None:
    path = tmp_path / "e"
    run(Toy(), evidence_path=str(path), a=CREATE, b=CREATE._replace(subject=REFUSED), c=FINE, d=REFUSED)
    text = path.read_text()
    assert SECRET not in text
    lines = {line["target"]: line for line in map(json.loads, text.splitlines())}
    assert len(text.splitlines()) == 4
    assert {name: line["status"] for name, line in lines.items()} == {
        "a": "corrected", "b": "failed", "c": "in_sync", "d": "unknown",
    }  # fmt: skip
    assert lines["d"]["aisle"] == 1
    assert lines["a"]["after"] == {"things": 3}


def test_evidence_of_what_is_proven_at_the_end_says_how_that_ended(tmp_path: Path) -> None:
    class Careful(Toy):
        proves = True

        async def finish(self, client: Shop, wanted: Wanted, run: Any) -> None:
            run.keep(run.records["a"]._replace(status=UNKNOWN, error=REFUSED))

    path = tmp_path / "toy.jsonl"
    for given, status in (({}, "corrected"), ({"max_changes": 1}, "drifted")):
        run(Careful(), evidence_path=str(path), a=CREATE, b=CREATE, c=FINE, **given)
        assert [json.loads(line)["status"] for line in path.read_text().splitlines()] == ["unknown", status, "in_sync"]
        path.unlink()


def test_what_was_written_and_is_yet_wrong_is_a_change_that_failed() -> None:
    result = run(Toy(), a=CREATE._replace(subject=Applied(status=FAILED, error=REFUSED)))
    assert (result["changed"], result["failed"], counted(result)) == (True, True, {"targets": 1, "failed": 1})


def test_what_somebody_else_made_meanwhile_is_no_change_of_ours() -> None:
    result = run(Toy(), bread=CREATE._replace(subject=Applied(status=IN_SYNC, verdict=FINE._replace(target="bread"))))
    assert (result["changed"], result["summary"]["outcome"], result["changes"]) == (False, "in_sync", [])


def test_a_write_that_only_somebody_else_can_cure_waits_and_is_no_change() -> None:
    result = run(Toy(), bread=CREATE._replace(subject=Applied(status=WAITING, verdict=STUCK._replace(target="bread"))))
    assert (result["changed"], result["failed"], result["summary"]["outcome"]) == (False, False, "waiting")
    assert result["problems"][0]["next_step"] == "ask them"


def test_what_waits_for_somebody_is_told_with_their_next_step() -> None:
    result = run(Toy(), bread=STUCK._replace(status=WAITING))
    assert (result["changed"], result["failed"], result["summary"]["outcome"]) == (False, False, "waiting")
    assert result["problems"][0]["next_step"] == "ask them"


@pytest.mark.parametrize("verb", ["converge", "verify", "preflight"])
def test_an_engine_is_found_in_the_package_of_its_capability(verb: str) -> None:
    assert getattr(engines, verb)(Toy()).__module__ == Toy.__module__


def test_what_is_in_sync_may_have_a_warning_and_one_cause_is_one_problem() -> None:
    old = FINE._replace(drift=("retired",), reason="it is sold no more", next_step="order another")
    result = run(Toy(), bread=old, milk=old, eggs=FINE)
    assert (result["failed"], result["summary"]["outcome"]) == (False, "in_sync")
    (problem,) = result["problems"]
    assert (problem["code"], problem["count"], problem["next_step"]) == ("retired", 2, "order another")


def test_wrong_options_touch_nothing() -> None:
    toy = Toy()
    result = run(toy, bad=CREATE)
    assert toy.shop.wrote == []
    assert (result["failed"], result["problems"][0]["code"]) == (True, "InputError")


def test_skipped_targets_count_as_such() -> None:
    assert counted(run(Toy(), a=Verdict("", SKIPPED, reason="no logs"))) == {"targets": 1, "skipped": 1}


def test_verify_tells_bad_flows_apart() -> None:
    result = run(Toy(), verb="verify")
    assert counted(result) == {"targets": 3, "in_sync": 1, "drifted": 1, "unknown": 1}
    assert result["summary"]["outcome"] == "unknown"
    assert {one["target"] for one in result["problems"]} == {"milk", "eggs"}
    assert SECRET not in json.dumps(result)


def test_preflight_names_the_owner() -> None:
    result = run(Toy(), verb="preflight")
    assert (result["problems"][0]["next_step"], result["summary"]["requests"]) == ("customer: bring one", {"GET": 1})


class Endless(Slow):
    """A toy whose third look, and whose write of what is called stuck, never come back."""

    async def survey(self, client: Shop, wanted: Wanted, give: Give) -> None:
        give.expect(9)
        await super().survey(client, wanted, give)
        await asyncio.Event().wait()

    async def apply(self, client: Shop, wanted: Wanted, verdict: Verdict) -> Applied | None:
        if verdict.target == "stuck":
            await asyncio.Event().wait()
        return await super().apply(client, wanted, verdict)

    async def freshness(self, client: Shop, wanted: Wanted) -> list[Flow]:
        await asyncio.Event().wait()
        return []

    async def preflight(self, client: Shop, wanted: Wanted) -> list[Finding]:
        await asyncio.Event().wait()
        return []


def test_the_time_limit_keeps_what_was_seen_and_tells_the_rest_as_unknown(tmp_path: Path) -> None:
    path = tmp_path / "e"
    result = run(Endless(), time_limit_seconds=0.01, evidence_path=str(path), a=CREATE, b=FINE)
    assert counted(result) == {"targets": 3, "in_sync": 1, "corrected": 1, "unknown": 1}
    assert (result["changed"], result["failed"], result["summary"]["outcome"]) == (True, True, "unknown")
    [problem] = result["problems"]
    assert (problem["code"], "2 of 9 targets were looked at" in problem["message"]) == ("TimeLimit", True)
    assert "time_limit_seconds" in problem["next_step"]
    assert [json.loads(line)["target"] for line in path.read_text().splitlines()] == ["a", "b", "(not reached)"]


def test_what_was_being_written_when_the_time_ended_may_have_been_done() -> None:
    result = run(Endless(), time_limit_seconds=0.01, a=CREATE, stuck=UPDATE, c=UPDATE)
    assert counted(result) == {"targets": 4, "corrected": 1, "failed": 1, "drifted": 1, "unknown": 1}
    assert any("may have been done" in problem["message"] for problem in result["problems"])


@pytest.mark.parametrize("verb", ["verify", "preflight"])
def test_the_time_limit_holds_for_what_only_reads(verb: str) -> None:
    result = run(Endless(), verb=verb, time_limit_seconds=0.01)
    assert (counted(result), result["changed"]) == ({"targets": 1, "unknown": 1}, False)
    assert "time limit of 0.01 s is over" in str(result["problems"])


def test_a_verification_that_runs_out_of_time_tells_what_it_has_seen() -> None:
    class Partly(Endless):
        def flows_so_far(self, client: Shop) -> list[Flow]:
            return [Flow("a", FLOWING, newest=time.time())]

    result = run(Partly(), verb="verify", time_limit_seconds=0.01)
    assert counted(result) == {"targets": 2, "in_sync": 1, "unknown": 1}


def test_a_defect_costs_one_target_and_not_the_run() -> None:
    class Odd(Toy):
        async def apply(self, client: Shop, wanted: Wanted, verdict: Verdict) -> Applied | None:
            return (await super().apply(client, wanted, verdict)) if verdict.target != "b" else {}[5]

    result = run(Odd(), a=CREATE, b=CREATE, c=CREATE)
    assert counted(result) == {"targets": 3, "corrected": 2, "failed": 1}
    assert result["problems"][0]["code"] == "InternalError"


@pytest.mark.parametrize("overlaps", [False, True])
def test_what_was_done_is_told_when_the_engine_itself_fails(overlaps: bool) -> None:
    class Broken(Toy):
        async def finish(self, client: Shop, wanted: Wanted, run: Any) -> None:
            raise ZeroDivisionError(SECRET)

        def summary(self, client: Shop, wanted: Wanted, records: Sequence[Record]) -> Mapping[str, Any]:
            raise KeyError("what finish would have known")

    toy = Broken()
    toy.overlaps = overlaps
    result = run(toy, fail_on="never", a=CREATE, b=FINE)
    assert (result["changed"], result["failed"]) == (True, True)
    assert counted(result) == {"targets": 3, "in_sync": 1, "corrected": 1, "unknown": 1}
    assert "ZeroDivisionError" in result["exception"]
    assert SECRET not in str(result)
