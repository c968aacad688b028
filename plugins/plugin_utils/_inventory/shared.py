# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host gets from outside of its tenant file: its groups, and their variables in the fleet's folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import eq
from typing import Any, Final

from yaml.nodes import Node

from ansible_collections.mssp.onboarding.plugins.module_utils._core.coverage import unmatched
from ansible_collections.mssp.onboarding.plugins.module_utils._core.names import meant
from ansible_collections.mssp.onboarding.plugins.plugin_utils._capabilities import OneOf
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.check import check
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.file import (
    LEFT_GROUP,
    OFFBOARDED,
    RINGS,
    Tenant,
)
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.schema import Role, Schema
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.sections import Host, refuse_own
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.yaml import (
    NULL,
    VAULT_HEADER,
    Document,
    Entry,
    Malformed,
    Problem,
    Types,
)

KINDS: Final = ("group_vars", "host_vars")
# Extensions of what Ansible reads there.
READ: Final = ("", ".yml", ".yaml", ".json")
# How the name of a file of sops ends, before its extension.
SOPS: Final = ".sops"
# Names of groups that this plugin makes.
PREFIXES: Final = ("ring_", "has_", "tenant_", "slice_")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a check needs from Ansible and the process.

    `find_vars(folder, name)` lists the files of a group or host as Ansible finds them, `load(path)` reads one that is
    encrypted as a whole, `wrong_wish` is that of wanted.py, `extra_vars` are names given with -e, `environment` is the
    process's, `beside_playbooks` are folders that may have group_vars as well, `sops` is whether a vars plugin decrypts
    files of sops, `alone` whether no other inventory brings hosts and groups.
    """

    types: Types
    find_vars: Callable[[str, str], list[str]]
    load: Callable[[str], Any]
    wrong_wish: Callable[[Role, Mapping[str, Any], Iterable[str], str], tuple[str, str]]
    extra_vars: frozenset[str]
    environment: Mapping[str, str]
    beside_playbooks: tuple[str, ...] = ()
    sops: bool = False
    alone: bool = True


def shown(path: str) -> str:
    """The path as messages show it: from the working directory where it lies under that."""
    relative = os.path.relpath(path)
    return path if relative.startswith(os.pardir) else relative


def groups_of(tenant: Tenant, host: Host) -> list[str]:
    """Groups of the tenant's own host or of one of its collectors."""
    of_all = [f"ring_{tenant.ring}", *(f"has_{role}" for role in host.sections)]
    of_all += [LEFT_GROUP] if tenant.state == OFFBOARDED else []
    return ["tenants", *of_all] if host is tenant.host else ["collectors", tenant.group, *of_all]


def fixed_groups(schema: Schema) -> list[str]:
    """Groups that exist in every inventory of this plugin, with or without hosts."""
    rings, roles = (f"ring_{ring}" for ring in RINGS), (f"has_{role}" for role in schema.roles)
    return [
        "tenants",
        "collectors",
        "mssp_failed",
        LEFT_GROUP,
        *rings,
        *roles,
    ]  # mssp_failed: filled by the playbooks' rescues


