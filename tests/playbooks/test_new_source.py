# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""scripts/new-source in a copy of the tree: a source is added without touching what others have, and its verbs run."""

from __future__ import annotations

import filecmp
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from lab.client import LabClient
from lab.testing import ROOT, running_lab

BIN = Path(sys.executable).parent
# Where a source has its rooms; everything else belongs to all.
ROOMS = re.compile(
    r"(plugins/module_utils/_|plugins/(modules|action|doc_fragments)/|roles/|lab/|changelogs/fragments/"
    r"|tests/(lab|unit/plugins/module_utils)/_?|tests/engine/test_)acme(\b|_)"
)
# What the templates leave open, as a developer of acme fills it in: file -> (from where, what is there then).
PLAN = """def plan(wanted: Sequence[Wanted], found: Sequence[Target], *, leaving: bool) -> list[Verdict]:
    held = {one.name: one for one in found}
    return [_one(one, held.get(one.name), leaving) for one in wanted]


def _one(one: Wanted, ours: Target | None, leaving: bool) -> Verdict:
    if leaving:
        gone = Verdict(one.name, DRIFTED, ("unexpected",), "it is to be removed", "delete", before=ours)
        return gone if ours else Verdict(one.name, IN_SYNC)
    if ours is None:
        return Verdict(one.name, DRIFTED, ("missing",), action="create", after=one)
    if ours.destination != one.destination:
        return Verdict(one.name, DRIFTED, ("changed",), "another destination", "update", before=ours, after=one)
    return Verdict(one.name, IN_SYNC, before=ours)
"""
WRITE = """async def write(client: Acme, verdict: Verdict) -> None:
    method = "DELETE" if verdict.action == "delete" else "PUT"
    body = {"destination": verdict.after.destination} if verdict.after else None
    await client.call(Call(method, f"{PATH}/{verdict.target}", f"{verdict.action} {verdict.target}", body))
"""
ROUTES = """def put(acme: Acme, call: Call) -> Reply:
    acme.targets[call.args["name"]] = {**json.loads(call.body), "newest": acme.now()}
    return ok({})


def delete(acme: Acme, call: Call) -> Reply:
    del acme.targets[call.args["name"]]
    return ok({})


ROUTES = Table(
    {
        ("GET", TARGETS): Operation("acme.things.list", listing, enter),
        ("PUT", f"{TARGETS}/{{name}}"): Operation("acme.things.put", put, enter),
        ("DELETE", f"{TARGETS}/{{name}}"): Operation("acme.things.delete", delete, enter),
    }
)
"""
FILLED = {
    "plugins/module_utils/_acme/plan.py": ("def plan(", PLAN),
    "plugins/module_utils/_acme/api.py": ("async def write(", WRITE),
    "lab/acme/routes.py": ("# To be added", ROUTES),
}
PYTHON = (
    *("plugins/module_utils/_acme", "plugins/doc_fragments/acme.py", "lab/acme", "tests/lab/acme"),
    *("plugins/modules/acme_things.py", "plugins/modules/acme_access_info.py", "plugins/modules/acme_flow_info.py"),
    *("tests/engine/test_acme.py", "tests/unit/plugins/module_utils/_acme"),
)
# The gates that a change of a source meets first, on the rooms and on what is generated.
GATES = (
    ["ruff", "check", *PYTHON],
    ["ruff", "format", "--check", *PYTHON],
    ["mypy", "-p", "ansible_collections.mssp.onboarding.plugins.module_utils._acme", "-p", "lab.acme"],
    [
        "yamllint",
        "--strict",
        "roles/acme_things",
        "playbooks",
        "meta",
        "awx",
        "lab/acme",
        "changelogs/fragments/acme.yml",
    ],
    ["ansible-lint", "--nocolor", "roles/acme_things"],
    [
        "ansible-doc",
        "-t",
        "module",
        *(f"mssp.onboarding.acme_{name}" for name in ("things", "access_info", "flow_info")),
    ],
    ["ansible-doc", "-t", "role", "mssp.onboarding.acme_things"],
    [
        *("python", "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        *("tests/unit/plugins/module_utils/_acme", "tests/lab/acme", "tests/engine/test_acme.py"),
        *("tests/unit/test_collection.py", "tests/unit/test_generate.py", "tests/unit/test_layers.py"),
        *(
            "tests/lab/kernel/test_layers.py",
            "tests/unit/plugins/plugin_utils",
            "-k",
            "acme or generate or group or order",
        ),
    ],
)


class Tree(NamedTuple):
    """A copy of the repository; shared: files that existed before, and that adding the source has changed."""

    root: Path
    shared: set[str]


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and os.path.lexists(ROOT / name)]


