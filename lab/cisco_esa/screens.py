# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the lab's command lines, in two releases whose lists are numbered otherwise.

Topics, order and lists: Cisco's guides («Logging», HOSTKEYCONFIG, commit) and a transcript of AsyncOS 12. Assumed: most
words, and the elements of the export.
"""

from __future__ import annotations

from html import escape

from lab.cisco_esa.state import Config, Log

TYPES_OLD = (
    *("IronPort Text Mail Logs", "qmail Format Mail Logs", "Delivery Logs", "Bounce Logs", "Status Logs"),
    *("Domain Debug Logs", "Injection Debug Logs", "System Logs", "CLI Audit Logs", "FTP Server Logs", "HTTP Logs"),
    *("NTP logs", "LDAP Debug Logs", "Anti-Spam Logs", "Anti-Virus Logs", "Scanning Logs", "Authentication Logs"),
    *("AMP Engine Logs",),
)
TYPES_NEW = (
    *("API Logs", "Audit Logs", "AMP Engine Logs", "AMP Archive", "Cisco Text Mail Logs", "qmail Format Mail Logs"),
    *("Consolidated Event Logs", "Content Scanner Logs", "Delivery Logs", "Bounce Logs", "Status Logs"),
    *("System Logs", "CLI Audit Logs", "HTTP Logs", "Anti-Spam Logs", "Anti-Virus Logs", "Authentication Logs"),
)
LEVELS = ("Critical", "Warning", "Information", "Debug", "Trace")
METHODS_OLD = ("Download Manually", "FTP Push", "SCP Push", "Syslog Push")
METHODS_NEW = ("Download Manually", "AWS S3 Push", "FTP Push", "Syslog Push", "SCP Push")
FACILITIES = (
    *("auth", "authpriv", "console", "daemon", "ftp"),
    *(f"local{number}" for number in range(8)),
    *("mail", "ntp", "security", "user"),
)
UNLEVELLED = ("Consolidated Event Logs", "Status Logs", "Bounce Logs")
MODES = (
    'Switch modes to edit at mode "Cluster {cluster}".',
    "Start a new, empty configuration at the current mode (Machine {name}).",
    "Copy settings from another cluster mode to the current mode (Machine {name}).",
)
ROLLOVER = ("Custom time interval.", "Weekly rollover.", "Daily rollover.")
BY = ("Automatically scan.", "Enter manually.")
OPERATIONS = (
    ("NEW", "Create a new log."),
    ("EDIT", "Modify a log subscription."),
    ("DELETE", "Remove a log subscription."),
    ("SETUP", "General settings."),
    ("LOGHEADERS", "Configure headers to log."),
    ("HOSTKEYCONFIG", "Configure SSH host keys."),
)
KEY_OPERATIONS = (
    ("NEW", "Add a new key."),
    ("EDIT", "Modify a key."),
    ("DELETE", "Remove a key."),
    ("SCAN", "Automatically download a host key."),
    ("PRINT", "Display a key."),
    ("HOST", "Display system host keys."),
    ("FINGERPRINT", "Display system host key fingerprints."),
    ("USER", "Display system user keys."),
)
WORDS_OLD = {
    "host": "Hostname to deliver the logs:\n",
    "port": "Port to connect to on the remote host:\n",
}
WORDS_NEW = {
    "host": "Enter the hostname or IP address of the remote host:\n",
    "port": "Enter the port of the remote host:\n",
}
VERSION = """
Current Version
===============
Product: Cisco C300V Email Security Virtual Appliance
Model: C300V
Version: {version}
Build Date: 2025-05-11
Install Date: 2026-06-01 10:00:00
Serial #: {serial}
BIOS: 6.00
RAID: NA
"""


def numbered(items: tuple[str, ...]) -> str:
    return "".join(f"{number}. {item}\n" for number, item in enumerate(items, 1))


def menu(items: tuple[tuple[str, str], ...]) -> str:
    return "\nChoose the operation you want to perform:\n" + "".join(f"- {word} - {text}\n" for word, text in items)


def listing(config: Config, later: bool) -> str:
    """The table of subscriptions: two forms, by release."""
    if not later:
        rows = (f'{number}. "{one["name"]}" Type: "{one["type"]}" Retrieval: {one["retrieval_method"]}\n'
                for number, one in enumerate(config.logs, 1))  # fmt: skip
        return "\nCurrently configured logs:\n" + "".join(rows)
    head = f"    {'Log Name':<22}{'Log Type':<32}{'Retrieval':<20}Interval\n{'-' * 84}\n"
    rows = (f"{number:>2}. {one['name'][:20]:<22}{one['type'][:30]:<32}{one['retrieval_method']:<20}"
            f"{one.get('rollover_interval') or 'None'}\n" for number, one in enumerate(config.logs, 1))  # fmt: skip
    return "\nCurrently configured logs:\n\n" + head + "".join(rows)


def export(config: Config, version: str) -> str:
    def element(name: str, text: str) -> str:
        return f"<{name}>{escape(text, quote=False)}</{name}>"

    def log(one: Log) -> str:
        return "<log_subscription>\n  " + "\n  ".join(element(*item) for item in one.items()) + "\n</log_subscription>"

    keys = [
        f"<log_host_key>{element('hostname', host)}{element('key', key)}</log_host_key>"
        for host, held in config.host_keys.items()
        for key in held
    ]
    return "\n".join(
        [
            '<?xml version="1.0" encoding="ISO-8859-1"?>',
            '<!DOCTYPE config SYSTEM "config.dtd">',
            f"<!-- AsyncOS {version} -->",
            "<config>",
            "<log_subscriptions>",
            *map(log, config.logs),
            "</log_subscriptions>",
            "<log_host_keys>",
            *keys,
            "</log_host_keys>",
            "</config>",
            "",
        ]
    )