class SharedVars:
    """What a host gets besides its tenant file, and what is wrong in the fleet's group_vars and host_vars.

    defaults: the variables of fleet.yml.
    """

    def __init__(self, folder: str, schema: Schema, around: Surroundings, defaults: Mapping[str, Any]) -> None:
        self.folder = folder
        self.schema = schema
        self.around = around
        self.problems: list[Problem] = []
        self._defaults = {name: value for name, value in defaults.items() if value is not None}
        self._everywhere = self._defaults.keys() | around.extra_vars
        self._given: dict[tuple[str, str], frozenset[str]] = {}
        bases = (folder, *around.beside_playbooks)
        self._folders = {
            kind: [path for base in bases if os.path.isdir(path := os.path.join(base, kind))] for kind in KINDS
        }

    def check_needs(self, tenant: Tenant, host: Host) -> None:
        """Required options, and sets of options of which one is needed, of the roles that the host has."""
        given = self._given_to(tenant, host)
        missing: dict[tuple[str, str], list[str]] = {}
        for name in host.sections:
            role = self.schema.roles[name]
            for option in role.required:
                if role.variable(option) not in given:
                    missing.setdefault(self._place(host, role, option), []).append(name)
            self._check_one_of(tenant, host, role, given)
            if not (missing or tenant.document.problems):
                self._check_on_collector(tenant, host, role)
                self._check_wish(tenant, host, role, given)
        for (section, key), roles in missing.items():
            message = f"required by {', '.join(roles)}; {self._advice(roles, key)}"
            tenant.document.problem(_node(tenant, host, section, roles[0]), key, message)

    def _given_to(self, tenant: Tenant, host: Host) -> set[str]:
        """Names of the variables that the host has, wherever they are given."""
        given = host.given() | self._everywhere | self._names("host_vars", host.name)
        for group in ("all", *groups_of(tenant, host)):
            given |= self._names("group_vars", group)
        return given - (host.vars.keys() - host.given())

    def _check_on_collector(self, tenant: Tenant, host: Host, role: Role) -> None:
        """A collector that the tenant does not have, or a name that nothing has there; what is known late is not asked.

        One who leaves may have lost the collector before; of hosts of other inventories nothing is known here.
        """
        rule = role.capability.on_collector
        if rule is None or tenant.state == OFFBOARDED or not self.around.alone:
            return
        collectors = {one.name: one for one in tenant.collectors}
        wanted = host.plain(role.variable(rule.collector))
        name, known = rule.collector, [*collectors]
        if wanted in collectors:
            there = collectors[wanted]
            values = {**self._defaults, **there.vars}
            held = {one: values[one] for one in rule.of if isinstance(values.get(one), Mapping)}
            if self._given_to(tenant, there) & (set(rule.of) - held.keys()):
                return
            known = [name for one in held.values() for name in one]
            name, wanted = rule.name, host.plain(role.variable(rule.name))
        for message in unmatched(name, [wanted] if wanted else [], known, eq):
            entry = host.entries[role.variable(name)]
            tenant.document.problem(entry.value, entry.where, message)

    def _check_wish(self, tenant: Tenant, host: Host, role: Role, given: set[str]) -> None:
        """What the capability itself says of its options, at the one that it names."""
        values = {**self._defaults, **host.vars}
        of_role = {name: values[variable] for variable, name in role.variables.items() if variable in values}
        unseen = {role.variables[variable] for variable in role.variables.keys() & given - values.keys()}
        option, message = self.around.wrong_wish(role, of_role, unseen, tenant.slug)
        if message:
            entry = host.entries.get(role.variable(option)) if option else None
            node = entry.key if entry else host.sections[role.name]
            key = entry.where if entry else role.where(option).replace("<host>", host.name)
            tenant.document.problem(node, key, message)

    def _check_one_of(self, tenant: Tenant, host: Host, role: Role, given: set[str]) -> None:
        for rule in role.capability.one_of:
            if given.isdisjoint(map(role.variable, rule.options)) and not self._in_environment(rule):
                shared = [option for option in rule.options if option in role.capability.shared]
                section, _key = self._place(host, role, shared[0] if shared else "")
                names = ", ".join(shared or rule.options)
                message = f"one of {names} is needed {rule.purpose}; give it here or in the defaults of fleet.yml"
                tenant.document.problem(_node(tenant, host, section, role.name), section, message)

    @staticmethod
    def _place(host: Host, role: Role, option: str) -> tuple[str, str]:
        """The section that an option is missing in, and its key there."""
        if option in role.capability.shared:
            return role.capability.vendor, f"{role.capability.vendor}.{option}"
        section = role.where().replace("<host>", host.name)
        return section, f"{section}.{option}"

    def _advice(self, roles: list[str], key: str) -> str:
        option = key.rpartition(".")[2]
        if any(self.schema.roles[name].variable(option) in self.schema.own for name in roles):
            return "give it here"
        return "give it here or in the defaults of fleet.yml"

    def _in_environment(self, rule: OneOf) -> bool:
        return any(self.around.environment.get(name) for name in rule.environment)

    def check_names(self, groups: set[str], hosts: set[str]) -> None:
        """A file for a group or host that does not exist would be passed over in silence."""
        for kind, what, known in (("group_vars", "group", groups), ("host_vars", "host", hosts)):
            folder = os.path.join(self.folder, kind)
            for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
                path = os.path.join(folder, name)
                word, extension = (name, "") if os.path.isdir(path) else os.path.splitext(name)
                if name.startswith(".") or known.intersection((name, word)) or extension not in READ:
                    continue
                if self._is_ours(word, known):
                    self.problems.append(Problem(shown(path), 1, 1, "file", f"no such {what}{meant(word, known)}"))

    def _is_ours(self, word: str, known: set[str]) -> bool:
        """Whether a name that is not known must be a slip: another inventory may have groups and hosts of its own."""
        return self.around.alone or word.startswith(PREFIXES) or bool(meant(word, known))

    def _names(self, kind: str, name: str) -> frozenset[str]:
        if not self._folders[kind]:
            return frozenset()
        if (kind, name) not in self._given:
            paths = [path for folder in self._folders[kind] for path in self.around.find_vars(folder, name)]
            of_one = kind == "host_vars" or name.startswith("tenant_")
            self._given[kind, name] = frozenset().union(*(self._read(path, of_one=of_one) for path in paths))
        return self._given[kind, name]

    def _read(self, path: str, *, of_one: bool) -> set[str]:
        """Names of the variables that the file gives a value to; role variables in it are checked like a tenant's.

        of_one: whether it is a single tenant's.
        """
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
        if os.path.splitext(path)[0].endswith(SOPS) and "sops" in entries:
            return self._of_sops(document, entries)
        for name, entry in entries.items():
            if option := self.schema.options.get(name):
                check(document, entry.value, option, name)
                if name in self.schema.own and not of_one:
                    refuse_own(document, entry.value, name)
            elif self.schema.misplaced(name):
                document.problem(entry.key, name, f"unknown variable{meant(name, self.schema.options)}")
        self.problems += document.problems
        return {name for name, entry in entries.items() if entry.value.tag != NULL}

    def _of_sops(self, document: Document, entries: dict[str, Entry]) -> set[str]:
        """Names in a file whose values only a vars plugin can read; without it, Ansible takes them as they stand."""
        if not self.around.sops:
            message = "encrypted by sops, and not read: vars_plugins_enabled has to name community.sops.sops"
            document.problem(entries["sops"].key, "sops", message)
            self.problems += document.problems
        return entries.keys() - {"sops"}


def _node(tenant: Tenant, host: Host, section: str, role: str) -> Node:
    """Where a section is in the file; a vendor's may be missing there."""
    return tenant.vendors.get(section) or host.sections[role]
