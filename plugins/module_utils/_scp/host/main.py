# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What sshd starts for a source's account, whatever was asked for: it takes files, or says why not and ends."""

from __future__ import annotations

import os
import posixpath
import pwd
import shlex
import signal
import syslog
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

from .channel import Channel, Gone
from .drop import Config, Drop
from .legacy import Sink
from .rules import Refused, shown
from .sftp import Server

CONFIG = "/etc/mssp-onboarding/scp-target/{user}.json"
IDENT = "mssp-scp-target"
IDLE_SECONDS = 600.0
SFTP_SERVERS = ("sftp-server", "internal-sftp")  # what Subsystem sftp is on Debian, Fedora and in hardened set-ups
FLAGS = frozenset("tdprvq")


@dataclass(frozen=True)
class Request:
    """kind: scp or sftp; target: the path at the end of C(scp -t)."""

    kind: str
    target: bytes = b""


def asked(command: str | None) -> Request:
    """What the client wants; raises Refused for everything but taking files."""
    if not command:
        raise Refused("shell", "this account only takes files, by SCP or SFTP")
    try:
        words = shlex.split(command)
    except ValueError:
        words = []
    program = posixpath.basename(words[0]) if words else ""
    if program in SFTP_SERVERS:
        return Request("sftp")
    if program != "scp":
        raise Refused("command", "this account runs no commands; it only takes files, by SCP or SFTP")
    return _legacy(words[1:])


def _legacy(words: list[str]) -> Request:
    flags: set[str] = set()
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word == "--":
            break
        flags.update(word[1:])
    if "f" in flags:
        raise Refused("read", "nothing can be fetched from this account")
    if "t" not in flags or not flags <= FLAGS or len(words) > 1:
        raise Refused("command", "this is not the receiving end of scp")
    return Request("scp", os.fsencode(words[0]) if words else b".")


def _log(identity: str) -> Any:
    syslog.openlog(IDENT, syslog.LOG_PID, syslog.LOG_DAEMON)

    def log(event: str, warning: bool, fields: dict[str, Any]) -> None:
        said = " ".join(f'{name}="{shown(str(value))}"' for name, value in fields.items() if value != "")
        syslog.syslog(syslog.LOG_WARNING if warning else syslog.LOG_INFO, f"{identity} event={event} {said}")

    return log


def _stop(number: int, frame: Any) -> NoReturn:
    raise SystemExit(128 + number)


def serve(config: Config, command: str | None, client: str, idle: float = IDLE_SECONDS) -> int:
    """One session on descriptors 0 and 1; the exit status."""
    log = _log(f"tenant={config.tenant} source={config.source}")
    drop = Drop(config, log, {"client": client})
    try:
        drop.enter()
        request = asked(command)
        drop.about["protocol"] = request.kind
        channel = Channel(0, 1, idle)
        if request.kind == "sftp":
            return Server(channel, drop).run()
        target = drop.paths.name_in(request.target)
    except Refused as refusal:
        drop.refused(shown(command or ""), refusal)
        with suppress(OSError):  # the client may have gone
            os.write(2, refusal.text.encode() + b"\n")
        return 1
    except Gone:
        return 1
    try:
        return Sink(channel, drop, target).run()
    except Gone:
        return 1


def main() -> None:
    """Everything that decides comes from the account's own number and from files of root."""
    os.umask(0o027)
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    user = pwd.getpwuid(os.getuid()).pw_name
    try:
        config = Config.load(CONFIG.format(user=user))
    except OSError:
        syslog.openlog(IDENT, syslog.LOG_PID, syslog.LOG_DAEMON)
        syslog.syslog(syslog.LOG_ERR, f"user={user} event=no_config")
        raise SystemExit("this account takes no files") from None
    client = os.environ.get("SSH_CONNECTION", "").partition(" ")[0]
    try:
        status = serve(config, os.environ.get("SSH_ORIGINAL_COMMAND"), client)
    except OSError as error:
        syslog.syslog(syslog.LOG_ERR, f"tenant={config.tenant} source={config.source} event=broken error={error!r}")
        raise SystemExit("this account can take no files now") from None
    raise SystemExit(status)
