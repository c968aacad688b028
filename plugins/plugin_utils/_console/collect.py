# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of our callbacks: collects the outcomes of a playbook in which a task of ours runs."""

from __future__ import annotations

import atexit
import os
import shlex
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible import constants as C
from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible.template import Templar

from ansible_collections.mssp.onboarding.plugins.module_utils._core.evidence import run_dir
from ansible_collections.mssp.onboarding.plugins.module_utils._core.progress import clean
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import FAILED, UNKNOWN, UNREACHABLE
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.history import FILE, History, HistoryError, Left
from ansible_collections.mssp.onboarding.plugins.plugin_utils._capabilities import load_capabilities
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.outcomes import Outcomes, Row
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.terminal import for_machines

COLLECTION = "mssp.onboarding."
VERBS = ("bootstrap", "preflight", "onboard", "verify", "drift", "offboard")
QUESTION = f"{COLLECTION}fleet_status_info"
PART = "mssp_part"  # tag of tasks of ours that do a part of what a later one tells
VERDICT = "mssp_verdict"  # tag of the tasks of playbooks that fail a host whose failure was rescued


def action_of(task: Any) -> str:
    """The full name of what a task calls; ansible-core 2.19 warns where C(resolved_action) is asked for too early."""
    names = (vars(task).get(name) for name in ("_resolved_action", "resolved_action"))
    return str(next(filter(None, names), task.action))


def is_ours(task: Any) -> bool:
    """Whether its result counts.

    A part of a measurement does not, its whole is told by a later task of ours; nor does a question to the history:
    that it was answered says nothing of how a tenant stands.
    """
    name = action_of(task)
    return name.startswith(COLLECTION) and name != QUESTION and PART not in task.tags


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


def _end(number: int, _frame: Any) -> None:
    """End as after Ctrl-C: Ansible itself would be gone at once, and with it what the run knows."""
    signal.signal(number, signal.SIG_IGN)  # a scheduler tells the whole group, and whoever passes it on
    raise SystemExit(128 + number)


