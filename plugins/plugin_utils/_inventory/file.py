# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One tenant file: read, checked by itself, and turned into a Tenant."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from yaml.nodes import MappingNode, Node, ScalarNode

from ansible_collections.mssp.onboarding.plugins.module_utils._core.names import meant
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.schema import Schema
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.sections import Host, Sections
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

LEFT_GROUP: Final = "mssp_offboarded"
PLUGIN: Final = "mssp.onboarding.tenants"
RINGS: Final = ("canary", "early", "all")
ACTIVE, OFFBOARDED = STATES = ("active", "offboarded")
# Besides the names of vendors.
KEYS: Final = ("plugin", "slug", "name", "ring", "state", "sources", "collectors", "vars")
# Names that Ansible or this plugin gives to groups, and its word for the control node.
RESERVED: Final = frozenset({"all", "collectors", "localhost", "mssp_failed", LEFT_GROUP, "tenants", "ungrouped"})

_SLUG = re.compile(r"[a-z][a-z0-9-]{0,39}")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")


@dataclass(slots=True)
class Tenant:
    """What one file says.

    path: the file itself, while the document's own is its name in messages; vendors: the keys of vendors' sections.
    """

    path: str
    document: Document
    slug: str
    name: str
    ring: str
    host: Host
    collectors: list[Host]
    vendors: dict[str, Node]
    state: str

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
        if name not in KEYS and name not in schema.vendors:
            document.problem(entry.key, name, _unknown(name, schema))
    for name in ("plugin", "slug", "name"):
        if name not in entries:
            document.problem(root, name, "required")
    slug = slug_of(path)
    _check_text(document, entries, "plugin", lambda text: "" if text == PLUGIN else f"expected {PLUGIN}")
    _check_text(document, entries, "slug", lambda text: wrong_slug(text, slug))
    shown_name = _check_text(document, entries, "name", lambda text: "" if text.strip() else "expected a name")
    ring = _check_text(document, entries, "ring", _wrong_ring)
    state = _check_text(document, entries, "state", _wrong_state)
    sections = Sections(document, schema)
    shared = sections.vendors(entries)
    host = Host(slug, entries["slug"].key if "slug" in entries else root)
    sections.sources(host, entries)
    sections.variables(host, entries)
    sections.share(host, shared, host.sections)
    collectors = _collectors(document, entries["collectors"].value, sections) if "collectors" in entries else []
    for collector in collectors:
        sections.share(collector, shared, collector.sections)
    for one in (host, *collectors):
        sections.refuse_provider_only(one)
    vendors: dict[str, Node] = {name: entry.key for name, entry in entries.items() if name in schema.vendors}
    return Tenant(path, document, slug, shown_name or slug, ring or "all", host, collectors, vendors, state or ACTIVE)


def _unknown(name: str, schema: Schema) -> str:
    """What is wrong with a key at the top of the file."""
    return schema.unplaced(name) or f"unknown key{meant(name, (*KEYS, *schema.vendors))}"


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


def wrong_slug(text: str, of_file: str) -> str:
    """Why it cannot be the slug of the file, '' where it can."""
    if text != of_file:
        return f"expected {of_file}, the name of the file without its extension"
    if not _SLUG.fullmatch(text):
        return "expected at most 40 of a-z, 0-9 and -, the first of them a letter"
    return "taken by Ansible; choose another" if text in RESERVED else ""


def _wrong_ring(text: str) -> str:
    return "" if text in RINGS else f"expected one of {', '.join(RINGS)}{meant(text, RINGS)}"


def _wrong_state(text: str) -> str:
    return "" if text in STATES else f"expected one of {', '.join(STATES)}{meant(text, STATES)}"


def _collectors(document: Document, node: Node, sections: Sections) -> list[Host]:
    if node.tag == NULL:
        return []
    if not isinstance(node, MappingNode):
        document.problem(node, "collectors", "expected a dictionary of host names, each with its sections")
        return []
    hosts = []
    for name, entry in document.entries(node, "collectors").items():
        where = join("collectors", name)
        if not _HOST.fullmatch(name):
            document.problem(entry.key, where, "expected a host name of letters, digits, '.', '_' and '-'")
        elif name in RESERVED:
            document.problem(entry.key, where, "taken by Ansible; choose another")
        host = Host(name, entry.key)
        sections.collector(host, entry.value, where)
        hosts.append(host)
    return hosts
