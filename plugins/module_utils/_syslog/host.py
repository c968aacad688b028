# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings one tenant's receiver on this host to what is wanted: stage, check, swap, restart, probe, or all back."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pkgutil
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from typing import Any

from .._core.errors import OnboardingError, RefusedError
from .._host import commands, firewall, openings, selinux, sockets
from .._host.changes import UNEXPECTED, Change, changed
from . import files as wanted_files
from . import guard, model, places, system, tls
from .files import File
from .layout import Layout
from .plan import Observed, plan

CAPABILITY = "syslog_target"
PROBE_SECONDS = 15
NOT_BOUND = re.compile(r"\bbind|already in use|could not create tcp listener", re.IGNORECASE)


async def run(params: Mapping[str, Any], _reporter: Any, _redactor: Any, *, check: bool, diff: bool) -> dict[str, Any]:
    """The module's engine. Raises OnboardingError; the host is then as it was before."""
    receiver = model.receiver(params)
    if params["state"] == "present":
        places.check(receiver)
    with system.locked(not check):
        engine = Engine(receiver, Layout(receiver.tenant), present=params["state"] == "present")
        changes = engine.plan()
        unsigned = tls.lacking(receiver, engine.layout, [one.target for one in changes if one.kind == "certificate"])
        if unsigned and not check:
            asked = changed(CAPABILITY, [], check=check, nothing="The control node has certificates to sign.")
            return {**asked, "requests": tls.requests(receiver, engine.layout, unsigned)}
        # Checked also where nothing changes on disk: only a whole tree says whether rsyslog takes it.
        if engine.present and changes:
            engine.check_staged(check)
        if changes and not check:
            engine.apply(changes)
        result = changed(CAPABILITY, changes, check=check, nothing="The receiver is as wanted.")
        if diff:
            result["diff"] = engine.diff(changes)
        return result


