# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings one tenant's part of the connector on this host to what is wanted: write, restart, await the heartbeat.

Without a heartbeat the last working configuration is put back, and the connector's own message told.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from typing import Any

from .._core.errors import OnboardingError, RefusedError
from .._core.redaction import Redactor
from .._host import commands
from .._host.changes import Change, changed
from . import desired, log, memory, options, package, system
from .catalog import CAPABILITY, CONFIGS, LOGS, SERVICE
from .plan import MODE, File, Observed, masked, plan, render, secrets_in

POLL_SECONDS = 0.5


async def run(
    params: Mapping[str, Any], _reporter: Any, redactor: Redactor, *, check: bool, diff: bool
) -> dict[str, Any]:
    """The engine of falcon_connector. Raises OnboardingError; the last working configuration is then in place."""
    present = params["state"] == "present"
    # A tenant that leaves may have no valid client any more: what is to go is known without its options.
    leaving = {"tenant": params["tenant"], "cids": {}}
    cids = options.wanted(params) if present else desired.cids(leaving, None)
    _refuse_links(params, cids)
    with system.locked(not check):
        engine = Engine(params, cids, check)
        for file in (*engine.observed.files.values(), *engine.files.values()):  # the log may tell them
            for secret in secrets_in(file.content):
                redactor.add(secret)
        changes = engine.plan()
        if changes and not check:
            engine.apply(changes)
        found = changed(CAPABILITY, changes, check=check, nothing="The connector is as wanted.")
        if diff:
            found["diff"] = engine.diff(changes)
        return {**found, "running": engine.running(), "clock": system.clock()}


def _refuse_links(params: Mapping[str, Any], cids: Iterable[desired.Cid]) -> None:
    """A link in a folder of the tenant allows nothing where it leads; the roots themselves are the provider's."""
    own = tuple(f"{os.path.realpath(root)}/{params['tenant']}/" for root in params["file_roots"])
    for path in (path for cid in cids for path in (cid.output_path, cid.offset_path) if os.path.dirname(path) != LOGS):
        real = os.path.realpath(path)
        if not real.startswith(own):
            step = "remove the link, or name where it leads; the provider allows folders by file_roots"
            text = f"{path} leads to {real}, which is not this tenant's"
            raise RefusedError(f"use {path}; nothing was changed", text, code="astray", next_step=step)


