# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from lab.client import LabClient

from ..incident_engines import Sync as Incidents
from . import Run, Source


def _incidents(lab: LabClient) -> Run:
    one = Incidents(lab, None)
    one.incident("29")
    return one.converge


def _verify(lab: LabClient) -> Run:
    one = Incidents(lab, None)
    one.incident("29")
    one.converge()
    return one.verify


SOURCES = {
    "incident sync, incidents": Source(_incidents, "re:/security/incidents$"),
    "incident sync, tickets": Source(_incidents, "re:/table/incident$"),
    "incident sync, verify": Source(_verify, "re:/security/incidents$"),
}
