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
    from .layout import Layout
    from .model import Receiver

UNITS = "/etc/systemd/system"
# What rsyslogd reads at start; a change of anything else needs no restart.
RESTARTS = ("rsyslog.conf", ".pem", ".service")


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
        f"{UNITS}/{layout.unit}": File(_service(receiver, layout)),
        f"{UNITS}/{layout.guard_unit}.service": File(_guard_service(layout, python)),
        f"{UNITS}/{layout.guard_unit}.timer": File(_guard_timer(layout)),
        f"/etc/logrotate.d/mssp-syslog-{receiver.tenant}": File(_logrotate(receiver, layout)),
    }
    if receiver.uses_tls and options["tls_certificate"]:
        for name, option in (("ca", "tls_ca"), ("cert", "tls_certificate"), ("key", "tls_key")):
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
ExecStart=/usr/sbin/rsyslogd -n -iNONE -f {layout.main_file}
{_stop(receiver)}Restart=always
RestartSec=1
TimeoutStopSec=60
LimitNOFILE=65536
MemoryMax={receiver.options["memory_max"]}
UMask=0027
RuntimeDirectory={layout.run[len("/run/") :]}
RuntimeDirectoryMode=0700
ProtectSystem=strict
ReadWritePaths={writable}
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
NoNewPrivileges=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_NET_ADMIN CAP_DAC_READ_SEARCH

[Install]
WantedBy=multi-user.target
"""


def _stop(receiver: Receiver) -> str:
    """Reset the TCP connections as soon as rsyslogd has stopped to read them, so that their senders notice.

    rsyslogd 8.2302 leaves them open until it has ended, and the kernel goes on taking records that nobody will read:
    1,000 of a sender with 5,000/s (measured), some dozens with this. Where the kernel cannot reset, nothing changes.
    """
    ends = [
        f"src {f'[{source.address}]' if ':' in source.address else source.address}:{source.port}"
        if source.address
        else f"sport = :{source.port}"
        for source in receiver.sources
        if source.protocol == "tcp"
    ]
    if not ends:
        return ""
    reset = f"ss -K -tnH state established '( {' or '.join(dict.fromkeys(ends))} )'"
    return f'ExecStop=-+/bin/sh -c "kill -TERM $MAINPID; exec {reset} >/dev/null"\n'


def _guard_service(layout: Layout, python: str) -> str:
    return f"""[Unit]
Description=Disk guard of {layout.unit}

[Service]
Type=oneshot
ExecStart={python} {layout.config}/guard.py {layout.config}/guard.json
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
