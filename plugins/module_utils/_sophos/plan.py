# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done with the syslog server of a firewall: pure, and all that knows what is equal.

Facts: five servers at most, beside an entry of the local store, which has a name and log settings only. A server that
is added without log settings sends nothing, so the whole tree goes along with every write, unknown leaves as read.
Releases have other leaves, so what a firewall offers is seen in the entries that it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from .._core.names import nearest
from .._core.status import BLOCKED, DRIFTED, IN_SYNC
from .._core.verdict import Verdict
from .wire import Fields

MOST_SERVERS = 5
ON, OFF = "Enable", "Disable"
ALL = "all"
SETTINGS = "LogSettings/"
# Field on the wire -> class of drift.
CLASSES = {
    "ServerAddress": "address",
    "Port": "port",
    "EnableSecureConnection": "secure_connection",
    "Facility": "facility",
    "SeverityLevel": "severity",
    "Format": "format",
}
CATEGORIES, NOT_OFFERED, MORE = "categories", "not_offered", "more_categories"
PLACE = "System services > Log settings"
NOT_OFFERED_STEP = "take them out of categories, or have the firewall's release raised to one that has them"
MORE_STEP = f"take them away at {PLACE} where nobody needs them: they cost room and money at the collector"
# What a firewall offers that shows no entry at all: assumed, of SFOS 20.
CATALOGUE = tuple(
    f"{group}/{leaf}"
    for group, leaves in {
        "SecurityPolicy": "PolicyRules InvalidTraffic LocalACLs DoSAttack DroppedICMPRedirectedPacket "
        "DroppedSourceRoutedPacket DroppedFragmentedTraffic MACFiltering IP-MACPairFiltering IPSpoofPrevention "
        "SSLVPNTunnel ProtectedApplicationServer Heartbeat ICMPErrorMessage BridgeACLs",
        "IPS": "Anomaly Signatures",
        "AntiVirus": "HTTP FTP SMTP POP3 IMAP HTTPS SMTPS POPS IMAPS",
        "AntiSpam": "SMTP POP3 IMAP SMTPS POPS IMAPS",
        "ContentFiltering": "WebFilter ApplicationFilter WebContentPolicy SSLTLS",
        "Events": "AdminEvents AuthenticationEvents SystemEvents",
        "WebServerProtection": "WAFEvents",
        "ATP": "ATPEvents",
        "Wireless": "AccessPoints_SSID",
        "Heartbeat": "EndpointStatus",
        "SystemHealth": "Usage",
        "ZeroDayProtection": "ZeroDayProtectionEvents",
        "SDWAN": "Profile SLA Route",
    }.items()
    for leaf in leaves.split()
)
ADMIN_EVENTS = "Events/AdminEvents"


class Wanted(NamedTuple):
    """The server as the tenant file wants it. settings: fields on the wire; categories: groups, leaves, or all."""

    name: str
    settings: Fields
    categories: tuple[str, ...] = (ALL,)


class Server(NamedTuple):
    """An entry as a firewall has it: every field by its path, in its order, those of other releases too."""

    fields: Fields

    def field(self, path: str) -> str | None:
        return dict(self.fields).get(path)

    @property
    def name(self) -> str:
        return self.field("Name") or ""

    @property
    def local(self) -> bool:
        """Whether it is the entry of the firewall's own store, which is none of the five, and not ours to write."""
        return self.field("ServerAddress") is None

    @property
    def leaves(self) -> dict[str, str]:
        return {path[len(SETTINGS) :]: value for path, value in self.fields if path.startswith(SETTINGS)}

    @property
    def on(self) -> list[str]:
        return [leaf for leaf, value in self.leaves.items() if value == ON]

    def view(self) -> dict[str, Any]:
        told = {word: self.field(path) for path, word in CLASSES.items()}
        return {"name": self.name, **told, CATEGORIES: sorted(self.on)}


def plan(target: str, wanted: Wanted, found: Sequence[Server], *, leaving: bool) -> Verdict:
    """The verdict on the server of one firewall, of a list that was read without doubt."""
    ours = [one for one in found if one.name == wanted.name]
    if len(ours) > 1:
        where = ", ".join(str(one.field("ServerAddress")) for one in ours)
        text = f"{len(ours)} servers have the name {wanted.name!r}, at {where}"
        return _blocked(target, "duplicate", text, f"have those removed at {PLACE} that nobody uses", found)
    one = ours[0] if ours else None
    if one is not None and one.local:
        text = f"{wanted.name!r} is the entry of the firewall's own store, which is not touched"
        return _blocked(target, "local_entry", text, "give server.name another name", found)
    if leaving:
        gone = Verdict(target, DRIFTED, ("unexpected",), "it is to be removed", "delete", before=one)
        return _told(gone if one else Verdict(target, IN_SYNC), found)
    return _told(_missing(target, wanted, found) if one is None else _compared(target, wanted, one), found)


