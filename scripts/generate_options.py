# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options in the documentation of modules, and the words that several roles share.

What an option may be is what the module's argument spec says. Its description is written once: in
scripts/generate_options.yml where several roles or modules have it, else in the argument spec of the role that the
module takes it from, else in the module itself, where it stays as it is.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from ansible_collections.mssp.onboarding.plugins.plugin_utils._capabilities import load_capabilities
from scripts.generate_actions import MODULES, action_groups
from scripts.generate_roles import options
from scripts.generate_yaml import dump_within

DOCUMENTATION = re.compile(r'(?<=^DOCUMENTATION = r""")\n.*?(?=^""")', re.MULTILINE | re.DOTALL)
OPTIONS = re.compile(r"^options:\n(?:(?: .*)?\n)*", re.MULTILINE)
# An option of a role's argument spec, and its description.
ROLE_OPTION = re.compile(r"^      (\w+):\n((?:        .*\n)+)", re.MULTILINE)
ROLE_DESCRIPTION = re.compile(r"^        description:.*\n(?:          .*\n)*", re.MULTILINE)
FORM = ("type", "elements", "required", "choices", "default", "aliases")
Spec = Mapping[str, Any]


class Role(NamedTuple):
    """What a role says of its options, without its prefix. values: of what each value of a dictionary is."""

    name: str
    options: Mapping[str, Spec]
    values: Mapping[str, Spec]


def generate(root: Path) -> Iterator[tuple[Path, str]]:
    shared = yaml.safe_load((root / "scripts/generate_options.yml").read_text(encoding="utf-8"))
    groups = action_groups(root)
    capabilities = load_capabilities(str(root / "roles"))
    for name, capability in capabilities.items():
        path = root / "roles" / name / "meta/argument_specs.yml"
        yield (
            path,
            with_shared(path.read_text(encoding="utf-8"), name, _words(shared, "roles", capability.vendor, name)),
        )
    roles = [read_role(root / "roles" / name) for name in capabilities]
    taken = {role.name: taken_options(root / "roles" / role.name) for role in roles}
    for path in sorted((root / "plugins/modules").glob("[!_]*.py")):
        spec = import_module(f"{MODULES}.{path.stem}").MODULE.spec
        vendor = next((group for group, names in groups.items() if path.stem in names), "")
        words = {
            option: described(role, option)
            for role in roles
            for option in role.options.keys() & spec.keys()
            if option not in taken[role.name].get(path.stem, {option})
        }
        text = path.read_text(encoding="utf-8")
        yield path, documented(path.stem, text, spec, words | _words(shared, "modules", vendor, path.stem))


