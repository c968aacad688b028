# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the intakes' modules: the argument specs, and their values checked and typed once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..._core.errors import InputError
from ..._core.options import COVERAGE_SPEC, RUN_SPEC, Check
from .. import identity as who
from ..identity import IDENTITY_SPEC, READ, STEP, Identity
from .plan import Kept, Policy, Wanted

MAX_NAME = 200

INTAKE_SPEC: dict[str, dict[str, Any]] = {
    "format": {"type": "str", "required": True},
    "entity": {"type": "str", "required": True},
}
KEPT_SPEC: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "uuid": {"type": "str", "required": True},
    "intake_key": {"type": "str", "required": True, "no_log": True},
    "intake_url": {"type": "str"},
}
TARGET_SPEC: dict[str, dict[str, Any]] = {
    **IDENTITY_SPEC,
    "intake_url": {"type": "str"},
    "intakes": {"type": "dict", "required": True},
    **COVERAGE_SPEC,
}
CONVERGE_SPEC: dict[str, dict[str, Any]] = {
    **TARGET_SPEC,
    "kept": {"type": "list", "elements": "dict", "options": KEPT_SPEC, "no_log": False, "default": []},
    "hand_over": {"type": "bool", "default": False},
    "return_secrets": {"type": "bool", "no_log": False, "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **{name: RUN_SPEC[name] for name in ("fail_on", "correct", "max_changes", "concurrency")},
}
ACCESS_SPEC: dict[str, dict[str, Any]] = TARGET_SPEC
FLOW_SPEC: dict[str, dict[str, Any]] = {
    **TARGET_SPEC,
    "grace_minutes": {"type": "int", "default": 60},
    "stale_hours": {"type": "int", "default": 24},
    "probe": {"type": "bool", "default": False},
    "concurrency": RUN_SPEC["concurrency"],
}


class Setup(NamedTuple):
    """What a task wants of one tenant. kept: by name. grace, stale: seconds."""

    identity: Identity
    intakes: tuple[Wanted, ...]
    kept: Mapping[str, Kept] = {}
    policy: Policy = Policy()
    return_secrets: bool = False
    grace: float = 3600.0
    stale: float = 86400.0
    probe: bool = False
    concurrency: int = 4


def setup(params: Mapping[str, Any]) -> Setup:
    """The checked parameters of any of the modules, typed. Raises InputError with every reason."""
    problems: list[str] = []
    identity = who.identity(params, problems)
    intakes = tuple(one for name, given in params["intakes"].items() if (one := _intake(str(name), given, problems)))
    numbers = {name: params.get(name, 1) for name in ("grace_minutes", "stale_hours")}
    problems += [f"{name} must be at least 1" for name, value in numbers.items() if value < 1]
    if problems:
        raise InputError(READ, "; ".join(problems), next_step=STEP)
    return Setup(
        identity,
        intakes,
        {one["name"]: Kept(one["uuid"], one["intake_key"]) for one in params.get("kept") or ()},
        Policy(bool(params.get("hand_over")), params.get("state") == "absent"),
        bool(params.get("return_secrets")),
        60.0 * params.get("grace_minutes", 60),
        3600.0 * params.get("stale_hours", 24),
        bool(params.get("probe")),
        params.get("concurrency", 4),
    )


def _intake(name: str, given: Any, problems: list[str]) -> Wanted | None:
    checked = ArgumentSpecValidator(INTAKE_SPEC).validate(given if isinstance(given, dict) else {})
    if name != name.strip() or not 0 < len(name) <= MAX_NAME or not name.isprintable():
        problems.append(f"intakes: {name!r:.80} must be one line of at most {MAX_NAME} characters")
    elif checked.error_messages:
        problems.append(f"intakes: {name}: " + ", ".join(map(str, checked.error_messages)))
    else:
        return Wanted(name, **checked.validated_parameters)
    return None


CHECK = Check(CONVERGE_SPEC, setup)
