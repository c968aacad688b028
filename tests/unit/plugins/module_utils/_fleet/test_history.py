"""The history: what it answers, and that nothing which is wrong with its file is anything but a named error."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._fleet import history as module
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.history import FILE, History, HistoryError, rebuild
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.leavers import offboarded
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.states import Cell, cells
from tests.unit.plugins.plugin_utils._report.fleets import HOUR, START, history, row, run


def cell(made: History, until: float = float("inf")) -> Cell:
    (found,) = cells(made.standing(until), {}).values()
    return found


def hour(when: float | None) -> float | None:
    """Hours after START, of a row that ended a second before its run."""
    return None if when is None else round((when - START + 1) / HOUR, 3)


def told(*outcomes: str) -> list[dict[str, Any]]:
    return [run(number, row("a", "x", outcome)) for number, outcome in enumerate(outcomes, 1)]


@pytest.mark.parametrize(
    ("outcomes", "status", "since", "last_in_sync"),
    [
        (["in_sync"], "in_sync", 1, 1),
        (["in_sync", "in_sync", "drifted", "drifted"], "drifted", 3, 2),
        (["in_sync", "failed", "failed", "failed"], "failed", 2, 1),
        (["drifted", "failed", "drifted"], "drifted", 3, None),
        (["drifted", "corrected"], "corrected", 2, 2),
        (["in_sync", "unreachable"], "unknown", 2, 1),
    ],
)
def test_since_when(outcomes: list[str], status: str, since: float, last_in_sync: float | None) -> None:
    found = cell(history(*told(*outcomes)))
    assert (found.status, hour(found.since), hour(found.last_in_sync)) == (status, since, last_in_sync)
    assert (hour(found.first_seen), hour(found.seen)) == (1, len(outcomes))


def test_what_stood_at_an_earlier_run() -> None:
    made = history(*told("in_sync", "drifted", "drifted", "corrected", "in_sync"))
    seen = [cell(made, run.at) for run in made.runs()]
    assert [found.status for found in seen] == ["in_sync", "drifted", "drifted", "corrected", "in_sync"]
    assert [hour(found.since) for found in seen] == [1, 2, 2, 4, 5]


def test_what_stays_as_it_is_costs_nothing() -> None:
    made = history(*told(*["in_sync"] * 50))
    assert len(made.spans("a")) == 1
    assert len(made.runs()) == 50


def test_a_run_is_taken_once() -> None:
    first, second = told("in_sync", "drifted")
    made = history(first, second, first, second)
    assert [r.run for r in made.runs()] == ["run-0001", "run-0002"]
    assert cell(made).status == "drifted"


def test_a_preflight_after_an_onboarding_takes_nothing_back() -> None:
    verbs = ("preflight", "onboard", "preflight")
    made = history(*(run(number, row("a", "x", verb=verb)) for number, verb in enumerate(verbs, 1)))
    assert [(span.tried, hour(span.since), hour(span.at)) for span in made.spans("a")] == [(True, 2, 3), (False, 1, 1)]


def test_a_run_that_ends_after_a_newer_one_does_not_turn_back_the_clock() -> None:
    first, second, third = told("in_sync", "drifted", "in_sync")
    made = history(first, third, second)
    assert cell(made).status == "in_sync"
    assert hour(cell(made).since) == 1


def test_a_run_without_any_tenant_is_not_one() -> None:
    assert history(run(1)).runs() == []


def test_a_task_of_others_that_had_failed_is_forgotten_by_the_next_run() -> None:
    made = history(run(1, row("a", "", "failed", step="Ask")), run(2, row("a", "x")))
    assert {key[1]: found.status for key, found in cells(made.standing(), {}).items()} == {"x": "in_sync"}


def test_the_turns_between_two_moments() -> None:
    made = history(*told("in_sync", "drifted", "drifted", "in_sync"))
    found = [(turn.status, hour(turn.since)) for turn in made.turns(START + HOUR, START + 9 * HOUR)]
    assert found == [("drifted", 2), ("in_sync", 4)]


def test_retention_keeps_what_stands_and_since_when() -> None:
    made = history(*told("in_sync", "drifted", "in_sync", "failed", "failed"))
    made.prune(START + 4.5 * HOUR)
    found = cell(made)
    assert (found.status, hour(found.since), hour(found.first_seen), hour(found.last_in_sync)) == ("failed", 4, 1, 3)
    assert [r.run for r in made.runs()] == ["run-0005"]
    assert len(made.spans("a")) == 1


def test_retention_keeps_what_no_later_run_asked_about() -> None:
    made = history(run(1, row("a", "x", "failed")), run(9, row("a", "y")))
    made.prune(START + 5 * HOUR)
    assert {member.capability: member.status for member in made.standing()} == {"x": "failed", "y": "in_sync"}


def test_a_tenant_that_no_run_has_seen_for_so_long_is_forgotten() -> None:
    fleet = {"a": {"tenant": "a"}, "b": {"tenant": "b"}}
    made = history(run(1, row("a", "x"), fleet=fleet), run(9, row("b", "x"), fleet={"b": {"tenant": "b"}}))
    made.prune(START + 5 * HOUR)
    assert [member.tenant for member in made.standing()] == ["b"]
    assert list(made.fleet()) == ["b"]


def test_the_fleet_as_it_was_last_seen() -> None:
    entry = {"tenant": "a", "name": "Änne", "ring": "early", "roles": ["x"]}
    assert history(run(1, row("a", "x"), fleet={"a": entry})).fleet() == {"a": entry}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / FILE


def test_only_its_owner_may_read_the_file(path: Path) -> None:
    old = os.umask(0)
    try:
        with History(path, write=True) as made:
            made.add(told("in_sync")[0])
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with History(path) as made:
        assert cell(made).status == "in_sync"


def test_no_link_is_followed_to_another_file(path: Path, tmp_path: Path) -> None:
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HistoryError):
        History(path, write=True)
    assert not (tmp_path / "elsewhere").exists()


def refusal(work: Callable[[], object]) -> HistoryError:
    with pytest.raises(HistoryError) as caught:
        work()
    return caught.value


def test_a_file_that_is_no_database(path: Path) -> None:
    path.write_bytes(b"hello" * 1000)
    for write in (True, False):
        error = refusal(lambda write=write: History(path, write=write))  # type: ignore[misc]
        assert error.code == "history_corrupt"
        assert "--rebuild" in error.next_step
        assert str(path) in str(error)


def test_a_file_whose_middle_is_gone(path: Path) -> None:
    with History(path, write=True) as made:
        for number in range(1, 40):
            made.add(run(number, *(row(f"t{n}", "x", ("in_sync", "drifted")[number % 2]) for n in range(20))))
    data = bytearray(path.read_bytes())
    data[4096:-4096] = b"\xff" * (len(data) - 8192)
    path.write_bytes(data)

    def work() -> None:
        with History(path, write=True) as made:
            made.add(run(99, *(row(f"t{n}", "x", "failed") for n in range(20))))

    assert refusal(work).code == "history_corrupt"


def test_a_field_that_is_not_what_was_written(path: Path) -> None:
    with History(path, write=True) as made:
        made.add(told("in_sync")[0])
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("UPDATE spans SET detail = '{'")
    with History(path) as made:
        assert refusal(made.standing).code == "history_corrupt"
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("UPDATE spans SET detail = '{}'")
        raw.execute("INSERT INTO hosts (host, roles) VALUES ('t1', '{')")
    with History(path) as made:
        assert refusal(lambda: made.left({"t1": {}})).code == "history_corrupt"


def test_a_file_of_another_form(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA user_version = 99")
    assert refusal(lambda: History(path, write=True)).code == "history_version"


def test_a_writer_waits_for_another_and_says_so_when_it_takes_too_long(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.1)
    with History(path, write=True) as first, History(path, write=True) as second:
        with first._writing():
            assert refusal(lambda: second.add(told("in_sync")[0])).code == "history_locked"
        second.add(told("in_sync")[0])
        assert len(first.runs()) == 1


def test_two_writers_at_once_lose_nothing(path: Path) -> None:
    History(path, write=True).close()

    def write(host: str) -> None:
        with History(path, write=True) as made:
            for number in range(1, 11):
                made.add(run(number, row(host, "x"), run=f"{host}-{number}"))

    writers = [threading.Thread(target=write, args=(host,)) for host in ("a", "b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    with History(path) as made:
        assert len(made.runs()) == 20


def test_a_change_that_fails_leaves_all_as_it_was(path: Path) -> None:
    with History(path, write=True) as made:
        made.add(told("in_sync")[0])
        with pytest.raises(HistoryError):
            made.add(run(2, row("a", "x", "drifted"), seconds="soon"))
        assert [r.run for r in made.runs()] == ["run-0001"]
        assert cell(made).status == "in_sync"


def folders(root: Path, *runs: dict[str, Any]) -> None:
    for one in runs:
        (root / one["run"]).mkdir()
        (root / one["run"] / "summary.json").write_text(json.dumps(one, indent=1))


def test_the_folders_give_the_same_history(tmp_path: Path) -> None:
    runs = told("in_sync", "drifted", "drifted", "corrected")
    runs[0]["run"], runs[3]["run"] = "z", "b"  # in the order of their ends, not of their names
    folders(tmp_path, *runs)
    (tmp_path / "latest").symlink_to("z")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "summary.json").write_text("{")
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "summary.json").write_text('{"tenants": ["x"]}')
    assert rebuild(tmp_path) == 4
    with History(tmp_path / FILE) as made:
        assert made.standing() == history(*runs).standing()
        assert made.runs() == history(*runs).runs()
    assert rebuild(tmp_path) == 4


def test_to_make_it_again_puts_a_corrupt_file_aside(tmp_path: Path) -> None:
    folders(tmp_path, *told("in_sync"))
    (tmp_path / FILE).write_bytes(b"hello" * 1000)
    assert rebuild(tmp_path) == 1
    assert (tmp_path / "history.sqlite.unreadable").read_bytes() == b"hello" * 1000


def removal(number: int, *capabilities: str) -> dict[str, Any]:
    return run(number, *(row("a", name, "corrected", verb="offboard") for name in capabilities))


def test_an_offboarded_tenant_is_remembered_until_something_is_made_there() -> None:
    made = history(*told("in_sync", "in_sync"))
    assert made.offboarded() == set()
    made.add(removal(3, "x"))
    assert made.offboarded() == {"a"}
    made.add(run(4, row("a", "y", verb="preflight"), row("b", "x")))
    assert made.offboarded() == {"a"}
    made.add(run(5, row("a", "x", "corrected", verb="onboard")))
    assert made.offboarded() == set()


def test_half_an_offboarding_is_one() -> None:
    made = history(run(1, row("a", "x"), row("a", "y")), removal(2, "x"))
    made.add(run(3, row("a", "y", "failed", verb="offboard")))
    assert made.offboarded() == {"a"}


def test_who_was_offboarded_by_file_or_history(path: Path) -> None:
    groups = {"tenants": ["a", "b", "c"], "tenant_a": ["log1"], "mssp_offboarded": ["c"]}
    assert offboarded(groups, "") == ["c"]
    assert offboarded(groups, str(path.parent / "run-1")) == ["c"]
    with History(path, write=True) as made:
        made.add(removal(1, "x"))
    assert offboarded(groups, str(path.parent / "run-1")) == ["a", "c", "log1"]
    assert offboarded(groups, str(path.parent / "run-1"), "b, a") == ["c"]
    path.write_bytes(b"hello" * 1000)
    with pytest.raises(HistoryError):
        offboarded(groups, str(path.parent / "run-1"))


def entry(folder: Path, tenant: str) -> dict[str, Any]:
    file = folder / "tenants" / f"{tenant}.yml"
    file.parent.mkdir(exist_ok=True)
    file.touch()
    return {"tenant": tenant, "roles": ["x"], "file": str(file)}


def test_a_tenant_whose_file_has_vanished_is_told_of_until_somebody_confirms_it(tmp_path: Path) -> None:
    a, b = (entry(tmp_path, name) for name in "ab")
    made = history(run(1, row("a", "x"), row("b", "x"), fleet={"a": a, "b": b}))
    made.add(run(2, row("b", "x"), fleet={"b": b}))  # by its own file: a is only not asked for
    assert made.cells()["a", "x"].status == "in_sync"
    Path(a["file"]).unlink()
    made.add(run(3, row("b", "x"), fleet={"b": b}))
    gone = made.cells()["a", "x"]
    assert (gone.status, gone.members[0].detail["problems"][0]["code"]) == ("unknown", "gone from the inventory")
    assert made.cells(fleet={"b": b}).keys() == {("a", "x"), ("b", "x")}
    assert not made.confirm_gone("b", "kim", START)
    assert made.confirm_gone("a", "kim", START)
    assert made.cells().keys() == {("b", "x")}
    assert made.confirmed() == [("a", "gone", "kim", START)]


def test_a_collector_that_its_tenants_file_no_longer_has_is_told_of(tmp_path: Path) -> None:
    a = entry(tmp_path, "a")
    made = history(run(1, row("a", "x"), row("log1", "x"), fleet={"a": a, "log1": a}))
    made.add(run(2, row("a", "x"), fleet={"a": a}))
    assert [(m.host, m.status) for m in made.cells()["a", "x"].members] == [("a", "in_sync"), ("log1", "unknown")]


def test_a_tenant_that_was_offboarded_may_vanish(tmp_path: Path) -> None:
    a, b = (entry(tmp_path, name) for name in "ab")
    made = history(run(1, row("a", "x"), fleet={"a": a, "b": b}), removal(2, "x"))
    Path(a["file"]).unlink()
    made.add(run(3, row("b", "x"), fleet={"b": b}))
    assert made.cells().keys() == {("b", "x")}


FAR = 24.0 * 3652  # hours after START, ten years


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the history's clock to so many hours after START."""
    return lambda hours: monkeypatch.setattr(module.time, "time", lambda: START + hours * HOUR)


