"""What a sender with a stolen key, and a sender of another tenant, can do to a host with file drops: send files."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.hosts.conftest import Boot
from tests.hosts.nspawn import SUITES
from tests.hosts.scp_drops import SPOOL, Drops, call, changed, new_key

RELOAD = "systemctl reload ssh; sleep 1"  # while it begins again, sshd takes no connection
FXP_INIT = b"\0\0\0\5\1\0\0\0\3"
ESCAPE = "\x1b]0;owned\x07\x1b[31mred.log"


@pytest.fixture(scope="module", params=SUITES)
def drops(request: pytest.FixtureRequest, boot: Boot, tmp_path_factory: pytest.TempPathFactory) -> Drops:
    drops = Drops(boot(request.param, f"scp-attack-{request.param}"), tmp_path_factory.mktemp("scp"))
    drops.add("esa")
    drops.add("firewall")
    drops.play()
    return drops


@pytest.fixture(autouse=True)
def _service_is_still_up(drops: Drops) -> Iterator[None]:
    yield
    drops.still_takes_files("esa")
    assert drops.incoming("esa") == []


@pytest.fixture(scope="class", autouse=True)
def _the_other_tenant_is_unharmed(drops: Drops) -> Iterator[None]:
    """What it has delivered is there and unchanged, and it goes on."""
    other = Drops(drops.host, drops.folder, tenant="fabrikam")
    if not other.key("esa").exists():
        other.add("esa")
        other.play()
        other.still_takes_files("esa")
    before = other.ready("esa")
    assert before
    yield
    assert other.ready("esa") == before
    assert other.refusals("esa") == []
    other.still_takes_files("esa")


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    path = tmp_path / "evil.log"
    path.write_bytes(os.urandom(32))
    return path


class Refused:
    """with Refused(drops, "path"): nothing of the host changes, and ledger and journal say why.

    For several attempts in one block: with Refused(drops) as refused: …; refused.now("path").
    """

    def __init__(self, drops: Drops, *codes: str) -> None:
        self._drops, self._codes = drops, codes

    def __enter__(self) -> Refused:
        self._before = self._seen = len(self._drops.refusals("esa"))
        self._journal = self._logged()
        self._quiet = self._drops.nothing_new()
        self._quiet.__enter__()
        return self

    def now(self, *codes: str) -> None:
        """One of these codes stands in what is new in the ledger."""
        new = self._drops.refusals("esa")[self._seen :]
        self._seen += len(new)
        assert set(codes) & set(new), (codes, new)

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            self._quiet.__exit__(None, None, None)
            if self._codes:
                self.now(*self._codes)
            assert self._logged() - self._journal >= self._seen - self._before > 0

    def _logged(self) -> int:
        return self._drops.journal().count("source=esa event=refused")


OUTSIDE = (
    "../",
    "../../../../etc/cron.d/",
    "/upload/../../x",
    "/etc/cron.d/evil",
    "/opt/evil.log",
    "$(touch /x)/a",
    "/var/spool/collected/contoso/firewall/incoming/",
    "/var/spool/collected/contoso/esa/ready/",
)
RECORDS = (
    (b"C0644 5 ../evil.log\n", "path"),
    (b"C0644 5 ..\n", "path"),
    (b"C0644 5 /etc/cron.d/evil\n", "path"),
    (b"C0644 5 .bashrc\n", "dotfile"),
    (b"C0644 5 \n", "name"),
    (b"C0644 5 -rf\n", "name"),
    (b"C0644 5 a b\n", "name"),
    (b"C0644 5 a\x00b\n", "name"),
    (b"C0644 5 %s\n" % (b"x" * 300), "name"),
    (b"C0644 -5 evil.log\n", "protocol"),
    (b"C0644 99999999999999999999 evil.log\n", "protocol"),
    (b"D0755 0 folder\n", "directory"),
    (b"X" * 10000, "protocol"),
    (b"\x16\x03\x01 not even scp\n", "protocol"),
)


class TestPaths:
    # sftp's own client says no to a «~» that the server does not offer to expand.
    @pytest.mark.parametrize(("flag", "more"), [("-O", ("~root/x/",)), ("-s", ())], ids=["scp", "sftp"])
    def test_out_of_the_directory(self, drops: Drops, evil: Path, flag: str, more: tuple[str, ...]) -> None:
        before = drops.ready("esa"), drops.ready("firewall")
        with Refused(drops) as refused:
            for to in (*OUTSIDE, *more):
                assert drops.scp("esa", evil, to=to, flags=(flag,)).code != 0, to
                refused.now("path", "command")
        assert (drops.ready("esa"), drops.ready("firewall")) == before

    def test_records_that_no_client_would_send(self, drops: Drops) -> None:
        with Refused(drops) as refused:
            for record, code in RECORDS:
                assert drops.raw("esa", record + b"evil\n\0").code == 1, record
                refused.now(code)

    def test_other_uses_of_scp(self, drops: Drops) -> None:
        with Refused(drops) as refused:
            for command in ("scp -f /etc/passwd", "scp -t a b", "scp -S /bin/sh -t .", "scp -t '"):
                done = drops.raw("esa", b"\0" * 10, command)
                assert (done.code, b"root" in done.out) == (1, False), command
                refused.now("read", "command")

    def test_a_name_with_escape_codes(self, drops: Drops, tmp_path: Path) -> None:
        path = tmp_path / ESCAPE
        path.write_bytes(b"x")
        with Refused(drops, "name"):
            assert drops.scp("esa", path).code == 1
        assert "\x1b" not in drops.journal()
        assert "\x1b" not in drops.play("verify", "-v")

    def test_a_dotfile(self, drops: Drops, tmp_path: Path) -> None:
        path = tmp_path / ".bashrc"
        path.write_bytes(b"x")
        with Refused(drops, "dotfile"):
            assert drops.scp("esa", path).code == 1

    def test_a_folder(self, drops: Drops, tmp_path: Path) -> None:
        (tmp_path / "folder" / "inner").mkdir(parents=True)
        (tmp_path / "folder" / "inner" / "a.log").write_bytes(b"x")
        with Refused(drops, "directory"):
            assert drops.scp("esa", tmp_path / "folder", flags=("-O", "-r")).code == 1

    def test_a_set_uid_program_arrives_as_a_plain_file(self, drops: Drops, tmp_path: Path) -> None:
        path = tmp_path / "suid.log"
        path.write_bytes(b"#!/bin/sh\n")
        path.chmod(0o6777)
        assert drops.scp("esa", path, flags=("-O", "-p")).code == 0
        found = drops.host.run(f"stat -c %a {drops.base('esa')}/ready/*suid.log").stdout
        assert found == "640\n"
        assert drops.events("esa")[-1]["mode_ignored"] == "6777"

    def test_a_symlink_is_not_followed(self, drops: Drops, tmp_path: Path) -> None:
        path = tmp_path / "link.log"
        drops.host.run("echo precious > /precious")
        for folder, flags in ((folder, flags) for folder in ("ready", "incoming") for flags in (("-O",), ("-s",))):
            path.write_bytes(os.urandom(16))
            link = f"{drops.base('esa')}/{folder}/link.log"
            drops.host.run(f"ln -sf /precious {link}; chown -h {drops.user('esa')} {link}")
            assert drops.scp("esa", path, flags=flags).code == 0
            assert drops.events("esa")[-1]["event"] == "accepted"
            assert drops.host.run("cat /precious").stdout == "precious\n"
            drops.host.run(f"rm -f {link}")


class TestSftp:
    def test_nothing_leads_out_of_the_directory(self, drops: Drops, evil: Path, tmp_path: Path) -> None:
        before = drops.ready("esa"), drops.ready("firewall")
        with Refused(drops) as refused:
            for batch in (
                f"get /etc/passwd {tmp_path}/stolen",
                f"put {evil} /../../etc/cron.d/evil",
                f"put {evil} /etc/cron.d/evil",
                f"put {evil} .ssh/authorized_keys",
                "cd ..",
                "ls /var/spool/collected/contoso/firewall",
                "chmod 777 /etc/passwd",
                "chown 0 /etc/passwd",
            ):
                assert drops.sftp("esa", f"{batch}\n").code != 0, batch
                refused.now("path")
        assert (drops.ready("esa"), drops.ready("firewall")) == before
        assert not (tmp_path / "stolen").exists()

    def test_nothing_but_writing_here(self, drops: Drops, evil: Path, tmp_path: Path) -> None:
        before = drops.ready("esa")
        with drops.nothing_new():
            for batch in (
                f"get still.log {tmp_path}/stolen",
                "ls /etc",
                "mkdir folder",
                "rmdir incoming",
                "rm *",
                "rm x.log",
                "symlink /etc/passwd link.log",
                "ln /etc/passwd link.log",
                "rename a.log b.log",
                f"reput {evil} x.log",
            ):
                assert drops.sftp("esa", f"{batch}\n").code != 0, batch
        assert drops.ready("esa") == before
        assert not (tmp_path / "stolen").exists()

    def test_a_delivered_file_cannot_be_read_or_taken_back(self, drops: Drops, evil: Path) -> None:
        with drops.paramiko("esa") as client:
            client.put(str(evil), "/mine.log")
            for forbidden in (
                lambda: client.open("/mine.log", "rb").read(),
                lambda: client.remove("/mine.log"),
                lambda: client.truncate("/mine.log", 0),
                lambda: client.open("/mine.log", "ab").write(b"x"),
                lambda: client.symlink("/etc/passwd", "/l.log"),
                lambda: client.readlink("/mine.log"),
            ):
                with pytest.raises(OSError):
                    forbidden()
        assert drops.ready("esa")["mine.log"] == evil.read_bytes()

    def test_what_is_no_sftp(self, drops: Drops) -> None:
        with Refused(drops, "protocol"):
            assert drops.raw("esa", b"\xff" * 4096, "/usr/lib/openssh/sftp-server").code == 1
            assert drops.raw("esa", b"\0\0\0\5\3\0\0\0\1", "internal-sftp -d /").code == 1

    def test_a_client_that_only_asks_for_what_is_refused_is_sent_away(self, drops: Drops) -> None:
        done = drops.sftp("esa", "-mkdir folder\n" * 150)  # «-»: go on after an error
        assert done.said.count("remote mkdir") == 100
        assert drops.refusals("esa").count("directory") >= 100


class TestSessions:
    def test_no_shell_and_no_command(self, drops: Drops) -> None:
        with Refused(drops) as refused:
            for words in ((), ("id",), ("bash", "-i"), ("scp; id",), ("sftp-serverx",), ("/bin/sh -c scp",)):
                done = drops.ssh("esa", *words)
                assert (done.code, done.out) == (1, b""), words
                refused.now("command" if words else "shell")

    def test_no_terminal(self, drops: Drops) -> None:
        done = drops.ssh("esa", "id", flags=("-tt",))
        assert "PTY allocation request failed" in done.said
        assert b"uid=" not in done.out

    def test_no_shell_for_root_of_the_host_either(self, drops: Drops) -> None:
        done = drops.host.run(f"su - {drops.user('esa')} -c id", check=False)
        assert (done.returncode, done.stdout) == (1, "")

    def test_no_forwarding_of_ports(self, drops: Drops) -> None:
        assert "administratively prohibited" in drops.ssh("esa", flags=("-W", "127.0.0.1:22")).said
        assert "refused local port forward" in drops.journal()
        strict = ("-N", "-o", "ExitOnForwardFailure=yes")
        assert "forwarding failed" in drops.ssh("esa", flags=(*strict, "-R", "9999:127.0.0.1:22")).said
        assert "forwarding failed" in drops.ssh("esa", flags=(*strict, "-R", "/run/x.sock:127.0.0.1:22")).said
        tunnel = drops.ssh("esa", flags=(*strict, "-o", "Tunnel=point-to-point", "-w", "0:0"))
        assert tunnel.code != 0

    def test_no_forwarding_of_the_agent(self, drops: Drops) -> None:
        agent = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
        values = dict(part.split("=", 1) for part in agent.replace("\n", "").split(";") if part.startswith("SSH_"))
        command = ["ssh", "-A", *drops.options_of("esa"), drops.login("esa"), "scp -t ."]
        with subprocess.Popen(command, env={**os.environ, **values}, stdin=-1, stdout=-1, stderr=-1) as client:
            try:
                assert client.stdout is not None
                assert client.stdout.read(1) == b"\0"
                find = "for p in $(pgrep -f mssp-scp-target); do tr '\\0' '\\n' < /proc/$p/environ; done"
                told = drops.host.run(find).stdout
                sockets = drops.host.run("ls -d /tmp/ssh-* 2>/dev/null | wc -l").stdout
            finally:
                client.terminate()
                os.kill(int(values["SSH_AGENT_PID"]), 15)
        assert "SSH_ORIGINAL_COMMAND=scp -t ." in told
        assert "SSH_AUTH_SOCK" not in told
        assert sockets == "0\n"

    def test_variables_of_the_client_change_nothing(self, drops: Drops) -> None:
        send = ["-o", "SetEnv=LC_ALL=../../x PYTHONPATH=/tmp PYTHONSTARTUP=/tmp/x BASH_ENV=/tmp/x"]
        with Refused(drops, "command"):
            assert drops.ssh("esa", "id", flags=tuple(send)).code == 1

    def test_variables_that_the_host_lets_anybody_set(self, drops: Drops, tmp_path: Path) -> None:
        """Where sshd has AcceptEnv LD_* a source would run the library that it has delivered."""
        rule = "/etc/ssh/sshd_config.d/10-host.conf"
        drops.host.run(f"echo 'AcceptEnv LD_* PYTHON*' > {rule}; {RELOAD}")
        try:
            send = ("-o", "SetEnv=LD_DEBUG=all LD_DEBUG_OUTPUT=/tmp/ld PYTHONPATH=/tmp")
            assert "Accepted env" not in drops.ssh("esa", "id", flags=("-v", *send)).said
            assert drops.host.run("ls /tmp/ld* 2>/dev/null | wc -l").stdout == "0\n"
            assert changed(drops.play()) == 0
            # A block of the host's own that names our account as well is told, and not taken.
            drops.host.run(f"printf 'Match User mssp-*\\n  AcceptEnv LD_*\\n' >> {rule}")
            assert "acceptenv" in " ".join(drops.play("verify", ok=False).lower().split())
        finally:
            drops.host.run(f"rm {rule}; {RELOAD}")

    def test_sessions_are_limited_and_the_share_holds_for_all_of_them(self, drops: Drops, tmp_path: Path) -> None:
        """M6 of the attacks: twelve SFTP sessions with one key held four times the share."""
        drops.play(scp_target_quota_mib=20, scp_target_max_sessions=8)
        paths = [tmp_path / f"many-{number}.log" for number in range(12)]
        for path in paths:
            path.write_bytes(os.urandom(7 * 1024 * 1024))
        with ThreadPoolExecutor(len(paths)) as pool:
            done = list(pool.map(lambda path: drops.sftp("firewall", f"put {path}\n"), paths))
        arrived = [path for path in paths if path.name in drops.ready("firewall")]
        assert len(arrived) <= 2
        assert [one.code == 0 for one in done] == [path in arrived for path in paths]
        assert "quota" in drops.refusals("firewall")
        drops.host.run(f"find {drops.base('firewall')}/ready -type f -delete")
        session = ["ssh", *drops.options_of("firewall"), "-s", drops.login("firewall"), "sftp"]
        held = [subprocess.Popen(session, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _number in range(8)]
        for one in held:
            one.stdin.write(FXP_INIT)
            one.stdin.flush()
            assert one.stdout.read(4), "the session answers"
        assert drops.sftp("firewall", f"put {paths[0]}\n").code != 0
        assert drops.refusals("firewall")[-1] == "busy"
        for one in held:
            one.communicate(timeout=10)
        drops.play()
        drops.host.run(f"find {drops.base('firewall')}/ready -type f -delete")


class TestPenalties:
    def test_what_ansible_comes_from_is_never_turned_away(self, drops: Drops, tmp_path: Path) -> None:
        """OpenSSH 9.8 and later turn an address away for a while after failures, as of an appliance with an old key."""
        if "persourcepenalties" not in drops.host.run("sshd -T").stdout:
            pytest.skip("this sshd knows no penalties")
        new_key(tmp_path / "wrong")
        wrong = [*drops.options_of("esa")[:-1], tmp_path / "wrong"]
        for _ in range(12):
            assert "Permission denied" in call("ssh", *wrong, drops.login("esa"), "id").said
        drops.still_takes_files("esa")
        alone = ("-o", "ControlMaster=no", "-o", "ControlPath=none")
        assert call(drops.host.ssh[0], *alone, *drops.host.ssh[1:], "true").code == 0


class TestOthers:
    def test_the_key_of_another_source(self, drops: Drops, evil: Path) -> None:
        own = drops.options_of("firewall")
        done = call("scp", "-O", *own, evil, f"{drops.login('esa')}:/")
        assert (done.code, "Permission denied" in done.said) == (1, True)
        assert f"Failed publickey for {drops.user('esa')}" in drops.journal()

    def test_the_right_key_from_a_wrong_address(self, drops: Drops, evil: Path) -> None:
        bind = ("-O", "-o", f"BindAddress={drops.host.senders[0]}")
        assert "Permission denied" in drops.scp("esa", evil, flags=bind).said
        assert "correct key but not from a permitted host" in drops.journal()

    def test_a_password(self, drops: Drops) -> None:
        flags = ("-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications=password,keyboard-interactive")
        assert "Permission denied" in drops.ssh("esa", "id", flags=flags).said

    def test_one_account_sees_nothing_of_another(self, drops: Drops) -> None:
        as_other = f"setpriv --reuid {drops.user('firewall')} --regid {drops.user('firewall')} --clear-groups"
        base = drops.base("esa")
        for command in (
            f"ls {SPOOL}",
            f"ls {SPOOL}/contoso",
            f"ls {SPOOL}/fabrikam",
            f"ls {SPOOL}/fabrikam/esa/ready",
            f"cat {SPOOL}/fabrikam/esa/state/ledger.jsonl",
            f"ls {base}",
            f"ls {base}/ready",
            f"cat {base}/state/ledger.jsonl",
            f"touch {base}/ready/x",
            f"touch {base}/x",
            f"cat /etc/mssp-onboarding/scp-target/{drops.user('esa')}.json",
            "ls /etc/mssp-onboarding/scp-target",
            f"touch {drops.base('firewall')}/.ssh",
            f"mv {drops.base('firewall')}/ready {drops.base('firewall')}/x",
            "sh -c 'echo x >> /etc/ssh/mssp-onboarding/mssp-contoso-firewall.keys'",
        ):
            done = drops.host.run(f"{as_other} {command}", check=False)
            assert (done.returncode != 0, done.stdout, "denied" in done.stderr) == (True, "", True), command
