"""What verify makes of a receiver: the state of each source, and each loss with the count since the last look."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import Flow, verified
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog import host, info, losses, model, options

MINUTE = 60.0
NOW = 1_800_000_000.0
SOURCES = {"a": {"transport": "udp", "port": 514}, "b": {"transport": "tcp", "port": 601}}
SIEM = {"siem": {"type": "tcp", "host": "s", "port": 601}}


def receiver(**given: Any) -> model.Receiver:
    return model.receiver({**options.DEFAULTS, "tenant": "contoso", "sources": SOURCES, "outputs": SIEM, **given})


def flow(
    age: float | None, listening: bool = True, made: float = 1e6, now: losses.Counters | None = None, source: int = 0
) -> Flow:
    newest = None if age is None else NOW - age
    was_made = NOW - made if made else 0
    return info.flow(receiver().sources[source], listening, now or {}, newest, was_made, NOW, 60 * MINUTE)


@pytest.mark.parametrize(
    ("age", "listening", "made", "state", "code"),
    [
        (None, True, 61 * MINUTE, "absent", ""),
        (None, True, 60 * MINUTE, "pending", ""),
        (0.0, True, 1e6, "flowing", ""),
        (60 * MINUTE, True, 1e6, "flowing", ""),
        (60 * MINUTE + 1, True, 1e6, "stale", ""),
        (60 * MINUTE + 1, True, MINUTE, "stale", ""),  # it has sent before: a new receiver is no excuse
        (30 * 86400, True, 1e6, "stale", ""),
        (0.0, False, 1e6, "stale", "not_listening"),
        (None, False, MINUTE, "stale", "not_listening"),
        (None, False, 0.0, "absent", "not_set_up"),
        (0.0, False, 0.0, "absent", "not_set_up"),
    ],
)
def test_the_state_of_a_source(age: float | None, listening: bool, made: float, state: str, code: str) -> None:
    found = flow(age, listening, made)
    assert (found.state, found.code) == (state, code)
    assert bool(found.next_step) == (state not in ("flowing", "pending"))
    assert found.line(NOW)["age_seconds"] == (None if age is None else int(age))


def test_a_source_tells_what_it_stored_stopped_and_filtered() -> None:
    now: losses.Counters = {
        "store-a": {"processed": 7},
        "stopped": {"values": {"a": 2, "b": 9}},
        "filtered": {"values": {"a": 3}},
    }
    found = flow(1.0, now=now).line(NOW)
    assert [found[name] for name in ("records", "stopped", "filtered")] == [7, 2, 3]
    assert flow(1.0).records is None, "without a counter nobody knows"


def test_the_newest_record_is_that_of_the_newest_file_that_holds_any(tmp_path: Path) -> None:
    at: Any = SimpleNamespace(source_folder=lambda name: str(tmp_path / name))
    a, b = receiver().sources
    assert info.newest(at, a) is None
    (tmp_path / "a").mkdir()
    for name, text, time in (("old.log", "x", 100), ("new.log", "x", 200), ("empty.log", "", 300)):
        (tmp_path / "a" / name).write_text(text)
        os.utime(tmp_path / "a" / name, (time, time))
    (tmp_path / "a" / "link").symlink_to(__file__)
    assert info.newest(at, a) == 200
    (tmp_path / "b").touch()
    with pytest.raises(OSError) as caught:
        info.newest(at, b)
    found = info.unreadable(b, caught.value)
    assert (found.state, found.status) == ("unreadable", "unknown"), "what cannot be read is not absent"
    assert (found.problem() or {})["next_step"]


PROBLEM = info.lost_by_end(2)


@pytest.mark.parametrize(
    ("states", "problems", "outcome", "words"),
    [
        (("flowing", "flowing"), [], "in_sync", "2 of 2 flows have arrived: 2 flowing"),
        (("flowing", "stale"), [], "drifted", "stale: syslog tcp b: newest record: "),
        (("flowing", "stale"), PROBLEM, "drifted", "stale: syslog tcp b"),
        (("stale", "stale"), PROBLEM, "drifted", "stale: syslog udp a, syslog tcp b (2): newest record: "),
        (("stale", "stale"), PROBLEM, "drifted", "killed: receiver (2): the receiver ended"),
        (("absent", "flowing"), [], "drifted", "absent: syslog udp a"),
        (("flowing", "pending"), [], "pending", "1 pending"),
        (("flowing", "off"), [], "drifted", "not_listening: syslog tcp b"),
        (("flowing", "flowing"), PROBLEM, "drifted", "killed: receiver (2): the receiver ended"),
    ],
)
def test_a_silent_source_or_a_loss_is_never_well(
    states: tuple[str, ...], problems: list[dict[str, Any]], outcome: str, words: str
) -> None:
    ages = {"flowing": 1.0, "stale": 1e5, "off": 1.0}
    flows = [
        flow(ages.get(state), state != "off", MINUTE if state == "pending" else 1e6, source=number)
        for number, state in enumerate(states)
    ]
    found = verified(host.CAPABILITY, flows, NOW, problems=problems)
    assert found["summary"]["outcome"] == outcome
    assert words in found["msg"]


LOG = '2026-11-21T{}:00:00+00:00 127.0.0.1 [origin software="rsyslogd" x-pid="1"] {}'
TEN_THIRTY = 1795257000.0


@pytest.mark.parametrize(
    ("lines", "kills"),
    [
        ([(11, "start")], 0),  # what was before is not known
        ([(10, "start"), (11, "exiting on signal 15."), (11, "start")], 0),
        ([(10, "start"), (11, "start")], 1),
        ([(10, "start"), (11, "start"), (12, "start"), (12, "exiting on signal 15."), (13, "start")], 2),
        ([(9, "start"), (10, "start")], 0),  # told at the look before
    ],
)
def test_an_end_that_nobody_asked_for_is_told(lines: list[tuple[int, str]], kills: int) -> None:
    text = [LOG.format(f"{hour:02}", words) for hour, words in lines]
    assert losses.kills(text, TEN_THIRTY) == kills
    assert [problem["count"] for problem in info.lost_by_end(kills)] == [kills] * bool(kills)


UDP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode ref pointer drops
 410: 00000000:0202 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0000000000000000 12719
 411: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4712 2 0000000000000000 5
"""


