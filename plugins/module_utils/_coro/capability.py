# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SIEM connectors of one Coro workspace, and whether the customers below a channel have them too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from .._core import engines
from .._core.capability import Applied, Capability, Give
from .._core.client import ODD_SHAPE
from .._core.converge import Run
from .._core.coverage import Scope, Seen
from .._core.entry import Engine
from .._core.errors import NoAnswerError, OnboardingError, RefusedError
from .._core.findings import Finding
from .._core.fingerprints import load
from .._core.freshness import Flow
from .._core.options import RunOptions
from .._core.redaction import Redactor
from .._core.status import CORRECTED, FAILED, IN_SYNC
from .._core.verdict import Record, Verdict, not_tried, unknown
from . import api, options, scopes
from . import freshness as flows
from . import preflight as checks
from .api import Workspace
from .client import Call, Coro, connected
from .connectors import Connector, Wanted, body, parse
from .options import Setup
from .plan import CREATE, DELETE, SYNC, child, differing, plan

# Kind of action -> operation of the contract profile.
OPERATIONS = {"create": "create", "update": "update", "delete": "delete", "sync": "test"}
MAX_CONNECTORS_SHOWN = 50
MAX_WORKSPACES_SHOWN = 200


class CoroConnectors(Capability[Setup, Coro]):
    """Connectors by C(<workspace>/<name>), customers of a channel by their workspace."""

    name = covers = "coro_connectors"

    def wanted(self, params: Mapping[str, Any]) -> Setup:
        return options.setup(params)

    @asynccontextmanager
    async def connect(self, wanted: Setup, options: RunOptions, redactor: Redactor) -> AsyncIterator[Coro]:
        for secret in wanted.bare_secrets:
            redactor.add(secret)
        async with connected(wanted.identity, wanted.concurrency, redactor) as coro:
            coro.probes = wanted.probe and not options.check
            if wanted.fingerprint_dir:
                coro.sent = load(wanted.fingerprint_dir, "coro", wanted.identity.workspace, wanted.fingerprint_key)
            yield coro

    async def survey(self, client: Coro, wanted: Setup, give: Give) -> None:
        workspace = wanted.identity.workspace
        found = await api.connectors(client, workspace)
        policy = wanted.policy
        if any(one.apply_to_all and one.state != "absent" for one in wanted.connectors):
            own = await api.own(client, workspace)
            policy = policy._replace(channel=own.kind == api.CHANNEL)
        for name, verdict in plan(wanted.connectors, found, _stale(client, wanted, found), policy).items():
            give(_of_connector(verdict._replace(target=f"{workspace}/{name}"), workspace, verdict.before))

    def stages(self, due: Sequence[Record]) -> list[list[Record]]:
        """First what is to be there, then what is to go, so that no ticket is lost."""
        kept = [one for one in due if one.verdict.action != DELETE]
        return [kept, [one for one in due if one.verdict.action == DELETE]]

    def veto(self, client: Coro, verdict: Verdict, records: Mapping[str, Record]) -> OnboardingError | None:
        """What nobody named is not removed after a failure."""
        unnamed = verdict.subject.kind == DELETE and not verdict.subject.named
        if unnamed and any(record.status == FAILED for record in records.values()):
            return not_tried(verdict, "a connector that the tenant file names could not be written")
        return None

    async def apply(self, client: Coro, wanted: Setup, verdict: Verdict) -> Applied:
        action, profile, workspace = verdict.subject, client.identity.profile, client.identity.workspace
        method, path = profile.path(OPERATIONS[action.kind], action.id)
        send = action.secrets or not profile.keeps_unsent_secrets
        sent = body(verdict.after, profile, secrets=send) if verdict.after and action.kind != SYNC else None
        words = "test (sync)" if action.kind == SYNC else action.kind
        call = Call(method, path, f"{words} the SIEM connector of {verdict.target}", workspace, sent,
                    again=action.kind != CREATE)  # fmt: skip
        try:
            answer = await client.call(call)
        except (NoAnswerError, RefusedError) as error:
            if action.kind == DELETE and error.status == 404:  # gone, whoever did it
                answer = None
            elif action.kind == CREATE and (isinstance(error, NoAnswerError) or (error.status or 0) >= 500):
                answer = await _was_made(client, verdict, error)
            else:
                raise
        if action.kind == DELETE:
            _remember(client, action.id, None)
            return Applied()
        made = _made(client, answer)
        if made is None:
            made = verdict.before if sent is None else await _read_back(client, verdict, call.operation)
        if made is not None and sent is not None and send:
            _remember(client, made.id, verdict.after)
        return Applied(made, verdict=_of_connector(verdict, workspace, made))

    async def finish(self, client: Coro, wanted: Setup, run: Run[Setup, Coro]) -> None:
        """Whether each customer of a channel has what applies to all of them; only where something does or did."""
        own = list(run.records.values())
        expected = _expected(own)
        before = [one.verdict.before for one in own if one.verdict.before]
        concerned = any(expected.values()) or any(one.apply_to_all for one in before if one.name in expected)
        if not expected or not concerned or not wanted.check_customers:
            return
        below = await api.children(client, wanted.identity.workspace)
        run.reporter.update(phase="customers", total=len(run.records) + len(below))

        def seen(one: Workspace, found: tuple[Connector, ...] | OnboardingError) -> None:
            if isinstance(found, OnboardingError):
                run(unknown(one.id, found, workspace=one.id))
            else:
                verdict = child(expected, found, wanted.identity.workspace)
                run(_of_connector(verdict._replace(target=one.id), one.id, verdict.before))

        await api.of_each(client, below, seen, wanted.concurrency)

    async def preflight(self, client: Coro, wanted: Setup) -> list[Finding]:
        return await checks.findings(client, wanted)

    async def freshness(self, client: Coro, wanted: Setup) -> list[Flow]:
        return await flows.flows_of(client, wanted)

    def seen(self, client: Coro, wanted: Setup) -> Seen | None:
        return scopes.seen(client, wanted)

    def wants(self, wanted: Setup, scope: Scope) -> bool:
        return scopes.wants(wanted, scope)

    def regain(self, wanted: Setup, scope: Scope) -> str:
        return scopes.regain(scope)

    def flows_so_far(self, client: Coro) -> list[Flow]:
        return client.flows

    def held_up(self, client: Coro) -> float:
        return client.buckets.throttled_seconds

    def order(self, record: Record) -> Any:
        """Connectors of the workspace by name, then the customers."""
        return _is_customer(record), record.target

    def lead(self, wanted: Setup, records: Sequence[Record]) -> str:
        customers = sum(map(_is_customer, records))
        below = f" and {customers} customers below" if customers else ""
        return f"{len(records) - customers} connectors{below}"

    def summary(self, client: Coro, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        blind = _unproven(client, wanted, records)
        told = {"secret_checked": not blind, "secrets_unknown": blind[:MAX_CONNECTORS_SHOWN]}
        # Coro's credentials do end (CREDENTIALS_EXPIRED), and it does not say when.
        key = {"name": f"Coro API credentials {wanted.identity.client_id}", "expires": ""}
        return {"customers": client.customers, **told, "credentials": [key], **client.costs()}

    def outputs(self, client: Coro, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        """connectors: those that are there at the end."""
        held = [(record, connector) for record in records if (connector := _held(record))]
        return {
            "warnings": [
                *options.warnings(wanted.connectors),
                *([options.SECRETS_UNKNOWN] if _unproven(client, wanted, records) else []),
            ],
            "connectors": [
                {
                    "workspace": record.verdict.facts["workspace"],
                    "name": one.name,
                    "id": one.id,
                    "format": one.format,
                    "status": one.status or "unknown",
                    "inherited": one.inherited,
                }
                for record, one in held[:MAX_CONNECTORS_SHOWN]
            ],
        }

    def facts(self, client: Coro, wanted: Setup) -> Mapping[str, Any]:
        return (
            {"workspaces": [one._asdict() for one in client.visible[:MAX_WORKSPACES_SHOWN]]} if client.visible else {}
        )


class OneConnector(CoroConnectors):
    """The same of one connector alone, which says nothing of the others."""

    covers = ""

    def wanted(self, params: Mapping[str, Any]) -> Setup:
        return options.setup(options.tenant_params(params))


def _of_connector(verdict: Verdict, workspace: str, connector: Connector | None) -> Verdict:
    known = {"connector_id": connector.id, "connected": connector.status} if connector else {}
    return verdict._replace(facts={"workspace": workspace, **known})


def _stale(coro: Coro, wanted: Setup, found: Sequence[Connector]) -> frozenset[str]:
    """Ids of connectors whose secret is to be sent again."""
    named = {one.name: one for one in wanted.connectors if one.state != "absent"}
    ours = {other.id: named[other.name] for other in found if other.name in named and not other.inherited}
    ours |= {one.id: one for one in named.values() if one.id}
    sent = coro.sent
    return frozenset(
        id_
        for id_, one in ours.items()
        if one.secrets and (wanted.always or (sent is not None and sent.stale(id_, one.secrets)))
    )


def _unproven(coro: Coro, wanted: Setup, records: Sequence[Record]) -> list[str]:
    """Names of connectors of which nobody knows whether Coro holds the secrets of today."""
    with_secrets = {one.name for one in wanted.connectors if one.secrets and one.state != "absent"}
    held = ((record.target.partition("/")[2], _held(record)) for record in records)
    return sorted(
        name
        for name, one in held
        if one and name in with_secrets and not one.inherited
        if not (wanted.always or (coro.sent and coro.sent.knows(one.id)))
    )


def _remember(coro: Coro, id_: str, after: Wanted | None) -> None:
    """Keep the fingerprint of what was sent; None: the connector is gone."""
    if coro.sent is None:
        return
    if after is None:
        coro.sent.forget(id_)
    else:
        coro.sent.keep(id_, after.secrets)
    coro.sent.save()


async def _was_made(coro: Coro, verdict: Verdict, error: OnboardingError) -> Connector:
    """Whether a create without an answer took place: it is not simply tried again, which might make two."""
    found = [one for one in await api.connectors(coro, coro.identity.workspace) if one.name == verdict.after.name]
    if len(found) != 1:
        raise error
    return found[0]


async def _read_back(coro: Coro, verdict: Verdict, operation: str) -> Connector:
    """The connector after a write whose answer shows none. Raises OnboardingError."""
    after, id_ = verdict.after, verdict.subject.id
    own = [one for one in await api.connectors(coro, coro.identity.workspace) if not one.inherited]
    found = [one for one in own if (one.id == id_ if id_ else one.name == after.name)]
    if len(found) != 1 or differing(after, found[0]):
        text = "Coro took it, and it is not there as it was sent"
        raise NoAnswerError(operation, text, code="NotShown", status=200)
    return found[0]


def _made(coro: Coro, answer: Any) -> Connector | None:
    """The connector in an answer; None for an answer without one, which the contract does not promise."""
    if isinstance(answer, Connector):
        return answer
    try:
        return parse(answer, coro.identity.profile)
    except ODD_SHAPE:
        return None


def _is_customer(record: Record) -> bool:
    return bool(record.target == record.verdict.facts["workspace"])


def _held(record: Record) -> Connector | None:
    """The connector of a record as it stands at the end."""
    if _is_customer(record) or (record.status == CORRECTED and record.verdict.action == DELETE):
        return None
    found: Connector | None = record.found or record.verdict.before
    return found


def _expected(records: Sequence[Record]) -> dict[str, bool]:
    """Name -> whether the channel's connector applies to all customers now, without those still to be written."""
    expected = {}
    for record in records:
        verdict, there = record.verdict, record.verdict.after or _held(record)
        if record.status in (IN_SYNC, CORRECTED) and not (verdict.before and verdict.before.inherited):
            name = record.target.partition("/")[2]
            expected[name] = bool(there and there.apply_to_all)
    return expected


converge: Engine = engines.converge(CoroConnectors())
converge_one: Engine = engines.converge(OneConnector())
verify: Engine = engines.verify(CoroConnectors())
preflight: Engine = engines.preflight(CoroConnectors())
