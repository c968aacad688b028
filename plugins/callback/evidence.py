# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: evidence
type: notification
short_description: Keeps what each run saw and did in a folder of its own
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Gives each run a folder C(<UTC time>-<playbook>-<6 hex digits>) under O(evidence_root). Modules write one file of
    JSON lines per tenant there, C(<tenant>.<module>.jsonl), with one line per target.
  - At the end it adds C(summary.json) with the run, its exit code, each tenant's outcome and numbers, and the most
    frequent causes of what is not well. A run that was interrupted is marked by V(false) in C(complete).
  - Where tenants have to be run again it adds the file C(retry), for C(--limit @<folder>/retry).
  - For what a preflight misses and only the customer's administrator can do, it adds a page for each tenant,
    C(handover-<tenant>.html), with what to do, where, why, and the check by which the next preflight sees that it was
    done. What M(mssp.onboarding.tenant_access_info) misses is on a page of its own.
  - The link C(latest) in O(evidence_root) leads to the folder of the last run.
  - What changed is added to the history C(history.sqlite) in O(evidence_root), which answers since when a tenant is not
    in sync (M(mssp.onboarding.fleet_status_info), C(scripts/report)). A history that is locked or corrupt is a warning;
    the run's own evidence does not depend on it. Only C(left) in C(summary.json), what has left the tenant files and
    was never offboarded, is V(null) then, which means unknown.
  - Folders and files are readable by their owner only. No folder is made when no task of this collection runs.
  - Of results only the fields that the modules of this collection define are kept, and of other tasks only that they
    failed.
  - When nothing can be written there, a warning says so and the run goes on.
requirements:
  - enabled by C(callbacks_enabled) in ansible.cfg or C(ANSIBLE_CALLBACKS_ENABLED)
notes:
  - With the environment variable C(MSSP_EVIDENCE_DIR) the folder of one run is set from outside, for a pipeline that
    collects it. No link is made then, and where that folder does not lie in O(evidence_root)
    the run is in no history.
options:
  evidence_root:
    description: Folder of the folders of all runs, relative to the working folder, or in ansible.cfg to that file.
    type: path
    default: evidence
    env:
      - name: MSSP_EVIDENCE_ROOT
    ini:
      - section: callback_mssp_evidence
        key: evidence_root
  history_days:
    description:
      - How many days the history tells of what is over. What stands, and since when, is kept as long as the tenant is
        seen; a tenant that no run has seen for so long is forgotten.
    type: int
    default: 400
    env:
      - name: MSSP_HISTORY_DAYS
    ini:
      - section: callback_mssp_evidence
        key: history_days
  evidence_days:
    description:
      - How many days the folder of a run stays; 0 is for ever.
      - A folder that is older than a day is packed, its lines of evidence into C(evidence.tar.gz) and its summary into
        C(summary.json.gz). Only folders that this callback, or C(mssp-drift), named are packed or removed.
    type: int
    default: 400
    env:
      - name: MSSP_EVIDENCE_DAYS
    ini:
      - section: callback_mssp_evidence
        key: evidence_days
  evidence_megabytes:
    description: How much all folders of runs may take together, before the oldest are removed; 0 is no limit.
    type: int
    default: 10000
    env:
      - name: MSSP_EVIDENCE_MEGABYTES
    ini:
      - section: callback_mssp_evidence
        key: evidence_megabytes
seealso:
  - plugin: mssp.onboarding.progress
    plugin_type: callback
  - module: mssp.onboarding.fleet_status_info
