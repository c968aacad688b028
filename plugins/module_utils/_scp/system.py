# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads and changes the things on a collector that plan knows, one function per kind."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shutil
import stat
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from .._core.errors import InputError, OnboardingError, RefusedError
from .._host import commands, files, lock, openings, selinux
from . import names
from .plan import DELETE, Change, Item, State

MAX_TEXT = 1000


class CommandError(RefusedError):
    """A program of the host ended with an error."""


def run(*command: str, check: bool = True) -> commands.Said:
    """Raises CommandError with what the program said; with check, one that is not there is an error, too."""
    said = commands.run(*command)
    if check and said.code:
        text = (said.err or said.out).strip()[-MAX_TEXT:]
        raise CommandError(f"run «{' '.join(command)}»", text, code=f"exit_{said.code}")
    return said


def locked(wanted: bool) -> AbstractContextManager[None]:
    """One change of file drops at a time on this host, whichever tenant's they are."""
    return lock.held("scp", wanted=wanted)


# --- reading


def _user(number: int) -> str:
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(number).pw_name
    return str(number)


def _group(number: int) -> str:
    with contextlib.suppress(KeyError):
        return grp.getgrgid(number).gr_name
    return str(number)


def _stat(path: str) -> os.stat_result | None:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return os.lstat(path)
    return None


def _rights(found: os.stat_result) -> dict[str, Any]:
    mode = f"{stat.S_IMODE(found.st_mode):04o}"
    return {"mode": mode, "owner": _user(found.st_uid), "group": _group(found.st_gid)}


def _see_file(key: str) -> State | None:
    try:
        found = files.read(key, errors="backslashreplace")
    except files.NotPlain:
        return {"foreign": f"{key} is there and is no plain file"}
    if found is None:
        return None
    rights = {"mode": f"{found.mode:04o}", "owner": _user(found.owner), "group": _group(found.group)}
    return {"content": found.content, **rights}


def _see_folder(key: str) -> State | None:
    found = _stat(key)
    if found is None:
        return None
    return _rights(found) if stat.S_ISDIR(found.st_mode) else {"foreign": f"{key} is there and is no folder"}


def _see_tree(key: str) -> State | None:
    found = _see_folder(key)
    return None if found is None or "foreign" in found else {"entries": len(os.listdir(key))}


def _see_emptied(key: str) -> State | None:
    found = _see_folder(key)
    return None if found is None or "foreign" in found else {"entries": sorted(os.listdir(key))}


def _see_closed(key: str) -> State | None:
    seen = _see_emptied(key)
    if not seen or not seen["entries"]:
        return None
    owners = {os.lstat(path).st_uid for path in (key, *(f"{key}/{entry}" for entry in seen["entries"]))}
    return {"owner": "root" if owners == {0} else "others"}


def _see_account(key: str) -> State | None:
    try:
        found = pwd.getpwnam(key)
    except KeyError:
        return None
    if not found.pw_gecos.startswith(names.COMMENT) or found.pw_uid == 0:
        return {"foreign": f"the account {key} is there and was not made by this role"}
    with open("/etc/shadow", encoding="utf-8") as stream:
        password = next((line.split(":")[1] for line in stream if line.startswith(f"{key}:")), "")
    shown = password if password in ("*", "!", "") else "(set)"  # a hash is a secret, and only its being there matters
    return {"home": found.pw_dir, "shell": found.pw_shell, "comment": found.pw_gecos, "password": shown}


def owners() -> dict[str, str]:
    """Tenant of each account of this role, by the account's name."""
    ours = [found for found in pwd.getpwall() if found.pw_gecos.startswith(f"{names.COMMENT} ")]
    return {found.pw_name: found.pw_gecos[len(names.COMMENT) + 1 :].partition("/")[0] for found in ours}


def _see_unit(key: str) -> State | None:
    if not os.path.exists(names.unit_file(key)):
        return None
    words = {word: run("systemctl", f"is-{word}", key, check=False).out.strip() for word in ("enabled", "active")}
    return {word: said == word for word, said in words.items()}


def _see_openings(key: str) -> State | None:
    rules = sorted(openings.present(openings.backend(), key))
    return {"rules": rules} if rules else None


