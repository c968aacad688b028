# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists in the lab's Sophos Firewalls.

Names of fields and of log settings: docs.sophos.com, SFOS API, «SyslogServers», and sophosfirewall-python 0.1.68.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from lab.kernel.context import Lab, State
from lab.kernel.registration import Scenario

ON, OFF = "Enable", "Disable"
LOCAL = "Local"
# Assumed: which release has which. A firewall of the scenario says what it lacks, and has more.
LOG_SETTINGS = {
    "SecurityPolicy": (
        *("PolicyRules", "InvalidTraffic", "LocalACLs", "DoSAttack", "DroppedICMPRedirectedPacket"),
        *("DroppedSourceRoutedPacket", "DroppedFragmentedTraffic", "MACFiltering", "IP-MACPairFiltering"),
        *("IPSpoofPrevention", "SSLVPNTunnel", "ProtectedApplicationServer", "Heartbeat", "ICMPErrorMessage"),
        "BridgeACLs",
    ),
    "IPS": ("Anomaly", "Signatures"),
    "AntiVirus": ("HTTP", "FTP", "SMTP", "POP3", "IMAP", "HTTPS", "SMTPS", "POPS", "IMAPS"),
    "AntiSpam": ("SMTP", "POP3", "IMAP", "SMTPS", "POPS", "IMAPS"),
    "ContentFiltering": ("WebFilter", "ApplicationFilter", "WebContentPolicy", "SSLTLS"),
    "Events": ("AdminEvents", "AuthenticationEvents", "SystemEvents"),
    "WebServerProtection": ("WAFEvents",),
    "ATP": ("ATPEvents",),
    "Wireless": ("AccessPoints_SSID",),
    "Heartbeat": ("EndpointStatus",),
    "SystemHealth": ("Usage",),
    "ZeroDayProtection": ("ZeroDayProtectionEvents",),
    "SDWAN": ("Profile", "SLA", "Route"),
}
Tree = dict[str, Any]


@dataclass(slots=True)
class Firewall:
    """servers: as the API shows them, the entry of the local store first; failures: sign-ins refused in a row.

    sent: what became of each record that was to be sent; authorities: PEM texts by name.
    """

    host: str
    serial: str
    version: str
    username: str
    password: str
    tree: dict[str, tuple[str, ...]]
    servers: list[Tree] = field(default_factory=list)
    rules: dict[str, bool] = field(default_factory=dict)
    inspections: dict[str, bool] = field(default_factory=dict)
    authorities: dict[str, str] = field(default_factory=dict)
    api_enabled: bool = True
    address_allowed: bool = True
    failures: int = 0
    sent: list[dict[str, Any]] = field(default_factory=list)

    def settings(self, given: Tree, before: Tree | None = None) -> Tree:
        """A whole tree of this release, with what is given in it; what it does not have is passed over."""
        return {
            group: {
                leaf: given.get(group, {}).get(leaf) or (before or {}).get(group, {}).get(leaf, OFF) for leaf in leaves
            }
            for group, leaves in self.tree.items()
        }


class Sophos(State):
    """sophos_update_resets: log settings that an update leaves out are off afterwards, else as before.

    sophos_raw: what is answered instead of anything else, by kind of operation. Assumed, both.
    """

    configurable: ClassVar[tuple[str, ...]] = ("sophos_update_resets", "sophos_raw")

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.firewalls: dict[str, Firewall] = {}
        self.sophos_update_resets = True
        self.sophos_raw: dict[str, str] = {}


def tree(lacks: list[str], more: list[str]) -> dict[str, tuple[str, ...]]:
    paths = [f"{group}/{leaf}" for group, leaves in LOG_SETTINGS.items() for leaf in leaves]
    found: dict[str, tuple[str, ...]] = {}
    for path in (*paths, *more):
        if path not in lacks:
            group, _, leaf = path.partition("/")
            found[group] = (*found.get(group, ()), leaf)
    return found


def server(firewall: Firewall, name: str, address: str, port: str = "514", secure: bool = False) -> Tree:
    """One that somebody else has added, of everything."""
    everything = {group: dict.fromkeys(leaves, ON) for group, leaves in firewall.tree.items()}
    return {
        "Name": name,
        "ServerAddress": address,
        "Port": port,
        "EnableSecureConnection": ON if secure else OFF,
        "Facility": "LOCAL0",
        "SeverityLevel": "Debug",
        "Format": "3",
        "LogSettings": everything,
    }


def load(sophos: Sophos, scenario: Scenario) -> None:
    """The key C(sophos) of a scenario."""
    for item in scenario.get("sophos", []):
        password = sophos.lab.derive(f"sophos {item['host']}").hex()[:24]
        made = Firewall(
            item["host"],
            item["serial"],
            item["version"],
            item["username"],
            password,
            tree(item.get("lacks", []), item.get("more", [])),
            rules=dict(item.get("rules", {})),
            inspections=dict(item.get("inspections", {})),
        )
        everything = {group: dict.fromkeys(leaves, ON) for group, leaves in made.tree.items()}
        made.servers = [{"Name": LOCAL, "LogSettings": everything}]
        made.servers += [server(made, name, address) for name, address in item.get("servers", {}).items()]
        sophos.firewalls[made.host] = made
