"""The role scp_target on booted hosts: made, used by real clients, judged, changed, and taken away."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any, ClassVar

import paramiko
import pytest
from cryptography.hazmat.primitives.hashes import SHA1

from tests.hosts.conftest import Boot
from tests.hosts.nspawn import SUITES
from tests.hosts.printed import diffs
from tests.hosts.scp_drops import ROOT, Drops, ansible, call, changed, new_key


def needs(program: str) -> pytest.MarkDecorator:
    """Skips without the program; under CI it fails then."""
    absent = shutil.which(program) is None and not os.environ.get("CI")
    return pytest.mark.skipif(absent, reason=f"{program} is not installed")


FILES = (
    "find /etc /usr/local /var/spool /var/lib/systemd/linger -xdev ! -name '*.pyc' -printf '%p %m %U:%G %s\\n' | sort;"
    " find /run /run/lock /var/lib /tmp -maxdepth 1 -name '*mssp*'"
)
ACCOUNTS = "getent passwd; getent group; cat /etc/shadow"


@pytest.fixture(scope="module", params=SUITES)
def drops(request: pytest.FixtureRequest, boot: Boot, tmp_path_factory: pytest.TempPathFactory) -> Drops:
    """A tenant with a mail gateway and a firewall; the role's first runs are judged here, as they happen once."""
    host = boot(request.param, f"scp-{request.param}")
    drops = Drops(host, tmp_path_factory.mktemp("scp"))
    drops.add("esa", "rsa", directory="/upload")
    drops.add("firewall", names=["*.log"])
    before = host.run(f"{FILES}; {ACCOUNTS}").stdout
    predicted = drops.play("main", "--check", "--diff")
    assert host.run(f"{FILES}; {ACCOUNTS}").stdout == before
    made = drops.play("main", "--diff")
    assert headers(made)
    assert diffs(predicted) == diffs(made)
    assert changed(predicted) == changed(made) == 1
    again = drops.play("main", "--diff")
    assert changed(again) == 0
    assert headers(again) == []
    return drops


def headers(printed: str) -> list[str]:
    """What a diff names as changed."""
    return re.findall(r"^\+\+\+ after: (.*)$", printed, re.MULTILINE)


def log_file(folder: Path, name: str, text: str = "one\ntwo\n") -> Path:
    path = folder / name
    path.write_text(text, encoding="ascii")
    return path


