"""The role falcon_siem_connector on booted hosts, with the stand-in package, against the lab's CrowdStrike cloud."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike.catalog import FAILURES
from lab.testing import running_lab
from tests.hosts.conftest import Boot
from tests.hosts.falcon_tools import CONFIGS, LOGS, PACKAGE, UNIT, Falcon, beats, counted, falcon, wait_for
from tests.hosts.nspawn import ROOT, SUITES, Host
from tests.playbooks.tenant_files import variables

EVENT = "AuthActivityAuditEvent"  # one line each; detections have a second one for their network accesses
LABELS = ("contoso-leef", "contoso-main", "contoso-pairs", "contoso-raw")
FILES = f"find /opt/crowdstrike /var/lib/mssp {LOGS} -type f 2>/dev/null"


@pytest.fixture(scope="module")
def cloud(boot: Boot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Falcon]:
    folder = tmp_path_factory.mktemp("falcon")
    with running_lab() as lab, falcon(folder, lab, {suite: boot(suite, suite) for suite in SUITES}) as found:
        yield found


def contoso(cloud: Falcon, suite: str, version: str = "2.26.0", **options: Any) -> dict[str, Any]:
    """The example of the README, as CID main, and beside it the other formats and a second customer's CID."""
    shown = example()
    sources = {
        "leef": {"transport": "tcp", "port": 5515, "senders": ["127.0.0.1"]},
        "pairs": {"transport": "udp", "port": 5516, "senders": ["10.213.0.0/16"]},
        "raw": {"transport": "file", "paths": [f"{LOGS}/output.contoso-raw"]},
    }
    main = {key: value for key, value in shown["falcon_siem_connector_cids"]["main"].items() if key != "cloud"}
    by_name = {"source": "pairs", "collector": f"contoso-{suite}"}  # its address is the inventory's
    cids = {
        "main": cloud.cid(suite, "main", **main),
        "leef": cloud.cid(suite, "leef", "proseware", format="leef", syslog={"source": "leef"}),
        "pairs": cloud.cid(suite, "pairs", format="key_value", file=False, syslog=by_name),
        "raw": cloud.cid(suite, "raw", event_types=[EVENT]),
    }
    clients = {name: "proseware" if name == "leef" else "contoso" for name in cids}
    return {
        **shown,
        **cloud.package(suite, version),
        "syslog_target_sources": {**shown["syslog_target_sources"], **sources},
        "syslog_target_firewall": False,
        "syslog_target_file_roots": [LOGS],
        "falcon_siem_connector_cids": cids,
        "falcon_siem_connector_secrets": {
            name: {"client_secret": cloud.lab.crowdstrike.client(client)[1]} for name, client in clients.items()
        },
        "falcon_siem_connector_allow_unsupported_os": True,
        "falcon_siem_connector_require_time_sync": False,
        "falcon_siem_connector_heartbeat_seconds": 60,
        "falcon_siem_connector_ca_file": cloud.lab.ca_file,
        **options,
    }


def example() -> dict[str, Any]:
    """The example of the role's README."""
    text = (ROOT / "roles/falcon_siem_connector/README.md").read_text(encoding="utf-8")
    found = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert found
    collector = yaml.safe_load(found[1])["collectors"]["collector1"]
    return variables({name: section for name, section in collector.items() if name != "ansible_host"})


def everywhere(cloud: Falcon, **options: Any) -> dict[tuple[str, str], dict[str, Any]]:
    return {("contoso", suite): contoso(cloud, suite, **options) for suite in cloud.hosts}


def each(cloud: Falcon, number: int) -> dict[str, int]:
    return {f"contoso-{suite}": number for suite in cloud.hosts}


def installed(host: Host) -> str:
    shown = host.run(f"dpkg-query -W -f '${{db:Status-Status}} ${{Version}}' {PACKAGE}", check=False).stdout
    return shown.partition("installed ")[2]


def test_nothing_is_installed_where_something_is_wrong(cloud: Falcon) -> None:
    bookworm, trixie = everywhere(cloud).items()
    refused = {
        bookworm[0]: {**bookworm[1], "falcon_siem_connector_sha256": "0" * 64},
        trixie[0]: {**trixie[1], "falcon_siem_connector_allow_unsupported_os": False},
    }
    said = cloud.play("main", refused, fails=True).output
    assert "its SHA-256 is" in said
    assert "debian 13 is not among the systems" in said
    for host in cloud.hosts.values():
        assert installed(host) == ""
        assert host.run(FILES, check=False).stdout == ""


def test_preflight_says_what_the_client_lacks_before_anything_is_there(cloud: Falcon) -> None:
    cloud.play("preflight", everywhere(cloud))
    cloud.lab.crowdstrike.do("scopes", client="contoso", scopes=["hosts:read"])
    said = cloud.play("preflight", everywhere(cloud), fails=True).output
    cloud.lab.crowdstrike.do("scopes", client="contoso", scopes=["event-streams:read"])
    assert "HTTP 403: access denied, authorization failed" in said
    assert "Event streams: Read" in said
    for host in cloud.hosts.values():
        assert host.run(FILES, check=False).stdout == ""


