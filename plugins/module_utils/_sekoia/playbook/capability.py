# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook that sends the alerts of one community, with its trigger and module configuration."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

from ..._core import engines, fingerprints
from ..._core.capability import Applied, Capability, Give
from ..._core.entry import Engine
from ..._core.errors import NoAnswerError, OnboardingError, RefusedError
from ..._core.findings import Finding
from ..._core.fingerprints import Fingerprints
from ..._core.freshness import FLOWING, STALE, UNREADABLE, Flow
from ..._core.options import RunOptions
from ..._core.redaction import Redactor
from ..._core.status import FAILED
from ..._core.verdict import Record, Verdict
from .. import api as shared
from .. import preflight as checks
from ..client import Sekoia, connected
from ..preflight import Look
from . import api, graph, options
from . import freshness as flows
from .freshness import Seen
from .options import Setup
from .plan import TAG, Found, Parts, Playbook, definition, differing, left_behind, plan

REQUESTS_AT_ONCE = 2
# How long a test event is followed, and how often its run is looked at: the first run of a block takes up to a minute.
PROBE_SECONDS = 150.0
POLL_SECONDS = 3.0
# With rules chosen, the newest alert of one of them may be behind those of others.
ALERTS_OF_RULES = 100


class Session(Sekoia):
    """A run's client. sent: fingerprints of the secrets that were sent last, None where none are kept.

    way: by which the playbook was switched on; secrets_unknown: whether nobody knows if today's are at Sekoia.io.
    """

    sent: Fingerprints | None = None
    way = ""
    secrets_unknown = False


