# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options by name (sources, outputs, CIDs) as they are given, checked before anything is touched. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .._core.errors import InputError

# A name is part of paths, of unit names and of identifiers in others' configuration.
NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,38}[a-z0-9])?")
HOST = re.compile(r"[A-Za-z0-9.:_-]{1,253}")


def wrong(what: str, why: str) -> InputError:
    return InputError(f"use {what}", why, next_step="correct it in the tenant file, or where the provider sets it")


def placed(error: InputError, places: Mapping[str, str]) -> InputError:
    """The error for who has not asked for this part of the options by itself: with its place in the text.

    places: how a part is called -> the option that it belongs to.
    """
    what = error.operation.removeprefix("use ").removeprefix("the options of ")
    option = next((option for word, option in places.items() if what.startswith(word) and what != option), "")
    text = ": ".join(filter(None, (option, what, error.message)))
    return InputError(error.operation, text, code=error.code, next_step=error.next_step)


def check_name(what: str, name: Any) -> None:
    """Raises InputError."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise wrong(f"{what} «{name}»", "expected lower case letters, digits, - and _, at most 40")


def values_of(what: str, given: Any, wanted: Mapping[str, Any], **rules: Any) -> dict[str, Any]:
    """What is given by an argument spec, with its defaults; null is not given. Raises InputError."""
    if not isinstance(given, Mapping):
        raise wrong(what, "expected a dictionary of its options")
    spec = {option: value for option, value in given.items() if value is not None}
    found = ArgumentSpecValidator(dict(wanted), **rules).validate(spec)
    if found.error_messages:
        raise wrong(what, "; ".join(found.error_messages))
    return dict(found.validated_parameters)
