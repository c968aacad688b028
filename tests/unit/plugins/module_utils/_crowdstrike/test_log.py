"""The log tells a heartbeat from a failure, and failures from each other."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import Flow
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike import desired, info, log
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike.catalog import FAILURES
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike.plan import File, Service
from tests.unit.plugins.module_utils._crowdstrike.test_desired import cid, made

KNOWN = log.words("", {})
AT = datetime(2026, 11, 21, 10, 0, 0, tzinfo=UTC).timestamp()
HEARTBEAT = "2026-11-21T10:00:00Z INFO Heartbeat: app_id x, partition 0"
OPEN = "2026-11-21T10:00:01Z INFO Event stream of partition 0 is open, offset 401"
EVENT = "2026-11-21T10:00:01Z DEBUG Event FirewallMatchEvent with offset 503 processed"
WRONG = "2026-11-21T10:00:02Z ERROR Unable to get an access token: 403 Failed to issue access token"
NO_SYSLOG = "ERROR Unable to send to syslog server 192.0.2.1:514: [Errno 111] Connection refused"
CURED = [OPEN, EVENT, HEARTBEAT]
LINES = {
    "config": ["ERROR Unable to start with /opt/x.cfg: [Settings] client_id is empty", "failed to parse config file"],
    "syslog": [NO_SYSLOG],
    "output": [
        "ERROR Cannot write /x/output: [Errno 13] Permission denied",
        "Unable to write: No space left on device",
    ],
    "clock_skew": [
        "ERROR The session token has expired, before its first use: the clock of this host is not in sync",
        "x509: certificate has expired or is not yet valid",
        "ERROR clock skew too great",
    ],
    "tls": [
        "ERROR TLS handshake with 127.0.0.1 failed: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed",
        "x509: certificate signed by unknown authority",
    ],
    "proxy": [
        "ERROR Unable to connect to proxy 127.0.0.1:3128: [Errno 111] Connection refused",
        "ERROR Unable to connect to proxy 192.0.2.1:3128: Tunnel connection failed: 407 Proxy Authentication Required",
        "proxyconnect tcp: dial tcp: lookup proxy: no such host",
    ],
    "no_route": [
        "ERROR Unable to connect to 192.0.2.1:443: [Errno 113] No route to host",
        "ERROR Unable to resolve api.crowdstrike.com: Name or service not known",
        "dial tcp 192.0.2.1:443: i/o timeout",
    ],
    "scope": [
        "ERROR Unable to discover event streams (the API client needs Event streams: Read): 403 access denied, "
        "authorization failed",
    ],
    "app_id_in_use": [
        "ERROR No event stream is available for app_id x: is it in use by another connector?",
        "ERROR Unable to open the event stream: 409 This stream is being read already",
    ],
    "throttled": ["ERROR Unable to discover event streams: 429 API rate limit exceeded."],
    "cloud": ["ERROR Unable to get an access token: 500 Internal Server Error", "status code: 503"],
    "credentials": [WRONG, "ERROR Unable to refresh: 401 access denied, invalid bearer token"],
}


def read(*lines: str, known: log.Words = KNOWN) -> log.Said:
    return log.read("\n".join(lines), known, 5.0)


def test_every_failure_has_lines_here() -> None:
    assert set(LINES) == set(FAILURES)


@pytest.mark.parametrize(("code", "line"), [(code, line) for code, lines in LINES.items() for line in lines])
def test_failures_are_told_apart(code: str, line: str) -> None:
    [seen] = read(line).failures
    assert (seen.code, seen.line, seen.count) == (code, line, 1)
    assert seen.next_step == FAILURES[code].next_step


@pytest.mark.parametrize("level", ["", "INFO ", "2026-11-21T10:00:02Z DEBUG ", "[notice] "])
@pytest.mark.parametrize(
    "line",
    [
        "Refreshed access token",
        "Access token refreshed, expires in 1799 s",
        "offset: 401",
        "events processed: 409",
        "Sent 5 events to syslog",
        "syslog connection to 192.0.2.1:514 established",
        "TLS connection established",
        "TLS handshake succeeded, certificate of api.crowdstrike.com is valid",
        "Loaded config /opt/crowdstrike/etc/cs.falconhoseclient.cfg",
        "Reconnected after connection refused",
        "429 events, 0 errors, failed: 0, err=nil",
        "no failures since the start of the stream",
        "Stream closed: 503 events read",
    ],
)
def test_words_of_success_are_no_failure(level: str, line: str) -> None:
    assert read(HEARTBEAT, level + line) == log.Said(AT, (), level.lstrip() + line)


@pytest.mark.parametrize(
    "line",
    [
        "ERROR E4711 flux capacitor",
        "level=warn msg=odd",
        '{"level":"error","msg":"odd"}',
        "[Error] odd",
        "It failed oddly",
    ],
)
def test_words_that_are_not_known_are_unknown(line: str) -> None:
    said = read(HEARTBEAT, line)
    assert (said.failures, said.unknown) == ((), (line,))
    assert read(line, HEARTBEAT).unknown == ()


@pytest.mark.parametrize(
    "line",
    ['"DetectDescription": "A login failed: access denied",', '{"event": "certificate error"}', '"Severity": 5,'],
)
def test_events_in_the_log_are_no_words_of_the_connector(line: str) -> None:
    said = read(HEARTBEAT, line)
    assert (said.failures, said.unknown) == ((), ())


def test_a_number_is_a_status_only_where_it_stands_for_one() -> None:
    for line in ("ERROR odd offset: 401 skipped", "ERROR lost: 409 events"):
        assert read(line).failures == ()
    assert [seen.code for seen in read("ERROR odd: 401 Unauthorised by proxy").failures] == ["credentials"]


def test_a_heartbeat_and_its_time() -> None:
    said = read(HEARTBEAT, OPEN, EVENT)
    assert said == log.Said(AT, (), EVENT)


def test_a_heartbeat_ends_what_failed_before() -> None:
    assert read(WRONG, HEARTBEAT).failures == ()
    assert [seen.code for seen in read(HEARTBEAT, WRONG, NO_SYSLOG, WRONG).failures] == ["credentials", "syslog"]
    assert read(HEARTBEAT, WRONG, WRONG).failures[0].count == 2


def test_nothing_written() -> None:
    assert read("") == log.Said(None, (), "")


def test_patterns_of_the_user() -> None:
    known = log.words("still alive", {"credentials": "E4711"})
    assert read("2026/11/21 10:00:00 STILL alive", known=known).heartbeat is not None
    assert read(HEARTBEAT, known=known).heartbeat is None
    assert read("e4711", known=known).failures[0].code == "credentials"
    assert read("INFO all is well but for E4711", known=known).failures[0].code == "credentials"


@pytest.mark.parametrize(
    ("heartbeat", "failures", "words"),
    [("(", {}, "heartbeat_pattern"), ("", {"tls": "["}, "failure_patterns"), ("", {"tsl": "x"}, "no failure tsl")],
)
def test_patterns_that_cannot_be_right(heartbeat: str, failures: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        log.words(heartbeat, failures)


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("2026-11-21T10:00:00.123Z heartbeat", AT),
        ("2026-11-21T12:00:00+02:00 heartbeat", AT),
        ('{"time":"2026-11-21T10:00:00Z","msg":"heartbeat"}', AT),
        ("2026/11/21 10:00:00 heartbeat", datetime(2026, 11, 21, 10).timestamp()),  # the host's own time
        ("2026-13-21T10:00:00Z heartbeat", None),
        ("heartbeat", None),
    ],
)
def test_times(line: str, at: float | None) -> None:
    assert log.time_of(line) == at
    assert read(line).heartbeat == (5.0 if at is None else at)


RUNS, STOPPED = Service(True, True), Service(True, False)


def flow(lines: list[str], *, there: bool = True, service: Service = RUNS, newest: float | None = AT) -> Flow:
    [found] = made({"main": cid()})
    return info.flow(found, there, service, read(*lines), newest, AT + 60, 15)


@pytest.mark.parametrize(
    ("state", "code", "found"),
    [
        ("flowing", "", flow(CURED)),
        ("quiet", "", flow(CURED, newest=AT - 3600)),
        ("connected", "", flow(CURED, newest=None)),
        ("stale", "", flow(["2026-11-21T09:00:00Z Heartbeat"])),
        ("stale", "", flow([])),
        ("stale", "credentials", flow([*CURED, WRONG])),
        ("stale", "stopped", flow(CURED, service=STOPPED)),
        ("absent", "", flow(CURED, there=False)),
        ("absent", "", flow([*CURED, WRONG], there=False)),
        ("unreadable", "unknown_words", flow([*CURED, "ERROR odd"])),
        ("stale", "", flow(["2026-11-21T09:00:00Z Heartbeat", "ERROR odd"])),
    ],
)
def test_states(state: str, code: str, found: Flow) -> None:
    assert (found.state, found.code) == (state, code)
    assert bool(found.next_step) == (state not in ("flowing", "connected", "quiet"))


def told(*lines: str) -> dict[str, Any]:
    """The result of verify for two CIDs, one of which is well."""
    [found] = made({"main": cid()})
    entry = flow([*CURED, *lines])
    return info.told(
        [entry, flow(CURED)._replace(source="well")], info.further(found, entry, read(*CURED, *lines)), "2.29.0", AT
    )


def test_result_of_verify() -> None:
    found = told(WRONG, NO_SYSLOG)
    assert found["summary"]["outcome"] == "drifted"
    assert (found["summary"]["counts"]["in_sync"], found["summary"]["counts"]["drifted"]) == (1, 1)
    assert [problem["code"] for problem in found["problems"]] == ["credentials", "syslog"]
    assert found["flows"][0]["failures"] == ["credentials", "syslog"]
    assert "403 Failed to issue access token" in found["msg"]
    assert (told()["summary"]["outcome"], told()["problems"]) == ("in_sync", [])


def test_a_line_that_nobody_knows_is_told_and_counts_as_unknown() -> None:
    found = told("ERROR odd", EVENT)
    assert (found["summary"]["outcome"], found["summary"]["counts"]["unknown"]) == ("unknown", 1)
    assert "last line: ERROR odd" in found["msg"]


def test_a_silent_cid_is_a_problem_without_a_failure() -> None:
    [problem] = info.told([flow([])], [], "2.29.0", AT)["problems"]
    assert problem["code"] == "stale"


def test_verify_shows_no_secret_that_the_log_tells(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    known = tmp_path / "log"
    known.write_text(
        "ERROR proxyconnect as user:canary-pw refused\nfailed to parse config: client_secret canary-secret"
    )
    text = "[Settings]\nclient_secret = canary-secret\nhttp_proxy = http://user:canary-pw@proxy:1\n"
    monkeypatch.setattr(desired.Cid, "log", str(known))
    monkeypatch.setattr(info.system, "read", lambda _path: File(text, 0o600, 0))
    monkeypatch.setattr(info.system, "service", lambda: RUNS)
    monkeypatch.setattr(info.package, "installed", lambda: "2.29.0")
    params = {"tenant": "contoso", "cids": {"main": cid()}, "heartbeat_pattern": "", "failure_patterns": {}}
    found = execute(info.run, "x", {**params, "stale_minutes": 15}, check=False, diff=False)
    assert found["flows"][0]["failures"] == ["proxy", "config"]
    assert "VALUE_HIDDEN" in str(found)
    assert "canary" not in str(found)
