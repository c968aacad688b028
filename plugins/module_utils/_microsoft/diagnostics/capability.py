# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One tenant, one run: observe, plan, apply, and say what was seen and done."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, Protocol
from urllib.parse import quote

from ..._core import outcome
from ..._core import policy as drift
from ..._core.errors import InputError, OnboardingError, RefusedError
from ..._core.evidence import EvidenceFile
from ..._core.outcome import CHANGED, FAILED, SKIPPED, UNKNOWN
from ..._core.redaction import Redactor
from ..._core.throttle import interleave
from ..arm.client import Arm, Call, connected
from ..arm.resources import Target, same_id, target_path
from ..identity import options as identity_options
from ..settings.plan import Action, Verdict, plan
from ..settings.setting import Offered, Setting, body
from . import api as observe
from . import options, record
from .record import Record

CAPABILITY = "azure_diagnostics"
# A destination that refuses us does so for every target; after this many the rest is not tried.
MAX_SINK_REFUSALS = 3


class Reporter(Protocol):
    """Live progress (see _core.progress)."""

    def update(self, **counts: Any) -> None: ...

    def failure(self, text: str) -> None: ...


class Sweep:
    """The run over one tenant with checked parameters."""

    def __init__(
        self, params: Mapping[str, Any], arm: Arm, reporter: Reporter, evidence: EvidenceFile | None, *, check: bool
    ) -> None:
        self.params = params
        self.arm = arm
        self.reporter = reporter
        self.evidence = evidence
        self.check = check
        self.wanted = options.wanted(params, present=params["state"] == "present")
        self.identity = identity_options.identity(params)
        self.concurrency = max(1, params["concurrency"])
        self.records: dict[str, Record] = {}
        self.tally: Counter[str] = Counter()
        self.offers: dict[observe.Key, Offered] = {}
        self.estate: observe.Estate

    async def observe(self) -> None:
        """Read everything and plan each target as it comes in; what cannot be read is unknown."""
        self.estate = await observe.estate(self.arm, self.params)
        for subscription, error in self.estate.failed.items():
            whole = Target(f"/subscriptions/{subscription}", "resources of a subscription", subscription)
            self._keep(Record(whole, UNKNOWN, error=error), key=whole.id + "/resources")
        targets = []
        for target in self.estate.targets:
            if reason := observe.can_have_settings(target):
                self._keep(Record(target, SKIPPED, Verdict(SKIPPED, reason=reason)))
            else:
                targets.append(target)
        self.reporter.update(phase="observe", total=len(targets))
        offers = await observe.offers(self.arm, targets, self.concurrency)
        readable = []
        for target in targets:
            offered = offers[target.key]
            if isinstance(offered, OnboardingError):
                self._keep(Record(target, UNKNOWN, error=offered))
            elif not offered.logs:
                self._keep(Record(target, SKIPPED, Verdict(SKIPPED, reason="offers no log categories")))
            else:
                self.offers[target.key] = offered
                readable.append(target)

        def seen(target: Target, found: tuple[Setting, ...] | OnboardingError) -> None:
            if isinstance(found, OnboardingError):
                self._keep(Record(target, UNKNOWN, error=found))
            else:
                verdict = plan(self.wanted.desired(target), found, self.offers[target.key])
                self._keep(record.judged(target, verdict))

        await observe.settings(self.arm, readable, seen, self.concurrency)

    def over_limit(self) -> InputError | None:
        """Why nothing may be written, when more would change than is allowed."""
        number, limit = len(self.pending()), self.params["max_changes"]
        if not limit or number <= limit:
            return None
        return InputError(
            "apply the changes",
            f"{number} targets would change and max_changes is {limit}; nothing was written",
            code="MaxChanges",
            next_step="read the drift report, then raise max_changes if all of it is meant",
        )

    def pending(self) -> list[Record]:
        """Records whose verdict asks for a write."""
        return [item for item in self.records.values() if self._asks_for_a_write(item)]

    def _asks_for_a_write(self, item: Record) -> bool:
        action = record.asked(item)
        return action is not None and drift.allowed(self.params["correct"], action.kind)

    async def apply(self) -> None:
        """Write what the verdicts ask for. A refused write is a record, not the end of the tenant."""
        self.reporter.update(phase="apply", planned=len(self.pending()))
        refusals: Counter[frozenset[str]] = Counter()

        async def write(asked: tuple[Record, Call, Setting | None]) -> None:
            item, call, after = asked
            sinks = frozenset(after.sinks.values()) if after else frozenset()
            try:
                if refusals[sinks] >= MAX_SINK_REFUSALS:
                    raise _not_tried(item.target)
                await self.arm.call(call)
                self._keep(item._replace(status=CHANGED))
            except OnboardingError as error:
                refusals[sinks] += error.code == "LinkedAuthorizationFailed"
                self._keep(item._replace(status=FAILED, error=error))

        asked = [
            (item, self._write_call(item.target, item.verdict.action, item.verdict.after), item.verdict.after)
            for item in self.pending()
            if item.verdict and item.verdict.action
        ]
        for method, limit in (("PUT", "writes"), ("DELETE", "deletes")):
            work = [
                (item.target.subscription, (item, call, after)) for item, call, after in asked if call.method == method
            ]
            await interleave(work, limit, self.arm.buckets, write, self.concurrency)

    def _write_call(self, target: Target, action: Action, after: Setting | None) -> Call:
        path = f"{target_path(target.id)}{observe.PROVIDER}/diagnosticSettings/{quote(action.name)}"
        operation = f"{action.kind} the diagnostic setting of {target.id}"
        call = Call("DELETE", path, observe.SETTINGS_API, operation, target.subscription)
        if after is None:
            return call
        auxiliary = self.identity.auxiliary if self._crosses_tenants(after) else ()
        return call._replace(method="PUT", body=body(after, self.offers[target.key]), auxiliary=auxiliary)

    def _crosses_tenants(self, after: Setting) -> bool:
        """Whether a destination lies in a subscription that the primary token does not see."""
        return any(same_id(sink).split("/")[1] not in self.estate.visible for sink in after.sinks.values())

    def _keep(self, item: Record, key: str = "") -> None:
        key = key or item.target.id.casefold()
        before = self.records.get(key)
        self.records[key] = item
        self.tally[item.status] += 1
        if before:
            self.tally[before.status] -= 1
        if item.error is not None and item.status in (FAILED, UNKNOWN):
            self.reporter.failure(str(item.error))
        if self.evidence and not (self._asks_for_a_write(item) and not self.check):
            self.evidence.write(item.line())
        self.reporter.update(
            done=len(self.records),
            changed=self.tally[CHANGED],
            failed=self.tally[FAILED] + self.tally[UNKNOWN],
            throttled_seconds=self.arm.buckets.throttled_seconds,
        )

    def in_order(self) -> list[Record]:
        """Records by target: they come in as Azure answers, and bounded lists must show the same in every run."""
        return sorted(self.records.values(), key=lambda item: item.target.id.casefold())

    def written(self) -> list[Record]:
        """What was written, or may be."""
        return [item for item in self.in_order() if item.status == CHANGED or self._asks_for_a_write(item)]

    def result(self, seconds: float) -> dict[str, Any]:
        """The task's result, small and stable; the evidence has every target."""
        records = self.in_order()
        number = outcome.counts(item.status for item in records)
        told = record.problems(records)
        classes = record.drift_classes(records)
        names = {subscription.id: subscription.name for subscription in self.estate.taken}
        changed = bool(self.pending()) if self.check else number[CHANGED] > 0
        return {
            "changed": changed,
            "failed": outcome.failed(number, self.params["fail_on"]),
            "msg": record.message(number, classes, len(self.estate.taken), told),
            "summary": {
                "capability": CAPABILITY,
                "outcome": outcome.outcome(number),
                "counts": number,
                "drift": classes,
                "correctable": drift.correctable(action.kind for item in records if (action := record.asked(item))),
                "subscriptions": record.by_subscription(records, names),
                "left_out": [f"{s.name or s.id}: {reason}" for s, reason in self.estate.left_out][:20],
                "inventory": self.estate.source,
                "requests": dict(self.arm.requests),
                "throttled_answers": self.arm.throttled,
                "throttled_seconds": round(self.arm.buckets.throttled_seconds, 1),
                "seconds": round(seconds, 1),
            },
            "changes": record.changes(self.written()),
            "problems": told,
        }


