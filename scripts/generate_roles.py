# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is the same in every role: its drift, its defaults, and what Galaxy shows of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.mssp.onboarding.plugins.plugin_utils._capabilities import (
    Capability,
    Drift,
    load_capabilities,
)
from scripts.generate_yaml import dump

ASKED = "drift_correct | default(false) | bool"
LEFT_OVER = ("drifted", "waiting")
DRIFT = "---\n# Made by scripts/generate from meta/capability.yml.\n"
DEFAULTS = "---\n# Made by scripts/generate from meta/argument_specs.yml, which says what each option means.\n"
MAIN = "---\n# Made by scripts/generate from meta/argument_specs.yml.\n"
OVER_BUDGET = (
    "Nothing was changed here: with it the run would change {{ %s }} targets, and drift_max_changes is "
    "{{ drift_max_changes }}. Next step: read the drift, then raise drift_max_changes if all of it is meant."
)
SHARE = "groups | mssp.onboarding.failed_share(ansible_play_hosts_all)"
TOO_MANY = (
    f"Nothing was changed here: {{{{ {SHARE} | round(1) }}}} % of the hosts of a ring have failed, and "
    "mssp_max_fail_percentage is {{ mssp_max_fail_percentage }}. Next step: see to what failed first, then run again."
)
LEFT = (
    "{{ 'More than %s allows.' if drift_correct | default(false) | bool "
    "else 'Correct it with -e drift_correct=true.' }}"
)


def generate(root: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(root.glob("roles/*/meta/argument_specs.yml")):
        info = {"galaxy_info": galaxy_info(argument_specs(path.parent.parent)), "dependencies": []}
        yield path.parent / "main.yml", MAIN + dump(info)
    for name, capability in load_capabilities(str(root / "roles")).items():
        role = root / "roles" / name
        yield role / "defaults/main.yml", DEFAULTS + dump(defaults(options(role)))
        if capability.drift:
            tasks = drift_tasks(capability, capability.drift)
            yield role / "tasks/drift.yml", DRIFT + "\n".join(dump([task], width=72) for task in tasks)


def argument_specs(role: Path) -> dict[str, Any]:
    """The role's entry points."""
    text = (role / "meta/argument_specs.yml").read_text(encoding="utf-8")
    specs: dict[str, Any] = yaml.safe_load(text)["argument_specs"]
    return specs


def options(role: Path) -> dict[str, Any]:
    """The options of all entry points, by name."""
    specs = argument_specs(role).values()
    return {name: option for spec in specs for name, option in (spec.get("options") or {}).items()}


def galaxy_info(specs: dict[str, Any]) -> dict[str, Any]:
    """What Galaxy and its importer read of a role, which is of use in its collection only."""
    return {
        "standalone": False,
        "author": "The mssp.onboarding contributors",
        "description": specs["main"]["short_description"],
        "license": "GPL-3.0-or-later",
        "min_ansible_version": "2.18",
    }


def defaults(given: dict[str, Any]) -> dict[str, Any]:
    """Every default, by option."""
    return {name: option["default"] for name, option in given.items() if "default" in option}


def drift_tasks(capability: Capability, drift: Drift) -> list[dict[str, Any]]:
    """Compare; where that is asked for, correct as far as the level and the budget allow; fail for what is left."""
    compared = [
        {
            "name": f"Compare with what is wanted ({file})",
            "ansible.builtin.import_tasks": f"{file}.yml",
            "check_mode": True,
        }
        for file in drift.compare
    ]
    added = {
        "name": "Add up what this run changes, up to this ring and capability",
        "ansible.builtin.set_fact": {
            capability.option("_total"): "{{ groups['all'] | map('extract', hostvars) | mssp.onboarding.drift_total }}"
        },
        "run_once": True,
        "when": ASKED,
    }
    return [*compared, added, _correction(capability, drift), _verdict(capability)]


def _correction(capability: Capability, drift: Drift) -> dict[str, Any]:
    """Where the level lets something of it be written, and within what a run may fail and change."""
    total, parts, level = (capability.option(name) for name in ("_total", "_parts", "correct"))
    changes = f"{parts} | map('mssp.onboarding.drift_changes', {{}}) | sum"
    allowed, all_of_it = changes.format(level), changes.format("'all'")
    return {
        "name": "Correct what may be corrected",
        "vars": {parts: f"{{{{ [{', '.join(capability.results)}] | selectattr('summary', 'defined') | list }}}}"},
        "when": [ASKED, f"{allowed} > 0", *([f"{allowed} == {all_of_it}"] if drift.together else [])],
        "block": [
            _asserted(
                "Correct nothing after too many failures",
                f"{SHARE} <= mssp_max_fail_percentage | float",
                TOO_MANY,
                "mssp_max_fail_percentage is defined",
            ),
            _asserted(
                "Keep the run within its budget of changes",
                f"{total} | int <= drift_max_changes | mssp.onboarding.whole_number",
                OVER_BUDGET % total,
                "drift_max_changes is defined",
            ),
            {
                "name": "Correct",
                "ansible.builtin.include_tasks": f"{drift.correct}.yml",
                "vars": {capability.option("_correct"): f"{{{{ {level} }}}}"},
            },
        ],
    }


def _verdict(capability: Capability) -> dict[str, Any]:
    """By itself, so that the tasks before can show their diff: Ansible shows none for a failed one."""
    left = [
        f"{result} is skipped or {result}.summary.counts.{status} == 0"
        for result in capability.results
        for status in LEFT_OVER
    ]
    said = [f"{{{{ {result}.msg | default('') }}}}" for result in capability.results]
    text = " ".join([*said, LEFT % capability.option("correct")])
    return _asserted("Fail where drift is left", left, text, "drift_fail | default(false) | bool")


def _asserted(name: str, that: Any, otherwise: str, when: str) -> dict[str, Any]:
    rule = {"that": that, "fail_msg": otherwise, "quiet": True}
    return {"name": name, "ansible.builtin.assert": rule, "when": when}
