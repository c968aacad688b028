# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in on this machine, without a host: its files, a configuration, a process, what it wrote."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab.client import LabClient

NAME = "cs.falconhoseclient"


def until(true: Callable[[], Any], what: Callable[[], str] = lambda: "") -> Any:
    """What it gave when it was not empty; fails after a minute."""
    deadline = time.monotonic() + 60
    while not (found := true()):
        assert time.monotonic() < deadline, what()
        time.sleep(0.02)
    return found


class Standin:
    """`package`: the root of what a package installs. Changes are key -> value, `Section.key` outside of [Settings]."""

    def __init__(self, package: Path, folder: Path, lab: LabClient) -> None:
        self.lab = lab
        self.root = folder / "crowdstrike"
        shutil.copytree(package / "opt/crowdstrike", self.root)
        self.logs = folder / "logs"
        self.logs.mkdir()
        self.environment = {"FALCON_STANDIN_LOGS": str(self.logs), "SSL_CERT_FILE": lab.ca_file}
        self.process: subprocess.Popen[str] | None = None

    def configure(self, client: str = "contoso", style: str = "", path: Path | None = None, **changes: object) -> Path:
        """A configuration from the sample of the style; the main one unless a path is given."""
        client_id, secret = self.lab.crowdstrike.client(client)
        target = path or self.root / "etc" / f"{NAME}.cfg"
        target.parent.mkdir(exist_ok=True)
        sample = self.root / "etc" / (f"{NAME}.{style}.cfg" if style else f"{NAME}.cfg")
        label = target.stem if path else ""
        values = {
            "api_url": f"{self.lab.crowdstrike.url}/sensors/entities/datafeed/v2",
            "request_token_url": f"{self.lab.crowdstrike.url}/oauth2/token",
            "client_id": client_id,
            "client_secret": secret,
            "output_path": self.logs / f"output{label}",
            "offset_path": self.logs / f"stream_offsets{label}",
            **changes,
        }
        text = sample.read_text()
        for name, value in values.items():
            text = edit(text, name, str(value))
        target.write_text(text)
        return target

    def start(self, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(self.root / "bin" / NAME), "-nodaemon"],
            env={**os.environ, **self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def stop(self) -> float:
        """SIGTERM; how long it took in s."""
        assert self.process is not None
        start = time.monotonic()
        self.process.terminate()
        assert self.process.wait(60) == 0
        return time.monotonic() - start

    def end(self) -> None:
        """At the end of a test, however it went."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(60)

    def peak(self) -> int:
        """The most memory that it has had, in MiB."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) // 1024

    # -- what it wrote --------------------------------------------------------------------------------------------

    def log(self, label: str = "") -> str:
        path = self.logs / (f"{NAME}.{label}.log" if label else f"{NAME}.log")
        return path.read_text() if path.exists() else ""

    def says(self, pattern: str, label: str = "") -> str:
        """The first line of the log that matches, once there is one."""
        find = re.compile(f"^.*(?:{pattern}).*$", re.M)
        return str(until(lambda: find.search(self.log(label)), lambda: self.log(label))[0])

    def saved(self, label: str = "") -> str:
        """The file of offsets, empty while there is none."""
        path = self.logs / f"stream_offsets{label}"
        return path.read_text() if path.exists() else ""

    def output(self, label: str = "") -> str:
        """Everything that was written to files, the rotated ones first."""
        rotated = sorted(self.logs.glob(f"output{label}-*"))
        return "".join(path.read_text() for path in [*rotated, self.logs / f"output{label}"] if path.exists())

    def events(self, label: str = "") -> list[dict[str, Any]]:
        """Of the JSON output, as far as its objects are whole."""
        found, decoder, text, position = [], json.JSONDecoder(), self.output(label), 0
        while position < len(text):
            try:
                event, end = decoder.raw_decode(text, position)
            except ValueError:
                break
            found.append(event)
            position = end + 1
        return found

    def offsets(self, count: int, label: str = "") -> list[int]:
        """The offsets of the JSON output, once there are so many."""
        until(lambda: len(self.events(label)) >= count, lambda: self.log(label))
        return [event["metadata"]["offset"] for event in self.events(label)]

    def lines(self, count: int) -> list[str]:
        until(lambda: self.output().count("\n") >= count, self.log)
        return self.output().splitlines()


def edit(text: str, name: str, value: str) -> str:
    """One key of one section of a configuration text."""
    section, _, key = name.rpartition(".")
    start = text.index(f"[{section or 'Settings'}]\n")
    line = re.compile(rf"^{re.escape(key)} =.*$", re.M)
    found = line.search(text, start)
    assert found is not None, name
    return f"{text[: found.start()]}{key} = {value}{text[found.end() :]}"
