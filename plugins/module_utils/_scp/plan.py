# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be done so that a collector is as wanted. Pure.

An item is one thing on the host. Kinds, what C(want) holds, and what is observed in the same form (None: not there):
account {home, shell, comment, password}; folder {mode, owner, group}; file {content, mode, owner, group};
unit {enabled, active}; openings {rules} in the host's firewall; label {type} of a TCP port in SELinux; closed {owner}
(a tree whose files are kept and given to root); emptied {entries} (a folder that goes when nothing is in it).
C(want) None: it is to go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

CREATE, UPDATE, DELETE = "create", "update", "delete"
HOST = "host"

State = Mapping[str, Any]


@dataclass(frozen=True)
class Item:
    """target: the source that it is for, or HOST."""

    target: str
    kind: str
    key: str
    want: State | None


@dataclass(frozen=True)
class Change:
    """drift: what was not as wanted. blocked: why it is not ours to do, "" otherwise."""

    item: Item
    action: str
    before: State | None
    drift: tuple[str, ...]
    blocked: str = ""


def plan(items: Iterable[Item], observed: Mapping[tuple[str, str], State | None]) -> list[Change]:
    """The changes, in the order of the items."""
    changes: list[Change] = []
    gone: set[str] = set()
    for item in items:
        change = _change(item, observed.get((item.kind, item.key)), gone)
        if change is not None:
            changes.append(change)
            if change.action == DELETE:
                gone.add(item.key)
    return changes


def _change(item: Item, seen: State | None, gone: set[str]) -> Change | None:
    if item.kind == "emptied":
        left = None if seen is None else [entry for entry in seen["entries"] if f"{item.key}/{entry}" not in gone]
        return Change(item, DELETE, seen, ("unexpected",)) if left == [] else None
    foreign = seen is not None and seen.get("foreign")
    if foreign and item.want is None:
        return None
    if seen is not None and foreign:
        return Change(item, UPDATE, seen, ("foreign",), str(seen["foreign"]))
    if item.want is None:
        return None if seen is None else Change(item, DELETE, seen, ("unexpected",))
    if seen is None:
        # Files that are kept need no owner when there are none.
        return None if item.kind == "closed" else Change(item, CREATE, None, ("missing",))
    drift = tuple(name for name, value in item.want.items() if seen.get(name) != value)
    return Change(item, UPDATE, seen, drift) if drift else None
