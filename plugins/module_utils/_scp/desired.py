# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that a tenant's sources need on a collector, as items. Pure."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .._host import firewall
from . import names, sshd
from .plan import HOST, Item, State
from .sources import MIB, Source

ROOT = {"owner": "root", "group": "root"}
LAUNCHER = """\
#!{python} -I
# Made by mssp.onboarding, role scp_target: the login shell and forced command of the accounts that take files.
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, "{library}")
from {package}.main import main

main()
"""
PORT_TYPE = "ssh_port_t"


@dataclass(frozen=True)
class Wanted:
    """A tenant's options, checked.

    library: the files of the package that takes the files, by name. backend, rules: the host's firewall, and what
    opens it for the sources. selinux: whether it runs. exempt: the file with those whom sshd gives no penalties, "" for
    none.
    """

    tenant: str
    sources: Sequence[Source]
    library: Mapping[str, str]
    python: str
    reader_group: str
    retention_days: int
    min_free_mib: int
    quota_mib: int
    max_files: int
    max_sessions: int
    legacy_port: int
    host_keys: Sequence[str]
    keep_files: bool = True
    backend: str = ""
    rules: Sequence[str] = ()
    selinux: bool = False
    exempt: str = ""


@dataclass(frozen=True)
class Known:
    """What is on the host already. sources: (source, user) of this tenant; others: accounts of other tenants.

    label: the port that an earlier run labelled in SELinux, 0 for none; labelled: whether sshd may have the legacy
    port there.
    """

    sources: tuple[tuple[str, str], ...] = ()
    others: tuple[str, ...] = ()
    label: int = 0
    labelled: bool = False


def _file(target: str, path: str, content: str, mode: str = "0644", group: str = "root") -> Item:
    return Item(target, "file", path, {"content": content, "mode": mode, "owner": "root", "group": group})


def _folder(target: str, path: str, mode: str, owner: str = "root", group: str = "root") -> Item:
    return Item(target, "folder", path, {"mode": mode, "owner": owner, "group": group})


def present(wanted: Wanted, known: Known) -> list[Item]:
    """What is to be there, and what is to go because its source is no longer wanted."""
    users = {source.user for source in wanted.sources}
    named = {source.name for source in wanted.sources}
    stale = [(name, user) for name, user in known.sources if user not in users]
    return [
        *_shared(wanted),
        *(item for source in wanted.sources for item in _source(wanted, source)),
        *_tenant(wanted, known),
        *_firewall(wanted),
        *(item for name, user in stale for item in _retired(wanted, name, user, with_files=name not in named)),
    ]


def absent(wanted: Wanted, known: Known) -> list[Item]:
    """What is to go: everything of the tenant, and what tenants share when no other is left."""
    tenant, unit = wanted.tenant, names.legacy_unit(wanted.tenant)
    items = [
        *_firewall_closed(tenant),
        Item(HOST, "file", names.drop_in(tenant), None),
        Item(HOST, "unit", unit, None),
        Item(HOST, "file", names.unit_file(unit), None),
        Item(HOST, "file", names.legacy_config(tenant), None),
        Item(HOST, "file", names.tmpfiles(tenant), None),
        *_label(tenant, known, 0),
    ]
    for name, user in sorted({*known.sources, *((source.name, source.user) for source in wanted.sources)}):
        items += _retired(wanted, name, user)
    library = f"{names.LIBRARY}/{names.PACKAGE}"
    shared = [
        *(Item(HOST, "file", f"{library}/{name}", None) for name in wanted.library),
        Item(HOST, "file", names.LAUNCHER, None),
        Item(HOST, "file", names.EXEMPT, None),
    ]
    folders = [names.CONFIGS, names.ETC, names.KEYS, library, names.LIBRARY, f"{names.SPOOL}/{tenant}", names.SPOOL]
    return [
        *items,
        *([] if known.others else shared),
        *(Item(HOST, "emptied", folder, {"entries": []}) for folder in folders),
    ]


def _shared(wanted: Wanted) -> list[Item]:
    library = f"{names.LIBRARY}/{names.PACKAGE}"
    launcher = LAUNCHER.format(python=wanted.python, library=names.LIBRARY, package=names.PACKAGE)
    return [
        *(_folder(HOST, path, "0755") for path in (names.LIBRARY, library, names.ETC, names.KEYS)),
        _folder(HOST, names.CONFIGS, "0711"),
        *(_folder(HOST, path, "0711") for path in (names.SPOOL, f"{names.SPOOL}/{wanted.tenant}")),
        *(_file(HOST, f"{library}/{name}", text) for name, text in sorted(wanted.library.items())),
        _file(HOST, names.LAUNCHER, launcher, "0755"),
    ]


def _account(wanted: Wanted, source: Source) -> State:
    return {
        "home": names.base(wanted.tenant, source.name),
        "shell": names.LAUNCHER,
        "comment": names.comment(wanted.tenant, source.name),
        "password": "*",  # none fits, and the account is not «locked», which sshd would refuse
    }


