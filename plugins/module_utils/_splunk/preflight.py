# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight: the way to the management port, the token, each search, and what is in the way of every webhook."""

from __future__ import annotations

from .._core.errors import NoAnswerError, OnboardingError
from .._core.findings import CUSTOMER, MISSING, OK, UNKNOWN, Finding
from .._core.status import BLOCKED, DRIFTED, IN_SYNC
from . import api
from .client import Splunk
from .options import Setup
from .plan import ACTION, ALLOW_LIST, AllowList, Search, action, allow_list, plan

EDIT_LIST = "edit_webhook_allow_list"
PORT_STEP = "let this machine reach the management port (8089) of the search head"
CLOUD_PORT_STEP = (
    "have an sc_admin let this address into the management port: Settings > Server settings > IP allow list > Search "
    "head API access; it is open once this finding is gone"
)
WRITE_STEP = "give the token's user write permission on the search: Settings > Searches > Edit > Edit Permissions"
LOG_SECONDS = 3600.0
LIST_STEP = f"give the token's user a role with the capability {EDIT_LIST}"


async def findings(client: Splunk, setup: Setup) -> list[Finding]:
    """The checks in the order in which a person would cure them; what stands on one that is missing is left out."""
    where = setup.identity.api_url
    try:
        held = await api.capabilities(client)
    except OnboardingError as error:
        if isinstance(error, NoAnswerError) and error.status is None:
            step = CLOUD_PORT_STEP if setup.cloud else PORT_STEP
            return [Finding("management_port", where, UNKNOWN, f"{error.code}: {error.message}", CUSTOMER, step)]
        return [_unread("token", where, error)]
    found = [Finding("token", where, OK, "it is taken")]
    try:
        searches = await api.searches(client)
    except OnboardingError as error:
        found.append(_unread("searches", where, error))
    else:
        found += _searches(setup, searches)
    try:
        settings = await api.allow_list(client)
    except OnboardingError as error:
        return [*found, _unread("allow_list", ALLOW_LIST, error), await _log(client)]
    return [*found, *_settings(setup, settings, held), await _log(client)]


def _searches(setup: Setup, searches: list[Search]) -> list[Finding]:
    """Each search that is wanted: whether it may be written, and whether it runs at all. Pure."""
    found = []
    for verdict in plan(setup.targets, searches, setup.url, leaving=False):
        before = verdict.before
        if verdict.status == BLOCKED or verdict.next_step:
            found.append(Finding("search", verdict.target, MISSING, verdict.reason, CUSTOMER, verdict.next_step))
        elif before is not None and not before.writable and verdict.status != IN_SYNC:
            found.append(Finding("search", verdict.target, MISSING, "it may not be written", CUSTOMER, WRITE_STEP))
        else:
            found.append(Finding("search", verdict.target, OK, "it is there"))
    return found


def _settings(setup: Setup, settings: AllowList, held: frozenset[str]) -> list[Finding]:
    """The action, and the allow list where it keeps us out. Pure."""
    works = action(settings)
    verdict = allow_list(settings, setup.entry, setup.url, leaving=False, cloud=setup.cloud)
    status = MISSING if works.status == BLOCKED else OK
    found = [Finding("webhook_action", ACTION, status, works.reason, CUSTOMER if works.reason else "", works.next_step)]
    if verdict.next_step:
        found.append(Finding("allow_list", ALLOW_LIST, MISSING, verdict.reason, CUSTOMER, verdict.next_step))
    elif verdict.status == DRIFTED and not setup.cloud and EDIT_LIST not in held:
        found.append(Finding("allow_list", ALLOW_LIST, MISSING, f"{verdict.reason}, and may not be written", CUSTOMER,
                             LIST_STEP))  # fmt: skip
    else:
        found.append(Finding("allow_list", ALLOW_LIST, OK, verdict.reason))
    return found


async def _log(client: Splunk) -> Finding:
    """What verify reads."""
    try:
        await api.readable(client, LOG_SECONDS)
    except OnboardingError as error:
        return _unread("log", "_internal", error)
    return Finding("log", "_internal", OK, "splunkd.log is shown")


def _unread(check: str, subject: str, error: OnboardingError) -> Finding:
    status = MISSING if error.status in (401, 403) else UNKNOWN
    return Finding(check, subject, status, f"{error.code}: {error.message}", error.owner or CUSTOMER, error.next_step)
