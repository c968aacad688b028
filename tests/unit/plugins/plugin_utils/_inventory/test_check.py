"""Values against options: every type, and what is said about a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.check import check
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.schema import Schema, load_schema
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.yaml import Document, Types

SPEC = """
argument_specs:
  remove:
    options:
      thing_text: {type: int}
      thing_force: {type: bool}
  main:
    options:
      thing_text: {type: str}
      thing_path: {type: path}
      thing_count: {type: int, default: 3}
      thing_ratio: {type: float}
      thing_flag: {type: bool, default: false}
      thing_choice: {choices: [red, green]}
      thing_level: {type: int, choices: [1, 2]}
      thing_names: {type: list, elements: str}
      thing_colours: {type: list, elements: str, choices: [red, green]}
      thing_any: {type: raw}
      thing_free: {type: dict}
      thing_secret: {no_log: true}
      thing_secrets: {type: dict, no_log: true}
      thing_login: {type: dict, no_log: true, options: {password: {type: str}}}
      thing_size: {type: bytes}
      thing_named: {type: dict}
      thing_globs: {type: dict}
      thing_keys: {type: dict, no_log: true}
      thing_needed: {type: str, required: true}
      thing_rules:
        type: list
        elements: dict
        options:
          port: {type: int, required: true}
          protocol: {choices: [tcp, udp]}
          password: {no_log: true}
"""
CAPABILITY = "{title: Thing, host: tenant, order: 1, vendor: acme, shared: [text, needed], own: [needed]}"
VALUES = """
thing_named:
  type: dict
  options:
    port: {type: int, required: true}
    protocol: {choices: [tcp, udp]}
