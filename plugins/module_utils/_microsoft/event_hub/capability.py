# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Event Hub, one run: observe, plan, apply part by part, and say what was seen and done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..._core import outcome
from ..._core import policy as drift
from ..._core.errors import OnboardingError, RefusedError
from ..._core.evidence import EvidenceFile
from ..._core.redaction import Redactor
from ..._core.status import BLOCKED, CORRECTED, DRIFTED, FAILED
from ..arm.client import Arm, connected
from . import options as event_hub_options
from .api import EventHubs, body
from .plan import HUB, KEYS, NAMESPACE, PARENTS, READER, WRITER, Found, Verdict, plan

CAPABILITY = "event_hub_export"
BLOCKED_STEPS = {
    "no_location": "set location",
    "name_taken": "choose another namespace: its name is unique in all of Azure",
    "sku": "have its owner raise the tier to Standard, or name another namespace",
    "tier": "name another namespace: this one cannot become what is wanted",
    "local_auth": "have its owner allow keys in it, or name another namespace",
    "tls": "have its owner raise the minimum TLS version to 1.2",
    "location": "set location to where it is, or name another namespace",
    "rights": "name another rule, or have its owner give it these rights",
    "limit": "name another namespace, or have a hub that is no longer needed removed",
    "partition_count": "set partition_count to what is there, or name another hub and let its readers follow",
    "cleanup_policy": "name another hub",
    "retention": "set retention_hours to what is there, or name another hub",
    "disabled": "have its owner switch it on, or name another hub",
    "rotation": "have its owner change the key, or name a reader_rule of our own",
}


class Record(NamedTuple):
    """The end of one part. error: for failed."""

    part: str
    target: str
    status: str
    verdict: Verdict
    error: OnboardingError | None = None

    def line(self) -> dict[str, Any]:
        """The record as one line of evidence."""
        verdict = self.verdict
        sides = {"before": dict(verdict.before), "after": dict(verdict.after)}
        return outcome.line(
            self.target,
            self.status,
            type=self.part,
            drift=verdict.drift,
            reason=verdict.reason,
            action={"action": verdict.action, **sides} if verdict.action else None,
            error=self.error,
        )

    def problem(self) -> dict[str, Any] | None:
        if self.error:
            return self.error.problem(self.target)
        told = next((name for name in self.verdict.drift if name in BLOCKED_STEPS), "")
        if self.verdict.status != BLOCKED or not told:
            return None
        operation = f"make the {self.part.replace('_', ' ')} of {self.target} as wanted"
        step = BLOCKED_STEPS[told]
        return OnboardingError(operation, self.verdict.reason, code=told, next_step=step).problem(self.target)


