# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: what has arrived of one tenant, by azure-monitor-query and azure-mgmt-monitor, beside what is set."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from ..._core import engines
from ..._core.bodies import amount, mapping, text, words
from ..._core.capability import Capability
from ..._core.client import ODD_SHAPE
from ..._core.coverage import Scope, Seen
from ..._core.errors import MissingLibraryError, NoAnswerError, OnboardingError, RefusedError, malformed
from ..._core.freshness import (
    ABSENT,
    DAY,
    DOUBLED,
    FALLEN,
    FALLEN_STEP,
    FLOWING,
    QUIET,
    STALE,
    UNREADABLE,
    WAITING_FOR_DATA,
    Flow,
    Volume,
    daily,
    few,
    judge,
    weighed,
)
from ..._core.options import RunOptions
from ..._core.redaction import Redactor
from ..._core.shared_answers import answers
from ..._core.status import IN_SYNC, SKIPPED
from ..._core.token_cache import key as name_of
from ..._core.verdict import Record, Verdict
from ..arm import subscriptions as inventory
from ..arm.client import Call, connected
from ..arm.refusals import cure
from ..arm.resource_types import QUIET_TYPES
from ..arm.resources import target_path
from ..identity.credentials import GivenToken, Tokens
from ..identity.transport import limited
from . import options, scopes
from .api import Session
from .capability import survey
from .options import AUTO, RESOURCE, Watched
from .records import Arrival, Key, add, arrivals_of, by_type, query, rows_of

try:
    from azure.core.credentials import AccessToken
    from azure.core.exceptions import AzureError
    from azure.mgmt.monitor.aio import MonitorManagementClient
    from azure.monitor.query import LogsQueryStatus
    from azure.monitor.query.aio import LogsQueryClient
except ImportError:  # said by LogFlow, so that documentation tools can import this file

    class AzureError(Exception):  # type: ignore[no-redef]
        """Stands for the library's own."""

    LogsQueryClient = None  # type: ignore[assignment,misc]

SETTING_WRITTEN = "microsoft.insights/diagnosticsettings/write"
HUB_METRIC = "IncomingMessages"
# assumed: a table that does not say its plan has this one.
ANALYTICS = "analytics"
TABLES_API = "2023-09-01"
TABLE_NAME = re.compile(r"[A-Za-z]\w{0,62}")
# Of custom tables, search jobs and restored ones.
CUSTOM = ("_CL", "_SRCH", "_RST")
# A query of a Basic or Auxiliary table is billed by what it scans, and two may run at once.
MAX_ALONE = 10
NEVER_SEEN = "no record yet; resources of this type write one only when something rare happens"
ACTIVITY_LOG_DAYS = 89
# Log Analytics gives a query up after so many seconds; its answer may take a little longer.
SERVER_SECONDS = 180
QUERY_SECONDS = 240
# Targets of a tenant whose resources are judged one by one without having been asked for.
MAX_SMALL = 200
# From well to bad, as a type is told of which one resource is worse than the others.
BY_WEIGHT = (FLOWING, QUIET, WAITING_FOR_DATA, FALLEN, ABSENT, STALE, UNREADABLE)
STEPS = {
    DOUBLED: "take the logs out of one of the two settings; each record is paid for twice",
    ABSENT: "run the onboard playbook: no target of this type has a setting that sends its logs",
    WAITING_FOR_DATA: "wait: Azure takes up to 90 minutes after a setting is made",
    STALE: "see whether the resources still log at all; if so, remove the setting and run onboard again, "
    "which is what Azure advises after 24 hours without data",
}
QUERY_STEPS = {
    403: "grant the app Log Analytics Reader (or Contributor) on the workspace",
    404: "check workspace_id: there is no such workspace",
    429: "run again later: the workspace limits queries",
}


# (lower-case subscription, lower-case resource type)
Kind = tuple[str, str]


class Tables(NamedTuple):
    """Names of a workspace's tables: those that one query may ask, and those that have to be asked alone."""

    together: list[str]
    alone: list[str]