def test_from_check_to_events(cloud: Falcon) -> None:
    """One walk, as each step needs the one before."""
    variables = everywhere(cloud)
    predicted = cloud.play("main", variables, "--check", "--diff", "-vvvv")
    for host in cloud.hosts.values():
        assert host.run(FILES, check=False).stdout == ""
    first = cloud.play("main", variables, "-e", "with_target=true", "--diff", "-vvvv")
    assert predicted.changed == each(cloud, 2)
    assert cloud.play("main", variables).changed == each(cloud, 0)
    _says_no_secret(cloud, variables, predicted.output + first.output)
    cloud.lab.crowdstrike.emit("contoso", 100, EVENT)
    cloud.lab.crowdstrike.emit("proseware", 100, EVENT)
    for host in cloud.hosts.values():
        _as_it_should_be(host)
        _nothing_lost(host, 100, 100)
    cloud.play("verify", variables)


def _says_no_secret(cloud: Falcon, variables: dict[tuple[str, str], dict[str, Any]], output: str) -> None:
    """Neither on the screen at the highest verbosity, diff included, nor in the evidence."""
    evidence = [path.read_bytes() for path in (cloud.folder / "evidence").rglob("*") if path.is_file()]
    assert evidence
    for own in variables.values():
        for secret in own["falcon_siem_connector_secrets"].values():
            hidden = secret["client_secret"].encode()
            assert [text for text in (output.encode(), *evidence) if hidden in text] == []


def _as_it_should_be(host: Host) -> None:
    modes = host.run(f"stat -c '%a %U %n' {CONFIGS}/*.cfg").stdout.splitlines()
    assert modes == [f"600 daemon {CONFIGS}/{label}.cfg" for label in LABELS]
    shipped = host.run("cat /opt/crowdstrike/etc/cs.falconhoseclient.cef.cfg").stdout.splitlines()
    made = host.run(f"cat {CONFIGS}/contoso-main.cfg").stdout.splitlines()[1:]
    assert len(made) == len(shipped)
    differing = {line.partition(" =")[0] for line, was in zip(made, shipped, strict=True) if line != was}
    assert differing <= {
        *("api_url", "request_token_url", "app_id", "client_id", "client_secret", "output_to_file", "output_path"),
        *("offset_path", "send_to_syslog_server", "host", "port", "protocol"),
    }


def _nothing_lost(host: Host, contoso: int, proseware: int) -> None:
    """Sent equals stored, and nothing came twice."""
    assert counted(host, "falcon", "CEF:0|CrowdStrike|FalconHost|1.0|", contoso) == contoso
    assert counted(host, "leef", "LEEF:1.0|CrowdStrike|FalconHost|1.0|", proseware) == proseware
    assert counted(host, "pairs", "cn3Label=Offset", contoso) == contoso
    assert counted(host, "raw", '"offset":', contoso) == contoso


def test_what_drifts_is_put_back(cloud: Falcon) -> None:
    variables = everywhere(cloud)
    for host in cloud.hosts.values():
        host.run(
            f"sed -i 's/^app_id = .*/app_id = mine/' {CONFIGS}/contoso-main.cfg; chmod 644 {CONFIGS}/contoso-raw.cfg"
        )
        host.run(f"rm {CONFIGS}/contoso-leef.cfg; systemctl disable --now {UNIT}")
    found = cloud.play("drift", variables, "-e", "drift_fail=true", "--diff", fails=True)
    assert "-app_id = mine" in found.output
    for words in ("update cs.falconhoseclientd", "create /opt/crowdstrike/config/contoso-leef.cfg"):
        assert words in found.output.replace("create cs.", "update cs.")
    corrected = cloud.play("drift", variables, "-e", "drift_correct=true", "-e", "drift_fail=true")
    assert set(corrected.changed.values()) == {2}  # reported, and done
    for host in cloud.hosts.values():
        _as_it_should_be(host)


def test_a_new_secret_and_a_new_version_lose_nothing(cloud: Falcon) -> None:
    """Events that come while the connector is down arrive afterwards, and none comes twice."""
    before = everywhere(cloud)
    cloud.lab.crowdstrike.rotate_secret("contoso")
    cloud.lab.crowdstrike.do("end_sessions", cid="contoso")
    for host in cloud.hosts.values():
        wait_for(host, "contoso-main", "403")
    said = cloud.play("verify", before, fails=True).output
    assert "credentials" in said
    assert "Failed to issue access token" in said
    cloud.lab.crowdstrike.emit("contoso", 30, EVENT)
    rotated = cloud.play("main", everywhere(cloud), "--diff")
    assert rotated.changed == each(cloud, 1)
    assert "+client_secret = (another secret)" in rotated.output
    upgrade = everywhere(cloud, version="2.29.0")
    assert "falcon_siem_connector_version_change is never" in cloud.play("main", upgrade, fails=True).output
    allowed = everywhere(cloud, version="2.29.0", falcon_siem_connector_version_change="upgrade")
    cloud.lab.crowdstrike.emit("contoso", 30, EVENT)
    assert cloud.play("main", allowed, "--check").changed == each(cloud, 2)
    assert cloud.play("main", allowed).changed == each(cloud, 2)
    cloud.lab.crowdstrike.do("cut", cid="contoso", after=5)  # in the middle of the sixth line
    cloud.lab.crowdstrike.emit("contoso", 40, EVENT)
    for host in cloud.hosts.values():
        assert installed(host) == "2.29.0"
        _nothing_lost(host, 200, 100)