class TestClients:
    def test_legacy_scp_into_the_directory_that_the_appliance_insists_on(self, drops: Drops, tmp_path: Path) -> None:
        path = log_file(tmp_path, "mail.@20261121T103000.s")
        assert drops.scp("esa", path, to="/upload").code == 0
        assert drops.ready("esa")[path.name] == b"one\ntwo\n"

    @pytest.mark.parametrize(
        "to", ["", ".", "/", "/upload/", "incoming", "/var/spool/collected/contoso/esa/incoming/", "~", "~/"]
    )
    def test_legacy_scp_to_every_name_of_the_directory(self, drops: Drops, tmp_path: Path, to: str) -> None:
        path = log_file(tmp_path, f"to-{abs(hash(to))}.log", f"{to}\n")
        assert drops.scp("esa", path, to=to).code == 0
        assert path.name in drops.ready("esa")

    def test_modern_scp_and_the_same_key(self, drops: Drops, tmp_path: Path) -> None:
        path = log_file(tmp_path, "modern.log")
        done = drops.scp("esa", path, to="/upload/", flags=("-s", "-p"))
        assert (done.code, done.said) == (0, "")
        assert drops.ready("esa")["modern.log"] == b"one\ntwo\n"

    def test_sftp(self, drops: Drops, tmp_path: Path) -> None:
        path = log_file(tmp_path, "batch.log")
        assert drops.sftp("esa", f"cd /upload\nput {path}\nls -l\n").code == 0
        assert "batch.log" in drops.ready("esa")

    def test_paramiko_asks_for_the_size_after_it_has_written(self, drops: Drops, tmp_path: Path) -> None:
        path = tmp_path / "big.log"
        path.write_bytes(b"0123456789abcde\n" * 200_000)
        with drops.paramiko("firewall") as client:
            assert client.put(str(path), "/big.log").st_size == path.stat().st_size
            assert client.listdir("/") == ["big.log"]
        assert drops.ready("firewall")["big.log"] == path.read_bytes()

    def test_a_client_that_renames_when_it_is_done(self, drops: Drops) -> None:
        with drops.paramiko("esa") as client:
            with client.open("/winscp.log.filepart", "wb") as stream:
                stream.write(b"half")
                stream.write(b" and half\n")
            assert "winscp.log.filepart" not in drops.ready("esa")
            client.rename("/winscp.log.filepart", "/winscp.log")
        assert drops.ready("esa")["winscp.log"] == b"half and half\n"

    @pytest.mark.parametrize("temporary", ["w.log.filepart", "w.log.1a2b3c4d.partial", "w.log.writing", ".in.w.log"])
    def test_temporary_names_at_a_source_that_takes_some_names_only(self, drops: Drops, temporary: str) -> None:
        """WinSCP, rclone since 1.63, Spring, lftp."""
        name = f"renamed{len(temporary)}.log"
        with drops.paramiko("firewall") as client:
            with client.open(f"/{temporary}", "wb") as stream:
                stream.write(temporary.encode())
            client.rename(f"/{temporary}", f"/{name}")
        assert drops.ready("firewall")[name] == temporary.encode()

    def test_any_name_that_is_changed_before_the_session_ends(self, drops: Drops) -> None:
        with drops.paramiko("esa") as client:
            with client.open("/QX2401", "wb") as stream:
                stream.write(b"unknown habit\n")
            client.rename("/QX2401", "/habit.log")
        assert drops.ready("esa")["habit.log"] == b"unknown habit\n"
        assert "QX2401" not in drops.ready("esa")

    @needs("lftp")
    @pytest.mark.parametrize("temporary", ["no", "yes"])
    def test_lftp(self, drops: Drops, tmp_path: Path, temporary: str) -> None:
        path = log_file(tmp_path, f"lftp-{temporary}.log", temporary)
        done = drops.lftp("firewall", f"set xfer:use-temp-file {temporary}", f"put {path}", "ls")
        assert (done.code, path.name in done.out.decode()) == (0, True), done.said
        assert drops.ready("firewall")[path.name] == temporary.encode()

    @needs("rclone")
    def test_rclone(self, drops: Drops, tmp_path: Path) -> None:
        path = log_file(tmp_path, "rclone.log", "rclone writes its blocks in any order\n" * 100_000)
        done = drops.rclone("firewall", "copyto", path, ":sftp:/rclone.log")
        assert done.code == 0, done.said
        assert drops.ready("firewall")["rclone.log"] == path.read_bytes()

    def test_a_file_that_would_be_resumed_is_not_taken_half(self, drops: Drops, tmp_path: Path) -> None:
        with drops.paramiko("esa") as client, client.open("/resumed.log", "wb") as stream:
            stream.seek(4)
            stream.write(b"end\n")
        assert "resumed.log" not in drops.ready("esa")
        assert drops.refusals("esa")[-1] == "resume"

    def test_the_same_file_again_is_acknowledged_and_not_delivered(self, drops: Drops, tmp_path: Path) -> None:
        path = log_file(tmp_path, "twice.log", "twice\n")
        for flags in (("-O",), ("-O",), ("-s",)):
            assert drops.scp("esa", path, flags=flags).code == 0
        folder = drops.host.root / drops.base("esa")[1:] / "ready"
        assert len(list(folder.glob("*twice.log"))) == 1
        assert [event["event"] for event in drops.events("esa") if event.get("name") == "twice.log"] == [
            "accepted",
            "duplicate",
            "duplicate",
        ]
        log_file(tmp_path, "twice.log", "not the same\n")
        assert drops.scp("esa", path).code == 0
        assert len(list(folder.glob("*twice.log"))) == 2

    def test_several_files_in_one_session_of_which_one_is_refused(self, drops: Drops, tmp_path: Path) -> None:
        good, other, bad = (log_file(tmp_path, name, name) for name in ("s1.log", "s2.log", ".s3.log"))
        assert drops.scp("esa", good, bad, other).code == 1
        assert {"s1.log", "s2.log"} <= set(drops.ready("esa"))
        assert ".s3.log" not in drops.ready("esa")

    def test_names_that_are_not_collected_stay_with_the_sender(self, drops: Drops, tmp_path: Path) -> None:
        done = drops.scp("firewall", log_file(tmp_path, "current.c"))
        assert (done.code, "not collected" in done.said) == (1, True)


