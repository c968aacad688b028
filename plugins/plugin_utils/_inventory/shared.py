# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host gets from outside of its tenant file: its groups, and their variables in the fleet's folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mssp.onboarding.plugins.plugin_utils._capabilities import OneOf, load_capabilities
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.check import check
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.file import RINGS, Host, Tenant
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.schema import Schema, nearest
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.yaml import (
    NULL,
    VAULT_HEADER,
    Document,
    Malformed,
    Problem,
    Types,
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a check needs from Ansible and the process.

    `find_vars(folder, name)` lists the files of a group or host as Ansible finds them, `load(path)` reads one that is
    encrypted as a whole, `extra_vars` are the names given with -e, `environment` is the process's.
    """

    types: Types
    find_vars: Callable[[str, str], list[str]]
    load: Callable[[str], Any]
    extra_vars: frozenset[str]
    environment: Mapping[str, str]


def shown(path: str) -> str:
    """The path as messages show it: from the working directory where it lies under that."""
    relative = os.path.relpath(path)
    return path if relative.startswith(os.pardir) else relative


def groups_of(schema: Schema, tenant: Tenant, host: Host) -> list[str]:
    """Groups of the tenant's own host or of one of its collectors."""
    roles = [f"has_{role}" for role in schema.roles_of(host.entries)]
    if host is tenant.host:
        return ["tenants", f"ring_{tenant.ring}", *roles]
    return ["collectors", tenant.group, f"ring_{tenant.ring}", *roles]


def fixed_groups(schema: Schema) -> list[str]:
    """Groups that exist in every inventory of this plugin, with or without hosts."""
    rings, roles = (f"ring_{ring}" for ring in RINGS), (f"has_{role}" for role in schema.roles)
    return ["tenants", "collectors", "mssp_failed", *rings, *roles]  # mssp_failed: filled by the playbooks' rescues


class SharedVars:
    """The fleet's group_vars and host_vars: which options they give to a host, and what is wrong in them."""

    def __init__(self, folder: str, schema: Schema, around: Surroundings) -> None:
        self.folder = folder
        self.schema = schema
        self.around = around
        self.problems: list[Problem] = []
        self._given: dict[tuple[str, str], frozenset[str]] = {}
        self._exists = {kind: os.path.isdir(os.path.join(folder, kind)) for kind in ("group_vars", "host_vars")}
        self._prefixes = tuple(f"{role}_" for role in schema.roles)

    def check_needs(self, tenant: Tenant, host: Host) -> None:
        """Required options, and sets of options of which one is needed, of the roles that the host has."""
        given = host.given() | self.around.extra_vars | self._names("host_vars", host.name)
        for group in ("all", *groups_of(self.schema, tenant, host)):
            given |= self._names("group_vars", group)
        given -= host.vars.keys() - host.given()
        where = "vars" if host is tenant.host else f"collectors.{host.name}"
        roles = self.schema.roles_of(host.entries)
        for role in roles:
            for option in self.schema.required[role]:
                if option not in given:
                    message = f"required by role {role}; give it here or in group_vars"
                    tenant.document.problem(host.node, f"{where}.{option}", message)
        for capability in load_capabilities().values():
            for rule in capability.one_of if capability.name in roles else ():
                options = [capability.option(name) for name in rule.options]
                if given.isdisjoint(options) and not self._in_environment(rule):
                    message = f"one of {', '.join(options)} is needed {rule.purpose}; give it here or in group_vars"
                    tenant.document.problem(host.node, where, message)

    def _in_environment(self, rule: OneOf) -> bool:
        return any(self.around.environment.get(name) for name in rule.environment)

    def check_group_names(self, known: set[str]) -> None:
        """A file for a group of ours that does not exist would be passed over in silence."""
        folder = os.path.join(self.folder, "group_vars")
        for name in sorted(os.listdir(folder)) if self._exists["group_vars"] else ():
            group = os.path.splitext(name)[0]
            if group.startswith(("ring_", "has_", "tenant_")) and group not in known:
                place = shown(os.path.join(folder, name))
                self.problems.append(Problem(place, 1, 1, "file", f"no such group{nearest(group, known)}"))

    def _names(self, kind: str, name: str) -> frozenset[str]:
        if not self._exists[kind]:
            return frozenset()
        if (kind, name) not in self._given:
            paths = self.around.find_vars(os.path.join(self.folder, kind), name)
            self._given[kind, name] = frozenset().union(*map(self._read, paths))
        return self._given[kind, name]

    def _read(self, path: str) -> set[str]:
        """Names of the variables that the file gives a value to; role variables in it are checked like a tenant's."""
        with open(path, "rb") as stream:
            content = stream.read()
        if content.startswith(VAULT_HEADER.encode()):
            return {name for name, value in (self.around.load(path) or {}).items() if value is not None}
        document = Document(shown(path), self.around.types)
        try:
            entries = document.entries(document.compose(content), "")
        except Malformed as malformed:
            self.problems.append(malformed.problem)
            return set()
        for name, entry in entries.items():
            if option := self.schema.options.get(name):
                check(document, entry.value, option, name)
            elif name.startswith(self._prefixes):
                document.problem(entry.key, name, f"unknown variable{nearest(name, self.schema.options)}")
        self.problems += document.problems
        return {name for name, entry in entries.items() if entry.value.tag != NULL}
