"""What a host lacks to become a receiver, judged from what its own tools say."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._host import commands
from ansible_collections.mssp.onboarding.plugins.module_utils._host.commands import Said
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog import model, options, preflight
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog.layout import Layout

UDP = {"transport": "udp", "port": 514}
SS = """udp UNCONN 0 0 0.0.0.0:514 0.0.0.0:* users:(("rsyslogd",pid=812,fd=6))
udp   UNCONN 0      0      127.0.0.53%lo:5353       0.0.0.0:*    users:(("systemd-resolve",pid=300,fd=13))
tcp LISTEN 0 128 [::]:601 [::]:*
tcp LISTEN 0 128 192.0.2.1:6514 0.0.0.0:* users:(("nginx",pid=90,fd=6),("nginx",pid=91,fd=6))
"""
WELL: dict[str, Said] = {
    "dpkg-query": Said(0, "installed", ""),
    "ss": Said(0, SS, ""),
    "systemctl": Said(0, "0\n", ""),
    "timedatectl": Said(0, "yes\n", ""),
}


def receiver(sources: dict[str, Any], **given: Any) -> model.Receiver:
    return model.receiver({**options.DEFAULTS, "tenant": "contoso", "sources": sources, **given})


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> dict[str, Said]:
    """A Debian host whose commands answer with these; openssl is this machine's."""
    said, real = dict(WELL), commands.run

    def run(*command: str, timeout: float = 120) -> Said:
        return real(*command) if command[0] == "openssl" else said.get(command[0], Said(127, "", "no such command"))

    monkeypatch.setattr(commands, "run", run)
    monkeypatch.setattr(preflight, "_text", lambda _path: "ID=debian\n")
    return said


def wrong(made: model.Receiver, packages: tuple[str, ...] = ()) -> dict[str, tuple[str, str, str]]:
    """What is not ok, but for what this machine itself lacks: check to subject, status and detail."""
    found = preflight.findings(made, Layout("contoso"), packages)
    assert all(finding.next_step and finding.who for finding in found if finding.status != "ok")
    own = ("system", "space")
    return {
        finding.check: (finding.subject, finding.status, finding.detail)
        for finding in found
        if finding.status != "ok" and finding.check not in own
    }


def test_a_host_that_has_everything_is_ready(host: dict[str, Said]) -> None:
    assert wrong(receiver({"a": {**UDP, "port": 5514}}), ("rsyslog",)) == {}


@pytest.mark.parametrize(
    ("release", "family"),
    [("ID=debian\n", "Debian"), ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "RedHat"), ("ID=ubuntu\n", "Debian"),
     ("ID=arch\n", ""), ("", "")],
)  # fmt: skip
def test_the_family_is_told_by_os_release(release: str, family: str) -> None:
    assert preflight._family(release) == family


def test_another_family_and_a_host_without_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "isdir", lambda _path: False)
    found = [finding for finding in preflight._host("") if finding.status == "missing"]
    assert [finding.subject for finding in found] == ["/etc/os-release", "systemd"]


@pytest.mark.parametrize(
    ("offer", "status"),
    [
        (Said(0, "", ""), "missing"),
        (Said(100, "", "E: No packages found"), "missing"),
        (Said(1, "", "Error: No matching Packages to list"), "missing"),
        (Said(1, "", "Error: Failed to download metadata for repo 'baseos'"), "unknown"),
        (Said(124, "", "no end after 120 s"), "unknown"),
        (Said(127, "", ""), "unknown"),
    ],
)
def test_a_package_that_no_repository_offers(host: dict[str, Said], offer: Said, status: str) -> None:
    host.update({"dpkg-query": Said(1, "", "no packages found"), "apt-cache": offer})
    assert wrong(receiver({"a": {**UDP, "port": 5514}}), ("rsyslog",))["package"][:2] == ("rsyslog", status)
    host["apt-cache"] = Said(0, "Package: rsyslog\n", "")
    assert wrong(receiver({"a": {**UDP, "port": 5514}}), ("rsyslog",)) == {}


def test_a_removed_package_whose_files_are_left_is_not_installed(host: dict[str, Said]) -> None:
    host["dpkg-query"] = Said(0, "config-files", "")
    assert "package" in wrong(receiver({"a": {**UDP, "port": 5514}}), ("rsyslog",))


