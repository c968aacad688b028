# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may stand in tenant files and in fleet.yml, read from the roles' own declarations: the only schema of both.

In a role's meta/, argument_specs.yml says which options there are, value_specs.yml what is in dictionaries whose keys
are free, and capability.yml where the role runs and what its vendor's section holds for it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import yaml

from ansible_collections.mssp.onboarding.plugins.module_utils._core.names import meant
from ansible_collections.mssp.onboarding.plugins.plugin_utils._capabilities import (
    ROLES_DIR,
    Capability,
    Form,
    load_capabilities,
)
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.yaml import LOADER

TENANT: Final = "tenant"
COLLECTOR: Final = "collector"


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a role, or of a dictionary in one.

    item: what each element of a list must be, or each value of a dictionary whose keys are free; description: for
    editors.
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
class Role:
    """A role's options, by the names that its section has for them: without the role's prefix.

    required: names of those that have to be given, by the section or elsewhere; variables: a host's variables to the
    options that they are.
    """

    capability: Capability
    title: str
    options: dict[str, Option]
    required: tuple[str, ...]
    variables: dict[str, str]

    @property
    def name(self) -> str:
        return self.capability.name

    def variable(self, option: str) -> str:
        """The variable of a host that is this option."""
        return self.capability.option(option)

    def where(self, option: str = "") -> str:
        """The place of the section, or of an option, in a tenant file."""
        section = f"sources.{self.name}" if self.capability.host == TENANT else f"collectors.<host>.{self.name}"
        if option in self.capability.shared:
            return f"{self.capability.vendor}.{option}"
        return f"{section}.{option}" if option else section


@dataclass(frozen=True, slots=True)
class Schema:
    """The roles by name, and what follows from them.

    options: by the name of the variable, over all roles; places: variable to its role and name there; vendors: the
    options of each vendor's section; sharing: vendor and option to the variables that it stands for, by role; own:
    variables that a tenant shares with nobody; provider_only: variables that no tenant file sets; unique: variables
    whose values no two tenant files share, and what to do who means to.
    """

    roles: dict[str, Role]
    options: dict[str, Option]
    places: dict[str, tuple[Role, str]]
    vendors: dict[str, dict[str, Option]]
    sharing: dict[tuple[str, str], dict[str, str]]
    own: frozenset[str]
    provider_only: frozenset[str]
    unique: dict[str, str]

    def sections(self, host: str) -> dict[str, Role]:
        """The roles that may have a section at a tenant or at a collector."""
        return {name: role for name, role in self.roles.items() if role.capability.host == host}

    def unplaced(self, key: str) -> str:
        """What is wrong with a key that is the name of a role or belongs to one, '' for any other."""
        if key in self.roles:
            return f"not here; it goes under {self.roles[key].where()}"
        return self.misplaced(key)

    def misplaced(self, variable: str) -> str:
        """What is wrong with a variable that belongs to a role, '' for any other."""
        if variable in self.places:
            role, option = self.places[variable]
            return f"an option of the role {role.name}; write it as {role.where(option)}"
        for role in self.roles.values():
            prefix = f"{role.name}_"
            if variable.startswith(prefix):
                hint = meant(variable.removeprefix(prefix), role.options)
                return f"{role.name} has no such option{hint}; its options go under {role.where()}"
        return ""


@cache
def load_schema(roles_dir: str = ROLES_DIR) -> Schema:
    """The schema of the roles that have a capability.yml, in the order of their plays."""
    roles = {name: _role(roles_dir, capability) for name, capability in load_capabilities(roles_dir).items()}
    places = {variable: (role, name) for role in roles.values() for variable, name in role.variables.items()}
    vendors: dict[str, dict[str, Option]] = {}
    sharing: dict[tuple[str, str], dict[str, str]] = {}
    for role in roles.values():
        capability = role.capability
        for name in capability.shared:
            option = replace(role.options[name], required=False)
            vendors.setdefault(capability.vendor, {}).setdefault(name, option)
            sharing.setdefault((capability.vendor, name), {})[role.name] = role.variable(name)
    return Schema(
        roles=roles,
        options={variable: role.options[name] for variable, (role, name) in places.items()},
        places=places,
        vendors=vendors,
        sharing=sharing,
        own=frozenset(role.variable(name) for role in roles.values() for name in role.capability.own),
        provider_only=frozenset(
            role.variable(name) for role in roles.values() for name in role.capability.provider_only
        ),
        unique={
            role.variable(name): advice for role in roles.values() for name, advice in role.capability.unique.items()
        },
    )


def _role(roles_dir: str, capability: Capability) -> Role:
    """Every entry point of the role; where two define an option, main wins, then the first."""
    meta = os.path.join(roles_dir, capability.name, "meta")
    points = _load(os.path.join(meta, "argument_specs.yml")).get("argument_specs", {})
    values = _load(os.path.join(meta, "value_specs.yml"))
    specs: dict[str, Any] = {}
    for point in sorted(points, key=lambda name: name != "main"):
        for variable, spec in (points[point].get("options") or {}).items():
            specs.setdefault(variable, spec)
    prefix = f"{capability.name}_"
    options = {}
    for variable, spec in specs.items():
        name = variable.removeprefix(prefix)
        options[name] = _option(name, {**spec, "values": values.get(variable)}, capability)
    main = points.get("main") or {}
    needed = main.get("options") or {}
    required = tuple(name for name in options if options[name].required and prefix + name in needed)
    variables = {capability.option(name): name for name in options}
    return Role(capability, main.get("short_description", ""), options, required, variables)


def _load(path: str) -> dict[str, Any]:
    if not os.path.exists(path):
        return {}
    with open(path, "rb") as stream:
        return dict(yaml.load(stream, Loader=LOADER) or {})  # a safe loader  # nosec B506


def _option(way: str, spec: dict[str, Any], capability: Capability, *, secret: bool = False) -> Option:
    """The option of a spec. way: its name, behind those of the options that it is in and a dot."""
    text = spec.get("description", "")
    secret = secret or bool(spec.get("no_log"))
    nested, values = spec.get("options"), spec.get("values")
    option = Option(
        name=way.rpartition(".")[2],
        type=spec.get("type", "str"),
        item=_option(way, values, capability, secret=secret) if values else None,
        choices=tuple(spec.get("choices") or ()),
        required=bool(spec.get("required")),
        no_log=secret,
        options={key: _option(f"{way}.{key}", value, capability, secret=secret) for key, value in nested.items()}
        if nested
        else None,
        form=capability.forms.get(way),
        description=text if isinstance(text, str) else " ".join(text),
        default=spec.get("default"),
    )
    if option.type != "list":
        return option
    return replace(option, item=replace(option, type=spec.get("elements", "raw"), required=False))
