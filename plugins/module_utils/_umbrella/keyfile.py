# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that keeps an export's key pair: the only place of its secret, and the journal of its rotation.

Written whole or not at all, for its owner only, and flushed to the disk before anything else is done.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from .._core import vault
from .._core.bodies import mapping, parse, words
from .._core.client import ODD_SHAPE
from .._core.errors import InputError, OnboardingError, RefusedError
from .._host import files
from .options import Setup
from .plan import Export, Kept, Pair

MODE = 0o600
STEP = "see to the folder, its rights and its disk; nothing was asked of Umbrella"
LOCK = ".lock"


class KeyFile:
    """One export's file. password: of Ansible Vault, '' for a file in the clear."""

    def __init__(self, path: Path, password: str) -> None:
        self.path, self._password = path, password

    def read(self) -> Kept | None:
        """What is kept, None where there is no file. Raises OnboardingError: what cannot be read is not nothing.

        Of a run that was killed between the new file and its name, the new file has a secret that nobody else has.
        """
        kept = self._read(str(self.path))
        with contextlib.suppress(OnboardingError):
            newer = self._read(f"{self.path}.mssp-new")
            if kept and newer and kept.asked and not newer.asked and newer.pair != kept.pair:
                return newer
        return kept

    def write(self, kept: Kept) -> None:
        """Keep it, and see that it is kept. Raises RefusedError."""
        operation = f"write {self.path}"
        text = json.dumps(_told(kept), indent=1, sort_keys=True) + "\n"
        try:
            content = vault.encrypted(text, self._password) if self._password else text
            files.write(str(self.path), content, MODE, os.geteuid(), os.getegid())
        except OSError as error:
            raise _unusable(operation, error) from error
        if self.read() != kept:
            raise RefusedError(operation, "the file does not hold what was written", code="NotKept", next_step=STEP)

    def remove(self) -> None:
        files.remove(f"{self.path}.mssp-new")
        files.remove(str(self.path))

    def _read(self, path: str) -> Kept | None:
        operation = f"read {self.path}"
        try:
            found = files.read(path)
            if found is None:
                return None
            secret = found.content.startswith("$ANSIBLE_VAULT;")
            return _parsed(vault.decrypted(found.content, self._password) if secret else found.content)
        except (OSError, *ODD_SHAPE) as error:
            step = (
                "see whether it is the file, and vault_password the password, of this tenant's role; nothing was done"
            )
            raise InputError(operation, str(error), code="UnreadableKeyFile", next_step=step) from error


def of_export(wanted: Setup, export: Export) -> KeyFile:
    return KeyFile(wanted.key_folder / f"{export.name}.json", wanted.vault_password)


def _told(kept: Kept) -> dict[str, object]:
    previous = kept.previous._asdict() if kept.previous else None
    return {**kept.pair._asdict(), "created": kept.created, "proven": kept.proven, "asked": kept.asked,
            "leaving": kept.leaving, "previous": previous}  # fmt: skip


def _parsed(text: str) -> Kept:
    one = mapping(parse(text.encode()))
    previous = mapping(one.get("previous"))
    return Kept(
        _pair(one), float(one.get("created") or 0.0), one.get("proven") is True, float(one.get("asked") or 0.0),
        _pair(previous) if previous else None, one.get("leaving") is True,
    )  # fmt: skip


def _pair(one: dict[str, object]) -> Pair:
    return Pair(words(one.get("access_key_id")), words(one.get("secret_access_key")))


def _unusable(operation: str, error: OSError) -> RefusedError:
    text = f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")
    return RefusedError(operation, text, code="KeyFileUnusable", next_step=STEP)