def tailspin(cloud: Falcon, suite: str, **options: Any) -> dict[str, Any]:
    """A second tenant on the same hosts."""
    client = options.pop("client", "tailspin")
    secret = options.pop("secret", cloud.lab.crowdstrike.client(client)[1])
    return {
        "falcon_siem_connector_cids": {"main": cloud.cid(suite, "main", client, **options)},
        "falcon_siem_connector_secrets": {"main": {"client_secret": secret}},
        "falcon_siem_connector_allow_unsupported_os": True,
        "falcon_siem_connector_require_time_sync": False,
        "falcon_siem_connector_heartbeat_seconds": 12,
    }


def wrong(cloud: Falcon, code: str) -> dict[str, Any]:
    """Options with which the connector fails in that way."""
    return {
        "credentials": {"secret": "of-another-client"},
        "scope": {"client": "contoso-hosts"},
        "app_id_in_use": {"app_id": "somebody-elses"},
        "proxy": {"http_proxy": "http://127.0.0.1:9"},
        "no_route": {"base_url": "https://127.0.0.1:9"},
        "tls": {"base_url": cloud.lab.url.replace("127.0.0.1", "other.example")},
        "clock_skew": {"verbose_log": False},  # the lab's clock is set another way
    }[code]


@pytest.mark.parametrize(
    "codes", [("credentials", "scope"), ("clock_skew", "tls"), ("app_id_in_use", "proxy"), ("no_route", "no_route")]
)
def test_a_change_without_a_heartbeat_is_rolled_back(cloud: Falcon, codes: tuple[str, str]) -> None:
    """Each failure is told from the others, in the connector's own words, and the other tenant goes on."""
    right = {("tailspin", suite): tailspin(cloud, suite) for suite in SUITES}
    if codes[0] == "credentials":
        cloud.play("main", {key: {**own, "falcon_siem_connector_heartbeat_seconds": 60} for key, own in right.items()})
    before = [host.run(f"cat {CONFIGS}/*.cfg").stdout for host in cloud.hosts.values()]
    cloud.lab.crowdstrike.do("occupy", cid="tailspin", app_id="somebody-elses")
    cloud.lab.crowdstrike.do("switch", skew=-7200 if "clock_skew" in codes else 0)
    for host in cloud.hosts.values():
        host.run("grep -q other.example /etc/hosts || echo 127.0.0.1 other.example >> /etc/hosts")
    pairs = zip(SUITES, codes, strict=True)
    changed = {("tailspin", suite): tailspin(cloud, suite, **wrong(cloud, code)) for suite, code in pairs}
    said = cloud.play("main", changed, fails=True).output
    cloud.lab.crowdstrike.do("switch", skew=0)
    for code in codes:
        assert f"the last working configuration is back: {code}: " in said
        assert FAILURES[code].next_step in said
    assert "of-another-client" not in said
    assert [host.run(f"cat {CONFIGS}/*.cfg").stdout for host in cloud.hosts.values()] == before
    for host in cloud.hosts.values():
        for label in ("tailspin-main", "contoso-main"):
            beats(host, label)


def test_offboard_takes_the_tenants_part_only(cloud: Falcon) -> None:
    first, second = (
        everywhere(cloud, version="2.29.0"),
        {("tailspin", suite): tailspin(cloud, suite) for suite in SUITES},
    )
    for own in first.values():  # as when the customer has gone already
        own["falcon_siem_connector_secrets"] = {}
    removed = cloud.play("offboard", first)
    assert set(removed.changed.values()) == {1}
    assert set(cloud.play("offboard", first).changed.values()) == {0}
    for host in cloud.hosts.values():
        assert host.run(f"ls {CONFIGS}").stdout.split() == ["tailspin-main.cfg"]
        assert installed(host) == "2.29.0"
        beats(host, "tailspin-main")
    assert set(cloud.play("offboard", second).changed.values()) == {2}
    for host in cloud.hosts.values():
        assert installed(host) == ""
        assert host.run(f"cd {LOGS} && ls stream_offsets.*").stdout.split() == [f"stream_offsets.{x}" for x in LABELS]
        host.run("logger still-working && sleep 0.5 && grep -q still-working /var/log/syslog")
    gone = {key: {**own, "falcon_siem_connector_remove_offsets": True} for key, own in (first | second).items()}
    cloud.play("offboard", gone)
    for host in cloud.hosts.values():
        assert host.run(f"ls {LOGS}/stream_offsets.*", check=False).stdout == ""
        assert host.run("ls /var/lib/mssp /opt/crowdstrike/config", check=False).stdout == ""
