# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One tenant, one run: observe, plan, apply, look at the customers of a channel, and say what was seen and done."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from .._core import outcome
from .._core import policy as drift
from .._core.errors import NoAnswerError, OnboardingError, RefusedError
from .._core.evidence import EvidenceFile
from .._core.redaction import Redactor
from .._core.status import CORRECTED, DRIFTED, FAILED, IN_SYNC, UNKNOWN
from . import observe, options, record
from .client import Call, Coro, connected
from .connectors import Connector, Wanted, body, parse
from .fingerprints import Fingerprints
from .observe import Workspace
from .plan import CREATE, DELETE, SYNC, Action, child, plan
from .record import Record

CAPABILITY = "coro_connectors"
OPERATIONS = {"create": "create", "update": "update", "delete": "delete", "sync": "test"}


class Sweep:
    """The run over one workspace, and over the customers below it, with checked parameters."""

    def __init__(
        self, params: Mapping[str, Any], coro: Coro, reporter: Any, evidence: EvidenceFile | None, *, check: bool
    ) -> None:
        self.params = params
        self.coro = coro
        self.reporter = reporter
        self.evidence = evidence
        self.check = check
        self.wanted = options.wanted(params)
        self.workspace = coro.identity.workspace
        self.profile = coro.identity.profile
        self.fingerprints = _fingerprints(params, self.workspace)
        self.records: dict[str, Record] = {}
        self.tally: Counter[str] = Counter()
        self.customers = 0
        self._found: tuple[Connector, ...] = ()

    async def observe(self) -> None:
        """Read the workspace and plan each connector. Raises OnboardingError where it cannot be read."""
        self.reporter.update(phase="observe", total=len(self.wanted))
        self._found = await observe.connectors(self.coro, self.workspace)
        policy = options.policy(self.params)
        if any(one.apply_to_all and one.state != "absent" for one in self.wanted):
            own = await observe.own(self.coro, self.workspace)
            policy = policy._replace(channel=own.kind == observe.CHANNEL)
        verdicts = plan(self.wanted, self._found, self._stale(), policy)
        for name, verdict in verdicts.items():
            item = record.judged(self.workspace, name, verdict)
            self._keep(
                item,
                final=self.check or not (verdict.action and (item.status == IN_SYNC or self._may_be_written(item))),
            )

    def _stale(self) -> frozenset[str]:
        """Ids of connectors whose secret is to be sent again."""
        mode, wanted = self.params["update_secret"], {one.name: one for one in self.wanted if one.state != "absent"}
        ours = {other.id: wanted[other.name] for other in self._found if other.name in wanted and not other.inherited}
        ours |= {one.id: one for one in wanted.values() if one.id}
        if mode == options.ALWAYS:
            return frozenset(id_ for id_, one in ours.items() if one.secrets)
        if self.fingerprints is None:
            return frozenset()
        return frozenset(id_ for id_, one in ours.items() if one.secrets and self.fingerprints.stale(id_, one.secrets))

    def pending(self) -> list[Record]:
        """Records whose verdict asks for a write that may be done."""
        return [one for one in self.records.values() if self._may_be_written(one)]

    def _may_be_written(self, one: Record) -> bool:
        return one.asked is not None and drift.allowed(self.params["correct"], one.asked.level)

    def _work(self) -> list[tuple[Record, Action]]:
        """What is to be done: first what is to be there, then what is to go, so that no event is lost.

        What is as wanted may ask for a test, which changes nothing.
        """
        found = [
            (one, one.verdict.action)
            for one in self.records.values()
            if one.verdict and one.verdict.action and (one.status == IN_SYNC or self._may_be_written(one))
        ]
        return sorted(found, key=lambda work: work[1].kind == DELETE)

    async def apply(self) -> None:
        """Write what the verdicts ask for. A refused write is a record; nothing unnamed is removed after one."""
        self.reporter.update(phase="apply", planned=len(self.pending()))
        named = {one.name for one in self.wanted}
        for one, action in self._work():
            verdict = one.verdict
            try:
                if one.name not in named and self.tally[FAILED]:
                    raise _not_removed(one)
                self._keep(await self._write(one, action, verdict.after if verdict else None))
            except OnboardingError as error:
                self._keep(one._replace(status=FAILED, error=error))

    async def _write(self, one: Record, action: Action, after: Wanted | None) -> Record:
        """The record after one write. Raises OnboardingError."""
        method, path = self.profile.path(OPERATIONS[action.kind], action.id)
        send = action.secrets or not self.profile.keeps_unsent_secrets
        sent = body(after, self.profile, secrets=send) if after and action.kind != SYNC else None
        words = "test (sync)" if action.kind == SYNC else action.kind
        call = Call(method, path, f"{words} the SIEM connector of {one.target}", self.workspace, sent,
                    again=action.kind != CREATE)  # fmt: skip
        try:
            answer = await self.coro.call(call)
        except (NoAnswerError, RefusedError) as error:
            if action.kind == DELETE and error.status == 404:  # gone, whoever did it
                answer = None
            elif action.kind == CREATE and (isinstance(error, NoAnswerError) or (error.status or 0) >= 500):
                answer = await self._was_made(one.name, error)
            else:
                raise
        if action.kind == DELETE:
            self._remember(action.id, None)
            return one._replace(status=CORRECTED, connector=None)
        made = self._made(answer) or one.connector
        if made is not None and after and sent is not None and send:
            self._remember(made.id, after)
        return one._replace(status=CORRECTED if one.status == DRIFTED else IN_SYNC, connector=made)

    async def _was_made(self, name: str, error: OnboardingError) -> Connector:
        """Whether a create without an answer took place: it is not simply tried again, which might make two."""
        found = [one for one in await observe.connectors(self.coro, self.workspace) if one.name == name]
        if len(found) != 1:
            raise error
        return found[0]

    def _made(self, answer: Any) -> Connector | None:
        """The connector in an answer; None for an answer without one, which the contract does not promise."""
        if isinstance(answer, Connector):
            return answer
        try:
            return parse(answer, self.profile)
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def _remember(self, id_: str, after: Wanted | None) -> None:
        if self.fingerprints is None:
            return
        if after is None:
            self.fingerprints.forget(id_)
        else:
            self.fingerprints.keep(id_, after.secrets)
        self.fingerprints.save()

    async def look_at_customers(self) -> None:
        """Whether each customer of a channel has what applies to all of them; only where something does or did."""
        expected = self._expected()
        concerned = any(expected.values()) or any(one.apply_to_all for one in self._found if one.name in expected)
        if not expected or not concerned or not self.params["check_customers"]:
            return
        below = await observe.children(self.coro, self.workspace)
        self.customers = len(below)
        self.reporter.update(phase="customers", total=len(self.records) + len(below))

        def seen(one: Workspace, found: tuple[Connector, ...] | OnboardingError) -> None:
            if isinstance(found, OnboardingError):
                self._keep(Record(one.id, "", UNKNOWN, error=found))
            else:
                self._keep(record.judged(one.id, "", child(expected, found, self.workspace)))

        await observe.of_each(self.coro, below, seen, max(1, self.params["concurrency"]))

    def _expected(self) -> dict[str, bool]:
        """Name -> whether the channel's connector applies to all customers now, without those still to be written."""
        expected = {}
        for one in self.records.values():
            if one.status in (IN_SYNC, CORRECTED) and one.verdict:
                after, before = one.verdict.after, one.verdict.before
                there = one.connector if after is None else after
                if not (before and before.inherited):
                    expected[one.name] = there is not None and there.apply_to_all
        return expected

    def _keep(self, item: Record, *, final: bool = True) -> None:
        before = self.records.get(item.target)
        self.records[item.target] = item
        self.tally[item.status] += 1
        if before:
            self.tally[before.status] -= 1
        if item.error is not None and item.status in (FAILED, UNKNOWN):
            self.reporter.failure(str(item.error))
        if self.evidence and final:
            self.evidence.write(item.line())
        self.reporter.update(
            done=len(self.records),
            changed=self.tally[CORRECTED],
            failed=self.tally[FAILED] + self.tally[UNKNOWN],
            throttled_seconds=self.coro.buckets.throttled_seconds,
        )

    def in_order(self) -> list[Record]:
        """Connectors of the workspace by name, then the customers: bounded lists must show the same in every run."""
        return sorted(self.records.values(), key=lambda one: (not one.name, one.target))

    def written(self) -> list[Record]:
        """What was written, or may be."""
        return [one for one in self.in_order() if one.status == CORRECTED or self._may_be_written(one)]

    def result(self, seconds: float) -> dict[str, Any]:
        """The task's result, small and stable; the evidence has every target."""
        records = self.in_order()
        number = outcome.counts(one.status for one in records)
        told = record.problems(records)
        classes = record.drift_classes(records)
        return {
            "changed": bool(self.pending()) if self.check else number[CORRECTED] > 0,
            "failed": outcome.failed(number, self.params["fail_on"]),
            "msg": record.message(number, classes, self.customers, told),
            "warnings": options.warnings(self.wanted),
            "summary": {
                "capability": CAPABILITY,
                "outcome": outcome.outcome(number),
                "counts": number,
                "drift": classes,
                "correctable": drift.correctable(one.asked.level for one in records if one.asked),
                "customers": self.customers,
                "secret_checked": self.params["update_secret"] != options.ON_CREATE,
                "requests": dict(self.coro.requests),
                "throttled_answers": self.coro.throttled,
                "throttled_seconds": round(self.coro.buckets.throttled_seconds, 1),
                "seconds": round(seconds, 1),
            },
            "connectors": record.shown(records),
            "changes": record.changes(self.written()),
            "problems": told,
        }


