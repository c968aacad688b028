# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable

from lab.client import LabClient

from ..test_sophos import HEADQUARTERS, Sophos
from . import Run, Source


def _sophos(engine: str) -> Callable[[LabClient], Run]:
    def prepare(lab: LabClient) -> Run:
        return getattr(Sophos(lab, HEADQUARTERS), engine)

    return prepare


SOURCES = {
    "sophos": Source(_sophos("converge"), "/webconsole/"),
    "sophos, preflight": Source(_sophos("preflight"), "/webconsole/"),
}