def test_datagrams_that_the_kernel_threw_away_are_told_by_port_since_the_last_look() -> None:
    drops = losses.udp_drops([UDP, UDP.replace("4711", "4799").replace("12719", "3"), ""], {514})
    assert drops == {"514 4711": 12719, "514 4799": 3}
    now: info.Seen = {"time": 2.0, "udp": drops, "limited": 0, "sources": {}}
    assert [problem["count"] for problem in info.since_last(now, {})] == [12722]
    (found,) = info.since_last(now, {"udp": {"514 4711": 12700, "514 4000": 9}})
    assert (found["code"], found["target"], found["count"]) == ("udp_drops", "udp 514", 22)
    assert info.since_last(now, {"udp": drops}) == []


def test_connections_over_a_limit_are_told_since_the_last_look() -> None:
    counter = {"counter": {"packets": 20, "bytes": 1200}}
    listing = {
        "nftables": [{"metainfo": {}}, {"rule": {"expr": [{"match": {}}, counter]}}, {"rule": {"expr": [counter]}}]
    }
    assert losses.turned_away(listing) == 40
    now: info.Seen = {"time": 2.0, "udp": {}, "limited": 40, "sources": {}}
    assert [problem["count"] for problem in info.since_last(now, {"limited": 30})] == [10]
    assert [problem["count"] for problem in info.since_last(now, {"limited": 90})] == [40]  # it began again
    assert info.since_last(now, {"limited": 40, "sources": {}}) == []


def stats(hour: int, *counters: str) -> str:
    return "".join(f"2026-11-21T{hour:02}:00:00+00:00 {counter}\n" for counter in counters)


def queue(name: str, size: int, enqueued: int, full: int = 0) -> str:
    numbers = f'"size": {size}, "enqueued": {enqueued}, "discarded.full": {full}, "discarded.nf": 0'
    return f'{{ "name": "{name}", "origin": "core.queue", {numbers} }}'


