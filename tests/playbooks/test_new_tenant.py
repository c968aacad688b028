"""scripts/new-tenant: what it keeps, what it refuses, and that nobody can read the secret."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.client import LabClient
from lab.testing import NORTHWIND, ROOT, running_lab
from tests.unit.ansible_tools import run

SECRET = "canary-c1ient-secret"
PASSWORD = "a vault's password"


@pytest.fixture(scope="module")
def lab() -> Iterator[LabClient]:
    with running_lab() as started:
        yield started


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "inventories/lab", tmp_path / "fleet")
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "vault").write_text(PASSWORD)
    return tmp_path / "fleet"


def command(fleet: Path, *arguments: str, slug: str = "northwind") -> list[str]:
    return [sys.executable, str(ROOT / "scripts/new-tenant"), slug, "-i", str(fleet), *arguments]


def environment(fleet: Path, **given: str) -> dict[str, str]:
    """Where nothing answers, unless told otherwise."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "AZURE_", "MSSP_"))}
    here = {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_HOME": str(fleet.parent / "home"),
        "MSSP_LAB_URL": "https://127.0.0.1:1",
        "MSSP_LAB_DIR": str(fleet.parent),
        "MSSP_EVIDENCE_ROOT": str(fleet.parent / "evidence"),
    }
    (fleet.parent / "app.secret").write_text("")
    return clean | here | given


def new_tenant(fleet: Path, *arguments: str, slug: str = "northwind", **given: str) -> tuple[int, str]:
    done = subprocess.run(
        command(fleet, *arguments, slug=slug),
        cwd=fleet.parent,
        env=environment(fleet, **given),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
    )
    return done.returncode, done.stdout + done.stderr


def at(lab: LabClient) -> dict[str, str]:
    return {"MSSP_LAB_URL": lab.url, "MSSP_LAB_DIR": str(lab.state_dir)}


def whole(fleet: Path) -> tuple[str, ...]:
    folder = fleet.parent
    files = ("--secret-file", str(folder / "secret"), "--vault-password-file", str(folder / "vault"))
    return ("--name", "Northwind Traders", "--tenant-id", NORTHWIND, *files)


def decrypted(fleet: Path, folder: Path) -> str:
    """The tenant's secret as a task sees it."""
    play = (
        "- hosts: northwind\n  gather_facts: false\n  tasks:\n    - ansible.builtin.copy:\n"
        "        content: '{{ tenant_access_client_secret }}'\n        dest: '{{ playbook_dir }}/told'\n"
        "        mode: '0600'\n"
    )
    (folder / "play.yml").write_text(play)
    clean = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections")}
    source = fleet / "tenants" / "northwind.yml"
    run("ansible-playbook", "-i", source, "--vault-password-file", folder / "vault", "play.yml", cwd=folder, **clean)
    return (folder / "told").read_text()


def test_the_file_its_secret_and_the_page_where_nothing_answers(fleet: Path, tmp_path: Path) -> None:
    """Without a network nobody can say what is there; what is asked for can be said all the same."""
    shared = fleet / "fleet.yml"
    lines = shared.read_text().splitlines(keepends=True)
    shared.write_text("".join(line for line in lines if " ca_file:" not in line))
    _code, out = new_tenant(fleet, *whole(fleet))
    file = fleet / "tenants" / "northwind.yml"
    assert f"{file} is written" in out
    assert "!vault" in file.read_text()
    page = tmp_path / "handover" / "northwind" / "access.html"
    assert str(page) in "".join(out.split())
    assert f"/{NORTHWIND}/adminconsent?client_id=" in page.read_text()
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path != tmp_path / "secret"]
    assert [path for path in written if SECRET.encode() in path.read_bytes()] == []
    assert SECRET not in out
    assert decrypted(fleet, tmp_path) == SECRET


def test_the_vault_of_ansible_cfg_and_a_tenant_by_lighthouse(lab: LabClient, fleet: Path, tmp_path: Path) -> None:
    manager, subscription = "10000000-0000-4000-8000-000000000000", "60000000-0000-4000-8000-000000000001"
    further = ("--managing-tenant-id", manager, "--subscription", subscription)
    vault = {"ANSIBLE_VAULT_PASSWORD_FILE": str(tmp_path / "vault")}
    _code, out = new_tenant(fleet, *whole(fleet)[:-2], *further, **vault, **at(lab))
    assert "is written" in out
    text = (fleet / "tenants" / "northwind.yml").read_text()
    assert f'managing_tenant_id: "{manager}"' in text
    assert f'subscriptions: ["{subscription}"]' in text
    assert decrypted(fleet, tmp_path) == SECRET


