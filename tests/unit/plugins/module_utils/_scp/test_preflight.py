"""What is missing on a collector is found before anything is changed, each with who cures it and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import OnboardingError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.findings import Finding
from ansible_collections.mssp.onboarding.plugins.module_utils._scp import preflight
from ansible_collections.mssp.onboarding.plugins.module_utils._scp.sources import Source, sources
from tests.unit.plugins.module_utils._scp.test_sources import source

# The form of semanage-port(8); not taken from a host.
LABELS = """\
SELinux Port Type              Proto    Port Number

http_port_t                    tcp      80, 81, 443, 8008
ssh_port_t                     tcp      2223, 22
syslogd_port_t                 udp      2224
"""
# The form of proc(5): a listener on 2222, a connection on 22.
SOCKETS = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid
   0: 00000000:08AE 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0
   1: 0100007F:0016 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0
"""


def wanted(**options: Any) -> list[Source]:
    return sources({"esa": source(**options)}, "contoso", 0)


@pytest.mark.parametrize(
    ("said", "options", "status"),
    [
        ("OpenSSH_9.2p1 Debian-2+deb12u7, OpenSSL 3.0.17", {"legacy_keys": True}, "ok"),
        ("unknown option -- V\nOpenSSH_8.2p1, OpenSSL 1.1.1", {}, "ok"),
        ("OpenSSH_8.2p1", {"legacy_keys": True}, "missing"),
        ("OpenSSH_8.4p1", {"legacy_transport": True}, "missing"),
        ("OpenSSH_8.0p1", {}, "missing"),
        ("OpenSSH_10.0p2", {}, "ok"),
        ("run /usr/sbin/sshd: not found", {}, "unknown"),
    ],
)
def test_the_version_of_openssh(said: str, options: dict[str, bool], status: str) -> None:
    found = preflight.version(said, wanted(**options))
    assert found.status == status
    assert bool(found.next_step) == (status != "ok")


def test_what_sshd_itself_says() -> None:
    good: Mapping[str, Sequence[str]] = {"subsystem": ["sftp /usr/lib/openssh/sftp-server"], "allowusers": ["root"]}
    assert [found.status for found in preflight.judged(good, wanted())] == ["ok", "ok"]
    bad = list(preflight.judged({"denyusers": ["mssp-*"]}, wanted()))
    assert [(found.check, found.status) for found in bad] == [
        ("sshd subsystem", "missing"),
        ("sign-in", "missing"),
        ("sign-in", "ok"),
    ]
    assert bad[1].detail == "the host has denyusers mssp-*"


def test_which_ports_are_taken() -> None:
    assert preflight.listening(SOCKETS) == {2222}
    assert preflight.listening("") == set()


@pytest.mark.parametrize(
    ("port", "detail"),
    [
        (22, ""),
        (2222, "will be labelled ssh_port_t"),
        (443, "will be labelled ssh_port_t, and is http_port_t now"),
    ],
)
def test_the_label_of_a_port(port: int, detail: str) -> None:
    found = preflight.label(port, LABELS)
    assert (found.status, found.detail) == ("ok", detail)


def test_a_check_that_cannot_look_is_unknown_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def blind(_params: Any, _wanted: Any) -> Iterator[Finding]:
        raise PermissionError(13, "Permission denied", "/etc/ssh/sshd_config")
        yield

    def refused(_params: Any, _wanted: Any) -> Iterator[Finding]:
        yield Finding("a", "b", "ok")
        raise OnboardingError("run sshd", "no such file")

    monkeypatch.setattr(preflight, "CHECKS", (blind, refused, lambda _params, _wanted: [Finding("c", "d", "ok")]))
    found = preflight.looked_at({}, [])
    assert [(one.check, one.status) for one in found] == [
        *(("blind", "unknown"), ("a", "ok"), ("refused", "unknown"), ("c", "ok")),
    ]
    assert "Permission denied" in found[0].detail
    assert all(one.next_step and one.who for one in found if one.status == "unknown")


def test_a_source_whose_keys_are_not_written_yet_is_told_and_no_fault() -> None:
    assert list(preflight.keyless(wanted())) == []
    (found,) = preflight.keyless(wanted(keys=[""]))
    assert (found.status, "run onboard" in found.next_step) == ("ok", True)
