# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Is a value what its option wants? Asked of YAML nodes, so that the answer names line and column.

Stricter than Ansible, which turns 0123 into 83 and "yes" into true on the way: a tenant file says what it means.
No message shows a value.
"""

from __future__ import annotations

from typing import Final

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ansible_collections.mssp.onboarding.plugins.module_utils._core.names import meant
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.schema import Option
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.yaml import (
    BOOL,
    CORE,
    FLOAT,
    INT,
    NULL,
    STR,
    UNSAFE_TAG,
    VAULT_HEADER,
    VAULT_TAGS,
    Document,
    is_template,
    join,
)

_STRING: Final = ("a string", frozenset({STR, UNSAFE_TAG}))

# Type of an option to its name in messages and the YAML tags that fit it; None fits all.
_SCALAR_TYPES: Final[dict[str, tuple[str, frozenset[str] | None]]] = {
    "str": _STRING,
    "path": _STRING,
    "int": ("an integer", frozenset({INT})),
    "float": ("a number", frozenset({INT, FLOAT})),
    "bool": ("true or false", frozenset({BOOL})),
    "bits": ("a size", frozenset({STR, INT})),
    "bytes": ("a size", frozenset({STR, INT})),
    "json": ("JSON", None),
    "jsonarg": ("JSON", None),
    "raw": ("a value", None),
}

_GOT: Final = {
    STR: "a string",
    UNSAFE_TAG: "a string",
    INT: "an integer",
    FLOAT: "a number",
    BOOL: "a boolean",
    NULL: "nothing",
    CORE + "timestamp": "a date",
    CORE + "seq": "a list",
    CORE + "map": "a dictionary",
}


def check(document: Document, node: Node, option: Option, where: str) -> None:
    """Note on the document what is wrong with the value. Templates and encrypted values pass unseen."""
    if isinstance(node, ScalarNode) and _settled(document, node, option, where):
        return
    if option.type == "list":
        _check_list(document, node, option, where)
    elif option.type == "dict":
        _check_dict(document, node, option, where)
    else:
        _check_scalar(document, node, option, where)


def _settled(document: Document, node: ScalarNode, option: Option, where: str) -> bool:
    """Whether the type of the option has no more say: late values, null, secrets in the clear, strange tags."""
    tag = node.tag
    if tag in VAULT_TAGS:
        if not node.value.lstrip().startswith(VAULT_HEADER):
            document.problem(node, where, "expected what ansible-vault encrypt_string prints after !vault")
        return True
    if tag == STR and is_template(node.value):
        return True
    if tag == NULL:
        if not option.nullable:
            document.problem(node, where, "has no value; give it one, or take the key out")
        elif not node.value:
            document.problem(node, where, "has no value; give it one, or write null to unset it")
        return True
    if option.no_log:
        document.problem(node, where, "a secret in plain text; encrypt it with !vault or fetch it with a lookup")
        return True
    return tag != UNSAFE_TAG and not tag.startswith(CORE)


def _check_scalar(document: Document, node: Node, option: Option, where: str) -> None:
    wanted, tags = _SCALAR_TYPES[option.type]
    if tags is None:
        _check_secrets(document, node, option, where)
        return
    if node.tag not in tags or not isinstance(node, ScalarNode):
        hint = "; put it in quotes" if STR in tags and isinstance(node, ScalarNode) else ""
        document.problem(node, where, f"expected {wanted}, got {_got(node)}{hint}")
        return
    if node.tag in (INT, FLOAT) and node.value.startswith("-"):
        document.problem(node, where, "expected a number of at least 0")
    elif option.choices and node.value not in map(str, option.choices):
        choices = [str(choice) for choice in option.choices]
        document.problem(node, where, f"expected one of {', '.join(choices)}{meant(node.value, choices)}")
    elif option.form and not option.form.pattern.fullmatch(node.value):
        document.problem(node, where, f"expected {option.form.expected}")


def _check_list(document: Document, node: Node, option: Option, where: str) -> None:
    if not isinstance(node, SequenceNode):
        document.problem(node, where, f"expected a list, got {_got(node)}")
        return
    if option.item:
        for index, item in enumerate(node.value):
            check(document, item, option.item, f"{where}[{index}]")


def _check_dict(document: Document, node: Node, option: Option, where: str) -> None:
    if not isinstance(node, MappingNode):
        document.problem(node, where, f"expected a dictionary, got {_got(node)}")
    elif option.options is not None:
        check_options(document, node, option.options, where)
    elif option.item is not None:
        for name, entry in document.entries(node, where).items():
            check(document, entry.value, option.item, join(where, name))
    else:
        _check_secrets(document, node, option, where)


def check_options(document: Document, node: MappingNode, options: dict[str, Option], where: str) -> None:
    """A dictionary whose keys are options: unknown ones, missing ones, and the value of each."""
    entries = document.entries(node, where)
    for name, entry in entries.items():
        option = options.get(name)
        if option is None:
            document.problem(entry.key, join(where, name), f"unknown key{meant(name, options)}")
        else:
            check(document, entry.value, option, join(where, name))
    for name, option in options.items():
        if option.required and name not in entries:
            document.problem(node, join(where, name), "required")


def _check_secrets(document: Document, node: Node, option: Option, where: str) -> None:
    """In a secret of free form, every scalar has to be encrypted or looked up."""
    if not option.no_log:
        return
    if isinstance(node, ScalarNode):
        _settled(document, node, option, where)
    elif isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            _check_secrets(document, item, option, f"{where}[{index}]")
    elif isinstance(node, MappingNode):
        for name, entry in document.entries(node, where).items():
            _check_secrets(document, entry.value, option, join(where, name))


def _got(node: Node) -> str:
    return _GOT.get(node.tag, "something else")
