# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines that modules and actions run: a capability's verbs, from checked parameters to a result."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from types import MappingProxyType
from typing import Any

from . import coverage, findings, freshness, result
from .capability import Capability
from .converge import REST, Run
from .coverage import Gone, Part
from .entry import Engine
from .errors import OnboardingError, OutOfTimeError, typed
from .evidence import EvidenceFile
from .evidence import now as evidence_now
from .findings import CUSTOMER, PROVIDER, Finding
from .freshness import UNREADABLE, Flow
from .limits import time_limit
from .options import RunOptions, run_options
from .redaction import Redactor
from .status import FAILED, SKIPPED, UNKNOWN, WAITING
from .verdict import Record, judged, unknown

# What the status of a target makes of it, as a part of the tenant; the rest is covered.
STATE_OF: Mapping[str, str] = {
    FAILED: coverage.UNREACHABLE,
    UNKNOWN: coverage.UNREACHABLE,
    WAITING: coverage.WAITING,
    SKIPPED: coverage.UNSUPPORTED,
}


def converge(capability: Capability[Any, Any]) -> Engine:
    """Onboard, drift, offboard: observe, plan, apply.

    Raises OnboardingError when the tenant as a whole cannot be dealt with.
    """

    async def engine(
        params: Mapping[str, Any], reporter: Any, redactor: Redactor, *, check: bool, diff: bool
    ) -> dict[str, Any]:
        started = time.monotonic()
        options = run_options(params, check=check, diff=diff)
        wanted = capability.wanted(params)
        async with capability.connect(wanted, options, redactor) as client:
            with _evidence(options, redactor) as evidence:
                run = Run(capability, client, wanted, options, reporter, evidence)
                stop = trace = None
                try:
                    async with time_limit(options.time_limit_seconds, f"finish {capability.name}"):
                        stop = await run.run()
                        await capability.finish(client, wanted, run)
                except Exception as error:
                    if not run.records and not isinstance(error, OutOfTimeError):
                        raise
                    trace = None if isinstance(error, OnboardingError) else traceback.format_exc()
                    run.cut_short(typed(error))
                run.proven()
                gone = _compared(capability, client, wanted, options)
                for scope, lost in gone:
                    run.miss(judged(unknown(scope.label, lost, scope=scope.name)))
            if not (run.records or run.missing or run.rest) and options.state == "present":
                raise coverage.nothing_seen(capability.name)
            found = _converged(capability, client, wanted, options, run)
        found["summary"]["seconds"] = round(time.monotonic() - started, 1)
        if trace:
            found |= {"failed": True, "exception": trace}
        records = run.in_order()
        told = _judged(capability, client, records) if capability.collects else {}
        general = coverage.general(coverage.strays(capability.seen(client, wanted), told))
        found["coverage"] = _coverage(
            capability, client, wanted, found, gone, told, blind=bool(run.rest), general=general,
            skipped=_skipped(records), whole=True,
        )  # fmt: skip
        if stop:
            found |= {"changed": False, "failed": True, "msg": str(stop)}
            found["problems"].insert(0, {**stop.problem(), "count": 1})
        return _with_evidence(found, evidence)

    return _of(capability, engine)


def _converged(
    capability: Capability[Any, Any], client: Any, wanted: Any, options: RunOptions, run: Run[Any, Any]
) -> dict[str, Any]:
    """The result of a run; of one that was cut short, without what the capability cannot say yet."""
    records = run.told()
    with suppress(*((Exception,) if run.rest else ())):
        return result.converged(
            capability.name,
            [*records, *run.missing, *run.rest],
            options,
            lead=capability.lead(wanted, records),
            summary=capability.summary(client, wanted, records),
            outputs=capability.outputs(client, wanted, records),
        )
    return result.converged(capability.name, [*records, *run.missing, *run.rest], options)