class CollectingCallback(CallbackBase):
    """Calls C(finish) once, at the playbook's end or that of the process, if a task of ours has been started."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._begin("")
        ALL.append(self)

    def _show(self, text: str, color: str | None = None) -> None:
        """For people: beside what a stdout callback prints for machines."""
        stdout = C.config.get_config_value("DEFAULT_STDOUT_CALLBACK")
        self._display.display(text, color=color, stderr=for_machines(stdout))

    def _begin(self, playbook: str) -> None:
        self.playbook = playbook
        self.file = ""
        self.outcomes = Outcomes()
        self.ran = False
        self.started_at = time.time()
        self._clock_start = time.monotonic()
        self._started: dict[tuple[str, str], float] = {}
        self.play: Any = None
        self._plays: list[Any] = []
        self._with_ours: set[str] = set()  # plays, by their id, in which a task of ours has begun
        self._touched: dict[str, set[str]] = {}  # by the play's id, hosts of which a task has begun

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._clock_start

    def hosts(self) -> set[str]:
        """The hosts of the play, those of all batches of C(serial)."""
        return _hosts(self.play, self.play.hosts)

    def missed(self) -> dict[str, list[str]]:
        """{host: what was not done there}: capabilities of the playbook's table, names of other plays with our tasks.

        Whatever the reason is: the run was stopped, a percentage of failures ended it, tags left the play out.
        """
        told = {name for name, capability in load_capabilities().items() if capability.modules}
        missed: dict[str, dict[str, None]] = {}
        for play in self._plays:
            role = play.vars.get("play_role")
            if role in told if role else play._uuid in self._with_ours:
                for host in _hosts(play, _pattern(play)) - self._touched.get(play._uuid, set()):
                    missed.setdefault(host, {})[str(role or play.get_name())] = None
        return {host: list(names) for host, names in sorted(missed.items())}

    def fleet(self) -> dict[str, dict[str, Any]]:
        """{host: {tenant, name, ring, roles, file}} of every host in the inventory that is a tenant's, limited or not.

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
                "file": clean(str(host.vars.get("inventory_file", "")), 300),
            }
            for name, host in sorted(hosts.items())
            if "mssp_tenant" in host.vars
        }

    def command(self) -> str:
        """How a playbook is run over the same inventory."""
        given = context.CLIARGS.get("inventory") or ()
        return " ".join(["ansible-playbook", *(f"-i {shlex.quote(_short(str(source)))}" for source in given)])

    def again(self) -> str:
        """How this playbook is run over the same inventory."""
        return (
            f"{self.command()} {COLLECTION}{self.playbook}"
            if self.playbook in VERBS
            else (f"{self.command()} {shlex.quote(_short(self.file))}")
        )

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
        signal.signal(signal.SIGTERM, _end)
        self._begin(Path(str(playbook._file_name)).stem)
        self._plays = list(playbook.get_plays())
        self.file = str(playbook._file_name)

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self.play = play

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        if is_ours(task):
            self.ran = True
            self._with_ours.add(self.play._uuid)
            self.task_of_ours(task)

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        self.v2_playbook_on_task_start(task, False)

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        self._touched.setdefault(self.play._uuid, set()).add(host.get_name())
        if is_ours(task):
            step = _step(task)
            self._started[host.get_name(), step] = time.monotonic()
            self.outcomes.started(host.get_name(), step, *self._place(task))
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
        self._finish(exit_code(stats.failures, stats.dark), {*stats.failures, *stats.dark}, set(stats.dark))

    def _take(self, result: Any, failed: bool = False, unreachable: bool = False) -> None:
        task, host = result._task, result._host.get_name()
        ours = is_ours(task)
        if not ours and not failed and not unreachable:
            return
        # A role of ours may end at all hosts before it came to a task of ours.
        self.ran = self.ran or "play_role" in self.play.vars
        step = _step(task) if ours else str(task.get_name())
        role, verb = self._place(task)
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
            verb=verb,
            slug=str(result._host.vars.get("mssp_tenant", "")),
            known=str(result._host.vars.get("mssp_tenant_problem", "")),
        )
        self.ended(host, step, rows, failed or unreachable)

    def _place(self, task: Any) -> tuple[str, str]:
        """(role, verb) of the task, "" for none."""
        role, entry = role_of(task)
        return role, next((name for name in (entry, self.playbook) if name in VERBS), "")

    def _finish(self, code: int | None, ended_badly: set[str], unreachable: set[str]) -> None:
        ran, self.ran = self.ran, False
        if not ran:
            return
        # Of a host that cannot be reached that is told once.
        self.outcomes.missed = {host: names for host, names in self.missed().items() if host not in unreachable}
        self.outcomes.left = self._left()
        unsure = {row.tenant for row in self.outcomes.rows if row.outcome in (FAILED, UNKNOWN)}
        self.finish(code, sorted(ended_badly | unsure | self.outcomes.missed.keys()))

    def _left(self) -> dict[str, Left] | None:
        """What the tenant files no longer have, by the history: {} without one, None where it cannot be read."""
        folder = run_dir()
        path = folder.parent / FILE if folder else None
        if path is None or not path.exists():
            return {}
        try:
            with History(path) as history:
                return history.left(self.fleet())
        except HistoryError as error:
            self._display.warning(f"{error}. What has left the tenant files is not known.")
            return None

    def stopped(self) -> None:
        """The process ends; if the playbook has not, it never will."""
        unreachable = {row.tenant for row in self.outcomes.rows if row.outcome == UNREACHABLE}
        self._finish(None, unreachable, unreachable)


def _pattern(play: Any) -> Any:
    """The hosts that a play names; of one that has not begun, Ansible has not filled in the templates."""
    variables = play.get_variable_manager().get_vars(play=play)
    return Templar(loader=play.get_loader(), variables=variables).template(play.hosts)


def _hosts(play: Any, pattern: Any) -> set[str]:
    """The hosts within the limit of the run."""
    inventory = play.get_variable_manager()._inventory
    return {host.get_name() for host in inventory.get_hosts(pattern, ignore_restrictions=True)}


def _short(path: str) -> str:
    """As a person in the working folder would type it."""
    return os.path.relpath(path) if path.startswith(f"{Path.cwd()}/") else path


def _step(task: Any) -> str:
    return action_of(task).removeprefix(COLLECTION)
