"""The probe against a bare rsyslog on a booted host, as a user runs it: from here, and on the host by SSH."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.conftest import Boot
from tests.hosts.nspawn import ROOT, Host
from tests.unit.ansible_tools import run
from tests.unit.plugins.module_utils._collector.certificates import make_certificate

STORE = "/var/log/bare"
BARE = """
global(workDirectory="/var/lib/bare" defaultNetstreamDriver="gtls" maxMessageSize="8k"
  defaultNetstreamDriverCAFile="/etc/bare/ca.pem" defaultNetstreamDriverCertFile="/etc/bare/collector.pem"
  defaultNetstreamDriverKeyFile="/etc/bare/collector.key")
module(load="imudp") module(load="imptcp") module(load="imrelp")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="x509/name"
  permittedPeer=["probe"])
template(name="raw" type="string" string="%rawmsg%\\n")
ruleset(name="keep") { action(type="omfile" file="/var/log/bare/all.log" template="raw") }
input(type="imudp" port="5140" ruleset="keep")
input(type="imptcp" port="5140" ruleset="keep")
input(type="imtcp" port="6514" ruleset="keep")
input(type="imrelp" port="20514" ruleset="keep")
"""


class Prober:
    """Probes a host from here and reads back there, each by the module inside of Ansible."""

    def __init__(self, host: Host, folder: Path) -> None:
        self.host = host
        self.folder = folder
        self.inventory = folder / "hosts"
        self.inventory.write_text(host.inventory_line + "\n", encoding="utf-8")

    def task(self, where: str, **options: Any) -> dict[str, Any]:
        """The module's result. where: the host's name, or localhost."""
        more = ["-c", "local"] if where == "localhost" else []
        line = ["-i", self.inventory, "-i", "localhost,", *more, where, "-m", "mssp.onboarding.collector_probe"]
        said = run("ansible", *line, "-a", json.dumps(options), cwd=ROOT, ANSIBLE_CALLBACK_RESULT_FORMAT="json")
        found: dict[str, Any] = json.loads(said.partition(" => ")[2])
        return found


@pytest.fixture(scope="module")
def host(boot: Boot) -> Host:
    return boot("bookworm", "probed")


@pytest.fixture(scope="module")
def bare(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prober]:
    """A rsyslogd of its own beside the host's, with a certificate of ours."""
    folder = tmp_path_factory.mktemp("bare")
    authority = make_certificate(folder, "ca", None)
    for name in ("collector", "probe", "other"):
        make_certificate(folder, name, authority, address=host.address)
    host.run("mkdir -p /etc/bare /var/lib/bare /var/log/bare")
    for name in ("ca.pem", "collector.pem", "collector.key"):
        host.run(f"cat >/etc/bare/{name}", stdin=(folder / name).read_text())
    host.run("cat >/etc/bare/rsyslog.conf", stdin=BARE)
    start = "systemd-run --quiet --unit=bare /usr/sbin/rsyslogd -n -i /run/bare.pid -f /etc/bare/rsyslog.conf"
    host.run(start)
    host.run("for i in $(seq 50); do ss -ltn | grep -q :20514 && exit; sleep 0.1; done; exit 1")
    yield Prober(host, folder)
    host.run("systemctl stop bare")


TRANSPORTS = [
    ("udp", {"port": 5140}),
    ("tcp", {"port": 5140, "framing": "octet_counted"}),
    ("tcp", {"port": 5140, "framing": "lf", "format": "rfc3164"}),
    ("tls", {"port": 6514}),
    ("relp", {"port": 20514}),
]


def certificate(bare: Prober, name: str) -> dict[str, str]:
    files = {"ca_file": "ca.pem", "client_cert": f"{name}.pem", "client_key": f"{name}.key"}
    return {option: str(bare.folder / file) for option, file in files.items()}


@pytest.mark.parametrize(("transport", "options"), TRANSPORTS)
def test_what_is_sent_is_found(bare: Prober, transport: str, options: dict[str, Any]) -> None:
    paths = certificate(bare, "probe") if transport == "tls" else {}
    sent = bare.task("localhost", transport=transport, host=bare.host.address, count=50, rate=0, **options, **paths)
    assert sent["probe"]["sent"] == 50
    assert sent["probe"]["acknowledged"] == (50 if transport == "relp" else None)
    read = bare.task(bare.host.name, state="read", path=STORE, run_id=sent["run_id"], count=50)
    assert (read["probe"]["stored"], read["probe"]["lost"], read["probe"]["duplicated"]) == (50, 0, 0)
    # The kernel's clock of files may be a tick behind.
    assert -0.02 <= read["probe"]["seconds_to_first"] <= read["probe"]["seconds_to_last"] < 30


def test_a_certificate_of_another_name_is_refused(bare: Prober) -> None:
    options = {"transport": "tls", "host": bare.host.address, "port": 6514, **certificate(bare, "other")}
    with pytest.raises(AssertionError, match="tls_refused: the collector ended it"):
        bare.task("localhost", **options)


def test_records_that_rsyslog_cuts_in_pieces_are_not_whole(bare: Prober) -> None:
    options = {"transport": "tcp", "host": bare.host.address, "port": 5140, "count": 3, "size": 20_000}
    sent = bare.task("localhost", **options)
    with pytest.raises(AssertionError, match="3 are cut short"):
        bare.task(bare.host.name, state="read", path=STORE, run_id=sent["run_id"], count=3, wait_seconds=2)


def test_the_collector_can_send_to_itself(bare: Prober) -> None:
    sent = bare.task(bare.host.name, transport="udp", host="127.0.0.1", port=5140, count=5)
    assert (sent["sender"], sent["probe"]["sent"]) == ("127.0.0.1", 5)
    read = bare.task(bare.host.name, state="read", path=f"{STORE}/all.log", run_id=sent["run_id"], count=5)
    assert read["probe"]["lost"] == 0
