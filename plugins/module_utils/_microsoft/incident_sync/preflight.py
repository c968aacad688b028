# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight: consent, permissions and the ITSM's rights and names, each told by itself, found by reading only."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from ..._core.errors import OnboardingError, SignInError
from ..._core.findings import CUSTOMER, MISSING, OK, PROVIDER, UNKNOWN, Finding, failed
from ..._core.redaction import Redactor
from ..._core.status import DRIFTED
from ..._core.verdict import Verdict
from ..arm import checks as arm
from ..graph.consent import consent_step, link
from ..identity.refusals import NOT_CONSENTED, whose
from . import automation, sentinel
from .feed import READ, WRITE, Feed
from .options import GRAPH, Desk, Setup
from .sentinel import Workspace
from .servicenow import FIELDS, ServiceNow
from .webhook import EVIDENCE_STEP, Webhook

BACKLOG_STEP = "look at onboard --check --diff first, or give incident_sync_max_changes"
FEED_STEP = f"move to incident_sync_feed: {GRAPH} before then, as the role's README says"
# So many that a person should look before a first run.
MANY = 20
CLOSES = frozenset({"resolved", "redirected", "duplicate"})
CHOICE_STEP = "name one of {names} by {option}, or let the instance's administrator add it"


async def findings(
    feed: Feed | Workspace, desk: ServiceNow | Webhook, setup: Setup, *, remembers: bool
) -> list[Finding]:
    """The checks of both sides; of each in the order in which a person would cure them."""
    found = await (_workspace(feed, setup) if isinstance(feed, Workspace) else _incidents(feed, setup))
    if isinstance(desk, ServiceNow):
        return [*found, *await _servicenow(desk)]
    if remembers:
        return [*found, Finding("webhook", desk_name(setup.desk), OK, "nothing is sent before the first incident")]
    return [*found, Finding("memory", "webhook", MISSING, "nothing remembers what was told", PROVIDER, EVIDENCE_STEP)]


def desk_name(desk: Desk) -> str:
    """Without its path, in which many a webhook has its secret."""
    return urlsplit(desk.url).netloc


async def _incidents(feed: Feed, setup: Setup) -> list[Finding]:
    tenant = setup.identity.tenant_id
    try:
        held = await feed.roles()
    except SignInError as error:
        detail = f"{error.code}: {error.message}"
        if error.code in NOT_CONSENTED:
            return [Finding("consent", tenant, MISSING, detail, CUSTOMER, _consent(setup))]
        status = MISSING if error.code.startswith("AADSTS") else UNKNOWN
        return [Finding("sign_in", tenant, status, detail, whose(error, tenant, tenant), error.next_step)]
    except OnboardingError as error:
        return [failed("sign_in", tenant, error)]
    found = [Finding("sign_in", tenant, OK, "the token is one of this tenant")]
    found.append(_permission(setup, READ, bool(held & {READ, WRITE})))
    if setup.policy.tags:
        found.append(_permission(setup, WRITE, WRITE in held))
    if all(one.status == OK for one in found):
        found.append(await _listed(feed, setup))
    return found


async def _workspace(feed: Workspace, setup: Setup) -> list[Finding]:
    """The same of the second way, and that it ends."""
    found = [await arm.signed_in(feed, setup.identity.tenant_id)]
    if found[0].status == OK:
        role, needed = (sentinel.RESPONDER, [sentinel.READ, sentinel.WRITE]) if setup.policy.tags else (
            sentinel.READER, [sentinel.READ])  # fmt: skip
        found.append(await arm.allowed(feed, setup.identity.client_id, "permission", feed.id, needed, role))
    if all(one.status == OK for one in found):
        found.append(await _listed(feed, setup))
    return [*found, ending(setup)]


def ending(setup: Setup) -> Finding:
    """Advice to who is at Azure's side."""
    return Finding("feed", setup.workspace.rpartition("/")[2], OK, sentinel.END, PROVIDER, FEED_STEP)


def _permission(setup: Setup, name: str, held: bool) -> Finding:
    if held:
        return Finding("permission", name, OK, "in the token")
    return Finding("permission", name, MISSING, "not in the token", CUSTOMER, _consent(setup))


def _consent(setup: Setup) -> str:
    who = setup.identity
    return consent_step(link(who.cloud.authority, who.tenant_id, who.client_id, None, None))


