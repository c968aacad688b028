# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes sshd's configuration so that nobody is locked out: checked, then reloaded, then undone unless confirmed."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shlex
import socket
import time
from collections.abc import Sequence
from typing import NamedTuple

from .._core.errors import OnboardingError, RefusedError
from .._host import files
from . import names, sshd
from .plan import Change, State
from .sources import Source
from .system import run, write_file

BANNER_SECONDS = 10.0
ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # compared with  # nosec B104
UNDO = """\
#!/bin/sh
# Puts sshd's configuration back, unless the run that changed it stops this first.
{restore}
/usr/sbin/sshd -t && systemctl reload {service}
logger -t mssp-scp-target -p daemon.err 'tenant={tenant} event=rolled_back reason="{reason}"'
rm -rf {folder}
rmdir --ignore-fail-on-non-empty {parent}
"""
LATE = "no new connection was confirmed in time"


class GateError(RefusedError):
    """sshd does not take the new configuration; the old one is back."""


def _effective(user: str, address: str) -> sshd.Effective:
    told = run("/usr/sbin/sshd", "-T", "-C", f"user={user},host=localhost,addr={address}").out
    return sshd.effective(told)


class Login(NamedTuple):
    """Who runs Ansible on this host, and by which connection (sshd(8): SSH_CONNECTION)."""

    user: str
    client: str
    server: str
    port: str


def login() -> Login | None:
    """The connection that this process came by; None where it came by none.

    sudo hides it from its children and is root's itself, so the oldest ancestor that knows it is asked.
    """
    number, found = os.getpid(), None
    with contextlib.suppress(OSError, ValueError, KeyError, IndexError):
        while number > 1:
            with open(f"/proc/{number}/environ", "rb") as stream:
                names_values = dict(part.split(b"=", 1) for part in stream.read().split(b"\0") if b"=" in part)
            if b"SSH_CONNECTION" in names_values:
                client, _client_port, server, port = names_values[b"SSH_CONNECTION"].decode().split()
                found = Login(pwd.getpwuid(os.stat(f"/proc/{number}").st_uid).pw_name, client, server, port)
            with open(f"/proc/{number}/stat", encoding="utf-8", errors="replace") as text:
                number = int(text.read().rpartition(")")[2].split()[1])
    return found


def _check_login(who: Login) -> None:
    """Raises GateError when the files on the disk, ours or not, would keep out the one who runs Ansible."""
    words = f"user={who.user},host={who.client},addr={who.client},laddr={who.server},lport={who.port}"
    told = sshd.effective(run("/usr/sbin/sshd", "-T", "-C", words).out)
    account = pwd.getpwnam(who.user)
    groups = [grp.getgrgid(number).gr_name for number in os.getgrouplist(who.user, account.pw_gid)]
    if reason := sshd.not_admitted(told, who.user, groups, who.port):
        step = "mend that in /etc/ssh/sshd_config.d; it was there before this run, and sshd has not been reloaded"
        text = f"after a reload sshd would not let {who.user} in: {reason}"
        raise GateError("reload sshd", text, code="lock_out", next_step=step)


def _told(source: Source) -> sshd.Effective:
    return _effective(source.user, source.senders[0].partition("/")[0])


def unruled(source: Source) -> str:
    """What sshd's files say otherwise than the role did for this account, "" for nothing; raises OnboardingError."""
    told = _told(source)
    return "; ".join([*sshd.misunderstood(told, source), *filter(None, [sshd.shut_out(told, source)])])


def check(sources: Sequence[Source]) -> None:
    """Raises GateError when sshd would not do what the files on the disk say for these accounts."""
    step = "read the host's other files in /etc/ssh/sshd_config.d; the old configuration is back and in use"
    who = login()
    try:
        run("/usr/sbin/sshd", "-t")
        if who:
            _check_login(who)
        told = {source: _told(source) for source in sources}
    except OnboardingError as error:
        raise GateError("check sshd's configuration", error.message, code="sshd_t", next_step=step) from error
    for source, found in told.items():
        wrong = sshd.misunderstood(found, source)
        if wrong:
            text = f"for {source.user} it would use: {'; '.join(wrong)}"
            raise GateError("set what sshd does for the source's account", text, code="overruled", next_step=step)
        if out := sshd.shut_out(found, source):
            hint = f"take {source.user} out of «{out}», or give the source another user"
            raise GateError("let the source's account in", f"the host has {out}", code="shut_out", next_step=hint)