def _see_label(key: str) -> State | None:
    """Has not run on a booted host with SELinux yet."""
    found = selinux.type_of(f"tcp {key}", selinux.listed()) if selinux.has_tool() else ""
    return {"type": found} if found else None


SEE: Mapping[str, Callable[[str], State | None]] = {
    "account": _see_account,
    "folder": _see_folder,
    "file": _see_file,
    "tree": _see_tree,
    "closed": _see_closed,
    "emptied": _see_emptied,
    "unit": _see_unit,
    "openings": _see_openings,
    "label": _see_label,
}


def observe(items: Sequence[Item]) -> dict[tuple[str, str], State | None]:
    """What is there; raises OnboardingError where that cannot be read."""
    try:
        return {(item.kind, item.key): SEE[item.kind](item.key) for item in items}
    except OSError as error:
        step = "let Ansible become root on the collector"
        raise OnboardingError("read the collector's state", str(error), code="unreadable", next_step=step) from error


def group_exists(name: str) -> bool:
    with contextlib.suppress(KeyError):
        return bool(grp.getgrnam(name))
    return False


# --- changing


def _rights_of(want: State) -> tuple[int, int, int]:
    """(mode, owner, group) as numbers."""
    return int(want["mode"], 8), pwd.getpwnam(want["owner"]).pw_uid, grp.getgrnam(want["group"]).gr_gid


def write_file(path: str, want: State) -> None:
    files.write(path, want["content"], *_rights_of(want))


def _set_file(key: str, want: State | None, before: State | None) -> None:
    if want is None:
        os.unlink(key)
    else:
        write_file(key, want)


def _set_folder(key: str, want: State | None, before: State | None) -> None:
    files.own_folder(key, *_rights_of(want or {}))


def _set_account(key: str, want: State | None, before: State | None) -> None:
    if want is None:
        number = str(pwd.getpwnam(key).pw_uid)
        run("pkill", "-KILL", "-U", number, check=False)  # sessions of an account that goes
        run("userdel", key)
        if group_exists(key):
            run("groupdel", key)
        return
    options = ("--home-dir", want["home"], "--shell", want["shell"], "--comment", want["comment"], "--password", "*")
    if before is None:
        run("useradd", "--system", "--user-group", "--no-create-home", *options, key)
    else:
        run("usermod", "--home", *options[1:], key)


def _set_unit(key: str, want: State | None, before: State | None) -> None:
    if want is None:
        run("systemctl", "disable", "--now", key)
        return
    run("systemctl", "daemon-reload")
    run("systemctl", "enable", key)
    run("systemctl", "restart", key)


def _set_tree(key: str, want: State | None, before: State | None) -> None:
    shutil.rmtree(key)


def _set_closed(key: str, want: State | None, before: State | None) -> None:
    """The account's number may be given to somebody else one day: what is kept is root's."""
    os.chown(key, 0, 0)
    os.chmod(key, 0o700)
    for entry in os.listdir(key):
        os.chown(f"{key}/{entry}", 0, 0, follow_symlinks=False)


def _set_emptied(key: str, want: State | None, before: State | None) -> None:
    os.rmdir(key)


def _set_openings(key: str, want: State | None, before: State | None) -> None:
    rules, present = (frozenset(state["rules"] if state else ()) for state in (want, before))
    openings.change(openings.backend(), key, rules, present)


def _set_label(key: str, want: State | None, before: State | None) -> None:
    if want is None:
        selinux.unlabel(f"tcp {key}")
    else:
        selinux.label(f"tcp {key}", want["type"])


SET: Mapping[str, Callable[[str, State | None, State | None], None]] = {
    "account": _set_account,
    "folder": _set_folder,
    "file": _set_file,
    "tree": _set_tree,
    "closed": _set_closed,
    "emptied": _set_emptied,
    "unit": _set_unit,
    "openings": _set_openings,
    "label": _set_label,
}


def apply(change: Change) -> None:
    """Raises OnboardingError."""
    item = change.item
    if change.blocked:
        step = "choose another name in the source's options, or remove it by hand if nobody needs it"
        raise InputError(f"use {item.key}", change.blocked, code="foreign", next_step=step)
    try:
        SET[item.kind](item.key, None if change.action == DELETE else item.want, change.before)
    except (OSError, KeyError) as error:
        raise OnboardingError(f"{change.action} {item.kind} {item.key}", str(error), code="not_written") from error