class Run:
    """The run over one hub with checked parameters."""

    def __init__(self, params: Mapping[str, Any], arm: Arm, reporter: Any, *, check: bool) -> None:
        self.params = params
        self.reporter = reporter
        self.check = check
        self.wanted = event_hub_options.wanted(params)
        self.hubs = EventHubs(arm, params["subscription_id"], self.wanted, params["wait_seconds"])
        self.found = Found()
        self.records: dict[str, Record] = {}
        self.keys: dict[str, str] = {}

    async def observe(self) -> None:
        """Read everything and plan each part. Raises OnboardingError where anything cannot be read."""
        self.found = await self.hubs.found()
        for part, verdict in plan(self.wanted, self.found).items():
            status = DRIFTED if verdict.status == BLOCKED else verdict.status
            self.records[part] = Record(part, self.hubs.ids[part], status, verdict)
        self.reporter.update(phase="observe", total=len(self.records))

    def asks(self, item: Record) -> bool:
        """Whether a write is to be done; a key is changed on request only, so no level forbids it."""
        action = item.verdict.action
        allowed = action == "rotate" or (action and drift.allowed(self.params["correct"], action))
        return item.status == DRIFTED and bool(allowed)

    async def apply(self) -> None:
        """Write what the verdicts ask for, parents first, or children where all is to go. A refusal is a record."""
        for item in list(self.records.values()):
            try:
                if self.asks(item):
                    self._keep(await self._write(item))
            except OnboardingError as error:
                self._keep(item._replace(status=FAILED, error=error))

    def _keep(self, item: Record) -> None:
        self.records[item.part] = item
        tally = Counter(one.status for one in self.records.values())
        if item.error:
            self.reporter.failure(str(item.error))
        self.reporter.update(done=len(self.records), changed=tally[CORRECTED], failed=tally[FAILED])

    async def _write(self, item: Record) -> Record:
        part, verdict = item.part, item.verdict
        above = self.records.get(PARENTS.get(part, ""))
        if above and above.status == FAILED:
            raise _not_tried(item, f"its {above.part.replace('_', ' ')} could not be made")
        if verdict.action == "delete":
            await self._delete(item)
        elif verdict.action == "rotate":
            self.keys = await self.hubs.keys(self.wanted.rotate)
        else:
            sent = body(part, verdict.after, self.found, self.wanted)
            await self.hubs.arm.call(self.hubs.call("PUT", part, verdict.action, sent))
            if part == NAMESPACE:
                await self.hubs.settled()
        return item._replace(status=CORRECTED)

    async def _delete(self, item: Record) -> None:
        if item.part == NAMESPACE and (left := await self._hubs_left()):
            raise _not_tried(item, f"it still has hubs: {', '.join(left[:5])}")
        call = self.hubs.call("DELETE", item.part, "delete")
        try:
            await self.hubs.arm.call(call)
        except RefusedError as error:
            if error.status != 404:  # gone, whoever did it
                raise
        if item.part == NAMESPACE:
            await self.hubs.removed()

    async def _hubs_left(self) -> list[str]:
        """Hubs in the namespace now; ours may be listed for a while after it has gone."""
        gone = self.wanted.hub.casefold() if self.records[HUB].status == CORRECTED else ""
        return sorted(hub.name for name, hub in (await self.hubs.hubs()).items() if name != gone)

    async def read_keys(self) -> None:
        """The keys, where they are asked for and there is a rule to have them."""
        item = self.records.get(KEYS)
        there = self.found.reader is not None or self.records[READER].status == CORRECTED
        if not item or not self.wanted.keys or not there or item.status == FAILED or self.keys:
            return
        try:
            self.keys = await self.hubs.keys()
        except OnboardingError as error:
            self._keep(item._replace(status=FAILED, error=error))

    def written(self) -> list[Record]:
        """What was written, or may be."""
        return [one for one in self.records.values() if one.status == CORRECTED or self.asks(one)]

    def result(self) -> dict[str, Any]:
        """The task's result; the keys are in it only where they were asked for."""
        records = list(self.records.values())
        number = outcome.counts(one.status for one in records)
        told = outcome.merged(problem for one in records if (problem := one.problem()))
        classes = Counter(name for one in records for name in one.verdict.drift)
        actions = [one.verdict.action for one in records if one.status == DRIFTED and one.verdict.action]
        ids = self.hubs.ids
        found = {
            "changed": bool(self.written()) if self.check else number[CORRECTED] > 0,
            "failed": outcome.failed(number, self.params["fail_on"]),
            "msg": self._message(number, classes, told),
            "summary": {
                "capability": CAPABILITY,
                "outcome": outcome.outcome(number),
                "counts": number,
                "drift": dict(sorted(classes.items())),
                "correctable": drift.correctable(actions),
                "kept": [f"{one.target}: {one.verdict.reason}" for one in records if "kept: " in one.verdict.reason],
                "requests": dict(self.hubs.arm.requests),
            },
            "namespace_id": ids[NAMESPACE],
            "event_hub_id": ids[HUB],
            "event_hub_authorization_rule_id": ids[WRITER],
            "reader_rule_id": ids[READER],
            "changes": [
                {"target": one.target, "action": one.verdict.action, "drift": list(one.verdict.drift)}
                for one in self.written()
            ],
            "problems": told,
        }
        return found | ({"keys": self.keys} if self.wanted.keys else {})

    def _message(self, number: Mapping[str, int], classes: Mapping[str, int], told: list[dict[str, Any]]) -> str:
        text = f"Event Hub {self.wanted.namespace}/{self.wanted.hub}: {outcome.spelled(number)}."
        drifted = [f"{one.part.replace('_', ' ')} {' and '.join(one.verdict.drift)}" for one in self.records.values()
                   if one.verdict.drift]  # fmt: skip
        if classes:
            text += f" Drift: {', '.join(drifted)}."
        return text + outcome.worst(told)

    def diffs(self) -> list[dict[str, Any]]:
        """Ansible's diff, before and after by part."""
        return [
            {
                "before_header": one.target,
                "after_header": one.target,
                "before": dict(one.verdict.before),
                "after": dict(one.verdict.after),
            }
            for one in self.written()
        ]


def _not_tried(item: Record, why: str) -> RefusedError:
    operation = f"{item.verdict.action} the {item.part.replace('_', ' ')} of {item.target}"
    return RefusedError(
        operation, f"not tried: {why}", code="NotTried", next_step="see to the first failure, then run again"
    )


async def run(
    params: Mapping[str, Any], reporter: Any, redactor: Redactor, *, check: bool, diff: bool
) -> dict[str, Any]:
    """Make or remove one Event Hub and what belongs to it; the shape of the result is in the module's RETURN.

    Raises OnboardingError when something of it cannot be read.
    """
    identity = event_hub_options.identity(params)
    event_hub_options.wanted(params)
    path = params.get("evidence_path")
    async with connected(identity, 4, redactor) as arm:
        one = Run(params, arm, reporter, check=check)
        await one.observe()
        if not check:
            await one.apply()
        await one.read_keys()
    result = one.result()
    result["summary"]["credentials"] = identity.expiries()
    if diff:
        result["diff"] = one.diffs()
    result["evidence"] = ""
    if path:
        with EvidenceFile(path, redact=redactor) as evidence:
            for record in one.records.values():
                evidence.write(record.line())
        result["evidence"] = "" if evidence.error else str(path)
        result["problems"] += evidence.problems
    return result
