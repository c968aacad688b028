# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One tenant's file drops on one collector: observe, plan, apply."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import ModuleType
from typing import Any

from .._core.errors import InputError, OnboardingError
from .._host import firewall, openings, selinux
from . import desired, gate, names, result, sshd, system
from .desired import Known, Wanted
from .host import channel, drop, legacy, main, rules, seen, sftp
from .plan import HOST, UPDATE, Change, Item, plan
from .second import SecondSshd
from .sources import Source, checked, tenant_name

CAPABILITY = names.CAPABILITY
LIBRARY: tuple[ModuleType, ...] = (channel, drop, legacy, main, rules, seen, sftp)
HOST_KEYS = ("ed25519", "ecdsa", "rsa")


def library() -> dict[str, str]:
    """The files of the package that takes the files, by name, out of the module's own archive."""
    files = {"__init__.py": ""}
    for module in LIBRARY:
        loader: Any = module.__loader__
        files[f"{module.__name__.rpartition('.')[2]}.py"] = str(loader.get_source(module.__name__))
    return files


def discover(tenant: str, port: int) -> Known:
    """The accounts whose files say that they are ours. port: to see who labelled it in SELinux, 0 for none.

    Raises OnboardingError where the labels cannot be read.
    """
    ours, others, label = [], [], 0
    for path in sorted(glob.glob(f"{names.CONFIGS}/*.json")):
        user = os.path.basename(path)[: -len(".json")]
        try:
            with open(path, encoding="utf-8") as stream:
                data = json.load(stream)
        except (OSError, ValueError):
            others.append(user)  # whoever's it is, what tenants share stays
            continue
        if data.get("tenant") == tenant:
            ours.append((str(data.get("source")), user))
        else:
            others.append(user)
    with suppress(OSError, ValueError), open(names.label_record(tenant), encoding="ascii") as stream:
        label = int(stream.read())
    there = system.SEE["label"](str(port)) if port else None
    return Known(tuple(ours), tuple(others), label, there == {"type": desired.PORT_TYPE})


def wanted(params: Mapping[str, Any]) -> Wanted:
    """Raises InputError."""
    tenant = tenant_name(params["tenant"])
    group, port = params["reader_group"] or "", params["legacy_port"]
    found = checked(params)
    if group and params["state"] == "present" and not system.group_exists(group):
        step = "make the group on the collector first, or leave reader_group out"
        raise InputError("use reader_group", f"there is no group {group}", code="no_group", next_step=step)
    backend = openings.backend() if params["firewall"] else ""
    opened = sshd.openings(found, gate.ports(), port) if backend else ()
    return Wanted(
        tenant=tenant,
        sources=found,
        library=library(),
        python=params["python"],
        reader_group=group,
        retention_days=params["retention_days"],
        min_free_mib=params["min_free_mib"],
        quota_mib=params["quota_mib"],
        max_files=params["max_files"],
        max_sessions=params["max_sessions"],
        legacy_port=port,
        host_keys=[path for kind in HOST_KEYS if os.path.exists(path := f"/etc/ssh/ssh_host_{kind}_key")],
        keep_files=params["keep_files"],
        backend=backend,
        rules=sorted(openings.wanted(backend, names.firewall(tenant), opened)),
        selinux=selinux.runs(),
        exempt=gate.exempt(who.client if (who := gate.login()) else ""),
    )


def own_accounts(tenant: str, found: Sequence[Source]) -> None:
    """Raises InputError where an account is another tenant's: it is neither changed nor removed for this one."""
    owners = system.owners()
    for source in found:
        if owners.get(source.user, tenant) != tenant:
            step = "set another user for the source"
            raise InputError(f"use the account {source.user}", names.TAKEN, code="foreign", next_step=step)


async def run(params: Mapping[str, Any], reporter: Any, redactor: Any, *, check: bool, diff: bool) -> dict[str, Any]:
    """The module scp_target. A part that fails ends the run; what was done until then is in the result."""
    want = wanted(params)
    present = params["state"] == "present"
    targets = [source.name for source in want.sources]
    with system.locked(not check):
        known = discover(want.tenant, want.legacy_port if want.selinux else 0)
        own_accounts(want.tenant, want.sources)
        items = (desired.present if present else desired.absent)(want, known)
        changes = plan(items, system.observe(items))
        blocked = [change for change in changes if change.blocked]
        if check or blocked:
            return result.build(
                targets, changes if check else blocked, check=check, diff=diff, extra={"confirm": False}
            )
        work = Work(want, want.sources if present else (), params["ssh_service"], params["undo_seconds"])
        done: list[Change] = []
        for change in changes:
            try:
                work.apply(change)
            except OnboardingError as error:
                extra = {"confirm": work.armed}
                target = change.item.target
                done = [one for one in done if one not in (*work.second.undone, *work.undone)]
                return result.build(targets, done, check=False, diff=diff, error=error, failed=target, extra=extra)
            done.append(change)
        return result.build(targets, done, check=False, diff=diff, extra={"confirm": work.armed})


class Work:
    """Applies changes, with what has to go before and after some of them."""

    def __init__(self, want: Wanted, kept: Sequence[Source], ssh_service: str, undo_seconds: int) -> None:
        self._sources, self._tenant = kept, want.tenant
        self._service, self._seconds = ssh_service, undo_seconds
        self.armed = False
        self._rules: list[Change] = []  # changes of sshd's files in this run
        self.undone: list[Change] = []
        self.second = SecondSshd(want.tenant, want.legacy_port)
        self._special: dict[str, Callable[[Change], None]] = {
            names.EXEMPT: self._sshd,
            names.drop_in(want.tenant): self._sshd,
            **dict.fromkeys(self.second.keys, self.second.apply),
            firewall.nftables_drop_in(names.firewall(want.tenant)): self._firewall_file,
        }

    def apply(self, change: Change) -> None:
        """Raises OnboardingError."""
        self._special.get(change.item.key, system.apply)(change)

    def _sshd(self, change: Change) -> None:
        """Written, checked, reloaded; whatever fails, the old files come back."""
        before = gate.listeners()
        made = [*self._rules, change]
        if self._seconds:
            gate.arm(made, self._tenant, self._service, self._seconds)
        try:
            system.apply(change)
            gate.check(self._sources)
            gate.reload(self._service, before)
        except OnboardingError:
            for one in reversed(made):
                gate.restore(one.item.key, one.before)
            with suppress(OnboardingError):
                system.run("systemctl", "reload-or-restart", self._service)
            gate.disarm(self._tenant)
            self.undone, self.armed = self._rules, False
            raise
        self._rules = made
        self.armed = bool(self._seconds)

    def _firewall_file(self, change: Change) -> None:
        system.apply(change)
        system.run("systemctl", "daemon-reload")


SETTLE: Mapping[str, Callable[[str], None]] = {"confirmed": gate.disarm, "undone": gate.undo_now}


async def settle(params: Mapping[str, Any], reporter: Any, redactor: Any, *, check: bool, diff: bool) -> dict[str, Any]:
    """The module sshd_change: keep what scp_target did to sshd, or take it back."""
    tenant, undone = tenant_name(params["tenant"]), params["state"] == "undone"
    waits = gate.armed(tenant)
    if waits and not check:
        with system.locked(True):
            SETTLE[params["state"]](tenant)
    # To keep what is there is no change of it.
    item = Item(HOST, "file", names.drop_in(tenant), None)
    made = [Change(item, UPDATE, None, ("undone",))] if waits and undone else []
    return result.build([], made, check=check, diff=False)
