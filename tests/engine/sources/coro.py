# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable

from lab.client import LabClient

from ..coro_engines import Workspace
from . import Run, Source


def _coro(engine: str) -> Callable[[LabClient], Run]:
    def prepare(lab: LabClient) -> Run:
        one = Workspace(lab)
        return lambda: one.run(*([one.wanted("splunk")] if engine == "connectors" else ()), engine=engine)

    return prepare


SOURCES = {
    "coro": Source(_coro("connectors"), "re:/v1/siem-connectors$"),
    "coro, verify": Source(_coro("info"), "re:/v1/siem-connectors$"),
    "coro, preflight": Source(_coro("access"), "re:/v1/siem-connectors$"),
}