class LogFlow(Capability[Watched, Session]):
    """Whether the logs of a tenant's resources arrive, by resource type."""

    name = "azure_log_flow"
    covers = "azure_diagnostics"

    def wanted(self, params: Mapping[str, Any]) -> Watched:
        if LogsQueryClient is None:
            raise MissingLibraryError("azure-monitor-query and azure-mgmt-monitor")
        return options.watched(params)

    @asynccontextmanager
    async def connect(self, wanted: Watched, options: RunOptions, redactor: Redactor) -> AsyncIterator[Session]:
        async with connected(wanted.settings.identity, wanted.settings.concurrency, redactor) as arm:
            yield Session(arm)

    async def freshness(self, client: Session, wanted: Watched) -> list[Flow]:
        seen = Verdicts()
        await survey(client, wanted.settings, seen)
        verdicts = [verdict for verdict in seen if verdict.status != SKIPPED]
        arrivals = Arrivals(client, wanted)
        if wanted.workspace:
            client.flows = await _workspace(arrivals, wanted, verdicts)
        if wanted.hub_rule:
            client.flows = [*client.flows, await _hub(arrivals, wanted, verdicts)]
        return client.flows

    def flows_so_far(self, client: Session) -> list[Flow]:
        return client.flows

    def seen(self, client: Session, wanted: Watched) -> Seen | None:
        return scopes.seen(client)

    def wants(self, wanted: Watched, scope: Scope) -> bool:
        return scopes.wants(wanted.settings.selection, scope)

    def regain(self, wanted: Watched, scope: Scope) -> str:
        return scopes.regain(wanted.settings.identity, scope)

    def summary(self, client: Session, wanted: Watched, records: Sequence[Record]) -> Mapping[str, Any]:
        limits = {"window_hours": wanted.watch.window.total_seconds() / 3600, "limit_seconds": SERVER_SECONDS}
        queries = {**dict.fromkeys(("number", "shared", "milliseconds", "rows_scanned"), 0), **client.queries, **limits}
        return {"credentials": wanted.settings.identity.expiries(), "queries": queries, **client.arm.costs()}


class Verdicts(list[Verdict]):
    """A survey's verdicts, kept."""

    def __call__(self, verdict: Verdict) -> None:
        self.append(verdict)

    def expect(self, targets: int) -> None:
        """Nobody watches."""


class _Credential:
    """One tenant's tokens in the form that Azure's own clients take."""

    def __init__(self, tokens: Tokens | GivenToken, tenant: str) -> None:
        self._tokens = tokens
        self._tenant = tenant

    async def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        return AccessToken(await self._tokens.get(self._tenant, scopes[0]), int(time.time()) + 600)

    async def close(self) -> None:
        """The tokens are closed by whoever made them."""

    async def __aenter__(self) -> _Credential:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()


def _said(operation: str, error: Any, steps: Mapping[int, str]) -> OnboardingError:
    """An error of Azure's clients as one of ours."""
    status = getattr(error, "status_code", None)
    inner = getattr(error, "error", None)
    code = getattr(inner, "code", None) or type(error).__name__
    text = getattr(inner, "message", None) or getattr(error, "message", None) or str(error)
    if status:
        step = steps.get(status) or cure(status, str(code), str(text)).step
    else:
        step = "check the endpoint and the network, then run again"
    return RefusedError(operation, str(text), code=str(code), status=status, next_step=step)


def _cost(statistics: Any) -> Counter[str]:
    """What a query took. assumed: Azure's shape of it, of which no part is promised: an odd one costs no answer."""
    told = Counter({"number": 1})
    with suppress(*ODD_SHAPE):
        query = mapping(mapping(statistics).get("query"))
        told["milliseconds"] = round(1000 * amount(query.get("executionTime") or 0))
        rows = mapping(mapping(query.get("inputDatasetStatistics")).get("rows"))
        told["rows_scanned"] = int(amount(rows.get("scanned") or 0))
    return told


@asynccontextmanager
async def _in_words(operation: str, steps: Mapping[int, str]) -> AsyncIterator[None]:
    """What Azure's clients raise, as one of ours; they pass on what their parsing of an odd answer raises.

    They have no limit for a whole call: a body may drip, and Retry-After is slept on whatever it says.
    """
    try:
        async with asyncio.timeout(QUERY_SECONDS):
            yield
    except TimeoutError as error:
        raise NoAnswerError(operation, f"no answer within {QUERY_SECONDS} s", code="Timeout") from error
    except AzureError as error:
        raise _said(operation, error, steps) from error
    except ODD_SHAPE as error:
        raise malformed(operation, error) from error