ACTION = '{ "name": "output-siem", "origin": "core.action", "processed": 5, "failed": 0, "suspended": 0 }'


@pytest.mark.parametrize(
    ("before", "now", "waits"),
    [
        ((0, 100), (50, 150), {"siem": 57}),  # none has left since; those on disk count, too
        ((10, 100), (50, 170), {}),  # slow, but it takes
        ((0, 100), (0, 150), {}),
        ((50, 150), (50, 150), {"siem": 57}),
        ((50, 150), (20, 150), {}),
    ],
)
def test_records_that_wait_for_a_dead_output_are_told(
    before: tuple[int, int], now: tuple[int, int], waits: dict[str, int]
) -> None:
    disk = queue("output-siem[DA]", 7 if now[0] else 0, 7)
    text = stats(10, queue("output-siem", *before), ACTION) + stats(
        11, ACTION, queue("output-siem", *now), disk, ACTION
    )
    counters = info.counters(text, TEN_THIRTY)
    assert losses.waiting(receiver().outputs, *counters) == waits
    assert [problem["target"] for problem in info.held(receiver().outputs, *counters)] == list(waits)


def test_many_senders_of_one_loss_are_one_problem_that_names_the_worst() -> None:
    now = {"cut": {"values": {f"10.0.0.{number}": number for number in range(8)}}}
    (found,) = info.findings(now, {}, [], {})
    assert found["target"].startswith("10.0.0.7 (7), 10.0.0.6 (6), ")
    assert (found["target"].endswith(" and 2 more"), found["count"]) == (True, 28)


def test_each_bucket_is_told_by_name_with_its_next_step() -> None:
    line = '{{"name": "{}", "values": {{"10.0.0.1": {}}}}}'
    text = "".join(stats(hour, *(line.format(name, hour) for name in losses.BUCKETS)) for hour in (10, 12))
    text += stats(12, queue("output-siem", 1, 1, full=4))
    found = info.findings(*info.counters(text, TEN_THIRTY), [], {})
    assert [(problem["code"], problem["count"]) for problem in found] == [
        *((name, 2) for name in losses.BUCKETS),
        ("discarded", 4),
    ]
    assert all(problem["next_step"] for problem in found)
    assert found[-1]["target"] == "output-siem"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("error: peer name not authorized -  not permitted to talk to it. Names: CN: x;  [v8 e/2088 ]", True),
        ("error: peer did not provide a certificate, not permitted to talk to it [v8 e/2085 ]", True),
        ("not permitted to talk to peer '10.0.0.1', certificate invalid: signer not found [v8 e/2089 ]", True),
        ("GnuTLS handshake retry returned error: No supported cipher suites have been found. [v8 e/2083 ]", True),
        ("GnuTLS handshake retry returned error: Error in the pull function.  [v8 e/2083 ]", False),
        (
            "netstream session 0x7 from 10.0.0.1 will be closed due to error [v8 try https://www.rsyslog.com/e/2089 ]",
            False,
        ),
        ("gnutls returned error on handshake: No supported cipher suites have been found. [v8 try e/2083 ]", True),
        ("imrelp[1]: error 'TLS handshake failed [gnutls error -43: Error in the certificate.]', object 'x'", True),
        (
            "netstream session 0x7 from 10.0.0.1 will be closed due to error: Connection reset by peer [v8 e/2165 ]",
            False,
        ),
        (
            "netstream session 0x7 from 10.0.0.1 will be closed due to error [v8 try https://www.rsyslog.com/e/2078 ]",
            False,
        ),
        ("gnutls returned error on handshake: The TLS connection was non-properly terminated.  [v8 e/2083 ]", False),
        ("gnutls returned error on handshake: Error in the pull function.  [v8 e/2083 ]", False),
        ("imrelp[1]: error 'TLS handshake failed [gnutls error -54: Error in the pull function.]', object 'x'", False),
    ],
)
def test_a_reset_and_a_port_check_are_no_refused_clients(words: str, told: bool) -> None:
    assert bool(info.refusals(f"2026-11-21T11:00:00+00:00 127.0.0.1 {words}\n", 0)) == told
