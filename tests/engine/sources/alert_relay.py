# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from functools import partial

from lab.client import LabClient

from ..test_alert_relay import Relay
from . import Run, Source


def _relay(lab: LabClient) -> Run:
    return Relay(lab).run


def _preflight(lab: LabClient) -> Run:
    return partial(Relay(lab).run, "preflight")


def _verify(lab: LabClient) -> Run:
    one = Relay(lab)
    one.run()
    return partial(one.run, "verify")


SOURCES = {
    "alert relay": Source(_relay, "re:Logic/workflows/[^/]+$"),
    "alert relay, preflight": Source(_preflight, "re:Authorization/permissions$"),
    "alert relay, verify": Source(_verify, "re:/runs$"),
}
