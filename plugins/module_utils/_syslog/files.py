# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a tenant's receiver on a host, all but made certificates. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._host import firewall
from . import render

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .layout import Layout
    from .model import Receiver

UNITS = "/etc/systemd/system"
# What rsyslogd reads at start; a change of anything else needs no restart.
RESTARTS = ("rsyslog.conf", "limits.nft", ".pem", ".service")
# What neither rsyslogd nor the guard does; systemd-analyze security rates both units below 3.
SANDBOX = """ProtectSystem=strict
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
NoNewPrivileges=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM"""


READS_OTHERS = "CAP_DAC_READ_SEARCH"
SENDERS = {"ipv4": "ip saddr", "ipv6": "ip6 saddr"}  # type of an address to where a packet has it


@dataclass(frozen=True)
class File:
    """content and mode of a file."""

    content: str
    mode: int = 0o644


def wanted(receiver: Receiver, layout: Layout, python: str, guard: str, backend: str) -> dict[str, File]:
    """Path to file. python: the host's interpreter; guard: the guard's text; backend: of the host's firewall."""
    options = receiver.options
    found = {
        layout.main_file: File(render.configuration(receiver, layout), 0o640),
        f"{layout.config}/guard.py": File(guard),
        f"{layout.config}/guard.json": File(_guard_config(receiver, layout)),
        layout.limits: File(limits(receiver, layout)),
        f"{UNITS}/{layout.unit}": File(_service(receiver, layout)),
        f"{UNITS}/{layout.guard_unit}.service": File(_guard_service(receiver, layout, python)),
        f"{UNITS}/{layout.guard_unit}.timer": File(_guard_timer(layout)),
        f"/etc/logrotate.d/mssp-syslog-{receiver.tenant}": File(_logrotate(receiver, layout)),
    }
    for name, option in (("ca", "tls_ca"), ("cert", "tls_certificate"), ("key", "tls_key")):
        if receiver.uses_tls and options[option]:
            found[f"{layout.tls}/{name}.pem"] = File(options[option].strip() + "\n", 0o600 if name == "key" else 0o644)
    if options["firewall"] and backend == "nftables":
        script = f"{layout.config}/firewall.sh"
        rules = firewall.rules(backend, layout.label, receiver.openings)
        found[script] = File(firewall.nftables_script(layout.label, rules), 0o755)
        found[firewall.nftables_drop_in(layout.label)] = File(firewall.nftables_drop_in_text(script))
    return found


def restarts(path: str, layout: Layout) -> bool:
    """Whether the receiver has to start again when this file changes."""
    return path.endswith(RESTARTS) and not path.startswith((f"{UNITS}/{layout.guard_unit}", f"{layout.tls}/clients/"))


def limits(receiver: Receiver, layout: Layout) -> str:
    """Connections of the tenant in all, of one source and of one sender, for nftables, whichever firewall there is.

    rsyslogd's own limit does nothing, and a flood of half-open sessions would take the memory of all. The kernel counts
    connections that are open; one too many is reset. A family's address stands in a set of its own.
    """
    tcp = [source for source in receiver.sources if source.protocol == "tcp"]
    table = f"table inet {layout.limits_table}"
    if not tcp:
        return f"{table}\ndelete {table}\n"

    def rule(ports: Iterable[int], what: str, most: int) -> str:
        head = f"tcp dport {{ {', '.join(map(str, sorted(set(ports))))} }} ct state new"
        return f"    {head} {what.format(most)} counter reject with tcp reset"

    every = [port for source in tcp for port in source.ports]
    most, each = receiver.options["max_connections"], receiver.options["max_connections_per_sender"]
    rules = [
        *(
            rule(every, f"add @{name} {{{{ {address} ct count over {{}} }}}}", each)
            for name, address in SENDERS.items()
        ),
        *(rule(source.ports, "ct count over {}", source.max_connections) for source in tcp if source.max_connections),
        rule(every, "ct count over {}", most),
    ]
    sets = [f"  set {name} {{ type {name}_addr; flags dynamic; }}" for name in SENDERS]
    chain = ["  chain intake {", "    type filter hook input priority -5; policy accept;", *rules, "  }"]
    return "\n".join([table, f"delete {table}", f"{table} {{", *sets, *chain, "}"]) + "\n"


