"""The built collection holds what a user needs, and works from where ansible-galaxy puts it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path, PurePosixPath
from subprocess import CalledProcessError
from tempfile import TemporaryDirectory

import pytest
from packaging.requirements import Requirement

from tests.unit.ansible_tools import ROOT, run

_LOADER = SourceFileLoader("release", str(ROOT / "scripts/release"))
RELEASE = module_from_spec(ModuleSpec("release", _LOADER, origin=_LOADER.path))
RELEASE.__file__ = _LOADER.path
_LOADER.exec_module(RELEASE)
SHIPPED = {
    "CHANGELOG.md",
    "COPYING",
    "FILES.json",
    "LICENSES",
    "MANIFEST.json",
    "README.md",
    "SECURITY.md",
    "awx",
    "bindep.txt",
    "changelogs",
    "docs",
    "extensions",
    "inventories",
    "meta",
    "playbooks",
    "plugins",
    "requirements-lock.txt",
    "requirements.txt",
    "roles",
    "scripts",
}
SUFFIXES = {"", ".css", ".j2", ".js", ".py", ".yml"}
FOR_DEVELOPERS = ("docs/add-a-source.md", "docs/development.md")
INVENTORIES = {"example", "fleet.schema.json", "tenant.schema.json"}
PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("[!_]*.yml"))


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifact")
    run("ansible-galaxy", "collection", "build", "--output-path", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.tar.gz")
    built.write_bytes(RELEASE.same(built.read_bytes(), 1))  # as scripts/release makes it
    return built


@pytest.fixture(scope="module")
def names(artifact: Path) -> list[PurePosixPath]:
    with tarfile.open(artifact) as archive:
        return [PurePosixPath(member.name) for member in archive.getmembers()]


@pytest.fixture(scope="module")
def installed(artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of collections with ours alone, installed as a user does."""
    folder = tmp_path_factory.mktemp("collections")
    run("ansible-galaxy", "collection", "install", artifact, "-p", folder, "--offline", cwd=folder, **settings(folder))
    return folder


def settings(folder: Path) -> dict[str, str]:
    """Environment in which the installed collection is the only one."""
    return {"ANSIBLE_COLLECTIONS_PATH": str(folder), "ANSIBLE_HOME": str(folder / ".home")}


def test_artifact_holds_only_what_a_user_needs(names: list[PurePosixPath]) -> None:
    assert {name.parts[0] for name in names} - SHIPPED == set()
    assert {name.parts[1] for name in names if name.parts[0] == "inventories" and name.parts[1:]} <= INVENTORIES
    assert [str(n) for n in names if str(n).startswith(("changelogs/fragments", *FOR_DEVELOPERS))] == []
    assert [str(n) for n in names if "__pycache__" in n.parts or n.suffix in {".pyc", ".gz", ".log", ".retry"}] == []
    assert [str(n) for n in names if n.parts[0] == "plugins" and n.suffix not in SUFFIXES] == []
    assert {n.name for n in names if n.parts[0] == "scripts" and n.parts[1:]} == {"mssp", "new-tenant", "report"}


def test_artifact_holds_all_that_a_user_needs(names: list[PurePosixPath]) -> None:
    held = {str(name) for name in names}
    wanted = [
        str(path.relative_to(ROOT))
        for folder in ("docs", "inventories/example", "playbooks", "plugins", "roles")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and str(path.relative_to(ROOT)) not in FOR_DEVELOPERS
    ]
    assert sorted(set(wanted) - held) == []
    assert {
        "README.md",
        "CHANGELOG.md",
        "COPYING",
        "meta/runtime.yml",
        "requirements.txt",
        "bindep.txt",
    } - held == set()


def test_the_same_files_make_the_same_artifact(artifact: Path) -> None:
    """Whatever the times, the owners and the order in which they were found."""
    with tarfile.open(artifact) as archive:
        held = [(one, archive.extractfile(one)) for one in archive]
        files = json.load(archive.extractfile("FILES.json") or io.BytesIO())
        manifest = json.load(archive.extractfile("MANIFEST.json") or io.BytesIO())
        listed = (archive.extractfile("FILES.json") or io.BytesIO()).read()
        assert manifest["file_manifest_file"]["chksum_sha256"] == hashlib.sha256(listed).hexdigest()
        other = io.BytesIO()
        with tarfile.open(fileobj=other, mode="w") as shuffled:
            for member, content in reversed(held):
                member.mtime, member.uid, member.uname = 5, 1000, "somebody"
                raw = content.read() if content and member.isfile() else b""
                if member.name == "FILES.json":
                    files["files"].reverse()
                    raw = json.dumps(files).encode()
                member.size = len(raw)
                shuffled.addfile(member, io.BytesIO(raw))
    assert RELEASE.same(gzip.compress(other.getvalue()), 1) == artifact.read_bytes()


