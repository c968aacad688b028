# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet: its tenant files and what can only be judged over all of them.

In its folder lie fleet.yml, tenants/<slug>.yml, and group_vars/ and host_vars/ as Ansible knows them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from zlib import crc32

from yaml.nodes import Node

from ansible_collections.mssp.onboarding.plugins.module_utils._core.names import meant
from ansible_collections.mssp.onboarding.plugins.module_utils._core.progress import clean
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.file import (
    KEYS,
    PLUGIN,
    Tenant,
    read_tenant,
    slug_of,
)
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.schema import Schema
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.sections import Host, Sections
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.shared import (
    KINDS,
    SharedVars,
    Surroundings,
    fixed_groups,
    shown,
)
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.yaml import (
    Document,
    Malformed,
    Problem,
    Types,
    join,
)

FLEET_FILES: Final = ("fleet.yml", "fleet.yaml")
FLEET_KEYS: Final = ("plugin", "strict", "slices", "defaults")
# Of the defaults, besides the names of vendors.
DEFAULTS_KEYS: Final = ("sources", "collectors", "vars")
EXTENSIONS: Final = (".yml", ".yaml")
SHOWN_PROBLEMS: Final = 20
MOST_SLICES: Final = 1000


@dataclass(slots=True)
class Fleet:
    """Tenants that could be read, and all problems of all files.

    aside: {path of a wrong tenant file: its problems}, where the fleet is not strict; its tenant is not in tenants.
    slices: number of parts that the tenants are dealt to by their slug, 0 for none; defaults: variables that every
    host has as long as nothing else gives them.
    """

    folder: str
    tenants: list[Tenant] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    strict: bool = True
    slices: int = 0
    defaults: dict[str, Any] = field(default_factory=dict)
    aside: dict[str, list[Problem]] = field(default_factory=dict)

    @property
    def slice_names(self) -> list[str]:
        return [f"slice_{number}" for number in range(self.slices)]

    def slice_of(self, tenant: Tenant) -> list[str]:
        """The group of the tenant's slice; it stays the same when other tenants come or go."""
        return [f"slice_{crc32(tenant.slug.encode()) % self.slices}"] if self.slices else []


def fleet_folder(path: str) -> str | None:
    """The fleet that a tenant file belongs to: it lies in tenants/ beside a fleet file."""
    folder, name = os.path.split(os.path.dirname(path))
    if name != "tenants" or not any(os.path.exists(os.path.join(folder, file)) for file in FLEET_FILES):
        return None
    return folder


def read_fleet(fleet_file: str, schema: Schema, around: Surroundings) -> Fleet:
    """Every tenant of the fleet, checked by itself and against the others."""
    fleet = Fleet(os.path.dirname(fleet_file))
    _read_fleet_file(fleet, fleet_file, schema, around.types)
    paths = _tenant_files(fleet, fleet_file)
    for path in paths:
        tenant, problems = read_tenant(path, schema, around.types, shown(path))
        fleet.problems += problems
        if tenant:
            fleet.tenants.append(tenant)
    _check_together(fleet, schema, around)
    if not fleet.strict:
        _set_aside(fleet, {shown(path): path for path in paths})
    return fleet


def read_single(path: str, schema: Schema, around: Surroundings) -> Fleet:
    """One tenant, with the group_vars of its fleet, and with those tenant files that share a value with it."""
    folder = fleet_folder(path)
    fleet = Fleet(folder or os.path.dirname(path))
    if folder:
        fleet_file = next(file for name in FLEET_FILES if os.path.exists(file := os.path.join(folder, name)))
        _read_fleet_file(fleet, fleet_file, schema, around.types)
    tenant, problems = read_tenant(path, schema, around.types, shown(path))
    fleet.problems += problems
    if tenant is None:
        return fleet
    others = _namesakes(tenant, schema, around.types) if folder else []
    fleet.tenants = [*others, tenant]
    _check_together(fleet, schema, around, only=tenant)
    fleet.tenants = [tenant]
    return fleet


