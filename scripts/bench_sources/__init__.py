# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts the requests of the small sources for each object of theirs, against the lab.

scripts/bench sources prints a Markdown table. Each source is a file beside this one, whose bench() gives its rows.
Numbers of requests do not depend on the machine.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from lab.client import LabClient
from lab.testing import running_lab

HEADINGS = ["source", "object", "run", "objects", "requests", "requests/object"]
Row = list[str]
# By run: engine, its options, what is given.
Runs = Mapping[str, tuple[Any, Mapping[str, Any], Mapping[str, Any]]]


def rows(lab: LabClient, source: str, kind: str, objects: int, runs: Runs) -> list[Row]:
    found = []
    for name, (engine, spec, given) in runs.items():
        params = ArgumentSpecValidator(dict(spec)).validate(dict(given)).validated_parameters
        result = execute(engine, source, params, check=False, diff=False)
        if result["failed"]:
            raise SystemExit(f"{source}, {name}: {result['msg']}")
        requests = sum(result["summary"]["requests"].values())
        found.append([source, kind, name, f"{objects}", f"{requests}", f"{requests / objects:.1f}"])
    return found


def main() -> None:
    table = []
    for source in iter_modules(__path__):
        with running_lab() as lab, tempfile.TemporaryDirectory() as folder:
            table += import_module(f"{__name__}.{source.name}").bench(lab, Path(folder))
    for line in (HEADINGS, ["---"] * len(HEADINGS), *table):
        print("| " + " | ".join(line) + " |")
