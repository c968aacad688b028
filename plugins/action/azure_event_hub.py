# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs mssp.onboarding.azure_event_hub in Ansible's worker."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub import capability as event_hub
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub import options as event_hub_options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity_options
from ansible_collections.mssp.onboarding.plugins.plugin_utils._action import EngineAction


class ActionModule(EngineAction):
    SPEC = event_hub_options.HUB_MODULE_SPEC
    RULES = identity_options.ADMINISTRATOR_RULES
    CAPABILITY = event_hub.EventHub.name
    ENGINE = staticmethod(event_hub.converge)

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Keys are given to tasks only whose result no callback, log or -v shows."""
        if boolean(self._task.args.get("return_keys", False), strict=False) and not self._task.no_log:
            raise AnsibleActionFail("return_keys needs no_log: true on the task. Nothing was done.")
        return super().run(tmp, task_vars)
