# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names in the options that mean nothing in the tenant: an error before anything is written. Pure.

A family, or a resource type that we know, may be one that this tenant has nothing of: a fleet's defaults name many.
The same goes for tags to exclude; there only what is spelled almost like a tag of the tenant is taken for a mistake.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ..._core.coverage import NO_MATCH, refuse, same, unmatched
from ..._core.errors import InputError, OnboardingError
from ..._core.names import nearest
from ..arm.resource_types import FAMILY_OF, PARENTS, SQL_DATABASE, SQL_SERVER
from ..arm.resources import Subscription, Target, group_of, means, row_targets
from ..settings.setting import EVERY_LOG, Offered
from .options import Logs, Selection

TARGETS = "choose the targets of tenant {}"
LOGS = "choose the logs"
# Types whose resources have settings at their parts only.
WHOLES = {
    whole: sorted(part for part, parent in (*PARENTS.items(), (SQL_DATABASE, SQL_SERVER)) if parent == whole)
    for whole in {*PARENTS.values(), SQL_SERVER}
}


def subscription_names(option: str, wanted: Iterable[str], found: Iterable[Subscription]) -> list[str]:
    """Complaints about ids, names or globs that no visible subscription has."""
    names = {name for one in found for name in (one.id, one.name) if name}
    return unmatched(option, wanted, names)


def check_selection(
    selection: Selection,
    found: Sequence[Subscription],
    taken: Sequence[Subscription],
    rows: Sequence[Mapping[str, Any]],
    targets: Sequence[Target],
) -> None:
    """Raise InputError where a part of the selection, or all of it, chooses nothing.

    Args:
        rows: of the wanted types in the subscriptions that were taken, all of which could be listed.
        targets: what is left of them.
    """
    chosen = selection.chosen
    ids = {row["id"] for row in rows} | {target.id for row in rows for target in row_targets(row)}
    ids |= {f"/subscriptions/{one.id}" for one in taken}
    types = {target.type for row in rows for target in row_targets(row)} | {row["type"].casefold() for row in rows}
    tags = {(name, value) for row in rows for name, value in (row.get("tags") or {}).items()}
    pairs = {f"{name}={value}" for name, value in tags}
    complaints = [
        *subscription_names("exclude_subscriptions", selection.exclude_subscriptions, found),
        *_types(selection, types),
        *unmatched("resource_groups", chosen.resource_groups, {group_of(row) for row in rows}),
        *unmatched("include_tags", _spelled(chosen.include_tags), pairs),
        *_almost("exclude_tags", [name for name, _value in chosen.exclude_tags], {name for name, _value in tags}),
        *unmatched("exclude_resources", chosen.exclude_resources, ids, means),
    ]
    operation = TARGETS.format(selection.tenant_id)
    refuse(operation, complaints)
    if not targets:
        step = "check families, resource_types and the options that leave resources out"
        raise InputError(operation, "the tenant has nothing of what is chosen", code=NO_MATCH, next_step=step)


def _types(selection: Selection, there: Collection[str]) -> list[str]:
    named = sorted((selection.types or frozenset()) - FAMILY_OF.keys())
    whole = [kind for kind in named if kind in WHOLES]
    others = [kind for kind in named if kind not in WHOLES]
    return [
        f"resource_types: {kind} has no settings that send logs; name its parts: {', '.join(WHOLES[kind])}"
        for kind in whole
    ] + unmatched("resource_types", others, {*there, *FAMILY_OF}, same)


def _spelled(tags: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{name}={value}" for name, value in tags]


def _almost(option: str, wanted: Iterable[str], known: Collection[str]) -> list[str]:
    return [complaint for name in wanted if nearest(name, known) for complaint in unmatched(option, [name], known)]


def check_logs(logs: Logs, offers: Mapping[Target, Offered | OnboardingError]) -> None:
    """Raise InputError where none of the targets that a choice holds for offers what it names.

    Args:
        offers: what each target offers. Where one could not be read, the missing name may be its own.
    """
    complaints = []
    for key, choice in logs.choices.items():
        mine = [offered for target, offered in offers.items() if logs.key(target.type) == key]
        if not mine and "/" in key and key not in FAMILY_OF:
            complaints += unmatched("logs", [key], {target.type for target in offers} | FAMILY_OF.keys(), same)
        readable = _readable(mine)
        if not readable:
            continue
        names = {category.name for offered in readable for category in offered.logs.values()}
        groups = {group for offered in readable for each in offered.logs.values() for group in each.groups}
        complaints += unmatched(f"logs[{key}].categories", sorted(choice.categories), names, same)
        group = [choice.group] if choice.group and choice.group != EVERY_LOG else []
        complaints += unmatched(f"logs[{key}].category_group", group, groups, same)
    readable = _readable(list(offers.values()))
    if readable:
        known = {name for offered in readable for name in offered.metrics.values()}
        complaints += unmatched("metrics", sorted(logs.metrics), known, same)
    refuse(LOGS, complaints)


def _readable(offers: Sequence[Offered | OnboardingError]) -> list[Offered]:
    """All of them where all could be read and one has logs, else none."""
    readable = [one for one in offers if not isinstance(one, OnboardingError)]
    return readable if len(readable) == len(offers) and any(one.logs for one in readable) else []