def run(root: Path, *command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {key: text for key, text in os.environ.items() if not key.startswith(("ANSIBLE_", "MSSP_", "ACME_"))}
    environment = {
        **kept,
        "ANSIBLE_CONFIG": str(root / "ansible.cfg"),
        "ANSIBLE_HOME": str(root.parent / "home"),
        "RUFF_CACHE_DIR": str(root.parent / "ruff"),
        "MYPY_CACHE_DIR": str(root.parent / "mypy"),
        "PATH": f"{BIN}:{os.environ['PATH']}",
        **variables,
    }
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=600, check=False)


def files(root: Path) -> set[str]:
    found = (path for path in root.rglob("*") if path.is_symlink() or path.is_file())
    return {str(path.relative_to(root)) for path in found if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    root = tmp_path_factory.mktemp("copy") / "tree"
    before = tracked()
    for name in before:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, root / name, follow_symlinks=False)
    done = run(root, "scripts/new-source", "acme")
    assert done.returncode == 0, done.stdout + done.stderr
    new = files(root) - set(before)
    assert [name for name in sorted(new) if not ROOMS.match(name)] == []
    changed = {name for name in before if (ROOT / name).is_file() and not filecmp.cmp(ROOT / name, root / name, False)}
    return Tree(root, changed)


def fill(root: Path) -> None:
    for name, (start, text) in FILLED.items():
        path = root / name
        before, found, _after = path.read_text(encoding="utf-8").partition(start)
        assert found, name
        path.write_text(before + text, encoding="utf-8")
    plan, routes = root / "plugins/module_utils/_acme/plan.py", root / "lab/acme/routes.py"
    imports = "from .._core.status import DRIFTED, IN_SYNC\nfrom .._core.verdict import Verdict\n"
    taken = re.sub(
        r"from \.\._core\.errors .*\nfrom \.\._core\.verdict .*\n", imports, plan.read_text(encoding="utf-8")
    )
    plan.write_text(taken, encoding="utf-8")
    text = routes.read_text(encoding="utf-8").replace("\nfrom typing", "\nimport json\nfrom typing", 1)
    routes.write_text(text, encoding="utf-8")


def test_only_generated_files_change(tree: Tree) -> None:
    """Generated from the source's own declarations: with what was there before, scripts/generate makes them again."""
    assert tree.shared
    assert run(tree.root, "scripts/generate", "--check").returncode == 0
    for name in tree.shared:
        shutil.copy2(ROOT / name, tree.root / name)
    made = set(run(tree.root, "scripts/generate").stdout.splitlines())
    assert tree.shared - made == set()


def test_a_source_is_not_written_over(tree: Tree) -> None:
    again = run(tree.root, "scripts/new-source", "acme")
    assert again.returncode != 0
    assert "already there: " in again.stderr


@pytest.mark.parametrize("word", ["Acme", "a-cme", "1acme", "../acme"])
def test_a_name_that_cannot_be_one_is_refused(tree: Tree, word: str) -> None:
    done = run(tree.root, "scripts/new-source", word)
    assert (done.returncode, done.stdout) == (1, "")
    assert "must be lower-case letters" in done.stderr


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: "-".join(gate[:3]))
def test_what_is_written_passes_the_gates_as_it_is(tree: Tree, gate: list[str]) -> None:
    done = run(tree.root, *gate)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert "[WARNING]" not in done.stderr


