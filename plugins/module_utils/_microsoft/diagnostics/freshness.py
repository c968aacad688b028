# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: what has arrived of one tenant, by azure-monitor-query and azure-mgmt-monitor, beside what is set."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from ..._core.client import malformed
from ..._core.errors import MissingLibraryError, OnboardingError, RefusedError
from ..._core.evidence import EvidenceFile
from ..._core.outcome import OK as SERVED
from ..._core.outcome import UNKNOWN
from ..._core.redaction import Redactor
from ..arm import subscriptions as inventory
from ..arm.client import NEXT_STEPS, connected
from ..arm.resource_types import SUBSCRIPTION_TYPE
from ..identity import options as identity_options
from ..identity.credentials import GivenToken, Tokens
from ..settings.setting import EVENT_HUB
from . import flow, options
from .capability import Sweep

try:
    from azure.core.credentials import AccessToken
    from azure.core.exceptions import AzureError
    from azure.mgmt.monitor.aio import MonitorManagementClient
    from azure.monitor.query import LogsQueryStatus
    from azure.monitor.query.aio import LogsQueryClient
except ImportError:  # said by run(), so that documentation tools can import this file

    class AzureError(Exception):  # type: ignore[no-redef]
        """Stands for the library's own."""

    LogsQueryClient = None  # type: ignore[assignment,misc]

CAPABILITY = "azure_log_flow"
WORKSPACE = "workspace_id"
SETTING_WRITTEN = "microsoft.insights/diagnosticsettings/write"
HUB_METRIC = "IncomingMessages"
ACTIVITY_LOG_DAYS = 89

QUERY_STEPS = {
    403: "grant the app Log Analytics Reader (or Contributor) on the workspace",
    404: "check workspace_id: there is no such workspace",
    429: "run again later: the workspace limits queries",
}


class Arrival(NamedTuple):
    """The newest record of one resource type."""

    newest: datetime
    ingested: datetime | None
    records: int


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
    step = steps.get(status or 0) or NEXT_STEPS.get(str(code), "check the endpoint and the network, then run again")
    return RefusedError(operation, str(text), code=str(code), status=status, next_step=step)


@contextmanager
def _in_words(operation: str, steps: Mapping[int, str]) -> Iterator[None]:
    """What Azure's clients raise, as one of ours; they pass on what their parsing of an odd answer raises."""
    try:
        yield
    except AzureError as error:
        raise _said(operation, error, steps) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise malformed(operation, error) from error