class TestVerbs:
    def test_preflight_is_content(self, drops: Drops) -> None:
        assert changed(drops.play("preflight")) == 0

    def test_verify_tells_what_arrived_and_what_was_refused(self, drops: Drops, tmp_path: Path) -> None:
        assert drops.scp("esa", log_file(tmp_path, "newest.log", "newest\n")).code == 0
        assert drops.ssh("esa", "id").code == 1
        printed = drops.play("verify", "-v")
        assert changed(printed) == 0
        assert "last_file: newest.log" in printed
        assert "state: flowing" in printed
        assert "id: this account runs no commands" in printed

    def test_verify_fails_for_a_source_that_never_sent(self, drops: Drops) -> None:
        printed = drops.play("verify", ok=False, scp_target_sources={**drops.sources, "silent": drops.sources["esa"]})
        assert "absent: scp silent" in printed

    def test_verify_fails_where_sshd_no_longer_has_our_rules(self, drops: Drops, tmp_path: Path) -> None:
        assert drops.scp("esa", log_file(tmp_path, "before.log", "before\n")).code == 0
        rules = "/etc/ssh/sshd_config.d/60-mssp-scp-contoso.conf"
        drops.host.run(f"mv {rules} /run/aside")
        printed = " ".join(drops.play("verify", ok=False).split())
        drops.host.run(f"mv /run/aside {rules}")
        assert "overruled: scp esa" in printed

    def test_drift_is_told_and_corrected(self, drops: Drops) -> None:
        keys = "/etc/ssh/mssp-onboarding/mssp-contoso-esa.keys"
        drops.host.run(
            f"echo '# edited' >> {keys}; chmod 777 {drops.base('esa')}; usermod -s /bin/bash mssp-contoso-esa"
        )
        printed = drops.play("drift", "--diff", ok=False, drift_fail=True)
        assert "-# edited" in printed
        assert headers(printed) == [f"account {drops.user('esa')}", f"folder {drops.base('esa')}", f"file {keys}"]
        drops.play("drift", drift_correct=True)
        assert changed(drops.play("drift", drift_fail=True)) == 0
        assert "/usr/local/sbin/mssp-scp-target" in drops.host.run("getent passwd mssp-contoso-esa").stdout

    def test_a_source_that_is_no_longer_listed_goes_and_its_files_stay(self, drops: Drops, tmp_path: Path) -> None:
        drops.add("leaving")
        drops.play("main")
        del drops.sources["leaving"]
        assert drops.scp("leaving", log_file(tmp_path, "left.log")).code == 0
        drops.play("main")
        assert drops.host.run("getent passwd mssp-contoso-leaving", check=False).returncode == 2
        assert drops.ready("leaving") == {"left.log": b"one\ntwo\n"}
        assert drops.host.run(f"find {drops.base('leaving')} ! -user root").stdout == ""
        assert drops.scp("leaving", log_file(tmp_path, "late.log")).code != 0
        assert changed(drops.play("main")) == 0
        drops.still_takes_files("esa")

    def test_old_files_go_by_age(self, drops: Drops, tmp_path: Path) -> None:
        assert drops.scp("esa", log_file(tmp_path, "young.log", "young\n")).code == 0
        # Debian's timer runs this once a day. Ages are those of the host's clock, so the file is tried by an age of 0.
        drops.host.run("sed 's/ 14d$/ 0/' /etc/tmpfiles.d/mssp-scp-contoso.conf > /run/now.conf")
        drops.host.run("systemd-tmpfiles --clean /etc/tmpfiles.d/mssp-scp-contoso.conf")
        assert "young.log" in drops.ready("esa")
        drops.host.run("systemd-tmpfiles --clean /run/now.conf")
        assert drops.ready("esa") == {}


