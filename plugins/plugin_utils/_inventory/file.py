# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One tenant file: read, checked by itself, and turned into a Tenant."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from yaml.nodes import MappingNode, Node, ScalarNode

from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.check import check
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.schema import Schema, nearest
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.yaml import (
    NULL,
    STR,
    Document,
    Entry,
    Malformed,
    Problem,
    Types,
    is_template,
    join,
)

PLUGIN: Final = "mssp.onboarding.tenants"
RINGS: Final = ("canary", "early", "all")
KEYS: Final = ("plugin", "slug", "name", "ring", "vars", "collectors")
# Names that Ansible or this plugin gives to groups, and its word for the control node.
RESERVED: Final = frozenset({"all", "collectors", "localhost", "mssp_failed", "tenants", "ungrouped"})

_SLUG = re.compile(r"[a-z][a-z0-9-]{0,39}")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")


@dataclass(slots=True)
class Host:
    """A host to be: its variables, and where each of them (by name) and the host itself stand in the file."""

    name: str
    node: Node
    vars: dict[str, Any] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)

    def given(self) -> set[str]:
        """Names of the variables that have a value; null unsets one."""
        return {name for name, entry in self.entries.items() if entry.value.tag != NULL}

    def plain(self, name: str) -> str | None:
        """The text of a variable that is a plain string, not a template and not encrypted."""
        entry = self.entries.get(name)
        if entry is None or entry.value.tag != STR or is_template(entry.value.value):
            return None
        return str(entry.value.value)


@dataclass(slots=True)
class Tenant:
    """What one file says. `path` is the file itself; the document's own is its name in messages."""

    path: str
    document: Document
    slug: str
    name: str
    ring: str
    host: Host
    collectors: list[Host]

    @property
    def group(self) -> str:
        """Group of the tenant's collectors; group names may not hold a hyphen."""
        return f"tenant_{self.slug.replace('-', '_')}"


def slug_of(path: str) -> str:
    """The slug that the file's name stands for."""
    return os.path.splitext(os.path.basename(path))[0]


def read_tenant(path: str, schema: Schema, types: Types, shown: str) -> tuple[Tenant | None, list[Problem]]:
    """The tenant of the file and all that is wrong in it; no tenant where the file cannot be read.

    `shown` is the file's name in messages.
    """
    document = Document(shown, types)
    try:
        with open(path, "rb") as stream:
            root = document.compose(stream.read())
        return _tenant(path, document, root, schema), document.problems
    except Malformed as malformed:
        return None, [malformed.problem]
    except OSError as error:
        return None, [Problem(shown, 1, 1, "file", f"cannot be read: {error.strerror}")]
    except RecursionError:
        return None, [Problem(shown, 1, 1, "file", "an alias inside of what it stands for")]


def _tenant(path: str, document: Document, root: MappingNode, schema: Schema) -> Tenant:
    entries = document.entries(root, "")
    for name, entry in entries.items():
        if name not in KEYS:
            hint = nearest(name, KEYS)
            if not hint and name in schema.options:
                hint = "; variables of roles go under vars"
            document.problem(entry.key, name, f"unknown key{hint}")
    for name in ("plugin", "slug", "name"):
        if name not in entries:
            document.problem(root, name, "required")
    slug = slug_of(path)
    _check_text(document, entries, "plugin", lambda text: "" if text == PLUGIN else f"expected {PLUGIN}")
    _check_text(document, entries, "slug", lambda text: _wrong_slug(text, slug))
    shown_name = _check_text(document, entries, "name", lambda text: "" if text.strip() else "expected a name")
    ring = _check_text(document, entries, "ring", _wrong_ring)
    host = Host(slug, entries["vars"].key if "vars" in entries else root)
    if "vars" in entries:
        _read_vars(document, host, entries["vars"].value, "vars", schema, connection=False)
    collectors = _collectors(document, entries["collectors"].value, schema) if "collectors" in entries else []
    return Tenant(path, document, slug, shown_name or slug, ring or "all", host, collectors)


def _check_text(document: Document, entries: dict[str, Entry], name: str, wrong: Callable[[str], str]) -> str | None:
    """The plain text of a key; a problem where it is none, or where `wrong` has something to say about it."""
    if name not in entries:
        return None
    node = entries[name].value
    if not isinstance(node, ScalarNode) or node.tag != STR or is_template(node.value):
        document.problem(node, name, "expected a string; put a number or date in quotes")
        return None
    if message := wrong(node.value):
        document.problem(node, name, message)
        return None
    return str(node.value)


def _wrong_slug(text: str, of_file: str) -> str:
    if text != of_file:
        return f"expected {of_file}, the name of the file without its extension"
    if not _SLUG.fullmatch(text):
        return "expected at most 40 of a-z, 0-9 and -, the first of them a letter"
    return "taken by Ansible; choose another" if text in RESERVED else ""


def _wrong_ring(text: str) -> str:
    return "" if text in RINGS else f"expected one of {', '.join(RINGS)}{nearest(text, RINGS)}"


def _read_vars(document: Document, host: Host, node: Node, where: str, schema: Schema, *, connection: bool) -> None:
    """Check and take the variables of a host; only collectors have a `connection` to describe."""
    if node.tag == NULL:
        return
    if not isinstance(node, MappingNode):
        document.problem(node, where, "expected a dictionary of role variables")
        return
    host.entries = document.entries(node, where)
    for name, entry in host.entries.items():
        key = join(where, name)
        if option := schema.options.get(name):
            check(document, entry.value, option, key)
        elif not (connection and name.startswith("ansible_")):
            document.problem(entry.key, key, f"unknown variable{nearest(name, schema.options)}")
            continue
        host.vars[name] = document.value(entry.value, key)


def _collectors(document: Document, node: Node, schema: Schema) -> list[Host]:
    if node.tag == NULL:
        return []
    if not isinstance(node, MappingNode):
        document.problem(node, "collectors", "expected a dictionary of host names, each with its variables")
        return []
    hosts = []
    for name, entry in document.entries(node, "collectors").items():
        where = join("collectors", name)
        if not _HOST.fullmatch(name):
            document.problem(entry.key, where, "expected a host name of letters, digits, '.', '_' and '-'")
        elif name in RESERVED:
            document.problem(entry.key, where, "taken by Ansible; choose another")
        host = Host(name, entry.key)
        _read_vars(document, host, entry.value, where, schema, connection=True)
        hosts.append(host)
    return hosts
