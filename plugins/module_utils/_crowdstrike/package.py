# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connector's package on the host: which is there, which is wanted, and the change; deb and rpm.

The package comes as a file with a checksum, since the vendor offers it behind a login only. The name of the package
is not known for sure, so the one that owns the connector's program is taken for it.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import tempfile
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ansible.module_utils.urls import open_url

from .._core.errors import InputError, NoAnswerError, RefusedError
from .._host import commands
from .._host.changes import DIFFERENT, MISSING, UNEXPECTED, Change, changed
from . import checks, config, memory, system
from .catalog import BINARY, CAPABILITY, MAIN_FILE, SAMPLES

DOWNLOAD_SECONDS = 300
NOT_OWNED = (1, 127)  # no package has it; there is no such package manager


class Tool(NamedTuple):
    """Commands of a package manager. inspect prints name, version and architecture of a file, a line each."""

    magic: bytes
    owner: tuple[str, ...]
    version: tuple[str, ...]
    inspect: tuple[str, ...]
    install: tuple[str, ...]
    remove: tuple[str, ...]


# force-confold: what somebody has edited in a shipped file stays, and nothing asks. remove, not purge: the offsets of
# what was read lie among the package's logs.
TOOLS = {
    "deb": Tool(
        b"!<arch>\n",
        ("dpkg-query", "--search", BINARY),
        ("dpkg-query", "--show", "--showformat=${Version}"),
        ("dpkg-deb", "--show", "--showformat=${Package}\n${Version}\n${Architecture}"),
        ("dpkg", "--force-confold", "--force-confdef", "--install"),
        ("dpkg", "--remove"),
    ),
    "rpm": Tool(
        b"\xed\xab\xee\xdb",
        ("rpm", "--query", "--queryformat", "%{NAME}: \n", "--file", BINARY),
        ("rpm", "--query", "--queryformat", "%{VERSION}-%{RELEASE}"),
        ("rpm", "--query", "--queryformat", "%{NAME}\n%{VERSION}-%{RELEASE}\n%{ARCH}", "--package"),
        ("rpm", "--upgrade", "--oldpackage"),
        ("rpm", "--erase"),
    ),
}


class Installed(NamedTuple):
    """The package that owns the connector's program."""

    kind: str
    name: str
    version: str


def find() -> Installed | None:
    """None where no package owns the program. Raises RefusedError where a package manager cannot say."""
    for kind, tool in TOOLS.items():
        said = commands.run(*tool.owner)
        if said.code not in (0, *NOT_OWNED):
            text = (said.err or said.out).strip()[-2000:]
            raise RefusedError(f"ask {tool.owner[0]} who owns {BINARY}", text, code=f"exit_{said.code}")
        if said.code == 0 and ":" in said.out:
            name = said.out.split(":")[0].strip()
            return Installed(kind, name, commands.must(f"read the version of {name}", *tool.version, name).strip())
    return None


def installed() -> str:
    """The version that is installed, "" for none."""
    found = find()
    return found.version if found else ""


def numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def same(pinned: str, version: str) -> bool:
    """A pin may leave out the end of a version: 2.29.0 is 2.29.0-1, too."""
    wanted = numbers(pinned)
    return bool(wanted) and numbers(version)[: len(wanted)] == wanted


def plan(found: Installed | None, pinned: str, policy: str) -> list[Change]:
    """What to do about the package. pinned: "" takes whatever is there. Pure.

    Raises RefusedError where it is missing and none is given, or the policy forbids the change.
    """
    if found is None and not pinned:
        raise RefusedError(
            "find the connector's package",
            "it is not installed, and none is given",
            code="not_installed",
            next_step="set falcon_siem_connector_package, _version and _sha256",
        )
    if found is None:
        return [Change("package", pinned, "create", MISSING)]
    if not pinned or same(pinned, found.version):
        return []
    newer = numbers(pinned) > numbers(found.version)
    if policy == "any" or (policy == "upgrade" and newer):
        return [Change("package", pinned, "update", DIFFERENT)]
    kind, wanted = ("an upgrade", "upgrade") if newer else ("a downgrade", "any")
    raise RefusedError(
        f"change the package {found.name} from {found.version} to {pinned}; nothing was changed",
        f"this is {kind}, and falcon_siem_connector_version_change is {policy}",
        code="version_change_refused",
        next_step=f"set falcon_siem_connector_version_change to {wanted}, or pin the version that is installed",
    )


