"""The controller's configuration, made twice against a stand-in for its API."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lab.testing import ROOT
from tests import warm
from tests.fleet.controller import TOKEN, Store, controller
from tests.playbooks.test_azure import recap

# The collection is on PyPI inside this package.
PACKAGE = "ansible>=12,<13"
CACHE = ROOT / ".cache" / "awx"
TENANT = "contoso"  # each customer costs the modules of another three seconds


@pytest.fixture(scope="module")
def collections() -> Path:
    """A collections folder with awx.awx."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (CACHE / "ansible_collections/awx/awx/MANIFEST.json").exists():
            pip = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps"]
            subprocess.run([*pip, "--only-binary", ":all:", "-d", CACHE, PACKAGE], check=True)
            [wheel] = CACHE.glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                wanted = [name for name in archive.namelist() if name.startswith("ansible_collections/awx/awx/")]
                archive.extractall(CACHE, wanted)
            wheel.unlink()
    return CACHE


def configure(url: str, collections: Path, folder: Path, *arguments: str, token: str = TOKEN) -> tuple[int, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "MSSP_"))}
    environment = clean | {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": f"{ROOT / 'collections'}:{collections}",
        "CONTROLLER_HOST": url,
        "CONTROLLER_OAUTH_TOKEN": token,
        "MSSP_EVIDENCE_ROOT": str(folder / "evidence"),
        "MSSP_LAB_URL": "https://127.0.0.1:1",
        "MSSP_LAB_DIR": str(folder),
    }
    line = [Path(sys.executable).with_name("ansible-playbook"), "-i", "inventories/lab", "awx/configure.yml"]
    done = warm.run(
        [*line, "-e", "@awx/settings.yml", "-l", f"localhost,{TENANT}", *arguments],
        cwd=ROOT, env=environment, timeout=300,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_a_controller_is_configured_and_a_second_run_changes_nothing(collections: Path, tmp_path: Path) -> None:
    with controller() as (url, store):
        code, said = configure(url, collections, tmp_path)
        assert code == 0, said
        _check_provider(store)
        _check_customer(store)
        store.writes.clear()
        code, said = configure(url, collections, tmp_path)
        assert code == 0, said
        assert store.writes == []
        assert {line["changed"] for line in recap(said).values()} == {0}


def _check_provider(store: Store) -> None:
    templates = store.named("job_templates")
    # The first sets up a control host, the second is a part of the rest, the third reads a history that no job keeps.
    for_this_host = {"schedule", "verdict", "fleet_status"}
    verbs = {path.stem for path in (ROOT / "playbooks").glob("*.yml")} - for_this_host
    assert {name: templates[name]["playbook"] for name in templates if name != f"Drift of {TENANT}"} == {
        verb.capitalize(): f"playbooks/{verb}.yml" for verb in verbs
    }
    assert (templates["Drift"]["job_slice_count"], templates["Offboard"]["job_slice_count"]) == (4, 1)
    told = store.links[f"{templates['Drift']['url']}notification_templates_error/"]
    assert told == [store.named("notification_templates")["A job failed"]["id"]]
    types = store.named("credential_types")
    assert (
        types["mssp.onboarding Coro"]["injectors"]["env"]["MSSP_CORO_CLIENT_SECRET"]
        == "{{ client_secret | default('') }}"
    )
    assert templates["Bootstrap"]["ask_credential_on_launch"] is True, "an administrator's token is no extra variable"
    for kind in types.values():
        fields = {field["id"] for field in kind["inputs"]["fields"]}
        used = " ".join([*kind["injectors"]["env"].values(), *kind["injectors"].get("file", {}).values()])
        assert all(name in used for name in fields), kind["name"]
    assert {item["unified_job_template"] for item in store.named("schedules").values()} == {
        templates["Drift"]["id"], templates["Verify"]["id"],
    }  # fmt: skip
    for verb in templates.values():
        playbook = ROOT / str(verb["playbook"])
        assert playbook.is_file(), playbook


def _check_customer(store: Store) -> None:
    inventories = store.named("inventories")
    organizations = {item["id"]: name for name, item in store.named("organizations").items()}
    assert set(inventories) == {"Fleet", TENANT}
    paths = {item["inventory"]: item["source_path"] for item in store.objects["inventory_sources"].values()}
    assert paths[inventories[TENANT]["id"]] == f"inventories/prod/tenants/{TENANT}.yml"
    assert organizations[inventories[TENANT]["organization"]] == TENANT
    report = store.named("job_templates")[f"Drift of {TENANT}"]
    assert report["inventory"] == inventories[TENANT]["id"]
    assert store.links[f"/api/v2/roles/{report['id']}/teams/"] == [store.named("teams")[TENANT]["id"]]


def test_check_mode_writes_nothing_and_a_wrong_token_is_told(collections: Path, tmp_path: Path) -> None:
    with controller() as (url, store):
        configure(url, collections, tmp_path, "--check")
        assert store.writes == []
        code, said = configure(url, collections, tmp_path, token="wrong")
        assert code == 2
        assert "Invalid authentication credentials" in said
        assert store.objects == {}


def test_the_playbook_passes_the_linter(collections: Path) -> None:
    tool = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{tool}:{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": f"{ROOT / 'collections'}:{collections}",
    }
    line = [tool / "ansible-lint", "--nocolor", "-c", "awx/.ansible-lint", "awx/configure.yml"]
    done = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
