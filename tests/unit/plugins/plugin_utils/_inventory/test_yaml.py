"""From YAML to values: the same as PyYAML's safe loader, with Ansible's tags on top and a place for each problem."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.yaml import (
    Document,
    Malformed,
    Types,
    is_template,
)


class Text(str):
    """A string that was marked."""


MARKING = Types(
    text=Text,
    vault=lambda text: ("vault", text),
    unsafe=lambda text: ("unsafe", text),
)

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=20)
SCALARS = TEXTS | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False) | st.dates()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20)


def value_of(text: str, types: Types = MARKING) -> tuple[Any, list[str]]:
    """The value of the key `v`, and the problems."""
    document = Document("t.yml", types)
    root = document.compose(text.encode())
    value = document.value(document.entries(root, "")["v"].value, "v")
    return value, [str(problem) for problem in document.problems]


@given(VALUES)
def test_values_are_those_of_the_safe_loader(value: Any) -> None:
    text = yaml.safe_dump({"v": value}, allow_unicode=True)
    assert value_of(text) == (yaml.safe_load(text)["v"], [])


def test_every_string_is_marked_and_no_key() -> None:
    value, _problems = value_of("v: {k: [a, '{{ a }}'], 1: b}")
    assert [type(text) for text in (*value["k"], value[1])] == [Text] * 3
    assert [type(key) for key in value] == [str, int]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{% if a %}", True),
        ("x{{ a }}", True),
        ("{# a #}", True),
        ("{ a }", False),
        ("a", False),
    ],
)
def test_what_may_be_a_template(text: str, expected: bool) -> None:
    assert is_template(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  61", ("vault", "$ANSIBLE_VAULT;1.1;AES256\n61")),
        ("v: !unsafe '{{ a }}'", ("unsafe", "{{ a }}")),
        ("a: &x {k: 1, l: 2}\nv: {<<: *x, l: 3}", {"k": 1, "l": 3}),
        ("a: &x [1]\nv: *x", [1]),
    ],
)
def test_ansible_tags_and_merge_keys(text: str, expected: Any) -> None:
    assert value_of(text) == (expected, [])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("v: {k: 1, l: 2,\n  k: 3}", "t.yml:2:3: v.k: given twice, first on line 1"),
        (
            "v: !s3cret",
            "t.yml:1:4: v: a tag that Ansible does not know; put a value that starts with ! in quotes",
        ),
        ("v: 2026-99-99", "t.yml:1:4: v: cannot be read as the number or date it looks like; put it in quotes"),
        ("v: {? [a] : b}", "t.yml:1:7: v: expected keys that are plain strings"),
        ("v: {<<: 1}", "t.yml:1:4: v: << expects a mapping or a list of mappings"),
    ],
)
def test_problems_of_values(text: str, problem: str) -> None:
    assert value_of(text)[1] == [problem]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            b"a: 1\nb: [1\nc: 2\n",
            "t.yml:3:2: file: not valid YAML: did not find expected ',' or ']' "
            "(while parsing a flow sequence that starts on line 2)",
        ),
        (b"a: 1\n\tb: 2\n", "t.yml:2:1: file: not valid YAML: found a tab character"),
        (b"a: 1\n---\nb: 2\n", "t.yml:2:1: file: not valid YAML: but found another document"),
        (b"a: *s3cret\n", "t.yml:1:4: file: not valid YAML: an alias without its anchor"),
        (b"a: 1\nb: \xff\n", "t.yml:2:1: file: not valid YAML: a character that YAML does not allow"),
        (b"- a\n", "t.yml:1:1: file: expected a mapping of keys and values"),
        (
            b"$ANSIBLE_VAULT;1.1;AES256\n61\n",
            "t.yml:1:1: file: the file is encrypted as a whole; encrypt its secret values with !vault",
        ),
    ],
)
def test_files_that_are_no_mapping(content: bytes, problem: str) -> None:
    with pytest.raises(Malformed) as caught:
        Document("t.yml", Types()).compose(content)
    assert str(caught.value.problem).startswith(problem)
    assert "s3cret" not in str(caught.value.problem)


def test_an_empty_file_is_an_empty_mapping() -> None:
    document = Document("t.yml", Types())
    assert document.entries(document.compose(b"---\n# nothing\n"), "") == {}
