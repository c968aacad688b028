# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable

from lab.client import LabClient

from ..custom_logs_engines import Logs
from . import Run, Source


def _custom_logs(engine: str) -> Callable[[LabClient], Run]:
    def prepare(lab: LabClient) -> Run:
        one = Logs(lab).made()
        return lambda: one.run(engine)

    return prepare


SOURCES = {
    "custom logs, the table": Source(_custom_logs("table"), "re:/tables/[^/]+$"),
    "custom logs, the rule": Source(_custom_logs("rule"), "re:/dataCollectionRules/[^/]+$"),
    "custom logs, preflight": Source(_custom_logs("access"), "re:Authorization/permissions$"),
    "custom logs, verify": Source(_custom_logs("flow"), "re:/v1/.*query$"),
}
