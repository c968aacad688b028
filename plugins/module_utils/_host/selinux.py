# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports that SELinux lets rsyslogd listen on, where the policy alone does not. By C(semanage port), nothing else.

Held to the manual pages of semanage-port and rsyslog_selinux only: it has not run on a booted host.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .._syslog import system
from . import commands

if TYPE_CHECKING:
    from .._syslog.layout import Layout
    from .._syslog.model import Receiver

# rsyslogd may listen on ports of these types.
TYPES = ("syslogd_port_t", "syslog_tls_port_t")
LINE = re.compile(r"^(\w+_t)\s+(tcp|udp)\s+(.+)$", re.MULTILINE)
LABEL = "label a port for rsyslogd in SELinux"
NO_COMMAND = 127
Ports = frozenset[str]  # «tcp 5601»


def observe(receiver: Receiver, layout: Layout, present: bool) -> tuple[Ports, Ports]:
    """Ports that need a label of ours, and those that have one. Neither where SELinux does not run.

    Raises RefusedError where labels cannot be read. In check mode the package with semanage may not be there yet.
    """
    if commands.run("selinuxenabled").code:
        return frozenset(), frozenset()
    ours = recorded(layout)
    without = not ours and commands.run("semanage", "-h").code == NO_COMMAND
    text = "" if without else commands.must("read the ports' labels in SELinux", "semanage", "port", "-l")
    return wanted(receiver, text, ours) if present else frozenset(), ours & allowed(text)


def allowed(text: str) -> Ports:
    """Ports of rsyslogd's types in the output of C(semanage port -l)."""
    found = set()
    for kind, protocol, ports in LINE.findall(text):
        for part in ports.split(",") if kind in TYPES else ():
            first, _dash, last = part.strip().partition("-")
            found |= {f"{protocol} {port}" for port in range(int(first), int(last or first) + 1)}
    return frozenset(found)


def wanted(receiver: Receiver, text: str, ours: Ports) -> Ports:
    """Ports that need a label of ours: those that the policy does not allow by itself."""
    ports = {f"{source.protocol} {port}" for source in receiver.sources for port in source.ports}
    return frozenset(port for port in ports if port in ours or port not in allowed(text))


def recorded(layout: Layout) -> Ports:
    """Those that an earlier run has labelled: a list of semanage does not say who made an entry."""
    try:
        return frozenset(json.loads((system.read(layout.labels) or ("[]", 0))[0]))
    except ValueError:
        return frozenset()


def change(layout: Layout, wanted_ports: Ports, present: Ports) -> None:
    """From the present labels to the wanted ones. Raises RefusedError in semanage's words."""
    for port in sorted(present - wanted_ports):
        commands.must(LABEL, "semanage", "port", "-d", *_where(port))
    for port in sorted(wanted_ports - present):
        kind = ("-t", TYPES[0], *_where(port))
        # A port that the policy gives to another service is ours to take over on this host, and given back by -d.
        if commands.run("semanage", "port", "-a", *kind).code:
            commands.must(LABEL, "semanage", "port", "-m", *kind)
    if wanted_ports:
        system.write(layout.labels, json.dumps(sorted(wanted_ports)), 0o600)
    elif present:
        system.remove(layout.labels)


def _where(port: str) -> Iterable[str]:
    protocol, _space, number = port.partition(" ")
    return ("-p", protocol, number)
