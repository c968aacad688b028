# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sections of a tenant file, and of the defaults in fleet.yml, as the variables of a host.

A section is named as a vendor or a role. Its options are checked, and become variables under the role's prefix, so
that a role finds them as it finds what comes from group_vars or -e.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from yaml.nodes import MappingNode, Node, ScalarNode

from ansible_collections.mssp.onboarding.plugins.module_utils._core.names import meant
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.check import check
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.schema import (
    COLLECTOR,
    TENANT,
    Option,
    Role,
    Schema,
)
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.yaml import (
    NULL,
    STR,
    Document,
    Entry,
    is_template,
    join,
)

# What the plugin itself says of a host; see _add_tenant in plugins/inventory/tenants.py.
GIVEN: Final = (
    *("mssp_tenant", "mssp_tenant_name", "mssp_ring", "mssp_fleet_dir", "mssp_tenant_problem", "mssp_defaults_of"),
    *("inventory_file", "inventory_dir"),
)
# What is said of a section that nobody knows, by where it stands.
_UNKNOWN: Final = {
    TENANT: "no such source{hint}",
    COLLECTOR: "unknown key{hint}; variables of your own go under vars",
}
_PROVIDER_ONLY: Final = "for the provider alone; give it in the defaults of fleet.yml, in group_vars or in host_vars"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(slots=True)
class Host:
    """A host to be, and where in the file its parts stand.

    vars, entries: value and place in the file by variable; sections: the roles that it shall have, by the key of their
    section.
    """

    name: str
    node: Node
    vars: dict[str, Any] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    sections: dict[str, Node] = field(default_factory=dict)

    def given(self) -> set[str]:
        """Names of the variables that have a value; null unsets one."""
        return {name for name, entry in self.entries.items() if entry.value.tag != NULL}

    def plain(self, name: str) -> str | None:
        """The text of a variable that is a plain string, not a template and not encrypted."""
        entry = self.entries.get(name)
        if entry is None or entry.value.tag != STR or is_template(entry.value.value):
            return None
        return str(entry.value.value)

    def take(self, variable: str, entry: Entry, value: Any) -> None:
        self.entries[variable] = entry
        self.vars[variable] = value


# An option of a vendor's section, by the variables that it stands for (of roles): where it is, and its value.
Shared = list[tuple[dict[str, str], Entry, Any]]


