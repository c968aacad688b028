# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of the tenant file to the vendor's ids; a name that nothing has is an error, never a filter of nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._core.coverage import refuse, same, unmatched
from . import api
from .client import SecureEndpoint
from .options import Named
from .plan import Filters, Wanted


async def resolved(client: SecureEndpoint, streams: Sequence[Named]) -> list[Wanted]:
    """With ids. A list is read only where a filter needs it. Raises InputError for names that are not there."""
    types = await api.event_types(client) if any(one.event_types for one in streams) else {}
    groups = await api.groups(client) if any(one.groups for one in streams) else {}
    complaints: list[str] = []
    found = [
        Wanted(
            one.name,
            Filters(
                _ids(f"{one.name}: event_types", one.event_types, types, complaints),
                _ids(f"{one.name}: groups", one.groups, groups, complaints),
            ),
        )
        for one in streams
    ]
    refuse("find the event types and groups", complaints)
    return found


def _ids(
    kind: str, names: Sequence[str] | None, known: Mapping[str, Any], complaints: list[str]
) -> frozenset[Any] | None:
    """The ids of names or ids, None where the tenant file says nothing. Pure."""
    if names is None:
        return None
    ids = {str(value).casefold(): value for value in known.values()}
    by_name = {name.casefold(): value for name, value in known.items()}
    complaints += unmatched(kind, names, {*known, *map(str, known.values())}, same)
    return frozenset(
        ids.get(name.casefold(), by_name.get(name.casefold()))
        for name in names
        if name.casefold() in ids or name.casefold() in by_name
    )
