# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from lab.client import LabClient

from ..graph_engines import customer, provider
from ..rights_engines import consented
from . import Run, Source


def _principal(lab: LabClient) -> Run:
    consented(lab)
    return customer(lab).run


SOURCES = {
    "application": Source(lambda lab: provider(lab).run, "/applications"),
    "service principal": Source(_principal, "/servicePrincipals"),
}
