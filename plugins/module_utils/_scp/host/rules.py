# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sender may call a file, and where it may say that the file goes. Pure.

This package runs on the collector as the account of one source, and needs nothing but Python 3.9.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

# No leading dot or hyphen, no separator, blank, control character or quote; «@» and «.» are in AsyncOS names.
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@+=,:%~-]*")
# Under which clients send what they rename when it is whole: WinSCP (.filepart), rclone (.1a2b3c4d.partial), Spring
# (.writing), lftp (.in.NAME), and what many others do.
TEMPORARY = re.compile(r"\.in\..+|.+\.(filepart|part|partial|temp|tmp|writing|uploading)", re.IGNORECASE)
MAX_NAME = 180  # a delivered file has 26 more characters in front, and file systems allow 255
SHOWN = 120

Components = tuple[str, ...]
HOME: Components = ("~",)  # the drop directory is the account's home


class Refused(Exception):
    """What was asked for is not done. code: a short name for logs and verify; text: for the sender."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def shown(raw: bytes | str) -> str:
    """Anything a sender wrote, safe for a log or a terminal: printable ASCII without quotes, of bounded length."""
    text = raw.decode("utf-8", "backslashreplace") if isinstance(raw, bytes) else raw
    plain = text[:SHOWN].encode("unicode_escape").decode("ascii").replace('"', r"\x22")
    return plain if len(text) <= SHOWN else plain + "..."


def temporary(name: str) -> bool:
    """Whether a client will rename a file of this name when it is whole."""
    return bool(TEMPORARY.fullmatch(name))


def file_name(raw: bytes, patterns: Iterable[str] = ("*",), *, final: bool = True) -> str:
    """The name, if it is one that a file may have; raises Refused. final: False where it may be a temporary one."""
    try:
        name = raw.decode("ascii")
    except UnicodeDecodeError:
        raise Refused("name", "file names are plain ASCII here") from None
    if "/" in name or name == "..":
        raise Refused("path", "a file name has no directory here")
    waits = not final and temporary(name)
    if name.startswith(".") and not waits:
        raise Refused("dotfile", "names with a leading dot are not taken")
    if not NAME.fullmatch(name[1:] if waits and name.startswith(".") else name):
        raise Refused("name", "only letters, digits and ._@+=,:%~- are taken in file names")
    if len(name) > MAX_NAME:
        raise Refused("name", f"file names have at most {MAX_NAME} characters here")
    if not waits and not any(fnmatchcase(name, pattern) for pattern in patterns):
        raise Refused("pattern", "files of this name are not collected")
    return name


def components(raw: bytes) -> Components:
    """A path without its empty and «.» parts; raises Refused for what climbs or cannot be shown."""
    parts = tuple(part for part in raw.decode("utf-8", "backslashreplace").split("/") if part not in ("", "."))
    if ".." in parts:
        raise Refused("path", "no path leads out of this directory")
    if any(not part.isprintable() or not part.isascii() for part in parts):
        raise Refused("name", "paths are plain ASCII here")
    return parts


class Paths:
    """The directories as a sender sees them: one drop directory under several names.

    A path of a sender is a label; it is never given to the file system.
    """

    def __init__(self, names: Iterable[str], patterns: Iterable[str] = ("*",)) -> None:
        self._directories = {(), HOME, ("incoming",), *(components(name.encode()) for name in names)}
        self._parents = {path[:depth] for path in self._directories for depth in range(len(path))}
        self._patterns = tuple(patterns)

    def is_directory(self, raw: bytes) -> bool:
        path = components(raw)
        return path in self._directories or path in self._parents

    def name_in(self, raw: bytes, *, final: bool = True) -> str | None:
        """The file's name that a path ends with; None where the path is the drop directory. Raises Refused."""
        path = components(raw)
        if path in self._directories:
            return None
        if path[:-1] not in self._directories or raw.endswith(b"/"):
            raise Refused("path", "there is no such directory here; send to /")
        return file_name(path[-1].encode(), self._patterns, final=final)

    def check(self, raw: bytes) -> str:
        """A bare file name, as it stands in the legacy protocol; raises Refused."""
        return file_name(raw, self._patterns)

    @staticmethod
    def canonical(raw: bytes) -> bytes:
        path = components(raw)
        return b"/" + "/".join(path[1:] if path[:1] == HOME else path).encode()
