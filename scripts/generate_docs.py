# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others read of the capabilities: README, AWX credential types, the rulebook's rules, ansible-lint's ignores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.mssp.onboarding.plugins.plugin_utils._capabilities import (
    LOOKS,
    Capability,
    Credential,
    Event,
    load_capabilities,
)
from scripts.generate_yaml import Unsafe, dump

TABLE_HEAD = "| source | role | what it does | tried on |\n|---|---|---|---|\n"
LOOKS_HEAD = "| role | says so | looked at; not looked at |\n|---|---|---|\n"
SAID_BY = {"converge": "bootstrap, onboard, drift"}
MARK = "Made by scripts/generate from roles/*/meta/capability.yml"
AWX = f"---\n# {MARK}.\n# The values under injectors are templates of the controller, not of Ansible.\n"
# The arguments of a task that takes its options from the role: ansible-lint cannot know that none is missing.
LINT = (
    "# Made by scripts/generate: tasks that take options from the role's variables, where ansible-lint misses them.\n"
)


def generate(root: Path) -> Iterator[tuple[Path, str]]:
    capabilities = list(load_capabilities(str(root / "roles")).values())
    readme = (root / "README.md").read_text(encoding="utf-8")
    yield root / "README.md", between(readme, f"<!-- {MARK}. -->\n", "<!-- The end of it. -->\n", table(capabilities))
    support = (root / "docs/support.md").read_text(encoding="utf-8")
    looked_at = between(support, f"<!-- {MARK}. -->\n", "<!-- The end of it. -->\n", looks(capabilities))
    yield root / "docs/support.md", looked_at
    yield root / "awx/credential_types.yml", AWX + dump({"awx_credential_types": credential_types(capabilities)})
    rules = (root / "extensions/eda/rulebooks/correct.yml").read_text(encoding="utf-8")
    made = "".join(rule(name, event) for one in capabilities for name, event in one.events.items())
    yield root / "extensions/eda/rulebooks/correct.yml", between(rules, f"    # {MARK}.\n", "", made)
    yield root / ".ansible-lint-ignore", LINT + lint_ignores(root)


def between(text: str, begin: str, end: str, made: str) -> str:
    """The text with what is made between two lines, or from one to the end of the file."""
    before, found, rest = text.partition(begin)
    if not found or (end and end not in rest):
        raise ValueError(f"no place for generated text: {begin.strip()!r} … {end.strip()!r}")
    return before + begin + made + (end + rest.partition(end)[2] if end else "")


def table(capabilities: list[Capability]) -> str:
    """The rows of capabilities with a source; what probes others comes last."""
    rows = sorted((one for one in capabilities if one.source), key=lambda one: not one.results)
    return TABLE_HEAD + "".join(
        f"| {one.source} | [`{one.name}`](roles/{one.name}/README.md) | {one.covers} | {one.tried_on} |\n"
        for one in rows
    )


def looks(capabilities: list[Capability]) -> str:
    """One row for each look of a capability: what was seen where it says that all is well."""
    rows = [(one, look) for one in capabilities for look in LOOKS if look in one.looked_at]
    return LOOKS_HEAD + "".join(
        f"| [`{one.name}`](../roles/{one.name}/README.md) | {SAID_BY.get(look, look)} | {one.looked_at[look]} |\n"
        for one, look in rows
    )


def credential_types(capabilities: list[Capability]) -> list[dict[str, Any]]:
    return [credential_type(name, own) for one in capabilities for name, own in one.credentials.items()]


def credential_type(name: str, own: dict[str, Credential]) -> dict[str, Any]:
    """AWX's way to say which fields there are, and how they get into the environment."""
    files = [key for key, field in own.items() if field.file]
    templates = {
        key: f"{{{{ tower.filename.{key} }}}}" if field.file else f"{{{{ {key} | default('') }}}}"
        for key, field in own.items()
    }
    return {
        "name": f"mssp.onboarding {name}",
        "inputs": {
            "fields": [
                {
                    "id": key,
                    "label": field.label,
                    "type": "string",
                    **({"secret": True} if field.secret else {}),
                    **({"multiline": True} if field.file else {}),
                }
                for key, field in own.items()
            ]
        },
        "injectors": {
            **(
                {"file": {f"template.{key}": Unsafe(f"{{{{ {key} | default('') }}}}") for key in files}}
                if files
                else {}
            ),
            "env": {field.env: Unsafe(templates[key]) for key, field in own.items()},
        },
    }


def rule(name: str, event: Event) -> str:
    """A rule of the rulebook. A person does several at a time: one run for all that came within three seconds."""
    made = {
        "name": event.title,
        "condition": f'event.onboarding.kind == "{name}"',
        "throttle": {"once_after": "3 seconds", "group_by_attributes": ["event.onboarding.tenant"]},
        "action": {
            "run_playbook": {
                "name": f"mssp.onboarding.{event.verb}",
                "check_files": False,
                "extra_vars": event.extra_vars,
            }
        },
    }
    return "".join(f"    {line}\n" for line in dump([made]).splitlines())


def lint_ignores(root: Path) -> str:
    paths = sorted((root / "roles").glob("*/tasks/*.yml"))
    named = [path for path in paths if "options_from" in str(yaml.safe_load(path.read_text(encoding="utf-8")))]
    return "".join(f"{path.relative_to(root)} args[module] skip\n" for path in named)