def verify(capability: Capability[Any, Any]) -> Engine:
    """Whether data arrives. Reads only, so check mode is no different."""

    async def engine(
        params: Mapping[str, Any], reporter: Any, redactor: Redactor, *, check: bool, diff: bool
    ) -> dict[str, Any]:
        options = run_options(params, check=check, diff=diff)
        wanted = capability.wanted(params)
        async with capability.connect(wanted, options, redactor) as client:
            try:
                async with time_limit(options.time_limit_seconds, f"verify {capability.name}"):
                    flows = await capability.freshness(client, wanted)
            except OutOfTimeError as error:
                flows = [*capability.flows_so_far(client), Flow(REST, UNREADABLE, error=error)]
            if not flows:
                raise coverage.nothing_seen(capability.name)
            gone = _compared(capability, client, wanted, options)
            flows += [Flow(scope.label, UNREADABLE, error=error) for scope, error in gone]
            summary = capability.summary(client, wanted, ())
            facts = capability.facts(client, wanted)
        now, timestamp = time.time(), evidence_now()
        flows = [freshness.dated(flow, now) for flow in flows]
        with _evidence(options, redactor) as evidence:
            for flow in flows:
                if flow.status == UNKNOWN:
                    reporter.failure(f"{flow.source}: {flow.line(now)['message']}")
                if evidence:
                    evidence.write({"time": timestamp, **flow.line(now)})
        found = freshness.verified(capability.name, flows, now, summary=summary, outputs=facts)
        said = [_unread(flow) if flow.status == UNKNOWN else Part(flow.source, coverage.COVERED) for flow in flows]
        told, general = coverage.spoken(capability.seen(client, wanted), said)
        blind = all(part.state != coverage.COVERED for part in said) or REST in (flow.source for flow in flows)
        found["coverage"] = _coverage(capability, client, wanted, found, gone, told, blind=blind, general=general)
        return _with_evidence(found, evidence)

    return _of(capability, engine)


def preflight(capability: Capability[Any, Any]) -> Engine:
    """What is missing, and who can grant it. Reads only, so check mode is no different."""

    async def engine(
        params: Mapping[str, Any], reporter: Any, redactor: Redactor, *, check: bool, diff: bool
    ) -> dict[str, Any]:
        options = run_options(params, check=check, diff=diff)
        wanted = capability.wanted(params)
        async with capability.connect(wanted, options, redactor) as client:
            try:
                async with time_limit(options.time_limit_seconds, f"check {capability.name}"):
                    checks = await capability.preflight(client, wanted)
            except OutOfTimeError as error:
                checks = [Finding(REST, capability.name, findings.UNKNOWN, error.message, PROVIDER, error.next_step)]
                return findings.result(capability.name, checks)
            if not checks:
                raise coverage.nothing_seen(capability.name)
            gone = _compared(capability, client, wanted, options)
            checks += [
                Finding(
                    "coverage", scope.label, findings.UNKNOWN, error.message, error.owner or CUSTOMER, error.next_step
                )
                for scope, error in gone
            ]
            if capability.expects and not options.evidence_path:
                checks.append(_blind(capability))
            found = findings.result(capability.name, checks)
            told, general = coverage.spoken(capability.seen(client, wanted), map(_lacking, checks))
            blind = all(one.status != findings.OK for one in checks)
            found["coverage"] = _coverage(capability, client, wanted, found, gone, told, blind=blind, general=general)
            found["summary"] |= capability.summary(client, wanted, ())
            found |= capability.facts(client, wanted)
        return found

    return _of(capability, engine)


def _of(capability: Capability[Any, Any], engine: Engine) -> Engine:
    """An engine is its capability's, also for who asks in which package it is."""
    engine.__module__ = type(capability).__module__
    return engine


def _compared(capability: Capability[Any, Any], client: Any, wanted: Any, options: RunOptions) -> Gone:
    """What was there at the last good run and is not seen now."""
    path = coverage.memory_path(options.evidence_path, capability.covers) if capability.covers else None
    if path is None:
        return []
    if options.state == "absent":
        if not options.check:
            coverage.forget(path)
        return []
    seen = capability.seen(client, wanted)
    if seen is None:
        return []
    return coverage.remembered(
        path,
        capability.covers,
        seen,
        options.accept_missing,
        lambda scope: capability.wants(wanted, scope),
        lambda scope: capability.regain(wanted, scope),
    )


