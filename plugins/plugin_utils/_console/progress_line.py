# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a run is: the numbers behind the live line, and its text. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from ansible_collections.mssp.onboarding.plugins.module_utils._core.progress import Progress
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.summary_table import duration

RATE_SECONDS = 30.0  # the rate is that of the last half minute
ESTIMATE_AFTER = (5.0, 0.02)  # seconds and share of the work, before which the time left would be a guess
UNIT = "resources"


class Live:
    """One step (a task of ours) over all tenants of the play. Times are seconds of any steady clock."""

    def __init__(self, capability: str, tenants: int, now: float) -> None:
        self.capability = capability
        self.tenants = tenants
        self.finished: set[str] = set()
        self._begun = now
        self._at: dict[str, Progress] = {}
        self._samples: deque[tuple[float, int]] = deque([(now, 0)])

    def begun(self, tenant: str) -> None:
        """A tenant that had failed elsewhere and was rescued is not done after all."""
        self.finished.discard(tenant)

    def heard(self, progress: Progress) -> None:
        """A line of the channel; what comes after the tenant's result is late and not news."""
        self.capability = progress.capability or self.capability
        if progress.tenant not in self.finished:
            self._at[progress.tenant] = progress

    def ended(self, tenant: str, counts: Mapping[str, int] | None, throttled_seconds: float) -> None:
        """The tenant's result is there: its numbers replace what was heard. None: it gave none."""
        self.finished.add(tenant)
        last = self._at.get(tenant)
        if counts is not None:
            self._at[tenant] = Progress(
                tenant,
                self.capability,
                total=counts["targets"],
                done=counts["targets"],
                changed=counts["corrected"],
                failed=counts["failed"] + counts["unknown"],
                throttled_seconds=max(throttled_seconds, last.throttled_seconds if last else 0.0),
            )

    def _share(self) -> float:
        """How much of the work is done, from 0 to 1."""
        parts = float(len(self.finished))
        for tenant, progress in self._at.items():
            work = progress.total + progress.planned
            if tenant not in self.finished and work:
                parts += min(1.0, (progress.done + progress.changed) / work)
        return min(1.0, parts / max(1, self.tenants))

    def fields(self, now: float) -> list[str]:
        """What to show, the most important first."""
        heard = self._at.values()
        done = sum(progress.done for progress in heard)
        changed, failed = sum(p.changed for p in heard), sum(p.failed for p in heard)
        throttled = sum(progress.throttled_seconds for progress in heard)
        fields = [
            f"{len(self.finished):,}/{max(self.tenants, len(self.finished)):,} tenants",
            f"{done:,} {UNIT}",
            f"{changed:,} corrected",
            f"{failed:,} failed",
        ]
        if left := self._left(now):
            fields.append(left)
        if rate := self._rate(now, done):
            fields.append(rate)
        if throttled >= 1:
            fields.append(f"{throttled:,.0f} s throttled")
        return fields

    def _left(self, now: float) -> str:
        elapsed, share = now - self._begun, self._share()
        if elapsed < ESTIMATE_AFTER[0] or not ESTIMATE_AFTER[1] <= share < 1:
            return ""
        return f"~{duration(elapsed * (1 - share) / share)} left"

    def _rate(self, now: float, done: int) -> str:
        self._samples.append((now, done))
        while len(self._samples) > 2 and now - self._samples[1][0] >= RATE_SECONDS:
            self._samples.popleft()
        then, before = self._samples[0]
        rate = (done - before) / (now - then) if now - then >= 1 else 0.0
        return f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s" if rate > 0 else ""


def line(live: Live, now: float, width: int = 0) -> str:
    """One line of at most C(width) characters, which loses its least important fields first; 0 is no limit."""
    fields = [live.capability, *live.fields(now)]
    text = " · ".join(fields)
    while width and len(text) > width and len(fields) > 1:
        fields.pop()
        text = " · ".join(fields)
    return text[:width] if width else text
