# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ..test_falcon_api import Asked
from . import Source

SOURCES = {
    "falcon, preflight": Source(lambda lab: lambda: Asked(lab).result, "/sensors/entities/datafeed"),
}
