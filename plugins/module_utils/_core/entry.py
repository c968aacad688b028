# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an engine to a result: the one place where errors become a failed task."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from ansible.module_utils.basic import AnsibleModule

from .errors import OnboardingError
from .options import check_run
from .redaction import TEXTS, Redactor
from .result import refused

Engine = Callable[..., Awaitable[dict[str, Any]]]


class Module(NamedTuple):
    """What a module's file says of it, to its own process and to the action of the same name.

    on_host: it works on the host that it is called for, so never in Ansible's worker; secret_option: an option that
    needs no_log on the task, since it brings a secret into the result; file_option: an option that may name a file of
    the control node, which is copied to the host where the module predicts a change; sources: the option whose names
    are what a tenant file has on the host, which the action remembers: what it no longer names is told;
    certificates: of checked options, the names in each certificate that the control node signs for the host, by the
    options tls_ca and tls_ca_key, of which the key never goes there.
    """

    engine: Engine
    capability: str
    spec: Mapping[str, Any]
    rules: Mapping[str, Any] = MappingProxyType({})
    on_host: bool = False
    secret_option: str = ""
    file_option: str = ""
    sources: str = ""
    certificates: Callable[[Mapping[str, Any]], Mapping[str, Sequence[str]]] | None = None


class Silent:
    """A reporter for where nobody watches."""

    def update(self, **counts: Any) -> None:
        """Nothing to show."""

    def failure(self, text: str) -> None:
        """Nothing to show."""


class Discreet:
    """A reporter that takes secrets out of what it passes on: a vendor's text may hold one."""

    def __init__(self, reporter: Any, redactor: Redactor) -> None:
        self.update = reporter.update
        self._reporter = reporter
        self._redactor = redactor

    def failure(self, text: str) -> None:
        self._reporter.failure(self._redactor(text, TEXTS["message"]))


def execute(
    engine: Engine,
    capability: str,
    params: Mapping[str, Any],
    *,
    check: bool,
    diff: bool,
    secrets: Iterable[str] = (),
    reporter: Any = None,
) -> dict[str, Any]:
    """Run C(engine(params, reporter, redactor, check=, diff=)) and give its result, free of secrets.

    An error that ends the tenant gives a failed result of the same shape.
    """
    redactor = Redactor(*secrets)
    try:
        check_run(params)
        discreet = Discreet(reporter or Silent(), redactor)
        result = asyncio.run(_run(engine, params, discreet, redactor, check=check, diff=diff))
    except OnboardingError as error:
        result = refused(capability, str(error), [error.problem()])
    except Exception as error:  # a defect of ours: said as one, with secrets taken out of the trace
        result = refused(capability, f"Internal error: {error!r}. Please report it with the trace.")
        result["exception"] = traceback.format_exc()
    return dict(redactor(result))


async def _run(engine: Engine, *args: Any, **kwargs: Any) -> dict[str, Any]:
    return await engine(*args, **kwargs)


def run_module(declared: Module) -> None:
    """The body of a module's main()."""
    module = AnsibleModule(argument_spec=dict(declared.spec), supports_check_mode=True, **declared.rules)
    result = execute(
        declared.engine,
        declared.capability,
        module.params,
        check=module.check_mode,
        diff=module._diff,
        secrets=module.no_log_values,
    )
    if result["failed"]:
        module.fail_json(**result)
    module.exit_json(**result)
