"""Which commits a collector runs: signed ones, never older than the last, and the last one while nothing can be had."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.ansible_tools import ROOT

SCRIPT = ROOT / "roles/drift_schedule/files/mssp-drift-verify"
pytestmark = pytest.mark.skipif(
    not (shutil.which("git") and shutil.which("ssh-keygen")), reason="needs git and ssh-keygen"
)


class Repository:
    """A repository, and a collector's copy of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.work, self.copy = folder, folder / "work", folder / "verified.git"
        self.signers = folder / "signers"
        self.work.mkdir()
        self.environment = {**os.environ, "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
        self.git("init", "-q", "-b", "main")
        for name in ("soc", "thief"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        key = (folder / "soc.pub").read_text(encoding="ascii").split()
        self.signers.write_text(f"soc@example.com {key[0]} {key[1]}\n", encoding="ascii")

    def git(self, *words: str, where: Path | None = None) -> str:
        line = ["git", "-c", "user.name=soc", "-c", "user.email=soc@example.com", *words]
        done = subprocess.run(line, cwd=where or self.work, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, text: str, key: str = "") -> str:
        (self.work / "local.yml").write_text(text, encoding="ascii")
        self.git("add", ".")
        signed = ["-c", "gpg.format=ssh", "-c", f"user.signingkey={self.folder / key}"] if key else []
        self.git(*signed, "commit", "-q", "--allow-empty", "-m", text, *(["-S"] if key else []))
        return self.git("rev-parse", "HEAD")

    def verify(self) -> tuple[int, str]:
        """Exit code and words; what would have been run is run with 0 only."""
        line = [SCRIPT, f"file://{self.work}", self.copy, self.signers, "echo", "run it"]
        done = subprocess.run(line, env=self.environment, capture_output=True, text=True, check=False)
        assert done.stdout == ("" if done.returncode else "run it\n")
        return done.returncode, done.stderr

    @property
    def head(self) -> str:
        """What ansible-pull gets."""
        return self.git("ls-remote", f"file://{self.copy}", "HEAD", where=self.folder).split("\t")[0]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_signed_commits_are_followed(repository: Repository) -> None:
    for text in ("first", "second"):
        commit = repository.commit(text, "soc")
        assert repository.verify()[0] == 0
        assert repository.head == commit
    assert repository.verify()[0] == 0  # nothing new


@pytest.mark.parametrize("key", ["", "thief"])
def test_others_are_not_run_today_nor_tomorrow(repository: Repository, key: str) -> None:
    good = repository.commit("good", "soc")
    assert repository.verify()[0] == 0
    repository.commit("bad", key)
    for _ in range(2):
        code, said = repository.verify()
        assert (code, "has no signature of a key in" in said) == (1, True)
        assert repository.head == good
    after = repository.commit("good again", "soc")
    assert repository.verify()[0] == 0
    assert repository.head == after


def test_the_first_commit_is_verified_too(repository: Repository) -> None:
    repository.commit("bad", "thief")
    assert repository.verify()[0] == 1
    assert repository.head == ""


def test_an_older_commit_is_not_gone_back_to(repository: Repository) -> None:
    old = repository.commit("old", "soc")
    new = repository.commit("new", "soc")
    assert repository.verify()[0] == 0
    repository.git("reset", "-q", "--hard", old)
    code, said = repository.verify()
    assert (code, "does not come after" in said, repository.head) == (1, True, new)


def test_the_last_verified_commit_is_run_while_the_repository_is_away(repository: Repository) -> None:
    good = repository.commit("good", "soc")
    away = repository.folder / "away"
    repository.work.rename(away)
    assert repository.verify()[0] == 1  # none was verified yet
    away.rename(repository.work)
    assert repository.verify()[0] == 0
    repository.commit("bad", "thief")
    assert repository.verify()[0] == 1
    repository.work.rename(away)
    code, said = repository.verify()
    assert (code, good in said, repository.head) == (0, True, good)
