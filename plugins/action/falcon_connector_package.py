# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs mssp.onboarding.falcon_connector_package on the host, and brings it the package only when it is needed."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    TRANSFERS_FILES = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        source = str(self._task.args.get("src") or "")
        if not source or "://" in source:
            return dict(self._execute_module(task_vars=task_vars))
        predicted = self._predicted(task_vars)
        if predicted.get("failed") or not predicted.get("changed"):
            return predicted
        here = self._find_needle("files", source)
        if self._task.check_mode:
            return predicted
        shell = self._connection._shell
        folder = shell.tmpdir or self._make_tmp_path()
        there = shell.join_path(folder, "package")
        self._transfer_file(here, there)
        self._fixup_perms2((folder, there))
        return dict(self._execute_module(module_args={**self._task.args, "src": there}, task_vars=task_vars))

    def _predicted(self, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """What the module says that it would do; for that it needs no package."""
        given = self._task.check_mode
        self._task.check_mode = True
        try:
            return dict(self._execute_module(task_vars=task_vars))
        finally:
            self._task.check_mode = given
