"""What the collection says about itself agrees with what it holds."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ansible.template
import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from packaging.specifiers import SpecifierSet

from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import STATUS_OF
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import WELL
from ansible_collections.mssp.onboarding.plugins.plugin_utils._action import ACCEPTED
from ansible_collections.mssp.onboarding.plugins.plugin_utils._capabilities import load_capabilities
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.outcomes import declared
from tests.unit.ansible_tools import ROOT, run

ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())
OF_OTHERS = {"drift_schedule"}  # roles that call modules of ansible-core only
# A path of somebody's machine: a home folder, or the folder a checkout happened to lie in.
MACHINE_PATH = re.compile(r"(?<![\w./~}])/(?:root|work|home/[a-z]\w*|Users/\w+)/")


MODULE_DEFAULTS = """
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/mssp.onboarding.coro: {client_id: of-the-group, client_secret: x, api_url: "https://127.0.0.1:9"}
    group/mssp.onboarding.azure: {tenant_id: 20000000-0000-4000-8000-000000000000}
  vars: {acme_workspace: contoso, acme_client_id: of-the-role}
  tasks:
    - mssp.onboarding.coro_workspace_info: {options_from: acme}
      ignore_errors: true
      register: coro
    - mssp.onboarding.collector_verdict_info: {probes: []}
    - ansible.builtin.assert: {that: "'sign in as of-the-group' in coro.msg"}
