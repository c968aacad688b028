# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration files of the stand-in package: the vendor's sections, keys and traps in our own words.

Sections and keys are those of public copies of the 2.26 and 2.29 files. The traps: ten keys given twice in six
sections, comments of two kinds, values with | " \\ and ;, keys whose case matters. Which mappings there are in the
LEEF file and the main one, and the delimiters of those, is assumed. The real file is about three times as long.
"""

from __future__ import annotations

STYLES = {"": "", "cef": "CEF:0|CrowdStrike|FalconHost|1.0|", "leef": "LEEF:1.0|CrowdStrike|FalconHost|1.0|"}
TYPES = (
    *("DetectionSummaryEvent", "EppDetectionSummaryEvent", "FcsIoaDetectionSummaryEvent", "AuthActivityAuditEvent"),
    *("UserActivityAuditEvent", "APIActivityAuditEvent", "HashSpreadingEvent", "RemoteResponseSessionStartEvent"),
    *("RemoteResponseSessionEndEvent", "FirewallMatchEvent", "CSPMSearchStreamingEvent", "CSPMIOAStreamingEvent"),
    *("IncidentSummaryEvent", "CustomerIOCEvent", "IdentityProtectionEvent", "ReconNotificationSummaryEvent"),
    *("ScheduledReportNotificationEvent", "MobileDetectionSummaryEvent", "XdrDetectionSummaryEvent"),
    *("IdpDetectionSummaryEvent", "DataProtectionDetectionSummaryEvent", "AutomatedLeadSummaryEvent"),
)
SINCE = {"AutomatedLeadSummaryEvent": (2, 29)}  # first release of a type
TWICE = {  # section -> how many of its last keys stand there again
    "FcsIoaDetectionSummaryEvent": 3,
    "FirewallMatchEvent": 2,
    "IncidentSummaryEvent": 1,
    "IdpDetectionSummaryEvent": 2,
    "DataProtectionDetectionSummaryEvent": 1,
    "AutomatedLeadSummaryEvent": 1,
}
_COMMON = (
    ("cat", "event.Tactic"),
    ("externalId", "event.AgentId"),
    ("dhost", "event.Hostname"),
    ("duser", "event.UserName"),
    ("msg", "event.Description"),
    ("reason", "event.Name"),
    ("cs6Label", "'FalconHostLink'"),
    ("cs6", "event.FalconHostLink"),
)
_PROCESS = (
    ("fname", "event.FileName"),
    ("filePath", "event.FilePath"),
    ("cn2Label", "'ProcessId'"),
    ("cn2", "event.ProcessId"),
    ("cs5Label", "'CommandLine'"),
    ("cs5", "event.CommandLine"),
    ("fileHash", "event.MD5String"),
    ("deviceCustomDate1Label", "'ProcessStartTime'"),
    ("deviceCustomDate1", "event.ProcessStartTime"),
)
_AUDIT = (
    ("suser", "event.UserId"),
    ("src", "event.UserIp"),
    ("act", "event.OperationName"),
    ("dproc", "event.ServiceName"),
    ("outcome", "event.Success"),
    ("deviceCustomDate1", "event.UTCTimestamp"),
)
_FIREWALL = (
    ("dhost", "event.HostName"),
    ("src", "event.LocalAddress"),
    ("spt", "event.LocalPort"),
    ("dst", "event.RemoteAddress"),
    ("dpt", "event.RemotePort"),
    ("ruleName", "event.RuleName"),
    ("networkProfile", "event.PolicyName"),
    ("matchCount", "event.MatchCountSinceLastReport"),
)
_NETWORK = (
    ("src", "event.NetworkAccesses.LocalAddress"),
    ("spt", "event.NetworkAccesses.LocalPort"),
    ("dst", "event.NetworkAccesses.RemoteAddress"),
    ("dpt", "event.NetworkAccesses.RemotePort"),
    ("deviceCustomDate1", "event.NetworkAccesses.AccessTimestamp"),
)
_MAPPED = {
    "DetectionSummaryEvent": (*_COMMON, ("shost", "event.ComputerName"), *_PROCESS),
    "EppDetectionSummaryEvent": (*_COMMON, *_PROCESS),
    "AuthActivityAuditEvent": _AUDIT,
    "UserActivityAuditEvent": _AUDIT,
    "APIActivityAuditEvent": _AUDIT,
    "FirewallMatchEvent": _FIREWALL,
}
_PARTS = {f"{name}_NetworkAccesses": _NETWORK for name in ("DetectionSummaryEvent", "EppDetectionSummaryEvent")}
_END = (("cn3Label", "'Offset'"), ("cn3", "metadata.offset"), ("rt", "metadata.eventCreationTime"))
_LEEF = {
    "rt": "devTime",
    "duser": "usrName",
    "suser": "usrName",
    "dhost": "identHostName",
    "spt": "srcPort",
    "dpt": "dstPort",
    "fname": "fileName",
}
_HEAD = """\
# A stand-in's configuration for tests. CrowdStrike's own has the same sections and keys, and other comments.
[Settings]
version = 3
api_url = https://api.crowdstrike.com/sensors/entities/datafeed/v2
request_token_url = https://api.crowdstrike.com/oauth2/token
app_id = SIEM-Connector-v2.0.0