def tenant(things: dict[str, Any]) -> str:
    """A tenant file that wants these things."""
    head = {"plugin": "mssp.onboarding.tenants", "slug": "contoso", "name": "Contoso"}
    shared = {"token": "{{ lookup('ansible.builtin.env', 'ACME_TOKEN') }}"}
    return yaml.safe_dump({**head, "acme": shared, "sources": {"acme_things": {"things": things}}})


class Fleet:
    """One tenant that has acme only."""

    def __init__(self, lab: LabClient, root: Path, folder: Path) -> None:
        self.lab, self.root, self.folder = lab, root, folder
        self.headers = {"Authorization": f"Bearer {(lab.state_dir / 'acme.token').read_text()}"}
        (folder / "tenants").mkdir()
        here = {"acme": {"api_url": lab.url, "ca_file": lab.ca_file}}
        (folder / "fleet.yml").write_text(yaml.safe_dump({"plugin": "mssp.onboarding.tenants", "defaults": here}))
        (folder / "tenants" / "contoso.yml").write_text(tenant({"audit": {"destination": "https://siem.example"}}))

    def __call__(self, verb: str, *arguments: str) -> tuple[int, str, str]:
        """(exit code, the tenant's outcome, output)"""
        command = ("ansible-playbook", "-i", str(self.folder / "fleet.yml"), f"mssp.onboarding.{verb}", *arguments)
        token, evidence = self.headers["Authorization"].partition(" ")[2], str(self.folder / "evidence")
        done = run(self.root, *command, ACME_TOKEN=token, MSSP_EVIDENCE_ROOT=evidence)
        (row,) = json.loads((self.folder / "evidence" / "latest" / "summary.json").read_text())["tenants"]
        assert (row["tenant"], row["capability"]) == ("contoso", "acme_things")
        return done.returncode, row["outcome"], done.stdout + done.stderr

    def check(self, verb: str, code: int, outcome: str, things: dict[str, str], *arguments: str) -> None:
        """Run the verb, and hold it to its exit code, its outcome and what is there afterwards."""
        *found, out = self(verb, *arguments)
        assert (found, self.things()) == ([code, outcome], things), out

    def things(self) -> dict[str, str]:
        _status, _headers, body = self.lab.call("GET", "/acme/v1/things", headers=self.headers)
        return {one["name"]: one["destination"] for one in body["items"]}


def test_the_verbs_run(tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.testing.ROOT", tree.root)
    with running_lab() as lab:
        fleet = Fleet(lab, tree.root, tmp_path)
        code, outcome, out = fleet("onboard")
        assert (code, outcome, fleet.things()) == (2, "unknown", {}), out
        assert "the rules are not written yet" in re.sub(r"\s+", " ", out)
    fill(tree.root)
    with running_lab() as lab:
        (tmp_path / "filled").mkdir()
        fleet = Fleet(lab, tree.root, tmp_path / "filled")
        wanted = {"audit": "https://siem.example"}
        fleet.check("preflight", 0, "in_sync", {})
        fleet.check("verify", 2, "drifted", {})
        fleet.check("onboard", 0, "drifted", {}, "--check")
        fleet.check("onboard", 0, "corrected", wanted)
        fleet.check("onboard", 0, "in_sync", wanted)
        fleet.check("verify", 0, "in_sync", wanted)
        fleet.check("drift", 0, "in_sync", wanted)
        lab.edit("remove_acme_target", name="audit")
        fleet.check("drift", 2, "drifted", {}, "-edrift_fail=true")
        fleet.check("drift", 0, "corrected", wanted, "-edrift_correct=true")
        fleet.check("offboard", 0, "corrected", {}, "-eoffboard_confirm=contoso")
