# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable

from lab.client import LabClient

from ..test_splunk import Splunk
from . import Run, Source


def _splunk(engine: str) -> Callable[[LabClient], Run]:
    return lambda lab: lambda: Splunk(lab).run(engine)


SOURCES = {
    "splunk": Source(_splunk("converge"), "re:/saved/searches$"),
    "splunk, preflight": Source(_splunk("preflight"), "re:/services"),
    "splunk, verify": Source(_splunk("verify"), "re:/search/jobs$"),
}