def _guard_config(receiver: Receiver, layout: Layout) -> str:
    options = receiver.options
    values = {
        "storage": layout.storage,
        "low_percent": options["disk_low_percent"],
        "stop_percent": options["disk_stop_percent"],
        "quota_bytes": options["quota_bytes"],
        "table": layout.table,
        "state": layout.guard_state,
        "unit": layout.unit,
        "alarm": layout.alarm_socket,
        "files": {layout.last_lines(source.name): list(source.paths) for source in receiver.sources if source.paths},
    }
    return json.dumps(values, indent=1) + "\n"


def _service(receiver: Receiver, layout: Layout) -> str:
    files = [output.path.rpartition("/")[0] for output in receiver.outputs if output.type == "file"]
    writable = " ".join([layout.storage, layout.work, *(f"-{folder}" for folder in files)])
    return f"""[Unit]
Description=Log receiver of tenant {receiver.tenant}
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=all
ExecStartPre=-+nft -f {layout.limits}
ExecStart=/usr/sbin/rsyslogd -n -iNONE -f {layout.main_file}
{_stop(receiver)}ExecStopPost=-+nft delete table inet {layout.limits_table}
Restart=always
RestartSec=1
TimeoutStopSec=60
LimitNOFILE=65536
MemoryMax={receiver.options["memory_max"]}
UMask=0027
RuntimeDirectory={layout.run[len("/run/") :]}
RuntimeDirectoryMode=0700
{SANDBOX}
ReadWritePaths={writable}
ProtectHome=read-only
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
CapabilityBoundingSet={_capabilities(receiver)}

[Install]
WantedBy=multi-user.target
"""


def _reads_others(receiver: Receiver) -> bool:
    """Whether the tenant has files of other services read, which are not root's."""
    return any(source.paths for source in receiver.sources)


def _capabilities(receiver: Receiver) -> str:
    """What of root's power the sources need, and no more: with none of these rsyslogd is root by its files' owner only.

    Ports below 1024; a socket's buffer beyond the host's own limit, for bursts of datagrams; files of other services.
    """
    needs = {
        "CAP_NET_BIND_SERVICE": any(port < 1024 for source in receiver.sources for port in source.ports),
        "CAP_NET_ADMIN": any(source.transport == "udp" for source in receiver.sources),
        READS_OTHERS: _reads_others(receiver),
    }
    return " ".join(name for name, needed in needs.items() if needed)


def _stop(receiver: Receiver) -> str:
    """Reset the TCP connections as soon as rsyslogd has stopped to read them, so that their senders notice.

    rsyslogd 8.2302 leaves them open until it has ended, and the kernel goes on taking records that nobody will read:
    1,000 of a sender with 5,000/s (measured), some dozens with this. Where the kernel cannot reset, nothing changes.
    """
    ends = [
        f"src {f'[{source.address}]' if ':' in source.address else source.address}:{port}"
        if source.address
        else f"sport = :{port}"
        for source in receiver.sources
        if source.protocol == "tcp"
        for port in source.ports
    ]
    if not ends:
        return ""
    reset = f"ss -K -tnH state established '( {' or '.join(dict.fromkeys(ends))} )'"
    return f'ExecStop=-+/bin/sh -c "kill -TERM $MAINPID; exec {reset} >/dev/null"\n'


def _guard_service(receiver: Receiver, layout: Layout, python: str) -> str:
    return f"""[Unit]
Description=Disk guard of {layout.unit}

[Service]
Type=oneshot
ExecStart={python} {layout.config}/guard.py {layout.config}/guard.json
{SANDBOX}
ReadWritePaths={layout.work}
ProtectHome=read-only
PrivateNetwork=yes
RestrictAddressFamilies=AF_UNIX
CapabilityBoundingSet={READS_OTHERS if _reads_others(receiver) else ""}
"""


def _guard_timer(layout: Layout) -> str:
    return f"""[Unit]
Description=Disk guard of {layout.unit}

[Timer]
OnActiveSec=1
OnUnitActiveSec=10
AccuracySec=1

[Install]
WantedBy=timers.target
"""


def _logrotate(receiver: Receiver, layout: Layout) -> str:
    days = receiver.options["retention_days"]
    return f"""{layout.storage}/*/*.log {{
    daily
    rotate {days}
    maxage {days}
    missingok
    notifempty
    compress
    delaycompress
    dateext
    dateformat -%Y%m%d-%s
    nocreate
    su root root
    sharedscripts
    postrotate
        systemctl kill --signal=HUP {layout.unit} || true
    endscript
}}
"""
