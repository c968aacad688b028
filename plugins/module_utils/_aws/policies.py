# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents of rights: statements of ours are known by their Sid, and all others stay byte for byte. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .._core.bodies import mapping, parse

VERSION = "2012-10-17"


def document(text: str) -> dict[str, Any]:
    """A policy as it was read, an empty one for ''. Raises what ODD_SHAPE names."""
    return mapping(parse(text.encode())) if text else {}


def statements(policy: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Its statements; one alone may stand without a list. Raises TypeError."""
    found = policy.get("Statement", [])
    return [mapping(one) for one in (found if isinstance(found, list) else [found])]


def merged(policy: Mapping[str, Any], ours: Sequence[Mapping[str, Any]], sids: frozenset[str]) -> dict[str, Any]:
    """The policy with these statements of ours in place of those of our Sids: the same where nothing differs.

    sids: every Sid that is ours, wanted now or not.
    """
    wanted = {one["Sid"]: dict(one) for one in ours}
    kept = []
    for one in statements(policy):
        sid = one.get("Sid")
        if sid in wanted:
            kept.append(wanted.pop(sid))
        elif sid not in sids:
            kept.append(one)
    # Of a policy without a version AWS reads variables as text: theirs must not come to mean something else.
    version = {} if policy else {"Version": VERSION}
    return {**version, **policy, "Statement": [*kept, *wanted.values()]}


def same(one: Any, other: Any) -> bool:
    """Whether two documents say the same: AWS gives a list of one back as the one, in an order of its own."""
    return bool(_plain(one) == _plain(other))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        items = [_plain(item) for item in value]
        return items[0] if len(items) == 1 else sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
    return value
