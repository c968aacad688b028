"""What verify makes of a receiver: the state of each source, and each loss with the count since the last look."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._syslog import info, losses, model, options

MINUTE = 60.0
SOURCES = {"a": {"transport": "udp", "port": 514}, "b": {"transport": "tcp", "port": 601}}
SIEM = {"siem": {"type": "tcp", "host": "s", "port": 601}}


def receiver(**given: Any) -> model.Receiver:
    return model.receiver({**options.DEFAULTS, "tenant": "contoso", "sources": SOURCES, "outputs": SIEM, **given})


def flow(age: float | None, listening: bool = True, minutes: int = 60, now: losses.Counters | None = None) -> Any:
    return info.flow(receiver().sources[0], listening, now or {}, age, minutes)


@pytest.mark.parametrize(
    ("age", "listening", "minutes", "state"),
    [
        (None, True, 60, "absent"),
        (0.0, True, 60, "flowing"),
        (60 * MINUTE, True, 60, "flowing"),
        (60 * MINUTE + 1, True, 60, "stale"),
        (6 * MINUTE, True, 5, "stale"),
        (30 * 86400, True, 60, "stale"),
        (0.0, False, 60, "error"),
        (None, False, 60, "error"),
    ],
)
def test_the_state_of_a_source(age: float | None, listening: bool, minutes: int, state: str) -> None:
    found = flow(age, listening, minutes)
    assert found["state"] == state
    assert bool(found["next_step"]) == (state != "flowing")
    assert found["age_seconds"] == (None if age is None else int(age))


def test_a_source_tells_what_it_stored_stopped_and_filtered() -> None:
    now = {
        "store-a": {"processed": 7},
        "stopped": {"values": {"a": 2, "b": 9}},
        "filtered": {"values": {"a": 3}},
    }
    found = flow(1.0, now=now)
    assert [found[name] for name in ("records", "stopped", "filtered")] == [7, 2, 3]


PROBLEM = info.lost_by_end(2)


@pytest.mark.parametrize(
    ("states", "problems", "outcome", "words"),
    [
        (("flowing", "flowing"), [], "in_sync", "All 2 sources flow"),
        (("flowing", "stale"), [], "drifted", "a: stale"),
        (("flowing", "stale"), PROBLEM, "failed", "a: stale"),  # also when something else is wrong
        (("stale", "stale"), PROBLEM, "failed", "killed receiver (2)"),
        (("absent", "flowing"), [], "drifted", "a: absent"),
        (("flowing", "error"), [], "failed", "a: error"),
        (("flowing", "flowing"), PROBLEM, "failed", "killed receiver (2): the receiver ended"),
    ],
)
def test_a_silent_source_or_a_loss_is_never_well(
    states: tuple[str, ...], problems: list[dict[str, Any]], outcome: str, words: str
) -> None:
    ages = {"flowing": 1.0, "stale": 1e6, "absent": None, "error": 1.0}
    found = info.result([flow(ages[state], state != "error") for state in states], problems, {})
    assert found["summary"]["outcome"] == outcome
    assert words in found["msg"]
    counts = found["summary"]["counts"]
    assert counts["in_sync"] == states.count("flowing")
    assert counts["drifted"] + counts["failed"] == len(states) - states.count("flowing")


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
    now: info.Seen = {"time": 2.0, "udp": drops, "limited": 0}
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
    now: info.Seen = {"time": 2.0, "udp": {}, "limited": 40}
    assert [problem["count"] for problem in info.since_last(now, {"limited": 30})] == [10]
    assert [problem["count"] for problem in info.since_last(now, {"limited": 90})] == [40]  # it began again
    assert info.since_last(now, {"limited": 40}) == []


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
