"""What scripts/generate makes of a capability that it has not seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.mssp.onboarding.plugins.plugin_utils._capabilities import Drift, parse_capability
from scripts import generate_docs, generate_options, generate_playbooks, generate_returns, generate_roles

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


ROLE_SPEC = """\
argument_specs:
  main:
    options: &options
      acme_token:
        description: Old words.
        type: str
        no_log: true
      acme_things:
        description: Name of each to its options.
        type: dict
  drift:
    options: *options
"""
MODULE = '''\
DOCUMENTATION = r"""
module: acme_things
options:
  state:
    description: Own words of O(things).
    type: bool
  gone:
    description: No longer in the spec.
seealso: []
"""
'''


def test_shared_words_replace_those_of_a_role_and_leave_the_rest() -> None:
    made = generate_options.with_shared(ROLE_SPEC, "acme", {"token": "Token, beside O(things) and O(other)."})
    spec = "        description: Token, beside O(acme_things) and O(other).\n        type: str\n        no_log: true\n"
    assert made == ROLE_SPEC.replace("        description: Old words.\n        type: str\n        no_log: true\n", spec)
    assert generate_options.with_shared(ROLE_SPEC, "acme", {}) == ROLE_SPEC


def test_a_module_is_told_what_its_spec_says_in_the_words_of_the_role() -> None:
    """An option that no role has keeps its words and gets its form; what is in no spec any more goes."""
    spec = {
        "token": {"type": "str", "no_log": True, "fallback": (None, ["ACME_TOKEN"])},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
    made = generate_options.documented("acme_things", MODULE, spec, {"token": {"description": "Token.", "type": "int"}})
    document = yaml.safe_load(made.split('r"""')[1].split('"""')[0])
    assert document == {
        "module": "acme_things",
        "options": {
            "token": {
                "description": ["Token.", "Taken from the environment variable E(ACME_TOKEN) when not given."],
                "type": "str",
            },
            "state": {"description": "Own words of O(things).", **spec["state"]},
        },
        "seealso": [],
    }
    with pytest.raises(ValueError, match=r"^acme_things.other is described nowhere"):
        generate_options.documented("acme_things", MODULE, {"other": {"type": "str"}}, {})


def test_an_option_of_named_values_tells_each_of_theirs() -> None:
    values = {
        "options": {
            "kind": {"description": "Kind.", "type": "str", "choices": ["a", "b"], "default": "a"},
            "keys": {"description": ["Keys of", "it."], "type": "list", "required": True},
        }
    }
    told = {"description": "Each, as O(acme_things_x) and C(acme_x) say.", "type": "dict"}
    role = generate_options.Role("acme", {"things": told}, {"things": values})
    assert generate_options.described(role, "things")["description"] == [
        "Each, as O(things_x) and C(x) say.",
        "C(kind) (str, one of V(a), V(b), default V(a)) - Kind.",
        "C(keys) (list, required) - Keys of it.",
    ]


def test_a_module_takes_from_a_role_what_some_task_leaves_open(tmp_path: Path) -> None:
    tasks = [
        {"mssp.onboarding.acme": {"options_from": "acme", "state": "absent", "force": True}},
        {"block": [{"mssp.onboarding.acme": {"options_from": "acme", "state": "present"}}]},
        {"mssp.onboarding.other": {"name": "x"}},
    ]
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks/main.yml").write_text(yaml.safe_dump(tasks), encoding="utf-8")
    assert generate_options.taken_options(tmp_path) == {"acme": {"options_from", "state"}}
