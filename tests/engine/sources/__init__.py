# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way of ours to a vendor with the request that it stands on: what a file here lists gets every fault."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, NamedTuple

from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import PENDING, WELL
from lab.client import LabClient

Run = Callable[[], dict[str, Any]]


class Source(NamedTuple):
    """prepare: the lab so that the run has something to do; path: of the request without which nothing is known."""

    prepare: Callable[[LabClient], Run]
    path: str


def never_well(result: dict[str, Any]) -> None:
    assert "exception" not in result, result["exception"]
    assert result["summary"]["outcome"] not in (*WELL, PENDING), result["msg"]
    assert result["problems"], result["msg"]
    assert all(problem["message"] and problem["next_step"] for problem in result["problems"])


SOURCES: dict[str, Source] = {
    name: source
    for room in iter_modules(__path__)
    for name, source in import_module(f"{__name__}.{room.name}").SOURCES.items()
}
