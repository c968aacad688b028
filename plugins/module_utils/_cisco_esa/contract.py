# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AsyncOS says and means, as data: questions by release, labels of choices, the export, and safe releases.

Topics, their order and the numbered lists: Cisco's CLI reference and user guides, «Logging», and a transcript of
AsyncOS 12. Assumed: the words of most questions, the elements of the export, and every word about others' changes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

TEXT, CHOICE, YES_NO, LINES = "text", "choice", "yes_no", "lines"
OPERATION = "operation"
Version = tuple[int, int, int, int]


class Topic(NamedTuple):
    """A question: how it is answered, and a pattern of its words."""

    kind: str
    pattern: re.Pattern[str]


def _topics(**given: tuple[str, str]) -> dict[str, Topic]:
    return {name: Topic(kind, re.compile(words, re.IGNORECASE)) for name, (kind, words) in given.items()}


BASE = _topics(
    operation=(TEXT, r"choose the operation you want to perform:?$"),
    mask=(YES_NO, r"^do you want to mask the pass(?:word|phrase)s?\?"),
    include=(YES_NO, r"^do you want to include pass(?:word|phrase)s\?"),
    log=(TEXT, r"^enter the number of the log you wish to (?:edit|delete|roll ?over)\.?:?$"),
    type=(CHOICE, r"^choose the log file type for this subscription:?$"),
    name=(TEXT, r"^please enter the name for the log:?$"),
    log_level=(CHOICE, r"^log level:?$"),
    method=(CHOICE, r"^choose the method to retrieve the logs\.?:?$"),
    host=(TEXT, r"^hostname to deliver the logs:?$"),
    port=(TEXT, r"^port to connect to on the remote host:?$"),
    user=(TEXT, r"^username on the remote host:?$"),
    directory=(TEXT, r"^directory on remote host to place logs:?$"),
    filename=(TEXT, r"^filename to use for log files:?$"),
    max_size=(TEXT, r"^maximum file size before transferring"),
    rollover=(YES_NO, r"^do you want to configure time-based log files rollover\?"),
    rollover_kind=(CHOICE, r"^configure log rollover settings:?$"),
    rollover_interval=(TEXT, r"^enter the custom time interval for log rollover"),
    protocol=(CHOICE, r"^protocol:?$"),
    host_key_check=(YES_NO, r"^do you want to enable host key checking\?"),
    host_key_by=(CHOICE, r"^do you want to automatically scan the host for its ssh key, or enter it manually\?$"),
    host_key=(LINES, r"press enter on a blank line to finish\.?$"),
    transport=(CHOICE, r"^which protocol do you want to use to transfer the log data\?$"),
    message_size=(TEXT, r"^maximum message size"),
    facility=(CHOICE, r"^facility for the log data to be sent as:?$"),
    confirm=(YES_NO, r"^are you sure you want to delete"),
    mode=(CHOICE, r"^what would you like to do\?$"),
    comment=(TEXT, r"^please enter some comments describing your changes:?$"),
)
# What later releases ask besides, or in other words.
LATER = _topics(
    host=(TEXT, r"^enter the hostname or ip address of the remote host:?$"),
    port=(TEXT, r"^enter the port of the remote host:?$"),
    identifiers=(YES_NO, r"^do you want to append system based unique identifiers"),
    identifier_format=(TEXT, r"^enter the identifiers"),
    disk_buffer=(YES_NO, r"^do you want to use a disk buffer\?"),
    rollback=(YES_NO, r"^do you want to save the current configuration for rollback\?"),
)


class Release(NamedTuple):
    """since: the first version that asks so."""

    since: Version
    topics: Mapping[str, Topic]


RELEASES = (Release((0, 0, 0, 0), BASE), Release((15, 0, 0, 0), {**BASE, **LATER}))


def release_of(version: Version) -> Release:
    return max((one for one in RELEASES if one.since <= version), key=lambda one: one.since)


