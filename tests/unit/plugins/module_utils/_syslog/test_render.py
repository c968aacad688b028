"""The syslog receiver's model, rendering, plan and guard, without a host."""

from __future__ import annotations

import contextlib
import json
import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog import (
    files,
    guard,
    info,
    losses,
    model,
    options,
    render,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog.files import File
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog.layout import Layout
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog.plan import Observed, plan

LAYOUT = Layout("contoso")
UDP = {"transport": "udp", "port": 514}


def receiver(sources: dict[str, Any], **given_options: Any) -> model.Receiver:
    return model.receiver({**options.DEFAULTS, "tenant": "contoso", "sources": sources, **given_options})


def text(sources: dict[str, Any], **given_options: Any) -> str:
    return render.configuration(receiver(sources, **given_options), LAYOUT)


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ({}, "needs at least one"),
        ({"../x": UDP}, "lower case"),
        ({"_collector": UDP}, "lower case"),
        ({"a": {"transport": "smoke"}}, "value of transport must be one of"),
        ({"a": {"transport": "tls"}}, "needs peers"),
        ({"a": {**UDP, "peers": ["x"]}}, "no certificates"),
        ({"a": {**UDP, "port": 70000}}, "not between"),
        ({"a": {**UDP, "senders": ["10.0.0.1/8"]}}, "has host bits set"),
        ({"a": {**UDP, "senders": ["2001:db8::/33"]}}, "ends between two parts"),
        ({"a": {**UDP, "senders": ["2001:db8::/48"]}}, "none of which is zero"),
        ({"a": {**UDP, "address": '" x'}}, "expected form"),
        ({"a": {"transport": "file", "paths": ["/srv/../etc/shadow"]}}, "expected form"),
        ({"a": {**UDP, "outputs": ["siem"]}}, "outputs has no siem"),
        ({"a": UDP, "b": UDP}, "which one is meant"),
        ({"a": {**UDP, "senders": ["10.0.0.0/8"]}, "b": {**UDP, "senders": ["10.1.0.0/16"]}}, "which one is meant"),
        ({"a": {"transport": "tcp", "port": 6514}, "b": {"transport": "tls", "peers": ["x"]}}, "both want tcp port"),
        ({"a": {"transport": "tls", "peers": ["x"], "senders": ["10.0.0.1"]},
          "b": {"transport": "tls", "peers": ["y"], "senders": ["10.0.0.2"]}}, "does not say whose certificate"),
        ({"a": {"transport": "tls", "peers": ["x"]}, "b": {"transport": "tls", "peers": ["y"]}}, "port or address"),
        ({"a": {"transport": "tcp", "senders": ["10.0.0.1"]},
          "b": {"transport": "tcp", "senders": ["10.0.0.2"], "framing": "lf"}}, "framing must be equal"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_refused_by_name(sources: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        receiver(sources)


@pytest.mark.parametrize("name", model.COUNTS)
def test_a_number_that_rsyslog_would_misread_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"{name}.*not 1 or more"):
        receiver({"a": UDP}, **{name: 0})


def test_only_nul_ends_a_record_that_is_framed_by_nul() -> None:
    found = text({"a": {"transport": "tcp", "framing": "nul"}})
    assert 'supportOctetCountedFraming="off" addtlFrameDelimiter="0" disableLFDelimiter="on"' in found


def test_certificates_are_given_whole_or_not_at_all() -> None:
    with pytest.raises(InputError, match="given together"):
        receiver({"a": UDP}, tls_certificate="x")


@pytest.mark.parametrize(
    ("given_pem", "fits"),
    [
        ({}, True),
        ({"tls_ca": "x", "tls_ca_key": "x"}, True),
        ({"tls_ca": "x", "tls_certificate": "x", "tls_key": "x"}, True),
        ({"tls_ca": "x"}, False),
        ({"tls_ca_key": "x"}, False),
        ({"tls_ca": "x", "tls_ca_key": "x", "tls_certificate": "x", "tls_key": "x"}, False),
    ],
)
def test_an_authority_comes_with_its_key_or_with_what_it_has_signed(given_pem: dict[str, str], fits: bool) -> None:
    given_all = {**options.DEFAULTS, "tenant": "contoso", "sources": {"a": UDP}, **given_pem}
    with contextlib.nullcontext() if fits else pytest.raises(InputError, match="tls_ca"):
        options.checked(given_all)


@given(st.text(max_size=60))
def test_only_plain_names_and_addresses_reach_paths_and_the_configuration(name: str) -> None:
    try:
        receiver({name: {**UDP, "address": name}})
    except InputError:
        return
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")


@given(st.text(max_size=60))
def test_no_peer_breaks_out_of_its_quotes(peer: str) -> None:
    try:
        found = text({"a": {"transport": "tls", "peers": [peer]}})
    except InputError:
        return
    assert f'permittedPeer=["{peer}"]' in found
    assert not set(peer) & set('"\\\n%')


def test_a_source_is_chosen_by_address_and_a_stranger_is_counted() -> None:
    senders = ["10.0.0.0/25", "10.1.0.0/16", "2001:db8::/32"]
    found = text({"a": {**UDP, "senders": senders}, "b": {**UDP, "senders": ["10.0.1.1"]}})
    assert "(ipv42num($fromhost-ip) >= 167772160 and ipv42num($fromhost-ip) <= 167772287)" in found
    assert 'or ($fromhost-ip startswith "10.1.") or ($fromhost-ip startswith "2001:db8:")' in found
    assert 'if ($fromhost-ip == "10.0.1.1") then { call source-b stop }' in found
    assert 'dyn_inc("refused_senders", $fromhost-ip)' in found
    assert found.count("input(") == 2  # the shared port once, and the guard's socket


ADDRESSES = st.one_of(st.ip_addresses(), st.sampled_from(("10.1.2.3", "10.12.3.4", "2001:db8::5:1:2:3", "::1:2")))


@given(ADDRESSES, ADDRESSES, st.integers(0, 128))
def test_a_leading_text_is_of_the_networks_addresses_alone(one: Any, other: Any, length: int) -> None:
    one, other = ip_address(str(one)), ip_address(str(other))
    network = ip_network((one, min(length, one.max_prefixlen)), strict=False)
    start = model.leading_text(network)
    for address in (one, other, network[0], network[-1]):
        if start:
            assert str(address).startswith(start) == (address in network)


def test_the_inputs_name_says_the_source_and_a_variable_where_it_cannot() -> None:
    siem = {"siem": {"type": "tcp", "host": "s", "port": 601}}
    found = text({"a": {**UDP, "senders": ["10.0.0.1"]}}, outputs=siem)
    assert 'name="listener-a"' in found
    assert 'set $.source = "a"' not in found
    shared = {"a": {**UDP, "senders": ["10.0.0.1"]}, "b": {**UDP, "senders": ["10.0.0.2"]}}
    found = text(shared, outputs=siem)
    assert 'name="listener-"' in found
    assert 'set $.source = "a"' in found
    assert 'set $.source = "b"' in found
    assert 'set $.source = "f"' in text({"f": {"transport": "file", "paths": ["/srv/*.log"]}}, outputs=siem)
    assert 'set $.source = "a"' not in text(shared)  # nothing is forwarded, so nobody asks


def test_a_stop_resets_the_tcp_connections_of_this_tenant_alone() -> None:
    sources = {
        "a": {"transport": "tcp", "port": 601, "address": "192.0.2.1"},
        "b": {"transport": "tls", "peers": ["x"]},
        "c": {"transport": "relp", "address": "2001:db8::1"},
        "d": UDP,
    }
    unit = files.wanted(receiver(sources), LAYOUT, "p", "", "")[f"/etc/systemd/system/{LAYOUT.unit}"].content
    assert "'( src 192.0.2.1:601 or sport = :6514 or src [2001:db8::1]:20514 )'" in unit
    assert (
        "ExecStop="
        not in files.wanted(receiver({"d": UDP}), LAYOUT, "p", "", "")[f"/etc/systemd/system/{LAYOUT.unit}"].content
    )


@pytest.mark.parametrize("mode", model.QUEUES)
def test_a_stop_never_waits_for_a_dead_output(mode: str) -> None:
    made = receiver({"a": UDP}, queue=mode, outputs={"siem": {"type": "tcp", "host": "s", "port": 601}})
    found = render.output_queue(made.outputs[0], made)
    assert 'queue.timeoutShutdown="10"' in found
    assert 'queue.timeoutActionCompletion="100"' in found
    assert 'queue.dequeueBatchSize="64"' in found  # which is lost then, with a dead output


@pytest.mark.parametrize(
    "source", [UDP, {**UDP, "file_per": "sender"}, {**UDP, "file_per": "sender", "senders": ["10.0.0.1"]}]
)
def test_no_field_of_the_sender_is_in_a_path(source: dict[str, Any]) -> None:
    paths = [line for line in text({"a": source}).splitlines() if "/var/log/collected" in line]
    assert paths
    assert not any(word in line for line in paths for word in ("hostname", "HOSTNAME", "programname", "msg%", "tag"))


def test_few_senders_have_files_of_their_own_and_many_share_a_fixed_number() -> None:
    few = {**UDP, "file_per": "sender", "senders": ["10.0.0.0/28"]}
    assert "%fromhost-ip:::secpath-replace%.log" in text({"a": few}, max_files=16)
    assert "hash64mod($fromhost-ip, 15)" in text({"a": few}, max_files=15)


@pytest.mark.parametrize(
    ("mode", "there", "absent"),
    [
        ("fast", 'queue.type="FixedArray"', "queue.filename"),
        ("graceful", 'queue.saveOnShutdown="on"', "queue.checkpointInterval"),
        ("crash_safe", 'queue.checkpointInterval="7"', "FixedArray"),
    ],
)
def test_queue_modes(mode: str, there: str, absent: str) -> None:
    found = "\n".join(render.queue("x", mode, 1000, receiver({"a": UDP}, checkpoint=7)))
    assert there in found
    assert absent not in found


def test_a_shared_port_has_the_queue_of_its_most_careful_source() -> None:
    sources = {
        "a": {**UDP, "senders": ["10.0.0.1"], "queue": "fast"},
        "b": {**UDP, "senders": ["10.0.0.2"], "queue": "crash_safe"},
    }
    assert text(sources).count('queue.type="Disk"') == 1


def test_the_key_is_readable_by_root_only_and_never_shown() -> None:
    given_pem = {"tls_ca": "CA", "tls_certificate": "CERT", "tls_key": "KEY"}
    made = receiver({"a": {"transport": "tls", "peers": ["x"]}}, **given_pem)
    found = files.wanted(made, LAYOUT, "/usr/bin/python3", "", "")
    assert found[f"{LAYOUT.tls}/key.pem"] == File("KEY\n", 0o600)
    assert not any("KEY" in file.content for path, file in found.items() if not path.endswith("key.pem"))


@pytest.mark.parametrize(
    ("source", "needed", "of_guard"),
    [
        ({"transport": "tcp", "port": 1024}, "", ""),
        ({"transport": "tcp", "port": 5601, "more_ports": [601]}, "CAP_NET_BIND_SERVICE", ""),
        ({"transport": "udp", "port": 5514}, "CAP_NET_ADMIN", ""),
        ({"transport": "file", "paths": ["/srv/x.log"]}, "CAP_DAC_READ_SEARCH", "CAP_DAC_READ_SEARCH"),
    ],
)
def test_a_unit_has_of_roots_power_what_its_sources_need(source: dict[str, Any], needed: str, of_guard: str) -> None:
    found = files.wanted(receiver({"a": source}), LAYOUT, "/usr/bin/python3", "", "")
    for unit, power in ((LAYOUT.unit, needed), (f"{LAYOUT.guard_unit}.service", of_guard)):
        assert f"\nCapabilityBoundingSet={power}\n" in found[f"{files.UNITS}/{unit}"].content


def test_no_path_of_one_tenant_is_anothers() -> None:
    made = [
        set(files.wanted(receiver({"a": UDP}, tenant=name), Layout(name), "p", "", "nftables")) for name in ("a", "b")
    ]
    assert not made[0] & made[1]


def test_plan_names_what_differs_and_nothing_when_nothing_does() -> None:
    wanted = {"/a": File("x"), "/b": File("y", 0o600)}
    units = ("u.service",)
    same = {"/a": ("x", 0o644), "/b": ("y", 0o600)}
    assert plan(wanted, units, frozenset(), Observed(files=same, units={"u.service": (True, True)})) == []
    observed = Observed(files={"/b": ("y", 0o644), "/c": ("z", 0o644)}, units={"u.service": (True, False)})
    found = [(change.target, change.action, change.drift) for change in plan(wanted, units, frozenset({"r"}), observed)]
    assert found == [
        ("/a", "create", "missing"),
        ("/b", "update", "different"),
        ("/c", "delete", "unexpected"),
        ("u.service", "update", "stopped"),
        ("r", "create", "missing"),
    ]
    labels = plan({}, (), frozenset(), Observed(labels=frozenset({"tcp 1"})), frozenset({"tcp 2"}))
    assert [(change.kind, change.target, change.action) for change in labels] == [
        ("label", "tcp 2", "create"),
        ("label", "tcp 1", "delete"),
    ]
    gone = plan({}, (), frozenset(), Observed(files=same, units={"u.service": (True, True)}, openings=frozenset({"r"})))
    assert {change.action for change in gone} == {"delete"}
    stale = plan(wanted, units, frozenset(), Observed(files=same, units={"u.service": (True, True)}, fresh=False))
    assert [change.drift for change in stale] == ["stale"]


@pytest.mark.parametrize(
    ("free", "before", "wanted"),
    [(50, 0, 0), (14.9, 0, 1), (4.9, 0, 2), (15.5, 1, 1), (17.1, 1, 0), (5.5, 2, 2), (7.1, 2, 1), (15.5, 0, 0)],
)
def test_the_guard_stops_low_priority_first_and_starts_again_with_room(free: float, before: int, wanted: int) -> None:
    assert guard.level(free, 15, 5, before) == wanted
    rows = {row["index"]: row["value"] for row in json.loads(guard.table(wanted))["table"]}
    assert rows == {"low": "stop" if wanted else "ok", "normal": "stop" if wanted > 1 else "ok"}


def test_the_firewall_lets_in_what_is_listened_for_from_its_senders() -> None:
    sources = {
        "a": {**UDP, "senders": ["10.0.0.0/8"]},
        "b": {"transport": "tcp", "port": 601},
        "c": {"transport": "file", "paths": ["/srv/x"]},
    }
    made = receiver(sources)
    assert made.openings == {("udp", 514, ip_network("10.0.0.0/8")), ("tcp", 601, None)}
    assert receiver(sources, firewall=False).openings == set()


@pytest.mark.parametrize("transport", ["tls", "relp"])
def test_every_transport_with_certificates_has_the_ciphers_of_today(transport: str) -> None:
    made = text({"a": {"transport": transport, "peers": ["fw.example"]}})
    (line,) = [line for line in made.splitlines() if line.startswith("input(") and "fw.example" in line]
    assert f'riorityString="{render.CIPHERS}"' in line


def test_counters_count_from_the_window_and_after_a_restart_from_nothing() -> None:
    lines = [
        '2026-11-21T10:00:00+00:00 {"name": "refused_senders", "values": {"10.0.0.1": 5, "10.0.0.2": 9}}',
        '2026-11-21T11:00:00+00:00 {"name": "refused_senders", "values": {"10.0.0.1": 7, "10.0.0.2": 2}}',
        "2026-11-21T11:00:00+00:00 { cut off",
    ]
    now, before = info.counters("\n".join(lines), 1795257000.0)  # 10:30
    assert losses.grown(now, before, "refused_senders") == {"10.0.0.1": 2, "10.0.0.2": 2}
    found = info.findings(now, before, [], {"level": 1, "free_percent": 9})
    assert [(problem["code"], problem["target"], problem["count"]) for problem in found] == [
        ("refused_senders", "10.0.0.1 (2), 10.0.0.2 (2)", 4),
        ("stopped", "disk", 1),
    ]


def test_what_queues_threw_away_is_told_also_after_a_restart() -> None:
    before = {"output-siem": {"discarded.full": 900, "discarded.nf": 100}, "output-two": {"discarded.full": 7}}
    now = {"output-siem": {"discarded.full": 3, "discarded.nf": 2}, "output-two": {"discarded.full": 7}}
    found = info.findings(now, before, [], {})
    assert [(problem["code"], problem["target"], problem["count"]) for problem in found] == [
        ("discarded", "output-siem", 5)
    ]


@pytest.mark.parametrize(
    ("state", "applied", "told"),
    [
        ({"time": 9_990}, 1_000.0, []),
        ({"time": 9_000}, 1_000.0, ["the disk guard has not looked for 17 minutes"]),
        ({}, 1_000.0, ["the disk guard has not looked for 150 minutes"]),
        ({}, 9_990.0, []),  # it was made just now
        ({}, 0.0, []),  # there is none, which its sources say
    ],
)
def test_a_disk_guard_that_no_longer_looks_is_told(state: dict[str, int], applied: float, told: list[str]) -> None:
    assert [problem["message"] for problem in info.unguarded(state, applied, 10_000.0)] == told


def test_a_turn_of_logrotate_makes_no_old_count_a_new_one(tmp_path: Path) -> None:
    line = '2026-11-21T{}:00+00:00 {{"name": "refused_senders", "values": {{"10.0.0.1": 5}}}}\n'
    (tmp_path / "stats.log").write_text(line.format("11:00"))
    (tmp_path / "stats.log-20261121-1795257000").write_text(line.format("10:00"))
    (tmp_path / "stats.log-20261120-1795170600").write_text("of the day before\n")
    (tmp_path / "stats.log-20261122-1.gz").write_bytes(b"\x1f\x8b")
    text = info.tail(str(tmp_path / "stats.log"))
    assert text == line.format("10:00") + line.format("11:00")
    assert losses.grown(*info.counters(text, 1795257000.0), "refused_senders") == {}


def test_a_refusal_is_told_and_a_client_without_goodbye_is_not() -> None:
    start = "2026-11-21T11:00:00+00:00 127.0.0.1"
    reason = f"{start} error: peer did not provide a certificate, not permitted to talk to it"
    closed = f"{start} netstream session 0x7 from 10.0.0.1 will be closed due to error [v8 e/2089 ]"
    lines = "\n".join((reason, f"{start} invalid cert info: x", closed, closed, reason))
    assert info.refusals(lines, 0) == [f"{reason}; {closed}", reason]
    assert info.refusals(lines, 1795999999.0) == []


def test_what_is_forwarded_is_what_came_after_pri_and_never_a_guessed_field() -> None:
    siem = {"siem": {"type": "tcp", "host": "s", "port": 601}, "bare": {**RAW, "type": "relp"}}
    found = text({"a": UDP}, outputs={**siem, "agent": {"type": "ama", "port": 28330}})
    forwarded = [
        line for line in found.splitlines() if line.startswith(('template(name="envelope', 'template(name="ama'))
    ]
    assert len(forwarded) == 3
    for line in forwarded:
        assert "%rawmsg-after-pri" in line
        assert not any(
            word in line for word in ("HOSTNAME", "APP-NAME", "TIMESTAMP", "%msg", "syslogtag", "%structured")
        )
    assert 'target="s" port="601" protocol="tcp" keepAlive="on" template="envelope-rfc5424"' in found
    assert 'type="omrelp" target="s" port="601" template="envelope-none"' in found
    for option in ("escapeControlCharactersOnReceive", "escapeControlCharacterTab", "supportCompressionExtension"):
        assert f'parser.{option}="off"' in found


RAW = {"host": "s", "port": 601, "envelope": "none"}
FILE = {"transport": "file", "paths": ["/srv/x"]}


@pytest.mark.parametrize(
    ("source", "folded"),
    [
        (UDP, True),
        ({"transport": "tcp"}, True),
        ({"transport": "tcp", "framing": "nul"}, True),
        ({"transport": "tcp", "framing": "lf"}, False),
        ({"transport": "relp"}, True),
        (FILE, False),
        ({**FILE, "record": "json"}, True),
    ],
)
def test_a_line_feed_is_looked_for_only_where_one_can_be_inside(source: dict[str, Any], folded: bool) -> None:
    assert (render.FOLD in text({"a": source})) == folded


def test_a_port_of_relp_has_a_size_of_its_own() -> None:
    relp = {"transport": "relp"}
    sources = {
        "a": {**relp, "max_message_size": 9000, "senders": ["10.0.0.1"]},
        "b": {**relp, "max_message_size": 8000, "senders": ["10.0.0.2"]},
        "c": {**relp, "port": 2514},
        "d": {"transport": "tcp", "max_message_size": 20_000},
    }
    found = text(sources, max_message_size=4000)
    sizes = {line.partition('port="')[2][:5].strip('")'): line for line in found.splitlines() if "imrelp" in line}
    assert 'maxDataSize="9512"' in sizes["20514"], "the larger of those that share it"
    assert 'maxDataSize="4512"' in sizes["2514"]
    assert 'maxMessageSize="20512"' in found


@pytest.mark.parametrize(
    ("source", "told"), [(UDP, True), ({**UDP, "outputs": []}, False), (FILE, False), ({"transport": "relp"}, True)]
)
def test_a_pri_that_is_none_is_no_header_and_is_not_lost(source: dict[str, Any], told: bool) -> None:
    found = text({"a": source}, outputs={"siem": RAW | {"type": "tcp"}})
    assert (render.ODD_PRI in found) == told
    assert "%PRI%" not in found, "it would be forwarded as invld"


def test_one_frame_over_the_limit_stays_one_frame() -> None:
    assert 'maxFrameSize="1000000"' in text({"a": {"transport": "tcp"}})
    large = text({"a": {"transport": "tcp", "max_message_size": 4_000_000}, "b": UDP}, memory_max="8G")
    assert 'maxMessageSize="4000512"' in large
    assert 'maxFrameSize="8001024"' in large


@pytest.mark.parametrize(
    ("options", "start"),
    [
        ({"record": "json"}, r'startmsg.regex="^\\{"'),
        ({"record": "regex", "record_start": r"^\d{4}-"}, r'startmsg.regex="^\\d{4}-"'),
    ],
)
def test_records_of_several_lines_begin_with_their_pattern(options: dict[str, str], start: str) -> None:
    assert f'{start} readTimeout="5" escapeLF="off"' in text({"a": {**FILE, **options}})
    assert "startmsg" not in text({"a": FILE})


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"transport": "tcp", "record": "json"}, "belongs to transport file"),
        ({**FILE, "record": "regex"}, "belong together"),
        ({**FILE, "record_start": "^x"}, "belong together"),
        ({**FILE, "record": "regex", "record_start": '^"'}, "neither quotes"),
        ({**FILE, "record": "regex", "record_start": "^x$"}, "neither quotes"),
        ({**UDP, "max_message_size": -1}, "is not between 1"),
        ({**UDP, "max_message_size": 10**9}, "is not between 1"),
    ],
)
def test_what_cannot_be_a_record_is_refused(source: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        receiver({"a": source})


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/var/log/collected/fabrikam/*/*.log", "which is not this tenant's"),
        ("/var/log/collected/contoso/a/a.log", "which is not this tenant's"),  # its own store: a loop
        ("/var/spool/collected/fabrikam/esa/ready/*", "which is not this tenant's"),
        ("/var/spool/collected/*/esa/ready/*", "which is not this tenant's"),
        ("/var/spool/collected/contoso-eu/esa/ready/*", "which is not this tenant's"),
        ("/etc/shadow", "below /etc"),
        ("/etc/cron.d/from-syslog", "below /etc"),
        ("/var/lib/rsyslog/mssp/fabrikam/x", "below /var/lib/rsyslog"),
        ("/opt/x/log", "below none of /srv"),
        ("/srvother/x", "below none of /srv"),
        ("/srv//x", "not written plainly"),
    ],
)
def test_files_lie_below_what_the_provider_allows_and_never_at_another_tenants(path: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        receiver({"a": {**FILE, "paths": [path]}})
    with pytest.raises(InputError, match=words):
        receiver({"a": UDP}, outputs={"copy": {"type": "file", "path": path}})
    if words == "below none of /srv":
        assert receiver({"a": {**FILE, "paths": [path]}}, file_roots=["/opt/x", "/srvother/"])
    else:
        with pytest.raises(InputError):
            receiver({"a": {**FILE, "paths": [path]}}, file_roots=["/"])


def test_a_tenants_own_drops_need_no_leave() -> None:
    assert receiver({"a": {**FILE, "paths": ["/var/spool/collected/contoso/esa/ready/*"]}})


def test_a_source_can_listen_on_several_ports() -> None:
    made = receiver({"a": {**UDP, "more_ports": [1514, 514]}, "b": {"transport": "tcp", "more_ports": [601]}})
    assert made.openings == {
        (kind, port, None) for kind, port in (("udp", 514), ("udp", 1514), ("tcp", 514), ("tcp", 601))
    }
    found = render.configuration(made, LAYOUT)
    for line in ('name="listener-a" port="514"', 'name="listener-a" port="1514"'):
        assert line in found
    shared = {"a": {**UDP, "senders": ["10.0.0.1"], "more_ports": [1514]}, "b": {**UDP, "senders": ["10.0.0.2"]}}
    with pytest.raises(InputError, match="need the same ports"):
        receiver(shared)


def test_appliances_without_a_certificate_are_known_by_address_alone() -> None:
    found = text(
        {"a": {"transport": "tls", "senders": ["10.0.0.1"]}, "b": {"transport": "tls", "port": 1, "peers": ["x"]}}
    )
    one, other = (line for line in found.splitlines() if 'streamDriver.name="gtls"' in line)
    assert 'streamDriver.authMode="anon"' in one
    assert "permittedPeer" not in one
    assert 'streamDriver.authMode="x509/name" permittedPeer=["x"]' in other
    assert "defaultNetstreamDriverKeyFile" in text({"a": {"transport": "tls", "senders": ["10.0.0.1"]}})


@pytest.mark.parametrize(("text_", "wanted"), [("1G", 1 << 30), ("512M", 512 << 20), ("4096", 4096), ("40%", 1 << 30)])
def test_memory_is_read_as_systemd_reads_it(text_: str, wanted: int) -> None:
    assert model.memory(text_) == wanted


@pytest.mark.parametrize("outputs", [0, 2, 8])
@pytest.mark.parametrize("size", [8192, 65536, 1_000_000])
def test_all_queues_full_of_the_largest_records_go_to_disk_within_the_memory(size: int, outputs: int) -> None:
    names = {f"o{number}": {"type": "tcp", "host": "s", "port": 601} for number in range(outputs)}
    made = receiver({"a": {**UDP, "max_message_size": size}}, outputs=names, memory_max="8G", queue_size=10**9)
    found = re.findall(r'queue.highWatermark="(\d+)"', render.configuration(made, LAYOUT))
    marks = [int(mark) for mark in found]
    assert len(marks) == 1 + outputs
    assert sum(marks) * size <= 4 << 30
    assert f'queue.size="{render.BURST * marks[-1]}"' in render.queue("x", "graceful", 10**9, made)


def test_memory_that_holds_no_queue_is_refused() -> None:
    with pytest.raises(InputError, match=r"memory_max.*less than 256"):
        receiver({"a": {**UDP, "max_message_size": 8_000_000}})


def test_connections_are_limited_in_all_by_source_and_by_sender() -> None:
    sources = {
        "a": {"transport": "tcp", "more_ports": [601], "max_connections": 20},
        "b": {"transport": "relp"},
        "c": UDP,
    }
    made = receiver(sources, max_connections=300, max_connections_per_sender=50)
    rules = files.wanted(made, LAYOUT, "p", "", "")[LAYOUT.limits].content
    every, end = "tcp dport { 514, 601, 20514 } ct state new", "counter reject with tcp reset"
    assert f"{every} add @ipv4 {{ ip saddr ct count over 50 }} {end}" in rules
    assert f"{every} add @ipv6 {{ ip6 saddr ct count over 50 }} {end}" in rules
    assert f"tcp dport {{ 514, 601 }} ct state new ct count over 20 {end}" in rules
    assert f"{every} ct count over 300 {end}" in rules
    assert files.wanted(receiver({"c": UDP}), LAYOUT, "p", "", "")[LAYOUT.limits].content.endswith("-limits\n")
    with pytest.raises(InputError, match="max_connections is 1 or more"):
        receiver({"a": {**UDP, "max_connections": 5}})