class Arrivals:
    """The reads of one verification."""

    def __init__(
        self, params: Mapping[str, Any], identity: identity_options.Identity, tokens: Tokens | GivenToken, sweep: Sweep
    ) -> None:
        self.params = params
        self.identity = identity
        self.tokens = tokens
        self.sweep = sweep
        self.tls: dict[str, Any] = {"connection_verify": identity.ca_file} if identity.ca_file else {}

    async def in_workspace(self, workspace: str) -> dict[str, Arrival]:
        """Resource type -> arrival, over the tenant's subscriptions. Raises OnboardingError."""
        operation = f"query the workspace {workspace}"
        credential = _Credential(self.tokens, await self._tenant_of(workspace))
        subscriptions = [subscription.id for subscription in self.sweep.estate.taken]
        window = timedelta(hours=self.params["window_hours"])
        with _in_words(operation, QUERY_STEPS):
            async with LogsQueryClient(credential, endpoint=self.identity.cloud.log_analytics, **self.tls) as client:
                answer = await client.query_resource(workspace, flow.query(subscriptions, window), timespan=window)
            if answer.status != LogsQueryStatus.SUCCESS:
                raise _said(operation, answer.partial_error, QUERY_STEPS)
            return _newest(answer.tables[0]) if answer.tables else {}

    async def in_hub(self, rule: str, hub: str) -> Arrival | None:
        """The last minute in which the hub (or, without a name, its namespace) took messages; None for none."""
        namespace = rule.split("/authorizationRules/")[0]
        subscription = rule.split("/")[2]
        operation = f"read the metric {HUB_METRIC} of {namespace}"
        now = datetime.now(UTC)
        start = now - timedelta(hours=self.params["window_hours"])
        tenant = await self._tenant_of(rule)
        with _in_words(operation, {}):
            async with self._monitor(subscription, tenant) as client:
                answer = await client.metrics.list(
                    namespace,
                    timespan=f"{start:%Y-%m-%dT%H:%M:%SZ}/{now:%Y-%m-%dT%H:%M:%SZ}",
                    interval="PT5M",
                    metricnames=HUB_METRIC,
                    aggregation="Total",
                    filter=f"EntityName eq '{hub}'" if hub else None,
                )
            points = [
                (point.time_stamp, point.total)
                for metric in answer.value
                for series in metric.timeseries or ()
                for point in series.data or ()
                if point.total
            ]
        if not points:
            return None
        return Arrival(max(when for when, _total in points), None, int(sum(total for _when, total in points)))

    async def written(self, subscription: str) -> dict[str, datetime]:
        """Resource type -> when a diagnostic setting was last written, by the subscription's activity log."""
        operation = f"read the activity log of subscription {subscription}"
        days = min(ACTIVITY_LOG_DAYS, 1 + self.params["grace_minutes"] // (24 * 60))
        start = datetime.now(UTC) - timedelta(days=days)
        chosen = f"eventTimestamp ge '{start:%Y-%m-%dT%H:%M:%SZ}' and resourceProvider eq 'Microsoft.Insights'"
        last: dict[str, datetime] = {}
        with _in_words(operation, {}):
            async with self._monitor(subscription, self.identity.sign_in) as client:
                async for event in client.activity_logs.list(filter=chosen):
                    name = (event.operation_name.value or "") if event.operation_name else ""
                    if name.casefold() == SETTING_WRITTEN and event.event_timestamp:
                        kind = type_of(event.resource_id or "")
                        last[kind] = max(last.get(kind, event.event_timestamp), event.event_timestamp)
        return last

    def _monitor(self, subscription: str, tenant: str) -> MonitorManagementClient:
        cloud = self.identity.cloud
        return MonitorManagementClient(
            _Credential(self.tokens, tenant),
            subscription,
            base_url=cloud.resource_manager,
            credential_scopes=[cloud.arm_scope],
            **self.tls,
        )

    async def _tenant_of(self, resource_id: str) -> str:
        """The tenant whose token reaches a destination: the primary one where it sees it, else an auxiliary one."""
        subscription = resource_id.split("/")[2].casefold()
        if subscription in self.sweep.estate.visible or not self.identity.auxiliary:
            return self.identity.sign_in
        *others, last = self.identity.auxiliary
        for tenant in others:
            with suppress(OnboardingError):  # a tenant that cannot be asked is not the one
                found = await inventory.subscriptions(self.sweep.arm.in_tenant(tenant))
                if subscription in {one.id.casefold() for one in found}:
                    return tenant
        return last


def type_of(resource_id: str) -> str:
    """The lower-case type of the resource that a diagnostic setting's id belongs to."""
    owner = resource_id.casefold().split("/providers/microsoft.insights/diagnosticsettings")[0]
    if "/providers/" not in owner:
        return SUBSCRIPTION_TYPE
    pieces = owner.rsplit("/providers/", 1)[1].split("/")
    return "/".join([pieces[0], *pieces[1::2]])


def _newest(table: Any) -> dict[str, Arrival]:
    found: dict[str, Arrival] = {}
    for row in table.rows:
        kind, arrival = row["ResourceType"], Arrival(row["Newest"], row["Ingested"], int(row["Records"]))
        known = found.get(kind)
        if known:
            later = max(known, arrival, key=lambda one: one.newest)
            arrival = later._replace(records=known.records + arrival.records)
        found[kind] = arrival
    return found


async def run(
    params: Mapping[str, Any], reporter: Any, redactor: Redactor, *, check: bool, diff: bool
) -> dict[str, Any]:
    """The flows of one tenant. Reads only, so check mode is no different.

    Raises OnboardingError when the tenant as a whole cannot be read.
    """
    if LogsQueryClient is None:
        raise MissingLibraryError("azure-monitor-query and azure-mgmt-monitor")
    identity = identity_options.identity(params)
    options.wanted(params)
    async with connected(identity, params["concurrency"], redactor) as arm:
        sweep = Sweep({**params, "state": "present"}, arm, reporter, None, check=True)
        await sweep.observe()
        arrivals = Arrivals(params, identity, arm.tokens, sweep)
        now = datetime.now(UTC)
        limits = flow.Limits(timedelta(minutes=params["grace_minutes"]), timedelta(hours=params["stale_hours"]))
        seen = await _look(params, sweep, arrivals)
    found = result([flow.flow(one, now, limits) for one in seen], arm.requests)
    if path := params.get("evidence_path"):
        with EvidenceFile(path, redact=redactor) as evidence:
            for one in found["flows"]:
                evidence.write(one)
        found["evidence"] = "" if evidence.error else str(path)
        found["problems"] += evidence.problems
    return found


async def _look(params: Mapping[str, Any], sweep: Sweep, arrivals: Arrivals) -> list[flow.Seen]:
    seen: list[flow.Seen] = []
    if params.get(WORKSPACE):
        seen += await _workspace_types(params, sweep, arrivals)
    if params.get(EVENT_HUB):
        hub = params.get("event_hub_name") or ""
        one = flow.Seen(f"event hub {hub or 'namespace'}", len(sweep.records), _served(sweep.records.values()))
        try:
            arrival = await arrivals.in_hub(params[EVENT_HUB], hub)
            seen.append(one._replace(**arrival._asdict()) if arrival else await _silent_hub(one, sweep, arrivals))
        except OnboardingError as error:
            seen.append(one._replace(error=str(error), error_step=error.next_step))
    return seen


async def _silent_hub(one: flow.Seen, sweep: Sweep, arrivals: Arrivals) -> flow.Seen:
    """A hub that took nothing, with when a setting was last written: it may be too early."""
    written, unlogged = await _written(arrivals, sorted(subscription.id for subscription in sweep.estate.taken))
    if unlogged:
        raise unlogged
    return one._replace(written=max(written.values(), default=None))


async def _workspace_types(params: Mapping[str, Any], sweep: Sweep, arrivals: Arrivals) -> list[flow.Seen]:
    """One Seen for each resource type that has targets, and for the types that could not be read."""
    by_type: dict[str, list[Any]] = {}
    for item in sweep.records.values():
        if item.status != "skipped":
            by_type.setdefault(item.target.type, []).append(item)
    arrived: dict[str, Arrival] = {}
    failed: OnboardingError | None = None
    try:
        arrived = await arrivals.in_workspace(params[WORKSPACE])
    except OnboardingError as error:
        failed = error
    silent = {item.target.subscription for kind, items in by_type.items() if kind not in arrived for item in items}
    written: dict[str, datetime] = {}
    unlogged: OnboardingError | None = None
    if not failed:
        written, unlogged = await _written(arrivals, sorted(silent))
    seen = []
    for kind, items in sorted(by_type.items()):
        one = flow.Seen(kind, len(items), _served(items), written=written.get(kind))
        unread = next((item.error for item in items if item.status == UNKNOWN and item.error), None)
        trouble = failed or unread or unlogged
        if trouble:
            one = one._replace(error=str(trouble), error_step=trouble.next_step)
        seen.append(one._replace(**arrived[kind]._asdict()) if kind in arrived else one)
    return seen


async def _written(arrivals: Arrivals, subscriptions: list[str]) -> tuple[dict[str, datetime], OnboardingError | None]:
    """(type -> last write over these subscriptions, why one of their activity logs could not be read)."""
    last: dict[str, datetime] = {}
    failed = None
    for subscription in subscriptions:
        try:
            for kind, when in (await arrivals.written(subscription)).items():
                last[kind] = max(last.get(kind, when), when)
        except OnboardingError as error:
            failed = error
    return last, failed


def _served(items: Iterable[Any]) -> int:
    return sum(item.status == SERVED for item in items)


def result(flows: list[dict[str, Any]], requests: Mapping[str, int]) -> dict[str, Any]:
    """The result of a verification in the shape of every result; a bad flow is a problem."""
    number = {state: sum(one["state"] == state for one in flows) for state in flow.STATES}
    told = problems(flows)
    lines = [f"{len(flows)} flows: " + ", ".join(f"{count} {state}" for state, count in number.items() if count)]
    lines += [f"{one['code']}: {one['target']}: {one['message']}. Next step: {one['next_step']}" for one in told]
    return {
        "changed": False,
        "failed": False,
        "msg": "\n".join(lines),
        "summary": {
            "capability": CAPABILITY,
            "outcome": "failed" if number[flow.ERROR] else "drift" if told else "ok",
            "counts": {
                "targets": len(flows),
                "ok": number[flow.FLOWING] + number[flow.IDLE] + number[flow.PENDING],
                "changed": 0,
                "drift": number[flow.ABSENT] + number[flow.STALE],
                "failed": number[flow.ERROR],
                "unknown": 0,
                "skipped": 0,
            },
            "drift": {state: number[state] for state in (flow.ABSENT, flow.STALE) if number[state]},
            "states": number,
            "requests": dict(requests),
        },
        "changes": [],
        "problems": told,
        "flows": flows,
        "evidence": "",
    }


def problems(flows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The flows that are findings; those of one cause are one entry that names their types."""
    causes: dict[tuple[str, str, str], list[str]] = {}
    for one in flows:
        if one["state"] in flow.BAD:
            message = one["error"] or f"newest record: {one['newest'] or 'none'}"
            causes.setdefault((one["state"], message, one["next_step"]), []).append(one["resource_type"])
    return [
        {
            "target": ", ".join(types[:5]) + (f" and {len(types) - 5} more" if len(types) > 5 else ""),
            "operation": "find records in the destination",
            "status": None,
            "code": state,
            "message": message,
            "next_step": step,
            "request_id": "",
            "count": len(types),
        }
        for (state, message, step), types in causes.items()
    ]
