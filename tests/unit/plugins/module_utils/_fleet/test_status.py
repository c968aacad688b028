"""The question to the history: which cells the filters let through, and what is said of each."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.redaction import Redactor
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.history import FILE, History, HistoryError
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.status import SPEC, earliest, run
from tests.unit.plugins.plugin_utils._report import fleets


@pytest.fixture
def root(tmp_path: Path) -> Path:
    with History(tmp_path / FILE, write=True) as made:
        made.add(fleets.run(1, fleets.row("a", "x"), fleets.row("a", "y"), fleets.row("b", "x", "failed")))
        made.add(fleets.run(2, fleets.row("a", "x", "drifted"), fleets.row("b", "x", "failed", fleets.REFUSED)))
    return tmp_path


def ask(root: Path, **given: Any) -> dict[str, Any]:
    params = {name: option.get("default") for name, option in SPEC.items()} | {"evidence_root": str(root)} | given
    return asyncio.run(run(params, None, Redactor(), check=False, diff=False))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, [("b", "x", "failed"), ("a", "x", "drifted"), ("a", "y", "in_sync")]),
        ({"tenants": ["a"]}, [("a", "x", "drifted"), ("a", "y", "in_sync")]),
        ({"tenants": ["nobody"]}, [("nobody", None, "never_run")]),
        ({"tenants": ["nobody"], "statuses": ["in_sync"]}, []),
        ({"capabilities": ["y"]}, [("a", "y", "in_sync")]),
        ({"statuses": ["drifted", "in_sync"]}, [("a", "x", "drifted"), ("a", "y", "in_sync")]),
        ({"since": "2026-11-01T07:30:00Z"}, [("a", "x", "drifted")]),
        ({"since": "99999d"}, [("b", "x", "failed"), ("a", "x", "drifted"), ("a", "y", "in_sync")]),
    ],
)
def test_filters(root: Path, given: dict[str, Any], found: list[tuple[str, str, str]]) -> None:
    told = ask(root, **given)
    assert [(entry["tenant"], entry["capability"], entry["status"]) for entry in told["tenants"]] == found
    assert told["summary"]["counts"]["targets"] == len(found)


def test_an_entry_says_since_when_and_what_to_do(root: Path) -> None:
    failed, drifted, whole = ask(root)["tenants"]
    assert failed["failing_since"] == "2026-11-01T06:59:59Z"
    assert failed["last_in_sync"] is None
    assert failed["next_step"] == fleets.REFUSED["next_step"]
    assert (drifted["drifted_since"], drifted["last_in_sync"]) == ("2026-11-01T07:59:59Z", "2026-11-01T06:59:59Z")
    assert (whole["drifted_since"], whole["failing_since"]) == (None, None)


def test_where_nothing_has_run_nothing_is_whole(tmp_path: Path) -> None:
    assert ask(tmp_path)["tenants"] == []
    (entry,) = ask(tmp_path, tenants=["a"])["tenants"]
    assert (entry["status"], entry["since"], entry["seen"]) == ("never_run", None, None)


def test_a_root_that_is_not_there_is_not_an_empty_fleet(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        ask(tmp_path / "nowhere", tenants=["a"])


def test_a_history_that_cannot_be_read_is_not_an_empty_fleet(root: Path) -> None:
    (root / FILE).write_bytes(b"hello" * 1000)
    with pytest.raises(HistoryError):
        ask(root)


@pytest.mark.parametrize(("text", "when"), [("36h", 1e9 - 129600), ("7d", 1e9 - 604800), (None, None), ("", None)])
def test_ages(text: str | None, when: float | None) -> None:
    assert earliest(text, 1e9) == when


@pytest.mark.parametrize("text", ["soon", "7 days", "-1d", "2026-13-01"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(InputError):
        earliest(text, 1e9)