def _coverage(
    capability: Capability[Any, Any],
    client: Any,
    wanted: Any,
    found: Mapping[str, Any],
    gone: Gone,
    told: Mapping[str, Part],
    *,
    blind: bool,
    general: Part | None = None,
    skipped: Mapping[str, int] = MappingProxyType({}),
    whole: bool = False,
) -> dict[str, Any]:
    """What the result says of its coverage.

    told: by name, the parts of which the verb has found something; blind: it can say nothing of the others; general:
    what it does not know of no part in particular, and so of each of which it says nothing by name.
    """
    number = found["summary"]["counts"]
    seen = capability.seen(client, wanted)
    left_out: dict[str, str | int] = dict(skipped)
    left_out |= {one.name: one.why for one in seen.parts if one.state != coverage.NOT_ASKED} if seen else {}
    parts = list(told.values()) if whole else []
    if seen:
        parts = coverage.parts_of(seen, gone, told, general or _rest(found, blind=blind))
    missing = [scope for scope, _error in gone]
    return coverage.report(
        number["targets"], number["targets"] - number[UNKNOWN], left_out, missing, parts, whole=whole
    )


def _rest(found: Mapping[str, Any], *, blind: bool) -> Part:
    """A part that nothing is known of by its own name: it was looked at, unless the verb saw nothing."""
    first = next(iter(found["problems"]), None) if blind else None
    return Part("", coverage.UNREACHABLE, first["message"], first["next_step"]) if first else coverage.IS_COVERED


def _skipped(records: Sequence[Record]) -> dict[str, int]:
    return dict(Counter(one.verdict.reason for one in records if one.status == SKIPPED))


def _unread(flow: Flow) -> Part:
    line = flow.line(0.0)
    return Part(flow.source, coverage.UNREACHABLE, line["message"], line["next_step"])


def _lacking(one: Finding) -> Part:
    if one.status == findings.OK:
        return Part(one.subject, coverage.COVERED)
    waits = one.status == findings.MISSING and one.who == CUSTOMER
    return Part(one.subject, coverage.WAITING if waits else coverage.UNREACHABLE, one.detail, one.next_step)


def _judged(capability: Capability[Any, Any], client: Any, records: Sequence[Record]) -> dict[str, Part]:
    """By the name of a scope: covered where one of its records is, else as its worst one."""
    found: dict[str, Part] = {}
    for record in records:
        part = _part(record)
        for name in capability.scopes_of(client, record) or (record.target,):
            found[name] = min(found.get(name, part), part, key=coverage.weight)
    return found


def _part(record: Record) -> Part:
    """What a target's record says of it as a part of the tenant."""
    state = STATE_OF.get(record.status, coverage.COVERED)
    why = (record.error.message if record.error else record.verdict.reason) if state != coverage.COVERED else ""
    problem = record.problem() if why else None
    return Part(record.target, state, why, problem["next_step"] if problem else "")


def _blind(capability: Capability[Any, Any]) -> Finding:
    return Finding(
        "coverage",
        "since the last run",
        findings.OK,
        "no evidence is kept, so nothing tells what has gone since the last run",
        PROVIDER,
        f"enable the evidence callback, or name what is expected by {capability.covers}_{capability.expects}",
    )


def _evidence(options: RunOptions, redactor: Redactor) -> Any:
    path = options.evidence_path
    return EvidenceFile(path, redact=redactor) if path else nullcontext()


def _with_evidence(found: dict[str, Any], evidence: EvidenceFile | None) -> dict[str, Any]:
    """The result with where its evidence lies, or why it could not be written."""
    found["evidence"] = str(evidence.path) if evidence and not evidence.error else ""
    found["problems"] += evidence.problems if evidence else []
    return found
