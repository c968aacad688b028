# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML as a tree of nodes that know their line, and values made from it.

Ansible's own loader marks every value with its place and takes several times as long; a fleet of 1,000 files
is read at every start. So the files are composed by libyaml and turned into values here. What Ansible has to
know about a string (it may be a template, it is encrypted, it is never a template) comes in as functions of `Types`,
which keeps this module free of Ansible.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

CORE = "tag:yaml.org,2002:"
STR, INT, BOOL, FLOAT, NULL = (CORE + name for name in ("str", "int", "bool", "float", "null"))
MERGE = CORE + "merge"
VAULT_TAGS = frozenset({"!vault", "!vault-encrypted"})
UNSAFE_TAG = "!unsafe"
VAULT_HEADER = "$ANSIBLE_VAULT;"

_TEMPLATE = re.compile(r"\{[{%#]")
_SCALARS = yaml.constructor.SafeConstructor()


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something wrong in a file; `key` is the dotted way to it, `message` says what was expected.

    `other` is the name of a second file that may be the wrong one as well.
    """

    path: str
    line: int
    column: int
    key: str
    message: str
    other: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.key}: {self.message}"


class Malformed(Exception):
    """A file that is no YAML, or not a mapping; carries its one problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Types:
    """What Ansible makes of a string, of an encrypted one, and of one that is marked `!unsafe`."""

    text: Callable[[str], Any] = str
    vault: Callable[[str], Any] = str
    unsafe: Callable[[str], Any] = str


class Entry(NamedTuple):
    """One key of a mapping. within: the dotted way to the mapping."""

    key: ScalarNode
    value: Node
    within: str

    @property
    def where(self) -> str:
        """The dotted way to the key."""
        return join(self.within, str(self.key.value))


class Document:
    """One YAML file: its name for messages, its problems so far, and the way from nodes to values."""

    def __init__(self, path: str, types: Types) -> None:
        self.path = path
        self.types = types
        self.problems: list[Problem] = []

    def problem(self, node: Node | None, key: str, message: str) -> None:
        """Note a problem at the node, or at the start of the file."""
        line, column = (node.start_mark.line + 1, node.start_mark.column + 1) if node else (1, 1)
        self.problems.append(Problem(self.path, line, column, key, message))

    def compose(self, content: bytes) -> MappingNode:
        """The root mapping of the file, empty where the file is. Raises Malformed."""
        if content.startswith(VAULT_HEADER.encode()):
            raise self._malformed(1, 1, "the file is encrypted as a whole; encrypt its secret values with !vault")
        try:
            root = yaml.compose(content, Loader=LOADER)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            raise self._malformed(line, column, f"not valid YAML: {_syntax(error)}") from None
        except yaml.YAMLError as error:
            line = content.count(b"\n", 0, getattr(error, "position", 0) or 0) + 1
            raise self._malformed(line, 1, "not valid YAML: a character that YAML does not allow") from None
        if root is None or root.tag == NULL:
            start = yaml.Mark(self.path, 0, 0, 0, None, 0)
            return MappingNode(CORE + "map", [], start, start)
        if not isinstance(root, MappingNode):
            raise self._malformed(root.start_mark.line + 1, 1, "expected a mapping of keys and values")
        return root

    def _malformed(self, line: int, column: int, message: str) -> Malformed:
        return Malformed(Problem(self.path, line, column, "file", message))

    def entries(self, node: MappingNode, where: str) -> dict[str, Entry]:
        """The keys of a mapping, merge keys (`<<`) laid in; a key given twice is a problem."""
        found: dict[str, Entry] = {}
        for key, value in self._pairs(node, where):
            if not isinstance(key, ScalarNode):
                self.problem(key, where, "expected keys that are plain strings")
                continue
            name = key.value
            if name in found:
                first = found[name].key.start_mark.line + 1
                self.problem(key, join(where, name), f"given twice, first on line {first}")
            found[name] = Entry(key, value, where)
        return found

    def _pairs(self, node: MappingNode, where: str) -> Iterator[tuple[Node, Node]]:
        if not any(key.tag == MERGE for key, _value in node.value):
            return iter(node.value)
        own = [pair for pair in node.value if pair[0].tag != MERGE]
        names = {key.value for key, _value in own}
        copy = MappingNode(node.tag, list(node.value), node.start_mark, node.end_mark)
        try:
            _SCALARS.flatten_mapping(copy)
        except yaml.MarkedYAMLError:
            self.problem(node, where, "<< expects a mapping or a list of mappings")
            return iter(own)
        merged = {key.value: (key, value) for key, value in copy.value if key.value not in names}
        return iter([*merged.values(), *own])

    def value(self, node: Node, where: str) -> Any:
        """The node as Ansible variables hold it. Unknown tags are problems and give None."""
        if isinstance(node, ScalarNode):
            return self._scalar(node, where)
        if isinstance(node, SequenceNode):
            return [self.value(item, f"{where}[{index}]") for index, item in enumerate(node.value)]
        if not isinstance(node, MappingNode):
            return None
        return {
            self._key(entry.key, where): self.value(entry.value, join(where, name))
            for name, entry in self.entries(node, where).items()
        }

    def _key(self, node: ScalarNode, where: str) -> Any:
        return node.value if node.tag == STR else self._scalar(node, where)

    def _scalar(self, node: ScalarNode, where: str) -> Any:
        tag, text = node.tag, node.value
        if tag == STR:
            return self.types.text(text)
        if tag in VAULT_TAGS:
            return self.types.vault(text)
        if tag == UNSAFE_TAG:
            return self.types.unsafe(text)
        construct = _SCALARS.yaml_constructors.get(tag)
        if construct is None:
            # The tag is not shown: a secret that starts with an exclamation mark is read as one.
            self.problem(node, where, "a tag that Ansible does not know; put a value that starts with ! in quotes")
            return None
        try:
            return construct(_SCALARS, node)
        except (ValueError, yaml.YAMLError):
            self.problem(node, where, "cannot be read as the number or date it looks like; put it in quotes")
            return None


def join(where: str, key: str) -> str:
    """The dotted way to a key."""
    return f"{where}.{key}" if where else key


def is_template(text: str) -> bool:
    """Whether Ansible may find a template in the text."""
    return "{" in text and _TEMPLATE.search(text) is not None


def _syntax(error: yaml.MarkedYAMLError) -> str:
    """libyaml's words, without the names of aliases: a secret that starts with an asterisk is read as one."""
    problem = error.problem or "unreadable"
    if "alias" in problem:
        return "an alias without its anchor; put a value that starts with * in quotes"
    if not error.context or not error.context_mark:
        return problem
    return f"{problem} ({error.context} that starts on line {error.context_mark.line + 1})"