def restore(path: str, before: State | None) -> None:
    if before is None:
        files.remove(path)
    else:
        write_file(path, before)


def arm(changes: Sequence[Change], tenant: str, service: str, seconds: int) -> None:
    """From now on the old files come back after C(seconds), whether or not anybody can still reach the host."""
    disarm(tenant)
    folder = names.undo(tenant)
    os.makedirs(folder, mode=0o700)
    lines = [_restoring(change, folder) for change in reversed(changes)]
    parts = {"service": service, "tenant": tenant, "folder": folder, "parent": names.UNDO, "reason": LATE}
    script = UNDO.format(restore="\n".join(lines), **parts)
    write_file(f"{folder}/undo", {"content": script, "mode": "0700", "owner": "root", "group": "root"})
    timer = ("systemd-run", "--quiet", f"--unit={names.undo_unit(tenant)}", f"--on-active={seconds}")
    run(*timer, "--timer-property=AccuracySec=1s", "/bin/sh", f"{folder}/undo")


def _restoring(change: Change, folder: str) -> str:
    """The command that puts a file back; it is kept in the folder until then."""
    path, backup = change.item.key, f"{folder}/{os.path.basename(change.item.key)}"
    if change.before is None:
        return f"rm -f {shlex.quote(path)}"
    write_file(backup, change.before)
    return f"cp -p {shlex.quote(backup)} {shlex.quote(path)}"


def armed(tenant: str) -> bool:
    return os.path.exists(f"{names.undo(tenant)}/undo")


def disarm(tenant: str) -> None:
    unit = names.undo_unit(tenant)
    run("systemctl", "stop", f"{unit}.timer", check=False)
    run("systemctl", "reset-failed", f"{unit}.timer", f"{unit}.service", check=False)
    files.remove_tree(names.undo(tenant))
    files.remove_empty(names.UNDO)


def undo_now(tenant: str) -> None:
    """Put the old file back at once; raises CommandError."""
    run("systemctl", "stop", f"{names.undo_unit(tenant)}.timer", check=False)
    run("/bin/sh", f"{names.undo(tenant)}/undo")
    disarm(tenant)


def reload(service: str, listeners: Sequence[tuple[str, int]]) -> None:
    """Reload sshd and see that it still greets; raises OnboardingError."""
    run("systemctl", "reload-or-restart", service)
    end = time.monotonic() + BANNER_SECONDS
    while True:
        try:
            for listener in listeners:
                _greets(listener)
            return
        except OSError as error:
            if time.monotonic() > end:
                text = f"no SSH greeting on this host's own address: {error}"
                raise OnboardingError("reach sshd after its reload", text, code="no_greeting") from error
            time.sleep(0.2)


def exempt(client: str) -> str:
    """What our file with those who earn no penalties shall say, "" for no file."""
    with contextlib.suppress(OnboardingError):  # sshd is not installed yet
        return sshd.exempt(_effective("root", "127.0.0.1"), client, ours=os.path.exists(names.EXEMPT))
    return ""


def listeners() -> list[tuple[str, int]]:
    """Where sshd listens by its configuration, as addresses to call it by."""
    found = []
    for value in _effective("root", "127.0.0.1").get("listenaddress", ["0.0.0.0:22"]):
        host, _colon, port = value.rpartition(":")
        found.append((ANY.get(host.strip("[]"), host.strip("[]")), int(port)))
    # A host may have no IPv6 although sshd listens on any: one that listens on IPv4, too, is called by that.
    return [found_one for found_one in found if ":" not in found_one[0]] or found


def ports() -> list[int]:
    """Where the host's own sshd listens; 22 where sshd cannot be asked yet."""
    with contextlib.suppress(OnboardingError):
        return sorted({port for _host, port in listeners()})
    return [22]


def _greets(listener: tuple[str, int]) -> None:
    with socket.create_connection(listener, timeout=3) as connection:
        if not connection.recv(8).startswith(b"SSH-2.0"):
            raise ConnectionError("something else answers there")