# Choice -> our word -> labels. Never a number: lists differ by product and release.
LABELS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "type": {
        "mail": ("IronPort Text Mail Logs", "Cisco Text Mail Logs", "Text Mail Logs"),
        "consolidated_event": ("Consolidated Event Logs",),
        "amp": ("AMP Engine Logs", "AMP Logs"),
        "antispam": ("Anti-Spam Logs",),
        "antivirus": ("Anti-Virus Logs",),
        "authentication": ("Authentication Logs",),
        "bounces": ("Bounce Logs",),
        "cli_audit": ("CLI Audit Logs",),
        "content_scanner": ("Content Scanner Logs",),
        "gui": ("HTTP Logs",),
        "status": ("Status Logs",),
        "system": ("System Logs",),
    },
    "log_level": {word: (word.title(),) for word in ("critical", "warning", "information", "debug", "trace")},
    "method": {
        "scp_push": ("SCP Push", "SCP on Remote Server"),
        "syslog_push": ("Syslog Push",),
        "ftp_push": ("FTP Push", "FTP on Remote Server"),
        "manual": ("Download Manually", "FTP Poll", "Manually Download Logs"),
    },
    "rollover_kind": {"interval": ("Custom time interval.", "Custom time interval")},
    "protocol": {"2": ("SSH2",)},
    "host_key_by": {"manual": ("Enter manually.", "Enter manually")},
    "transport": {"udp": ("UDP",), "tcp": ("TCP",), "tls": ("TLS",)},
    "facility": {
        word: (word,)
        for word in (
            *("auth", "authpriv", "console", "daemon", "ftp"),
            *(f"local{number}" for number in range(8)),
            *("mail", "ntp", "security", "user"),
        )
    },
    "mode": {"switch": ("Switch modes to edit at mode",)},
}
# Of these only the beginning of the label is the same everywhere.
BEGINS = frozenset({"mode"})
# Types that no syslog takes, and those that are not asked for a level (Cisco's guide, Elastic's integration).
NO_SYSLOG = frozenset({"bounces", "authentication"})
NO_LEVEL = frozenset({"consolidated_event", "status", "bounces"})

# Whoever else has changed something: never to be committed along.
PENDING = re.compile(r"(?:uncommitted|pending) (?:configuration )?changes\b(?P<who>[^\n]*)", re.IGNORECASE)
COMMITTED = re.compile(r"^changes committed: \S", re.IGNORECASE | re.MULTILINE)
NOTHING = re.compile(r"no changes (?:have been made|to commit)", re.IGNORECASE)
ROLLED = re.compile(r"log files? (?:successfully )?rolled over", re.IGNORECASE)

# `version`.
VERSION = re.compile(r"^Version: *(\d+)\.(\d+)\.(\d+)-(\d+) *$", re.MULTILINE)
SERIAL = re.compile(r"^Serial #: *([A-Za-z0-9-]{6,60}) *$", re.MULTILINE)
# CVE-2026-76461: root execution, exploited. The first releases that have the cure.
CVE = "CVE-2026-76461"
CURED: tuple[Version, ...] = ((15, 5, 5, 14), (16, 0, 4, 302), (16, 5, 0, 780))

# The export of `showconfig`: where the subscriptions and the pinned host keys are in it, element -> our field.
SECTIONS = ("log_subscriptions", "log_host_keys")
ELEMENTS: Mapping[str, str] = {
    "name": "name",
    "type": "type",
    "level": "log_level",
    "retrieval_method": "method",
    "hostname": "host",
    "port": "port",
    "username": "user",
    "directory": "directory",
    "filename": "filename",
    "identifiers": "identifier_format",
    "max_size": "max_size",
    "rollover_interval": "rollover_interval",
    "host_key_check": "host_key_check",
    "transport": "transport",
    "facility": "facility",
}
# Cisco's proxy to the appliances in its cloud takes one user, and forwards only (Cisco notes 214281 and 225361).
PROXY_USER = "dh-user"


def vulnerable(version: Version) -> bool:
    """Whether a release is without the cure of the CVE: each branch has its own first one."""
    same = [one for one in CURED if one[:2] == version[:2]]
    return version < (same[0] if same else max(CURED))
