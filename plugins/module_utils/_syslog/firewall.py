# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Openings in the host's firewall, by the tool that runs it: command lines and rules. Pure.

Each opening carries the label mssp-syslog-<tenant>, by which it is found again.
Has run on booted hosts: nftables. firewalld and ufw are held to their documentation by unit tests only.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .layout import Layout
    from .model import Network, Receiver

BACKENDS = {
    # The first that answers with 0 and such a text runs the firewall: firewalld and ufw use nftables underneath.
    "firewalld": (("firewall-cmd", "--state"), "running"),
    "ufw": (("ufw", "status"), "Status: active"),
    "nftables": (("systemctl", "is-active", "nftables.service"), "active"),
}


def label(tenant: str) -> str:
    return f"mssp-syslog-{tenant}"


def openings(receiver: Receiver) -> list[tuple[str, int, Network | None]]:
    """(protocol, port, network of senders or None for all), each once."""
    found = {
        (source.protocol, source.port, network)
        for source in receiver.sources
        if source.protocol
        for network in source.senders or (None,)
    }
    return sorted(found, key=str)


def _text(network: Network) -> str:
    return str(network.network_address if network.num_addresses == 1 else network)


def ufw_rules(receiver: Receiver) -> list[str]:
    """As C(ufw show added) prints them, without the leading «ufw»."""
    comment = f"comment '{label(receiver.tenant)}'"
    return [
        f"allow from {_text(network)} to any port {port} proto {protocol} {comment}"
        if network is not None
        else f"allow {port}/{protocol} {comment}"
        for protocol, port, network in openings(receiver)
    ]


def ufw_present(tenant: str, added: str) -> list[str]:
    """Our rules in the output of C(ufw show added)."""
    mine = f"comment '{label(tenant)}'"
    return [line.strip()[len("ufw ") :] for line in added.splitlines() if line.strip().endswith(mine)]


def firewalld_rules(receiver: Receiver) -> list[str]:
    """Rich rules. firewalld has no comments: the prefix of a log line, at most one a day, carries the label."""
    return [
        f'rule priority="-100" family="{"ipv4" if network is None or network.version == 4 else "ipv6"}"'
        + (f' source address="{network}"' if network is not None else "")
        + f' port port="{port}" protocol="{protocol}" log prefix="{label(receiver.tenant)}" level="debug"'
        + ' limit value="1/d" accept'
        for protocol, port, network in openings(receiver)
    ]


def firewalld_present(tenant: str, listed: str) -> list[str]:
    """Our rules in the output of C(firewall-cmd --permanent --list-rich-rules)."""
    return [line.strip() for line in listed.splitlines() if f'prefix="{label(tenant)}"' in line]


def nftables_rules(receiver: Receiver) -> list[str]:
    """Rules without the chain they go into."""
    comment = f'comment "{label(receiver.tenant)}"'
    return [
        (f"{'ip' if network.version == 4 else 'ip6'} saddr {_text(network)} " if network is not None else "")
        + f"{protocol} dport {port} accept {comment}"
        for protocol, port, network in openings(receiver)
    ]


def nftables_present(tenant: str, ruleset: str) -> list[str]:
    """Our rules in the output of C(nft list ruleset)."""
    mine = f'comment "{label(tenant)}"'
    return [line.strip() for line in ruleset.splitlines() if line.strip().endswith(mine)]


def commands(backend: str, rule: str, action: str) -> list[list[str]]:
    """Command lines that add a rule of ufw or firewalld, or take it away."""
    delete = action == "delete"
    if backend == "ufw":
        return [["ufw", *(["delete"] if delete else []), *shlex.split(rule)]]
    return [["firewall-cmd", "--permanent", f"--{'remove' if delete else 'add'}-rich-rule={rule}"]]


def nftables_script(tenant: str, rules: list[str]) -> str:
    """Puts the openings first in every chain that filters input, since a later chain's drop would win; or removes them.

    It runs after nftables.service has loaded its rules, which it does by emptying everything.
    """
    inserts = "\n".join(f"    nft insert rule $chain '{rule}'" for rule in rules)
    return f"""#!/bin/sh
# Made by mssp.onboarding.syslog_target: openings of tenant {tenant}; «firewall.sh remove» takes them away.
set -u
nft list ruleset | awk '
    $1 == "table" {{ table = $2 " " $3 }}
    $1 == "chain" {{ chain = $2 }}
    /type filter hook input/ {{ print table, chain }}
' | while read -r chain; do
    nft --handle list chain $chain | sed -n 's/.*comment "{label(tenant)}" # handle \\([0-9]*\\)$/\\1/p' |
        while read -r handle; do nft delete rule $chain handle "$handle"; done
    [ "${{1:-}}" = remove ] && continue
{inserts}
done
"""


def nftables_drop_in(layout: Layout) -> str:
    script = f"{layout.config}/firewall.sh"
    return f"[Service]\nExecStartPost=-{script}\nExecReload=-{script}\n"