@pytest.mark.parametrize(
    ("source", "mine", "holder"),
    [
        (UDP, 0, "rsyslogd"),
        (UDP, 812, None),
        ({**UDP, "address": "192.0.2.1"}, 0, "rsyslogd"),
        ({"transport": "udp", "port": 5353, "address": "192.0.2.1"}, 0, None),
        ({"transport": "udp", "port": 5353}, 0, "systemd-resolve"),
        ({"transport": "tcp", "port": 601}, 0, ""),
        ({"transport": "tls", "peers": ["x"], "address": "192.0.2.2"}, 0, None),
        ({"transport": "tls", "peers": ["x"], "address": "192.0.2.1"}, 0, "nginx"),
        ({"transport": "udp", "port": 601}, 0, None),
    ],
)
def test_a_port_that_another_process_has(source: Mapping[str, Any], mine: int, holder: str | None) -> None:
    made = receiver({"a": dict(source)}).sources[0]
    found = preflight.taken(made, made.ports[0], preflight.sockets(SS), mine)
    assert (found.process if found else None) == holder


def test_a_taken_port_names_its_holder_and_no_answer_is_unknown(host: dict[str, Said]) -> None:
    subject = "udp 514 of source a"
    assert wrong(receiver({"a": UDP}))["port"] == (subject, "missing", "rsyslogd (pid 812) has it at 0.0.0.0")
    host["systemctl"] = Said(0, "812\n", "")
    assert wrong(receiver({"a": UDP})) == {}
    host["ss"] = Said(127, "", "no such command")
    assert wrong(receiver({"a": UDP}))["port"][:2] == (subject, "unknown")


@pytest.mark.parametrize(
    ("said", "status"), [(Said(0, "no\n", ""), "missing"), (Said(1, "", "Failed to connect to bus"), "unknown")]
)
def test_a_clock_that_nobody_sets(host: dict[str, Said], said: Said, status: str) -> None:
    host["timedatectl"] = said
    assert wrong(receiver({"a": {**UDP, "port": 5514}}))["clock"][:2] == ("NTP", status)


