# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: brief
type: stdout
short_description: Ansible's default output without the plays that have nothing to show
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - The playbooks of this collection have a play for each source, and most tenants have few of the sources. The callback
    C(default) names each play and says that no hosts matched; this one names a play with the first task of it that it
    shows.
  - With O(display_ok_hosts) and O(display_skipped_hosts) set to V(false) what is left is what changed or failed, and
    the summary that P(mssp.onboarding.evidence#callback) prints.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
requirements:
  - set as C(stdout_callback) in ansible.cfg or by C(ANSIBLE_STDOUT_CALLBACK)
seealso:
  - plugin: mssp.onboarding.evidence
    plugin_type: callback
"""

from typing import Any

from ansible.playbook.task_include import TaskInclude
from ansible.plugins.callback.default import CallbackModule as _Default

Default: Any = _Default  # Ansible's own has no types


class CallbackModule(Default):  # type: ignore[misc]
    """The default callback, which names a play only when it has something to show of it."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "mssp.onboarding.brief"

    _unnamed: Any = None

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._play = self._unnamed = play

    def v2_playbook_on_no_hosts_matched(self) -> None:
        """Nothing: most tenants have few of the sources."""

    def v2_runner_on_ok(self, result: Any) -> None:
        """An include is shown as any other task that is ok."""
        task = getattr(result, "task", None) or result._task  # the second in ansible-core 2.18
        if self.get_option("display_ok_hosts") or not isinstance(task, TaskInclude):
            super().v2_runner_on_ok(result)

    def v2_playbook_on_include(self, included_file: Any) -> None:
        if self.get_option("display_ok_hosts"):
            super().v2_playbook_on_include(included_file)

    def _print_task_banner(self, task: Any) -> None:
        if self._unnamed is not None:
            super().v2_playbook_on_play_start(self._unnamed)
            self._unnamed = None
        super()._print_task_banner(task)
