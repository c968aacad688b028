# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: what has arrived of one tenant, by azure-monitor-query and azure-mgmt-monitor, beside what is set."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from ..._core import engines
from ..._core.bodies import mapping, text, words
from ..._core.capability import Capability
from ..._core.client import ODD_SHAPE, malformed
from ..._core.coverage import Scope, Seen
from ..._core.errors import MissingLibraryError, NoAnswerError, OnboardingError, RefusedError
from ..._core.freshness import ABSENT, QUIET, STALE, UNREADABLE, WAITING_FOR_DATA, Flow, judge
from ..._core.options import RunOptions
from ..._core.redaction import Redactor
from ..._core.status import IN_SYNC, SKIPPED
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
from .options import Watched

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
# Log Analytics itself gives a query up after three minutes.
QUERY_SECONDS = 240
STEPS = {
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
Key = tuple[str, str]


class Tables(NamedTuple):
    """Names of a workspace's tables: those that one query may ask, and those that have to be asked alone."""

    together: list[str]
    alone: list[str]


class Arrival(NamedTuple):
    """The newest record of one resource type in one subscription.

    newest: seconds since the epoch; lag: from then until it arrived.
    """

    newest: float
    lag: float | None
    records: int


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
        flows = []
        if wanted.workspace:
            flows += await _workspace(arrivals, wanted, verdicts)
        if wanted.hub_rule:
            flows.append(await _hub(arrivals, wanted, verdicts))
        return flows

    def seen(self, client: Session, wanted: Watched) -> Seen | None:
        return scopes.seen(client.estate)

    def wants(self, wanted: Watched, scope: Scope) -> bool:
        return scopes.wants(wanted.settings.selection, scope)

    def regain(self, wanted: Watched, scope: Scope) -> str:
        return scopes.regain(wanted.settings.identity, scope)

    def summary(self, client: Session, wanted: Watched, records: Sequence[Record]) -> Mapping[str, Any]:
        return {"credentials": wanted.settings.identity.expiries(), **client.arm.costs()}


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

    async def in_workspace(self, tables: Sequence[str]) -> dict[Key, Arrival]:
        """(subscription, resource type) -> arrival in these tables of the workspace. Raises OnboardingError."""
        workspace, window = self.wanted.workspace, self.wanted.watch.window
        if not tables:
            return {}
        operation = f"query the workspace {workspace}"
        credential = _Credential(self.session.arm.tokens, await self._tenant_of(workspace))
        text = query(tables, [subscription.id for subscription in self.session.estate.taken], window)
        given = {"endpoint": self.identity.cloud.log_analytics, **limited(self.identity.ca_file)}
        async with _in_words(operation, QUERY_STEPS):
            async with LogsQueryClient(credential, **given) as client:
                answer = await client.query_resource(workspace, text, timespan=window)
            if answer.status != LogsQueryStatus.SUCCESS:
                raise _said(operation, answer.partial_error, QUERY_STEPS)
            return _newest(answer.tables[0]) if answer.tables else {}

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

    async def in_hub(self) -> Arrival | None:
        """The last minute in which the hub (or, without a name, its namespace) took messages; None for none."""
        rule, hub = self.wanted.hub_rule, self.wanted.hub
        namespace = rule.split("/authorizationRules/")[0]
        operation = f"read the metric {HUB_METRIC} of {namespace}"
        now = datetime.now(UTC)
        start = now - self.wanted.watch.window
        tenant = await self._tenant_of(rule)
        async with _in_words(operation, {}):
            async with self._monitor(rule.split("/")[2], tenant) as client:
                answer = await client.metrics.list(
                    namespace,
                    timespan=f"{start:%Y-%m-%dT%H:%M:%SZ}/{now:%Y-%m-%dT%H:%M:%SZ}",
                    interval="PT5M",
                    metricnames=HUB_METRIC,
                    aggregation="Total",
                    filter=f"EntityName eq '{hub}'" if hub else None,
                )
            points = [
                (point.time_stamp.timestamp(), point.total)
                for metric in answer.value
                for series in metric.timeseries or ()
                for point in series.data or ()
                if point.total
            ]
        if not points:
            return None
        return Arrival(max(when for when, _total in points), None, int(sum(total for _when, total in points)))

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


def _newest(table: Any) -> dict[Key, Arrival]:
    """(subscription, resource type) -> arrival, out of the rows of C(query)."""
    found: dict[Key, Arrival] = {}
    for row in table.rows:
        newest, ingested = row["Newest"].timestamp(), row["Ingested"]
        arrival = Arrival(newest, ingested.timestamp() - newest if ingested else None, int(row["Records"]))
        _add(found, (row["SubscriptionId"].casefold(), row["ResourceType"]), arrival)
    return found


def _add(found: dict[Key, Arrival], key: Key, arrival: Arrival) -> None:
    """What arrives in several tables is one flow."""
    known = found.get(key, arrival._replace(records=0))
    later = max(known, arrival, key=lambda one: one.newest)
    found[key] = later._replace(records=known.records + arrival.records)


async def _workspace(arrivals: Arrivals, wanted: Watched, verdicts: Sequence[Verdict]) -> list[Flow]:
    """A flow for each subscription's resource type that has targets, and for those that could not be read."""
    groups: dict[Key, list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault((verdict.facts["subscription"].casefold(), verdict.facts["type"]), []).append(verdict)
    names = {one.id.casefold(): one.name or one.id for one in arrivals.session.estate.taken}
    sources = {key: f"{key[1]} of {names.get(key[0], key[0])}" for key in groups}
    ordered = sorted(groups, key=lambda key: sources[key].casefold())
    try:
        tables = await arrivals.tables()
        arrived = await arrivals.in_workspace(tables.together)
    except OnboardingError as error:
        return [flow(sources[key], groups[key], wanted, failed=error, kind=key[1]) for key in ordered]
    unread = None
    for table in tables.alone[:MAX_ALONE] if groups.keys() - arrived.keys() else ():
        try:
            for key, arrival in (await arrivals.in_workspace([table])).items():
                _add(arrived, key, arrival)
        except OnboardingError as error:
            unread = error
    if unread is None and len(tables.alone) > MAX_ALONE:
        unread = _not_asked(len(tables.alone))
    silent = {subscription for subscription, _kind in groups.keys() - arrived.keys()}
    written, unlogged = await arrivals.written(sorted(silent))
    return [
        flow(
            sources[key], groups[key], wanted, arrived.get(key), since(groups[key], written),
            unread or unlogged.get(key[0]) if key not in arrived else None, kind=key[1],
        )
        for key in ordered
    ]  # fmt: skip


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
        arrival = await arrivals.in_hub()
        if arrival is None:
            written, unlogged = await arrivals.written(sorted(one.id for one in arrivals.session.estate.taken))
            for error in unlogged.values():
                raise error
    except OnboardingError as error:
        return flow(source, verdicts, wanted, failed=error)
    return flow(source, verdicts, wanted, arrival, since(verdicts, written))


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
    records, lag = (arrival.records, arrival.lag) if arrival else (0, None)
    facts: dict[str, Any] = {"type": kind} if kind else {}
    facts |= {"targets": len(targets), "served": served, "lag_seconds": None if lag is None else round(lag)}
    newest = arrival.newest if arrival else None
    failed = failed or next((one.error for one in targets if one.error), None)
    if failed:
        return Flow(source, UNREADABLE, newest, records, error=failed, facts=facts)
    state = judge(
        configured=served > 0, newest=newest, changed=written, now=time.time(), limits=wanted.watch.limits,
        may_be_quiet=kind in QUIET_TYPES,
    )  # fmt: skip
    step = STEPS.get(state, "")
    if served < len(targets) and state != ABSENT:
        step = f"{step} {len(targets) - served} of {len(targets)} targets have no setting: run onboard".strip()
    message = NEVER_SEEN if state == QUIET and newest is None else ""
    return Flow(source, state, newest, records, message=message, next_step=step, facts=facts)


def query(tables: Sequence[str], subscriptions: Iterable[str], window: timedelta) -> str:
    """KQL: the newest record per subscription and resource type of these subscriptions in these tables.

    Tables are named: C(union *) fails where one table has the plan Basic or Auxiliary, and a column of its own in any
    custom table breaks C(withsource). Every table has the column C(Type), its own name.

    assumed: C(_ResourceId) of a part (blob service, database) has the part's type as its third piece; AzureActivity
    carries the id of what was acted on, so it stands for the subscription itself.
    Source: learn.microsoft.com «basic-logs-query», «log-standard-columns»; Azure-Sentinel issue 12172.
    """
    ids = ", ".join(f"'{subscription}'" for subscription in sorted(subscriptions))
    return (
        (f"union {', '.join(tables)}" if len(tables) > 1 else tables[0])
        + f" | where TimeGenerated > ago({int(window.total_seconds() // 60)}m)"
        f" | where _SubscriptionId in~ ({ids})"
        " | extend Piece = split(tostring(split(tolower(_ResourceId), '/providers/')[-1]), '/')"
        " | extend ResourceType = case("
        "Type == 'AzureActivity', 'microsoft.resources/subscriptions',"
        " array_length(Piece) > 3, strcat(Piece[0], '/', Piece[1], '/', Piece[3]),"
        " strcat(Piece[0], '/', Piece[1]))"
        " | summarize Newest = max(TimeGenerated), Ingested = max(ingestion_time()), Records = count()"
        " by SubscriptionId = tolower(_SubscriptionId), ResourceType"
    )


verify = engines.verify(LogFlow())
