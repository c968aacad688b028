# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The firewall that this host runs, asked and changed."""

from __future__ import annotations

from collections.abc import Iterable

from .._core.errors import RefusedError
from . import firewall
from .commands import must, run
from .firewall import Opening

OPEN = "open the firewall"
Rules = frozenset[str]


def backend() -> str:
    """Which tool runs this host's firewall, "" where none does."""
    for name, (command, text) in firewall.BACKENDS.items():
        said = run(*command)
        if said.code == 0 and said.out.strip().startswith(text):
            return name
    return ""


def _listed(name: str) -> str:
    """Raises RefusedError: rules that cannot be read are not rules that are not there."""
    return must("read the firewall's rules", *firewall.LISTS[name])


def wanted(name: str, label: str, openings: Iterable[Opening]) -> Rules:
    """The rules that the openings need with this backend. Raises RefusedError."""
    if not name or (name == "nftables" and "hook input" not in _listed(name)):
        return frozenset()  # nothing filters what comes in
    return frozenset(firewall.rules(name, label, openings))


def present(name: str, label: str) -> Rules:
    """Ours that are there now. Raises RefusedError."""
    return frozenset(firewall.present(name, label, _listed(name))) if name else frozenset()


def _by_nftables(label: str, wanted: Rules) -> None:
    """Judged by what is there then: a chain of IPv4 refuses rules for IPv6, and that is well if another takes them."""
    said = run("/bin/sh", "-c", firewall.nftables_script(label, sorted(wanted)))
    there = present("nftables", label)
    if there != wanted:
        text = said.err.strip()[-2000:] or "nft said nothing"
        raise RefusedError(OPEN, f"{text} (not as wanted: {'; '.join(sorted(there ^ wanted))})", code="not_taken")


def change(name: str, label: str, wanted: Rules, present: Rules) -> None:
    """From the present rules to the wanted ones. Raises RefusedError in the tool's words."""
    if wanted == present:
        return
    if name == "nftables":
        _by_nftables(label, wanted)
        return
    for rules, delete in ((wanted - present, False), (present - wanted, True)):
        for rule in sorted(rules):
            must(OPEN, *firewall.commands(name, rule, delete=delete))
    if name == "firewalld":
        must(OPEN, "firewall-cmd", "--reload")