def _words(shared: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The shared words of everybody and of the names; what is more special comes last and wins, null leaves none."""
    found = {option: words for name in ("everybody", *names) for option, words in (shared.get(name) or {}).items()}
    return {option: words for option, words in found.items() if words is not None}


def with_shared(text: str, role: str, words: Mapping[str, Any]) -> str:
    """The text of the role's argument spec, with the shared descriptions put in."""

    def replaced(found: re.Match[str]) -> str:
        option = found[1].removeprefix(f"{role}_")
        if option not in words:
            return found[0]
        own = ROLE_DESCRIPTION.search(found[0])
        words_of = {"description": _prefixed(words[option], role, names)}
        made = textwrap.indent(dump_within(words_of, 112), " " * 8)
        return found[0].replace(own[0], made) if own else found[0]

    names = {found[1].removeprefix(f"{role}_") for found in ROLE_OPTION.finditer(text)}
    return ROLE_OPTION.sub(replaced, text)


def _prefixed(words: Any, role: str, names: set[str]) -> Any:
    """The words as the role's: with its prefix where they refer to an option of it."""
    if isinstance(words, list):
        return [_prefixed(line, role, names) for line in words]
    return re.sub(r"O\((\w+)", lambda found: f"O({role}_{found[1]}" if found[1] in names else found[0], words)


def read_role(role: Path) -> Role:
    path, prefix = role / "meta/value_specs.yml", f"{role.name}_"
    values = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    return Role(
        role.name,
        {option.removeprefix(prefix): spec for option, spec in options(role).items()},
        {option.removeprefix(prefix): spec for option, spec in (values or {}).items()},
    )


def taken_options(role: Path) -> dict[str, set[str]]:
    """Module to the options that every task of the role gives it: all others it takes from the role's variables."""

    def tasks(listed: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
        for task in listed:
            for key, value in task.items():
                if key in {"block", "rescue", "always"}:
                    yield from tasks(value)
                elif key.startswith("mssp.onboarding.") and "options_from" in value:
                    yield key.rpartition(".")[2], value

    found: dict[str, set[str]] = {}
    for path in sorted((role / "tasks").glob("*.yml")):
        for module, given in tasks(yaml.safe_load(path.read_text(encoding="utf-8"))):
            found[module] = found.get(module, set(given)) & set(given)
    return found


def described(role: Role, option: str) -> Spec:
    """The option with its description as the module's, and with a line for each option of its values."""
    spec = _unprefixed(role.options[option], role.name)
    values = role.values.get(option, {}).get("options") or {}
    lines = [*_lines(spec["description"]), *(_value_line(name, value) for name, value in values.items())]
    return {**spec, "description": lines if values else spec["description"]}


def _unprefixed(node: Any, role: str) -> Any:
    if isinstance(node, dict):
        return {key: _unprefixed(value, role) for key, value in node.items()}
    if isinstance(node, list):
        return [_unprefixed(value, role) for value in node]
    return re.sub(rf"\b([OC]\(){role}_", r"\1", node) if isinstance(node, str) else node


def _value_line(name: str, spec: Spec) -> str:
    about = [spec["type"], *(["required"] if spec.get("required") else [])]
    if spec.get("choices"):
        about.append("one of " + ", ".join(f"V({choice})" for choice in spec["choices"]))
    if isinstance(spec.get("default"), str | int) and spec["default"] != "":  # V() must not be empty
        about.append(f"default V({str(spec['default']).lower() if spec['type'] == 'bool' else spec['default']})")
    return f"C({name}) ({', '.join(about)}) - {' '.join(_lines(spec['description']))}"


def _lines(description: Any) -> list[str]:
    return [description] if isinstance(description, str) else list(description)


def documented(module: str, text: str, spec: Mapping[str, Spec], words: Mapping[str, Any]) -> str:
    """The text of the module, with the options of its documentation made anew. Raises ValueError without words."""
    found = DOCUMENTATION.search(text)
    if found is None:
        raise ValueError(f"{module} has no DOCUMENTATION")
    block = OPTIONS.search(found[0])
    own = (yaml.safe_load(block[0]) or {}).get("options") or {} if block else {}
    made = "options:\n" + "".join(
        textwrap.indent(dump_within({name: option(f"{module}.{name}", one, name, own, words)}, 118), "  ")
        for name, one in spec.items()
    )
    before, after = (found[0][: block.start()], found[0][block.end() :]) if block else _places(found[0])
    return text[: found.start()] + before + made + after + text[found.end() :]


def _places(documentation: str) -> tuple[str, str]:
    """Where options go that were not there: before what else to see, or at the end."""
    before, found, after = documentation.partition("seealso:\n")
    return before, found + after


def option(place: str, spec: Spec, name: str, own: Mapping[str, Any], words: Mapping[str, Any]) -> dict[str, Any]:
    """One option: its form from the spec, its words from where they are written."""
    written = words.get(name) or own.get(name)
    if written is None:
        raise ValueError(f"{place} is described nowhere: not in the role, the module or generate_options.yml")
    about = written if isinstance(written, Mapping) else {"description": written}
    made = {"description": about["description"], **{key: spec[key] for key in FORM if key in spec}}
    if "fallback" in spec and not any("E(" in line for line in _lines(made["description"])):
        variables = " or ".join(f"E({variable})" for variable in spec["fallback"][1])
        made["description"] = [
            *_lines(made["description"]),
            f"Taken from the environment variable {variables} when not given.",
        ]
    if "options" in spec:
        inner = about.get("suboptions") or about.get("options") or {}
        made["suboptions"] = {
            key: option(f"{place}.{key}", one, key, inner, {}) for key, one in spec["options"].items()
        }
    return made
