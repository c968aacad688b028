# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which secret was sent last, as a keyed fingerprint: a vendor shows no secrets, and a plain hash could be guessed.

One file for each vendor and scope (a workspace, a community), beside the evidence: id of what holds the secret ->
HMAC-SHA256 over the scope, the id and the secrets, with a key that is given or made once for the folder. Files are
readable by their owner only.
"""

from __future__ import annotations

import errno
import hmac
import json
import os
import secrets as random
import stat
from collections.abc import Mapping
from pathlib import Path

from .errors import InputError
from .evidence import FILE_MODE, NOT_IN_NAMES, make_folder, run_dir

FOLDER = "fingerprints"
KEY_NAME = "fingerprint.key"
KEY_BYTES = 32


class Fingerprints:
    """Of one scope; read when made, written by C(save). Raises InputError."""

    def __init__(self, path: Path, scope: str, key: bytes, known: Mapping[str, str]) -> None:
        self._path, self._scope, self._key = path, scope, key
        self._known = dict(known)
        self._written = dict(known)

    def knows(self, id_: str) -> bool:
        """Whether it is known which secrets were sent last."""
        return id_ in self._known

    def stale(self, id_: str, secrets: Mapping[str, str]) -> bool:
        """Whether other secrets than these were sent last."""
        known = self._known.get(id_, "")
        return bool(known) and not (self._key and hmac.compare_digest(known, self._mark(id_, secrets)))

    def keep(self, id_: str, secrets: Mapping[str, str]) -> None:
        """These secrets are now stored at the vendor."""
        self._key = self._key or _make_key(self._path.parent)
        self._known[id_] = self._mark(id_, secrets)

    def forget(self, id_: str) -> None:
        self._known.pop(id_, None)

    def save(self) -> None:
        """Write what has changed, whole or not at all."""
        if self._known == self._written:
            return
        new = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            make_folder(self._path.parent)
            _write(new, json.dumps(self._known, indent=0, sort_keys=True).encode())
            new.replace(self._path)
        except OSError as error:
            raise _unusable(self._path, error) from error
        self._written = dict(self._known)

    def _mark(self, id_: str, secrets: Mapping[str, str]) -> str:
        text = json.dumps([self._scope, id_, sorted(secrets.items())]).encode()
        return hmac.new(self._key, text, "sha256").hexdigest()


def place(given: str | None) -> Path | None:
    """The folder that is given, else beside the folder of this run's evidence; None where no evidence is kept."""
    if given:
        return Path(given)
    run = run_dir()
    return run.parent / FOLDER if run else None


def load(folder: Path, vendor: str, scope: str, key: str | None) -> Fingerprints:
    """What an earlier run has kept there. Raises InputError."""
    _refuse_shared(folder)
    path = folder / f"{NOT_IN_NAMES.sub('_', scope)}.{vendor}.json"
    known: dict[str, str] = {}
    if raw := _read(path):
        try:
            known = {str(name): str(mark) for name, mark in json.loads(raw).items()}
        except (ValueError, AttributeError) as error:
            step = "remove the file, and run once with update_secret always"
            raise InputError("read the fingerprints", f"{path}: {error}", next_step=step) from error
    return Fingerprints(path, scope, key.encode() if key else _read(folder / KEY_NAME), known)


def _refuse_shared(folder: Path) -> None:
    """Whoever else could write there could make a changed secret look unchanged."""
    try:
        held = folder.stat()
    except OSError:
        return  # made when first needed, for the owner only
    if held.st_uid != os.geteuid() or held.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise _unusable(folder, OSError(errno.EPERM, "others may write there"))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes().strip()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise _unusable(path, error) from error


def _make_key(folder: Path) -> bytes:
    """The folder's key; another task that was faster has made it."""
    path, new = folder / KEY_NAME, folder / f"{KEY_NAME}.{os.getpid()}"
    try:
        make_folder(folder)
        _write(new, random.token_hex(KEY_BYTES).encode())
        try:
            os.link(new, path)
        except FileExistsError:
            pass
        finally:
            new.unlink()
    except OSError as error:
        raise _unusable(path, error) from error
    return _read(path)


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)


def _unusable(path: Path, error: OSError) -> InputError:
    return InputError(
        "use the fingerprints of secrets",
        f"{path}: {error.strerror or error}",
        code="Fingerprints",
        next_step="set fingerprint_dir to a folder that the user that runs Ansible may write",
    )
