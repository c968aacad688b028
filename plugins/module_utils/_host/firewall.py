# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Openings in the host's firewall, by the tool that runs it: command lines and rules. Pure.

Each opening carries the label of whose it is (C(mssp-syslog-<tenant>) and the like), by which it is found again.
nftables runs in the tests on booted hosts. ufw 0.36.2 and firewalld 1.3.3 have run by hand on a booted Debian 12.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import NamedTuple

BACKENDS = {
    # The first that answers with 0 and such a text runs the firewall: firewalld and ufw use nftables underneath.
    "firewalld": (("firewall-cmd", "--state"), "running"),
    "ufw": (("ufw", "status"), "Status: active"),
    "nftables": (("systemctl", "is-active", "nftables.service"), "active"),
}
# What tells which rules there are.
LISTS = {
    "firewalld": ("firewall-cmd", "--permanent", "--list-rich-rules"),
    "ufw": ("ufw", "show", "added"),
    "nftables": ("nft", "list", "ruleset"),
}
UNITS = "/etc/systemd/system"


class Opening(NamedTuple):
    """protocol: udp or tcp; network: of the senders, None for all."""

    protocol: str
    port: int
    network: IPv4Network | IPv6Network | None


def _address(opening: Opening) -> str:
    """The network as these tools print it: without the length of a single address."""
    network = opening.network
    return "" if network is None else str(network.network_address if network.num_addresses == 1 else network)


def _ufw_rule(label: str, opening: Opening) -> str:
    """As C(ufw show added) prints it, without the leading «ufw»."""
    protocol, port, network = opening
    if network is None:
        return f"allow {port}/{protocol} comment '{label}'"
    return f"allow from {_address(opening)} to any port {port} proto {protocol} comment '{label}'"


def _firewalld_rule(label: str, opening: Opening) -> str:
    """A rich rule. firewalld has no comments: the prefix of a log line, at most one an hour, carries the label."""
    protocol, port, network = opening
    source = "" if network is None else f' family="ipv{network.version}" source address="{network}"'
    return (
        f'rule priority="-100"{source} port port="{port}" protocol="{protocol}"'
        f' log prefix="{label}" level="debug" limit value="1/h" accept'
    )


def _nftables_rule(label: str, opening: Opening) -> str:
    """Without the chain that it goes into."""
    protocol, port, network = opening
    family = "ip" if network is None or network.version == 4 else "ip6"
    source = "" if network is None else f"{family} saddr {_address(opening)} "
    return f'{source}{protocol} dport {port} accept comment "{label}"'


RULES: Mapping[str, Callable[[str, Opening], str]] = {
    "ufw": _ufw_rule,
    "firewalld": _firewalld_rule,
    "nftables": _nftables_rule,
}
# How a line of LISTS shows whose rule it is.
MARKS = {"ufw": "comment '{}'", "firewalld": 'prefix="{}"', "nftables": 'comment "{}"'}


def rules(backend: str, label: str, openings: Iterable[Opening]) -> list[str]:
    """One rule per opening, each once."""
    return list(dict.fromkeys(RULES[backend](label, opening) for opening in sorted(openings, key=str)))


def present(backend: str, label: str, listed: str) -> list[str]:
    """Ours in the output of the backend's command in LISTS."""
    mark = MARKS[backend].format(label)
    lines = [line.strip() for line in listed.splitlines() if mark in line]
    return [line[len("ufw ") :] for line in lines] if backend == "ufw" else lines


def commands(backend: str, rule: str, *, delete: bool) -> list[str]:
    """The command line that adds a rule of ufw or firewalld, or takes it away."""
    if backend == "ufw":
        return ["ufw", *(["delete"] if delete else []), *shlex.split(rule)]
    return ["firewall-cmd", "--permanent", f"--{'remove' if delete else 'add'}-rich-rule={rule}"]


def nftables_script(label: str, openings: Iterable[str]) -> str:
    """Puts the rules first in every chain that filters input, since a later chain's drop would win.

    Ours that were there before go; without rules that is all. It runs after nftables.service has loaded its rules, too,
    which it does by emptying everything.
    """
    inserts = "".join(f"\n    nft insert rule $chain '{rule}'" for rule in openings)
    return f"""#!/bin/sh
# Made by mssp.onboarding: the openings in nftables that are labelled {label}.
set -u
nft list ruleset | awk '
    $1 == "table" {{ table = $2 " " $3 }}
    $1 == "chain" {{ chain = $2 }}
    /type filter hook input/ {{ print table, chain }}
' | while read -r chain; do
    nft --handle list chain $chain | sed -n 's/.*comment "{label}" # handle \\([0-9]*\\)$/\\1/p' |
        while read -r handle; do nft delete rule $chain handle "$handle"; done{inserts}
done
"""


def nftables_drop_in(label: str) -> str:
    """Path of the file by which nftables.service runs the script."""
    return f"{UNITS}/nftables.service.d/{label}.conf"


def nftables_drop_in_text(script: str) -> str:
    return f"[Service]\nExecStartPost=-{script}\nExecReload=-{script}\n"
