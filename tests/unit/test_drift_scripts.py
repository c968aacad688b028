"""What the scripts of the role drift_schedule decide: exit codes, messages, the age of a heartbeat."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import re
import socketserver
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

GONE = {"fabrikam": {"tenant": "fabrikam", "roles": [], "next_step": "put it back"}}


def summary(complete: bool = True, not_reached: int = 0, **outcomes: int) -> dict[str, Any]:
    totals = {"tenants": sum(outcomes.values()), "outcomes": outcomes}
    return {"complete": complete, "totals": totals, "not_reached": ["x"] * not_reached, "left": {}}


@pytest.mark.parametrize(
    ("code", "found", "expected"),
    [
        (0, summary(in_sync=3), 0),
        (0, summary(in_sync=2, corrected=1), 0),
        (0, summary(in_sync=2, drifted=1), 2),
        (0, summary(drifted=1, waiting=1), 2),
        (0, summary(drifted=2, unknown=1), 3),
        (0, summary(in_sync=1, pending=1, skipped=1), 0),
        (0, summary(drifted=2, failed=1), 3),
        (2, summary(in_sync=2, failed=1), 3),
        (2, summary(failed=2), 1),
        (2, summary(in_sync=2, failed=1, not_reached=1), 1),
        (2, summary(complete=False, in_sync=2, failed=1), 1),
        (0, summary(in_sync=2, not_reached=1), 1),
        (0, summary(drifted=2, not_reached=1), 1),
        (0, summary(complete=False, in_sync=3), 1),
        (0, summary(in_sync=2) | {"left": GONE}, 3),
        (0, summary(in_sync=2, drifted=1) | {"left": GONE}, 3),
        (0, summary(in_sync=2, not_reached=1) | {"left": GONE}, 1),
        (0, summary(in_sync=2) | {"left": None}, 3),
        (0, summary(in_sync=2, drifted=1) | {"left": None}, 3),
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
    [
        (10, "0", 0),
        (10, "2", 1),
        (10, "3", 1),
        (10, "1", 2),
        (131, "0", 2),
        (None, "1", 2),
        (-2, "0", 0),
        (-60, "0", 2),
    ],
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


def ended(state: Path, status: str, *rows: dict[str, Any], **more: Any) -> None:
    """Leave what mssp-drift leaves of a run."""
    run = f"run-{len(list(state.glob('evidence/run-*')))}"
    (state / "evidence" / run).mkdir(parents=True)
    outcomes = {row["outcome"]: 1 for row in rows}
    whole = {"complete": True, "totals": {"tenants": len(rows), "outcomes": outcomes}, "not_reached": [], "left": {}}
    whole |= {"ended": "2026-11-21T12:00:00Z", "tenants": list(rows), "fleet": {row["tenant"]: {} for row in rows}}
    (state / "evidence" / run / "summary.json").write_text(json.dumps(whole | more), encoding="utf-8")
    DRIFT.keep(state / "evidence", state / "evidence" / run, int(status), whole | more)


def row(tenant: str, outcome: str = "in_sync", code: str = "", message: str = "no") -> dict[str, Any]:
    problems = [{"code": code, "message": message}] if code else []
    return {"tenant": tenant, "capability": "azure_diagnostics", "step": "s", "outcome": outcome, "drift": {},
            "msg": "", "problems": problems}  # fmt: skip


def test_the_heartbeat_is_of_the_last_run_that_looked_at_all_and_a_failed_tenant_does_not_stop_it(
    tmp_path: Path,
) -> None:
    def beat(status: str) -> dict[str, Any]:
        TELL.beat(tmp_path, status)
        return dict(json.loads((tmp_path / "heartbeat.json").read_text()))

    assert beat("1")["completed"] is None
    ended(tmp_path, "3", row("contoso"), row("fabrikam", "failed", "x"))
    whole = beat("3")["completed"]
    assert whole
    failed = beat("TERM")
    assert (failed["exit"], failed["completed"]) == ("TERM", whole)
    ended(tmp_path, "1", row("contoso"), not_reached=["fabrikam"])
    assert beat("1")["completed"] == whole


def test_a_run_without_a_summary_is_told_without_that_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended(tmp_path, "0", row("contoso"))
    assert "tenants" not in TELL.facts(tmp_path, "4")
    assert TELL.facts(tmp_path, "0")["tenants"] == {"in_sync": 1}
    monkeypatch.setenv("MONITOR_INVOCATION_ID", "another")
    assert "tenants" not in TELL.facts(tmp_path, "0")


def test_steps_of_a_pipeline_whose_runner_is_a_service_are_one_invocation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INVOCATION_ID", "of the runner")
    ended(tmp_path, "0", row("contoso"))
    assert TELL.facts(tmp_path, "0")["tenants"] == {"in_sync": 1}
    monkeypatch.setenv("MONITOR_INVOCATION_ID", "of the schedule")
    assert "tenants" not in TELL.facts(tmp_path, "0")


def told(state: Path, status: str) -> tuple[dict[str, list[str]], str]:
    """What is new, still there and recovered, and the message; all of it delivered."""
    facts = TELL.facts(state, status)
    changes, standing = TELL.news(facts, TELL.read(state / "told.json"))
    TELL.write(state / "told.json", standing, 0o600)
    return changes, TELL.text(facts, changes)


def test_a_finding_is_told_once_and_when_it_has_recovered(tmp_path: Path) -> None:
    ended(tmp_path, "3", row("contoso", "failed", "Forbidden"), row("fabrikam", "drifted", "missing"))
    changes, text = told(tmp_path, "3")
    assert [len(changes[kind]) for kind in ("new", "still", "recovered")] == [2, 0, 0]
    assert "contoso: azure_diagnostics failed (Forbidden): no" in text
    ended(tmp_path, "3", row("contoso", "failed", "Forbidden", "no, again"), row("fabrikam", "corrected"))
    changes, text = told(tmp_path, "3")
    assert [len(changes[kind]) for kind in ("new", "still", "recovered")] == [0, 1, 1]
    assert "Recovered: 1\n  fabrikam: azure_diagnostics drifted" in text
    ended(tmp_path, "0", row("tailspin"), fleet={"contoso": {}, "tailspin": {}})  # a slice says nothing of contoso
    assert [len(lines) for lines in told(tmp_path, "0")[0].values()] == [0, 0, 0]
    ended(tmp_path, "0", row("contoso"))
    assert len(told(tmp_path, "0")[0]["recovered"]) == 1
    assert len(told(tmp_path, "4")[0]["new"]) == 1  # no summary of its own: the run is the finding


def test_what_has_gone_from_its_tenant_file_is_new_then_still_there_and_has_not_recovered(tmp_path: Path) -> None:
    def lines(status: str, *rows: dict[str, Any], **more: Any) -> list[list[str]]:
        ended(tmp_path, status, *rows, **more)
        return list(told(tmp_path, status)[0].values())

    lines("3", row("contoso", "failed", "Forbidden"), row("fabrikam", "drifted", "missing"))
    gone = "fabrikam: all of it gone from the tenant file, and never offboarded"
    assert lines("3", row("contoso"), left=GONE) == [
        [f"{gone}: put it back"],
        [],
        ["contoso: azure_diagnostics failed (Forbidden)"],
    ], "the finding of what has gone is not said to have recovered"
    assert lines("3", row("contoso"), left=GONE) == [[], [f"{gone}: put it back"], []]
    slice_of_it = {"fleet": {"contoso": {}, "fabrikam": {}}}
    assert lines("0", row("contoso"), **slice_of_it) == [[], [], [gone]], "every run knows who is back"


def test_while_nobody_knows_what_has_gone_that_is_told_and_nothing_recovers(tmp_path: Path) -> None:
    ended(tmp_path, "3", row("contoso", "failed", "Forbidden"), row("fabrikam"), left=GONE)
    told(tmp_path, "3")
    ended(tmp_path, "3", row("contoso"), left=None)
    changes, text = told(tmp_path, "3")
    assert [len(lines) for lines in changes.values()] == [1, 0, 0]
    assert "the run: the history cannot be read, and with it what has gone from the tenant files" in text
    ended(tmp_path, "0", row("contoso"))
    assert sorted(told(tmp_path, "0")[0]["recovered"]) == [
        "contoso: azure_diagnostics failed (Forbidden)",
        "fabrikam: all of it gone from the tenant file, and never offboarded",
        "the run: the history cannot be read",
    ]


def test_a_role_that_has_gone_leaves_the_other_roles_findings(tmp_path: Path) -> None:
    ended(tmp_path, "3", row("fabrikam", "drifted", "missing"), row("fabrikam", "failed", "x") | {"capability": "duo"})
    told(tmp_path, "3")
    ended(tmp_path, "3", row("fabrikam") | {"capability": "duo"},
          left={"fabrikam": GONE["fabrikam"] | {"roles": ["azure_diagnostics"]}})  # fmt: skip
    changes, _text = told(tmp_path, "3")
    assert changes["recovered"] == ["fabrikam: duo failed (x)"]
    assert changes["new"][0].startswith("fabrikam: azure_diagnostics gone from the tenant file")


def test_what_has_gone_recovers_role_by_role_and_not_because_more_goes(tmp_path: Path) -> None:
    def after(*roles: str) -> dict[str, list[str]]:
        ended(tmp_path, "3", row("contoso"), left={"fabrikam": GONE["fabrikam"] | {"roles": list(roles)}})
        found = told(tmp_path, "3")[0].items()
        return {kind: [line.partition(" ")[2].partition(" gone")[0] for line in lines] for kind, lines in found}

    assert after("coro", "duo") == {"new": ["coro", "duo"], "still": [], "recovered": []}
    assert after("coro", "azure") == {"new": ["azure"], "still": ["coro"], "recovered": ["duo"]}
    assert after() == {"new": ["all of it"], "still": [], "recovered": []}, "the whole of it has gone, and none is back"
    assert after("coro") == {"new": ["coro"], "still": [], "recovered": ["all of it"]}


def test_a_clean_run_says_only_what_has_recovered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(status: str, outcome: str) -> str:
        ended(tmp_path, status, row("contoso", outcome))
        monkeypatch.setattr("sys.argv", ["mssp-drift-tell", "--state", str(tmp_path), status])
        assert TELL.main() == 0
        return capsys.readouterr().out

    assert "contoso: azure_diagnostics drifted" in said("2", "drifted")
    assert "Recovered: 1" in said("0", "in_sync")
    assert said("0", "in_sync") == ""


def test_a_message_stays_below_what_teams_and_slack_take(tmp_path: Path) -> None:
    ended(tmp_path, "3", *(row(f"tenant-{n}", "failed", "Forbidden", "ü" * 500) for n in range(2000)))
    _changes, text = told(tmp_path, "3")
    assert len(json.dumps(text)) < 20_000
    assert "New: 2000" in text
    assert re.search(r"and 1\d\d\d more", text)


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
    [
        ([200], True, 1),
        ([503, 429, 200], True, 3),
        ([404], False, 1),
        ([500] * 9, False, 6),
        ([302], False, 1),
        ([308], False, 1),
    ],
    ids=["at once", "in the end", "never will", "not in time", "to a page to sign in", "for good"],
)
def test_a_webhook_is_tried_again_where_that_may_help(
    hook: str, answers: list[int], delivered: bool, tries: int
) -> None:
    Hook.answers[:] = answers
    why = TELL.post(hook, b"{}")
    assert (why == "", Hook.tries) == (delivered, tries)
    assert "secret-path" not in why


@pytest.fixture
def mute(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A port that answers, and not in HTTP."""
    monkeypatch.setattr(TELL.time, "sleep", lambda _seconds: None)
    server = socketserver.TCPServer(("127.0.0.1", 0), Mute)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/secret-path"
    server.shutdown()
    thread.join()
    server.server_close()


