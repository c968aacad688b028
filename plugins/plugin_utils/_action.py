# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all of our actions do: take options from a role's variables, and run the engine in Ansible's worker."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ansible_collections.mssp.onboarding.plugins.module_utils._core.coverage import memory_path
from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, execute
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError, OnboardingError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.evidence import tenant_file
from ansible_collections.mssp.onboarding.plugins.module_utils._core.progress import Reporter
from ansible_collections.mssp.onboarding.plugins.module_utils._core.redaction import Redactor
from ansible_collections.mssp.onboarding.plugins.module_utils._core.result import refused
from ansible_collections.mssp.onboarding.plugins.plugin_utils._sources import compared

LOCAL = ("local", "ansible.builtin.local")
# The argument that names a role: an option that the task does not give is the role's variable of the same name.
OPTIONS_FROM = "options_from"
EVIDENCE = "evidence_path"
ACCEPTED = "accept_missing"
# Of an authority that the control node keeps, what it has signed, and what a module asks to be signed.
CA, CA_KEY, SIGNED, REQUESTS = "tls_ca", "tls_ca_key", "tls_signed", "requests"
PLAIN = (bool, int, float, type(None))
TEMPLATE_STARTS = ("{{", "{%", "{#")
READ = "read the options"
# A variable of the environment that a template looks up.
ENVIRONMENT = re.compile(r"\benv['\"]\s*,\s*['\"](\w+)['\"]")
VAULT_STEP = "give the vault's password: --vault-id, --vault-password-file or ANSIBLE_VAULT_PASSWORD_FILE"


