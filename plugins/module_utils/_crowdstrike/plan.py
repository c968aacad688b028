# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be done so that one tenant's part of the connector is as wanted. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .._core.errors import InputError, RefusedError
from .._host.changes import DIFFERENT, MISSING, STALE, STOPPED, UNEXPECTED, Change
from .config import edit, values
from .desired import SECRET_KEYS, Cid

MODE = 0o600
# With one offset file events are lost or read twice, with one output they are mixed up, and with one app_id of a client
# two connectors take each other's stream away.
ALONE = (("offset_path",), ("output_path",), ("client_id", "app_id"))
SAME, ANOTHER = "(secret)", "(another secret)"
# A secret where somebody's hand has left it: commented out, or in another section.
STRAY = re.compile(r"^([ \t#;]*(client_secret|http_proxy)[ \t]*=[ \t]*)(\S[^\r\n]*)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class File:
    """Content, mode and owner of a configuration file; "" as content where it could not be made yet."""

    content: str
    mode: int
    owner: int


@dataclass(frozen=True)
class Service:
    """start_at_boot and running: of the one service that all tenants share."""

    start_at_boot: bool = False
    running: bool = False


@dataclass(frozen=True)
class Observed:
    """What the host shows.

    files: every configuration file of the host by path, those of other tenants included.
    worked: the files with which this tenant's CIDs last had a heartbeat, by path, and the package's version then.
    version: the package's, "" when it is not installed. offsets: the offset files of the tenant that exist.
    shipped_in_use: the shipped file that somebody has put a client into, "" for none.
    """

    files: Mapping[str, File] = field(default_factory=dict)
    worked: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    version: str = ""
    service: Service = Service()
    offsets: tuple[str, ...] = ()
    shipped_in_use: str = ""


def mark(tenant: str) -> str:
    """The first words of a file of this tenant."""
    return f"# Made by mssp.onboarding for {tenant}, from "


def render(tenant: str, cid: Cid, shipped: str) -> str:
    """The CID's file: the shipped one, with our mark on top and single keys changed.

    Raises InputError for an event type that this version of the connector does not know.
    """
    wanted = {section: dict(keys) for section, keys in cid.keys.items()}
    if cid.event_types is not None:
        known = values(shipped, "EventTypeCollection")
        unknown = [name for name in cid.event_types if name not in known]
        if unknown:
            raise InputError(
                f"use CID «{cid.name}»",
                f"this version of the connector has no event type {', '.join(unknown)}; it has {', '.join(known)}",
                next_step="correct event_types in the tenant file",
            )
        chosen = set(cid.event_types)
        wanted["EventTypeCollection"] = {name: "true" if name in chosen else "false" for name in known}
    return f"{mark(tenant)}{cid.sample}; changes by hand are put back\n{edit(shipped, wanted)}"


def secrets_in(text: str) -> list[str]:
    """The secrets that a file holds; of a proxy the password by itself, too, since a log may tell it so."""
    held = [(key, values(text, section).get(key, "")) for section, key in SECRET_KEYS]
    found = [value for key, value in held if _secret(key, value)]
    return found + [
        password for value in found if "@" in value and (password := value.rpartition("@")[0].rpartition(":")[2])
    ]


def _secret(key: str, value: str) -> bool:
    return bool(value) and (key != "http_proxy" or "@" in value)


def masked(before: str, after: str) -> tuple[str, str]:
    """Both texts as a diff may show them: secrets hidden, and a secret that changes told from one that does not."""
    return _hidden(before, after, SAME), _hidden(after, before, ANOTHER)


def _hidden(text: str, other: str, if_different: str) -> str:
    hidden: dict[str, dict[str, str]] = {}
    for section, key in SECRET_KEYS:
        value = values(text, section).get(key, "")
        if _secret(key, value):
            same = value == values(other, section).get(key)
            hidden.setdefault(section, {})[key] = SAME if same else if_different
    return STRAY.sub(_masked_stray, edit(text, hidden))


def _masked_stray(found: re.Match[str]) -> str:
    shown = found[3].strip() in (SAME, ANOTHER) or not _secret(found[2].lower(), found[3].strip())
    return found[0] if shown else f"{found[1]}{SAME}"


def plan(
    tenant: str, wanted: Mapping[str, File], observed: Observed, service: str, *, remove_offsets: bool = False
) -> list[Change]:
    """Changes in the order in which they are made. Nothing wanted: all of the tenant's goes.

    Raises RefusedError where a wanted path holds a file that is not ours, or somebody's stream would end or be shared.
    """
    if wanted and observed.shipped_in_use and not observed.files:
        raise _would_end(observed.shipped_in_use)
    ours = [
        path
        for path, file in observed.files.items()
        if path in observed.worked or file.content.startswith(mark(tenant))
    ]
    others = {path: file for path, file in observed.files.items() if path not in ours and path not in wanted}
    changes = []
    for path, file in wanted.items():
        _alone(path, file, others)
        found = observed.files.get(path)
        if found is None:
            changes.append(Change("config", path, "create", MISSING))
        elif path not in ours:
            raise _foreign(path)
        elif found != file:
            changes.append(Change("config", path, "update", DIFFERENT))
    changes += [Change("config", path, "delete", UNEXPECTED) for path in sorted(ours) if path not in wanted]
    changes += _service(wanted, observed, changes, service, others=len(observed.files) > len(ours))
    if remove_offsets and not wanted:
        changes += [Change("offsets", path, "delete", UNEXPECTED) for path in observed.offsets]
    return changes


def _foreign(path: str) -> RefusedError:
    return RefusedError(
        f"write {path}; nothing was changed",
        "there is a file that this collection did not make",
        code="foreign",
        next_step="move it away, or give this CID another name",
    )


def _alone(path: str, file: File, others: Mapping[str, File]) -> None:
    settings = values(file.content, "Settings")
    for other, found in others.items():
        theirs = values(found.content, "Settings")
        for keys in ALONE:
            if all(settings.get(key) and settings[key] == theirs.get(key) for key in keys):
                raise RefusedError(
                    f"write {path}; nothing was changed",
                    f"{other} has the same {keys[-1]}, {settings[keys[-1]]}",
                    code="shared",
                    next_step=f"give this CID another {keys[-1]}",
                )


def _would_end(path: str) -> RefusedError:
    """assumed: with a file in CONFIGS the service no longer reads the shipped one."""
    return RefusedError(
        "add the first configuration of this host; nothing was changed",
        f"{path} holds a client, and its stream would end",
        code="foreign",
        next_step="make that client a CID of this role, and empty client_id in that file",
    )


def _service(
    wanted: Mapping[str, File], observed: Observed, changes: Iterable[Change], service: str, *, others: bool
) -> list[Change]:
    """One service reads the files of all tenants: it stops only when no file is left."""
    found = observed.service
    if wanted and not (found.start_at_boot and found.running):
        return [Change("service", service, "update" if found.start_at_boot else "create", STOPPED)]
    if wanted and not list(changes) and any(_stale(path, file, observed) for path, file in wanted.items()):
        return [Change("service", service, "update", STALE)]
    if not wanted and not others and (found.start_at_boot or found.running) and list(changes):
        return [Change("service", service, "delete", UNEXPECTED)]
    return []


def _stale(path: str, file: File, observed: Observed) -> bool:
    """Nothing says that the connector has worked with this file and this version of the package."""
    return observed.worked.get(path) != (file.content, observed.version)
