# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sample events of the stream, by type.

The envelope is as public clients read it (metadata: customerIDString, offset, eventType, eventCreationTime in ms,
version). The fields of the bodies are those that the connector's published mapping sections name; which of them come
together, and all values, are assumed. The values hold what breaks naive writers: | = \\ quotes, newlines, Unicode.
"""

from __future__ import annotations

from typing import Any

from lab.crowdstrike.state import Event

TYPES = (
    "DetectionSummaryEvent",
    "EppDetectionSummaryEvent",
    "FcsIoaDetectionSummaryEvent",
    "AuthActivityAuditEvent",
    "UserActivityAuditEvent",
    "APIActivityAuditEvent",
    "HashSpreadingEvent",
    "RemoteResponseSessionStartEvent",
    "RemoteResponseSessionEndEvent",
    "FirewallMatchEvent",
    "CSPMSearchStreamingEvent",
    "CSPMIOAStreamingEvent",
    "IncidentSummaryEvent",
    "CustomerIOCEvent",
    "IdentityProtectionEvent",
    "ReconNotificationSummaryEvent",
    "ScheduledReportNotificationEvent",
    "MobileDetectionSummaryEvent",
    "XdrDetectionSummaryEvent",
    "IdpDetectionSummaryEvent",
    "DataProtectionDetectionSummaryEvent",
    "AutomatedLeadSummaryEvent",
)
_LINK = "https://falcon.lab.example/activity-v2/detections/lab:ind:{number}?pid=a|b&x=1"


def _detection(number: int, at: int) -> dict[str, Any]:
    return {
        "AgentId": f"{number:032x}",
        "CommandLine": 'powershell.exe -c "echo a=b|c" \\\\srv\\share\nsecond line',
        "FalconHostLink": _LINK.format(number=number),
        "FileName": "powershell.exe",
        "FilePath": "\\Device\\HarddiskVolume3\\Windows\\System32",
        "Hostname": f"ws-{number:05d}",
        "MD5String": f"{number:032x}",
        "Name": "Suspicious script",
        "Description": "A script did what scripts of this user never did — größer, 漢字",
        "ParentProcessId": 4_000_000 + number,
        "ProcessId": 5_000_000 + number,
        "ProcessStartTime": at // 1000 - 5,
        "Severity": 10 * (number % 10) + 1,
        "SeverityName": "Low",
        "Tactic": "Execution",
        "Technique": "PowerShell",
        "Objective": "Follow Through",
        "UserName": f"user{number % 7}@lab.example",
        "PatternDispositionDescription": "Detection, standard detection.",
        "PatternDispositionValue": 0,
        "SourceProducts": "Falcon Insight",
        "NetworkAccesses": [
            {
                "AccessTimestamp": at // 1000,
                "LocalAddress": "192.0.2.10",
                "LocalPort": 50000,
                "RemoteAddress": "198.51.100.7",
                "RemotePort": 443,
                "Protocol": "TCP",
            }
        ],
    }


def _old_detection(number: int, at: int) -> dict[str, Any]:
    new = _detection(number, at)
    return new | {"ComputerName": new.pop("Hostname"), "DetectDescription": new.pop("Description")}


def _audit(number: int, at: int) -> dict[str, Any]:
    return {
        "UserId": f"admin{number % 3}@lab.example",
        "UserIp": "203.0.113.5",
        "OperationName": "twoFactorAuthenticate",
        "ServiceName": "CrowdStrike Authentication",
        "Success": True,
        "UTCTimestamp": at // 1000,
        "AuditKeyValues": [{"Key": "target_name", "ValueString": "lab=1|2"}],
    }


def _firewall(number: int, at: int) -> dict[str, Any]:
    return {
        "HostName": f"ws-{number:05d}",
        "LocalAddress": "192.0.2.10",
        "LocalPort": 50000 + number % 1000,
        "RemoteAddress": "198.51.100.7",
        "RemotePort": 22,
        "RuleName": "deny ssh",
        "PolicyName": "workstations",
        "MatchCount": 1 + number % 4,
        "MatchCountSinceLastReport": 1,
        "Timestamp": at // 1000,
    }


def _plain(number: int, at: int) -> dict[str, Any]:
    return {
        "Name": f"lab sample {number}",
        "Hostname": f"ws-{number:05d}",
        "UserName": f"user{number % 7}@lab.example",
        "Severity": 1 + number % 90,
        "FalconHostLink": _LINK.format(number=number),
        "UTCTimestamp": at // 1000,
    }


_BODIES = {
    "DetectionSummaryEvent": _old_detection,
    "EppDetectionSummaryEvent": _detection,
    "AuthActivityAuditEvent": _audit,
    "UserActivityAuditEvent": _audit,
    "APIActivityAuditEvent": _audit,
    "FirewallMatchEvent": _firewall,
}


def render(event: Event, cid: str, at: float) -> dict[str, Any]:
    """The event as it leaves the lab; `at` in seconds on the client's clock."""
    created = int(at * 1000)
    return {
        "metadata": {
            "customerIDString": cid,
            "offset": event.offset,
            "eventType": event.type,
            "eventCreationTime": created,
            "version": "1.0",
        },
        "event": _BODIES.get(event.type, _plain)(event.number, created) | event.fields,
    }


def flatten(value: Any, prefix: str = "") -> dict[str, Any]:
    """One level of dotted keys: `event.NetworkAccesses.0.LocalPort`. That flatjson looks like this is assumed."""
    if isinstance(value, dict):
        items = [(str(key), inner) for key, inner in value.items()]
    elif isinstance(value, list):
        items = [(str(index), inner) for index, inner in enumerate(value)]
    else:
        return {prefix: value}
    found: dict[str, Any] = {}
    for key, inner in items:
        found |= flatten(inner, f"{prefix}.{key}" if prefix else key)
    return found
