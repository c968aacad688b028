# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels of ports in SELinux, for daemons that the policy alone does not let listen there. By C(semanage port).

Held to the manual pages of semanage-port and rsyslog_selinux only: it has not run on a booted host.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from . import commands, files

# rsyslogd may listen on ports of these types.
TYPES = ("syslogd_port_t", "syslog_tls_port_t")
LINE = re.compile(r"^(\w+_t)\s+(tcp|udp)\s+(.+)$", re.MULTILINE)
LABEL = "label a port in SELinux"
NO_COMMAND = 127
Ports = frozenset[str]  # «tcp 5601»


def runs() -> bool:
    """Whether it runs on this host."""
    return commands.run("selinuxenabled").code == 0


def listed() -> str:
    """The labels of ports, as semanage shows them. Raises RefusedError: what cannot be read is not nothing."""
    return commands.must("read the ports' labels in SELinux", "semanage", "port", "-l")


def has_tool() -> bool:
    """In check mode the package with semanage may not be there yet."""
    return commands.run("semanage", "-h").code != NO_COMMAND


def type_of(port: str, text: str) -> str:
    """The type that the list shows for this very port, "" for none; a range that holds it says nothing of it."""
    protocol, _space, number = port.partition(" ")
    for kind, found, ports in LINE.findall(text):
        if found == protocol and number in [part.strip() for part in ports.split(",")]:
            return str(kind)
    return ""


def label(port: str, kind: str) -> None:
    """One that the policy gives to another service is taken over, and given back by unlabel. Raises RefusedError."""
    wanted = ("-t", kind, *_where(port))
    if commands.run("semanage", "port", "-a", *wanted).code:
        commands.must(LABEL, "semanage", "port", "-m", *wanted)


def unlabel(port: str) -> None:
    commands.must(LABEL, "semanage", "port", "-d", *_where(port))


def observe(ports: Ports, record: str) -> tuple[Ports, Ports]:
    """Of the ports those that need a label of ours, and those that have one. Neither where SELinux does not run.

    Args:
        ports: that rsyslogd shall listen on.
        record: file with those that an earlier run has labelled: a list of semanage does not say who made an entry.

    Raises:
        RefusedError: labels cannot be read.
    """
    if not runs():
        return frozenset(), frozenset()
    ours = _recorded(record)
    free = allowed(listed() if ours or has_tool() else "")
    return frozenset(port for port in ports if port in ours or port not in free), ours & free


def allowed(text: str) -> Ports:
    """Ports of rsyslogd's types in semanage's list."""
    found = set()
    for kind, protocol, ports in LINE.findall(text):
        for part in ports.split(",") if kind in TYPES else ():
            first, _dash, last = part.strip().partition("-")
            found |= {f"{protocol} {port}" for port in range(int(first), int(last or first) + 1)}
    return frozenset(found)


def _recorded(record: str) -> Ports:
    found = files.read(record)
    try:
        return frozenset(json.loads(found.content) if found else ())
    except ValueError:
        return frozenset()


def change(record: str, wanted: Ports, present: Ports) -> None:
    """From the present labels to the wanted ones. Raises RefusedError in semanage's words."""
    for port in sorted(present - wanted):
        unlabel(port)
    for port in sorted(wanted - present):
        label(port, TYPES[0])
    if wanted:
        files.write(record, json.dumps(sorted(wanted)), 0o600)
    elif present:
        files.remove(record)


def _where(port: str) -> Iterable[str]:
    protocol, _space, number = port.partition(" ")
    return ("-p", protocol, number)
