# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens that the tasks of one run share: in memory that Ansible's workers inherit, never on a disk.

Made when this file is imported, which for an action is in the process that forks the workers; a module that runs as a
process of its own has a cache that nobody shares, as has each worker where there is no memfd_create (not Linux).
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

Entries = dict[str, tuple[str, float]]


def key(*parts: str) -> str:
    """One name for an identity, secret included: another secret has another token."""
    return sha256("\0".join(parts).encode()).hexdigest()


class TokenCache:
    """Tokens by key with the time (epoch seconds) at which they are to be replaced."""

    def __init__(self) -> None:
        # Not on every system: without it, each task signs in by itself.
        self._descriptor: int | None = os.memfd_create("mssp-tokens") if hasattr(os, "memfd_create") else None
        self._own: Entries = {}

    def get(self, name: str) -> str:
        """A token that is still good; '' when there is none."""
        with self._locked() as entries:
            token, until = entries.get(name, ("", 0.0))
        return token if time.time() < until else ""

    def put(self, name: str, token: str, until: float) -> None:
        with self._locked() as entries:
            entries[name] = (token, until)

    def drop(self, name: str, token: str) -> None:
        """Forget a token that the vendor refused, unless another took its place."""
        with self._locked() as entries:
            if entries.get(name, ("", 0.0))[0] == token:
                del entries[name]

    @contextmanager
    def _locked(self) -> Iterator[Entries]:
        """The entries, written back when they have changed. A lock of the process: forks exclude each other."""
        if self._descriptor is None:
            yield self._own
            return
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX)
        try:
            raw = os.pread(self._descriptor, os.fstat(self._descriptor).st_size, 0)
            entries: Entries = {name: (token, until) for name, (token, until) in json.loads(raw or b"{}").items()}
            before = dict(entries)
            yield entries
            if entries != before:
                fresh = {name: entry for name, entry in entries.items() if time.time() < entry[1]}
                os.ftruncate(self._descriptor, 0)
                os.pwrite(self._descriptor, json.dumps(fresh).encode(), 0)
        finally:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN)


cache = TokenCache()