class Mute(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")


URLS = (
    "http://example.test/secret-path", "file:///etc/passwd", "example.test/secret-path", "https://[secret-path", "",
    "https://exa mple.test/secret-path",
)  # fmt: skip


@pytest.mark.parametrize("url", URLS)
def test_a_url_that_is_not_https_gets_nothing_and_is_not_shown(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TELL.time, "sleep", lambda _seconds: None)
    why = TELL.post(url, b"{}")
    assert why
    assert "secret-path" not in why


def test_http_has_to_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TELL, "TRIES", 0)
    assert "https://" in TELL.post("http://example.test/x", b"{}")
    assert "https://" not in TELL.post("http://example.test/x", b"{}", plain=True)
    assert "https://" in TELL.post("file:///etc/passwd", b"{}", plain=True)


def test_the_mail_goes_out_whatever_the_webhook_does(
    mute: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mails: list[str] = []
    monkeypatch.setattr(TELL, "mail", lambda _address, _told, content: mails.append(content) or "")
    file = tmp_path / "webhook"
    command = ["mssp-drift-tell", "--state", str(tmp_path), "--webhook-file", str(file), "--mail-to", "a@b.test", "4"]
    monkeypatch.setattr("sys.argv", command)
    for content in (mute, "https://[secret-path", None):
        file.unlink(missing_ok=True) if content is None else file.write_text(content)
        assert TELL.main() == 1
        assert "secret-path" not in capsys.readouterr().err
    assert len(mails) == 3, "what was not delivered is told again"