async def run(params: Mapping[str, Any], _reporter: Any, _redactor: Any, *, check: bool, diff: bool) -> dict[str, Any]:
    """The engine of falcon_connector_package. Raises OnboardingError; nothing is installed then."""
    with system.locked(not check):
        found = find()
        changes = _removal(found) if params["state"] == "absent" else _wanted(found, params)
        if changes and not check:
            _apply(found, changes[0], params)
    told = changed(CAPABILITY, changes, check=check, nothing="The package is as wanted.")
    if diff:
        before = f"{found.name} {found.version}\n" if found else ""
        after = "" if params["state"] == "absent" else f"{params['version']}\n"
        told["diff"] = [{"before": before, "after": after if changes else before}]
    return {**told, "package": found._asdict() if found else {}}


def _wanted(found: Installed | None, params: Mapping[str, Any]) -> list[Change]:
    given = [name for name in ("version", "sha256") if params[name]]
    if len(given) == 1:
        raise InputError(f"use {given[0]}", "version and sha256 are given together or not at all")
    if params["sha256"] and not re.fullmatch(r"[0-9a-fA-F]{64}", params["sha256"]):
        raise InputError("use sha256", "expected 64 hexadecimal digits")
    if "://" in params["src"] and "@" in urlsplit(params["src"]).netloc:
        step = "put them into the .netrc of root on the host, or give the package as a file"
        raise InputError("use src", "its URL holds a user or password, which outputs would show", next_step=step)
    checks.machine(system.machine())
    checks.system(system.os_release(), params["allow_unsupported_os"])
    if params["require_time_sync"]:
        checks.clock(system.synchronised())
    changes = plan(found, params["version"], params["version_change"])
    if changes and not params["src"]:
        raise InputError("install the package", "falcon_siem_connector_package (src) is needed for it")
    return changes


def _removal(found: Installed | None) -> list[Change]:
    """Only what was installed here by us, and only when no tenant's file and no client in a shipped file needs it."""
    if found is None or not memory.installed_by_us() or system.configs() or shipped_in_use():
        return []
    return [Change("package", found.name, "delete", UNEXPECTED)]


def shipped_in_use() -> str:
    """The file that the service reads where there is no other, if somebody has put a client into it; else ""."""
    path = f"{SAMPLES}/{MAIN_FILE}"
    file = system.read(path)
    return path if file and config.values(file.content, "Settings").get("client_id") else ""


def _apply(found: Installed | None, change: Change, params: Mapping[str, Any]) -> None:
    if change.action == "delete" and found:
        commands.must(f"remove the package {found.name}", *TOOLS[found.kind].remove, found.name)
        memory.forget_package()
        return
    with tempfile.TemporaryDirectory(prefix="mssp-falcon-") as folder:
        path = os.path.join(folder, "package")
        tool = _checked(_content(params["src"]), params["sha256"], path)
        _install(tool, path, params["version"])
    if found is None:
        memory.remember_package()


def _content(source: str) -> bytes:
    """The package out of a file of this host, or from a URL. Raises NoAnswerError."""
    try:
        if "://" in source:
            return bytes(open_url(source, timeout=DOWNLOAD_SECONDS).read())
        with open(source, "rb") as file:
            return file.read()
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswerError(f"read {source}", str(error) or repr(error)) from error


def _checked(content: bytes, wanted: str, path: str) -> Tool:
    """Write the package to the path if its sum is the wanted one, and give the tool for it. Raises RefusedError."""
    found = hashlib.sha256(content).hexdigest()
    if found != wanted.lower():
        raise RefusedError(
            "take the package; nothing was changed",
            f"its SHA-256 is {found}, not {wanted.lower()}",
            code="wrong_checksum",
            next_step="fetch the package again from the Falcon console, and compare the sum shown there",
        )
    tool = next((tool for tool in TOOLS.values() if content.startswith(tool.magic)), None)
    if tool is None:
        raise RefusedError("take the package; nothing was changed", "it is neither a deb nor an rpm", code="no_package")
    with open(path, "wb") as file:
        file.write(content)
    return tool


def _install(tool: Tool, path: str, pinned: str) -> None:
    """Raises RefusedError where the file is of another version than the pinned one, or the tool does not take it."""
    name, version, machine = commands.must("read the package", *tool.inspect, path).split("\n")[:3]
    if not same(pinned, version):
        raise RefusedError(
            "install the package; nothing was changed",
            f"it is {name} {version} for {machine}, not the pinned version {pinned}",
            code="other_version",
            next_step="correct falcon_siem_connector_version or the package",
        )
    commands.must(f"install {name} {version}", *tool.install, path)
