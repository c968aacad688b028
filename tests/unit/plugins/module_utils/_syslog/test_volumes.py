# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much a source sends, from looks of any distance, over restarts of the receiver."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import DAY, Flow, Volume, weighed
from ansible_collections.mssp.onboarding.plugins.module_utils._host import commands
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog import info, volumes
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog.layout import Layout

HOUR = 3600.0


def kept(rates: list[tuple[float, int]], every: float = HOUR, restart: int = 0) -> dict[str, Any]:
    """After looks over so many days at so many records an hour each; the counter begins anew after `restart` looks."""
    found: dict[str, Any] = {}
    at, counter, number = 0.0, 0, 0
    for days, rate in rates:
        for _look in range(int(days * DAY / every)):
            found = volumes.looked(found, at, counter, 5.0)
            at, number = at + every, number + 1
            counter = rate if number == restart else counter + int(rate * every / HOUR)
    return volumes.looked(found, at, counter, 5.0)


def told(found: dict[str, Any]) -> Volume:
    return volumes.volume(found["looks"], found["looks"][-1][0])


def test_a_day_and_the_same_day_of_earlier_weeks() -> None:
    assert told(kept([(16, 10)])) == Volume(240, 240)
    fallen = told(kept([(15, 10), (1, 1)]))
    assert fallen == Volume(24, 240)
    assert weighed(Flow("a", "flowing", newest=1.0), fallen).state == "fallen"


def test_what_the_looks_do_not_reach_back_to_is_not_known() -> None:
    assert told(kept([(0.5, 10)])) == Volume(None, None)
    assert told(kept([(5, 10)])) == Volume(240, None)
    assert told(volumes.looked({}, 9.0, None, 5.0) | {"looks": [[9.0, 0.0]]}) == Volume(None, None)


def test_looks_may_be_frequent_or_rare_and_the_receiver_may_restart() -> None:
    often, rare = kept([(16, 60)], every=900.0), kept([(16, 10)], every=36 * HOUR)
    assert len(often["looks"]) <= 16 * 24 + 2, "bounded, however often verify is run"
    assert told(often) == Volume(1440, 1440)
    assert told(rare) == Volume(240, 240)
    assert told(kept([(16, 10)], restart=380)) == Volume(240, 240)


def test_a_source_stays_as_old_as_it_is() -> None:
    first = volumes.looked({}, 100.0, 0, 90.0)
    assert volumes.looked(first, 5000.0, 0, 4900.0)["since"] == 90.0


def test_without_a_counter_nothing_is_added() -> None:
    first = volumes.looked({}, 100.0, 7, 90.0)
    assert volumes.looked(first, 5000.0, None, 90.0) == first


def test_nobody_knows_the_day_of_a_receiver_that_counts_no_more() -> None:
    looks = kept([(16, 10)])["looks"]
    assert volumes.volume(looks, looks[-1][0] + HOUR) == Volume(None, 240), "it is no fall to none"


def test_verify_keeps_what_it_saw_and_nothing_in_check_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("work", "storage", "applied", "seen", "guard_state", "stats", "own_log"):
        monkeypatch.setattr(Layout, name, property(lambda _self, name=name: str(tmp_path / name)))
    monkeypatch.setattr(commands, "run", lambda *_words: commands.Said(0, "ActiveState=inactive\nMainPID=0\n", ""))
    (tmp_path / "work").mkdir()
    source = {"transport": "tcp", "port": 10514, "senders": ["192.0.2.0/24"]}
    params = {"tenant": "contoso", "stale_minutes": 60, "sources": {"a": source}}

    def look(counted: int, *, check: bool) -> dict[str, Any]:
        (tmp_path / "applied").touch()
        (tmp_path / "stats").write_text(f'2026-11-21T10:00:00+00:00 {{"name": "store-a", "processed": {counted}}}\n')
        result = asyncio.run(info.run(params, None, None, check=check, diff=False))
        assert (result["flows"][0]["records"], result["summary"]["arrivals"]["records_last_day"]) == (counted, None)
        kept = tmp_path / "seen"
        return dict(json.loads(kept.read_text())["sources"]["a"]) if kept.exists() else {}

    assert look(5, check=True) == {}
    first = look(5, check=False)
    second = look(9, check=False)
    assert (first["since"], [total for _at, total in second["looks"]]) == (second["since"], [0.0, 4.0])


def test_verify_weighs_a_source_by_what_it_saw_and_takes_it_for_as_old_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("work", "storage", "applied", "seen", "guard_state", "stats", "own_log"):
        monkeypatch.setattr(Layout, name, property(lambda _self, name=name: str(tmp_path / name)))
    monkeypatch.setattr(commands, "run", lambda *_words: commands.Said(0, "ActiveState=inactive\nMainPID=0\n", ""))
    times: list[float] = []

    def flow(source: Any, _listening: Any, _counters: Any, _newest: Any, made: float, *_rest: Any) -> Flow:
        times.append(made)
        return Flow(source.name, "flowing", 1.0)

    monkeypatch.setattr(info, "flow", flow)
    now = time.time()
    looks = [[now - 15 * DAY, 0.0], [now - DAY, 36000.0]]
    seen = {"time": now - DAY, "sources": {"a": {"since": 77.0, "counted": 36000, "looks": looks}}}
    (tmp_path / "seen").write_text(json.dumps(seen))
    (tmp_path / "applied").touch()
    (tmp_path / "stats").write_text('2026-11-21T10:00:00+00:00 {"name": "store-a", "processed": 36024}\n')
    params = {"tenant": "contoso", "stale_minutes": 60, "sources": {"a": {"transport": "udp", "port": 10514}}}
    found = asyncio.run(info.run(params, None, None, check=True, diff=False))
    assert times == [77.0]
    assert found["summary"]["arrivals"]["records_last_day"] == pytest.approx(24, abs=1)
    assert found["summary"]["states"] == {"fallen": 1}