@pytest.mark.parametrize(("free", "queue", "subjects"), [
    (10, "graceful", {"/var/log/collected", "/var/lib/rsyslog"}),
    (10, "fast", {"/var/log/collected"}),
    (90, "graceful", set()),
])  # fmt: skip
def test_a_small_disk(monkeypatch: pytest.MonkeyPatch, free: int, queue: str, subjects: set[str]) -> None:
    disk = os.statvfs_result((4096, 4096, 1000, free * 10, free * 10, 100, 50, 50, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _path: disk)
    made = receiver({"a": UDP}, queue=queue, queue_disk_bytes=1000 * 4096 // 2)
    assert {finding.subject for finding in preflight._space(made) if finding.status == "missing"} == subjects


def test_a_link_out_of_the_allowed_folders_is_told_before_onboard(host: dict[str, Said], tmp_path: Path) -> None:
    (tmp_path / "srv").mkdir()
    (tmp_path / "srv/app.log").symlink_to("/etc/passwd")
    source = {"transport": "file", "paths": [f"{tmp_path}/srv/*.log"]}
    made = receiver({"a": source}, file_roots=[f"{tmp_path}/srv"])
    subject, status, detail = wrong(made)["files"]
    assert (subject, status) == (f"{tmp_path}/srv/app.log", "missing")
    assert "leads to /etc/passwd, which is below /etc" in detail


def test_outputs_are_tried_and_folders_looked_for(host: dict[str, Said], tmp_path: Path) -> None:
    own = {"file_roots": [str(tmp_path), "/nowhere"]}
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        outputs = {"up": {"type": "ama", "port": port}, "here": {"type": "file", "path": f"{tmp_path}/x.log"}}
        assert wrong(receiver({"a": {**UDP, "port": 5514}}, outputs=outputs, **own)) == {}
    subject, status, detail = wrong(receiver({"a": {**UDP, "port": 5514}}, outputs=outputs, **own))["output"]
    assert (subject, status) == (f"up (127.0.0.1:{port})", "missing")
    assert "refused" in detail
    away = {"gone": {"type": "file", "path": "/nowhere/x.log"}}
    assert (
        wrong(receiver({"a": {**UDP, "port": 5514}}, outputs=away, **own))["output"][2] == "there is no folder /nowhere"
    )


# --- confinement


@pytest.mark.parametrize(
    ("profiles", "rules", "lacking"),
    [
        ("", "", []),
        ("rsyslogd (complain)\n", "", []),
        ("/usr/bin/man (enforce)\n", "", []),
        ("rsyslogd (enforce)\n", "", list(Layout("contoso").trees)),
        ("/usr/sbin/rsyslogd (enforce)\n", "  /etc/mssp/syslog/** r,\n", list(Layout("contoso").trees[1:])),
        ("rsyslogd (enforce)\n", "".join(f"{tree}/** rwk,\n" for tree in Layout("contoso").trees), []),
    ],
)
def test_what_apparmor_would_forbid_is_told(
    monkeypatch: pytest.MonkeyPatch, profiles: str, rules: str, lacking: list[str]
) -> None:
    texts = {preflight.APPARMOR: profiles, preflight.APPARMOR_RULES: rules}
    monkeypatch.setattr(preflight, "_text", texts.__getitem__)
    found = preflight._confinement(Layout("contoso"))
    assert found.status == ("missing" if lacking else "ok")
    assert all(path in found.detail and f"{path}/** rwk" in found.next_step for path in lacking)


# --- certificates


def _openssl(*command: str) -> None:
    assert commands.run("openssl", *command).code == 0, command


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ca")
    _openssl(*_request(folder, "ca", "365", "/CN=authority"))
    return folder


def _request(folder: Path, name: str, days: str, subject: str, *more: str) -> list[str]:
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{folder}/{name}.key")
    return ["req", "-x509", *key, "-out", f"{folder}/{name}.pem", "-days", days, "-subj", subject, *more]


def _given(folder: Path, days: str) -> dict[str, str]:
    """Options of a receiver whose certificate ends after so many days."""
    issuer = ("-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key")
    _openssl(*_request(folder, "server", days, "/CN=server", *issuer))
    names = {"tls_ca": "ca.pem", "tls_certificate": "server.pem", "tls_key": "server.key"}
    return {option: (folder / name).read_text(encoding="ascii") for option, name in names.items()}


TLS = {"a": {"transport": "tls", "peers": ["x"], "port": 5600}}


def test_a_good_certificate_is_content_and_others_say_what_is_wrong(host: dict[str, Said], authority: Path) -> None:
    good = _given(authority, "365")
    assert wrong(receiver(TLS, **good)) == {}
    assert wrong(receiver(TLS, **{**good, "tls_key": _given(authority, "365")["tls_key"]})).keys() == {
        "certificate key"
    }
    found = wrong(receiver(TLS, **{**good, "tls_ca": good["tls_certificate"]}))
    assert "does not lead to tls_ca" in found["certificate chain"][2]
    assert "ends soon" in wrong(receiver(TLS, **_given(authority, "20")))["certificate dates"][2]
    broken = wrong(receiver(TLS, **{**good, "tls_certificate": "not a certificate"}))
    assert "cannot be read" in broken["certificate dates"][2]


def test_the_key_is_in_no_result_and_no_command(
    host: dict[str, Said], authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {**_given(authority, "365"), "tls_key": "CANARY-7f3a"}
    asked, real = [], commands.run

    def run(*command: str) -> Said:
        asked.append(command)
        return real(*command)

    monkeypatch.setattr(commands, "run", run)
    params = {name: spec.get("default") for name, spec in options.PREFLIGHT_SPEC.items()}
    said = execute(
        preflight.run,
        "syslog_target",
        {**params, "tenant": "contoso", "sources": TLS, **given},
        check=False,
        diff=False,
        secrets=["CANARY-7f3a"],
    )
    assert "certificate key" in {problem["operation"] for problem in said["problems"]}
    assert said["summary"]["outcome"] == "failed"
    assert "CANARY" not in repr(said)
    assert "CANARY" not in repr(asked)