def _missing(target: str, wanted: Wanted, found: Sequence[Server]) -> Verdict:
    others = [one.name for one in found if not one.local]
    if len(others) >= MOST_SERVERS:
        text = f"all {MOST_SERVERS} servers are taken: {', '.join(others)}"
        step = f"have one of them removed at {PLACE}, if nobody uses it; nothing was written"
        return _blocked(target, "limit", text, step, found)
    offered = dict.fromkeys(leaf for one in found for leaf in one.leaves) or dict.fromkeys(CATALOGUE)
    blank = Server((("Name", wanted.name), *wanted.settings, *((SETTINGS + leaf, OFF) for leaf in offered)))
    _on, lacking = chosen(wanted.categories, blank.leaves)
    drift, reason = ("missing", *([NOT_OFFERED] if lacking else [])), _lacking_text(lacking)
    step = NOT_OFFERED_STEP if lacking else ""
    return Verdict(target, DRIFTED, drift, reason, "create", after=merged(wanted, blank), next_step=step)


def _compared(target: str, wanted: Wanted, one: Server) -> Verdict:
    drift, reason, step = differing(wanted, one)
    if drift == (NOT_OFFERED,):
        return Verdict(target, BLOCKED, drift, reason, before=one, next_step=step)
    if not drift:
        return Verdict(target, IN_SYNC, (MORE,) if reason else (), reason, before=one, next_step=step)
    return Verdict(target, DRIFTED, drift, reason, "update", before=one, after=merged(wanted, one), next_step=step)


def differing(wanted: Wanted, one: Server) -> tuple[tuple[str, ...], str, str]:
    """(classes of drift, the reason, what a person has to do). What is on beyond the wish is told, and stays."""
    found = {
        CLASSES[path]: f"{CLASSES[path]} is {one.field(path)!r} and not {value!r}"
        for path, value in wanted.settings
        if one.field(path) != value
    }
    wish, lacking = chosen(wanted.categories, one.leaves)
    if off := sorted(leaf for leaf in wish if one.leaves[leaf] != ON):
        found[CATEGORIES] = f"not sent: {', '.join(off)}"
    if lacking:
        found[NOT_OFFERED] = _lacking_text(lacking)
    more = sorted(set(one.on) - wish)
    texts = [*found.values(), *([f"sent beyond the wish: {', '.join(more)}"] if more else [])]
    return tuple(found), "; ".join(texts), NOT_OFFERED_STEP if lacking else MORE_STEP if more else ""


def chosen(categories: Sequence[str], offered: Iterable[str]) -> tuple[set[str], list[str]]:
    """(leaves that are wanted, what this firewall does not offer, with the nearest that it does)."""
    leaves = list(offered)
    if ALL in categories:
        return set(leaves), []
    found: set[str] = set()
    lacking = []
    for name in categories:
        held = [leaf for leaf in leaves if leaf == name or leaf.startswith(f"{name}/")]
        found.update(held)
        if not held:
            near = nearest(name, [*leaves, *(leaf.partition("/")[0] for leaf in leaves)])
            lacking.append(name + (f" (the nearest is {near})" if near else ""))
    return found, lacking


def merged(wanted: Wanted, one: Server) -> Server:
    """The whole entry as it is to be: what is wanted in the place of what was read, and all else as it was."""
    wish, _lacking = chosen(wanted.categories, one.leaves)
    change = {**dict(wanted.settings), **{SETTINGS + leaf: ON for leaf in wish}}
    held = tuple((path, change.pop(path, value)) for path, value in one.fields)
    return Server((*change.items(), *held))


def _lacking_text(lacking: Sequence[str]) -> str:
    return f"this release does not offer {', '.join(lacking)}" if lacking else ""


def _told(verdict: Verdict, found: Sequence[Server]) -> Verdict:
    """With what evidence tells of the firewall."""
    return verdict._replace(facts={"servers": f"{sum(not one.local for one in found)} of {MOST_SERVERS}"})


def _blocked(target: str, drift: str, reason: str, step: str, found: Sequence[Server]) -> Verdict:
    return _told(Verdict(target, BLOCKED, (drift,), reason, next_step=step), found)