enable_correlation_id = false
format_floats_as_scientific = true

# The API client's id ...
client_id =
# ... and its secret
client_secret =

# Seconds to wait for a connection
connection_timeout = 10
# Seconds to wait for an answer
read_timeout = 30

# A number, or all
partition = all

http_proxy =

# What is written:
#   syslog: flat pairs by the mappings below
;           (CEF and LEEF need this one; client_id = in a comment is no setting)
#   json: what the cloud sent
output_format = {format}

output_to_file = true
output_path = /var/log/crowdstrike/falconhoseclient/output

# How far the stream was read
offset_path = /var/log/crowdstrike/falconhoseclient/stream_offsets

[Output_File_Rotation]
rotate_file = true
# MB
max_size = 500
max_backups = 10
# days
max_age = 30

[Logging]
verbose_log = true
max_size = 500
max_backups = 10
max_age = 30

[Syslog]
send_to_syslog_server = false
host = localhost
port = 514
protocol = udp

# What stands before the pairs; headers of a mapping are __header.0, __header.1, ...
header_delim = {header_delim}
header_prefix = {header_prefix}

# "from":"to", several with commas between
escape_header = "|":"\\|","\\\\":"\\\\\\\\"
escape_ext = {escape_ext}

key_val_delim = =
# nothing means a space
field_delim = {field_delim}
val_enclosure =

time_fields = deviceCustomDate1
time_format = MMM dd yyyy HH:mm:ss

event_type_field = metadata.eventType
event_subtype_field = event.subType

# bytes
max_length = 2048

# seconds; by tcp only
retry_interval_secs = 10

keys_ordered = true
"""


def sample(style: str, version: str) -> str:
    """The text of one file: style "" (main), "cef" or "leef"; of a release such as 2.29.0."""
    release = tuple(int(part) for part in version.split(".")[:2])
    types = [name for name in TYPES if SINCE.get(name, (0, 0)) <= release]
    parts = [name for name in _PARTS if name.partition("_")[0] in types]
    head = _HEAD.format(
        format="syslog" if style else "json",
        header_prefix=STYLES[style],
        header_delim="|" if style else "",
        field_delim="\\t" if style == "leef" else "",
        escape_ext='"\\\\":"\\\\\\\\","=":"\\=","\\n":"\\\\n","\\r":"\\\\r","\\t":" "',
    )
    lines = [head, "[EventTypeCollection]", *(f"{name} = true" for name in types), ""]
    lines += ["# Below: for syslog only", "[EventSubTypeCollection]", *(f"{name} = true" for name in parts), ""]
    for name in (*types, *parts):
        lines += _section(name, style)
    return "\n".join(lines)


def _section(name: str, style: str) -> list[str]:
    pairs = [*(_PARTS.get(name) or _MAPPED.get(name) or _COMMON), *_END]
    if style == "leef":
        pairs = [(_LEEF.get(key, key), path) for key, path in pairs]
    headers = {
        "": [],
        "cef": [("__header.0", "metadata.eventType"), ("__header.1", f"'{name}'"), ("__header.2", "event.Severity")],
        "leef": [("__header.0", "metadata.eventType")],
    }[style]
    again = pairs[-TWICE[name] :] if name in TWICE else []
    return [f"[{name}]", *(f"{key} = {path}" for key, path in [*headers, *pairs, *again]), ""]
