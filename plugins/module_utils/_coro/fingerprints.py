# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which secret was sent last, as a keyed fingerprint: Coro does not show secrets, and a plain hash could be guessed.

One file a workspace, beside the evidence: connector id -> HMAC-SHA256 over the workspace, the id and the secrets, with
a key that is given or made once for the folder. Files are readable by their owner only.
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

from .._core.errors import InputError
from .._core.evidence import FILE_MODE, NOT_IN_NAMES, make_folder

KEY_NAME = "fingerprint.key"
KEY_BYTES = 32


class Fingerprints:
    """Of one workspace's connectors; read when made, written by C(save). Raises InputError."""

    def __init__(self, path: Path, workspace: str, key: bytes, known: Mapping[str, str]) -> None:
        self._path, self._workspace, self._key = path, workspace, key
        self._known = dict(known)
        self._written = dict(known)

    def knows(self, connector: str) -> bool:
        """Whether it is known which secrets were sent last."""
        return connector in self._known

    def stale(self, connector: str, secrets: Mapping[str, str]) -> bool:
        """Whether other secrets than these were sent last."""
        known = self._known.get(connector, "")
        return bool(known) and not (self._key and hmac.compare_digest(known, self._mark(connector, secrets)))

    def keep(self, connector: str, secrets: Mapping[str, str]) -> None:
        """These secrets are now stored at Coro."""
        self._key = self._key or _make_key(self._path.parent)
        self._known[connector] = self._mark(connector, secrets)

    def forget(self, connector: str) -> None:
        self._known.pop(connector, None)

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

    def _mark(self, connector: str, secrets: Mapping[str, str]) -> str:
        text = json.dumps([self._workspace, connector, sorted(secrets.items())]).encode()
        return hmac.new(self._key, text, "sha256").hexdigest()


def load(folder: Path, workspace: str, key: str | None) -> Fingerprints:
    """What an earlier run has kept there. Raises InputError."""
    _refuse_shared(folder)
    path = folder / f"{NOT_IN_NAMES.sub('_', workspace)}.coro.json"
    known: dict[str, str] = {}
    if raw := _read(path):
        try:
            known = {str(name): str(mark) for name, mark in json.loads(raw).items()}
        except (ValueError, AttributeError) as error:
            step = "remove the file, and run once with update_secret always"
            raise InputError("read the fingerprints", f"{path}: {error}", next_step=step) from error
    return Fingerprints(path, workspace, key.encode() if key else _read(folder / KEY_NAME), known)


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
