# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that keeps what opens the queues: JSON, encrypted for Ansible Vault where a password is given.

A password is shown once, so the file is written before it is asked for, with what is about to be made: that proves the
place, and tells a later run of a create whose end nobody saw.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from .._core import vault
from .._core.bodies import amount, items, parse, text
from .._core.client import ODD_SHAPE
from .._core.errors import InputError, RefusedError
from .._core.evidence import make_folder, write_whole
from .._core.one_run import locked
from .plan import Access, Begun, Filters, Held, Kept

STEP = "see to secret_file, its folder and vault_password; nothing was made"
LOST_STEP = "give its vault_password, or restore it from a backup; moved away, the next run tells which streams it cost"


class Place:
    """secret_file. held: what it holds, as read or written last; lock: of C(claim), for the time of the run."""

    def __init__(self, path: str, password: str) -> None:
        self.path = Path(path)
        self._password = password
        self.held = Held()
        self.lock = ExitStack()
        self._claimed = False

    def claim(self) -> None:
        """See that no other run writes it, from when it was read to the end of this one. Raises RefusedError.

        What the other run keeps would be written over, and a password with it that nobody is told again.
        """
        if self._claimed:
            return
        self.lock.enter_context(locked(self.path.with_name(f".{self.path.name}.lock")))
        before = self.held
        if self.read() != before:
            text = f"another run has changed {self.path} since this one has read it"
            raise RefusedError("keep a password in secret_file", text, code="Changed", next_step="run again")
        self._claimed = True

    def read(self) -> Held:
        """What it holds, nothing where there is no file. Raises InputError for what cannot be read."""
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            self.held = Held()
            return self.held
        except OSError as error:
            raise self._unreadable(error.strerror or str(error)) from error
        try:
            self.held = _held(parse(self._opened(raw)))
        except ODD_SHAPE as error:
            raise self._unreadable("it is not what a run of ours has written") from error
        return self.held

    def _opened(self, raw: bytes) -> bytes:
        if not self._password:
            return raw
        try:
            return vault.decrypted(raw.decode(), self._password).encode()
        except ValueError as error:
            raise self._unreadable("vault_password does not open it") from error

    def begin(self, name: str, before: Iterable[int]) -> None:
        """Write down what is about to be made. Raises InputError where that is not possible: then nothing is."""
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._write(self.held._replace(begun={**self.held.begun, name: Begun(name, frozenset(before), at)}))

    def keep(self, one: Kept) -> None:
        """Keep it, in place of what was begun. Raises InputError."""
        begun = {key: each for key, each in self.held.begun.items() if key != one.name}
        self._write(Held({**self.held.streams, one.name: one}, begun))

    def forget(self, name: str) -> None:
        """Raises InputError."""
        streams = {key: one for key, one in self.held.streams.items() if key != name}
        self._write(Held(streams, {key: one for key, one in self.held.begun.items() if key != name}))

    def remove(self) -> None:
        """Raises InputError."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error
        self.held = Held()

    def prove(self) -> None:
        """That a file can be written beside it, as every write of it does. Raises InputError."""
        beside = self.path.with_name(f".{self.path.name}.preflight")
        try:
            make_folder(self.path.parent)
            write_whole(beside, "")
        except OSError as error:
            raise self._unwritable(error) from error
        finally:
            with suppress(OSError):
                beside.unlink()

    def _write(self, held: Held) -> None:
        plain = json.dumps(_document(held), indent=1) + "\n"
        if self._password:
            plain = vault.encrypted(plain, self._password)
        try:
            make_folder(self.path.parent)
            write_whole(self.path, plain)
        except OSError as error:
            raise self._unwritable(error) from error
        self.held = held

    def _unreadable(self, why: str) -> InputError:
        return InputError("read secret_file", f"{self.path}: {why}", code="CannotRead", next_step=LOST_STEP)

    def _unwritable(self, error: OSError) -> InputError:
        text = f"{self.path}: {error.strerror or error}"
        return InputError("keep a password in secret_file", text, code="CannotKeep", next_step=STEP)


def _document(held: Held) -> dict[str, Any]:
    """In the vendor's words, for whoever takes it to the SIEM."""
    streams = [
        {
            "name": one.name,
            "id": one.id,
            "api_url": one.api_url,
            "proto": "amqps",
            "host": one.access.host,
            "port": one.access.port,
            "queue_name": one.access.queue,
            "user_name": one.access.user,
            "password": one.access.password,
            "made": one.made,
            **one.filters.view(),
        }
        for one in held.streams.values()
    ]
    begun = [{"name": one.name, "before": sorted(one.before), "at": one.at} for one in held.begun.values()]
    return {"streams": streams, "begun": begun}


def _held(document: Any) -> Held:
    """Raises what ODD_SHAPE names."""
    streams = [_kept(one) for one in items(document["streams"])]
    begun = [
        Begun(text(one["name"]), frozenset(int(amount(each)) for each in items(one["before"])), text(one["at"]))
        for one in items(document["begun"])
    ]
    return Held({one.name: one for one in streams}, {one.name: one for one in begun})


def _kept(one: Any) -> Kept:
    types, groups = one.get("event_types"), one.get("groups")
    return Kept(
        text(one["name"]),
        int(amount(one["id"])),
        text(one["api_url"]),
        Access(
            text(one["user_name"]),
            text(one["password"]),
            text(one["queue_name"]),
            text(one["host"]),
            int(amount(one["port"])),
        ),
        Filters(
            None if types is None else frozenset(int(amount(each)) for each in items(types)),
            None if groups is None else frozenset(text(each) for each in items(groups)),
        ),
        amount(one["made"]),
    )
