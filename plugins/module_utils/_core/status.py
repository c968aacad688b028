# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How something stands, in one word: the vocabulary of every verb, from a target's evidence to the report.

in_sync: as wanted; data arrives, or its silence is no finding.
corrected: was not as wanted, and is now.
drifted: not as wanted, or data that should arrive does not.
pending: as wanted, and its data is expected but not there yet.
waiting: not as wanted, and for somebody outside of the run, such as the customer's administrator.
failed: tried, and it did not work. unknown: could not be observed. skipped: nothing to do there.
"""

from __future__ import annotations

from typing import Any

IN_SYNC = "in_sync"
CORRECTED = "corrected"
DRIFTED = "drifted"
PENDING = "pending"
WAITING = "waiting"
FAILED = "failed"
UNKNOWN = "unknown"
SKIPPED = "skipped"
# Of a target, and of the outcome of its tenant: the keys of summary.counts beside targets.
STATUSES = (IN_SYNC, CORRECTED, DRIFTED, PENDING, WAITING, FAILED, UNKNOWN, SKIPPED)
COUNTS = ("targets", *STATUSES)

MAX_COUNT = 10_000_000


def count(value: Any) -> int | None:
    """A count out of a result, which may come from a machine that is not ours any more; None for what is no count."""
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_COUNT
    return int(value) if good else None


BLOCKED = "blocked"  # of a plan's verdict only: drift that stays, counted as drifted
UNREACHABLE = "unreachable"  # of a host in a run: Ansible had no answer
REMOVED = "removed"  # of the history: offboarded
NEVER_RUN = "never_run"  # of the history: configured, and no run has tried it

# The best first.
ORDER = (SKIPPED, REMOVED, IN_SYNC, CORRECTED, PENDING, NEVER_RUN, WAITING, DRIFTED, UNKNOWN, FAILED, UNREACHABLE)
SEVERITY = {status: number for number, status in enumerate(ORDER)}
WELL = (SKIPPED, REMOVED, IN_SYNC, CORRECTED)
# Not as wanted, which a run may find without having failed.
FOUND = (WAITING, DRIFTED)
