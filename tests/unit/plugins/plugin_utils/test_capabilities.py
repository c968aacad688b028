"""What roles say of themselves in meta/capability.yml, and that it agrees with the rest of the collection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.mssp.onboarding.plugins.plugin_utils._capabilities import (
    Capability,
    CapabilityError,
    load_capabilities,
    parse_capability,
)
from tests.unit.ansible_tools import ROOT

LEAST: dict[str, Any] = {"title": "Acme", "host": "tenant", "order": 1}
CAPABILITIES = list(load_capabilities().values())


def parse(**keys: Any) -> Capability:
    return parse_capability("acme", {**LEAST, **keys}, "acme.yml")


def options_of(role: str) -> dict[str, Any]:
    specs = yaml.safe_load((ROOT / f"roles/{role}/meta/argument_specs.yml").read_text(encoding="utf-8"))
    return {name: option for spec in specs["argument_specs"].values() for name, option in spec["options"].items()}


def test_the_least_is_enough() -> None:
    assert parse().verbs == ("preflight", "onboard", "verify", "drift", "offboard")


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"titel": "x"}, "acme.yml: unknown key titel"),
        ({"offboard": {"frist": "x"}}, "acme.yml: offboard: unknown key frist"),
        ({"order": "1"}, "acme.yml: order: expected int, found '1'"),
        ({"order": True}, "acme.yml: order: expected int, found True"),
        ({"title": None}, "acme.yml: title: expected str, found None"),
        ({"needs": "tenant_access"}, "acme.yml: needs: expected a list"),
        ({"unique": ["x"]}, "acme.yml: unique: expected a mapping"),
        ({"host": "cloud"}, "acme.yml: host: 'cloud' is none of tenant, collector"),
        ({"verbs": ["destroy"]}, "acme.yml: verbs: 'destroy' is none of bootstrap"),
        ({"modules": {"drift": "x"}}, "acme.yml: modules: 'drift' is none of preflight, converge, verify"),
        ({"offboard": {"keep_if_failed": "x"}}, "acme.yml: offboard.keep_if_failed: 'x' is none of host, tenant"),
        ({"forms": {"id": "uuid"}}, "acme.yml: forms.id: expected one of guid"),
        ({"one_of": [{"options": ["a"], "environment": []}]}, "acme.yml: one_of: purpose is missing"),
        ({"credentials": {"A": {"x": {"label": "X"}}}}, "acme.yml: credentials.A.x: env is missing"),
        ({"events": {"x": {"title": "X", "verb": "dance"}}}, "acme.yml: events: 'dance' is none of bootstrap"),
        ({"ready": {"otherwise": "x"}}, "acme.yml: ready: offboard is missing"),
    ],
    ids=str,
)
def test_what_is_unknown_or_wrong_is_named(keys: dict[str, Any], text: str) -> None:
    with pytest.raises(CapabilityError) as caught:
        parse(**keys)
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize("data", [None, [], "x"])
def test_a_file_without_a_mapping_is_wrong(data: Any) -> None:
    with pytest.raises(CapabilityError, match="expected a mapping"):
        parse_capability("acme", data, "acme.yml")


def test_a_form_may_be_the_capability_s_own() -> None:
    form = parse(forms={"key": {"pattern": "DI[A-Z0-9]+", "expected": "an integration key"}}).forms["key"]
    assert (bool(form.pattern.fullmatch("DIX1")), form.expected) == (True, "an integration key")


def test_what_is_needed_has_to_say_when_it_is_ready(tmp_path: Path) -> None:
    for role, keys in (("a", {**LEAST, "needs": ["b"]}), ("b", LEAST)):
        (tmp_path / role / "meta").mkdir(parents=True)
        (tmp_path / role / "meta/capability.yml").write_text(yaml.safe_dump(keys), encoding="utf-8")
    with pytest.raises(CapabilityError, match="needs: b is not one to need"):
        load_capabilities(str(tmp_path))


def test_every_role_is_a_capability_and_none_comes_before_what_it_needs() -> None:
    roles = {path.name for path in (ROOT / "roles").iterdir() if path.is_dir()}
    assert {capability.name for capability in CAPABILITIES} == roles
    orders = {capability.name: capability.order for capability in CAPABILITIES}
    assert len(set(orders.values())) == len(orders)
    assert all(orders[needed] < capability.order for capability in CAPABILITIES for needed in capability.needs)


@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda capability: capability.name)
class TestAgreement:
    def test_names_options_that_the_role_has(self, capability: Capability) -> None:
        named = {*capability.shared, *capability.own, *capability.provider_only, *capability.unique}
        named |= {name.partition(".")[0] for name in capability.forms}
        named |= {option for rule in capability.one_of for option in rule.options}
        assert {capability.option(name) for name in named} <= options_of(capability.name).keys()

    def test_names_modules_that_exist_and_verbs_that_the_role_has(self, capability: Capability) -> None:
        assert [
            name for name in capability.modules.values() if not (ROOT / f"plugins/modules/{name}.py").exists()
        ] == []
        files = {path.stem for path in (ROOT / "roles" / capability.name / "tasks").glob("*.yml")}
        entries = {"main" if verb in ("bootstrap", "onboard") else verb for verb in capability.verbs}
        assert entries | set(filter(None, [capability.offboard.first])) <= files

    def test_says_what_drift_finds_where_the_role_looks_for_it(self, capability: Capability) -> None:
        assert bool(capability.results) == ("drift" in capability.verbs)
