# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one vocabulary: where a target, a run, a row of the console and a cell of the report may stand. Pure."""

from __future__ import annotations

# pending: data is expected and not there yet; waiting: for somebody outside of the run, such as the customer's
# administrator.
IN_SYNC, CORRECTED, DRIFTED, PENDING, WAITING, FAILED, UNKNOWN, SKIPPED = STATUSES = (
    "in_sync",
    "corrected",
    "drifted",
    "pending",
    "waiting",
    "failed",
    "unknown",
    "skipped",
)
# A verdict of a plan: drift that stays, since it is not ours to write.
BLOCKED = "blocked"
# From best to worst: an outcome is the worst status that is counted.
SEVERITY = {
    status: number
    for number, status in enumerate((SKIPPED, IN_SYNC, CORRECTED, PENDING, WAITING, DRIFTED, UNKNOWN, FAILED))
}
