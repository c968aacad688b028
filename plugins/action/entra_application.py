# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs mssp.onboarding.entra_application in Ansible's worker."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.graph import application, options
from ansible_collections.mssp.onboarding.plugins.plugin_utils._action import EngineAction


class ActionModule(EngineAction):
    SPEC = options.APPLICATION_MODULE_SPEC
    RULES = options.RULES
    CAPABILITY = application.CAPABILITY
    ENGINE = staticmethod(application.run)

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """A new secret is given to tasks only whose result no callback, log or -v shows."""
        if self._task.args.get("secret_name") and not self._task.no_log:
            raise AnsibleActionFail("secret_name needs no_log: true on the task. Nothing was done.")
        return super().run(tmp, task_vars)
