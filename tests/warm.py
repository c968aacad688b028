# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's command lines for tests, from an interpreter that has read other people's libraries already.

Half of what a small run costs is the import of aiohttp, azure.identity and the like. One process a worker imports
those once and forks for each run: the child takes the run's environment, folder, files and arguments and executes the
tool's script. Neither Ansible nor the collection is imported before that, so settings, paths and code of each run are
read as ever. What runs by a shell, on a terminal or to be killed is started cold, as users do it.
"""

# No annotations from __future__: what `_parse_ahead` wraps passes this file's on to what it compiles.

import ast
import atexit
import builtins
import contextlib
import functools
import gc
import importlib
import importlib.util
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

LIBRARIES = (
    *("aiohttp", "azure.core.rest", "azure.identity.aio", "jinja2.nativetypes", "requests", "yaml"),
    *("cryptography.x509", "cryptography.hazmat.primitives.ciphers", "cryptography.hazmat.primitives.serialization"),
    *("asyncio", "concurrent.futures", "configparser", "html", "multiprocessing.queues", "packaging.specifiers"),
    *("paramiko", "urllib.request", "uuid", "xml.etree.ElementTree"),
)
# What an interpreter reads when it starts; OpenSSL, cryptography and the contexts of aiohttp when they are imported.
AT_START = ("PYTHON", "LANG", "LC_", "SSL_CERT_", "OPENSSL_", "CRYPTOGRAPHY_")


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: str | Path | None = None,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """As subprocess.run does it with its output captured as text and nothing on its stdin.

    command: a Python script that lies beside this interpreter, such as ansible-playbook, and its arguments.
    """
    words = [str(word) for word in command]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err, open(os.devnull, "rb") as nothing:
        request = json.dumps({"argv": words, "env": dict(env), "cwd": cwd or Path.cwd()}, default=str).encode()
        channel = _server(tuple(sorted(_at_start(env).items())))
        socket.send_fds(channel, [request], [nothing.fileno(), out.fileno(), err.fileno()])
        code = _await(channel, words, timeout)
        return subprocess.CompletedProcess(words, code, _text(out), _text(err))


def _text(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def _at_start(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(AT_START)}


def _await(channel: socket.socket, words: list[str], timeout: float | None) -> int:
    """The exit code, negative for a signal."""
    pid = int(channel.recv(64))
    channel.settimeout(timeout)
    try:
        return int(channel.recv(64))
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)
        channel.settimeout(None)
        channel.recv(64)
        assert timeout is not None
        raise subprocess.TimeoutExpired(words, timeout) from None
    finally:
        channel.settimeout(None)


@functools.cache
def _server(started_with: tuple[tuple[str, str], ...]) -> socket.socket:
    """The way to a process that was started with these settings of the interpreter; it ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(AT_START)}
    with theirs:
        process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())],
            env=environment | dict(started_with),
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
    atexit.register(_end, process, ours)
    return ours


def _end(process: subprocess.Popen[bytes], channel: socket.socket) -> None:
    channel.close()
    process.wait(10)


def _parse_ahead() -> None:
    """Know the syntax trees of all module_utils by their text: Ansible parses dozens for each module that it packs."""
    known: dict[bytes, ast.Module] = {}
    ansible = importlib.util.find_spec("ansible")
    assert ansible is not None
    for root in (*(ansible.submodule_search_locations or ()), Path(__file__).parents[1] / "plugins"):
        for path in Path(root, "module_utils").rglob("*.py"):
            text = path.read_bytes()
            known[text] = ast.parse(text)
    compiles = builtins.compile

    def compile_or_know(source: Any, filename: Any, mode: str, flags: int = 0, *more: Any, **named: Any) -> Any:
        if flags == ast.PyCF_ONLY_AST and isinstance(source, bytes) and source in known:
            return known[source]
        return compiles(source, filename, mode, flags, *more, **named)

    builtins.compile = compile_or_know


def _serve(channel: socket.socket) -> None:
    """Forks for each request; comes back in the child, which then is the run, or when nobody is left to ask."""
    while True:
        request, files, _flags, _address = socket.recv_fds(channel, 1 << 20, 3)
        if not request:
            sys.exit()
        pid = os.fork()
        if pid == 0:
            channel.close()
            return _become(files, **json.loads(request))
        for file in files:
            os.close(file)
        channel.send(str(pid).encode())
        channel.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())


def _become(files: list[int], argv: list[str], env: dict[str, str], cwd: str) -> None:
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    sys.argv[:] = argv
    sys.path[0] = os.path.dirname(argv[0])


if __name__ == "__main__":
    for name in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    _parse_ahead()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)  # a tenth of what a run costs is the search for cycles, and it ends soon
    _serve(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_path(sys.argv[0], run_name="__main__")
