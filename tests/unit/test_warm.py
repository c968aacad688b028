# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run from the warm interpreter finds what one that was started for it finds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import warm

# What a run could inherit from the process that it is forked from, or from the run before it.
LOOK = """
import json, locale, logging, os, resource, signal, socket, sys, tempfile, threading, time
print(json.dumps({
    "environ": dict(os.environ), "cwd": os.getcwd(), "argv": sys.argv, "name": __name__, "file": __file__,
    "path": sys.path, "flags": list(sys.flags), "hooks": len(sys.meta_path), "group": os.getpgrp(),
    "open": sorted(os.listdir("/proc/self/fd")), "ttys": [os.isatty(number) for number in range(3)],
    "encodings": [stream.encoding for stream in (sys.stdin, sys.stdout, sys.stderr)],
    "signals": [str(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)],
    "umask": os.umask(0), "files": resource.getrlimit(resource.RLIMIT_NOFILE), "recursion": sys.getrecursionlimit(),
    "zone": time.tzname, "locale": locale.getlocale(), "temporary": tempfile.tempdir,
    "timeout": socket.getdefaulttimeout(),
    "threads": threading.active_count(), "logging": [logging.root.level, len(logging.root.handlers)],
    "ours": [name for name in sys.modules if name.partition(".")[0] in ("ansible", "ansible_collections", "lab")],
}))
print("told", file=sys.stderr)
os.environ["LEFT_BEHIND"] = tempfile.gettempdir()
sys.exit(3)
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("warm") / "look.py"
    path.write_text(LOOK, encoding="utf-8")
    return path


def found(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert (done.returncode, done.stderr) == (3, "told\n")
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def test_a_warm_run_finds_what_a_cold_one_finds(script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THE_TEST", "not of the run")
    env = {name: value for name, value in os.environ.items() if name != "OF_THE_TEST"} | {"TZ": "Asia/Tokyo"}
    cold = found(
        subprocess.run(
            [sys.executable, script, "one"],
            env=env,
            cwd=tmp_path,
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )
    )
    assert found(warm.run([script, "one"], env=env, cwd=tmp_path)) == cold
    assert found(warm.run([script, "one"], env=env, cwd=tmp_path)) == cold, "nothing is left of the run before"


@pytest.mark.parametrize(
    "name", ["PYTHONHASHSEED", "LC_ALL", "SSL_CERT_FILE", "OPENSSL_CONF", "CRYPTOGRAPHY_OPENSSL_NO_LEGACY"]
)
def test_what_is_read_at_the_start_has_a_process_of_its_own(name: str) -> None:
    assert warm._at_start({name: "x", "HOME": "/root", "MSSP_ACTOR": "x"}) == {name: "x"}
