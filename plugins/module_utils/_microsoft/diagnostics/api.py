# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a tenant: its targets, what each type offers, each target's settings. An error is never «absent»."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ..._core.client import ODD_SHAPE
from ..._core.coverage import refuse
from ..._core.errors import OnboardingError, RefusedError, malformed, typed
from ..._core.freshness import Flow
from ..._core.throttle import interleave
from ..arm import subscriptions as inventory
from ..arm.client import Arm, Call
from ..arm.refusals import unsupported
from ..arm.resource_types import ACTIVITY_LOG_CATEGORIES, SUBSCRIPTION_TYPE, types_to_query
from ..arm.resources import (
    DELETABLE_STATES,
    WRITABLE_STATES,
    Subscription,
    Target,
    choose_subscriptions,
    target_path,
    targets_of,
)
from ..settings.setting import Category, Offered, Setting, parse_offered, parse_settings
from . import choices
from .options import Selection

SETTINGS_API = "2021-05-01-preview"
PROVIDER = "/providers/Microsoft.Insights"
# How many resources of one kind are asked for its categories before the kind is given up as unknown.
CATEGORY_TRIES = 5
# How many types that nobody chose are asked what they offer, those of most resources first.
MAX_TYPES_ASKED = 60

SUBSCRIPTION_OFFERS = Offered({name.casefold(): Category(name, frozenset()) for name in ACTIVITY_LOG_CATEGORIES}, {})

Key = tuple[str, str, str]
Sinks = frozenset[str]


class Estate(NamedTuple):
    """What of a tenant is to be looked at.

    left_out: subscriptions with the reason; failed: subscriptions whose resources could not be listed; visible: ids
    (lower-case) of every subscription that the identity sees; source: how the resources were found.
    """

    targets: list[Target]
    taken: list[Subscription]
    left_out: list[tuple[Subscription, str]]
    failed: dict[str, OnboardingError]
    visible: frozenset[str]
    source: str


class Unchosen(NamedTuple):
    """What no option chooses. offering: resource types that offer logs, and how many resources have them.

    unread: types, or subscriptions, of which that is not known; further: types that nobody asked, for their number.
    """

    offering: Mapping[str, int] = {}
    unread: Mapping[str, OnboardingError] = {}
    further: int = 0


class Session:
    """One tenant's way in, and what a run has learnt of it.

    refusals: by the destinations of the setting refused; proven: destinations that have taken a setting; gates: the
    first writes to those that have not, of which few go at once; queries: of the workspace, in numbers; unchosen: what
    no option chooses, where a verb has looked for it; flows: what a verification has seen until now.
    """

    def __init__(self, arm: Arm) -> None:
        self.arm = arm
        self.estate = Estate([], [], [], {}, frozenset(), "")
        self.refusals: Counter[Sinks] = Counter()
        self.proven: set[Sinks] = set()
        self.gates: dict[Sinks, asyncio.Semaphore] = {}
        self.queries: Counter[str] = Counter()
        self.unchosen = Unchosen()
        self.flows: list[Flow] = []


async def estate(arm: Arm, selection: Selection) -> Estate:
    """The tenant's targets. Raises OnboardingError where the tenant as a whole cannot be read."""
    found = await inventory.subscriptions(arm)
    taken, left, unmatched = choose_subscriptions(
        found,
        selection.tenant_id,
        selection.subscriptions,
        selection.exclude_subscriptions,
        WRITABLE_STATES if selection.strict else DELETABLE_STATES,
    )
    _refuse_nothing(selection.tenant_id, found, taken, left, unmatched)
    types = types_to_query(selection.types)
    rows: list[inventory.Row] = []
    failed: dict[str, OnboardingError] = {}
    source = "none needed"
    if types is None or types:
        rows, failed, source = await inventory.resources(arm, [subscription.id for subscription in taken], types)
    targets = targets_of(taken, rows, selection.types, selection.chosen)
    if selection.strict and not failed:  # what could not be listed may be what a name means
        choices.check_selection(selection, found, taken, rows, targets)
    return Estate(
        targets,
        taken,
        left,
        failed,
        frozenset(subscription.id.casefold() for subscription in found),
        source,
    )


