# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An appliance in this process: the lab's command line as a terminal, without SSH and without waiting."""

from __future__ import annotations

import base64
from typing import Any

from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa.plan import Wanted
from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa.session import Limits, Session
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import NoAnswerError
from lab.cisco_esa.cli import Cli
from lab.cisco_esa.state import Box, Quirks, Shared, delivered
from lab.cisco_esa.wire import Wire

OLD, NEW = "14.2.0-620", "16.0.4-302"


def ssh_key(text: bytes) -> str:
    """A key of the right form."""
    blob = base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0 " + text.ljust(32, b"x")).decode()
    return f"ssh-ed25519 {blob}"


HOST_KEY, USER_KEY = ssh_key(b"collector"), ssh_key(b"appliance")
SCP_FIELDS = {
    "type": "mail",
    "log_level": "information",
    "method": "scp_push",
    "host": "192.0.2.9",
    "port": "22",
    "user": "mssp-contoso-esa",
    "directory": "/upload",
    "host_key_check": "yes",
    "filename": "mail",
    "max_size": "10M",
    "rollover_interval": "1h30m",
    "identifier_format": "$hostname.$serialnumber",
}
SYSLOG_FIELDS = {
    "type": "mail",
    "log_level": "information",
    "method": "syslog_push",
    "host": "192.0.2.9",
    "port": "6514",
    "transport": "tcp",
    "facility": "local3",
}
SCP = Wanted("mssp_mail", SCP_FIELDS, (HOST_KEY,))
SYSLOG = Wanted("mssp_mail", SYSLOG_FIELDS)


def box(version: str = NEW, cluster: str = "", **quirks: Any) -> Box:
    shared = Shared(delivered(not version.startswith("14.")))
    made = Box("esa1.example", "4202ABCDEF", version, "mssp", "secret", shared, cluster, quirks=Quirks(**quirks))
    made.public_key = lambda: USER_KEY
    return made


class Memory:
    """A terminal without a network. Time passes only where nothing comes."""

    def __init__(self, of: Box) -> None:
        self.wire = Wire(Cli(of, "mssp"))
        self.waiting = self.wire.start()
        self.closed, self.now = False, 0.0

    def clock(self) -> float:
        return self.now

    def send(self, text: str) -> None:
        self.waiting += self.wire.typed(text)

    def receive(self, seconds: float) -> str | None:
        if self.waiting:
            text, self.waiting = self.waiting, ""
            return text
        if self.wire.closed:
            raise NoAnswerError("go on", "closed", code="Cut")
        self.now += seconds
        return None

    def close(self) -> None:
        self.closed = True


def session(of: Box) -> Session:
    terminal = Memory(of)
    return Session(terminal, Limits(), terminal.clock)
