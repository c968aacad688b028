"""Transfers that end in the middle, and disks that are full: nothing half arrives, and nobody else notices."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.hosts.conftest import Boot
from tests.hosts.nspawn import SUITES
from tests.hosts.scp_drops import SPOOL, Drops


@pytest.fixture(scope="module", params=SUITES)
def drops(request: pytest.FixtureRequest, boot: Boot, tmp_path_factory: pytest.TempPathFactory) -> Drops:
    drops = Drops(boot(request.param, f"scp-cut-{request.param}"), tmp_path_factory.mktemp("scp"))
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


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
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
        done = small.scp("esa", large)
        assert (done.code, "no space left" in done.said) == (1, True)
        assert small.refusals("esa")[-1] == "disk_full"
        assert (small.ready("esa"), small.incoming("esa")) == ({}, [])
        small.still_takes_files("esa")

    def test_full_to_the_last_byte(self, small: Drops, large: Path) -> None:
        """Without a reserve the file system itself says no, to SFTP in the middle of the file."""
        small.play("main", scp_target_min_free_mib=0)
        for flags in (("-O",), ("-s",)):
            before = len(small.refusals("esa"))
            assert small.scp("esa", large, flags=flags).code != 0, flags
            assert small.incoming("esa") == []
            assert "large.log" not in small.ready("esa")
            assert small.refusals("esa")[before:] == ["disk_full"]
            small.still_takes_files("esa")
        small.play("main")

    def test_a_file_above_the_limit_of_its_source(self, small: Drops, tmp_path: Path) -> None:
        path = tmp_path / "two.log"
        path.write_bytes(b"x" * 2_000_000)
        for flags in (("-O",), ("-s",)):
            assert small.scp("other", path, flags=flags).code != 0
        assert small.refusals("other") == ["size", "size"]
        assert (small.ready("other"), small.incoming("other")) == ({}, [])

    def test_a_share_that_is_used_up_is_nobody_elses_trouble(self, drops: Drops, tmp_path: Path) -> None:
        drops.play("main", scp_target_quota_mib=1)
        path = tmp_path / "much.log"
        path.write_bytes(os.urandom(900_000))
        assert drops.scp("firewall", path).code == 0
        path.write_bytes(os.urandom(900_000))
        assert "filled its share" in drops.scp("firewall", path).said
        assert drops.refusals("firewall")[-1] == "quota"
        drops.still_takes_files("esa")
        drops.play("main")