@pytest.mark.parametrize(
    ("slug", "arguments", "said"),
    [
        ("contoso", ("--name", "C", "--tenant-id", NORTHWIND), "contoso.yml exists; nothing was written"),
        ("northwind", ("--name", "N"), "--tenant-id is needed"),
        ("northwind", ("--name", "N", "--tenant-id", "northwind.example"), "expected a GUID"),
        ("northwind", ("--name", "N", "--tenant-id", NORTHWIND), "is needed to sign in"),
        ("Northwind", ("--name", "N", "--tenant-id", NORTHWIND), "expected at most 40 of a-z"),
        ("../../evil", ("--name", "N", "--tenant-id", NORTHWIND), "'../../evil' as a slug: expected at most 40 of a-z"),
        (
            "northwind",
            ("--name", "M\udcfcller", "--tenant-id", NORTHWIND),
            "an answer is no UTF-8; nothing was written",
        ),
        (
            "northwind",
            ("--name", "N", "--tenant-id", "20000000-0000-4000-8000-000000000000"),
            "each tenant has its own",
        ),
        ("northwind", ("--name", "N", "--tenant-id", NORTHWIND, "--secret-file", "secret"), "no vault password"),
        ("northwind", ("--name", "N", "--tenant-id", NORTHWIND, "--secret-file", "none"), "No such file"),
    ],
)
def test_what_is_not_right_is_not_kept(fleet: Path, slug: str, arguments: tuple[str, ...], said: str) -> None:
    before = {path.name: path.read_text() for path in (fleet / "tenants").iterdir()}
    code, out = new_tenant(fleet, *arguments, slug=slug)
    assert code != 0
    assert said in " ".join(out.split())
    assert {path.name: path.read_text() for path in (fleet / "tenants").iterdir()} == before


def test_a_fleet_yaml_is_a_fleet_and_a_byte_order_mark_is_no_part_of_a_secret(fleet: Path, tmp_path: Path) -> None:
    (fleet / "fleet.yml").rename(fleet / "fleet.yaml")
    (tmp_path / "secret").write_text(SECRET, encoding="utf-8-sig")
    arguments = ("--name", "N", "--tenant-id", NORTHWIND, "--secret-file", "secret", "--vault-password-file", "vault")
    _code, out = new_tenant(fleet, *arguments)
    assert "is written" in out
    assert decrypted(fleet, tmp_path) == SECRET


def test_a_folder_that_is_no_fleet(tmp_path: Path) -> None:
    code, out = new_tenant(tmp_path / "nothing", "--name", "N", "--tenant-id", NORTHWIND)
    assert (code, "is no fleet" in out) == (1, True)


SUBSCRIPTION = f"{NORTHWIND[:-1]}1"


def test_what_is_not_given_is_asked_for_and_the_secret_is_not_echoed(
    lab: LabClient, fleet: Path, tmp_path: Path
) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command(fleet, "--vault-password-file", str(tmp_path / "vault")),
        cwd=tmp_path,
        env=environment(fleet, **at(lab)),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_take_terminal,
    )
    os.close(theirs)
    seen = b""
    answers = [
        (b"Display name", "Northwind Traders"),
        (b"tenant id", NORTHWIND),
        (b"subscriptions' ids", SUBSCRIPTION),
        (b"Client secret", SECRET),
    ]
    while select.select([ours], [], [], 120)[0]:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # how Linux ends a terminal that nobody has open
            break
        seen += piece
        if answers and answers[0][0] in seen:
            os.write(ours, f"{answers.pop(0)[1]}\n".encode())
    process.wait(60)
    os.close(ours)
    assert answers == []
    assert SECRET.encode() not in seen
    assert decrypted(fleet, tmp_path) == SECRET
    written = (fleet / "tenants/northwind.yml").read_text(encoding="utf-8")
    assert f'subscriptions: ["{SUBSCRIPTION}"]' in written


def _take_terminal() -> None:
    """Make the standard input the terminal of the new session, so that the secret is read from it."""
    os.close(os.open(os.ttyname(0), os.O_RDWR))