def report(problems: Iterable[Problem], consequence: str = "nothing was run") -> str:
    """All problems as lines, the first of them in full."""
    unique = sorted(set(problems))
    files = len({problem.path for problem in unique})
    count = "1 error" if len(unique) == 1 else f"{len(unique)} errors"
    lines = [f"{count} in {files} inventory file{'s' if files > 1 else ''}; {consequence}"]
    lines += [str(problem) for problem in unique[:SHOWN_PROBLEMS]]
    if len(unique) > SHOWN_PROBLEMS:
        lines.append(f"... and {len(unique) - SHOWN_PROBLEMS} more")
    return "\n".join(lines)


def _read_fleet_file(fleet: Fleet, path: str, schema: Schema, types: Types) -> None:
    document = Document(shown(path), types)
    try:
        with open(path, "rb") as stream:
            entries = document.entries(document.compose(stream.read()), "")
    except Malformed as malformed:
        fleet.problems.append(malformed.problem)
        return
    for name, entry in entries.items():
        if name not in FLEET_KEYS:
            hint = " (it belongs in a tenant file, or under defaults)" if name in KEYS else meant(name, FLEET_KEYS)
            document.problem(entry.key, name, f"unknown key{hint}")
    if "plugin" not in entries or entries["plugin"].value.value != PLUGIN:
        document.problem(entries["plugin"].value if "plugin" in entries else None, "plugin", f"expected {PLUGIN}")
    strict, slices = (
        document.value(entries[name].value, name) if name in entries else None for name in ("strict", "slices")
    )
    if not isinstance(strict, bool | None):
        document.problem(entries["strict"].value, "strict", "expected true or false")
    elif strict is not None:
        fleet.strict = strict
    if not (slices is None or (isinstance(slices, int) and slices is not True and 1 <= slices <= MOST_SLICES)):
        document.problem(entries["slices"].value, "slices", f"expected a number from 1 to {MOST_SLICES}")
    elif slices is not None:
        fleet.slices = slices
    if "defaults" in entries:
        try:
            fleet.defaults = _defaults(document, entries["defaults"].value, schema)
        except RecursionError:
            document.problem(entries["defaults"].key, "defaults", "an alias inside of what it stands for")
    fleet.problems += document.problems


def _defaults(document: Document, node: Node, schema: Schema) -> dict[str, Any]:
    """What all tenants share, as variables; a section here makes no tenant have the role."""
    sections = Sections(document, schema)
    entries = sections.mapping(node, "defaults", "sections")
    for name, entry in entries.items():
        if name not in DEFAULTS_KEYS and name not in schema.vendors:
            document.problem(entry.key, join("defaults", name), _no_default(name, schema))
    host = Host("all", node)
    sections.sources(host, entries, "defaults")
    sections.every_collector(host, entries, "defaults")
    sections.variables(host, entries, "defaults")
    sections.share(host, sections.vendors(entries, "defaults"), schema.roles)
    sections.refuse_own(host)
    return host.vars


def _no_default(name: str, schema: Schema) -> str:
    return schema.unplaced(name) or f"unknown key{meant(name, (*DEFAULTS_KEYS, *schema.vendors))}"


def _set_aside(fleet: Fleet, paths: dict[str, str]) -> None:
    """Move the problems of tenant files, by their name in messages, and the tenants they may concern out of the run."""
    of_fleet = []
    for problem in fleet.problems:
        files = [paths[name] for name in (problem.path, problem.other) if name in paths]
        for path in files:
            fleet.aside.setdefault(path, []).append(problem)
        if not files:
            of_fleet.append(problem)
    fleet.problems = of_fleet
    fleet.tenants = [tenant for tenant in fleet.tenants if tenant.path not in fleet.aside]


def _tenant_files(fleet: Fleet, fleet_file: str) -> list[str]:
    folder = os.path.join(fleet.folder, "tenants")
    found, problems = [], []
    for entry in sorted(os.scandir(folder), key=lambda item: item.name) if os.path.isdir(folder) else []:
        if entry.name.startswith("."):
            continue
        if entry.name.endswith(EXTENSIONS):
            found.append(entry.path)
        elif entry.is_dir():
            hint = f"; Ansible reads {entry.name} beside {FLEET_FILES[0]}" if entry.name in KINDS else ""
            problems.append(Problem(shown(entry.path), 1, 1, "folder", f"expected no folders in tenants/{hint}"))
    if not found:
        problems.append(Problem(shown(fleet_file), 1, 1, "file", "expected tenant files in tenants/ beside this file"))
    fleet.problems += problems
    return found


