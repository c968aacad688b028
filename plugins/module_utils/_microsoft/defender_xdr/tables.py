# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Defender XDR has, by the names that options use: ways, tables of hunting, and the permissions they need. Pure.

Facts: learn.microsoft.com «Supported Microsoft Defender XDR streaming event types»: tables and their columns in general
availability only. assumed: which tables a tenant with devices always has rows in.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from ..graph.permissions import RETIRED

ALERTS, INCIDENTS, HUNTING, STREAMING, EXPORT = WAYS = (
    "alerts",
    "incidents",
    "hunting",
    "streaming",
    "continuous_export",
)


class Way(NamedTuple):
    """By Graph. permission: of the least rights; path: below /security."""

    permission: str
    path: str


GRAPH_WAYS: Mapping[str, Way] = {
    ALERTS: Way("SecurityAlert.Read.All", "alerts_v2"),
    INCIDENTS: Way("SecurityIncident.Read.All", "incidents"),
    HUNTING: Way("ThreatHunting.Read.All", "runHuntingQuery"),
}
# Every device that is onboarded reports itself there again and again: no row is no device.
PULSE = "DeviceInfo"
STEADY = (
    PULSE, "DeviceNetworkInfo", "DeviceProcessEvents", "DeviceNetworkEvents", "DeviceFileEvents",
    "DeviceRegistryEvents", "DeviceLogonEvents", "DeviceImageLoadEvents", "DeviceEvents",
)  # fmt: skip
TABLES = (
    "AlertInfo", "AlertEvidence", *STEADY, "DeviceFileCertificateInfo", "EmailEvents", "EmailAttachmentInfo",
    "EmailUrlInfo", "EmailPostDeliveryEvents", "IdentityLogonEvents", "IdentityQueryEvents", "IdentityDirectoryEvents",
    "CloudAppEvents", "UrlClickEvents",
)  # fmt: skip
CATEGORY = "AdvancedHunting-"
# Not retired, and read by nothing that is offered here: what took their place is the same for every cloud.
_REPLACED = {
    ("windows_defender_atp", "Alert.Read.All"): "SecurityAlert.Read.All",
    ("microsoft_threat_protection", "Incident.Read.All"): "SecurityIncident.Read.All",
    ("microsoft_threat_protection", "AdvancedHunting.Read.All"): "ThreatHunting.Read.All",
}
LEGACY: Mapping[tuple[str, str], str] = {
    **{held: " and ".join(one.successors) for held, one in RETIRED.items()},
    **_REPLACED,
}


def holds(roles: Collection[str], permission: str) -> bool:
    """Whether the roles of a token have a permission to read, or the one to write, which includes it."""
    return permission in roles or permission.replace(".Read.", ".ReadWrite.") in roles
