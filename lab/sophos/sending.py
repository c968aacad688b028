# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The syslog of a firewall, really sent: by UDP, or by TLS where its server is of a secure connection.

Form of a record: public samples of SFOS 18 to 20. Assumed: the ids of the admin event, that each call of the API makes
one, a line feed between records by TLS, and that the name in the server's certificate is not checked.
"""

from __future__ import annotations

import socket
import ssl
import time

from lab.sophos.state import LOCAL, ON, Firewall, Tree

SECONDS = 2.0
FACILITIES = {"KERNEL": 0, "USER": 1, "DAEMON": 3} | {f"LOCAL{number}": 16 + number for number in range(8)}
INFORMATION = 6
ADMIN = ("Events", "AdminEvents")
# By log settings: type, component and subtype of the log id, and the words for them.
KINDS = {
    ADMIN: ("062009", 'log_type="Event" log_component="GUI" log_subtype="Admin"'),
    ("SecurityPolicy", "PolicyRules"): (
        "010101",
        'log_type="Firewall" log_component="Firewall Rule" log_subtype="Allowed"',
    ),
}


def emit(firewall: Firewall, kind: tuple[str, str], message: str) -> None:
    """To every server that wants this kind; what became of it is in C(firewall.sent)."""
    for server in firewall.servers:
        if server["Name"] != LOCAL and server["LogSettings"].get(kind[0], {}).get(kind[1]) == ON:
            error = _sent(firewall, server, _record(firewall, server, kind, message))
            firewall.sent.append({"server": server["Name"], "error": error})


def _record(firewall: Firewall, server: Tree, kind: tuple[str, str], message: str) -> bytes:
    log_id, words = KINDS[kind]
    priority = FACILITIES[server["Facility"]] * 8 + INFORMATION
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime())
    text = (
        f'<{priority}>device_name="SFW" timestamp="{stamp}" device_model="XGS136" device_serial_id="{firewall.serial}" '
        f'log_id="{log_id}{INFORMATION}17506" {words} priority="Information" user_name="{firewall.username}" '
        f'message="{message}"'
    )
    return text.encode()


def _sent(firewall: Firewall, server: Tree, record: bytes) -> str:
    """'' or why not."""
    where = server["ServerAddress"], int(server["Port"])
    try:
        if server["EnableSecureConnection"] != ON:
            with socket.socket(socket.AF_INET6 if ":" in where[0] else socket.AF_INET, socket.SOCK_DGRAM) as plain:
                plain.sendto(record, where)
            return ""
        with (
            socket.create_connection(where, SECONDS) as stream,
            _trust(firewall).wrap_socket(stream, server_hostname=where[0]) as secure,
        ):
            secure.sendall(record + b"\n")
            secure.unwrap()
    except OSError as error:
        return str(error)
    return ""


def _trust(firewall: Firewall) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    for pem in firewall.authorities.values():
        context.load_verify_locations(cadata=pem)
    return context