"""


def load(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def plugin_names(folder: str) -> set[str]:
    return {path.stem for path in (ROOT / "plugins" / folder).glob("[!_]*.py")}


def role_options(role: str) -> dict[str, dict[str, Any]]:
    """All options of all entry points of a role, by name."""
    specs = load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]
    return {name: option for spec in specs.values() for name, option in (spec.get("options") or {}).items()}


def role_text(role: str) -> str:
    """What the role does: its tasks, templates, vars and handlers as one text."""
    folders = ("tasks", "templates", "vars", "handlers")
    paths = (path for folder in folders for path in (ROOT / "roles" / role / folder).rglob("*") if path.is_file())
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def module_calls(role: str) -> list[tuple[str, dict[str, Any]]]:
    """(module, arguments) of each task of the role that calls a module of ours."""

    def walk(tasks: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
        for task in tasks:
            for key, value in task.items():
                if key in {"block", "rescue", "always"}:
                    yield from walk(value)
                elif key.startswith("mssp.onboarding."):
                    yield key.rpartition(".")[2], value

    return [call for path in (ROOT / "roles" / role / "tasks").glob("*.yml") for call in walk(load(str(path)))]


@pytest.fixture(scope="module")
def module_options() -> dict[str, dict[str, Any]]:
    """Module name -> its documented options, doc fragments merged in."""
    names = [f"mssp.onboarding.{name}" for name in sorted(plugin_names("modules"))]
    documents = json.loads(run("ansible-doc", "--json", "-t", "module", *names, cwd=ROOT))
    return {name.rpartition(".")[2]: document["doc"]["options"] for name, document in documents.items()}


def tracked_files() -> Iterator[Path]:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
    paths = (ROOT / name for name in listed.stdout.decode().splitlines())
    return (path for path in paths if path.is_file())


def test_an_action_group_gives_the_modules_of_its_vendor_what_they_share(
    tmp_path: Path, module_options: dict[str, dict[str, Any]]
) -> None:
    groups = load("meta/runtime.yml")["action_groups"]
    capabilities = load_capabilities().values()
    assert groups.keys() == {one.vendor for one in capabilities if one.vendor}
    for group in groups:
        shared = {option for one in capabilities if one.vendor == group for option in one.shared}
        assert [name for name in groups[group] if shared and shared.isdisjoint(module_options[name])] == []
        attributes = (ROOT / "plugins/doc_fragments").glob("*.py")
        assert any(f"- mssp.onboarding.{group}\n" in path.read_text(encoding="utf-8") for path in attributes)
    (tmp_path / "play.yml").write_text(MODULE_DEFAULTS, encoding="utf-8")
    run("ansible-playbook", "-i", "localhost,", "-c", "local", str(tmp_path / "play.yml"), cwd=ROOT)


def test_onboarding_fails_on_what_it_cannot_make() -> None:
    """Drift of a setting that somebody else is in the way of is no failure, but onboarding was asked to make it."""
    for name, capability in load_capabilities().items():
        module = declared(capability.modules.get("converge", ""))
        if module and "fail_on" in module.spec and "onboard" in capability.verbs:
            asked = [
                task for task in load(f"roles/{name}/tasks/main.yml") if f"{name}__fail_on" in task.get("vars", {})
            ]
            told = {call for call, given in module_calls(name) if f"{name}__fail_on" in given.get("fail_on", "")}
            assert len(asked) == len(told) > 0, name


def test_drift_that_corrects_by_the_same_tasks_as_onboarding_only_tells_what_it_cannot_make() -> None:
    trust = getattr(ansible.template, "trust_as_template", lambda text: text)
    seen = set()
    for name, capability in load_capabilities().items():
        if capability.drift is None or capability.drift.correct != "main":
            continue
        for task in load(f"roles/{name}/tasks/main.yml"):
            rule = task.get("vars", {}).get(f"{name}__fail_on")
            for corrects, expected in (({f"{name}__correct": "all"}, "error"), ({}, "blocked")) if rule else ():
                templar = Templar(loader=DataLoader(), variables={f"{name}_fail_on": "error", **corrects})
                assert templar.template(trust(rule)) == expected, name
                seen.add(name)
    assert seen >= {"duo_logs", "event_hub_export", "mssp_application"}


def test_each_way_to_end_well_says_what_was_looked_at() -> None:
    for capability in load_capabilities().values():
        verbs = set(capability.verbs)
        looks = {"converge"} if verbs & {"bootstrap", "onboard", "drift"} else set()
        assert capability.looked_at.keys() == looks | (verbs & {"preflight", "verify", "offboard"}), capability.name
    text = (
        (ROOT / "docs/support.md").read_text(encoding="utf-8").partition("## When a run says")[2].partition("<!--")[0]
    )
    rows = re.findall(r"^\| (\w+) \|", text, re.MULTILINE)
    flows = {state for state, status in STATUS_OF.items() if status in WELL}
    assert set(rows) == {*WELL, *flows}


def test_a_display_name_is_no_identity() -> None:
    """Two customers may be called the same: whatever is made for one is made by its slug, and said with it."""
    files = [*(ROOT / "awx").rglob("*.yml"), *(ROOT / "playbooks").rglob("*.yml"), *(ROOT / "docs/pipelines").iterdir()]
    for path in files:
        for line in path.read_text(encoding="utf-8").splitlines():
            said = "description:" in line or "mssp_tenant_name }} ({{ mssp_tenant }})" in line
            assert "mssp_tenant_name" not in line or said, f"{path.name}: {line.strip()}"


def test_every_module_has_an_action() -> None:
    assert plugin_names("action") == plugin_names("modules")


@pytest.mark.parametrize(
    ("version", "allowed"), [("2.17.14", False), ("2.18.0", True), ("2.19.14", True), ("2.21.5", True)]
)
def test_requires_ansible(version: str, allowed: bool) -> None:
    assert (version in SpecifierSet(load("meta/runtime.yml")["requires_ansible"])) is allowed


@pytest.mark.parametrize(
    "path", ["docs/engines/execution-environment.yml", "docs/engines/kubernetes.yml", "awx/settings.yml"]
)
def test_what_names_a_release_names_the_one_of_galaxy(path: str) -> None:
    named = re.findall(r"mssp-onboarding[-:](\d+\.\d+\.\d+)", (ROOT / path).read_text(encoding="utf-8"))
    assert set(named) == {load("galaxy.yml")["version"]}


def test_each_benchmark_and_each_step_stands_in_its_document() -> None:
    choices = re.search(r"choices=\[(.*?)\*MEASURED", (ROOT / "scripts/bench").read_text(encoding="utf-8"), re.DOTALL)
    steps = re.search(r"^steps=\((.*?)\)", (ROOT / "scripts/test").read_text(encoding="utf-8"), re.MULTILINE)
    assert choices
    assert steps
    benchmarks = (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8")
    for name in re.findall(r'"(\w+)"', choices[1]):
        assert re.search(rf"^\| [^|]+ \| `scripts/bench {name}\b", benchmarks, re.MULTILINE), name
    table = re.findall(r"^\| (`[^|]+`) \|", (ROOT / "docs/development.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(steps[1].split()) <= {name.strip("`") for cell in table for name in cell.split(", ")}


def test_ids_of_decisions_are_given_once() -> None:
    ids = re.findall(r"^\*\*([A-Z0-9]+-\d+)\.", (ROOT / "docs/decisions.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert ids
    assert len(ids) == len(set(ids))


def test_execution_environment_names_files_that_exist() -> None:
    dependencies = load("meta/execution-environment.yml")["dependencies"]
    assert {kind: (ROOT / name).is_file() for kind, name in dependencies.items()} == {"python": True, "system": True}


@pytest.mark.parametrize("role", ROLES)
class TestRole:
    def test_has_specs_defaults_and_a_readme(self, role: str) -> None:
        wanted = ("meta/argument_specs.yml", "defaults/main.yml", "tasks/main.yml", "README.md")
        assert [name for name in wanted if not (ROOT / "roles" / role / name).is_file()] == []

    def test_entry_points_are_task_files(self, role: str) -> None:
        specs = load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]
        assert set(specs) <= {path.stem for path in (ROOT / "roles" / role / "tasks").glob("*.yml")}

    def test_defaults_are_those_of_the_specs(self, role: str) -> None:
        wanted = {name: option["default"] for name, option in role_options(role).items() if "default" in option}
        assert load(f"roles/{role}/defaults/main.yml") == wanted

    def test_options_have_the_prefix_and_a_user(self, role: str, module_options: dict[str, dict[str, Any]]) -> None:
        """A task that takes its options from the role uses those that its module has."""
        text = role_text(role)
        names = role_options(role)
        taken = {
            f"{role}_{option}"
            for name, given in module_calls(role)
            if "options_from" in given
            for option in module_options[name].keys() - given.keys()
        }
        # The action itself asks for what confirms that a source of a host has gone.
        taken |= {
            f"{role}_{ACCEPTED}" for name, _given in module_calls(role) if (one := declared(name)) and one.sources
        }
        assert [name for name in names if not name.startswith(f"{role}_")] == []
        assert [name for name in names if name not in taken and not re.search(rf"\b{name}\b", text)] == []

    def test_options_mean_the_same_as_those_of_the_modules(
        self, role: str, module_options: dict[str, dict[str, Any]]
    ) -> None:
        """An option that only one of the two has is its own affair, and so is a default for what a module requires.

        What a task gives itself is not the role's option of that name.
        """
        called = dict(module_calls(role))
        keys = ("type", "elements", "choices", "default")
        differing = [
            f"{option}.{key}: {name} says {found.get(key)!r}, the role {spec.get(key)!r}"
            for option, spec in role_options(role).items()
            for name, given in called.items()
            for own in [option.removeprefix(f"{role}_")]
            for found in [module_options[name].get(own)]
            if found and own not in given
            for key in keys
            if found.get(key) != spec.get(key) and not (key == "default" and found.get("required"))
        ]
        assert called or role in OF_OTHERS
        assert differing == []

    def test_tasks_take_options_from_their_role_and_give_only_what_differs(
        self, role: str, module_options: dict[str, dict[str, Any]]
    ) -> None:
        """ansible-lint cannot see these arguments: a required option may come from the role."""
        for name, given in module_calls(role):
            arguments = dict(given)
            assert arguments.pop("options_from", role) == role
            assert arguments.keys() <= module_options[name].keys(), name
            for option, value in arguments.items():
                choices = module_options[name][option].get("choices")
                assert not choices or "{{" in str(value) or value in choices, (name, option)
                if "options_from" in given:
                    assert value != f"{{{{ {role}_{option} }}}}", (name, option)


def test_no_file_names_a_machine() -> None:
    def lines(path: Path) -> list[str]:
        try:
            return path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            return []

    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in tracked_files()
        for number, line in enumerate(lines(path), 1)
        if MACHINE_PATH.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("cd " + "/ro" + "ot/x", True),
        ("see " + "/wo" + "rk/main", True),
        ("/home" + "/jane/x", True),
        ("https://example.com/work/x", False),
        ("{{ playbook_dir }}/work/x", False),
    ],
)
def test_machine_path_pattern(line: str, found: bool) -> None:
    assert bool(MACHINE_PATH.search(line)) is found
