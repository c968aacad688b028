# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory of what was delivered, by which a second delivery is known: one file, of bounded size.

A file per delivery would let a stolen key use up the inodes of the whole file system where a reader empties ready/.
"""

from __future__ import annotations

import os

DIGEST_BYTES = 32
MOST = 200_000  # deliveries; then the older half is forgotten
FILE = "delivered"


class Seen:
    """Digests, oldest first. folder: descriptor of where the file lies. Whoever calls holds the lock of the drop."""

    def __init__(self, folder: int) -> None:
        self._folder = folder

    def _open(self, name: str, flags: int) -> int:
        return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=self._folder)

    def _read(self) -> bytes:
        try:
            descriptor = self._open(FILE, os.O_RDONLY)
        except FileNotFoundError:
            return b""
        with os.fdopen(descriptor, "rb") as stream:
            found = stream.read(MOST * DIGEST_BYTES)
        return found[: len(found) - len(found) % DIGEST_BYTES]  # the last one may have been cut by a full disk

    def __contains__(self, digest: bytes) -> bool:
        known, at = self._read(), -1
        while (at := known.find(digest, at + 1)) >= 0:
            if at % DIGEST_BYTES == 0:
                return True
        return False

    def add(self, digest: bytes) -> None:
        """Raises OSError where there is no room for it."""
        known = self._read()
        if len(known) >= MOST * DIGEST_BYTES:
            self._forget(known[len(known) // (2 * DIGEST_BYTES) * DIGEST_BYTES :])
        descriptor = self._open(FILE, os.O_WRONLY | os.O_CREAT)
        try:
            end = os.fstat(descriptor).st_size // DIGEST_BYTES * DIGEST_BYTES
            os.pwrite(descriptor, digest, end)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _forget(self, kept: bytes) -> None:
        descriptor = self._open(f"{FILE}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(kept)
            stream.flush()
            os.fsync(descriptor)
        os.rename(f"{FILE}.new", FILE, src_dir_fd=self._folder, dst_dir_fd=self._folder)
