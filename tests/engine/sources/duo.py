# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from ansible_collections.mssp.onboarding.plugins.module_utils._duo.client import Duo as DuoClient
from lab.client import LabClient
from lab.duo.client import CONTOSO

from ..test_duo import Duo
from . import Run, Source


def _duo(verb: str) -> Callable[[LabClient], Run]:
    def prepare(lab: LabClient) -> Run:
        one = Duo(lab)
        if verb == "verify":
            one.converge()
            lab.edit("duo_sign_in", account=CONTOSO)

        def run() -> dict[str, Any]:
            with patch.dict(DuoClient.LIMITS, log=DuoClient.LIMITS["read"]):  # whose pace is that of minutes
                return getattr(one, verb)()  # type: ignore[no-any-return]

        return run

    return prepare


SOURCES = {
    "duo": Source(_duo("converge"), "re:/integrations$"),
    "duo, verify": Source(_duo("verify"), "re:/logs/authentication$"),
    "duo, preflight": Source(_duo("preflight"), "re:^/admin/"),
}