class Engine:
    """One tenant's receiver, as wanted and as found."""

    def __init__(self, receiver: model.Receiver, layout: Layout, present: bool) -> None:
        self.receiver, self.layout, self.present = receiver, layout, present
        self.backend = openings.backend()
        guard_text = (pkgutil.get_data(__package__ or "", "guard.py") or b"").decode()
        self.files: dict[str, File] = {}
        if present:
            self.files = wanted_files.wanted(receiver, layout, sys.executable, guard_text, self.backend)
        self.all_units = (layout.unit, f"{layout.guard_unit}.timer")
        self.units = self.all_units if present else ()
        self.rules = openings.wanted(self.backend, layout.label, receiver.openings if present else ())
        ports = receiver.ports if present else frozenset()
        self.labels, self.labelled = selinux.observe(ports, layout.labels)
        self.observed = self._observe()

    def _observe(self) -> Observed:
        paths = {*self.files, *self._made_before()}
        found = {path: content for path in paths for content in [system.read(path)] if content is not None}
        units = {}
        for unit in self.all_units:
            enabled = commands.run("systemctl", "is-enabled", unit).out.strip() == "enabled"
            units[unit] = (enabled, commands.run("systemctl", "is-active", unit).out.strip() == "active")
        applied = system.read(self.layout.applied)
        return Observed(
            files=found,
            units=units,
            openings=openings.present(self.backend, self.layout.label),
            labels=self.labelled,
            certificates=tuple(tls.needed(self.receiver, self.layout)) if self.present else (),
            fresh=applied is not None and applied[0] == self._digest(),
        )

    def _made_before(self) -> Iterable[str]:
        """Files of ours by place, so that one that is no longer wanted is found without a list of what was made."""
        tenant, layout = self.receiver.tenant, self.layout
        places = [
            f"/etc/logrotate.d/mssp-syslog-{tenant}",
            *(f"{wanted_files.UNITS}/{unit}" for unit in (*self.all_units, f"{layout.guard_unit}.service")),
            firewall.nftables_drop_in(layout.label),
        ]
        # Made certificates are judged by what they say; those of a peer that is no longer named are leftovers.
        made = tls.wanted(self.receiver, layout) if self.present else []
        kept = {*made, *(tls.key(layout, path) for path in made)}
        for folder, _folders, names in os.walk(layout.config):
            places += [path for name in names if (path := os.path.join(folder, name)) not in kept]
        return places

    def plan(self) -> list[Change]:
        changes = plan(self.files, self.units, self.rules, self.observed, self.labels)
        if not self.present and self.receiver.options["purge_records"] and os.path.isdir(self.layout.storage):
            changes.append(Change("records", self.layout.storage, "delete", UNEXPECTED))
        return changes

    def diff(self, changes: list[Change]) -> list[dict[str, str]]:
        """Files as unified diffs can show them; secret ones by name only."""
        shown = []
        for change in changes:
            file = self.files.get(change.target)
            secret = change.kind == "certificate" or change.target.startswith(self.layout.tls)
            before = self.observed.files.get(change.target, ("", 0))[0]
            after = file.content if file else ("" if change.action == "delete" else f"{change.action}\n")
            if secret:
                before, after = ("(a secret)\n" if before else ""), ("(a new secret)\n" if after else "")
            shown.append(
                {"before_header": change.target, "after_header": change.target, "before": before, "after": after}
            )
        return shown

    def _digest(self) -> str:
        """Of all that rsyslogd reads at start."""
        parts = [
            f"{path}\n{file.content}" for path, file in self.files.items() if wanted_files.restarts(path, self.layout)
        ]
        return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()

    # --- check

    def check_staged(self, check: bool) -> None:
        """rsyslogd -N1 on the whole tree, with the certificates and the table that it names.

        In check mode packages may still be missing; then nothing can judge the tree yet. Raises RefusedError in
        rsyslog's words.
        """
        if check and commands.run("rsyslogd", "-v").code == 127:
            return
        with tempfile.TemporaryDirectory(prefix="mssp-syslog-") as staging:
            tree = Layout(self.receiver.tenant)
            text = self.files[tree.main_file].content
            for real, staged in ((tree.config, f"{staging}/config"), (tree.work, f"{staging}/work")):
                text = text.replace(f"{real}/", f"{staged}/")
            for folder in ("config/tls", "work/queues"):
                os.makedirs(f"{staging}/{folder}")
            self._stage_certificates(f"{staging}/config/tls")
            system.write(f"{staging}/work/guard-table.json", guard.table(0), 0o600)
            system.write(f"{staging}/config/rsyslog.conf", text, 0o600)
            said = commands.run("rsyslogd", "-N1", "-f", f"{staging}/config/rsyslog.conf")
            words = said.err.replace(f"{staging}/config", tree.config).replace(f"{staging}/work", tree.work)
        if check and "could not load module" in words:
            return
        if said.code or "error" in words:
            raise RefusedError(
                f"check the configuration of tenant {self.receiver.tenant}; nothing was changed",
                _errors(words) or f"rsyslogd -N1 ended with {said.code}",
                code="config_invalid",
                next_step="correct the sources or outputs that rsyslog names",
            )

    def _stage_certificates(self, folder: str) -> None:
        for name in ("ca", "cert", "key"):
            path = f"{self.layout.tls}/{name}.pem"
            found = self.files.get(path)
            content = found.content if found else (system.read(path) or ("", 0))[0]
            system.write(f"{folder}/{name}.pem", content, 0o600)

    # --- apply

    def apply(self, changes: list[Change]) -> None:
        """Make the changes; on any failure put back what was there, and say why in rsyslog's own words."""
        if not self.present:
            self._remove(changes)
            return
        before = {path: system.read(path) for change in changes for path in self._written(change)}
        try:
            self._prepare()
            # Early, so that a roll-back takes back no label but ours.
            selinux.change(self.layout.labels, self.labels, self.labelled)
            tls.make(self.receiver, self.layout, [change.target for change in changes if change.kind == "certificate"])
            for change in changes:
                if change.kind == "file":
                    self._put(change.target, self.files.get(change.target))
            self._start(changes)
            self._open()
            system.remove_tree(self.layout.requests)
            system.write(self.layout.applied, self._digest(), 0o600)
        except (OnboardingError, OSError) as error:
            self._roll_back(before)
            if isinstance(error, OnboardingError):
                raise
            raise RefusedError(f"write the receiver of tenant {self.receiver.tenant}", str(error)) from error

    def _written(self, change: Change) -> tuple[str, ...]:
        """Files that making the change writes."""
        if change.kind == "certificate":
            return (change.target, tls.key(self.layout, change.target))
        return (change.target,) if change.kind == "file" else ()

    def _open(self) -> None:
        openings.change(self.backend, self.layout.label, self.rules, self.observed.openings)

    def _prepare(self) -> None:
        system.make_parent()
        for folder in (self.layout.work, self.layout.queues, self.layout.storage, f"{self.layout.storage}/_collector"):
            os.makedirs(folder, mode=0o750, exist_ok=True)
        if system.read(self.layout.table) is None:
            system.write(self.layout.table, guard.table(0), 0o600)

    def _put(self, path: str, file: File | None) -> None:
        if file is None:
            system.remove(path)
        else:
            system.write(path, file.content, file.mode)

    def _start(self, changes: list[Change]) -> None:
        commands.must("read the units", "systemctl", "daemon-reload")
        unit, timer = self.all_units
        mark = _size(self.layout.own_log)
        files = [change.target for change in changes if change.kind in ("file", "certificate")]
        active = self.observed.units[unit][1] and self.observed.fresh
        if not active or any(wanted_files.restarts(path, self.layout) for path in files):
            since = str(int(time.time()))
            said = commands.run("systemctl", "restart", unit)
            self._probe(mark, since, said.err)
        commands.must("start the receiver at boot", "systemctl", "enable", "--quiet", unit)
        commands.must("start the disk guard", "systemctl", "enable", "--now", "--quiet", timer)

    def _probe(self, mark: int, since: str, words: str) -> None:
        """Until the receiver has every port open, and is the same process a second later."""
        wanted = {(source.protocol, port) for source in self.receiver.sources for port in source.ports}
        until = time.monotonic() + PROBE_SECONDS
        missing, pids = wanted, [0]
        while time.monotonic() < until:
            pids.append(int(commands.run("systemctl", "show", "--value", "-p", "MainPID", self.layout.unit).out or 0))
            missing = wanted - sockets.bound(pids[-1]) if pids[-1] else wanted
            refused = [line for line in _tail(self.layout.own_log, mark).splitlines() if NOT_BOUND.search(line)]
            if refused:  # perhaps one address family only, and the port counts as open by the other
                break
            if pids[-1] and not missing and pids[-1] == pids[-2]:
                return
            if len(pids) > 5 and (not pids[-1] or _errors(_tail(self.layout.own_log, mark))):
                break
            time.sleep(0.3)
        journal = commands.run("journalctl", "-q", "-o", "cat", "-u", self.layout.unit, f"--since=@{since}").out
        text = _errors(_tail(self.layout.own_log, mark)) or _errors(journal) or words.strip() or "it did not stay up"
        ports = ", ".join(f"{protocol} {port}" for protocol, port in sorted(missing))
        raise RefusedError(
            f"start the receiver of tenant {self.receiver.tenant} with the new configuration; the old one is back",
            text + (f" (not open: {ports})" if missing else ""),
            code="start_failed",
            next_step="another process, or another tenant's receiver, may hold the port; see ss -lntup on the host",
        )

    def _roll_back(self, before: Mapping[str, tuple[str, int] | None]) -> None:
        with contextlib.suppress(OnboardingError):
            selinux.change(self.layout.labels, self.labelled, self.labels)
        with contextlib.suppress(OnboardingError):
            label = self.layout.label
            openings.change(self.backend, label, self.observed.openings, openings.present(self.backend, label))
        for path, found in before.items():
            self._put(path, File(*found) if found else None)
        unit, timer = self.all_units
        if before.get(self.layout.main_file, self.observed.files.get(self.layout.main_file)) is None:
            commands.run("systemctl", "disable", "--now", unit, timer)
            commands.run("systemctl", "daemon-reload")
            commands.run("systemctl", "reset-failed", unit)
            for folder in (self.layout.config, self.layout.work, self._collector):
                system.remove_tree(folder)
            self._remove_empty()
            return
        commands.run("systemctl", "daemon-reload")
        commands.run("systemctl", "restart", unit)

    def _remove(self, changes: list[Change]) -> None:
        """Intake ends first, then all that was made goes; records only on request."""
        for unit in reversed(self.all_units):
            commands.run("systemctl", "disable", "--now", unit)
        self._open()
        selinux.change(self.layout.labels, self.labels, self.labelled)
        for change in changes:
            if change.kind == "file":
                system.remove(change.target)
        records = self.layout.storage if self.receiver.options["purge_records"] else self._collector
        for folder in (self.layout.config, self.layout.work, records):
            system.remove_tree(folder)
        self._remove_empty()
        commands.must("read the units", "systemctl", "daemon-reload")
        commands.run("systemctl", "reset-failed", self.layout.unit)

    @property
    def _collector(self) -> str:
        """Logs of the receiver itself, which are no records."""
        return os.path.dirname(self.layout.own_log)

    def _remove_empty(self) -> None:
        for folder in (self.layout.config, self.layout.work, self.layout.storage, self.layout.run):
            system.remove_empty(folder)


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:
        return 0


def _tail(path: str, mark: int) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            file.seek(mark)
            return file.read(100_000)
    except OSError:
        return ""


def _errors(text: str) -> str:
    """The lines in which rsyslog says that something is wrong, at most ten, without its own preamble."""
    marks = ("error", "could not", "cannot", "fatal", "not clean", "in use", "suspended", "invalid")
    lines = [line.strip() for line in text.splitlines() if any(mark in line.lower() for mark in marks)]
    return " | ".join(dict.fromkeys(lines[:10]))