async def _listed(feed: Feed | Workspace, setup: Setup) -> Finding:
    try:
        found = await feed.changed(time.time() - setup.lookback)
    except OnboardingError as error:
        return failed("incidents", setup.tenant, error)
    text = f"{len(found)} were changed in the last {setup.lookback / 3600:g} hours"
    return Finding("incidents", setup.tenant, OK, text)


def backlog(setup: Setup, verdicts: Sequence[Verdict]) -> Finding:
    """How many tickets the next run opens and closes; advice where that is many."""
    made = sum("missing" in one.drift for one in verdicts)
    closed = sum(one.status == DRIFTED and not CLOSES.isdisjoint(one.drift) for one in verdicts)
    step = BACKLOG_STEP if made + closed > MANY else ""
    text = f"the next run opens {made} tickets and closes {closed}"
    return Finding("backlog", setup.tenant, OK, text, PROVIDER if step else "", step)


async def automation_rules(setup: Setup, redactor: Redactor) -> list[Finding]:
    """Those of Sentinel whose conditions break by the move to Defender: advice, as the rule is somebody's own."""
    if not setup.workspace:
        return []
    check, subject = "automation_rules", setup.workspace.rpartition("/")[2]
    try:
        broken = await automation.read(setup.identity, setup.workspace, redactor)
    except OnboardingError as error:
        return [failed(check, subject, error)]
    if not broken:
        return [Finding(check, subject, OK, "none has a condition that breaks")]
    return [
        Finding("automation_rule", one.rule, OK, f"it asks for {one.why}", PROVIDER, f"ask for {one.instead} instead")
        for one in broken
    ]


# --- ServiceNow


async def _servicenow(desk: ServiceNow) -> list[Finding]:
    first = await _tried("tickets", desk_name(desk.desk), lambda: _columns(desk))
    if first.status != OK:
        return [first]
    who = desk.desk
    references = (
        ("caller", "sys_user", "user_name", who.caller),
        ("assignment_group", "sys_user_group", "name", who.group),
    )
    choices = (
        ("category", "category", [who.category] if who.category else []),
        ("close_code", "close_code", [who.close_code]),
        ("states", "state", [who.reopened, who.resolved, *who.closed]),
    )
    found = [first]
    for option, table, field, name in references:
        if name:
            found.append(await _tried(option, name, lambda t=table, f=field, n=name: desk.reference(t, f, n)))  # type: ignore[misc]
    for option, element, values in choices:
        found += await _choices(desk, option, element, values)
    return found


async def _columns(desk: ServiceNow) -> str:
    """A row shows which columns the user may read; without any row nobody can say."""
    columns, query = (*FIELDS, desk.desk.marker), "correlation_idISNOTEMPTY^ORDERBYDESCsys_created_on"
    rows = await desk.rows("incident", query, columns, "read the incident table", most=1)
    lost = [name for name in columns if rows and name not in rows[0]]
    if lost:
        raise desk.hidden("read the incident table", lost)
    return "its fields can be read" if rows else "it can be read, and has no incident yet that shows its fields"


async def _choices(desk: ServiceNow, option: str, element: str, values: list[str]) -> list[Finding]:
    """Retired or missing values of a choice list."""
    if not values:
        return []
    operation = f"read the choices of {element}"
    try:
        rows = await desk.rows(
            "sys_choice", f"name=incident^element={element}", ("sys_id", "element", "value", "inactive"), operation
        )
    except OnboardingError as error:
        return [failed(option, element, error)]
    active = {row.get("value", "") for row in rows if row.get("inactive") != "true" and row.get("element") == element}
    if not rows:
        return [Finding(option, element, UNKNOWN, "the list of choices cannot be seen", PROVIDER,
                        "let the integration user read sys_choice")]  # fmt: skip
    return [_choice(option, value, active) for value in values]


def _choice(option: str, value: str, active: set[str]) -> Finding:
    if value in active:
        return Finding(option, value, OK, "the instance has it")
    step = CHOICE_STEP.format(names=", ".join(sorted(active)[:10]) or "none", option=option)
    return Finding(option, value, MISSING, "retired, or not there", PROVIDER, step)


async def _tried(check: str, subject: str, read: Callable[[], Awaitable[str]]) -> Finding:
    try:
        return Finding(check, subject, OK, await read())
    except OnboardingError as error:
        return failed(check, subject, error)
