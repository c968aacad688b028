"""Folders of runs are packed and removed by age and size, and never by a date that jumped."""

from __future__ import annotations

import json
import random
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._fleet import retention
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.history import FILE, History, read_summary, rebuild
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.retention import DAY, pack, retain
from tests.unit.plugins.plugin_utils._report.fleets import row, run

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()


def folder(root: Path, days: float, lines: int = 1) -> Path:
    """A run so many days ago."""
    began = datetime.fromtimestamp(NOW - days * DAY, UTC)
    made = root / f"{began:%Y%m%dT%H%M%SZ}-drift-{int(days * 10):06x}"
    made.mkdir()
    (made / "summary.json").write_text(json.dumps(run(1, row("a", "x"), run=made.name), indent=1))
    (made / "a.x.jsonl").write_text('{"target":"t"}\n' * lines)
    return made


def left(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir() if path.is_dir())


def test_a_run_is_packed_after_a_day_and_removed_by_its_age(tmp_path: Path) -> None:
    gone, packed, new, *_more = (folder(tmp_path, days) for days in (401, 2, 0.5, 0.6, 0.7))
    (tmp_path / "mine").mkdir()
    retain(tmp_path, 400, 0, NOW, new.name)
    assert (tmp_path / "mine").exists()
    assert not gone.exists()
    assert sorted(path.name for path in packed.iterdir()) == ["evidence.tar.gz", "summary.json.gz"]
    with tarfile.open(packed / "evidence.tar.gz") as archive:
        assert archive.getnames() == ["a.x.jsonl"]
    assert (new / "a.x.jsonl").exists()
    assert {path.stat().st_mode & 0o777 for path in packed.iterdir()} == {0o600}


def test_a_packed_run_is_read_like_any_other(tmp_path: Path) -> None:
    made = folder(tmp_path, 2)
    before = read_summary(made)
    pack(made)
    assert read_summary(made) == before
    assert rebuild(tmp_path) == 1
    with History(tmp_path / FILE) as history:
        assert [one.run for one in history.runs()] == [made.name]


def test_the_oldest_go_where_all_take_too_much_and_never_the_last(tmp_path: Path) -> None:
    runs = [folder(tmp_path, days, lines=40_000) for days in (0.3, 0.2, 0.1)]
    retain(tmp_path, 0, 1, NOW, runs[2].name)
    assert left(tmp_path) == sorted(path.name for path in runs[1:])


@pytest.mark.parametrize("number", [1, 3])
def test_a_date_that_jumped_removes_nothing(tmp_path: Path, number: int) -> None:
    for days in range(5):
        folder(tmp_path, days)
    ahead = [folder(tmp_path, -3650 - more) for more in range(number)]
    retain(tmp_path, 400, 0, NOW + 3650 * DAY, ahead[-1].name)
    assert len(left(tmp_path)) == 5 + number


def test_a_second_run_does_not_pack_what_a_first_is_packing(tmp_path: Path) -> None:
    made = folder(tmp_path, 2)
    with open(tmp_path / retention.LOCK, "w") as lock:
        retention.fcntl.flock(lock, retention.fcntl.LOCK_EX)
        retain(tmp_path, 400, 0, NOW, "x")
    assert (made / "summary.json").exists()


def test_a_year_of_a_thousand_tenants_stays_below_what_the_document_says(tmp_path: Path) -> None:
    """50 of 1,000 tenants with 20 targets each, by the form that azure_diagnostic_settings writes."""
    chance = random.Random(1)
    made = folder(tmp_path, 2)
    for tenant in range(50):
        subscription = f"{chance.getrandbits(32):08x}-0000-4000-8000-{chance.getrandbits(48):012x}"
        lines = [
            f'{{"time":"2026-11-21T12:00:0{n % 10}Z","target":"/subscriptions/{subscription}/resourceGroups/'
            f'rg-{tenant}/providers/Microsoft.KeyVault/vaults/kv{chance.getrandbits(32):08x}{n}","subscription":"{subscription}",'
            '"type":"microsoft.keyvault/vaults","family":"key_vault","status":"in_sync"}'
            for n in range(20)
        ]
        (made / f"t{tenant}.azure_diagnostic_settings.jsonl").write_text("\n".join(lines) + "\n")
    times = [chance.random() for _ in range(50)]
    rows = [row(f"t{n}", "azure_diagnostics", targets=20, in_sync=20, seconds=time) for n, time in enumerate(times)]
    (made / "summary.json").write_text(json.dumps(run(1, *rows), indent=1))
    pack(made)
    run_of_all = sum(path.stat().st_size for path in made.iterdir()) * 20
    assert run_of_all * 24 * 365 < 5e9
