"""The booted hosts themselves: real systemd, two at once, and nothing left of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.hosts import conftest, nspawn
from tests.hosts.conftest import Boot
from tests.hosts.nspawn import SUITES, booted_host
from tests.unit.ansible_tools import run


@pytest.mark.parametrize("suite", SUITES)
def test_a_real_system_answers(boot: Boot, suite: str) -> None:
    host = boot(suite, f"{suite}1")
    assert host.run(". /etc/os-release; echo $VERSION_CODENAME").stdout == f"{suite}\n"
    assert host.run("systemctl is-system-running").stdout == "running\n"
    assert host.run("hostname; id -u").stdout == f"{suite}1\n0\n"
    host.run("systemctl restart rsyslog && systemctl is-active rsyslog ssh")


def test_two_hosts_do_not_share_anything(boot: Boot) -> None:
    first, second = boot("bookworm", "bookworm1"), boot("bookworm", "other")
    first.run("touch /only-here; systemctl stop rsyslog; ip link set lo down")
    assert second.run("ls /only-here", check=False).returncode != 0
    assert second.run("systemctl is-active rsyslog; ip -br link show lo").stdout.split()[0] == "active"
    assert first.address != second.address


def test_ansible_reaches_it_with_sudo(boot: Boot, tmp_path: Path) -> None:
    host = boot("trixie", "trixie1")
    inventory = tmp_path / "hosts"
    inventory.write_text(host.inventory_line + "\n", encoding="utf-8")
    said = run("ansible", "-i", inventory, "all", "-m", "ansible.builtin.command", "-a", "id -un", cwd=nspawn.ROOT)
    assert said.endswith("root\n")


def test_nothing_is_left() -> None:
    conftest.require_hosts()
    with booted_host("bookworm", "gone") as host:
        label, root, state = nspawn._label(host.slot), host.root, host.state
        assert len(nspawn._members(label)) > 5  # its init, journald, rsyslogd, sshd, ...
    assert not nspawn._members(label)
    assert not any(path.exists() for path in (root, state, Path("/run/netns") / label, Path("/sys/class/net") / label))


def test_what_a_killed_run_left_is_cleaned_up() -> None:
    conftest.require_hosts()
    script = "import os\nfrom tests.hosts.nspawn import booted_host\n"
    script += "with booted_host('bookworm', 'left') as h:\n print(h.slot, h.root, flush=True)\n os.kill(os.getpid(), 9)"
    python = [sys.executable, "-c", script]
    killed = subprocess.run(python, cwd=nspawn.ROOT, capture_output=True, text=True, check=False)
    slot, root = killed.stdout.split()
    assert Path(root).is_dir(), killed.stderr
    label = nspawn._label(int(slot))
    assert nspawn._members(label)
    nspawn._clean(int(slot))
    assert not Path(root).exists()
    assert not nspawn._members(label)
    assert not (Path("/run/netns") / nspawn._label(int(slot))).exists()


def test_a_skip_is_a_failure_where_ci_promised_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conftest, "why_not", lambda: "no root")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no root"):
        conftest.require_hosts()
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="no root"):
        conftest.require_hosts()