class TestOldAppliances:
    OLD_SSH = (
        *("-o", "KexAlgorithms=diffie-hellman-group14-sha1", "-o", "HostKeyAlgorithms=ssh-rsa"),
        *("-o", "Ciphers=aes128-cbc", "-o", "MACs=hmac-sha1", "-o", "PubkeyAcceptedAlgorithms=ssh-rsa"),
        *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"),
    )

    def signs_in(self, drops: Drops, source: str) -> bool:
        """As a client that knows RSA with SHA-1 only and does not ask for server-sig-algs: OpenSSH before 7.2."""

        class OldKey(paramiko.RSAKey):
            HASHES: ClassVar[dict[str, type]] = {"ssh-rsa": SHA1}

        class OldTransport(paramiko.Transport):
            server_extensions = property(lambda self: {}, lambda self, value: None)

        transport = OldTransport((drops.host.address, 22))
        try:
            transport._preferred_pubkeys = ("ssh-rsa",)
            transport.start_client(timeout=10)
            transport.auth_publickey(drops.user(source), OldKey.from_private_key_file(str(drops.key(source))))
            return bool(transport.is_authenticated())
        except paramiko.AuthenticationException:
            return False
        finally:
            transport.close()

    def does_not_start_and_comes_back(self, drops: Drops, given: dict[str, Any]) -> None:
        """Somebody else has the other port; the play fails, and nothing is left of the change."""
        drops.host.run("systemd-run --quiet --unit=squatter python3 -m http.server 2223")
        drops.host.run("for i in $(seq 100); do ss -Hlnt | grep -q :2223 && exit; sleep 0.1; done; exit 1")
        printed = " ".join(drops.play("main", ok=False, **{**given, "scp_target_legacy_port": 2223}).split())
        drops.host.run("systemctl stop squatter")
        assert "start the second sshd at port 2223; it is as it was before" in printed
        assert "Address already in use" in printed
        assert changed(drops.play("main", **given)) == 0

    def is_confined(self, drops: Drops) -> None:
        unit = "mssp-scp-legacy-contoso.service"
        said = drops.host.run(f"systemd-analyze security --no-pager {unit}").stdout
        score = re.findall(r"Overall exposure level for \S+: ([\d.]+) ", said)[0]
        assert float(score) <= 3.0, said
        readme = " ".join((ROOT / "roles/scp_target/README.md").read_text(encoding="utf-8").split())
        assert drops.host.suite != "trixie" or f"rates its unit {score} on Debian 13" in readme, score

    def test_old_signatures_count_for_one_account_only(self, drops: Drops) -> None:
        drops.add("branch", "rsa")
        old = {name: {**source, "legacy_keys": name == "esa"} for name, source in drops.sources.items()}
        del drops.sources["branch"]
        assert not self.signs_in(drops, "esa")
        drops.play("main", scp_target_sources=old)
        assert (self.signs_in(drops, "esa"), self.signs_in(drops, "branch")) == (True, False)
        drops.play("main")

    def test_a_second_sshd_speaks_old_key_exchange_to_one_account_only(self, drops: Drops, tmp_path: Path) -> None:
        path = log_file(tmp_path, "old-kex.log")
        flags = ("-O", *self.OLD_SSH)
        assert drops.scp("esa", path, flags=flags).code != 0
        old = {name: {**source, "legacy_transport": name == "esa"} for name, source in drops.sources.items()}
        given = {"scp_target_sources": old, "scp_target_legacy_port": 2222}
        drops.play("main", **given)
        assert changed(drops.play("main", **given)) == 0
        assert drops.scp("esa", path, flags=(*flags, "-P", "2222")).code == 0
        self.is_confined(drops)
        assert "Permission denied" in drops.scp("firewall", path, flags=(*flags, "-P", "2222")).said
        root = ["-p", "2222", "-i", drops.host.ssh_key, "-F", "/dev/null", "-o", "BatchMode=yes", *self.OLD_SSH[4:]]
        assert "Permission denied" in call("ssh", *root, f"root@{drops.host.address}", "id").said
        self.does_not_start_and_comes_back(drops, given)
        assert drops.scp("esa", log_file(tmp_path, "old-port.log"), flags=(*flags, "-P", "2222")).code == 0
        assert drops.scp("esa", path, flags=flags).code != 0
        drops.play("main")
        assert "refused" in drops.scp("esa", path, flags=(*flags, "-P", "2222")).said
        assert drops.host.run("ls /etc/systemd/system /etc/mssp-onboarding/scp-target").stdout.count("legacy") == 0
        assert changed(drops.play("main")) == 0


