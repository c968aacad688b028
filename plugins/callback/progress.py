# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: notification
short_description: Shows how far a run over many tenants is, and ends it with a table
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - While a task of this collection runs, one line tells how many tenants are done, how many resources have been seen,
    corrected and failed, the time left, the resources per second and the seconds that tenants waited for rate limits.
  - On a terminal the line is redrawn in place and gone when Ansible prints something. Elsewhere, in a pipeline's log,
    in a file, under ansible-runner, or with C(TERM=dumb), it is printed anew every O(progress_interval) seconds.
  - Failures inside a tenant are printed at once, at most five of each tenant and task.
  - The run ends with a table of tenants, the most frequent causes of what is not well with the next step for each, the
    slowest tenants, and the meaning of the exit code. With more than 30 tenants only those that need attention are
    listed.
  - A tenant counts as V(in_sync) only where everything about it is known and nothing failed. What the module itself
    counts decides, also where the task was told not to fail.
  - It prints nothing in a playbook in which no task of this collection runs.
  - Times in the table are those from the start of the tenant's worker to its result.
requirements:
  - enabled by C(callbacks_enabled) in ansible.cfg or C(ANSIBLE_CALLBACKS_ENABLED)
options:
  progress_interval:
    description: Seconds between two lines where a line cannot be redrawn in place.
    type: float
    default: 10
    env:
      - name: MSSP_PROGRESS_INTERVAL
    ini:
      - section: callback_mssp_progress
        key: progress_interval
seealso:
  - plugin: mssp.onboarding.evidence
    plugin_type: callback
"""

EXAMPLES = r"""
# ansible.cfg
# [defaults]
# callbacks_enabled = mssp.onboarding.progress, mssp.onboarding.evidence
#
# [callback_mssp_progress]
# progress_interval = 30
"""

import os
import shutil
import sys
import threading
import time
from contextlib import suppress
from typing import Any

from ansible import constants as C

from ansible_collections.mssp.onboarding.plugins.module_utils._core.progress import Channel, Progress
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import FAILED, UNKNOWN
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.collect import CollectingCallback, action_of
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.outcomes import Row
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.progress_line import Live, line
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.summary_table import Line, closing, exit_lines
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.terminal import Screen, can_redraw, for_machines

TICK_SECONDS = 0.2
WIDTH_OF_FILES = 100  # of the closing table where there is no terminal and no COLUMNS


class Watch:
    """A thread that reads the channel and shows the line, from the first task of ours to the end of the playbook.

    Ansible forks while it runs. It therefore prints under Display's lock only (see _screen), and imports nothing.
    """

    def __init__(self, display: Any, interval: float) -> None:
        self._display, self._interval = display, interval
        self._screen = Screen(display, sys.stdout)
        self._aside = for_machines(C.DEFAULT_STDOUT_CALLBACK)
        self._redraws = can_redraw(sys.stdout, os.environ) and not self._aside
        self._channel = Channel()
        self._state = threading.Lock()
        self._live: Live | None = None
        self._key: tuple[str, ...] = ()
        self._running: set[str] = set()
        self._next_line = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="mssp.onboarding.progress", daemon=True)
        self._thread.start()

    def begin(self, key: tuple[str, ...], name: str, tenants: int) -> None:
        """Show this step; the next batch of the same step goes on counting."""
        now = time.monotonic()
        with self._state:
            if key != self._key:
                self._key, self._live = key, Live(name, tenants, now)
                self._next_line = now + self._interval

    def given(self, tenant: str) -> None:
        with self._state:
            self._running.add(tenant)
            if self._live:
                self._live.begun(tenant)

    def ended(self, tenant: str, rows: list[Row]) -> None:
        with self._state:
            self._running.discard(tenant)
            if self._live:
                counted = [row for row in rows if row.capability]
                counts = (
                    {name: sum(row.counts[name] for row in counted) for name in counted[0].counts} if counted else None
                )
                self._live.ended(tenant, counts, sum(row.throttled_seconds for row in counted))

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._hear()
        self._channel.close()
        self._screen.close()

    def _work(self) -> None:
        while not self._stop.wait(TICK_SECONDS):
            self._hear()
            now = time.monotonic()
            if self._redraws:
                self._screen.draw(self._text(now, shutil.get_terminal_size().columns - 1))
            elif now >= self._next_line:
                self._next_line = now + self._interval
                if text := self._text(now):
                    self._print(text)

    def _text(self, now: float, width: int = 0) -> str:
        with self._state:
            return line(self._live, now, width) if self._live and self._running else ""

    def _hear(self) -> None:
        heard = self._channel.read()
        with self._state:
            for progress in heard:
                if self._live and progress.tenant in self._running:
                    self._live.heard(progress)
        for progress in heard:
            if progress.failure:
                self._print(_failure(progress), color=C.COLOR_ERROR)

    def _print(self, text: str, **kwargs: Any) -> None:
        with self._screen.lock:
            self._display.display(text, stderr=self._aside, **kwargs)
            with suppress(OSError):
                sys.stdout.flush()  # a pipeline's log shows what has left our buffer


def _failure(progress: Progress) -> str:
    return f"{progress.tenant}: {progress.failure}"


class CallbackModule(CollectingCallback):
    """See DOCUMENTATION."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "mssp.onboarding.progress"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._watch: Watch | None = None
        self._gone: set[str] = set()

    def v2_playbook_on_start(self, playbook: Any) -> None:
        super().v2_playbook_on_start(playbook)
        self._gone = set()

    def task_of_ours(self, task: Any) -> None:
        if self._watch is None:
            self._watch = Watch(self._display, self.get_option("progress_interval"))
        name = action_of(task).rpartition(".")[2]
        self._watch.begin((str(self.play.get_name()), str(task.get_name()), name), name, len(self.hosts() - self._gone))

    def given(self, host: str, step: str) -> None:
        self._gone.discard(host)
        if self._watch:
            self._watch.given(host)

    def ended(self, host: str, step: str, rows: list[Row], failed: bool) -> None:
        if self._watch:
            self._watch.ended(host, rows)
        if failed:
            self._gone.add(host)
            return  # Ansible prints it itself
        for row in rows:
            if row.outcome in (UNKNOWN, FAILED):
                self._show(f"{host}: {row.outcome}: {row.msg}", color=C.COLOR_ERROR)

    def finish(self, code: int | None, again: list[str]) -> None:
        if self._watch:
            self._watch.close()
            self._watch = None
        rows = self.outcomes.rows
        width = shutil.get_terminal_size((WIDTH_OF_FILES, 24)).columns
        missed, left = self.outcomes.missed, self.outcomes.left
        text = closing(rows, width, seconds=self.seconds, missed=missed, left=left, command=self.command())
        for each in [*text, Line(""), *exit_lines(code, rows, width, missed, left)] if text else []:
            self._show(each.text, color=TONE_COLORS.get(each.tone))


TONE_COLORS = {"ok": C.COLOR_OK, "changed": C.COLOR_CHANGED, "failed": C.COLOR_ERROR}
