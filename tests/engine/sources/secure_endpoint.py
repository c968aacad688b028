# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable

from lab.client import LabClient

from ..test_secure_endpoint import Organisation
from . import Run, Source


def _secure_endpoint(verb: str) -> Callable[[LabClient], Run]:
    """In check mode, since no queue of the lab's memory can be looked at."""

    def prepare(lab: LabClient) -> Run:
        one = Organisation(lab, lab.state_dir)
        return lambda: getattr(one, verb)(**({"check": True} if verb == "converge" else {}))  # type: ignore[no-any-return]

    return prepare


SOURCES = {
    "secure endpoint": Source(_secure_endpoint("converge"), "re:/event_streams$"),
    "secure endpoint, preflight": Source(_secure_endpoint("preflight"), "re:/event_streams$"),
    "secure endpoint, verify": Source(_secure_endpoint("verify"), "re:/event_streams$"),
}