class Sections:
    """Reads the sections of one document."""

    def __init__(self, document: Document, schema: Schema) -> None:
        self.document = document
        self.schema = schema

    def vendors(self, entries: Mapping[str, Entry], within: str = "") -> Shared:
        """What the sections of vendors say."""
        shared = []
        for vendor, options in self.schema.vendors.items():
            if vendor not in entries:
                continue
            way = join(within, vendor)
            for name, entry in self.mapping(entries[vendor].value, way, "options").items():
                if option := options.get(name):
                    value = self._value(entry.value, option, f"{way}.{name}")
                    shared.append((self.schema.sharing[vendor, name], entry, value))
                else:
                    self.document.problem(entry.key, entry.where, self._not_shared(vendor, name))
        return shared

    def sources(self, host: Host, entries: Mapping[str, Entry], within: str = "") -> None:
        """The roles under `sources`."""
        if "sources" in entries:
            way = join(within, "sources")
            self._roles(host, self.mapping(entries["sources"].value, way, "sources").items(), TENANT)

    def collector(self, host: Host, node: Node, where: str) -> None:
        """A collector: variables of its connection, roles, and other variables."""
        entries = self.mapping(node, where, "variables and sections")
        self.variables(host, entries, where)
        roles = []
        for name, entry in entries.items():
            if name.startswith("ansible_"):
                host.take(name, entry, self.document.value(entry.value, entry.where))
            elif name != "vars":
                roles.append((name, entry))
        self._roles(host, roles, COLLECTOR)

    def every_collector(self, host: Host, entries: Mapping[str, Entry], within: str) -> None:
        """The roles under `collectors` where they are those of all collectors."""
        if "collectors" in entries:
            way = join(within, "collectors")
            self._roles(host, self.mapping(entries["collectors"].value, way, "sections").items(), COLLECTOR)

    def variables(self, host: Host, entries: Mapping[str, Entry], within: str = "") -> None:
        """Variables of the user's own, under `vars`."""
        if "vars" not in entries:
            return
        way = join(within, "vars")
        for name, entry in self.mapping(entries["vars"].value, way, "variables").items():
            if wrong := self._not_free(name):
                self.document.problem(entry.key, entry.where, wrong)
            else:
                host.take(name, entry, self.document.value(entry.value, entry.where))

    def share(self, host: Host, shared: Shared, roles: Container[str]) -> None:
        """Give the options of vendors to those of the roles whose own section does not say otherwise."""
        for variables, entry, value in shared:
            for role, variable in variables.items():
                if role in roles and variable not in host.entries:
                    host.take(variable, entry, value)

    def mapping(self, node: Node, where: str, content: str) -> dict[str, Entry]:
        """The entries of a mapping that may be empty."""
        if node.tag == NULL:
            return {}
        if not isinstance(node, MappingNode):
            self.document.problem(node, where, f"expected a dictionary of {content}")
            return {}
        return self.document.entries(node, where)

    def refuse_own(self, host: Host) -> None:
        """Problems of what all tenants would share and each has to have for itself."""
        for variable in self.schema.own & host.entries.keys():
            refuse_own(self.document, host.entries[variable].value, host.entries[variable].where)

    def refuse_provider_only(self, host: Host) -> None:
        """Problems of what a tenant's own file sets, though it limits the tenant; null would unset the provider's."""
        for variable in self.schema.provider_only & host.entries.keys():
            entry = host.entries[variable]
            self.document.problem(entry.key, entry.where, _PROVIDER_ONLY)

    def _roles(self, host: Host, entries: Iterable[tuple[str, Entry]], kind: str) -> None:
        known = self.schema.sections(kind)
        for name, entry in entries:
            if role := known.get(name):
                host.sections[name] = entry.key
                self._role(host, role, entry)
            else:
                self.document.problem(entry.key, entry.where, self._no_section(name, kind))

    def _role(self, host: Host, role: Role, section: Entry) -> None:
        prefix, within = role.variable(""), section.where
        for name, entry in self.mapping(section.value, within, "options").items():
            if option := role.options.get(name):
                host.take(prefix + name, entry, self._value(entry.value, option, f"{within}.{name}"))
            else:
                hint = meant(name.removeprefix(f"{role.name}_"), role.options)
                self.document.problem(entry.key, entry.where, f"unknown option{hint}")

    def _value(self, node: Node, option: Option, where: str) -> Any:
        check(self.document, node, option, where)
        return self.document.value(node, where)

    def _not_shared(self, vendor: str, name: str) -> str:
        places = [
            role.where(name)
            for role in self.schema.roles.values()
            if role.capability.vendor == vendor and name in role.options
        ]
        if places:
            return f"not shared by the sources of {vendor}; write it as {' or '.join(places)}"
        return f"unknown option{meant(name, self.schema.vendors[vendor])}"

    def _no_section(self, name: str, kind: str) -> str:
        if name.startswith("ansible_"):
            return "not here; what all collectors share of their connection goes in group_vars/collectors.yml"
        hint = meant(name, self.schema.sections(kind))
        return self.schema.unplaced(name) or _UNKNOWN[kind].format(hint=hint)

    def _not_free(self, name: str) -> str:
        if name in GIVEN:
            return "set by the inventory plugin"
        if not _VARIABLE.fullmatch(name):
            return "expected a name of letters, digits and _, with no digit first"
        return self.schema.misplaced(name)


def refuse_own(document: Document, node: Node, where: str) -> None:
    """A problem, unless the value may be another for each tenant."""
    if not _may_differ(node):
        document.problem(node, where, "each tenant has its own; give it in the tenants' files, or by a template")


def _may_differ(node: Node) -> bool:
    """Whether the value is null, or has a template in it."""
    if isinstance(node, ScalarNode):
        return node.tag == NULL or (node.tag == STR and is_template(node.value))
    children = [child for pair in node.value for child in pair] if isinstance(node, MappingNode) else node.value
    return any(_may_differ(child) for child in children)
