# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Incidents and an ITSM that runs may be cut off from between any two writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ansible_collections.mssp.onboarding.plugins.module_utils._core.verdict import Verdict
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync import plan as rules
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync import tickets as t
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync.plan import Incident, Policy
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync.tickets import Step, Ticket


class Crash(Exception):
    """The process has gone."""


class World:
    """left: writes until the process is gone, None for never. notes: (number of ticket, incident) -> times."""

    def __init__(self, policy: Policy | None = None, tenant: str = "contoso") -> None:
        self.policy, self.tenant = policy or Policy(tags=True), tenant
        self.incidents: dict[str, Incident] = {}
        self.tickets: dict[str, Ticket] = {}
        self.notes: Counter[tuple[str, str]] = Counter()
        self.writes: list[Step] = []
        self.left: int | None = None

    def incident(self, id: str, status: str = t.LIVE, target: str = "", **more: object) -> Incident:
        before = self.incidents.get(id, Incident(id, status, f"title of {id}", "medium"))
        self.incidents[id] = before._replace(status=status, target=target, **more)  # type: ignore[arg-type]
        return self.incidents[id]

    def of(self, id: str) -> list[Ticket]:
        wanted = rules.key(self.tenant, id)
        return [one for one in self.tickets.values() if one.key.partition("/")[0] == wanted]

    def current(self, id: str) -> Ticket | None:
        return t.current(self.of(id))

    def edit(self, id: str, **fields: object) -> None:
        """A person's hand in the current ticket."""
        held = self.current(id)
        if held:
            self.tickets[held.id] = held._replace(**fields)  # type: ignore[arg-type]

    def planned(self, polled: Iterable[str] | None = None) -> list[Verdict]:
        """What a poll that sees these, and follows where they lead, comes to."""
        seen: dict[str, Incident | rules.OnboardingError] = {
            id: self.incidents[id] for id in (polled if polled is not None else self.incidents) if id in self.incidents
        }
        while more := rules.unread(seen):
            gone = rules.OnboardingError("read it", "it is not there", code="NotFound")
            seen |= {id: self.incidents.get(id, gone) for id in more}
        held = {id: self.of(id) for id in seen}
        return list(rules.plan(self.tenant, seen, held, self.policy))

    def apply(self, verdicts: list[Verdict]) -> None:
        for verdict in sorted((one for one in verdicts if one.subject), key=rules.stage):
            for step in verdict.subject:
                self._write(step)

    def _write(self, step: Step) -> None:
        if self.left is not None:
            if self.left == 0:
                raise Crash
            self.left -= 1
        self.writes.append(step)
        held = None if step.kind == t.CREATE else step.ticket or self.current(step.incident)
        if step.kind == t.TAG:
            assert held
            one = self.incidents[step.incident]
            self.incidents[one.id] = one._replace(tags=one.tags | {held.number})
            return
        assert held or step.kind == t.CREATE, step
        if held:
            held = self.tickets[held.id]
        made = t.after(held, step)
        if not made.id:
            number = len(self.tickets) + 1
            made = made._replace(id=f"{number:04}", number=f"INC{number:04}", created=f"{number:04}")
        made = made._replace(memo=t.memo(made.memo.text) if made.memo else None)
        self.tickets[made.id] = made
        if step.absorbed:
            self.notes[made.number, step.absorbed] += 1

    def run(self, polled: Iterable[str] | None = None, crash: int | None = None, other: bool = False) -> int:
        """One run, maybe cut off, maybe beside another one that has read the same. How many writes were done."""
        before, self.left = len(self.writes), crash
        verdicts = self.planned(polled)
        try:
            self.apply(verdicts)
            if other:
                self.apply([one for one in verdicts if one.action == "create"])
        except Crash:
            pass
        self.left = None
        return len(self.writes) - before

    def settle(self) -> None:
        for _run in range(4):
            if not self.run():
                return
        raise AssertionError(f"it does not come to rest: {self.writes[-4:]}")
