"""What ansible-builder makes of the collection: its build context, and what it finds that an image needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lab.testing import ROOT

DEFINITION = ROOT / "docs/engines/execution-environment.yml"


def tool(name: str, *arguments: str | Path, cwd: Path = ROOT) -> str:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    line = [Path(sys.executable).with_name(name), *arguments]
    done = subprocess.run(line, cwd=cwd, env=clean, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifact")
    tool("ansible-galaxy", "collection", "build", "--output-path", folder)
    [made] = folder.glob("*.tar.gz")
    return made


def test_the_definition_makes_a_build_context(artifact: Path, tmp_path: Path) -> None:
    shutil.copy(DEFINITION, tmp_path)
    shutil.copy(artifact, tmp_path)
    tool(
        "ansible-builder",
        "create",
        "-f",
        DEFINITION.name,
        "-c",
        "context",
        "--output-filename",
        "Dockerfile",
        cwd=tmp_path,
    )
    wanted = yaml.safe_load((tmp_path / "context/_build/requirements.yml").read_text())["collections"]
    # The context's _build is the image's /build, where ansible-galaxy runs.
    assert [(tmp_path / "context/_build" / item["name"]).is_file() for item in wanted] == [True]
    assert "ansible-core>=2.19" in (tmp_path / "context/Dockerfile").read_text()


def test_what_the_collection_needs_is_found_in_it(artifact: Path, tmp_path: Path) -> None:
    home = tmp_path / "ansible_collections/mssp/onboarding"
    home.mkdir(parents=True)
    subprocess.run(["tar", "-xzf", artifact, "-C", home], check=True)
    found = yaml.safe_load(tool("ansible-builder", "introspect", tmp_path).partition("---")[2])
    needed = [line.partition("#")[0].strip() for line in found["python"]]
    written = (ROOT / "requirements.txt").read_text().splitlines()
    assert sorted(needed) == sorted(line for line in written if line and not line.startswith("#"))
    assert any(line.startswith("openssh-client ") for line in found["system"])
