# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks, one per verb: tables over playbooks/play/capability.yml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible_collections.mssp.onboarding.plugins.plugin_utils._capabilities import (
    VERBS,
    Capability,
    load_capabilities,
)
from scripts.generate_yaml import dump

HEAD = "---\n# Made by scripts/generate from roles/*/meta/capability.yml.\n"
IMPORT = "ansible.builtin.import_playbook"
START = {"name": "Check the run before it begins", IMPORT: "play/start.yml"}
CONFIRM = {"name": "Ask for the tenant by name", IMPORT: "play/confirm.yml"}
VERDICT = {"name": "Fail the hosts of which a capability failed", IMPORT: "verdict.yml"}
LEAVING = {
    "tenant": "{{ offboard_confirm | default('nobody') }}",
    "collector": "tenant_{{ offboard_confirm | default('nobody') | replace('-', '_') }}",
}
RINGS = "ring_canary:ring_early:ring_all"
# What failed before, by offboard.keep_if_failed.
FAILED = {
    "host": "{{ groups['mssp_failed'] | default([]) | intersect([inventory_hostname]) }}",
    "tenant": (
        "{{ groups['mssp_failed'] | default([]) | intersect([inventory_hostname] "
        "+ groups['tenant_' ~ (inventory_hostname | replace('-', '_'))] | default([])) }}"
    ),
}


def generate(root: Path) -> Iterator[tuple[Path, str]]:
    capabilities = load_capabilities(str(root / "roles"))
    for verb in VERBS:
        plays = [
            {**START, "vars": {"play_verb": verb}},
            *(_offboard if verb == "offboard" else _forward)(capabilities, verb),
            VERDICT | {"vars": {"play_verb": verb}},
        ]
        yield root / "playbooks" / f"{verb}.yml", HEAD + "\n".join(dump([play]) for play in plays)


def _forward(capabilities: dict[str, Capability], verb: str) -> Iterator[dict[str, Any]]:
    for capability in capabilities.values():
        if verb in capability.verbs:
            yield _play(
                capability, verb, "main" if verb in ("bootstrap", "onboard") else verb, _ready(capabilities, capability)
            )


def _offboard(capabilities: dict[str, Capability], verb: str) -> Iterator[dict[str, Any]]:
    """Backwards: first what a collector does by itself, then what is asked before anything goes, then the rest."""
    yield CONFIRM
    members = [capability for capability in reversed(capabilities.values()) if verb in capability.verbs]
    members.sort(key=lambda capability: bool(capability.modules))
    asked = [_play(member, verb, member.offboard.first, []) for member in members if member.offboard.first]
    for number, member in enumerate(members):
        if member.modules and not members[number - 1].modules:
            yield from asked
        when = [member.offboard.when] if member.offboard.when else _ready(capabilities, member, offboard=True)
        play = _play(member, verb, verb, when)
        if member.offboard.keep_if_failed:
            play["vars"]["play_failed"] = FAILED[member.offboard.keep_if_failed]
            play["when"] = [*when, "play_failed == []"]
            names = ("play_title", "play_pattern", "play_failed")
            kept = {name: play["vars"][name] for name in names}
            yield play
            yield {
                "name": f"{member.title}, where it is kept",
                IMPORT: "play/kept.yml",
                "vars": kept,
                "tags": [member.name],
            }
        else:
            yield play


def _play(capability: Capability, verb: str, tasks: str, when: list[str]) -> dict[str, Any]:
    """The lines of one capability in the playbook of a verb."""
    return {
        "name": capability.title,
        IMPORT: "play/capability.yml",
        "vars": {
            "play_title": capability.title,
            "play_pattern": _pattern(capability, verb),
            "play_verb": verb,
            "play_role": capability.name,
            "play_tasks": tasks,
        },
        **({"when": when} if when else {}),
        "tags": [capability.name],
    }


def _ready(capabilities: dict[str, Capability], capability: Capability, *, offboard: bool = False) -> list[str]:
    """Conditions by which what the capability needs is there."""
    needed = [capabilities[name].ready for name in capability.needs]
    return [ready.offboard if offboard else ready.otherwise for ready in needed if ready]


def _pattern(capability: Capability, verb: str) -> str:
    """The hosts of the capability in the playbook of the verb."""
    hosts = capability.hosts or f"has_{capability.name}"
    if verb == "offboard":
        return f"{LEAVING[capability.host]}:&{hosts}"
    if verb == "drift":
        hosts = f"{RINGS}:&{hosts}"
    if capability.host == "collector":
        hosts += ":&collectors"
    if capability.on_request:
        hosts += f"{{{{ '' if {capability.on_request} | default(false) | bool else ':!all' }}}}"
    return hosts
