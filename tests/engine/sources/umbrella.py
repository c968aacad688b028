# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ansible_collections.mssp.onboarding.plugins.module_utils._umbrella.client import Umbrella as UmbrellaClient
from lab.client import LabClient

from ..test_umbrella import Tenant as Umbrella
from . import Run, Source


def _umbrella(lab: LabClient) -> Run:
    one = Umbrella(lab, Path(tempfile.mkdtemp()))
    one.export |= one.first()

    def run() -> dict[str, Any]:
        with patch.dict(UmbrellaClient.LIMITS, admin=(1e6, 1e6)):  # whose pace is that of minutes
            return one.converge()

    return run


SOURCES = {
    "umbrella": Source(_umbrella, "re:/rotateKey$"),
}
