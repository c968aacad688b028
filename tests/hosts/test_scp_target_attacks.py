"""What a sender with a stolen key, and a sender of another tenant, can do to a host with file drops: send files."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.conftest import Boot
from tests.hosts.nspawn import SUITES
from tests.hosts.scp_drops import SPOOL, Drops, call

ESCAPE = "\x1b]0;owned\x07\x1b[31mred.log"


@pytest.fixture(scope="module", params=SUITES)
def drops(request: pytest.FixtureRequest, boot: Boot, tmp_path_factory: pytest.TempPathFactory) -> Drops:
    drops = Drops(boot(request.param, f"scp-attack-{request.param}"), tmp_path_factory.mktemp("scp"))
    drops.add("esa")
    drops.add("firewall")
    drops.play()
    return drops


@pytest.fixture(scope="module")
def small(drops: Drops) -> Drops:
    """Another tenant of the same host, whose directory is a file system of 8 MiB."""
    small = Drops(drops.host, drops.folder, tenant="small")
    small.add("esa", max_file_mib=100)
    small.add("other", max_file_mib=1)
    folder = f"{SPOOL}/small"
    drops.host.run(f"mkdir -p {folder} && mount -t tmpfs -o size=8m,mode=0711 tmpfs {folder}")
    small.play("main")
    return small


@pytest.fixture(autouse=True)
def _service_is_still_up(drops: Drops) -> Iterator[None]:
    yield
    drops.still_takes_files("esa")
    assert drops.incoming("esa") == []


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    path = tmp_path / "evil.log"
    path.write_bytes(os.urandom(32))
    return path


def refusals(drops: Drops, source: str = "esa") -> list[str]:
    return [event["code"] for event in drops.events(source) if event["event"] == "refused"]


class Refused:
    """with Refused(drops, "path"): nothing of the host changes, and ledger and journal say why."""

    def __init__(self, drops: Drops, code: str) -> None:
        self._drops, self._code = drops, code

    def __enter__(self) -> None:
        self._before = len(refusals(self._drops))
        self._journal = self._drops.journal().count(f'event=refused code="{self._code}"')
        self._quiet = self._drops.nothing_new()
        self._quiet.__enter__()

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            self._quiet.__exit__(None, None, None)
            assert self._code in refusals(self._drops)[self._before :]
            assert self._drops.journal().count(f'event=refused code="{self._code}"') > self._journal


class TestPaths:
    @pytest.mark.parametrize(
        "to",
        [
            "../",
            "../../../../etc/cron.d/",
            "/upload/../../x",
            "/etc/cron.d/evil",
            "/opt/evil.log",
            "~root/x/",
            "$(touch /x)/a",
            "/var/spool/collected/contoso/firewall/incoming/",
            "/var/spool/collected/contoso/esa/ready/",
        ],
    )
    @pytest.mark.parametrize("flags", [("-O",), ("-s",)], ids=["scp", "sftp"])
    def test_out_of_the_directory(self, drops: Drops, evil: Path, to: str, flags: tuple[str, ...]) -> None:
        before = drops.ready("esa"), drops.ready("firewall")
        with drops.nothing_new():
            assert drops.scp("esa", evil, to=to, flags=flags).code != 0
        assert (drops.ready("esa"), drops.ready("firewall")) == before

    @pytest.mark.parametrize(
        ("record", "code"),
        [
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
        ],
    )
    def test_records_that_no_client_would_send(self, drops: Drops, record: bytes, code: str) -> None:
        with Refused(drops, code):
            assert drops.raw("esa", record + b"evil\n\0").code == 1

    @pytest.mark.parametrize("command", ["scp -f /etc/passwd", "scp -t a b", "scp -S /bin/sh -t .", "scp -t '"])
    def test_other_uses_of_scp(self, drops: Drops, command: str) -> None:
        with drops.nothing_new():
            done = drops.raw("esa", b"\0" * 10, command)
        assert done.code == 1
        assert b"root" not in done.out

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

    @pytest.mark.parametrize("folder", ["ready", "incoming"])
    @pytest.mark.parametrize("flags", [("-O",), ("-s",)], ids=["scp", "sftp"])
    def test_a_symlink_is_not_followed(self, drops: Drops, tmp_path: Path, folder: str, flags: tuple[str, ...]) -> None:
        path = tmp_path / "link.log"
        path.write_bytes(os.urandom(16))
        drops.host.run("echo precious > /precious")
        link = f"{drops.base('esa')}/{folder}/link.log"
        drops.host.run(f"ln -sf /precious {link}; chown -h {drops.user('esa')} {link}")
        assert drops.scp("esa", path, flags=flags).code == 0
        assert drops.host.run("cat /precious").stdout == "precious\n"
        drops.host.run(f"rm -f {link}")


class TestSftp:
    @pytest.mark.parametrize(
        "batch",
        [
            "get /etc/passwd {local}",
            "get still.log {local}",
            "put {evil} /../../etc/cron.d/evil",
            "put {evil} /etc/cron.d/evil",
            "put {evil} .ssh/authorized_keys",
            "cd ..",
            "ls /etc",
            "ls /var/spool/collected/contoso/firewall",
            "mkdir folder",
            "rmdir incoming",
            "rm *",
            "rm x.log",
            "symlink /etc/passwd link.log",
            "ln /etc/passwd link.log",
            "rename a.log b.log",
            "chmod 777 /etc/passwd",
            "chown 0 /etc/passwd",
            "reput {evil} x.log",
        ],
    )
    def test_nothing_but_writing_here(self, drops: Drops, evil: Path, tmp_path: Path, batch: str) -> None:
        before = drops.ready("esa")
        with drops.nothing_new():
            done = drops.sftp("esa", batch.format(evil=evil, local=tmp_path / "stolen") + "\n")
        assert done.code != 0, done
        assert drops.ready("esa") == before
        assert not (tmp_path / "stolen").exists()

    def test_a_delivered_file_cannot_be_read_or_taken_back(self, drops: Drops, evil: Path) -> None:
        with drops.paramiko("esa") as client:
            client.put(str(evil), "/mine.log")
            for forbidden in (
                lambda: client.open("/mine.log", "rb").read(),
                lambda: client.remove("/mine.log"),
                lambda: client.rename("/mine.log", "/other.log"),
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
        assert refusals(drops).count("directory") >= 100


class TestSessions:
    @pytest.mark.parametrize(
        "words", [(), ("id",), ("bash", "-i"), ("scp; id",), ("sftp-serverx",), ("/bin/sh -c scp",)]
    )
    def test_no_shell_and_no_command(self, drops: Drops, words: tuple[str, ...]) -> None:
        with Refused(drops, "shell" if not words else "command"):
            done = drops.ssh("esa", *words)
        assert (done.code, done.out) == (1, b"")

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


def begin(drops: Drops, source: str, record: bytes) -> subprocess.Popen[bytes]:
    """A legacy transfer whose first bytes have been taken."""
    command = ["ssh", *drops.options_of(source), drops.login(source), "scp -t ."]
    client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert client.stdin is not None
    assert client.stdout is not None
    assert client.stdout.read(1) == b"\0"
    client.stdin.write(record)
    client.stdin.flush()
    assert client.stdout.read(1) == b"\0"
    client.stdin.write(b"x" * 300_000)
    client.stdin.flush()
    return client


def until(condition: object, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while callable(condition) and not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


class TestCutTransfers:
    def test_the_client_is_killed(self, drops: Drops) -> None:
        with begin(drops, "esa", b"C0644 1000000 cut.log\n") as client:
            assert len(drops.incoming("esa")) == 1
            assert "cut.log" not in drops.ready("esa")
            client.kill()
        until(lambda: drops.incoming("esa") == [])
        assert "cut.log" not in drops.ready("esa")
        assert ("cut", "cut.log") in [(event["event"], event.get("name")) for event in drops.events("esa")]

    def test_the_sender_says_that_it_could_not_read_on(self, drops: Drops) -> None:
        with begin(drops, "esa", b"C0644 300000 unread.log\n") as client:
            client.communicate(b"\1unread.log: Input/output error\n", timeout=20)
        assert "unread.log" not in drops.ready("esa")

    def test_the_receiving_end_is_killed(self, drops: Drops) -> None:
        with begin(drops, "esa", b"C0644 1000000 killed.log\n"):
            drops.host.run("pkill -KILL -f mssp-scp-target")
        drops.still_takes_files("esa")  # the next session cleans up
        assert drops.incoming("esa") == []
        assert "killed.log" not in drops.ready("esa")

    def test_a_session_does_not_touch_what_another_is_receiving(self, drops: Drops) -> None:
        with begin(drops, "esa", b"C0644 300001 slow.log\n") as client:
            drops.still_takes_files("esa")
            client.communicate(b"!\0", timeout=20)
            assert client.returncode == 0
        assert drops.ready("esa")["slow.log"] == b"x" * 300_000 + b"!"

    def test_an_sftp_client_that_never_closes(self, drops: Drops) -> None:
        with drops.paramiko("esa") as client:
            stream = client.open("/open.log", "wb")
            stream.write(b"x" * 100_000)
            stream.flush()
            assert len(drops.incoming("esa")) == 1
        until(lambda: drops.incoming("esa") == [])
        assert "open.log" not in drops.ready("esa")


class TestDiskFull:
    @pytest.fixture
    def large(self, tmp_path: Path) -> Path:
        path = tmp_path / "large.log"
        path.write_bytes(os.urandom(10_000_000))
        return path

    def test_refused_before_a_byte_is_taken(self, drops: Drops, small: Drops, large: Path) -> None:
        started = time.monotonic()
        done = small.scp("esa", large)
        assert (done.code, "no space left" in done.said) == (1, True)
        assert time.monotonic() - started < 20
        assert refusals(small)[-1] == "disk_full"
        assert (small.ready("esa"), small.incoming("esa")) == ({}, [])
        small.still_takes_files("esa")

    @pytest.mark.parametrize("flags", [("-O",), ("-s",)], ids=["scp", "sftp"])
    def test_full_to_the_last_byte(self, small: Drops, large: Path, flags: tuple[str, ...]) -> None:
        """Without a reserve the file system itself says no, to SFTP in the middle of the file."""
        small.play("main", scp_target_min_free_mib=0)
        assert small.scp("esa", large, flags=flags).code != 0
        assert small.incoming("esa") == []
        assert "large.log" not in small.ready("esa")
        assert refusals(small)[-1] == "disk_full"
        small.still_takes_files("esa")
        small.play("main")

    def test_a_file_above_the_limit_of_its_source(self, small: Drops, tmp_path: Path) -> None:
        path = tmp_path / "two.log"
        path.write_bytes(b"x" * 2_000_000)
        for flags in (("-O",), ("-s",)):
            assert small.scp("other", path, flags=flags).code != 0
        assert refusals(small, "other") == ["size", "size"]
        assert (small.ready("other"), small.incoming("other")) == ({}, [])

    def test_a_share_that_is_used_up_is_nobody_elses_trouble(self, drops: Drops, evil: Path, tmp_path: Path) -> None:
        drops.play("main", scp_target_quota_mib=1)
        path = tmp_path / "much.log"
        path.write_bytes(os.urandom(900_000))
        assert drops.scp("firewall", path).code == 0
        path.write_bytes(os.urandom(900_000))
        assert "filled its share" in drops.scp("firewall", path).said
        assert drops.scp("esa", evil).code == 0
        drops.play("main")
