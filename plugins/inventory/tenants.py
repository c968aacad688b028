# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: tenants
short_description: Reads and checks one file per tenant
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Makes a host of every tenant, with the connection V(local), and of every Linux host of ours at a tenant (collector).
  - A source is either a fleet file, named C(fleet.yml), which gathers C(tenants/*.yml) beside it, or one of these
    tenant files, named after the tenant's slug. A fleet's folder, its fleet file, and a tenant file by itself give the
    same hosts, groups and variables. C(group_vars) of the fleet's folder count in each case.
  - Every file is checked against the argument specs of the roles of this collection. All errors of all files are
    reported at once, with line and column, and the run ends with exit code 4 before it has done anything.
  - Besides the options below, a tenant file has sections of vendors (C(azure), C(coro)), each with what several sources
    of the vendor share, under the options' names without the roles' prefixes. A source's own section comes before it.
  - Each option in a section becomes a variable of the host, under the role's prefix. C(group_vars) come before the
    defaults of the fleet file, the tenant file before C(group_vars), and C(host_vars) and C(-e) before all.
  - A tenant's host is in the groups C(tenants), C(ring_<ring>), and C(has_<role>) for every role that has a section
    under O(sources). A collector is in C(collectors), C(tenant_<slug>) (hyphens as underscores), C(ring_<ring>) and
    C(has_<role>) for every role that has a section there.
  - Each host has the variables C(mssp_tenant) (slug), C(mssp_tenant_name), C(mssp_ring) and C(mssp_fleet_dir) (the
    folder of the fleet file, from which other files can be named).
  - Values are templated late, as anywhere in Ansible. C(!vault) values are decrypted when they are used.
notes:
  - With C(mssp.onboarding.tenants) first in C(enable_plugins) of the section C(inventory) of C(ansible.cfg), files are
    read once instead of twice. Nothing else depends on it.
  - A variable that is C(no_log) in an argument spec has to be encrypted or looked up; plain text is an error.
  - Variables with the value V(null) count as not given.
  - What limits a tenant on a host that it shares (C(provider_only) in a role's C(meta/capability.yml), such as
    C(file_roots) and C(memory_max) of C(syslog_target)) is refused in tenant files; it stands in the defaults of the
    fleet file, in C(group_vars) or in C(host_vars).
options:
  plugin:
    description: Marks the file as a source of this plugin.
    type: str
    required: true
    choices: [mssp.onboarding.tenants]
  strict:
    description:
      - Whether a wrong tenant file ends the run of all. For a fleet file.
      - With V(false) the tenants of wrong files, and of files that contradict each other, are left out, each error is
        shown, and the tenants are hosts in C(mssp_failed) only, which the playbooks let fail at their end. A wrong
        fleet file or wrong C(group_vars) end the run in any case, as does a wrong tenant file given by itself.
    type: bool
    default: true
  slices:
    description:
      - Number of parts that the tenants, with their collectors, are dealt to. Each is a group C(slice_<number>), from
        C(slice_0) on, so that several machines can share the work. For a fleet file.
      - Which part a tenant is in depends on its slug and this number only.
    type: int
  slug:
    description:
      - Short name of the tenant, which is also the name of its host and of the file without extension.
      - At most 40 of C(a-z), C(0-9) and C(-), the first of them a letter. Required in a tenant file.
    type: str
  name:
    description: Display name of the tenant. Required in a tenant file.
    type: str
  ring:
    description: When the tenant's turn comes in a staged rollout.
    type: str
    choices: [canary, early, all]
    default: all
  sources:
    description:
      - What is wanted of the tenant's logs, as sections named as the roles of this collection.
      - A source is wanted because its section is there; it may be empty.
    type: dict
    default: {}
  collectors:
    description:
      - Linux hosts of ours at the tenant by name, each with the variables of its connection (C(ansible_*)), sections
        named as the roles, and C(vars) of its own.
    type: dict
    default: {}
  vars:
    description: Other variables of the tenant's host. Options of roles are refused here; they go into their sections.
    type: dict
    default: {}
  defaults:
    description:
      - What all tenants share, in the form of a tenant file, with O(sources), O(collectors), O(vars) and sections of
        vendors. Under O(collectors) are the sections of every collector, without names of hosts. For a fleet file.
      - Nothing is wanted because it stands here. What a tenant has to have for itself is refused, unless it is a
        template.
    type: dict
    default: {}
seealso:
  - plugin: ansible.builtin.auto
    plugin_type: inventory
"""

EXAMPLES = r"""
# inventories/prod/fleet.yml
plugin: mssp.onboarding.tenants
defaults:
  azure:
    client_id: a0000000-0000-4000-8000-00000000000a
---
# inventories/prod/tenants/contoso.yml
plugin: mssp.onboarding.tenants
slug: contoso
name: Contoso Ltd
ring: early
azure:
  tenant_id: 20000000-0000-4000-8000-000000000000
  client_secret: "{{ lookup('ansible.builtin.env', 'CONTOSO_CLIENT_SECRET') }}"
sources:
  azure_diagnostics: {}
collectors:
  contoso-log1:
    ansible_host: 192.0.2.10
    syslog_target:
      sources:
        firewall: {transport: udp, senders: [192.0.2.1]}
"""

import gc
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NoReturn

from ansible import constants as C
from ansible import context, template
from ansible.errors import AnsibleError
from ansible.parsing import vault
from ansible.plugins.inventory import BaseFileInventoryPlugin
from ansible.plugins.vars import host_group_vars

from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.file import PLUGIN, Tenant, slug_of
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.fleet import (
    EXTENSIONS,
    FLEET_FILES,
    Fleet,
    fleet_folder,
    read_fleet,
    read_single,
    report,
    same_names,
)
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.schema import load_schema
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.shared import (
    Surroundings,
    fixed_groups,
    groups_of,
)
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.wanted import wrong_wish
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.yaml import Problem, Types

# Since ansible-core 2.19 a string is taken for a template only where it is marked as one that may be.
_trust_as_template: Any = getattr(template, "trust_as_template", None)

PARSER_ERROR = 4
# The vars plugin that decrypts files of sops.
SOPS = "community.sops.sops"

# Variable of all hosts that tells which fleet the run is of.
FLEET_OF_ALL = "mssp_defaults_of"

_OURS = re.compile(rb"^plugin\s*:\s*['\"]?" + re.escape(PLUGIN).encode() + rb"['\"]?\s*(?:#.*)?$", re.MULTILINE)


class InventoryModule(BaseFileInventoryPlugin):
    """The plugin; what it knows about tenant files is in plugin_utils."""

    NAME = PLUGIN

    def verify_file(self, path: str) -> bool:
        """A YAML file that names this plugin, or any file where only tenant files may lie."""
        if not super().verify_file(path):
            return False
        if fleet_folder(path):
            return True
        if not path.endswith(EXTENSIONS):
            return False
        with open(path, "rb") as stream:
            return _OURS.search(stream.read()) is not None

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Add the hosts of the source, or stop the run."""
        if _loaded(inventory, path) or not path.endswith(EXTENSIONS):  # an editor's leftover beside tenant files
            return
        super().parse(inventory, loader, path, cache)
        try:
            fleet = _read(inventory, loader, path, frozenset(self._vars or ()))
        except AnsibleError as error:
            self._stop(f"{path}: {error}")
        except Wrong as wrong:
            self._stop(str(wrong))
        except Exception:
            # A defect of ours must not read as «no hosts matched» either.
            C.INVENTORY_ANY_UNPARSED_IS_FAILED = True
            raise
        for namesakes in same_names(fleet.tenants):
            self.display.warning(namesakes)
        if left_out := [problem for problems in fleet.aside.values() for problem in problems]:
            slugs = ", ".join(map(slug_of, fleet.aside))
            self.display.error(report(left_out, f"left out: {slugs}"), wrap_text=False)

    def _stop(self, message: str) -> NoReturn:
        """Show what is wrong and end the process with Ansible's exit code for what cannot be parsed.

        An exception of a plugin is a warning to Ansible: it lets other plugins try the file, each with a warning of its
        own, and then goes on without these tenants and with exit code 0. INVENTORY_ANY_UNPARSED_IS_FAILED changes the
        end of that, and is not set everywhere; the report would still be the first of five, and lose its lines on 2.18.
        """
        self.display.error(message, wrap_text=False)
        raise SystemExit(PARSER_ERROR)


class Wrong(Exception):
    """The report of what is wrong in the files."""


def _read(inventory: Any, loader: Any, path: str, extra_vars: frozenset[str]) -> Fleet:
    """Add the hosts."""
    schema = load_schema()
    around = Surroundings(
        types=_types(loader),
        find_vars=loader.find_vars_files,
        load=lambda file: _load_vars(loader, file),
        wrong_wish=wrong_wish,
        extra_vars=extra_vars,
        environment=os.environ,
        beside_playbooks=_playbook_folders(),
        sops=SOPS in C.VARIABLE_PLUGINS_ENABLED,
        alone=len(context.CLIARGS.get("inventory") or ()) < 2,
    )
    is_fleet = os.path.basename(path) in FLEET_FILES
    _refuse_a_folder_above(os.path.dirname(path) if is_fleet else fleet_folder(path) or os.path.dirname(path))
    with _no_garbage_collection():
        fleet = (read_fleet if is_fleet else read_single)(path, schema, around)
    if fleet.problems:
        raise Wrong(report(fleet.problems))
    for group in (*fixed_groups(schema), *fleet.slice_names):
        inventory.add_group(group)
    _add_defaults(inventory, fleet)
    for tenant in fleet.tenants:
        _add_tenant(inventory, fleet, tenant, around.types)
    for wrong, problems in fleet.aside.items():
        _add_wrong(inventory, fleet, wrong, problems, around.types)
    if is_fleet:
        _ease_the_rest()
    else:
        # Ansible looks for group_vars in the source's folder; to load them here would give them another precedence.
        host_group_vars.CANONICAL_PATHS[os.path.dirname(path)] = os.path.realpath(fleet.folder)
    return fleet


def _add_defaults(inventory: Any, fleet: Fleet) -> None:
    """Give the fleet's defaults to the group of all hosts, from which every other place may take over.

    A second fleet is refused: Ansible lays the group_vars of equal groups over each other, so one's tenants would send
    to the other's destinations.
    """
    everyone = inventory.groups["all"].vars
    other = everyone.get(FLEET_OF_ALL, fleet.folder)
    if os.path.realpath(other) != os.path.realpath(fleet.folder):
        raise Wrong(
            f"one run holds one fleet: {other} and {fleet.folder} would share their defaults and group_vars; "
            "run one after the other"
        )
    if FLEET_OF_ALL not in everyone:
        everyone.update({**fleet.defaults, FLEET_OF_ALL: fleet.folder})


def _refuse_a_folder_above(folder: str) -> None:
    """Ansible reads group_vars beside what -i names; beside a folder above a fleet there are others, or none."""
    inside = os.path.realpath(folder) + os.sep
    for source in context.CLIARGS.get("inventory") or ():
        above = os.path.realpath(source) + os.sep
        if os.path.isdir(source) and inside != above and inside.startswith(above):
            raise Wrong(f"{source} is above the fleet {folder}, whose group_vars would not be read; give -i {folder}")


def _add_tenant(inventory: Any, fleet: Fleet, tenant: Tenant, types: Types) -> None:
    common = {
        "mssp_tenant": types.text(tenant.slug),
        "mssp_tenant_name": types.text(tenant.name),
        "mssp_ring": types.text(tenant.ring),
        "mssp_fleet_dir": types.text(fleet.folder),
        # Ansible would name the source here, which differs between the ways to the same tenant.
        "inventory_file": tenant.path,
        "inventory_dir": fleet.folder,
    }
    local = {
        "ansible_connection": types.text("local"),
        "ansible_python_interpreter": types.text("{{ ansible_playbook_python }}"),
    }
    slice_ = fleet.slice_of(tenant)
    of_tenant = [*groups_of(tenant, tenant.host), *slice_]
    _add_host(inventory, tenant.host.name, of_tenant, {**common, **local, **tenant.host.vars})
    inventory.add_group(tenant.group)  # without collectors, too: --limit <slug>,tenant_<slug> is right for any tenant
    for host in tenant.collectors:
        _add_host(inventory, host.name, [*groups_of(tenant, host), *slice_], {**common, **host.vars})


def _add_wrong(inventory: Any, fleet: Fleet, path: str, problems: list[Problem], types: Types) -> None:
    """A tenant that no capability sees, and that the playbooks' verdict does."""
    slug = slug_of(path)
    values = {
        "ansible_connection": types.text("local"),
        "mssp_tenant": slug,
        "mssp_tenant_name": slug,
        "mssp_fleet_dir": types.text(fleet.folder),
        "mssp_tenant_problem": report(problems, "its tenant was left out"),
        "inventory_file": path,
        "inventory_dir": fleet.folder,
    }
    _add_host(inventory, slug, ["mssp_failed"], values)


def _add_host(inventory: Any, name: str, groups: list[str], variables: dict[str, Any]) -> None:
    present = inventory.hosts.get(name)
    if present and present.vars.get("inventory_file") != variables["inventory_file"] and "mssp_tenant" in present.vars:
        raise Wrong(f"{name} is a host of {present.vars['inventory_file']} and of {variables['inventory_file']}")
    for group in groups:
        inventory.add_host(name, group)
    # Not set_variable: its walk through 40 values of 1,000 hosts takes as long as all checks of them.
    inventory.hosts[name].vars.update(variables)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Reading makes a great many objects that stay; to go through them again and again takes a tenth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _ease_the_rest() -> None:
    """Ansible comes to each tenant file next when the source is the fleet's folder; see to it that this costs little.

    Ours goes first, or `auto` would read each file in full to find our name in it (8 ms). And Ansible parses the
    documentation of plugins that have no options anew for each source (0.6 ms), unless it knows that they have none.
    """
    if PLUGIN not in C.INVENTORY_ENABLED:
        C.INVENTORY_ENABLED = [PLUGIN, *C.INVENTORY_ENABLED]
    for name in C.INVENTORY_ENABLED:
        if not C.config.has_configuration_definition("inventory", name):
            C.config.initialize_plugin_configuration_definitions("inventory", name, {})


def _loaded(inventory: Any, path: str) -> bool:
    """Whether a fleet file has brought this tenant file already."""
    host = inventory.hosts.get(os.path.splitext(os.path.basename(path))[0])
    return host is not None and "mssp_tenant" in host.vars and host.vars.get("inventory_file") == path


def _playbook_folders() -> tuple[str, ...]:
    """Where Ansible finds group_vars and host_vars besides the inventory."""
    given = context.CLIARGS.get("args") or ()
    playbooks = [os.path.dirname(os.path.abspath(name)) for name in given if os.path.isfile(name)]
    return (*playbooks, *filter(None, [context.CLIARGS.get("basedir")]))


def _types(loader: Any) -> Types:
    """How this version of Ansible marks templates and encrypted strings."""
    if _trust_as_template is not None:
        # Most strings of a fleet are in many of its files.
        return Types(text=cache(_trust_as_template), vault=lambda text: vault.EncryptedString(ciphertext=text))
    from ansible.parsing.yaml.objects import AnsibleVaultEncryptedUnicode
    from ansible.utils.unsafe_proxy import wrap_var

    def encrypted(text: str) -> Any:
        value = AnsibleVaultEncryptedUnicode(text)
        value.vault = loader._vault
        return value

    return Types(vault=encrypted, unsafe=wrap_var)


def _load_vars(loader: Any, path: str) -> dict[str, Any]:
    """A variables file as Ansible's own plugin for group_vars reads it: cached, decrypted, trusted as templates."""
    trusted = {} if _trust_as_template is None else {"trusted_as_template": True}
    return dict(loader.load_from_file(path, cache="all", unsafe=True, **trusted) or {})
