"""What the scripts of the role drift_schedule decide: exit codes, messages, the age of a heartbeat."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest

from tests.unit.ansible_tools import ROOT


def script(name: str) -> ModuleType:
    """A script without .py as a module."""
    loader = importlib.machinery.SourceFileLoader(
        name.replace("-", "_"), str(ROOT / "roles/drift_schedule/files" / name)
    )
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


DRIFT, TELL, CHECK = (script(name) for name in ("mssp-drift", "mssp-drift-tell", "mssp-drift-check"))


def summary(complete: bool = True, not_reached: int = 0, **outcomes: int) -> dict[str, Any]:
    totals = {"tenants": sum(outcomes.values()), "outcomes": outcomes}
    return {"complete": complete, "totals": totals, "not_reached": ["x"] * not_reached}


@pytest.mark.parametrize(
    ("code", "found", "expected"),
    [
        (0, summary(in_sync=3), 0),
        (0, summary(in_sync=2, corrected=1), 0),
        (0, summary(in_sync=2, drifted=1), 2),
        (0, summary(drifted=1, waiting=1), 2),
        (0, summary(drifted=2, unknown=1), 1),
        (0, summary(in_sync=1, pending=1, skipped=1), 0),
        (0, summary(drifted=2, failed=1), 1),
        (0, summary(in_sync=2, not_reached=1), 1),
        (0, summary(drifted=2, not_reached=1), 1),
        (0, summary(complete=False, in_sync=3), 1),
        (0, None, 1),
        (2, summary(drifted=1), 1),
        (2, summary(in_sync=1), 1),
        (4, summary(drifted=1), 4),
        (1, None, 1),
        (99, summary(in_sync=1), 99),
        (-15, None, 143),
    ],
)
def test_a_run_ends_with(code: int, found: dict[str, Any] | None, expected: int) -> None:
    assert DRIFT.verdict(code, found)[0] == expected


@pytest.mark.parametrize("text", ["", "{", "[1]"])
def test_a_summary_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "summary.json").write_text(text, encoding="utf-8")
    assert DRIFT.read_summary(tmp_path) is None
    assert DRIFT.read_summary(tmp_path / "nowhere") is None


NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minutes", "ended", "expected"),
    [(10, "0", 0), (10, "2", 1), (10, "1", 1), (131, "0", 2), (None, "1", 2), (-2, "0", 0), (-60, "0", 2)],
)
def test_a_heartbeat_is_judged_by_its_last_in_sync_run(
    tmp_path: Path, minutes: int | None, ended: str, expected: int
) -> None:
    completed = None if minutes is None else (NOW - timedelta(minutes=minutes)).isoformat()
    path = tmp_path / "heartbeat.json"
    path.write_text(json.dumps({"ended": NOW.isoformat(), "exit": ended, "completed": completed}), encoding="utf-8")
    assert CHECK.judge(path, 130, NOW)[0] == expected


def test_no_heartbeat_is_critical(tmp_path: Path) -> None:
    assert CHECK.judge(tmp_path / "heartbeat.json", 130, NOW)[0] == 2


def test_a_failure_keeps_when_the_last_in_sync_run_was(tmp_path: Path) -> None:
    def beat(status: str) -> dict[str, Any]:
        TELL.beat(tmp_path, status)
        return dict(json.loads((tmp_path / "heartbeat.json").read_text()))

    assert beat("1")["completed"] is None
    whole = beat("2")["completed"]
    assert whole
    failed = beat("TERM")
    assert (failed["exit"], failed["completed"]) == ("TERM", whole)


class Hook(BaseHTTPRequestHandler):
    answers: ClassVar[list[int]] = []
    tries: ClassVar[int] = 0

    def do_POST(self) -> None:
        type(self).tries += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.answers.pop(0) if self.answers else 200)
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        """Silent."""


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(TELL.time, "sleep", lambda _seconds: None)
    Hook.tries = 0
    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/secret-path"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("answers", "delivered", "tries"),
    [([200], True, 1), ([503, 429, 200], True, 3), ([404], False, 1), ([500] * 9, False, 6)],
    ids=["at once", "in the end", "never will", "not in time"],
)
def test_a_webhook_is_tried_again_where_that_may_help(
    hook: str, answers: list[int], delivered: bool, tries: int
) -> None:
    Hook.answers[:] = answers
    why = TELL.post(hook, {"host": "h", "meaning": "failed", "exit": "1"})
    assert (why == "", Hook.tries) == (delivered, tries)
    assert "secret-path" not in why


def test_a_message_says_who_and_why() -> None:
    told = {
        "host": "control1",
        "exit": "1",
        "meaning": "failed",
        "tenants": {"in_sync": 2, "failed": 1},
        "causes": ["AuthorizationFailed: no (contoso)"],
        "evidence": "/var/lib/mssp-drift/evidence/x",
    }
    assert TELL.text(told).splitlines() == [
        "mssp-drift on control1: failed (exit 1)",
        "Tenants: 2 in_sync, 1 failed",
        "AuthorizationFailed: no (contoso)",
        "Evidence: /var/lib/mssp-drift/evidence/x",
    ]
