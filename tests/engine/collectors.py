# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify stands on at a collector: programs of the host, and files. What is listed here gets every fault."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa import arrivals as esa
from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike import desired as falcon_desired
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike import info as falcon
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike import system as falcon_system
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike.catalog import MANAGERS
from ansible_collections.mssp.onboarding.plugins.module_utils._host import commands, sockets
from ansible_collections.mssp.onboarding.plugins.module_utils._host.commands import Said
from ansible_collections.mssp.onboarding.plugins.module_utils._scp import names, preflight, sshd
from ansible_collections.mssp.onboarding.plugins.module_utils._scp.sources import sources
from ansible_collections.mssp.onboarding.plugins.module_utils._sophos import arrivals as sophos
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog import info as syslog
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog import places
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog.layout import Layout

Run = Callable[[], dict[str, Any]]
LONG_AGO = 3600.0
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEYtdgJn7mkTYHrC9nVqTqkmbKxJzkmXcJHhVSeXd4Ue"


class Host:
    """A collector on which all is well. says: by the name of a program, what it answers; root: its files."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch) -> None:
        self.root, self.patch = root, patch
        self.says: dict[str, Said] = {}
        for module in (commands, falcon_system):
            patch.setattr(module, "run", self.program)

    def program(self, *command: str, **_more: Any) -> Said:
        return self.says.get(Path(command[0]).name, Said(127, "", f"no such program: {command[0]}"))

    def file(self, name: str, content: str = "") -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path


def _syslog(host: Host) -> Run:
    for name in ("work", "applied", "seen", "guard_state", "limits", "tls"):
        host.patch.setattr(Layout, name, property(lambda _self, name=name: str(host.root / name)))
    host.patch.setattr(Layout, "storage", property(lambda _self: str(host.root / "storage")))
    host.patch.setattr(sockets, "bound", lambda _pid: {("tcp", 10514)})
    host.patch.setattr(places, "strays", lambda _receiver: {})
    host.says |= {
        "systemctl": Said(0, "ActiveState=active\nMainPID=1\n", ""),
        "nft": Said(0, '{"nftables": [{"rule": {"expr": [{"counter": {"packets": 0}}]}}]}', ""),
    }
    now = time.time()
    made = host.file("applied", "x")
    for name in ("work", "tls"):
        (host.root / name).mkdir()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(now))
    host.file("limits", "table inet x {}")
    host.file("guard_state", json.dumps({"time": now, "level": 0}))
    host.file("seen", json.dumps({"time": now - LONG_AGO, "udp": {}, "limited": 0, "sources": {}}))
    host.file("storage/_collector/stats.log", f'{stamp} {{"name": "store-firewall", "processed": 5}}\n')
    host.file("storage/_collector/rsyslog.log")
    host.file("storage/firewall/today.log", "a record\n")
    _age(made, LONG_AGO)
    source = {"transport": "tcp", "port": 10514, "senders": ["192.0.2.0/24"]}
    params = {"tenant": "contoso", "stale_minutes": 60, "sources": {"firewall": source}}
    return lambda: execute(syslog.run, "syslog_target", params, check=False, diff=False)


def _scp(host: Host) -> Run:
    host.patch.setattr(names, "SPOOL", str(host.root / "spool"))
    host.patch.setattr(names, "CONFIGS", str(host.root / "configs"))
    given = {"esa": {"keys": [KEY], "from": ["192.0.2.1"]}}
    (source,) = sources(given, "contoso", 0)
    rules = [*sshd.RULES, ("AuthorizedKeysFile", names.keys(source.user))]
    host.says["sshd"] = Said(0, "".join(f"{keyword.lower()} {value}\n" for keyword, value in rules), "")
    host.file(f"configs/{source.user}.json", json.dumps({"tenant": "contoso", "source": "esa"}))
    host.file("spool/contoso/esa/state/ledger.jsonl", f'{{"time": {int(time.time())}, "event": "accepted"}}\n')
    (host.root / "spool/contoso/esa/ready").mkdir()
    _age(host.root / "spool/contoso/esa", 3 * 86400.0)
    params = {"tenant": "contoso", "what": "arrivals", "sources": given, "stale_hours": 24}
    return lambda: execute(preflight.run, "scp_target", params, check=False, diff=False)


def _falcon(host: Host) -> Run:
    host.patch.setattr(falcon_desired, "CONFIGS", str(host.root / "configs"))
    host.patch.setattr(falcon_desired, "LOGS", str(host.root / "logs"))
    host.patch.setattr(falcon.package, "installed", lambda: "2.29.0")
    host.patch.setattr(falcon_system, "manager", lambda: MANAGERS["systemd"])
    host.says["systemctl"] = Said(0, "active\n", "")
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    output = host.root / "logs/output.contoso-main"
    given = {"main": {"client_id": "0" * 32, "cloud": "us_1", "format": "json", "output_path": str(output)}}
    params = {"tenant": "contoso", "cids": given, "heartbeat_pattern": "", "failure_patterns": {}, "stale_minutes": 60}
    (cid,) = falcon_desired.cids(params, None)
    host.file("logs/output.contoso-main", "an event\n")
    host.file(f"configs/{Path(cid.path).name}", "[Settings]\n")
    host.file(f"logs/{Path(cid.log).name}", f"{stamp} INFO heartbeat\n")
    return lambda: execute(falcon.run, "falcon_siem_connector", params, check=False, diff=False)


def _sophos(host: Host) -> Run:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    host.file("storage/sophos/today.log", f'{stamp} 192.0.2.1 <134>device_serial_id="C1" a record\n')
    firewall = {"firewall": "hq", "serial_number": "C1", "configured": True, "probed": False}
    params = {
        "path": str(host.root / "storage/sophos"), "firewalls": [{"problem": "", "next_step": "", **firewall}],
        "since": 0.0, "wait_seconds": 0.0, "stale_minutes": 60,
    }  # fmt: skip
    return lambda: execute(sophos.run, sophos.CAPABILITY, params, check=False, diff=False)


def _cisco_esa(host: Host) -> Run:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    host.file("storage/esa/today.log", f"{stamp} 192.0.2.2 <22>Nov 30 10:00:00 esa1 mail_logs: Info: a record\n")
    one = {
        "subscription": "mail", "name": "mail_logs", "filename": "", "identified": False, "hostname": "esa1",
        "serial_number": "E1", "configured": True, "probed": False, "problem": "", "next_step": "",
    }  # fmt: skip
    params = {
        "path": str(host.root / "storage/esa"), "method": esa.SYSLOG, "subscriptions": [one], "since": 0.0,
        "wait_seconds": 0.0, "stale_minutes": 60,
    }  # fmt: skip
    return lambda: execute(esa.run, esa.CAPABILITY, params, check=False, diff=False)


def _age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


class Collector(NamedTuple):
    """programs: by name; files, folders: below the root. Without any of them nothing is known, or not all of it."""

    prepare: Callable[[Host], Run]
    programs: tuple[str, ...]
    files: tuple[str, ...]
    folders: tuple[str, ...] = ()


COLLECTORS: dict[str, Collector] = {
    "sophos, verify": Collector(_sophos, (), ("storage/sophos/today.log",), ("storage/sophos",)),
    "cisco esa, verify": Collector(_cisco_esa, (), ("storage/esa/today.log",), ("storage/esa",)),
    "syslog, verify": Collector(
        _syslog, ("systemctl", "nft"), ("seen", "guard_state", "storage/_collector/stats.log"), ("storage/firewall",)
    ),
    "scp, verify": Collector(_scp, ("sshd",), ("spool/contoso/esa/state/ledger.jsonl",), ("spool/contoso/esa/ready",)),
    "falcon connector, verify": Collector(
        _falcon, ("systemctl",), ("logs/cs.falconhoseclient.contoso-main.log",), ("logs",)
    ),
}