def _namesakes(tenant: Tenant, schema: Schema, types: Types) -> list[Tenant]:
    """Other tenant files of the fleet in which a value of this one occurs that should be its own."""
    values = {_normal(value).encode() for name in schema.unique if (value := tenant.host.plain(name))}
    values |= {name.lower().encode() for name in (tenant.slug, *(host.name for host in tenant.collectors))}
    folder = os.path.dirname(tenant.path)
    others = []
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if path == tenant.path or not name.endswith(EXTENSIONS) or name.startswith("."):
            continue
        with open(path, "rb") as stream:
            content = stream.read().lower()
        if slug_of(path) == tenant.slug or any(value in content for value in values):
            others += [other for other in read_tenant(path, schema, types, shown(path))[:1] if other]
    return others


def _check_together(fleet: Fleet, schema: Schema, around: Surroundings, only: Tenant | None = None) -> None:
    """Uniqueness over the tenants; needed options and group_vars for all of them, or for one only."""
    fleet.problems += _shared_values(fleet.tenants, schema) + _shared_names(fleet.tenants)
    checked = [only] if only else fleet.tenants
    shared = SharedVars(fleet.folder, schema, around, fleet.defaults)
    for tenant in checked:
        for host in (tenant.host, *tenant.collectors):
            shared.check_needs(tenant, host)
        fleet.problems += tenant.document.problems
    known = {*fixed_groups(schema), *fleet.slice_names, "all", "ungrouped", *(tenant.group for tenant in fleet.tenants)}
    hosts = {host.name for tenant in fleet.tenants for host in (tenant.host, *tenant.collectors)} | {"localhost"}
    if not only and (fleet.strict or not fleet.problems):  # of a file that cannot be read, nobody knows the hosts
        shared.check_names(known, hosts)
    fleet.problems += shared.problems


def _shared_values(tenants: list[Tenant], schema: Schema) -> list[Problem]:
    problems = []
    for option, advice in schema.unique.items():
        first: dict[str, Tenant] = {}
        for tenant in tenants:
            value = tenant.host.plain(option)
            if value is None:
                continue
            other = first.setdefault(_normal(value), tenant)
            if other is not tenant:
                place = f"{other.document.path}:{_line(other.host.entries[option].value)}"
                message = f"the same as in {place}; {advice}"
                entry = tenant.host.entries[option]
                problems.append(_at(tenant, entry.value, entry.where, message, other))
    return problems


def _normal(value: str) -> str:
    """The same for all ways to write one id."""
    return value.strip().rstrip("/").lower()


def same_names(tenants: list[Tenant]) -> list[str]:
    """What to warn of: tenants that only their slugs, and so all that knows them, tell apart."""
    slugs: dict[str, list[str]] = {}
    for tenant in tenants:
        slugs.setdefault(tenant.name.casefold(), []).append(tenant.slug)
    return [
        f"{', '.join(sharing)} have one name, {clean(name, 120)}: only their slugs tell them apart"
        for name, sharing in slugs.items()
        if len(sharing) > 1
    ]


def _shared_names(tenants: list[Tenant]) -> list[Problem]:
    problems = []
    first: dict[str, tuple[Tenant, Node]] = {}
    for tenant in tenants:
        other = first.setdefault(tenant.slug, (tenant, tenant.host.node))
        if other[0] is not tenant:
            message = f"the same as of {other[0].document.path}; each tenant has its own"
            problems.append(Problem(tenant.document.path, 1, 1, "slug", message, other[0].document.path))
    for tenant in tenants:
        for host in tenant.collectors:
            other = first.setdefault(host.name, (tenant, host.node))
            if other[1] is not host.node:
                place = f"{other[0].document.path}:{_line(other[1])}"
                key, message = f"collectors.{host.name}", f"the same name as in {place}"
                problems.append(_at(tenant, host.node, key, message, other[0]))
    return problems


def _at(tenant: Tenant, node: Node, key: str, message: str, other: Tenant) -> Problem:
    mark = node.start_mark
    return Problem(tenant.document.path, mark.line + 1, mark.column + 1, key, message, other.document.path)


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1