@pytest.mark.parametrize("suite", SUITES)
class TestOffboard:
    @pytest.fixture
    def alone(self, suite: str, boot: Boot, tmp_path: Path) -> Drops:
        drops = Drops(boot(suite, f"scp-off-{suite}"), tmp_path, tenant="fabrikam")
        drops.add("esa")
        return drops

    def test_all_of_it_goes_and_nothing_else(self, alone: Drops, tmp_path: Path) -> None:
        before = alone.host.run(f"{FILES}; {ACCOUNTS}").stdout
        other = Drops(alone.host, tmp_path, tenant="tailspin")
        other.add("esa")
        alone.play()
        with_one = alone.host.run("cat /etc/ssh/sshd_config.d/*; ls -R /etc/mssp-onboarding /usr/local").stdout
        other.play()
        assert other.scp("esa", log_file(tmp_path, "kept.log")).code == 0
        assert alone.scp("esa", log_file(tmp_path, "gone.log")).code == 0
        predicted = other.play("offboard", "--check", "--diff")
        assert headers(predicted)
        assert diffs(predicted) == diffs(other.play("offboard", "--diff"))
        assert changed(other.play("offboard")) == 0
        assert other.ready("esa") == {"kept.log": b"one\ntwo\n"}
        left = alone.host.run("cat /etc/ssh/sshd_config.d/*; ls -R /etc/mssp-onboarding /usr/local").stdout
        assert left == with_one
        alone.still_takes_files("esa")
        alone.play("offboard", scp_target_keep_files=False)
        alone.host.run("rm -r /var/spool/collected")
        assert same_but_times(alone.host.run(f"{FILES}; {ACCOUNTS}").stdout) == same_but_times(before)
        assert "Permission denied" in alone.scp("esa", log_file(tmp_path, "late.log")).said


def same_but_times(listed: str) -> list[str]:
    """shadow-utils keep copies of their files and grow folders; neither is ours."""
    lines = listed.splitlines()
    return [line for line in lines if not re.match(r"/etc/(passwd|group|g?shadow|sub[ug]id)-? |/etc 755", line)]


