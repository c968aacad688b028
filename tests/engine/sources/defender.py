# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable

from lab.client import LabClient

from ..defender_engines import Defender
from . import Run, Source


def _defender(verb: str, way: str) -> Callable[[LabClient], Run]:
    def prepare(lab: LabClient) -> Run:
        one = Defender(lab)
        one.may("ThreatHunting.Read.All")
        if way in ("streaming", "continuous_export"):
            one.hub()
        return lambda: getattr(one, verb)(ways=[way])  # type: ignore[no-any-return]

    return prepare


SOURCES = {
    "defender": Source(_defender("converge", "alerts"), "re:security/alerts_v2$"),
    "defender, export": Source(_defender("converge", "continuous_export"), "re:Security/automations$"),
    "defender, preflight": Source(_defender("preflight", "alerts"), "re:security/alerts_v2$"),
    "defender, verify": Source(_defender("verify", "hunting"), "re:runHuntingQuery$"),
}
