# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable

from lab.client import LabClient

from ..event_hub_engines import ENTRA_SCOPE, Customer
from . import Run, Source


def _hub(engine: str) -> Callable[[LabClient], Run]:
    def prepare(lab: LabClient) -> Run:
        one = Customer(lab)
        one.may()
        one.may(scope=ENTRA_SCOPE)
        if engine != "hub":
            one.run()
        return lambda: one.run(engine)

    return prepare


SOURCES = {
    "event hub": Source(_hub("hub"), "re:/namespaces/[^/]+$"),
    "event hub, preflight": Source(_hub("access"), "re:Authorization/permissions$"),
    "event hub, verify": Source(_hub("flow"), "re:Insights/metrics$"),
    "entra logs": Source(_hub("entra"), "re:aadiam/diagnosticSettings$"),
}