class AlertSync(Capability[Setup, Session]):
    """One target: the playbook, by its name."""

    name = "sekoia_alert_sync"

    def wanted(self, params: Mapping[str, Any]) -> Setup:
        return options.setup(params)

    @asynccontextmanager
    async def connect(self, wanted: Setup, options: RunOptions, redactor: Redactor) -> AsyncIterator[Session]:
        for secret in (wanted.alerts_key, wanted.wanted.request.secret):
            redactor.add(secret)
        async with connected(Session, wanted.identity, REQUESTS_AT_ONCE, redactor) as client:
            yield client

    async def survey(self, client: Session, wanted: Setup, give: Give) -> None:
        community = await shared.community(client)
        if wanted.fingerprint_dir:
            client.sent = fingerprints.load(wanted.fingerprint_dir, "sekoia", community, wanted.fingerprint_key)
        listed = await api.playbooks(client)
        for verdict in left_behind(wanted.wanted, listed, wanted.policy.profile):
            give(verdict)
        found = await _found(client, wanted, listed)
        verdict = plan(wanted.wanted, found, wanted.policy)
        give(_told(verdict))

    async def apply(self, client: Session, wanted: Setup, verdict: Verdict) -> Applied:
        parts: Parts = verdict.subject
        try:
            if verdict.action == "delete":
                await _remove(client, wanted, parts)
                return Applied()
            made = await _made(client, wanted, parts)
        except OnboardingError as error:
            if not client.wrote:
                raise
            return Applied(status=FAILED, error=error)
        verdict = _told(verdict._replace(subject=made))
        left = {"missing": "the playbook is not there"}
        if made.playbook:
            left = differing(wanted.wanted, made.playbook, made, wanted.policy.profile)
        if not left:
            return Applied(made.playbook, verdict=verdict)
        step = "run the drift playbook, and open the playbook in Sekoia.io: what stays different is changed by somebody"
        text = f"Sekoia.io took the requests, and afterwards {'; '.join(left.values())}"
        undone = RefusedError(f"{verdict.action} {verdict.target}", text, code=next(iter(left)), next_step=step)
        return Applied(made.playbook, FAILED, undone, verdict)

    async def preflight(self, client: Session, wanted: Setup) -> list[Finding]:
        return await checks.findings(client, LOOKS, NEEDS, date.today())

    async def freshness(self, client: Session, wanted: Setup) -> list[Flow]:
        await shared.community(client)
        name = wanted.wanted.name
        held = [one for one in _meant(wanted, await api.playbooks(client)) if wanted.wanted.uuid or TAG in one.tags]
        if not held:
            return [flows.absent(name)]
        try:
            return [await _flow(client, wanted, held)]
        except OnboardingError as error:
            return [Flow(name, UNREADABLE, error=error)]

    def held_up(self, client: Session) -> float:
        return client.buckets.throttled_seconds

    def lead(self, wanted: Setup, records: Sequence[Record]) -> str:
        return f"{len(records)} playbooks"

    def summary(self, client: Session, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        return {"credentials": client.credentials(), "secrets_unknown": client.secrets_unknown, **client.costs()}

    def outputs(self, client: Session, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        """playbook: of what is there at the end; switched_on_by: which of the profile's ways has worked."""
        return {"playbook": _output(records), "switched_on_by": client.way}


def _output(records: Sequence[Record]) -> dict[str, str]:
    for record in records:
        parts = record.verdict.subject
        if isinstance(parts, Parts) and parts.playbook and record.verdict.action != "delete":
            held = {"uuid": parts.playbook.uuid, "name": parts.playbook.name, "status": parts.playbook.status}
            return held | {"trigger_configuration_uuid": parts.trigger.uuid if parts.trigger else ""}
    return {}


def _told(verdict: Verdict) -> Verdict:
    """With what evidence tells of it: uuids, by which a person finds it in Sekoia.io."""
    parts = verdict.subject
    if not isinstance(parts, Parts):
        return verdict
    named = zip(("playbook_uuid", "trigger_configuration_uuid", "module_configuration_uuid"), parts, strict=True)
    return verdict._replace(facts={name: one.uuid for name, one in named if one is not None})


def _meant(wanted: Setup, listed: Sequence[Playbook]) -> list[Playbook]:
    """By the uuid that is named, else those of the exact name."""
    one = wanted.wanted
    return [held for held in listed if (held.uuid == one.uuid if one.uuid else held.name == one.name)]


async def _found(client: Session, wanted: Setup, listed: Sequence[Playbook]) -> Found:
    name = wanted.wanted.name
    held = _meant(wanted, listed)
    read = [await api.playbook(client, one.uuid) for one in held] if len(held) == 1 else held
    triggers = await api.configurations(client, api.TRIGGERS, name, graph.ALERT_CREATED)
    modules = await api.configurations(client, api.MODULES, name, graph.SEKOIA_MODULE)
    errors: list[str] = []
    if len(read) == 1 and read[0].status not in wanted.policy.profile.enabled:
        ended = await api.runs(client, read[0].uuid)
        errors = [one.error or "no reason was told" for one in ended if one.status == "error"]
    return Found(read, triggers, modules, errors, _stale(client, wanted, read, [one.uuid for one in modules]))


def _secrets(wanted: Setup, playbook: str, module: str) -> dict[str, dict[str, str]]:
    """What holds a secret -> the secret."""
    request = wanted.wanted.request.secret
    return {playbook: {"secret": request} if request else {}, module: {"api_key": wanted.alerts_key}}


def _stale(client: Session, wanted: Setup, playbooks: Sequence[Playbook], modules: Sequence[str]) -> frozenset[str]:
    """uuids of what is to get its secret again."""
    if len(playbooks) != 1 or not modules or wanted.policy.leaving:
        return frozenset()
    held: dict[str, dict[str, str]] = {}
    for module in modules:
        held |= {uuid: one for uuid, one in _secrets(wanted, playbooks[0].uuid, module).items() if one}
    if wanted.always:
        return frozenset(held)
    client.secrets_unknown = client.sent is None or not all(client.sent.knows(uuid) for uuid in held)
    sent = client.sent
    return frozenset(uuid for uuid, one in held.items() if sent is not None and sent.stale(uuid, one))


async def _made(client: Session, wanted: Setup, parts: Parts) -> Parts:
    """Everything as wanted, in an order in which a run that is cut short leaves what the next one finds by its name."""
    one, profile = wanted.wanted, wanted.policy.profile
    value = await api.module_value(client, wanted.alerts_key, client.identity.api_url)
    module = await api.configure(client, api.MODULES, one.name, graph.SEKOIA_MODULE, value, parts.module)
    uuid = parts.playbook.uuid if parts.playbook else await _created(client, wanted)
    trigger = parts.trigger.uuid if parts.trigger and dict(parts.trigger.value) == one.filters() else ""
    if not trigger:
        kind = graph.ALERT_CREATED
        trigger = await api.configure(client, api.TRIGGERS, one.name, kind, one.filters(), parts.trigger)
    await api.update(client, uuid, definition(one, trigger, module, parts.playbook.tags if parts.playbook else ()))
    _remember(client, _secrets(wanted, uuid, module))
    read = await api.playbook(client, uuid)
    if read.status not in profile.enabled:
        client.way = await api.switch(client, read, profile.enable, True, profile.enabled)
        read = await api.playbook(client, uuid)
    triggers = await api.configurations(client, api.TRIGGERS, one.name, graph.ALERT_CREATED)
    modules = await api.configurations(client, api.MODULES, one.name, graph.SEKOIA_MODULE)
    held = {found.uuid: found for found in (*triggers, *modules)}
    return Parts(read, held.get(trigger), held.get(module))


async def _created(client: Session, wanted: Setup) -> str:
    """Make the playbook; of one whose answer was lost, see whether it was made."""
    try:
        return await api.create(client, wanted.wanted, [TAG])
    except NoAnswerError:
        held = [one for one in _meant(wanted, await api.playbooks(client)) if TAG in one.tags]
        if len(held) != 1:
            raise
        return held[0].uuid


async def _remove(client: Session, wanted: Setup, parts: Parts) -> None:
    """The playbook first, so that nothing starts it any more; configurations that others use stay."""
    playbook, profile = parts.playbook, wanted.policy.profile
    if playbook is not None:
        if playbook.status in profile.enabled:
            await api.switch(client, playbook, profile.disable, False, profile.enabled)
        await shared.remove(client, f"{api.PLAYBOOKS}/{playbook.uuid}", f"delete the playbook {playbook.name}")
    held = [(path, one) for path, one in ((api.TRIGGERS, parts.trigger), (api.MODULES, parts.module)) if one]
    used = await api.others_use(client, playbook.uuid if playbook else "", [one.uuid for _path, one in held])
    for path, one in held:
        if one.uuid not in used:
            await shared.remove(client, f"{path}/{one.uuid}", f"delete the configuration {one.name} at {path}")
    _remember(client, {one.uuid: {} for one in (playbook, parts.module) if one is not None})


def _remember(client: Session, secrets: Mapping[str, Mapping[str, str]]) -> None:
    """Keep fingerprints of what was sent; of nothing, forget them."""
    if client.sent is None:
        return
    client.secrets_unknown = False
    for uuid, held in secrets.items():
        if held:
            client.sent.keep(uuid, held)
        else:
            client.sent.forget(uuid)
    client.sent.save()


# --- preflight and verify


async def _playbooks(client: Sekoia) -> str:
    return f"{len(await api.playbooks(client))} playbooks are there"


async def _alerts(client: Sekoia) -> str:
    return "alerts are there" if await api.alerts(client, 1) else "there is no alert yet"


async def _module(client: Sekoia) -> str:
    asked = await api.module_value(client, "asked", "asked")
    return f"the module Sekoia.io asks for {', '.join(sorted(asked)) or 'nothing'}"


NEEDS = "View playbooks, Manage playbooks and View alerts"
LOOKS = (
    Look("playbooks", "View playbooks", _playbooks),
    Look("module", "View playbooks", _module),
    Look("alerts", "View alerts", _alerts),
)


async def _flow(client: Session, wanted: Setup, held: Sequence[Playbook]) -> Flow:
    name = wanted.wanted.name
    if len(held) > 1:
        text = f"several have this name: {', '.join(one.uuid for one in held)}"
        step = "run the drift playbook, which says what to do"
        raise RefusedError(f"find the playbook {name}", text, code="duplicate", next_step=step)
    read = await api.playbook(client, held[0].uuid)
    enabled = read.status in wanted.policy.profile.enabled
    newest = await api.alerts(client, ALERTS_OF_RULES if wanted.wanted.rule_names else 1)
    chosen = [one for one in newest if not wanted.wanted.rule_names or one.rule in wanted.wanted.rule_names]
    if wanted.probe and enabled and chosen:
        return await _probed(client, name, read, chosen[0])
    ended = await api.runs(client, read.uuid)
    failed = await _failed(client, read, ended[0]) if ended and ended[0].status not in api.RUNNING else ""
    return flows.flow(name, Seen(read, enabled, chosen[0] if chosen else None, ended, failed), time.time())


async def _failed(client: Session, playbook: Playbook, one: api.PlaybookRun) -> str:
    """Why nothing was sent: with error branches, neither the block that sends nor one before it fails the run."""
    run = one if one.nodes else await api.run_of(client, one.uuid)
    failed, unsent = flows.unsent(playbook, run)
    return (await api.node_error(client, failed) if failed else "") or unsent


async def _probed(client: Session, name: str, playbook: Playbook, one: api.Alert) -> Flow:
    """Start the playbook with the newest alert, which the target gets once more, and follow its run to the target."""
    before = {run.uuid for run in await api.runs(client, playbook.uuid)}
    if not playbook.trigger:
        return Flow(
            name, STALE, code="never_fires", message="it has no trigger configuration", next_step=flows.START_STEP
        )
    await api.emit(client, playbook.trigger, playbook.uuid, one)
    until = time.monotonic() + PROBE_SECONDS
    while True:
        new = [run for run in await api.runs(client, playbook.uuid) if run.uuid not in before]
        if new and new[0].status not in api.RUNNING:
            break
        if time.monotonic() > until:
            text = f"the test event has {'not ended' if new else 'not started'} a run within {PROBE_SECONDS:g} seconds"
            return Flow(name, STALE, code="not_started", message=text, next_step=flows.START_STEP)
        await asyncio.sleep(POLL_SECONDS)
    failed = await _failed(client, playbook, new[0])
    if failed or new[0].status not in api.DONE:
        return flows.flow(name, Seen(playbook, True, None, new, failed), time.time())
    return Flow(
        name, FLOWING, new[0].started, message=f"a test event with alert {one.short_id} was taken by the target"
    )


converge: Engine = engines.converge(AlertSync())
verify: Engine = engines.verify(AlertSync())
preflight: Engine = engines.preflight(AlertSync())