class Engine:
    """One tenant's CIDs, as wanted and as found."""

    def __init__(self, params: Mapping[str, Any], cids: tuple[desired.Cid, ...], check: bool) -> None:
        self.params, self.cids, self.check = params, cids, check
        self.tenant: str = params["tenant"]
        self.words = log.words(params["heartbeat_pattern"], params["failure_patterns"] or {})
        self.shipped = {cid.path: system.read(cid.sample) for cid in cids}
        self.observed = self._observe()
        self.files = {cid.path: self._wanted(cid) for cid in cids}

    def _observe(self) -> Observed:
        version = package.installed()
        worked = memory.worked(self.tenant)
        if self.check and self.params["package_changes"]:
            version = ""  # of another version than the connector has last worked with
        offsets = tuple(path for path in memory.offsets(self.tenant) if os.path.exists(path))
        return Observed(system.configs(), worked, version, system.service(), offsets, package.shipped_in_use())

    def _wanted(self, cid: desired.Cid) -> File:
        shipped = self.shipped[cid.path]
        if shipped is None:
            if self.check and not self.observed.version:
                return File("", MODE, 0)  # the package is still to come
            raise RefusedError(
                f"read {cid.sample}",
                "the connector's package has not brought it",
                code="not_installed",
                next_step="set falcon_siem_connector_package, or install the package first",
            )
        return File(render(self.tenant, cid, shipped.content), MODE, system.owner())

    def plan(self) -> list[Change]:
        remove = bool(self.params["remove_offsets"])
        return plan(self.tenant, self.files, self.observed, SERVICE, remove_offsets=remove)

    def running(self) -> list[str]:
        """The CIDs that the connector was reading before this run."""
        files = self.observed.files if self.observed.service.running else {}
        return [cid.name for cid in self.cids if cid.path in files]

    def diff(self, changes: Iterable[Change]) -> list[dict[str, str]]:
        """Before and after; a new file is compared with the shipped one, of which it has thousands of lines."""
        return [self._diff(change) for change in changes]

    def _diff(self, change: Change) -> dict[str, str]:
        before = after = ""
        if change.kind == "config":
            found, shipped = self.observed.files.get(change.target), self.shipped.get(change.target)
            before = found.content if found else shipped.content if shipped else ""
            after = self.files[change.target].content if change.target in self.files else ""
            before, after = masked(before, after)
        if before == after:  # mode or owner, or nothing that a text could show
            before, after = ("" if change.action == "create" else f"{change.drift}\n"), f"{change.action}\n"
        return {"before_header": change.target, "after_header": change.target, "before": before, "after": after}

    # --- apply

    def apply(self, changes: list[Change]) -> None:
        """Make the changes; without a heartbeat put back what last worked, and say why in the connector's words."""
        try:
            for change in changes:
                if change.kind == "config":
                    self._put(change.target, self.files.get(change.target))
            if any(change.kind != "offsets" for change in changes):  # those are nobody's any more
                self._await(self._serve())
        except (OnboardingError, OSError) as error:
            raise _told(self.tenant, error, self._roll_back(changes)) from error
        memory.remember(
            self.tenant,
            {cid.path: (self.files[cid.path].content, self.observed.version) for cid in self.cids},
            [cid.offset_path for cid in self.cids],
        )
        for change in changes:
            if change.kind == "offsets":
                system.remove(change.target)
        if not self.cids:
            memory.forget(self.tenant, with_offsets=bool(self.params["remove_offsets"]))
            system.remove_empty(CONFIGS)

    def _put(self, path: str, file: File | None) -> None:
        if file is None:
            system.remove(path)
        else:
            system.write(path, file)

    def _serve(self) -> dict[str, system.Mark]:
        """The one service reads all files at start: started again where any is left, stopped where none is.

        Gives where each CID's log was in between, so that no word of the old process counts.
        """
        manager = system.manager()
        commands.run(*manager.stop)
        marks = {cid.name: system.mark(cid.log) for cid in self.cids}
        if system.configs():
            commands.must("start the connector", *manager.start)
            commands.must("start the connector at boot", *manager.enable)
        else:
            commands.run(*manager.disable)
        return marks

    def _await(self, marks: Mapping[str, system.Mark]) -> None:
        """Until each CID has had a heartbeat. Raises RefusedError with what the connector says instead."""
        until = time.monotonic() + self.params["heartbeat_seconds"]
        missing = {cid.name: cid for cid in self.cids}
        while missing:
            for cid in list(missing.values()):
                said = log.read(*self._log(cid, marks[cid.name]))
                if said.heartbeat is not None and not said.failures:
                    del missing[cid.name]
                elif time.monotonic() > until or any(failure.final for failure in said.failures):
                    raise self._silent(cid, said)
            if missing:
                time.sleep(POLL_SECONDS)

    def _log(self, cid: desired.Cid, since: system.Mark) -> tuple[str, log.Words, float]:
        text, written = system.tail(cid.log, since)
        return text, self.words, written

    def _silent(self, cid: desired.Cid, said: log.Said) -> RefusedError:
        operation = f"get a heartbeat of CID {cid.name} ({cid.label})"
        if said.failures:
            failure = next((seen for seen in said.failures if seen.final), said.failures[-1])
            return RefusedError(operation, failure.line, code=failure.code, next_step=failure.next_step)
        seconds = self.params["heartbeat_seconds"]
        state = "runs" if system.service().running else "does not run"
        return RefusedError(
            operation,
            f"none within {seconds} s; the service {state}; last line of {cid.log}: {said.last or '(none)'}",
            code="no_heartbeat",
            next_step=f"see {cid.log} and systemctl status {SERVICE} on the host",
        )

    def _roll_back(self, changes: Iterable[Change]) -> str:
        """What last worked, or else what was there. Gives what is in place now, in words."""
        contents = []
        try:
            for change in changes:
                if change.kind != "config":
                    continue
                found = self.observed.files.get(change.target)
                content = self.observed.worked.get(change.target, (found.content if found else "", ""))[0]
                contents.append(content)
                self._put(change.target, File(content, MODE, system.owner()) if content else None)
            self._serve()
        except OSError as error:
            return f"and what last worked could not be put back: {error}"
        except OnboardingError as error:
            return f"and the connector did not start again: {error.message}"
        if not contents:
            return "the configuration was not changed"
        return "the last working configuration is back" if any(contents) else "nothing of it was left behind"


def _told(tenant: str, error: Exception, now: str) -> OnboardingError:
    """The error, with what is in place now."""
    if not isinstance(error, OnboardingError):
        return RefusedError(f"change the connector of tenant {tenant}; {now}", str(error))
    return RefusedError(f"{error.operation}; {now}", error.message, code=error.code, next_step=error.next_step)
