# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The firewall that this host runs, asked and changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import firewall, system

if TYPE_CHECKING:
    from .layout import Layout
    from .model import Receiver
    from .plan import Change

NONE: frozenset[str] = frozenset()


def backend() -> str:
    """Which tool runs this host's firewall, "" where none does."""
    for name, (command, text) in firewall.BACKENDS.items():
        said = system.run(*command)
        if said.code == 0 and said.out.strip().startswith(text):
            return name
    return ""


def wanted(receiver: Receiver, name: str) -> frozenset[str]:
    rules = {
        "ufw": firewall.ufw_rules,
        "firewalld": firewall.firewalld_rules,
        "nftables": firewall.nftables_rules,
    }
    if not receiver.options["firewall"] or name not in rules:
        return NONE
    if name == "nftables" and "hook input" not in system.run("nft", "list", "ruleset").out:
        return NONE  # nothing filters what comes in
    return frozenset(rules[name](receiver))


def present(tenant: str, name: str) -> frozenset[str]:
    """Ours that are there now."""
    if name == "ufw":
        return frozenset(firewall.ufw_present(tenant, system.run("ufw", "show", "added").out))
    if name == "firewalld":
        listed = system.run("firewall-cmd", "--permanent", "--list-rich-rules").out
        return frozenset(firewall.firewalld_present(tenant, listed))
    if name == "nftables":
        return frozenset(firewall.nftables_present(tenant, system.run("nft", "list", "ruleset").out))
    return NONE


def change(layout: Layout, name: str, changes: list[Change]) -> None:
    """Make the changes of kind opening."""
    mine = [change for change in changes if change.kind == "opening"]
    if not mine:
        return
    if name == "nftables":
        removes = all(change.action == "delete" for change in mine)
        system.must("open the firewall", f"{layout.config}/firewall.sh", *(["remove"] if removes else []))
        return
    for one in mine:
        for command in firewall.commands(name, one.target, one.action):
            system.must("open the firewall", *command)
    if name == "firewalld":
        system.must("open the firewall", "firewall-cmd", "--reload")