def _fingerprints(params: Mapping[str, Any], workspace: str) -> Fingerprints | None:
    folder = options.fingerprint_dir(params)
    return Fingerprints(folder, workspace, params["fingerprint_key"]) if folder else None


def _not_removed(one: Record) -> RefusedError:
    return RefusedError(
        f"delete the SIEM connector of {one.target}",
        "not tried, since a connector that the tenant file names could not be written",
        code="NotTried",
        next_step="see to the first failure, then run again",
    )


async def run(
    params: Mapping[str, Any], reporter: Any, redactor: Redactor, *, check: bool, diff: bool
) -> dict[str, Any]:
    """Converge the SIEM connectors of one workspace; the shape of the result is in the module's RETURN.

    Raises OnboardingError when the workspace as a whole cannot be dealt with.
    """
    started = time.monotonic()
    identity = options.identity(params)
    for secret in options.bare_secrets(params):
        redactor.add(secret)
    path = params.get("evidence_path")
    async with connected(identity, params["concurrency"], redactor) as coro:
        with EvidenceFile(path, redact=redactor) if path else nullcontext() as evidence:
            sweep = Sweep(params, coro, reporter, evidence, check=check)
            await sweep.observe()
            if not check:
                await sweep.apply()
            await sweep.look_at_customers()
    result = sweep.result(time.monotonic() - started)
    if diff:
        result["diff"] = record.diffs(sweep.written())
    result["evidence"] = str(path) if evidence and not evidence.error else ""
    result["problems"] += evidence.problems if evidence else []
    return result


async def run_one(
    params: Mapping[str, Any], reporter: Any, redactor: Redactor, *, check: bool, diff: bool
) -> dict[str, Any]:
    """The same for one connector alone."""
    return await run(options.tenant_params(params), reporter, redactor, check=check, diff=diff)
