# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The receivers, registered."""

from __future__ import annotations

import json

from lab.kernel.registration import Vendor
from lab.receivers import control, routes
from lab.receivers.state import Listening

VENDOR = Vendor(
    name="receivers",
    state=Listening,
    segments=routes.SEGMENTS,
    find=routes.find,
    operations=routes.OPERATIONS,
    control={
        ("GET", ""): control.describe,
        ("POST", ""): control.change,
        ("GET", "records"): control.records,
    },
    files=lambda listening: [("receivers.json", json.dumps(listening.describe()))],
)
