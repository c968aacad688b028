# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The application of an account, or of each child account, that may read its logs."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from .._core import engines
from .._core.capability import Applied, Capability, Give
from .._core.client import documented
from .._core.converge import Run
from .._core.coverage import Scope, Seen
from .._core.entry import Engine
from .._core.errors import NoAnswerError, OnboardingError, RefusedError
from .._core.findings import Finding
from .._core.freshness import FLOWING, STALE, UNREADABLE, Flow
from .._core.options import RunOptions
from .._core.redaction import Redactor
from .._core.status import BLOCKED, CORRECTED, FAILED, WAITING
from .._core.throttle import interleave
from .._core.verdict import Record, Verdict, unknown
from . import api, options
from . import freshness as flows
from . import preflight as checks
from .accounts import accounts, seen
from .client import Account, Duo, connected
from .freshness import Log
from .options import Setup
from .plan import ADMIN_API, HAND_OVER, Application, Kept, Wanted, differing, ours, plan

FORBIDDEN = 403
REFUSED_KEYS = (401, 403)


class DuoLogs(Capability[Setup, Duo]):
    """One target for each account: its id, or the API hostname of the one that the keys are of."""

    name = covers = "duo_logs"

    def wanted(self, params: Mapping[str, Any]) -> Setup:
        return options.setup(params)

    @asynccontextmanager
    async def connect(self, wanted: Setup, options: RunOptions, redactor: Redactor) -> AsyncIterator[Duo]:
        for kept in wanted.kept.values():
            redactor.add(kept.secret)
        tells = wanted.return_secrets
        async with connected(wanted.identity, wanted.concurrency, redactor, tells=tells) as client:
            yield client

    async def survey(self, client: Duo, wanted: Setup, give: Give) -> None:
        chosen = await accounts(client, wanted)
        give.expect(len(chosen))

        async def look(account: Account) -> None:
            give(await _verdict(client, wanted, account))

        await api.of_each(client, chosen, look, wanted.concurrency)

    async def each(self, client: Duo, wanted: Setup, stage: Sequence[Record], write: Callable[[Record], Any]) -> None:
        items = [(client.identity.key, record) for record in stage]
        await interleave(items, "write", client.buckets, write, wanted.concurrency)

    async def apply(self, client: Duo, wanted: Setup, verdict: Verdict) -> Applied:
        account, one = verdict.subject
        if verdict.action == "delete":
            await api.delete(client, account, one)
            return Applied()
        if verdict.action == HAND_OVER:
            await api.secret(client, account, one.key)
            return Applied(one)
        if verdict.action == "create":
            one = await _created(client, account, wanted.application)
        else:
            await api.update(client, account, one, wanted.application)
        # Duo may leave out without a word what the caller may not set.
        made = await api.application(client, account, one.key)
        verdict = _of_account(verdict._replace(subject=made), account)
        drift, reason = differing(wanted.application, made)
        return (
            Applied(made, FAILED, _left_out(verdict, drift, reason), verdict)
            if drift
            else Applied(made, verdict=verdict)
        )

    async def finish(self, client: Duo, wanted: Setup, run: Run[Setup, Duo]) -> None:
        """Read the secrets that are asked for and that nobody has told yet."""
        for record in filter(_is_there, run.in_order()) if wanted.return_secrets else ():
            account, one = record.verdict.subject
            if not one.handed_over(wanted.kept.get(account.label, Kept())):
                try:
                    await api.secret(client, account, one.key)
                except OnboardingError as error:
                    run.keep(record._replace(status=FAILED, error=error))

    async def preflight(self, client: Duo, wanted: Setup) -> list[Finding]:
        return await checks.findings(client, wanted)

    async def freshness(self, client: Duo, wanted: Setup) -> list[Flow]:
        async def look(account: Account) -> None:
            client.flows += await _flows(client, wanted, account)

        await api.of_each(client, await accounts(client, wanted), look, wanted.concurrency)
        return self.flows_so_far(client)

    def flows_so_far(self, client: Duo) -> list[Flow]:
        return sorted(client.flows, key=lambda flow: flow.source)

    def seen(self, client: Duo, wanted: Setup) -> Seen | None:
        return seen(client)

    def regain(self, wanted: Setup, scope: Scope) -> str:
        return (
            "see whether the account was closed, is no child of the parent any more, or was taken out of child_accounts"
        )

    def held_up(self, client: Duo) -> float:
        return client.buckets.throttled_seconds

    def lead(self, wanted: Setup, records: Sequence[Record]) -> str:
        return f"{len(records)} accounts"

    def summary(self, client: Duo, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        return client.costs()

    def outputs(self, client: Duo, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        """applications: those that are there at the end; with secrets, where asked for, that are not kept already."""
        return {"applications": [_output(client, wanted, *one.verdict.subject) for one in records if _is_there(one)]}


def _output(client: Duo, wanted: Setup, account: Account, one: Application) -> dict[str, Any]:
    handed_over = one.handed_over(wanted.kept.get(account.label, Kept()))
    secret = client.secrets.get(one.key, "")
    return {
        "account": account.label,
        "account_name": account.name,
        "api_host": account.host,
        "name": one.name,
        "integration_key": one.key,
        **({"secret_key": secret} if wanted.return_secrets else {"handed_over": handed_over}),
    }


def _is_there(record: Record) -> bool:
    """Whether the record has an application of ours that is there at the end."""
    there = bool(record.verdict.subject) and record.verdict.subject[1] is not None
    gone = record.verdict.action == "delete" and record.status == CORRECTED
    return there and not gone and record.verdict.status != BLOCKED


async def _verdict(client: Duo, wanted: Setup, account: Account) -> Verdict:
    """What the account needs; one that cannot be read is unknown, or somebody else's to do."""
    try:
        found = await api.applications(client, account)
    except OnboardingError as error:
        if account.id and error.status == FORBIDDEN:
            reason = f"{account.name}: {error.code}: {error.message}"
            verdict = Verdict(account.label, WAITING, ("not_reached",), reason, next_step=checks.OTHER_DEPLOYMENT_STEP)
            return _of_account(verdict, account)
        return _of_account(unknown(account.label, error), account)
    kept = wanted.kept.get(account.label, Kept())
    return _of_account(plan(account.label, wanted.application, kept, found, wanted.policy), account)


def _of_account(verdict: Verdict, account: Account) -> Verdict:
    """With the account for apply, and what evidence tells of it."""
    one: Application | None = verdict.subject
    key = {"integration_key": one.key} if one else {}
    return verdict._replace(subject=(account, one), facts={"account": account.name or account.host, **key})


async def _created(client: Duo, account: Account, wanted: Wanted) -> Application:
    """Make it; of one whose answer was lost, see whether it was made, and read its secret again."""
    try:
        return await api.create(client, account, wanted)
    except NoAnswerError:
        held = [
            one for one in await api.applications(client, account) if (one.type, one.name) == (ADMIN_API, wanted.name)
        ]
        if len(held) != 1:
            raise
        await api.secret(client, account, held[0].key)
        return held[0]


def _left_out(verdict: Verdict, drift: Sequence[str], reason: str) -> RefusedError:
    step = "let an Owner tick Grant setting permissions for the application that this run signs in with"
    text = f"Duo took the request and did not do all of it: {reason}"
    return RefusedError(f"{verdict.action} {verdict.target}", text, code="NotGranted", next_step=step)


# --- verify


async def _flows(client: Duo, wanted: Setup, account: Account) -> list[Flow]:
    """The account's logs, read with the keys that are handed over: that proves these, too."""
    kept = wanted.kept.get(account.label, Kept())
    try:
        held = ours(wanted.application, kept, await api.applications(client, account))
        if not held:
            return flows.absent(account.label)
        if len(held) > 1:
            text = f"several have its name: {', '.join(one.key for one in held)}"
            step = "run the drift playbook, which says what to do"
            raise RefusedError(f"find the application of {account.label}", text, code="duplicate", next_step=step)
        one = held[0]
        keys = kept if kept.key == one.key else Kept(one.key, await api.secret(client, account, one.key))
    except OnboardingError as error:
        return [Flow(f"{account.label}/{log.name}", UNREADABLE, error=error) for log in flows.LOGS]
    return [await _flow(client, account, keys, log) for log in flows.LOGS]


async def _flow(client: Duo, account: Account, keys: Kept, log: Log) -> Flow:
    now = time.time()
    source, operation = f"{account.label}/{log.name}", f"read the {log.name} log of {account.label}"
    try:
        answer = await client.ask(api.get(account, log.path, operation, flows.params(log, now), keys))
    except OnboardingError as error:
        # Keys that Duo itself refuses, by a code of its own, read no log, whoever has them.
        ended = error.status in REFUSED_KEYS and error.code.isdigit()
        return Flow(source, STALE if ended else UNREADABLE, error=error)
    try:
        with documented(operation):
            newest = flows.newest(log, answer)
    except OnboardingError as error:
        return Flow(source, UNREADABLE, error=error)
    try:
        attempts = [await api.attempts(client, account, *day) for day in flows.days(log, now)]
    except OnboardingError as error:
        told = flows.flow(account.label, log, newest, [], now)
        # A record that has come is proof enough; silence without the summary is none of anything.
        return told if told.state == FLOWING else Flow(source, UNREADABLE, error=error)
    return flows.flow(account.label, log, newest, attempts, now)


converge: Engine = engines.converge(DuoLogs())
verify: Engine = engines.verify(DuoLogs())
preflight: Engine = engines.preflight(DuoLogs())
