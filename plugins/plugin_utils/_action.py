# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of our actions: the engine runs in Ansible's worker when the connection is local."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Engine, execute
from ansible_collections.mssp.onboarding.plugins.module_utils._core.evidence import tenant_file
from ansible_collections.mssp.onboarding.plugins.module_utils._core.progress import Reporter

LOCAL = ("local", "ansible.builtin.local")


class EngineAction(ActionBase):
    """One task, one tenant, one capability.

    A worker inherits the libraries that the parent has imported, so a task costs no import and no new process; a
    module of the same name does the same work where the task is delegated to another host.
    """

    TRANSFERS_FILES = False
    SPEC: ClassVar[Mapping[str, Any]]
    RULES: ClassVar[Mapping[str, Any]]
    CAPABILITY: ClassVar[str]
    ENGINE: ClassVar[Engine]

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        if self._connection.transport not in LOCAL:
            return dict(self._execute_module(task_vars=task_vars))
        variables = task_vars or {}
        tenant = str(variables.get("inventory_hostname", "localhost"))
        params, secrets = self._validated()
        if "evidence_path" in self.SPEC and not params["evidence_path"]:
            params["evidence_path"] = tenant_file(tenant, self._task.action.split(".")[-1])
        return execute(
            type(self).ENGINE,
            self.CAPABILITY,
            params,
            check=self._task.check_mode,
            diff=self._task.diff,
            secrets=secrets,
            reporter=Reporter(tenant, self.CAPABILITY),
        )

    def _validated(self) -> tuple[dict[str, Any], set[str]]:
        """(parameters, secret values). Ansible does not take secrets out of what an action says, so this does."""
        validator = ArgumentSpecValidator(dict(self.SPEC), **self.RULES)
        found = validator.validate(dict(self._task.args))
        secrets = set(found._no_log_values)
        if found.error_messages:
            text = "; ".join(str(remove_values(message, secrets)) for message in found.error_messages)
            raise AnsibleActionFail(f"Wrong options: {text}")
        return dict(found.validated_parameters), secrets
