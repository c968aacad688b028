"""Where a record ends, on a booted collector: lines, counts, carriage returns, digits, blanks, several lines."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.hosts.conftest import Boot
from tests.hosts.nspawn import Host
from tests.hosts.syslog_tools import Fleet, eventually, healthy, octets, record, send_tcp, stored

CONTOSO: dict[str, Any] = {
    "syslog_target_sources": {
        "auto": {"transport": "tcp", "port": 5601},
        "lines": {"transport": "tcp", "port": 5602, "framing": "lf"},
        "events": {"transport": "file", "paths": ["/srv/drop/*.json"], "record": "json"},
        "dated": {"transport": "file", "paths": ["/srv/drop/*.app"], "record": "regex", "record_start": "^[0-9]{4}-"},
        "plain": {"transport": "file", "paths": ["/srv/drop/*.log"]},
    },
    "syslog_target_stats_seconds": 1,
}


@pytest.fixture(scope="module")
def host(boot: Boot, tmp_path_factory: pytest.TempPathFactory) -> Host:
    made = boot("bookworm", "records")
    made.run("mkdir -p /srv/drop")
    Fleet(tmp_path_factory.mktemp("fleet"), {"bookworm": made}).play("main", {"contoso": CONTOSO})
    return made


def records(host: Host, source: str, wanted: int) -> list[str]:
    """As stored, without time and sender, when there are so many."""
    eventually(lambda: len(stored(host, "contoso", source)) >= wanted, 20)
    return [line.split(" ", 2)[2] for line in stored(host, "contoso", source)]


def test_a_carriage_return_before_the_line_feed_goes_and_no_empty_record_comes(host: Host) -> None:
    before = len(stored(host, "contoso", "auto"))
    send_tcp(host, 5601, b"<134>one\r\n<134>two\r\n\r\n<134>three\n <134>after a blank\n")
    found = records(host, "auto", before + 4)[before:]
    assert found == ["<134>one", "<134>two", "<134>three", "<134>after a blank"]


def test_one_frame_over_the_limit_costs_itself_alone(host: Host) -> None:
    before = len(stored(host, "contoso", "auto"))
    small = [record(f"small {number}") for number in range(50)]
    send_tcp(host, 5601, octets("<134>" + "A" * 70_038, *small))
    found = records(host, "auto", before + 52)[before:]
    assert found[2:] == small
    assert sum(piece.count("A") for piece in found[:2]) >= 70_037  # 8.2302 drops a byte at the cut


def test_lines_that_begin_with_digits_are_records_where_lines_are_said(host: Host) -> None:
    sent = ["<134>before", "2026-11-29 10:00:01 203.0.113.7 GET", "1764410405.26 dev flows", "20261129 x", "<134>after"]
    before = len(stored(host, "contoso", "lines"))
    send_tcp(host, 5602, "".join(f"{line}\n" for line in sent).encode())
    assert records(host, "lines", before + len(sent))[before:] == sent


def test_pretty_printed_json_is_one_record_an_event(host: Host) -> None:
    events = [{"metadata": {"offset": number}, "event": {"list": [1, {"a": "}"}]}} for number in range(3)]
    text = "\n".join([json.dumps(events[0], indent=4), json.dumps(events[1]), json.dumps(events[2], indent=2)]) + "\n"
    host.run("cat > /srv/new && mv /srv/new /srv/drop/output.json", stdin=text)
    found = records(host, "events", 3)
    assert [json.loads(line.replace("#012", "\n")) for line in found] == events
    host.run("cat >> /srv/drop/output.json", stdin=json.dumps(events[0], indent=4) + "\n")
    assert len(records(host, "events", 4)) == 4


def test_the_last_line_of_a_file_counts(host: Host) -> None:
    host.run("printf 'first\\nlast' > /srv/new && mv /srv/new /srv/drop/short.log")
    eventually(lambda: len(stored(host, "contoso", "plain")) >= 2, 90)
    assert records(host, "plain", 2) == ["first", "last"]
    time.sleep(12)  # the guard looks every ten seconds
    assert len(stored(host, "contoso", "plain")) == 2


def test_records_of_several_lines_begin_where_the_pattern_says(host: Host) -> None:
    text = "2026-11-29 first\n\tat a\n\tat b\n2026-11-30 second\n"
    host.run("cat > /srv/new && mv /srv/new /srv/drop/one.app", stdin=text)
    assert records(host, "dated", 2) == ["2026-11-29 first#012\tat a#012\tat b", "2026-11-30 second"]
    assert healthy(host, "contoso")
