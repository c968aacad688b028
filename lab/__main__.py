# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m lab serve | status | drift | reset"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lab.client import LabClient, LabError

if TYPE_CHECKING:
    from lab.kernel.context import Lab


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m lab", description="The emulated clouds, on loopback only.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, text in (
        ("serve", "serve until SIGTERM or SIGINT"),
        ("status", "what the running lab holds"),
        ("drift", "edit settings behind the MSSP's back"),
        ("reset", "back to the scenario"),
    ):
        one = verbs.add_parser(verb, help=text)
        one.add_argument(
            "--state-dir",
            type=Path,
            default=Path(os.environ.get("MSSP_LAB_DIR", ".lab")),
            help="where the lab leaves its address, CA and the app's credentials",
        )
        if verb == "serve":
            one.add_argument(
                "--scenario", default="fleet", help="fleet, FILE.yml, spread:10000x50, skewed:3000+20x50, channel:500"
            )
            one.add_argument("--port", type=int, default=18443, help="0 takes a free one")
            one.add_argument("--latency", type=float, default=0.0, help="seconds added to each answer")
            one.add_argument("--no-throttle", action="store_true", help="no token buckets")
    options = parser.parse_args(arguments)
    return _serve(options) if options.verb == "serve" else _ask(options.verb, options.state_dir)


def _ask(verb: str, state_dir: Path) -> int:
    try:
        client = LabClient(state_dir)
        if verb == "status":
            print(json.dumps(client.status(), indent=2))
        elif verb == "reset":
            client.reset()
            print("lab reset")
        else:
            for edit in client.drift():
                print(f"{edit['tenant']}: {edit['edit']} {edit['name']} on {edit['target']}")
    except (LabError, OSError) as error:
        print(f"no lab answers by {state_dir}: {error}", file=sys.stderr)
        return 1
    return 0


def _serve(options: argparse.Namespace) -> int:
    from lab.kernel.context import Lab
    from lab.kernel.server import serve

    try:
        lab = Lab(options.scenario, throttle=not options.no_throttle, latency=options.latency)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2

    def ready() -> None:
        _write_state(options.state_dir, lab)
        print(f"lab ready {lab.url}", flush=True)

    async def run() -> None:
        """Takes lab.json away when it ends; where it never served, lab.json is another lab's."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await serve(lab, options.port, ready, stop)
        (options.state_dir / "lab.json").unlink(missing_ok=True)

    try:
        asyncio.run(run())
    except OSError as error:
        print(f"cannot serve: {error}", file=sys.stderr)
        return 1
    return 0


def _write_state(folder: Path, lab: Lab) -> None:
    """Files of the state directory, readable by their owner only; lab.json last, for those who wait for it."""
    from lab.kernel import ca

    folder.mkdir(parents=True, exist_ok=True)
    ca.private(folder / "ca.pem", lab.ca_pem)
    for vendor in lab.vendors:
        for name, text in vendor.files(lab.of(vendor.state)):
            ca.private(folder / name, text)
    state = {"url": lab.url, "pid": os.getpid(), "ca_file": str((folder / "ca.pem").resolve())}
    ca.private(folder / "lab.json", json.dumps(state))


if __name__ == "__main__":
    sys.exit(main())