async def unchosen(arm: Arm, selection: Selection, taken: list[Subscription], concurrency: int) -> Unchosen:
    """What the selection leaves out: one resource of each type is asked what it offers, or the next of its kind.

    Raises OnboardingError where nothing could be listed.
    """
    if selection.types is None:
        return Unchosen()
    rows, failed, _source = await inventory.resources(arm, [one.id for one in taken], None)
    every = targets_of(taken, rows, None, selection.chosen)
    others = [one for one in every if one.type not in selection.types and not unfit(one)]
    number = Counter(one.type for one in others)
    first = {one.type: one.key for one in reversed(others)}
    asked = {first[kind]: kind for kind, _number in number.most_common(MAX_TYPES_ASKED)}
    offered = await offers(arm, [one for one in others if one.key in asked], concurrency)
    known = {kind: offered[key] for key, kind in asked.items()}
    return Unchosen(
        {kind: number[kind] for kind, one in known.items() if isinstance(one, Offered) and one.logs},
        {kind: one for kind, one in known.items() if isinstance(one, OnboardingError)} | failed,
        len(number) - len(asked),
    )


def _refuse_nothing(
    tenant: str,
    found: list[Subscription],
    taken: list[Subscription],
    left: list[tuple[Subscription, str]],
    unmatched: list[str],
) -> None:
    """An identity that sees nothing, or a wish that matches nothing, is an error and not an empty tenant."""
    operation = f"choose the subscriptions of tenant {tenant}"
    if not found:
        raise RefusedError(
            operation,
            "the identity sees no subscription",
            code="NoSubscriptions",
            next_step="grant the app's service principal Monitoring Contributor on the tenant's subscriptions, "
            "or delegate them by Azure Lighthouse and set managing_tenant_id",
        )
    if unmatched:
        refuse(operation, choices.subscription_names("subscriptions", unmatched, found))
    if not taken:
        reasons = "; ".join(f"{subscription.name or subscription.id} {reason}" for subscription, reason in left[:5])
        raise RefusedError(
            operation,
            f"none of the {len(found)} visible subscriptions is taken: {reasons}",
            code="NoSubscriptions",
            next_step="check tenant_id, managing_tenant_id, subscriptions and exclude_subscriptions",
        )


def unfit(target: Target) -> str:
    """Why a target cannot have settings, '' where it can.

    Source: diagnostic-settings.md, Azure Monitor loses settings of resources whose id is not ASCII.
    """
    return "" if target.id.isascii() else "its id is not ASCII, and Azure loses diagnostic settings of such resources"


async def offers(arm: Arm, targets: list[Target], concurrency: int) -> dict[Key, Offered | OnboardingError]:
    """What each (type, kind, sku) offers, asked once of one resource of it, or why that is not known."""
    known: dict[Key, Offered | OnboardingError] = {}
    by_key: dict[Key, list[Target]] = {}
    for target in targets:
        by_key.setdefault(target.key, []).append(target)

    async def ask(candidates: list[Target]) -> None:
        for candidate in candidates[:CATEGORY_TRIES]:
            try:
                known[candidate.key] = await _offered(arm, candidate)
                return
            except Exception as error:  # whatever it is, it is this kind's
                known[candidate.key] = typed(error)

    work = [(candidates[0].subscription, candidates) for candidates in by_key.values()]
    await interleave(work, "reads", arm.buckets, ask, concurrency)
    return known


async def _offered(arm: Arm, target: Target) -> Offered:
    if target.type == SUBSCRIPTION_TYPE:
        return SUBSCRIPTION_OFFERS
    operation = f"list the diagnostic setting categories of {target.id}"
    path = f"{target_path(target.id)}{PROVIDER}/diagnosticSettingsCategories"
    try:
        answer = await arm.call(Call("GET", path, SETTINGS_API, operation, target.subscription))
        return parse_offered(answer)
    except RefusedError as error:
        if unsupported(error):
            return Offered({}, {})
        raise
    except ODD_SHAPE as error:
        raise malformed(operation, error) from error


async def settings(
    arm: Arm,
    targets: list[Target],
    seen: Callable[[Target, tuple[Setting, ...] | OnboardingError], None],
    concurrency: int,
) -> None:
    """Tell C(seen) the settings of each target, or why they are not known."""

    async def look(target: Target) -> None:
        try:
            found: tuple[Setting, ...] | OnboardingError = await settings_of(arm, target)
        except Exception as error:  # whatever it is, it is this target's
            found = typed(error)
        seen(target, found)

    await interleave([(target.subscription, target) for target in targets], "reads", arm.buckets, look, concurrency)


async def settings_of(arm: Arm, target: Target) -> tuple[Setting, ...]:
    """Every setting of a target. Raises OnboardingError."""
    operation = f"list the diagnostic settings of {target.id}"
    path = f"{target_path(target.id)}{PROVIDER}/diagnosticSettings"
    answer = await arm.call(Call("GET", path, SETTINGS_API, operation, target.subscription))
    try:
        return parse_settings(answer)
    except ODD_SHAPE as error:
        raise malformed(operation, error) from error