thing_globs: {type: str}
thing_keys: {type: dict, options: {key: {type: str}}}
"""
STRING = "expected a string, got {}; put it in quotes"
PLAIN_SECRET = "a secret in plain text; encrypt it with !vault or fetch it with a lookup"


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Schema:
    roles = tmp_path_factory.mktemp("roles")
    (roles / "thing" / "meta").mkdir(parents=True)
    (roles / "thing" / "meta" / "argument_specs.yml").write_text(SPEC, encoding="utf-8")
    (roles / "thing" / "meta" / "value_specs.yml").write_text(VALUES, encoding="utf-8")
    (roles / "thing" / "meta" / "capability.yml").write_text(CAPABILITY, encoding="utf-8")
    (roles / "bare").mkdir()
    return load_schema(str(roles))


def problems_of(schema: Schema, name: str, text: str) -> list[str]:
    document = Document("t.yml", Types())
    entry = document.entries(document.compose(f"{name}: {text}".encode()), "")[name]
    check(document, entry.value, schema.options[name], name)
    return [f"{problem.line}: {problem.key}: {problem.message}" for problem in document.problems]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("thing_text", "a"),
        ("thing_text", "'1'"),
        ("thing_text", "null"),
        ("thing_text", "'{{ a }}'"),
        ("thing_text", "!unsafe '{{ a }}'"),
        ("thing_text", "!vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  61"),
        ("thing_path", "/a"),
        ("thing_count", "1"),
        ("thing_count", "'{{ a }}'"),
        ("thing_ratio", "1"),
        ("thing_ratio", "1.5"),
        ("thing_flag", "yes"),
        ("thing_choice", "red"),
        ("thing_level", "2"),
        ("thing_names", "[a, '{{ b }}']"),
        ("thing_names", "'{{ a }}'"),
        ("thing_colours", "[red]"),
        ("thing_any", "{a: [1, x]}"),
        ("thing_free", "{a: [1, x]}"),
        ("thing_secret", "'{{ a }}'"),
        ("thing_secrets", "{a: '{{ b }}', c: ['{{ d }}']}"),
        ("thing_named", "{a: {port: 1}, b: {port: '{{ p }}', protocol: tcp}}"),
        ("thing_named", "'{{ a }}'"),
        ("thing_globs", "{a: 'x*', b: '{{ c }}'}"),
        ("thing_keys", "{a: {key: '{{ b }}'}, c: '{{ d }}'}"),
        ("thing_size", "1"),
        ("thing_size", "1M"),
        ("thing_rules", "[{port: 1, protocol: tcp, password: '{{ a }}'}]"),
    ],
)
def test_right_values(schema: Schema, name: str, text: str) -> None:
    assert problems_of(schema, name, text) == []


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("thing_text", "1", f"1: thing_text: {STRING.format('an integer')}"),
        ("thing_text", "1.5", f"1: thing_text: {STRING.format('a number')}"),
        ("thing_text", "no", f"1: thing_text: {STRING.format('a boolean')}"),
        ("thing_text", "2026-01-01", f"1: thing_text: {STRING.format('a date')}"),
        ("thing_text", "[a]", "1: thing_text: expected a string, got a list"),
        ("thing_text", "{a: b}", "1: thing_text: expected a string, got a dictionary"),
        ("thing_text", "", "1: thing_text: has no value; give it one, or write null to unset it"),
        ("thing_count", "null", "1: thing_count: has no value; give it one, or take the key out"),
        ("thing_needed", "null", "1: thing_needed: has no value; give it one, or take the key out"),
        (
            "thing_text",
            "!vault plain",
            "1: thing_text: expected what ansible-vault encrypt_string prints after !vault",
        ),
        ("thing_path", "1", f"1: thing_path: {STRING.format('an integer')}"),
        ("thing_count", "'1'", "1: thing_count: expected an integer, got a string"),
        ("thing_count", "true", "1: thing_count: expected an integer, got a boolean"),
        ("thing_ratio", "x", "1: thing_ratio: expected a number, got a string"),
        ("thing_flag", "'yes'", "1: thing_flag: expected true or false, got a string"),
        ("thing_flag", "1", "1: thing_flag: expected true or false, got an integer"),
        ("thing_choice", "gren", "1: thing_choice: expected one of red, green (did you mean green?)"),
        ("thing_level", "3", "1: thing_level: expected one of 1, 2"),
        ("thing_names", "a", "1: thing_names: expected a list, got a string"),
        ("thing_names", "\n- a\n- 1", f"3: thing_names[1]: {STRING.format('an integer')}"),
        ("thing_colours", "[blue]", "1: thing_colours[0]: expected one of red, green"),
        ("thing_free", "a", "1: thing_free: expected a dictionary, got a string"),
        ("thing_secret", "s3cret", f"1: thing_secret: {PLAIN_SECRET}"),
        ("thing_secret", "47110815", f"1: thing_secret: {PLAIN_SECRET}"),
        ("thing_secrets", "\n  a: {b: [s3cret]}", f"2: thing_secrets.a.b[0]: {PLAIN_SECRET}"),
        ("thing_login", "{password: s3cret}", f"1: thing_login.password: {PLAIN_SECRET}"),
        ("thing_named", "\n  a: {prot: 1, port: 1}", "2: thing_named.a.prot: unknown key (did you mean port?)"),
        ("thing_named", "\n  a: {}", "2: thing_named.a.port: required"),
        ("thing_named", "{a: {port: x}}", "1: thing_named.a.port: expected an integer, got a string"),
        ("thing_named", "{a: 1}", "1: thing_named.a: expected a dictionary, got an integer"),
        ("thing_named", "[a]", "1: thing_named: expected a dictionary, got a list"),
        ("thing_globs", "{a: 1}", f"1: thing_globs.a: {STRING.format('an integer')}"),
        ("thing_keys", "{a: {key: s3cret}}", f"1: thing_keys.a.key: {PLAIN_SECRET}"),
        ("thing_keys", "{a: s3cret}", f"1: thing_keys.a: {PLAIN_SECRET}"),
        ("thing_size", "true", "1: thing_size: expected a size, got a boolean; put it in quotes"),
        ("thing_rules", "[{}]", "1: thing_rules[0].port: required"),
        ("thing_rules", "[{port: null}]", "1: thing_rules[0].port: has no value; give it one, or take the key out"),
        (
            "thing_rules",
            "[{port: 1, protocl: tcp}]",
            "1: thing_rules[0].protocl: unknown key (did you mean protocol?)",
        ),
        ("thing_rules", "[{port: 1, password: s3cret}]", f"1: thing_rules[0].password: {PLAIN_SECRET}"),
        ("thing_rules", "{port: 1}", "1: thing_rules: expected a list, got a dictionary"),
        ("thing_rules", "[a]", "1: thing_rules[0]: expected a dictionary, got a string"),
    ],
)
def test_wrong_values(schema: Schema, name: str, text: str, problem: str) -> None:
    found = problems_of(schema, name, text)
    assert found == [problem]
    assert "s3cret" not in found[0]
    assert "4711" not in found[0]


def test_all_entry_points_count_and_main_wins(schema: Schema) -> None:
    assert schema.options["thing_text"].type == "str"
    assert schema.options["thing_force"].type == "bool"
    assert list(schema.roles) == ["thing"]
    assert schema.roles["thing"].required == ("needed",)


def test_a_vendors_section_has_what_its_roles_share(schema: Schema) -> None:
    assert {vendor: list(options) for vendor, options in schema.vendors.items()} == {"acme": ["text", "needed"]}
    assert not schema.vendors["acme"]["needed"].required
    assert schema.sharing["acme", "text"] == {"thing": "thing_text"}
    assert schema.own == {"thing_needed"}
    assert (schema.roles["thing"].where("text"), schema.roles["thing"].where("path")) == (
        "acme.text",
        "sources.thing.path",
    )


def test_the_collection_has_its_roles() -> None:
    roles = Path(__file__).parents[5] / "roles"
    assert set(load_schema().roles) == {path.name for path in roles.iterdir() if path.is_dir()}
