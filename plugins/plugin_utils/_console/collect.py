# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of our callbacks: collects the outcomes of a playbook in which a task of ours runs."""

from __future__ import annotations

import atexit
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible import constants as C
from ansible.plugins.callback import CallbackBase

from ansible_collections.mssp.onboarding.plugins.module_utils._core.progress import clean
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import FAILED, UNKNOWN, UNREACHABLE
from ansible_collections.mssp.onboarding.plugins.plugin_utils._capabilities import load_capabilities
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.outcomes import Outcomes, Row
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.terminal import for_machines

COLLECTION = "mssp.onboarding."
VERBS = ("bootstrap", "preflight", "onboard", "verify", "drift", "offboard")
PART = "mssp_part"  # tag of tasks of ours that do a part of what a later one tells
VERDICT = "mssp_verdict"  # tag of the tasks of playbooks that fail a host whose failure was rescued


def action_of(task: Any) -> str:
    """The full name of what a task calls; ansible-core 2.19 warns where C(resolved_action) is asked for too early."""
    names = (vars(task).get(name) for name in ("_resolved_action", "resolved_action"))
    return str(next(filter(None, names), task.action))


def is_ours(task: Any) -> bool:
    """Whether its result counts; a part of a measurement does not, its whole is told by a later task of ours."""
    return action_of(task).startswith(COLLECTION) and PART not in task.tags


def role_of(task: Any) -> tuple[str, str]:
    """(role, entry point) that the task belongs to, ("", "") for none."""
    role = getattr(task, "_role", None)
    if role is None:
        return "", ""
    return str(role.get_name()).removeprefix(COLLECTION), Path(str(role._from_files.get("tasks") or "main")).stem


def exit_code(failed: Mapping[str, Any], unreachable: Mapping[str, Any]) -> int:
    """What ansible-playbook ends with (ansible-core, StrategyBase.run)."""
    return 4 if unreachable else 2 if failed else 0


ALL: list[CollectingCallback] = []


def _at_exit(pid: int = os.getpid()) -> None:
    """A run that was stopped has no other end; the callbacks say so in their own order."""
    for callback in ALL if os.getpid() == pid else ():
        callback.stopped()


atexit.register(_at_exit)


class CollectingCallback(CallbackBase):
    """Calls C(finish) once, at the playbook's end or that of the process, if a task of ours has been started."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._begin("")
        ALL.append(self)

    def _show(self, text: str, color: str | None = None) -> None:
        """For people: beside what a stdout callback prints for machines."""
        self._display.display(text, color=color, stderr=for_machines(C.DEFAULT_STDOUT_CALLBACK))

    def _begin(self, playbook: str) -> None:
        self.playbook = playbook
        self.outcomes = Outcomes()
        self.ran = False
        self.started_at = time.time()
        self._clock_start = time.monotonic()
        self._started: dict[tuple[str, str], float] = {}
        self.play: Any = None
        self._wanted: set[str] = set()
        self._touched: set[str] = set()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._clock_start

    def hosts(self) -> set[str]:
        """The hosts of the play, those of all batches of C(serial)."""
        inventory = self.play.get_variable_manager()._inventory
        return {host.get_name() for host in inventory.get_hosts(self.play.hosts, ignore_restrictions=True)}

    def fleet(self) -> dict[str, dict[str, Any]]:
        """{host: {tenant, name, ring, roles}} of every host in the inventory that is a tenant's, limited or not.

        Roles of which no module of ours tells are left out.
        """
        hosts = self.play.get_variable_manager()._inventory.hosts
        told = {f"has_{name}": name for name, capability in load_capabilities().items() if capability.modules}
        return {
            str(name): {
                "tenant": str(host.vars["mssp_tenant"]),
                "name": clean(str(host.vars.get("mssp_tenant_name", "")), 120),
                "ring": str(host.vars.get("mssp_ring", "")),
                "roles": sorted(told[group.name] for group in host.get_groups() if group.name in told),
            }
            for name, host in sorted(hosts.items())
            if "mssp_tenant" in host.vars
        }

    # What a callback of ours adds.

    def task_of_ours(self, task: Any) -> None:
        """A task of ours begins; no worker has been forked for it yet."""

    def given(self, host: str, step: str) -> None:
        """A worker is about to be forked for the tenant."""

    def ended(self, host: str, step: str, rows: list[Row], failed: bool) -> None:
        """A task that counts has ended at a tenant; no rows where it was skipped."""

    def finish(self, code: int | None, again: list[str]) -> None:
        """C(code): the exit code, or None for a run that was stopped; C(again): hosts to run again."""

    # What Ansible calls.

    def v2_playbook_on_start(self, playbook: Any) -> None:
        self._begin(Path(str(playbook._file_name)).stem)

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self.play = play

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        if is_ours(task):
            self.ran = True
            self._wanted |= self.hosts()
            self.task_of_ours(task)

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        self.v2_playbook_on_task_start(task, False)

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        self._touched.add(host.get_name())
        if is_ours(task):
            step = _step(task)
            self._started[host.get_name(), step] = time.monotonic()
            self.outcomes.started(host.get_name(), step)
            self.given(host.get_name(), step)

    def v2_runner_on_ok(self, result: Any) -> None:
        self._take(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        # A verdict only repeats, for Ansible, what a task of ours has said before.
        if is_ours(result._task) or not (ignore_errors or VERDICT in result._task.tags):
            self._take(result, failed=True)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._take(result, unreachable=True)

    def v2_runner_on_skipped(self, result: Any) -> None:
        if is_ours(result._task):
            host, step = result._host.get_name(), _step(result._task)
            self.outcomes.skipped(host, step)
            self.ended(host, step, [], False)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self.outcomes.settle(stats.failures, stats.dark)
        self._finish(exit_code(stats.failures, stats.dark), {*stats.failures, *stats.dark})

    def _take(self, result: Any, failed: bool = False, unreachable: bool = False) -> None:
        task, host = result._task, result._host.get_name()
        ours = is_ours(task)
        if not ours and not failed and not unreachable:
            return
        step = _step(task) if ours else str(task.get_name())
        role, entry = role_of(task)
        begun = self._started.pop((host, step), None)
        rows = self.outcomes.add(
            host,
            step,
            result._result,
            failed,
            unreachable,
            ours=ours,
            seconds=None if begun is None else round(time.monotonic() - begun, 1),
            check=bool((result._task_fields or {}).get("check_mode")),
            ended=time.time(),
            role=role,
            verb=next((name for name in (entry, self.playbook) if name in VERBS), ""),
        )
        self.ended(host, step, rows, failed or unreachable)

    def _finish(self, code: int | None, ended_badly: set[str]) -> None:
        ran, self.ran = self.ran, False
        if not ran:
            return
        # A run that came to its end left out whole batches only; a host without a task of ours may be meant so.
        missed = self.outcomes.without_result(self._wanted - self._touched if code is not None else self._wanted)
        self.outcomes.not_reached = sorted(missed)
        unsure = {row.tenant for row in self.outcomes.rows if row.outcome in (FAILED, UNKNOWN)}
        self.finish(code, sorted(ended_badly | unsure | missed))

    def stopped(self) -> None:
        """The process ends; if the playbook has not, it never will."""
        self._finish(None, {row.tenant for row in self.outcomes.rows if row.outcome in (FAILED, UNREACHABLE)})


def _step(task: Any) -> str:
    return action_of(task).removeprefix(COLLECTION)