def _source(wanted: Wanted, source: Source) -> list[Item]:
    name, user, base = source.name, source.user, names.base(wanted.tenant, source.name)
    reader = wanted.reader_group or user
    return [
        Item(name, "account", user, _account(wanted, source)),
        _folder(name, base, "0711"),
        _folder(name, f"{base}/incoming", "2700", user, reader),
        _folder(name, f"{base}/ready", "2750", user, reader),
        _folder(name, f"{base}/state", "0700", user, user),
        _file(name, names.config(user), config(wanted, source), "0640", user),
        _file(name, names.keys(user), sshd.keys_file(wanted.tenant, source)),
    ]


def config(wanted: Wanted, source: Source) -> str:
    """What host.drop.Config reads."""
    data = {
        "tenant": wanted.tenant,
        "source": source.name,
        "base": names.base(wanted.tenant, source.name),
        "directories": list(source.directories),
        "names": list(source.patterns),
        "max_file_bytes": source.max_file_bytes,
        "min_free_bytes": wanted.min_free_mib * MIB,
        "quota_bytes": wanted.quota_mib * MIB,
        "max_files": wanted.max_files,
        "max_sessions": wanted.max_sessions,
    }
    return json.dumps(data, indent=2) + "\n"


def _tenant(wanted: Wanted, known: Known) -> list[Item]:
    tenant, sources = wanted.tenant, wanted.sources
    old = [source for source in sources if source.legacy_transport] if wanted.legacy_port else []
    unit = names.legacy_unit(tenant)
    items = [
        _optional(names.tmpfiles(tenant), tmpfiles(wanted)),
        _optional(names.drop_in(tenant), sshd.drop_in(tenant, sources) if sources else ""),
        _optional(names.EXEMPT, wanted.exempt),
        *_label(tenant, known, wanted.legacy_port if old and wanted.selinux else 0),
    ]
    if not old:
        return [
            *items,
            Item(HOST, "unit", unit, None),
            Item(HOST, "file", names.unit_file(unit), None),
            Item(HOST, "file", names.legacy_config(tenant), None),
        ]
    return [
        *items,
        _file(HOST, names.legacy_config(tenant), sshd.legacy_config(tenant, old, wanted.legacy_port, wanted.host_keys)),
        _file(HOST, names.unit_file(unit), sshd.legacy_unit(tenant)),
        Item(HOST, "unit", unit, {"enabled": True, "active": True}),
    ]


def _label(tenant: str, known: Known, port: int) -> list[Item]:
    """The port of the second sshd in SELinux, 0 for none. One that somebody else labelled so stays without a record."""
    gone = [Item(HOST, "label", str(known.label), None)] if known.label not in (0, port) else []
    ours = port and (port == known.label or not known.labelled)
    record = _optional(names.label_record(tenant), f"{port}\n" if ours else "")
    return [*gone, record, *([Item(HOST, "label", str(port), {"type": PORT_TYPE})] if port else [])]


def _firewall(wanted: Wanted) -> list[Item]:
    """nftables.service forgets rules that it did not load, so it is told to run a script after that."""
    if not wanted.rules:
        return _firewall_closed(wanted.tenant)
    label, script = names.firewall(wanted.tenant), names.firewall_script(wanted.tenant)
    drop_in = firewall.nftables_drop_in(label)
    kept = [
        _file(HOST, script, firewall.nftables_script(label, wanted.rules), "0755"),
        _folder(HOST, os.path.dirname(drop_in), "0755"),
        _file(HOST, drop_in, firewall.nftables_drop_in_text(script)),
    ]
    rules = Item(HOST, "openings", label, {"rules": list(wanted.rules)})
    return [*kept, rules] if wanted.backend == "nftables" else [rules]


def _firewall_closed(tenant: str) -> list[Item]:
    label = names.firewall(tenant)
    drop_in = firewall.nftables_drop_in(label)
    return [
        Item(HOST, "openings", label, None),
        Item(HOST, "file", drop_in, None),
        Item(HOST, "emptied", os.path.dirname(drop_in), {"entries": []}),
        Item(HOST, "file", names.firewall_script(tenant), None),
    ]


def _optional(path: str, content: str) -> Item:
    return _file(HOST, path, content) if content else Item(HOST, "file", path, None)


def tmpfiles(wanted: Wanted) -> str:
    """Ages out what was collected (tmpfiles.d(5))."""
    ready = [f"{names.base(wanted.tenant, source.name)}/ready" for source in wanted.sources if wanted.retention_days]
    lines = [f"e {folder} - - - {wanted.retention_days}d\n" for folder in ready]
    return sshd.NOTE.format(tenant=wanted.tenant) + "".join(lines) if lines else ""


def _retired(wanted: Wanted, name: str, user: str, *, with_files: bool = True) -> list[Item]:
    """with_files: False for a source that goes on under another account."""
    base = names.base(wanted.tenant, name)
    account = [
        Item(name, "file", names.keys(user), None),
        Item(name, "account", user, None),
        Item(name, "file", names.config(user), None),
    ]
    if not with_files:
        return account
    data = [Item(name, "tree", f"{base}/{part}", None) for part in ("incoming", "state")]
    if wanted.keep_files:
        data.append(Item(name, "closed", f"{base}/ready", {"owner": "root"}))
        data.append(Item(name, "emptied", f"{base}/ready", {"entries": []}))
    else:
        data.append(Item(name, "tree", f"{base}/ready", None))
    return [*account, *data, Item(name, "emptied", base, {"entries": []})]
