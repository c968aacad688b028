"""The examples of the documentation, as they stand there, against the lab."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lab.client import LabClient
from lab.testing import ROOT, running_lab


def blocks(path: str, language: str) -> list[str]:
    """The fenced blocks of a Markdown file in one language, without the indentation of a list."""
    text = (ROOT / path).read_text()
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", text, re.MULTILINE | re.DOTALL)
    return ["\n".join(line[len(indent) :] for line in body.splitlines()) + "\n" for indent, body in found]


# Their first YAML block is a tenant file, and a second one, where there is one, a fleet.yml.
DOCUMENTS = ("roles/azure_diagnostics/README.md", "README.md")


def fleet_file(lab: LabClient, documented: list[str]) -> str:
    """The fleet.yml of a document, with the lab's endpoints, and its app and workspace for those of the document."""
    content = next((block for block in map(yaml.safe_load, documented) if "defaults" in block), {})
    defaults = content.get("defaults", {})
    endpoints = {f"{name}_url": lab.url for name in ("resource_manager", "authority", "log_analytics")}
    azure = {**defaults.get("azure", {}), **endpoints, "ca_file": str(lab.ca_file)}
    return yaml.safe_dump({"plugin": "mssp.onboarding.tenants", "defaults": {**defaults, "azure": azure}})


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_example_works_as_it_stands(document: str, tmp_path: Path) -> None:
    tenant = blocks(document, "yaml")[0]
    commands = [
        line for block in blocks(document, "sh") for line in block.splitlines() if line.startswith("ansible-playbook")
    ]
    assert commands
    fleet = tmp_path / "inventories" / "prod"
    (fleet / "tenants").mkdir(parents=True)
    (fleet / "tenants" / "contoso.yml").write_text(tenant)
    with running_lab() as lab:
        (fleet / "fleet.yml").write_text(fleet_file(lab, blocks(document, "yaml")[1:]))
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "CONTOSO_CLIENT_SECRET": lab.secret.strip(),
            "MSSP_EVIDENCE_ROOT": str(tmp_path / "evidence"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        for command in commands:
            done = subprocess.run(
                shlex.split(command), cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=180
            )
            assert done.returncode == 0, command + done.stdout + done.stderr
    summary = json.loads((tmp_path / "evidence" / "latest" / "summary.json").read_text())
    assert summary["totals"]["tenants"] == 1


def test_the_readme_names_every_playbook_and_role() -> None:
    text = (ROOT / "README.md").read_text()
    imported = {"verdict"}  # by the others; nobody runs it by itself
    for name in {path.stem for path in (ROOT / "playbooks").glob("*.yml")} - imported:
        assert f"`mssp.onboarding.{name}`" in text
    for path in (ROOT / "roles").iterdir():
        assert f"roles/{path.name}/README.md" in text, path.name


@pytest.mark.parametrize("document", ["README.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))])
def test_links_lead_somewhere(document: str) -> None:
    here = (ROOT / document).parent
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / document).read_text()):
        assert (here / link).exists(), link


def test_the_architecture_names_files_that_exist() -> None:
    for path in re.findall(r"`(plugins/[\w/.]+\.py)`", (ROOT / "docs" / "architecture.md").read_text()):
        assert (ROOT / path).exists(), path