def _not_tried(target: Target) -> RefusedError:
    return RefusedError(
        f"write the diagnostic setting of {target.id}",
        f"not tried: the same destination has refused {MAX_SINK_REFUSALS} targets of this tenant",
        code="LinkedAuthorizationFailed",
        status=403,
        next_step="see the first of these failures",
    )


async def run(
    params: Mapping[str, Any], reporter: Reporter, redactor: Redactor, *, check: bool, diff: bool
) -> dict[str, Any]:
    """Converge or remove the diagnostic settings of one tenant; the shape of the result is in the module's RETURN.

    Raises OnboardingError when the tenant as a whole cannot be dealt with.
    """
    started = time.monotonic()
    identity = identity_options.identity(params)
    options.wanted(params, present=params["state"] == "present")
    path = params.get("evidence_path")
    async with connected(identity, params["concurrency"], redactor) as arm:
        with EvidenceFile(path, redact=redactor) if path else nullcontext() as evidence:
            sweep = Sweep(params, arm, reporter, evidence, check=check)
            await sweep.observe()
            stop = None if check else sweep.over_limit()
            if not check and not stop:
                await sweep.apply()
            elif stop and evidence:
                for item in sweep.pending():
                    evidence.write(item.line())
    result = sweep.result(time.monotonic() - started)
    result["summary"]["credentials"] = identity.expiries()
    if stop:
        result |= {"changed": False, "failed": True, "msg": str(stop)}
        result["problems"].insert(0, {**stop.problem(), "count": 1})
    if diff:
        result["diff"] = record.diffs(sweep.written())
    result["evidence"] = str(path) if evidence and not evidence.error else ""
    result["problems"] += evidence.problems if evidence else []
    return result