"""

EXAMPLES = r"""
# ansible.cfg
# [defaults]
# callbacks_enabled = mssp.onboarding.progress, mssp.onboarding.evidence
#
# [callback_mssp_evidence]
# evidence_root = /var/lib/mssp/evidence
"""

import errno
import json
import os
import secrets
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible import context

from ansible_collections.mssp.onboarding.plugins.module_utils._core.evidence import (
    NOT_IN_NAMES,
    RUN_FOLDER_VARIABLE,
    EvidenceError,
    make_folder,
    who,
    write_whole,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.history import FILE, History, HistoryError
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.retention import retain
from ansible_collections.mssp.onboarding.plugins.plugin_utils._capabilities import load_capabilities
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.collect import CollectingCallback
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.summary_table import meaning
from ansible_collections.mssp.onboarding.plugins.plugin_utils._handover import steps_page

SCHEMA = 1  # of summary.json; a new number where a field changes its meaning
LATEST = "latest"


class CallbackModule(CollectingCallback):
    """See DOCUMENTATION."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "mssp.onboarding.evidence"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._folder: Path | None = None
        self._named_by_us = ""
        self._refused: EvidenceError | None = None

    def v2_playbook_on_start(self, playbook: Any) -> None:
        super().v2_playbook_on_start(playbook)
        given = os.environ.get(RUN_FOLDER_VARIABLE, "")
        if given and given != self._named_by_us:
            self._folder = Path(given).absolute()
        else:
            self._folder = Path(self.get_option("evidence_root")).absolute() / _run_name(self.playbook)
            self._named_by_us = str(self._folder)
        os.environ[RUN_FOLDER_VARIABLE] = str(self._folder)
        self._refused = _refusal(self._folder)
        if self._refused:  # workers should not try, each for itself
            del os.environ[RUN_FOLDER_VARIABLE]

    def task_of_ours(self, task: Any) -> None:
        if self._refused:
            self._display.warning(f"{self._refused} This run leaves no evidence.")
            self._refused, self._folder = None, None

    def finish(self, code: int | None, again: list[str]) -> None:
        folder = self._folder
        if folder is None:
            return
        summary = self._summary(folder, code)
        try:
            make_folder(folder)
            write_whole(folder / "summary.json", json.dumps(summary, indent=1, ensure_ascii=False) + "\n")
            if again:
                write_whole(folder / "retry", "".join(f"{host}\n" for host in again))
            pages = self._hand_over(folder, summary["fleet"])
        except OSError as error:
            self._display.warning(str(EvidenceError(folder, error)))
            return
        if str(folder) == self._named_by_us:
            _link(folder)
        if folder.parent.resolve() == Path(self.get_option("evidence_root")).resolve():
            self._remember(folder.parent / FILE, summary)
            self._retain(folder)
        self._show(f"Evidence: {_short(folder)}/summary.json")
        if pages:
            names = pages[0] if len(pages) == 1 else "handover-*.html"
            self._show(f"For the customer's administrator: {_short(folder)}/{names}")
        if again:
            self._show(f"Only those again: {self.again()} --limit @{_short(folder)}/retry")

    def _hand_over(self, folder: Path, fleet: dict[str, dict[str, Any]]) -> list[str]:
        """Write a page for each tenant whose administrator has something to do. Raises OSError."""
        titles = {name: capability.title for name, capability in load_capabilities().items()}
        steps: dict[str, list[dict[str, str]]] = {}
        for row in self.outcomes.rows:
            source = titles.get(row.role, row.capability)
            for step in row.steps:
                steps.setdefault(row.whose, []).append({"source": source, **step._asdict()})
        pages = {f"handover-{NOT_IN_NAMES.sub('_', tenant)}.html": tenant for tenant in steps}
        for page, tenant in pages.items():
            name = fleet.get(tenant, {}).get("name") or tenant
            write_whole(folder / page, steps_page(steps[tenant], name))
        return list(pages)

    def _remember(self, path: Path, summary: dict[str, Any]) -> None:
        try:
            with History(path, write=True) as history:
                history.add(summary)
                now = datetime.now(UTC).timestamp()
                history.prune(history.horizon(self.get_option("history_days"), now))
                ahead = history.ahead(now)
            if ahead:
                told = f"{len(ahead)} of its runs, such as {ahead[0].run}, are dated ahead of this host's clock"
                self._display.warning(f"The history {path}: {told}. Set the clock right, with NTP.")
        except HistoryError as error:
            self._display.warning(f"{error}. The evidence of this run is whole.")

    def _retain(self, folder: Path) -> None:
        days, megabytes = self.get_option("evidence_days"), self.get_option("evidence_megabytes")
        try:
            retain(folder.parent, days, megabytes, datetime.now(UTC).timestamp(), folder.name)
        except OSError as error:
            self._display.warning(f"Old evidence stays in {folder.parent}: {error}. Remove what you can spare.")

    def _meaning(self, code: int | None) -> str:
        return meaning(code, self.outcomes.rows, self.outcomes.missed, self.outcomes.left).text

    def _summary(self, folder: Path, code: int | None) -> dict[str, Any]:
        options = context.CLIARGS
        return {
            "schema": SCHEMA,
            "run": folder.name,
            "playbook": self.playbook,
            "started": _timestamp(self.started_at),
            "ended": _timestamp(datetime.now(UTC).timestamp()),
            "seconds": round(self.seconds, 1),
            "check_mode": bool(options.get("check")),
            "limit": options.get("subset"),
            "by": who(),
            "command": self.command(),
            "complete": code is not None,
            "exit": {"code": code, "meaning": self._meaning(code)},
            **self.outcomes.summary(),
            "fleet": self.fleet(),
        }


def _run_name(playbook: str) -> str:
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{now}-{NOT_IN_NAMES.sub('_', playbook)}-{secrets.token_hex(3)}"


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _refusal(folder: Path) -> EvidenceError | None:
    """Why the folder cannot be made, found out without making it."""
    there = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if not there.is_dir():
        return EvidenceError(folder, OSError(errno.ENOTDIR, f"{there} is not a folder"))
    if not os.access(there, os.W_OK | os.X_OK):
        return EvidenceError(folder, OSError(errno.EACCES, f"{there} may not be written to"))
    return None


def _link(folder: Path) -> None:
    """A convenience: where it cannot be made, or something else has its name, there is none."""
    link = folder.parent / LATEST
    new = folder.parent / f".{LATEST}.{os.getpid()}"
    if link.is_symlink() or not link.exists():
        with suppress(OSError):
            new.symlink_to(folder.name)
            new.replace(link)


def _short(path: Path) -> str:
    """As a person in the working folder would type it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
