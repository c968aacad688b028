# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the collection's roles, read from their argument specs: the only schema of tenant files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from typing import Any

import yaml

from ansible_collections.mssp.onboarding.plugins.plugin_utils._capabilities import ROLES_DIR, Form, form_of
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.yaml import LOADER


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a role, or of a dictionary in one; `item` is what each element of a list must be.

    `description` is for editors.
    """

    name: str
    type: str
    item: Option | None
    choices: tuple[Any, ...]
    required: bool
    no_log: bool
    options: dict[str, Option] | None
    form: Form | None
    description: str
    default: Any

    @property
    def nullable(self) -> bool:
        """Whether null may unset it: Ansible takes null for the wrong type where a spec has a default."""
        return not self.required and self.default is None


@dataclass(frozen=True, slots=True)
class Schema:
    """`options` by name, over all roles; `roles` to the names of their options, main's first."""

    options: dict[str, Option]
    roles: dict[str, tuple[str, ...]]
    required: dict[str, tuple[str, ...]]

    def roles_of(self, names: Iterable[str]) -> list[str]:
        """The roles of which at least one option is named."""
        given = set(names)
        return [role for role, options in self.roles.items() if not given.isdisjoint(options)]


@cache
def load_schema(roles_dir: str = ROLES_DIR) -> Schema:
    """Every entry point of every role; where two define an option, main wins, then the first."""
    options: dict[str, Option] = {}
    roles: dict[str, tuple[str, ...]] = {}
    required: dict[str, tuple[str, ...]] = {}
    for role in sorted(os.listdir(roles_dir)):
        if not os.path.isdir(os.path.join(roles_dir, role)) or role.startswith("."):
            continue
        points = _entry_points(os.path.join(roles_dir, role, "meta", "argument_specs.yml"))
        own: dict[str, Option] = {}
        for point in sorted(points, key=lambda name: name != "main"):
            for name, spec in (points[point].get("options") or {}).items():
                own.setdefault(name, _option(name, spec))
        main = (points.get("main") or {}).get("options") or {}
        roles[role] = tuple(own)
        required[role] = tuple(name for name in main if own[name].required)
        options.update((name, option) for name, option in own.items() if name not in options)
    return Schema(options, roles, required)


def _entry_points(path: str) -> dict[str, Any]:
    if not os.path.exists(path):
        return {}
    with open(path, "rb") as stream:
        return dict(yaml.load(stream, Loader=LOADER)["argument_specs"])


def _option(name: str, spec: dict[str, Any], no_log: bool = False) -> Option:
    text = spec.get("description", "")
    secret = no_log or bool(spec.get("no_log"))
    nested = spec.get("options")
    option = Option(
        name=name,
        type=spec.get("type", "str"),
        item=None,
        choices=tuple(spec.get("choices") or ()),
        required=bool(spec.get("required")),
        no_log=secret,
        options={key: _option(key, value, secret) for key, value in nested.items()} if nested else None,
        form=form_of(name),
        description=text if isinstance(text, str) else " ".join(text),
        default=spec.get("default"),
    )
    if option.type != "list":
        return option
    return replace(option, item=replace(option, type=spec.get("elements", "raw"), required=False))


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint for an unknown word: « (did you mean x?)», or nothing."""
    names = list(known)
    ends = [name for name in names if name.endswith(f"_{word}")]
    close = ends[:1] or get_close_matches(word, names, n=1)
    return f" (did you mean {close[0]}?)" if close else ""