def jumped(made: History, clock: Callable[[float], None]) -> History:
    """A good run, one whose clock was ten years ahead, and a failed one by the right clock."""
    for number, now, outcome in ((1, 1, "in_sync"), (int(FAR), FAR, "in_sync"), (3, 3, "failed")):
        clock(now)
        made.add(run(number, row("a", "x", outcome)))
    return made


def test_what_came_last_counts_whatever_the_clock_said_before(clock: Callable[[float], None]) -> None:
    made = jumped(history(), clock)
    found = cell(made)
    assert (found.status, hour(found.since), found.last_in_sync) == ("failed", 3, None)
    assert [r.run for r in made.runs(number=1)] == ["run-0003"]
    assert [r.run for r in made.ahead(START + 3 * HOUR)] == [f"run-{int(FAR)}"]
    made.add(run(4, row("a", "x")))
    assert cell(made).status == "in_sync"


def test_the_folders_of_runs_whose_clock_was_wrong_give_the_same(
    tmp_path: Path, clock: Callable[[float], None]
) -> None:
    folders(tmp_path, *(run(n, row("a", "x", o)) for n, o in ((1, "in_sync"), (int(FAR), "in_sync"), (3, "failed"))))
    clock(3)
    assert rebuild(tmp_path) == 3
    with History(tmp_path / FILE) as made:
        assert cell(made).status == "failed"


def test_a_date_that_jumped_prunes_nothing(clock: Callable[[float], None]) -> None:
    made = history(*(run(number, row("a", "x"), row("b", "x")) for number in range(1, 6)))
    for later in range(3):
        clock(FAR + later)
        made.add(run(int(FAR) + later, row("a", "x")))
        made.prune(made.horizon(400, START + (FAR + later) * HOUR))
    assert {member.tenant for member in made.standing()} == {"a", "b"}
    assert len(made.runs()) == 8


def test_a_full_disk_has_a_cure_of_its_own(path: Path) -> None:
    with History(path, write=True) as made:
        (pages,) = made._connection.execute("PRAGMA page_count").fetchone()
        made._connection.execute(f"PRAGMA max_page_count = {pages}")
        error = refusal(lambda: made.add(run(1, *(row(f"t{n}", "x", msg="x" * 500) for n in range(50)))))
    assert error.code == "history_full"
    assert "free space" in error.next_step