class EngineAction(ActionBase):
    """One task, one tenant, one capability.

    A worker inherits the libraries that the parent has imported, so a task costs no import and no new process; the
    module of the same name does the same work where the task is delegated to another host.
    """

    TRANSFERS_FILES = False
    MODULE: ClassVar[Module]
    _validator: ClassVar[ArgumentSpecValidator]

    def __init_subclass__(cls) -> None:
        """Copies the spec, deeply: once in the parent and not in each worker."""
        super().__init_subclass__()
        cls._validator = ArgumentSpecValidator(dict(cls.MODULE.spec), **cls.MODULE.rules)

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        gc.freeze()  # what the worker has from its parent needs no look at each collection
        super().run(tmp, task_vars)
        try:
            return self._run(task_vars or {})
        except OnboardingError as error:
            return refused(self.MODULE.capability, str(error), [error.problem()])

    def _run(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Raises InputError where the options cannot be read."""
        tenant = str(variables.get("inventory_hostname", "localhost"))
        given = self._given(variables, tenant)
        self._refuse_secrets_in_the_clear(given)
        if self.MODULE.file_option and "://" not in str(given.get(self.MODULE.file_option) or "://"):
            return self._run_with_file(given, variables)
        if self.MODULE.on_host or self._connection.transport not in LOCAL:
            return self._compared(self._run_on_host(given, variables), given, variables, tenant)
        params, secrets = self._validated(given, variables)
        if EVIDENCE in self.MODULE.spec and not params[EVIDENCE]:
            params[EVIDENCE] = tenant_file(tenant, self._name())
        result = execute(
            self.MODULE.engine,
            self.MODULE.capability,
            params,
            check=self._task.check_mode,
            diff=self._task.diff,
            secrets=secrets,
            reporter=Reporter(tenant, self.MODULE.capability),
        )
        return self._compared(result, given, variables, tenant)

    def _compared(
        self, result: dict[str, Any], given: Mapping[str, Any], variables: Mapping[str, Any], tenant: str
    ) -> dict[str, Any]:
        """With what the tenant file once named and does not any more, where a role's sources are the task's."""
        role, evidence = self._task.args.get(OPTIONS_FROM), tenant_file(tenant, self._name())
        path = memory_path(str(evidence or ""), self.MODULE.capability) if role and self.MODULE.sources else None
        if path is None:
            return result
        accepted = [
            name for names in self._resolved(variables.get(f"{role}_{ACCEPTED}"), variables) for name in names or ()
        ]
        converges, check = not self._name().endswith("_info"), self._task.check_mode
        return compared(result, self.MODULE, path, given, accepted, converges=converges, check=check)

    def _name(self) -> str:
        return str(self._task.action).rpartition(".")[2]

    def _given(self, variables: Mapping[str, Any], tenant: str) -> dict[str, Any]:
        """The task's own arguments, and where they name a role, its variables for the options that they leave open.

        A variable that is not defined, null or "" leaves the option to the module's default. As an argument, null and
        "" do so as well, and keep the role's variable out.
        """
        given = dict(self._task.args)
        role = given.pop(OPTIONS_FROM, None)
        if role is None:
            return given
        for option in self.MODULE.spec.keys() - given.keys():
            for value in self._value(f"{role}_{option}", variables):
                if option == EVIDENCE and value:  # the role names the folder
                    value = os.path.join(value, f"{tenant}.{self._name()}.jsonl")
                given[option] = value
        return {option: value for option, value in given.items() if value not in (None, "")}

    def _value(self, name: str, variables: Mapping[str, Any]) -> list[Any]:
        """The variable's value, none where it is omitted. Raises InputError where Ansible cannot give it."""
        try:
            return [*self._resolved(variables.get(name), variables)]
        except AnsibleError as error:
            step = VAULT_STEP if "vault" in str(error).casefold() else f"correct {name}, or what its template names"
            raise InputError(READ, f"{name}: {error}", next_step=step) from error

    def _resolved(self, value: Any, variables: Mapping[str, Any]) -> Iterator[Any]:
        """The value with its templates filled in, or nothing where it is omitted.

        Only a string that holds a template is templated: to compile one costs a thousand times what the look does.
        Whether it may be a template at all (it is not where it comes from a vendor) is up to Ansible's templar.
        """
        if isinstance(value, str):
            if not any(start in value for start in TEMPLATE_STARTS):
                yield value
                return
            # In a list, ansible-core 2.19 and later leave out what is omitted; before, it is a string of its own.
            yield from (item for item in self._templar.template([value]) if item != variables.get("omit"))
        elif isinstance(value, Mapping):
            yield {key: item for key, inner in value.items() for item in self._resolved(inner, variables)}
        elif isinstance(value, list | tuple):
            yield [item for inner in value for item in self._resolved(inner, variables)]
        else:  # an encrypted value is decrypted by str()
            yield value if isinstance(value, PLAIN) else str(value)

    def _refuse_secrets_in_the_clear(self, given: Mapping[str, Any]) -> None:
        """A secret is given to tasks only whose result no callback, log or -v shows."""
        option = self.MODULE.secret_option
        wanted = given.get(option, False)
        if self.MODULE.spec.get(option, {}).get("type") == "bool":
            wanted = boolean(wanted, strict=False)
        if wanted and not self._task.no_log:
            raise AnsibleActionFail(f"{option} needs no_log: true on the task. Nothing was done.")

    def _validated(self, given: dict[str, Any], variables: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
        """(parameters, secret values). Ansible does not take secrets out of what an action says, so this does."""
        found = self._validator.validate(given)
        secrets = set(found._no_log_values)
        if found.error_messages:
            text = "; ".join(str(remove_values(message, secrets)) for message in found.error_messages)
            raise InputError(READ, text, code="WrongOptions", next_step=self._step(text, variables))
        return dict(found.validated_parameters), secrets

    def _step(self, text: str, variables: Mapping[str, Any]) -> str:
        """What to do about options that are wrong: by the names that the inventory has, and of the environment."""
        named = [option for option in self.MODULE.spec if re.search(rf"\b{option}\b", text)]
        role = self._task.args.get(OPTIONS_FROM)
        names = [f"{role}_{option}" if role else option for option in named]
        wanted = {name: ENVIRONMENT.findall(str(variables.get(name) or "")) for name in names}
        unset = [f"{one} (for {name})" for name, there in wanted.items() for one in there if not os.environ.get(one)]
        if unset:
            return f"set the environment variable {', '.join(unset)}"
        return f"give or correct {' or '.join(names)}" if names else "correct the options"

    def _run_on_host(self, given: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        """What the module says; where it asks for certificates, once more with what was signed here."""
        if self.MODULE.certificates is None:
            return self._run_module(given, variables)
        there = {option: value for option, value in given.items() if option != CA_KEY}
        found = self._run_module(there, variables)
        requests = found.pop(REQUESTS, None)
        if not requests:
            return found
        # Its library costs each run's start, so only who signs pays for it.
        from ansible_collections.mssp.onboarding.plugins.plugin_utils import _authority

        params, _secrets = self._validated(given, variables)
        names = self.MODULE.certificates(params)
        signed = _authority.signed(params[CA], params[CA_KEY], requests, names)
        return self._run_module({**there, SIGNED: signed}, variables)

    def _run_module(self, given: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        """What the module says on its host; a host that is not ours any more must not steer who reads it."""
        wrap_async = bool(self._task.async_val) and not self._connection.has_native_async
        return dict(Redactor()(self._execute_module(module_args=given, task_vars=variables, wrap_async=wrap_async)))

    def _run_with_file(self, given: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        """Copy the file of the control node to the host, where the module says that it would change something."""
        predicted = self._predicted(given, variables)
        if predicted.get("failed") or not predicted.get("changed"):
            return predicted
        here = self._find_needle("files", str(given[self.MODULE.file_option]))
        if self._task.check_mode:
            return predicted
        shell = self._connection._shell
        folder = shell.tmpdir or self._make_tmp_path()
        there = shell.join_path(folder, "package")
        self._transfer_file(here, there)
        self._fixup_perms2((folder, there))
        return self._run_module({**given, self.MODULE.file_option: there}, variables)

    def _predicted(self, given: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        """What the module says that it would do; for that it needs no file."""
        checked = self._task.check_mode
        self._task.check_mode = True
        try:
            return self._run_module(given, variables)
        finally:
            self._task.check_mode = checked
