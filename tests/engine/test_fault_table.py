# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault table: every source of ours with every kind of fault. A source that is listed has all of them.

docs/faults.md is made of this table, and of that of the collectors:
UPDATE_GOLDEN=1 python -m pytest tests/engine/test_fault_table.py -k document writes it anew.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import engines, http, limits
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike import api
from lab.client import LabClient
from lab.testing import ROOT

from .collectors import COLLECTORS
from .golden import UPDATE
from .sources import SOURCES, never_well
from .test_collector_faults import FILES, PROGRAMS

# What stays for the whole run.
LASTING: dict[str, dict[str, Any]] = {
    "refused": {"action": "status", "status": 403, "code": "AuthorizationFailed"},
    "throttled": {"action": "throttle", "seconds": 0},
    "cut": {"action": "truncated"},
    "hanging": {"action": "hang"},
    "malformed": {"action": "malformed"},
    "signed out": {"action": "status", "status": 401, "code": "InvalidAuthenticationToken"},
    "huge": {"action": "endless"},
    "endless": {"action": "drip", "seconds": 0.1},
}
# What passes, so that nobody is to notice.
PASSING: dict[str, dict[str, Any]] = {
    "slow": {"action": "slow", "seconds": 0.1},
    "throttled once": {"action": "throttle", "seconds": 0},
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, hasty: list[float], no_waits: None) -> Iterator[None]:
    """Small bodies are large ones, waits take no time, and what is left open is told of here."""
    monkeypatch.setattr(http, "MAX_BODY", 500_000)
    yield
    gc.collect()


@pytest.mark.parametrize("fault", LASTING)
@pytest.mark.parametrize("name", SOURCES)
def test_a_fault_is_told_with_its_next_step_and_never_called_well(
    lab: LabClient, monkeypatch: pytest.MonkeyPatch, name: str, fault: str
) -> None:
    source = SOURCES[name]
    run = source.prepare(lab)  # before the limit, which a busy machine would meet
    for module in (engines, api) if fault in ("hanging", "endless") else ():
        monkeypatch.setattr(module, "time_limit", lambda _seconds, operation: limits.time_limit(0.5, operation))
    lab.fault(path=source.path, count=None, **LASTING[fault])
    never_well(run())


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("name", SOURCES)
def test_what_passes_is_not_noticed(lab: LabClient, name: str, fault: str) -> None:
    source = SOURCES[name]
    run = source.prepare(lab)
    lab.fault(path=source.path, count=1, **PASSING[fault])
    result = run()
    assert result["summary"]["counts"]["failed"] + result["summary"]["counts"]["unknown"] == 0, result["msg"]


@pytest.mark.parametrize("name", SOURCES)
def test_what_was_half_done_is_finished_by_the_next_run(lab: LabClient, name: str) -> None:
    run = SOURCES[name].prepare(lab)
    for method in ("PUT", "PATCH", "POST"):
        lab.fault(action="drop_after", method=method, path="re:^(?!.*(token|query|ResourceGraph))", count=None, after=1)
    first = run()
    assert "exception" not in first, first["exception"]
    lab.clear_faults()
    after = run()
    assert after["summary"]["counts"]["failed"] + after["summary"]["counts"]["unknown"] == 0, after["msg"]


HEAD = """# What is tried at every source

Made by `tests/engine/test_fault_table.py`, not by hand: each row is tried with each fault, in a run that must not be
called well, must say what happened and what to do next, and must have no defect of ours in it. Vendors are those of the
lab. A source that has a file in `tests/engine/sources`, or is listed in `collectors.py` beside it, has all of them.

## Requests to vendors

- for the whole run: {lasting}
- for once, and nobody is to notice: {passing}
- half done: the next run finishes it

| source | the request |
|---|---|
"""
HOSTS = """
## Collectors

- a program of the host: {programs}
- a file or folder: {files}

| source | programs | files and folders |
|---|---|---|
"""


def document() -> str:
    rows = [f"| {name} | `{source.path.removeprefix('re:')}` |" for name, source in SOURCES.items()]
    hosts = [
        f"| {name} | {code(one.programs)} | {code((*one.files, *one.folders))} |" for name, one in COLLECTORS.items()
    ]
    first = HEAD.format(lasting=", ".join(LASTING), passing=", ".join(PASSING))
    second = HOSTS.format(programs=", ".join(PROGRAMS), files=", ".join(FILES))
    return first + "\n".join(rows) + "\n" + second + "\n".join(hosts) + "\n"


def code(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def test_the_document_says_what_is_tried() -> None:
    path = ROOT / "docs" / "faults.md"
    if os.environ.get(UPDATE):
        path.write_text(document(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == document()
