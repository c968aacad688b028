# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: -nodaemon, -config=FILE. Without a file: every .cfg in config/ where there is one, else etc/.

How the vendor's package starts several configurations is not known; here one process has them all.
"""

from __future__ import annotations

import argparse
import os
import signal
import threading
import time
from pathlib import Path

from .config import Config, ConfigError, load
from .outputs import Log
from .reader import Instance

NAME = "cs.falconhoseclient"
ENDS = (signal.SIGTERM, signal.SIGINT)
PATIENCE = 0.6  # s for what is being handed on, all configurations together
LOGS = Path(os.environ.get("FALCON_STANDIN_LOGS", "/var/log/crowdstrike/falconhoseclient"))  # ours, for tests


def main(root: Path, arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog=NAME, description="A stand-in for tests, not CrowdStrike's.")
    parser.add_argument("-nodaemon", action="store_true", help="stay in the foreground; there is no other way")
    parser.add_argument("-config", type=Path)
    options = parser.parse_args(arguments)
    if not options.nodaemon:
        parser.error("the stand-in runs with -nodaemon only")
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)  # before there are threads, which inherit it
    stop = threading.Event()
    instances = [instance for path, label in _files(root, options.config) if (instance := _start(path, label, stop))]
    if not instances:
        return 1
    signal.sigwait(ENDS)
    stop.set()
    for instance in instances:
        instance.close()
    last = time.monotonic() + PATIENCE
    for instance in instances:
        instance.join(max(0.0, last - time.monotonic()))
        instance.log.info("Stopped")
    return 0


def _files(root: Path, given: Path | None) -> list[tuple[Path, str]]:
    if given is not None:
        return [(given, given.stem if given.parent.name == "config" else "")]
    many = sorted((root / "config").glob("*.cfg"))
    return [(path, path.stem) for path in many] or [(root / "etc" / f"{NAME}.cfg", "")]


def _start(path: Path, label: str, stop: threading.Event) -> Instance | None:
    try:
        config = load(path, label)
        instance = Instance(config, LOGS, stop)
    except (ConfigError, OSError, ValueError) as error:
        Log(LOGS, Config(path, label, {})).error(f"Unable to start with {path}: {error}")
        return None
    instance.log.info(f"Starting with {path}, app_id {instance.cloud.app_id}")
    instance.start()
    return instance
