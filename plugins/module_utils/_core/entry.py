# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an engine to a result: the one place where errors become a failed task."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .errors import OnboardingError
from .redaction import Redactor
from .result import refused

Engine = Callable[..., Awaitable[dict[str, Any]]]


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
        self._reporter.failure(self._redactor(text))


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


def run_module(engine: Engine, capability: str, spec: Mapping[str, Any], rules: Mapping[str, Any]) -> None:
    """The body of a module's main()."""
    module = AnsibleModule(argument_spec=dict(spec), supports_check_mode=True, **rules)
    result = execute(
        engine,
        capability,
        module.params,
        check=module.check_mode,
        diff=module._diff,
        secrets=module.no_log_values,
    )
    if result["failed"]:
        module.fail_json(**result)
    module.exit_json(**result)