@pytest.mark.parametrize("suite", SUITES)
class TestNobodyIsLockedOut:
    DROP_IN = "/etc/ssh/sshd_config.d/60-mssp-scp-contoso.conf"
    HOST = "/etc/ssh/sshd_config.d/10-host.conf"

    @pytest.fixture
    def drops(self, suite: str, boot: Boot, tmp_path: Path) -> Drops:
        """A host without our drop-in, and with no rule of its own."""
        drops = Drops(boot(suite, f"scp-lock-{suite}"), tmp_path)
        drops.add("esa")
        drops.host.run(f"rm -f {self.DROP_IN} {self.HOST}; systemctl reload ssh; nft flush ruleset")
        return drops

    def is_as_before(self, drops: Drops) -> None:
        assert drops.host.run(f"ls {self.DROP_IN}", check=False).returncode != 0
        drops.host.run(f"rm -f {self.HOST}; sshd -t && systemctl reload ssh && systemctl is-active ssh")

    @pytest.mark.parametrize(
        ("rule", "told"),
        [
            ("NoSuchKeyword yes", "NoSuchKeyword"),
            ("AllowUsers root", "after a reload sshd would not let ansible in: allowusers root"),
            ("DenyUsers mssp-*", "the host has denyusers mssp-*"),
            ("Match User mssp-*\\n  ForceCommand /bin/true", "forcecommand /bin/true"),
        ],
    )
    def test_what_waits_in_the_hosts_own_files(self, drops: Drops, rule: str, told: str) -> None:
        drops.host.run(f"printf '{rule}\\n' > {self.HOST}")
        assert told.lower() in " ".join(drops.play("main", ok=False).lower().split())
        self.is_as_before(drops)

    def test_a_host_that_names_who_may_sign_in(self, drops: Drops, tmp_path: Path) -> None:
        drops.host.run(f"echo 'AllowUsers root ansible' > {self.HOST}; systemctl reload ssh")
        assert "the host has allowusers root" in drops.play("preflight", "-v")
        drops.play()
        drops.still_takes_files("esa")

    def test_no_new_connection_after_the_reload(self, drops: Drops) -> None:
        drops.play("preflight")  # leaves a connection open for the next run
        drops.host.run("nft add table inet t; nft add chain inet t c '{ type filter hook input priority 0; }'")
        drops.host.run("nft 'add rule inet t c iifname host0 tcp dport 22 tcp flags & (syn|ack) == syn drop'")
        printed = drops.play("main", ok=False)
        assert "no new connection to" in " ".join(printed.split())
        assert "event=rolled_back" in drops.journal()
        drops.host.run("nft flush ruleset")
        self.is_as_before(drops)
        drops.play()  # by a new connection again

    def test_the_host_itself_goes_back_when_nobody_confirms(self, drops: Drops) -> None:
        inventory = tmp_inventory(drops)
        given = {"tenant": "contoso", "sources": drops.sources, "undo_seconds": 2, "min_free_mib": 1}
        words = ("-i", str(inventory), "all", "-m", "mssp.onboarding.scp_target", "-a", json.dumps(given))
        assert ansible("ansible", *words).returncode == 0
        drops.host.run(f"i=0; while [ -e {self.DROP_IN} ]; do i=$((i+1)); [ $i -lt 80 ] || exit 1; sleep 0.1; done")
        drops.host.run("sleep 0.5; systemctl --failed --quiet | grep . && exit 1; systemctl is-active ssh")
        assert "event=rolled_back" in drops.journal()
        self.is_as_before(drops)


def tmp_inventory(drops: Drops) -> Path:
    inventory = drops.folder / "hosts"
    inventory.write_text(drops.host.inventory_line + "\n", encoding="utf-8")
    return inventory


def test_an_account_of_somebody_else_is_left_alone(boot: Boot, tmp_path: Path) -> None:
    drops = Drops(boot("trixie", "scp-off-trixie"), tmp_path)
    drops.add("esa", user="games")
    told = " ".join(drops.play("preflight", ok=False, scp_target_legacy_port=22).split())
    assert "account games: the account games is there and was not made by this role" in told
    assert "port tcp 22: another process listens there" in told
    assert "was not made by this role" in " ".join(drops.play("main", ok=False).split())
    assert "games:x:5:60:games" in drops.host.run("getent passwd games").stdout


def test_the_example_of_the_readme(boot: Boot, tmp_path: Path) -> None:
    drops = Drops(boot("bookworm", "scp-readme"), tmp_path)
    text = (ROOT / "roles/scp_target/README.md").read_text(encoding="utf-8")
    example = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[0]
    (tmp_path / "site.yml").write_text(example.replace("192.0.2.25", drops.host.gateway), encoding="utf-8")
    (tmp_path / "esa.pub").write_text(new_key(drops.key("esa")), encoding="ascii")
    (tmp_path / "hosts").write_text(f"[collectors]\n{drops.host.inventory_line}\n", encoding="utf-8")
    done = ansible("ansible-playbook", "-i", str(tmp_path / "hosts"), str(tmp_path / "site.yml"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert drops.scp("esa", log_file(tmp_path, "mail.@20261121T103000.s"), to="/upload").code == 0
    assert drops.scp("esa", log_file(tmp_path, "mail.current.c"), to="/upload").code == 1
    assert list(drops.ready("esa")) == ["mail.@20261121T103000.s"]
