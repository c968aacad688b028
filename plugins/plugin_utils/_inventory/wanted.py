# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What only a capability knows to be wrong: its own check of its options, asked before the run.

It is pure, and the same that the task would meet, in a file that imports no vendor's library. A value that is known
late (a template, a vault, group_vars) has a stand-in, and what is said of it is not heard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import Any, Final

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.options import Check
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.schema import Option, Role
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.yaml import is_template

UTILS: Final = __name__.partition(".plugin_utils.")[0] + ".module_utils."
# Stand-ins that fit any form of FORMS that a string may have to have.
STAND_INS: Final = ("late", "00000000-0000-4000-8000-000000000000", "https://late.example")
# A template with one of these may come to nothing.
_MAYBE: Final = re.compile(r"\b(omit|default|d)\b")


def wrong_wish(role: Role, values: Mapping[str, Any], elsewhere: Iterable[str], tenant: str = "") -> tuple[str, str]:
    """(option, what is wrong with it), both '' where nothing is.

    values: by option, as the tenant file and the fleet's defaults give them; elsewhere: options whose values are not
    known here; tenant: its slug, which a collector's capability is told by its task.
    """
    if not role.capability.checked_in:
        return "", ""
    check, validator = _check(role.capability.checked_in)
    given, late = _given(role, values, elsewhere)
    given |= {"tenant": tenant} if "tenant" in validator.argument_spec else {}
    found = validator.validate({name: value for name, value in given.items() if name in validator.argument_spec})
    said, step = found.error_messages, ""
    if not said:
        try:
            check.wanted(found.validated_parameters)
        except InputError as error:
            said, step = [error.message], f"; {error.next_step}" if error.next_step else ""
    for message in said:
        named = [name for name in sorted(role.options, key=len, reverse=True) if re.search(rf"\b{name}\b", message)]
        if not late.intersection(named or late):
            return next((name for name in named if name in values), ""), message + step
    return "", ""


@cache
def _check(name: str) -> tuple[Check, ArgumentSpecValidator]:
    """(the check that stands in the file, the validator of its options)."""
    check: Check = import_module(UTILS + name).CHECK
    return check, ArgumentSpecValidator(dict(check.spec), **check.rules)


def _given(role: Role, values: Mapping[str, Any], elsewhere: Iterable[str]) -> tuple[dict[str, Any], set[str]]:
    """(options, with stand-ins for what is late; names of those of which nothing can be said)."""
    late = set(elsewhere) - values.keys()
    given: dict[str, Any] = {name: _stand_in(role.options[name]) for name in late}
    for name, value in values.items():
        option = role.options[name]
        given[name] = _stand_in(option) if _is_late(value) else _filled(value)
        # A secret is there, whatever it is, unless its template may come to nothing. (To compare one decrypts it.)
        is_there = option.no_log and not (isinstance(value, str) and _MAYBE.search(value))
        if _has_late(value) and not is_there:
            late.add(name)
    return {name: value for name, value in given.items() if value is not None}, late


def _is_late(value: Any) -> bool:
    """Whether the value is a template, or encrypted."""
    if isinstance(value, str):
        return is_template(value)
    return not isinstance(value, bool | int | float | Mapping | list | None)


def _has_late(value: Any) -> bool:
    """Whether a part of the value is late."""
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return _is_late(value) or any(_has_late(part) for part in parts)


def _filled(value: Any) -> Any:
    """The value with a stand-in for each part that is known late, and plain strings.

    A validator copies what it is given, which takes 100 µs for a string that Ansible has marked.
    """
    if isinstance(value, Mapping):
        return {str(key): _filled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item) for item in value]
    if _is_late(value):
        return STAND_INS[0]
    return str(value) if isinstance(value, str) else value


def _stand_in(option: Option) -> Any:
    """A value that the option may have, None where there is no telling."""
    if option.type not in ("str", "path") or option.choices:
        return None
    return next((text for text in STAND_INS if not option.form or option.form.pattern.fullmatch(text)), None)
