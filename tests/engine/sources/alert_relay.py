# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from lab.client import LabClient

from ..test_alert_relay import Relay
from . import Run, Source


def _relay(lab: LabClient) -> Run:
    return Relay(lab).run


SOURCES = {
    "alert relay": Source(_relay, "re:Logic/workflows/[^/]+$"),
}
