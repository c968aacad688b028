"""How near a receiver is to its limits: connections by port, and what its queues hold and have held."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._syslog import figures, info, model, options

TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0259 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1
   1: 0100000A:0259 0200000A:C001 01 00000000:00000000 00:00000000 00000000     0        0 12 1
   2: 0100000A:0259 0200000A:C002 06 00000000:00000000 00:00000000 00000000     0        0 0 1
   3: 0100000A:0016 0200000A:C003 01 00000000:00000000 00:00000000 00000000     0        0 13 1
"""
SOURCES = {
    "a": {"transport": "udp", "port": 514},
    "b": {"transport": "tcp", "port": 601, "more_ports": [602]},
    "c": {"transport": "tcp", "port": 601, "more_ports": [602], "senders": ["10.0.0.2"]},
}


def receiver(**given: Any) -> model.Receiver:
    outputs = {"siem": {"type": "tcp", "host": "s", "port": 601}}
    sources = {**SOURCES, "b": {**SOURCES["b"], "senders": ["10.0.0.1"]}}
    return model.receiver({**options.DEFAULTS, "tenant": "contoso", "sources": sources, "outputs": outputs, **given})


def test_connections_that_are_open_are_counted_by_port() -> None:
    assert figures.connections([TCP, TCP, ""]) == {601: 2, 22: 2}


def test_a_source_has_those_of_its_ports_and_a_shared_port_counts_once_in_all() -> None:
    opened = Counter({601: 3, 602: 1, 22: 9})
    made = receiver(max_connections=7)
    assert [figures.of_source(source, opened) for source in made.sources] == [None, 4, 4]
    assert figures.of_receiver(made, {}, opened)["connections"] == {"open": 4, "limit": 7}


@pytest.mark.parametrize(("mode", "places"), [("graceful", 20_000), ("crash_safe", 200_000)])
def test_a_queue_has_records_the_most_it_held_and_places(mode: str, places: int) -> None:
    line = '2026-11-21T10:00:00+00:00 {{"name": "{}", "origin": "core.queue", "size": {}, "maxqsize": {}}}'
    queues = (("output-siem", 5, 90), ("output-siem[DA]", 7, 8), ("main Q", 1, 1))
    text = "\n".join(line.format(*queue) for queue in queues)
    counters, _before = info.counters(text, 0)
    found = figures.of_receiver(receiver(queue=mode, memory_max="8G"), counters, Counter())["queues"]
    assert found == {"output-siem": {"records": 12, "most": 90, "places": places}}, "without a counter nobody knows"
