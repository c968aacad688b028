"""What scripts/generate makes of a capability that it has not seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.mssp.onboarding.plugins.plugin_utils._capabilities import Drift, parse_capability
from scripts import generate_docs, generate_playbooks, generate_returns, generate_roles

ACME: dict[str, Any] = {"title": "Acme logs", "host": "tenant", "order": 60, "needs": ["access"]}
ACCESS: dict[str, Any] = {
    "title": "Access", "host": "tenant", "order": 10, "verbs": ["bootstrap", "verify", "offboard"],
    "modules": {"verify": "access_info"}, "ready": {"otherwise": "known", "offboard": "reaches"},
    "offboard": {"first": "look", "keep_if_failed": "tenant"},
}  # fmt: skip
BOX: dict[str, Any] = {
    "title": "Box", "host": "collector", "order": 70, "modules": {"verify": "box_info"}, "on_request": "ask"
}  # fmt: skip
TIMER: dict[str, Any] = {"title": "Timer", "host": "collector", "order": 5, "verbs": ["offboard"]}


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, list[dict[str, Any]]]:
    """Verb to its table, of four capabilities."""
    acme = {**ACME, "modules": {"verify": "acme_info"}}
    for role, data in (("access", ACCESS), ("acme", acme), ("box", BOX), ("timer", TIMER)):
        (tmp_path / "roles" / role / "meta").mkdir(parents=True)
        (tmp_path / "roles" / role / "meta/capability.yml").write_text(yaml.safe_dump(data), encoding="utf-8")
    return {path.stem: yaml.safe_load(text) for path, text in generate_playbooks.generate(tmp_path)}


def rows(table: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """(role, entry point, conditions) of each row but the first, which looks at the run; "" is another play's role."""
    assert table[0]["ansible.builtin.import_playbook"] == "play/start.yml"
    return [
        (row.get("vars", {}).get("play_role", ""), row.get("vars", {}).get("play_tasks", ""), row.get("when", []))
        for row in table[1:]
    ]


def patterns(table: list[dict[str, Any]]) -> dict[str, str]:
    """Role to its hosts."""
    found = [row["vars"] for row in table if "play_role" in row.get("vars", {})]
    return {variables["play_role"]: variables["play_pattern"] for variables in found}


def test_a_verb_has_its_capabilities_in_their_order(tables: dict[str, list[dict[str, Any]]]) -> None:
    assert rows(tables["bootstrap"]) == [("access", "main", []), ("", "", [])]
    assert rows(tables["onboard"]) == [("acme", "main", ["known"]), ("box", "main", []), ("", "", [])]
    assert [row[0] for row in rows(tables["verify"])] == ["access", "acme", "box", ""]


def test_offboard_goes_backwards_after_what_runs_by_itself_and_what_asks(
    tables: dict[str, list[dict[str, Any]]],
) -> None:
    assert rows(tables["offboard"]) == [
        ("", "", []),
        ("timer", "offboard", []),
        ("access", "look", []),
        ("box", "offboard", []),
        ("acme", "offboard", ["reaches"]),
        ("access", "offboard", ["play_failed == []"]),
        ("", "", []),
        ("", "", []),
    ]


def test_hosts_are_those_that_have_the_role_by_ring_where_drift_is_corrected(
    tables: dict[str, list[dict[str, Any]]],
) -> None:
    found = {verb: patterns(table) for verb, table in tables.items()}
    asked = "{{ '' if ask | default(false) | bool else ':!all' }}"
    assert found["onboard"] == {"acme": "has_acme", "box": f"has_box:&collectors{asked}"}
    assert found["drift"]["acme"] == "ring_canary:ring_early:ring_all:&has_acme"
    assert found["offboard"]["acme"] == "{{ offboard_confirm | default('nobody') }}:&has_acme"
    assert found["offboard"]["box"].startswith("tenant_{{ offboard_confirm")


@pytest.mark.parametrize(("together", "conditions"), [(False, 2), (True, 3)])
def test_what_belongs_together_is_corrected_as_a_whole_or_not_at_all(together: bool, conditions: int) -> None:
    capability = parse_capability("acme", {**ACME, "results": ["acme__a", "acme__b"]}, "acme.yml")
    *compared, _total, correct, left = generate_roles.drift_tasks(capability, Drift(("a", "b"), "main", together))
    assert [(task["ansible.builtin.import_tasks"], task["check_mode"]) for task in compared] == [
        ("a.yml", True),
        ("b.yml", True),
    ]
    assert len(correct["when"]) == conditions
    assert [task["name"] for task in correct["block"]] == [
        "Correct nothing after too many failures",
        "Keep the run within its budget of changes",
        "Correct",
    ]
    assert len(left["ansible.builtin.assert"]["that"]) == 2 * 2, "drifted and waiting of each result"


def test_a_place_for_generated_text_has_to_be_there() -> None:
    assert generate_docs.between("a\nB\nold\nE\nz\n", "B\n", "E\n", "new\n") == "a\nB\nnew\nE\nz\n"
    assert generate_docs.between("a\nB\nold\n", "B\n", "", "new\n") == "a\nB\nnew\n"
    with pytest.raises(ValueError, match="no place"):
        generate_docs.between("a\n", "B\n", "E\n", "new\n")


def test_a_module_s_own_return_values_stay() -> None:
    common = {"summary": {"description": "All", "contains": {"capability": {"description": "Always V(%s)."}}}}
    own = {"contains": {"seconds": {"description": "mine"}, "guard": {"description": "own"}}}
    found = generate_returns.summary(common["summary"], own, {"seconds": {"description": "everybody's"}}, "acme")
    assert {key: value["description"] for key, value in found["contains"].items()} == {
        "capability": "Always V(acme).", "seconds": "everybody's", "guard": "own",
    }  # fmt: skip
    assert generate_returns.described("guard", "guard:\n  description: own\n", {}, {}, "acme").endswith("own\n")
