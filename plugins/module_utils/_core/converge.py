# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one loop: observe, plan, budget, apply, and say what was seen and done. Vendors fill in a Capability."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, Generic

from .capability import Capability, ClientT, WantedT
from .client import WRITTEN
from .errors import InputError, NoAnswerError, OnboardingError, typed
from .evidence import EvidenceFile, now
from .options import RunOptions
from .status import BLOCKED, CORRECTED, DRIFTED, FAILED, IN_SYNC, UNKNOWN, WAITING
from .verdict import Record, Verdict, judged, undone, unknown

# The target under which stands what a run did not reach.
REST = "(not reached)"


class Run(Generic[WantedT, ClientT]):
    """One capability, one tenant, one run.

    records: by target; missing: of what was there at the last good run and is no target any more; rest: the one record
    of what was not reached, where the run was cut short.
    """

    def __init__(
        self,
        capability: Capability[WantedT, ClientT],
        client: ClientT,
        wanted: WantedT,
        options: RunOptions,
        reporter: Any,
        evidence: EvidenceFile | None,
    ) -> None:
        self.capability, self.client, self.wanted, self.options = capability, client, wanted, options
        self.reporter, self.evidence = reporter, evidence
        self.records: dict[str, Record] = {}
        self.tally: Counter[str] = Counter()
        self._due: list[Record] = []
        self._news = asyncio.Event()
        self._planned = 0
        self._expected = 0
        self._writing: dict[str, Record] = {}
        self.missing: list[Record] = []
        self.rest: list[Record] = []

    async def run(self) -> InputError | None:
        """Observe, plan, and write what is due; or why nothing may be written."""
        if self.overlaps:
            await self._survey_and_apply()
            return None
        await self._survey()
        stop = None if self.options.check else self.over_budget()
        if stop:
            self._left_undone()
        elif not self.options.check:
            await self._apply([record for record in self.in_order() if self.writes(record)])
        return stop

    def __call__(self, verdict: Verdict) -> None:
        """Keep a plan's verdict; its evidence waits for the write where one is due."""
        record = judged(verdict)
        writes = not self.options.check and self.writes(record)
        self.keep(record, final=not writes)
        if writes:
            self._due.append(record)
            self._news.set()

    def expect(self, targets: int) -> None:
        self._expected = targets
        self.reporter.update(total=targets)

    def keep(self, record: Record, *, final: bool = True) -> None:
        """Add or replace a target's record, and tell of it."""
        before = self.records.get(record.target)
        self.records[record.target] = record
        self.tally[record.status] += 1
        if before:
            self.tally[before.status] -= 1
        if record.error is not None and record.status in (FAILED, UNKNOWN):
            self.reporter.failure(str(record.error))
        if final and not self.capability.proves:
            self._write_down(record)
        self.reporter.update(
            done=len(self.records),
            changed=self.tally[CORRECTED],
            failed=self.tally[FAILED] + self.tally[UNKNOWN],
            throttled_seconds=self.capability.held_up(self.client),
        )

    def miss(self, record: Record) -> None:
        """Tell of what has gone; it is none of the vendor's targets."""
        self.missing.append(record)
        self.reporter.failure(str(record.error))
        self._write_down(record)

    def writes(self, record: Record) -> bool:
        """Whether something is to be done: a correction that is due, or what a target in sync asks for."""
        asks = record.status not in (DRIFTED, UNKNOWN) and bool(record.verdict.action)
        return record.due(self.options.correct) or asks

    def pending(self) -> list[Record]:
        """Records whose correction is due."""
        return [record for record in self.records.values() if record.due(self.options.correct)]

    def over_budget(self) -> InputError | None:
        """Why nothing may be written: more would change than max_changes allows."""
        number, limit = len(self.pending()), self.options.max_changes
        if limit is None or number <= limit:
            return None
        return InputError(
            "apply the changes",
            f"{number} targets would change and max_changes is {limit}; nothing was written",
            code="MaxChanges",
            next_step="read the drift report, then raise max_changes if all of it is meant",
        )

    @property
    def overlaps(self) -> bool:
        """Whether to write while others are still read."""
        return self.capability.overlaps and not self.options.check and self.options.max_changes is None

    async def _survey(self) -> None:
        """Observe and plan."""
        self.reporter.update(phase="observe")
        await self.capability.survey(self.client, self.wanted, self)

    async def _survey_and_apply(self) -> None:
        """Observe and plan, and write what is due so far while the rest is read."""
        survey = asyncio.create_task(self._survey())
        survey.add_done_callback(lambda _survey: self._news.set())
        try:
            while not survey.done() or self._due:
                await self._news.wait()
                self._news.clear()
                due, self._due = self._due, []
                if due:
                    await self._apply(due)
            await survey
        finally:
            survey.cancel()

    async def _apply(self, due: list[Record]) -> None:
        """Stage by stage. A refused write is a record, not the end of the tenant."""
        self._planned += len(due)
        self.reporter.update(phase="apply", planned=self._planned)

        async def write(record: Record) -> None:
            self._writing[record.target] = record
            requests: list[str] = []
            asked = WRITTEN.set(requests)
            try:
                written = await self._written(record)
            finally:
                WRITTEN.reset(asked)
            self.keep(written._replace(requests=tuple(requests)))
            del self._writing[record.target]

        for stage in self.capability.stages(due):
            await self.capability.each(self.client, self.wanted, stage, write)

    async def _written(self, record: Record) -> Record:
        try:
            refused = self.capability.veto(self.client, record.verdict, self.records)
            if refused is not None:
                raise refused
            done = await self.capability.apply(self.client, self.wanted, record.verdict)
        except OnboardingError as error:
            return record._replace(status=FAILED, error=error)
        except Exception as error:  # of an answer that nobody thought of: this target's, not the run's
            return record._replace(status=FAILED, error=typed(error))
        status = CORRECTED if record.status == DRIFTED else record.status
        if done is None:
            return record._replace(status=status, written=status == CORRECTED)
        ended = done.status or status
        written = status == CORRECTED and ended not in (IN_SYNC, DRIFTED, WAITING)
        return Record(done.verdict or record.verdict, ended, done.error, written, done.found)

    def cut_short(self, error: OnboardingError) -> None:
        """Tell what a run came to that did not reach its end: what is not known stays unknown, what is due drifted."""
        for record in list(self._writing.values()):
            text = f"{error.message}, while it was written: it may have been done"
            lost = NoAnswerError(f"{record.verdict.action} {record.target}", text, code=error.code)
            self.keep(record._replace(status=FAILED, error=lost))
        if not self.options.check:
            self._left_undone()
        looked_at = f"{len(self.records)} of {self._expected or 'an unknown number of'} targets were looked at"
        error.message = f"{error.message}; {looked_at}"
        self.rest = [Record(unknown(REST, error), UNKNOWN, error)]
        self.reporter.failure(str(error))
        self._write_down(self.rest[0])

    def _left_undone(self) -> None:
        """Evidence of what was planned and, by decision, not written."""
        for record in () if self.capability.proves else self.pending():
            self._write_down(record)

    def proven(self) -> None:
        """Evidence that waited for the end of the run."""
        for record in self.in_order() if self.capability.proves else ():
            self._write_down(record)

    def _write_down(self, record: Record) -> None:
        if self.evidence:
            self.evidence.write({"time": now(), **self._told(record).line()})

    def _told(self, record: Record) -> Record:
        return undone(record) if self.options.fail_on == BLOCKED else record

    def in_order(self) -> list[Record]:
        return sorted(self.records.values(), key=self.capability.order)

    def told(self) -> list[Record]:
        """The records as the result tells them: where it was asked for, what could not be made is a failure."""
        return [self._told(record) for record in self.in_order()]
