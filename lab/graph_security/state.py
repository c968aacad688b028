# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists in the lab's Defender XDR: alerts, incidents, and when each table of hunting has had its newest row.

Properties: models of msgraph-sdk 1.65.0 (facts defender.md, itsm.md). Assumed: that a merged incident keeps its other
properties and takes no writes any more; that a licensed tenant without devices has the tables, and no rows in them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from lab.entra.state import Entra
from lab.kernel.clock import stamp
from lab.kernel.context import Lab, State

Item = dict[str, Any]
# Advanced hunting's tables, as the supported event types of the streaming API have them.
TABLES = (
    "AlertInfo", "AlertEvidence", "DeviceInfo", "DeviceNetworkInfo", "DeviceProcessEvents", "DeviceNetworkEvents",
    "DeviceFileEvents", "DeviceRegistryEvents", "DeviceLogonEvents", "DeviceImageLoadEvents", "DeviceEvents",
    "DeviceFileCertificateInfo", "EmailEvents", "EmailAttachmentInfo", "EmailUrlInfo", "EmailPostDeliveryEvents",
    "IdentityLogonEvents", "IdentityQueryEvents", "IdentityDirectoryEvents", "CloudAppEvents", "UrlClickEvents",
)  # fmt: skip
PULSE = "DeviceInfo"  # every device that is onboarded reports itself there again and again


@dataclass(slots=True)
class Defender:
    """One tenant's. Times are world seconds. devices: whether any is onboarded."""

    devices: bool = False
    alerts: dict[str, Item] = field(default_factory=dict)
    incidents: dict[str, Item] = field(default_factory=dict)
    rows: dict[str, float] = field(default_factory=dict)  # newest, by table


class GraphSecurity(State):
    """security_page_size: alerts or incidents in an answer; security_per_minute: requests of an app in a tenant."""

    configurable: ClassVar[tuple[str, ...]] = ("security_page_size", "security_per_minute")

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.entra = lab.of(Entra)
        self.defenders: dict[str, Defender] = {}
        self.unlicensed: set[str] = set()  # that had a licence
        self.security_page_size = 100
        self.security_per_minute = 50

    def of(self, tenant: str) -> Defender:
        return self.defenders.setdefault(tenant, Defender())

    def licensed(self, tenant: str) -> bool:
        return self.entra.tenants[tenant].defender and tenant not in self.unlicensed

    def newest(self, tenant: str, table: str) -> float | None:
        """World seconds of a table's newest row."""
        one = self.of(tenant)
        pulse = self.now() - 300.0 if table == PULSE and one.devices else 0.0
        return max(pulse, one.rows.get(table, 0.0)) or None

    def told(self, seconds: float) -> str:
        """World seconds as Graph prints them."""
        return stamp(self.shown(seconds))[:23] + "Z"