class Arrivals:
    """The reads of one verification."""

    def __init__(self, session: Session, wanted: Watched) -> None:
        self.session = session
        self.identity = wanted.settings.identity
        self.wanted = wanted

    async def in_workspace(self, tables: Sequence[str], window: timedelta, *, resources: bool) -> dict[Key, Arrival]:
        """What has arrived of this tenant in these tables of the workspace. Raises OnboardingError."""
        if not tables:
            return {}
        own = {subscription.id.casefold() for subscription in self.session.estate.taken}
        shared = self.wanted.share_query
        text = query(tables, window, resources=resources, subscriptions=None if shared else own)
        tenant = await self._tenant_of(self.wanted.workspace)
        if not shared:
            return arrivals_of(await self._ask(text, window, tenant), own)
        # Only who could ask it himself is told an answer: the same app in the same tenant, whose token has just listed
        # the workspace's tables, has the same rights by whatever secret.
        end = self.identity.cloud.log_analytics
        name = name_of(end, tenant, self.identity.client_id, self.wanted.workspace.casefold(), text)
        rows, asked = await answers.ask(name, lambda: self._ask(text, window, tenant))
        self.session.queries["shared"] += not asked
        return arrivals_of(rows, own)

    async def _ask(self, text: str, window: timedelta, tenant: str) -> list[list[Any]]:
        """The rows of a query of the workspace. Raises OnboardingError."""
        operation = f"query the workspace {self.wanted.workspace}"
        given = {"endpoint": self.identity.cloud.log_analytics, **limited(self.identity.ca_file)}
        async with _in_words(operation, QUERY_STEPS):
            async with LogsQueryClient(_Credential(self.session.arm.tokens, tenant), **given) as client:
                answer = await client.query_resource(
                    self.wanted.workspace, text, timespan=window, server_timeout=SERVER_SECONDS, include_statistics=True
                )
            if answer.status != LogsQueryStatus.SUCCESS:
                raise _said(operation, answer.partial_error, QUERY_STEPS)
            self.session.queries.update(_cost(answer.statistics))
            return rows_of(answer.tables[0])

    async def tables(self) -> Tables:
        """The tables that diagnostic settings may fill; custom ones they do not. Raises OnboardingError."""
        workspace = self.wanted.workspace
        operation = f"list the tables of {workspace}"
        arm = self.session.arm.in_tenant(await self._tenant_of(workspace))
        call = Call("GET", f"{target_path(workspace)}/tables", TABLES_API, operation, workspace.split("/")[2])
        plans: dict[str, str] = {}
        try:
            async for page in arm.pages(call):
                for raw in page["value"]:
                    plan = words(mapping(raw.get("properties")).get("plan")) or ANALYTICS
                    plans[text(raw["name"])] = plan.casefold()
        except RefusedError as error:
            error.next_step = QUERY_STEPS.get(error.status or 0) or error.next_step
            raise
        except ODD_SHAPE as error:
            raise malformed(operation, error) from error
        ours = sorted(name for name in plans if TABLE_NAME.fullmatch(name) and not name.endswith(CUSTOM))
        return Tables(
            [name for name in ours if plans[name] == ANALYTICS], [name for name in ours if plans[name] != ANALYTICS]
        )

    async def in_hub(self) -> tuple[Arrival | None, Volume]:
        """What the hub (or, without a name, its namespace) took, None for nothing. Raises OnboardingError."""
        now, window = time.time(), self.wanted.watch.window
        # The newest message is wanted to the minutes, the weeks before only by the hour.
        fine = await self._points("PT5M", min(window, timedelta(seconds=DAY)))
        hours = await self._points("PT1H", window)
        volume = daily(hours, now, now - window.total_seconds())
        newest = max((when for when, _total in (*fine, *hours)), default=None)
        total = sum(number for _when, number in hours)
        return (None if newest is None else Arrival(newest, None, total)), volume

    async def _points(self, interval: str, window: timedelta) -> list[tuple[float, int]]:
        """(when, how many) of the messages that the hub took. Raises OnboardingError."""
        rule, hub = self.wanted.hub_rule, self.wanted.hub
        namespace = rule.split("/authorizationRules/")[0]
        operation = f"read the metric {HUB_METRIC} of {namespace}"
        now = datetime.now(UTC)
        start = now - window
        tenant = await self._tenant_of(rule)
        async with _in_words(operation, {}):
            async with self._monitor(rule.split("/")[2], tenant) as client:
                answer = await client.metrics.list(
                    namespace,
                    timespan=f"{start:%Y-%m-%dT%H:%M:%SZ}/{now:%Y-%m-%dT%H:%M:%SZ}",
                    interval=interval,
                    metricnames=HUB_METRIC,
                    aggregation="Total",
                    filter=f"EntityName eq '{hub}'" if hub else None,
                )
            return [
                (point.time_stamp.timestamp(), int(point.total))
                for metric in answer.value
                for series in metric.timeseries or ()
                for point in series.data or ()
                if point.total
            ]

    async def written(self, subscriptions: Iterable[str]) -> tuple[dict[str, float], dict[str, OnboardingError]]:
        """(target -> when a setting of it was first written lately, subscription -> why its log could not be read).

        The first time and not the last: a setting that is put right every hour without a record ever coming is not new.
        """
        first: dict[str, float] = {}
        failed: dict[str, OnboardingError] = {}
        for subscription in subscriptions:
            try:
                async for target, when in self._writes(subscription):
                    first[target] = min(first.get(target, when), when)
            except OnboardingError as error:
                failed[subscription] = error
        return first, failed

    async def _writes(self, subscription: str) -> AsyncIterator[tuple[str, float]]:
        """(lower-case target, when) of each setting written lately, by the subscription's activity log."""
        operation = f"read the activity log of subscription {subscription}"
        days = min(ACTIVITY_LOG_DAYS, 1 + int(self.wanted.watch.limits.grace // (24 * 3600)))
        start = datetime.now(UTC) - timedelta(days=days)
        chosen = f"eventTimestamp ge '{start:%Y-%m-%dT%H:%M:%SZ}' and resourceProvider eq 'Microsoft.Insights'"
        async with _in_words(operation, {}), self._monitor(subscription, self.identity.sign_in) as client:
            async for event in client.activity_logs.list(filter=chosen):
                name = (event.operation_name.value or "") if event.operation_name else ""
                if name.casefold() == SETTING_WRITTEN and event.event_timestamp:
                    yield owner_of(event.resource_id or ""), event.event_timestamp.timestamp()

    def _monitor(self, subscription: str, tenant: str) -> MonitorManagementClient:
        cloud = self.identity.cloud
        return MonitorManagementClient(
            _Credential(self.session.arm.tokens, tenant),
            subscription,
            base_url=cloud.resource_manager,
            credential_scopes=[cloud.arm_scope],
            **limited(self.identity.ca_file),
        )

    async def _tenant_of(self, resource_id: str) -> str:
        """The tenant whose token reaches a destination: the primary one where it sees it, else an auxiliary one."""
        subscription = resource_id.split("/")[2].casefold()
        if subscription in self.session.estate.visible or not self.identity.auxiliary:
            return self.identity.sign_in
        *others, last = self.identity.auxiliary
        for tenant in others:
            with suppress(OnboardingError):  # a tenant that cannot be asked is not the one
                found = await inventory.subscriptions(self.session.arm.in_tenant(tenant))
                if subscription in {one.id.casefold() for one in found}:
                    return tenant
        return last


def owner_of(setting: str) -> str:
    """The lower-case id of the resource that a diagnostic setting's id belongs to."""
    return setting.casefold().split("/providers/microsoft.insights/diagnosticsettings")[0].rstrip("/")


async def _workspace(arrivals: Arrivals, wanted: Watched, verdicts: Sequence[Verdict]) -> list[Flow]:
    """A flow for each subscription's resource type that has targets, and for those that could not be read.

    What the first query has told of is kept with the session while the rest is looked for.
    """
    groups: dict[Kind, list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault((verdict.facts["subscription"].casefold(), verdict.facts["type"]), []).append(verdict)
    names = {one.id.casefold(): one.name or one.id for one in arrivals.session.estate.taken}
    sources = {key: f"{key[1]} of {names.get(key[0], key[0])}" for key in groups}
    ordered = sorted(groups, key=lambda key: sources[key].casefold())
    resources = wanted.by == RESOURCE or (wanted.by == AUTO and len(verdicts) <= MAX_SMALL)
    try:
        tables = await arrivals.tables()
        found = await arrivals.in_workspace(tables.together, wanted.watch.window, resources=resources)
    except OnboardingError as error:
        return [flow(sources[kind], groups[kind], wanted, failed=error, kind=kind[1]) for kind in ordered]
    written: Mapping[str, float] = {}

    def tell(kind: Kind, doubt: OnboardingError | None = None) -> Flow:
        targets, arrival = groups[kind], arrived.get(kind)
        one = flow(sources[kind], targets, wanted, arrival, since(targets, written), doubt, kind=kind[1])
        if resources and one.state != UNREADABLE:
            each = [(target, found.get((*kind, target.target.casefold()))) for target in targets]
            one = of_each(one, each, written, wanted, kind[1])
        return _doubled(one, targets)

    silent, arrived = _silent(groups, found, resources), by_type(found)
    arrivals.session.flows = [tell(kind) for kind in ordered if kind not in silent]
    unread = await _alone(arrivals, tables.alone, found, resources) if silent else None
    silent, arrived = _silent(groups, found, resources), by_type(found)
    written, unlogged = await arrivals.written(sorted({subscription for subscription, _kind in silent}))
    return [tell(kind, (unread or unlogged.get(kind[0])) if kind in silent else None) for kind in ordered]


async def _alone(
    arrivals: Arrivals, tables: Sequence[str], found: dict[Key, Arrival], resources: bool
) -> OnboardingError | None:
    """Add what has arrived in tables that have to be asked alone; why some of it is not known, if so.

    What is billed by what it scans is not asked for weeks.
    """
    watch = arrivals.wanted.watch
    window = min(watch.window, timedelta(seconds=watch.limits.stale))
    unread: OnboardingError | None = None
    for table in tables[:MAX_ALONE]:
        try:
            for key, arrival in (await arrivals.in_workspace([table], window, resources=resources)).items():
                add(found, key, arrival)
        except OnboardingError as error:
            unread = error
    if unread is None and len(tables) > MAX_ALONE:
        unread = _not_asked(len(tables))
    return unread


def _silent(groups: Mapping[Kind, Sequence[Verdict]], found: Mapping[Key, Arrival], resources: bool) -> set[Kind]:
    """Of which nothing has arrived, or nothing of one of its resources."""
    if not resources:
        return groups.keys() - by_type(found).keys()
    return {
        key for key, targets in groups.items() if any((*key, one.target.casefold()) not in found for one in targets)
    }


def of_each(
    whole: Flow,
    targets: Sequence[tuple[Verdict, Arrival | None]],
    written: Mapping[str, float],
    wanted: Watched,
    kind: str,
) -> Flow:
    """The flow of a type, judged by each of its resources: as bad as the worst of them, which it names. Pure.

    One living vault hides no dead one.
    """
    states: dict[str, list[str]] = {}
    for verdict, arrival in targets:
        one = flow("", [verdict], wanted, arrival, written.get(verdict.target.casefold()), kind=kind)
        states.setdefault(one.state, []).append(short_name(verdict.target))
    worst = max(states, key=BY_WEIGHT.index)
    facts = {**whole.facts, "resources": {state: len(names) for state, names in states.items()}}
    if BY_WEIGHT.index(worst) <= BY_WEIGHT.index(whole.state):
        return whole._replace(facts=facts)
    text = f"{len(states[worst])} of {len(targets)} are {worst}: {few(sorted(states[worst]))}"
    step = FALLEN_STEP if worst == FALLEN else STEPS.get(worst, "")
    return whole._replace(state=worst, message=text, next_step=step, facts=facts)


def short_name(target: str) -> str:
    """The name of a resource, with those above it: of an id."""
    return "/".join(target.split("/providers/")[-1].split("/")[2::2]) or target.rsplit("/", 1)[-1]


def _doubled(found: Flow, targets: Sequence[Verdict]) -> Flow:
    """Where records arrive, whether they arrive twice."""
    twice = [one for one in targets if one.facts.get("doubled")]
    if not twice or found.state not in (FLOWING, QUIET):
        return found
    text = f"{len(twice)} of {len(targets)} send records twice: {short_name(twice[0].target)}: "
    return found._replace(state=DOUBLED, message=text + twice[0].facts["doubled"], next_step=STEPS[DOUBLED])


def _not_asked(tables: int) -> OnboardingError:
    """A type without a record may have some in a table that nobody asked."""
    text = f"{tables - MAX_ALONE} of {tables} Basic and Auxiliary tables were not asked: each takes a query of its own"
    step = "send the resources' logs to tables of the plan Analytics, or look into the others by hand"
    return NoAnswerError("query the workspace", text, code="NotAsked", next_step=step)


def since(targets: Iterable[Verdict], written: Mapping[str, float]) -> float | None:
    """When the first of the targets that have a setting got it; None for longer ago than the activity log was read."""
    times = [written.get(one.target.casefold()) for one in targets if one.status == IN_SYNC]
    known = [when for when in times if when is not None]
    return min(known) if known and len(known) == len(times) else None


async def _hub(arrivals: Arrivals, wanted: Watched, verdicts: Sequence[Verdict]) -> Flow:
    """The flow of all targets into the hub. Where it took nothing, when a setting was last written tells why."""
    source = f"event hub {wanted.hub or 'namespace'}"
    written: dict[str, float] = {}
    try:
        arrival, volume = await arrivals.in_hub()
        if arrival is None:
            written, unlogged = await arrivals.written(sorted(one.id for one in arrivals.session.estate.taken))
            for error in unlogged.values():
                raise error
    except OnboardingError as error:
        return flow(source, verdicts, wanted, failed=error)
    return weighed(flow(source, verdicts, wanted, arrival, since(verdicts, written)), volume)


def flow(
    source: str,
    targets: Sequence[Verdict],
    wanted: Watched,
    arrival: Arrival | None = None,
    written: float | None = None,
    failed: OnboardingError | None = None,
    *,
    kind: str = "",
) -> Flow:
    """The judgement on one flow. Pure but for the clock.

    Data that is there counts whoever set it up. What could not be read is never absent, and never well: a target whose
    settings are unknown may send nothing beside others that do.

    Args:
        targets: the verdicts on what is to send it. written: since when all of them have a setting.
        failed: why it is not known what is set, what arrived or when it was set.
        kind: the resource type, where it is one: some may be silent for days.
    """
    served = sum(one.status == IN_SYNC for one in targets)
    records, lag, volume = (arrival.records, arrival.lag, arrival.volume) if arrival else (0, None, Volume())
    facts: dict[str, Any] = {"type": kind} if kind else {}
    facts |= {"targets": len(targets), "served": served}
    newest = arrival.newest if arrival else None
    failed = failed or next((one.error for one in targets if one.error), None)
    if failed:
        return Flow(source, UNREADABLE, newest, records, error=failed, facts=facts, lag=lag, volume=volume)
    state = judge(
        configured=served > 0, newest=newest, changed=written, now=time.time(), limits=wanted.watch.limits,
        may_be_quiet=kind in QUIET_TYPES,
    )  # fmt: skip
    step = STEPS.get(state, "")
    if served < len(targets) and state != ABSENT:
        step = f"{step} {len(targets) - served} of {len(targets)} targets have no setting: run onboard".strip()
    message = NEVER_SEEN if state == QUIET and newest is None else ""
    if lag is not None and lag > wanted.watch.limits.grace:
        message = f"records arrive late: the newest is {round(lag / 60)} minutes older than its arrival"
    return weighed(Flow(source, state, newest, records, message=message, next_step=step, facts=facts, lag=lag), volume)


verify = engines.verify(LogFlow())
