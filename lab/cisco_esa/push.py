# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an appliance does with a log that is rolled over: really pushed, by OpenSSH's scp in its legacy protocol, or by
syslog.

Names of files: AsyncOS' guide (`.@timestamp.s` for a saved one). Assumed: the place of the identifiers in them, and the
header of a syslog record.
"""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

from lab.cisco_esa.screens import FACILITIES
from lab.cisco_esa.state import Box, Log

SECONDS = 20.0
CODES = {"kernel": 0, "user": 1, "mail": 2, "daemon": 3, "auth": 4, "ftp": 11} | {
    f"local{number}": 16 + number for number in range(8)
}
INFORMATION = 6
TEXT = "Info: MID 1 ICID 1 From: <a@contoso.example>"


def file_name(box: Box, log: Log) -> str:
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    words = log.get("identifiers", "").replace("$hostname", box.name).replace("$serialnumber", box.serial)
    return ".".join(filter(None, [log["filename"], words, f"@{stamp}.s"]))


def push(box: Box, log: Log, folder: Path) -> str:
    """'' or why it did not arrive. folder: of the appliance, with its key (id_rsa)."""
    if log["retrieval_method"] == "Syslog Push":
        return _syslog(box, log)
    if log["retrieval_method"] != "SCP Push":
        return "kept on the appliance"
    name = folder / file_name(box, log)
    name.write_text(f"{time.strftime('%a %b %d %H:%M:%S %Y')} Info: Begin Logfile\n{TEXT} of {box.serial}\n")
    known = folder / "known_hosts"
    keys = box.shared.config.host_keys.get(log["hostname"], [])
    host = log["hostname"] if log["port"] == "22" else f"[{log['hostname']}]:{log['port']}"
    known.write_text("".join(f"{host} {key}\n" for key in keys))
    options = ["BatchMode=yes", f"UserKnownHostsFile={known}", "GlobalKnownHostsFile=/dev/null", "IdentitiesOnly=yes"]
    options += [f"StrictHostKeyChecking={log.get('host_key_check', 'no')}"]
    done = subprocess.run(
        ["scp", "-O", "-F", "/dev/null", "-i", str(folder / "id_rsa"), "-P", log["port"],
         *(word for one in options for word in ("-o", one)), str(name),
         f"{log['username']}@{log['hostname']}:{log['directory']}"],
        capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    name.unlink()
    return done.stderr.strip() if done.returncode else ""


def _syslog(box: Box, log: Log) -> str:
    facility = CODES.get(log["facility"], FACILITIES.index("mail"))
    stamp = time.strftime("%b %d %H:%M:%S", time.gmtime())
    record = f"<{facility * 8 + INFORMATION}>{stamp} {box.name} {log['name']}: {TEXT}".encode()
    where = log["hostname"], int(log["port"])
    try:
        if log["transport"] == "UDP":
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
                plain.sendto(record, where)
        else:
            with socket.create_connection(where, SECONDS) as stream:
                stream.sendall(record + b"\n")
    except OSError as error:
        return str(error)
    return ""