def test_the_bill_of_materials_has_all_that_is_locked() -> None:
    lock = (ROOT / "requirements-lock.txt").read_text(encoding="utf-8")
    bill = json.loads(RELEASE.bill("mssp-onboarding-0.1.0.tar.gz", "0" * 64, lock))
    found = {one["name"]: one for one in bill["components"]}
    assert (bill["bomFormat"], bill["metadata"]["component"]["version"]) == ("CycloneDX", "0.1.0")
    assert len(found) == lock.count("==")
    assert all(one["properties"] for one in found.values()), "each by its hashes"
    pinned = {name: one["version"] for name, one in found.items()}
    let_in(pinned, ROOT / "requirements.txt")


def test_what_the_tests_import_is_locked_as_the_control_node_has_it() -> None:
    ours, theirs = (
        {name.lower(): number for name, number, hashes in RELEASE.PINNED.findall(path.read_text(encoding="utf-8"))}
        for path in (ROOT / "requirements-lock.txt", ROOT / "tests/requirements-lock.txt")
    )
    assert ours.items() <= theirs.items(), "one version of a library for both"
    let_in(theirs, ROOT / "requirements-test.txt")


def let_in(pinned: dict[str, str], path: Path) -> None:
    """Whether the file lets in what is locked."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith(("#", "-r ")):
            wanted = Requirement(line)
            assert wanted.specifier.contains(pinned[wanted.name.lower()]), f"make its lock file again: {line}"


def test_the_sums_are_signed_by_a_key_of_gpgs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sums, signature = tmp_path / "SHA256SUMS", tmp_path / "SHA256SUMS.asc"
    sums.write_text("0  mssp-onboarding-0.1.0.tar.gz\n", encoding="utf-8")
    with TemporaryDirectory() as home:  # short: gpg's agent has a socket in it
        monkeypatch.setenv("GNUPGHOME", home)
        made = ("--passphrase", "", "--quick-generate-key", "release@example.com", "ed25519", "sign", "never")
        RELEASE.said("gpg", "--batch", "--quiet", *made)
        RELEASE.sign(sums, "release@example.com")
        RELEASE.said("gpg", "--quiet", "--verify", signature, sums)
        sums.write_text("1  mssp-onboarding-0.1.0.tar.gz\n", encoding="utf-8")
        with pytest.raises(CalledProcessError):
            RELEASE.said("gpg", "--quiet", "--verify", signature, sums)
        RELEASE.said("gpgconf", "--kill", "all")


def test_playbooks_of_every_verb_are_there() -> None:
    assert {"preflight", "onboard", "verify", "drift", "offboard"} <= set(PLAYBOOKS)


def test_playbooks_parse_when_installed(installed: Path, tmp_path: Path) -> None:
    shared = ["tenants", "collectors", "mssp_failed", "ring_canary", "ring_early", "ring_all"]
    groups = [*shared, *(f"has_{path.name}" for path in (ROOT / "roles").iterdir())]
    inventory = tmp_path / "hosts.ini"
    inventory.write_text("".join(f"[{group}]\ncontoso\n" for group in groups), encoding="utf-8")
    names = [f"mssp.onboarding.{name}" for name in PLAYBOOKS]
    run("ansible-playbook", "--syntax-check", "-i", inventory, *names, cwd=installed, **settings(installed))


def test_playbooks_parse_from_a_clone() -> None:
    names = [f"mssp.onboarding.{name}" for name in PLAYBOOKS]
    run("ansible-playbook", "--syntax-check", "-i", "inventories/lab", *names, cwd=ROOT)


@pytest.mark.parametrize(
    ("kind", "folder"), [("module", "modules"), ("inventory", "inventory"), ("callback", "callback")]
)
def test_documentation_is_readable_when_installed(kind: str, folder: str, installed: Path) -> None:
    names = [f"mssp.onboarding.{path.stem}" for path in sorted((ROOT / "plugins" / folder).glob("[!_]*.py"))]
    assert names
    printed = run("ansible-doc", "-t", kind, *names, cwd=installed, **settings(installed))
    assert [name for name in names if name not in printed] == []
