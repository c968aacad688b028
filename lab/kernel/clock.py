# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's clock, which tests move.

World seconds are real time plus the offset that `advance` has added. What leaves the lab is shown on the real clock
(`shown`), so moving the clock makes everything in the lab older and never puts it in a client's future.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        """World seconds."""
        return time.time() + self.offset

    def shown(self, seconds: float) -> float:
        """World seconds on the clock that clients have."""
        return seconds - self.offset


def stamp(seconds: float) -> str:
    """ISO 8601 with seven digits, as Azure and CrowdStrike print times."""
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return text + "0Z"
