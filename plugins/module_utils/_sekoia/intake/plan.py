# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done with each intake: pure, and all that knows what is equal.

Facts: names are not unique; an intake's key can be read again; assumed: that its format is fixed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..._core.status import BLOCKED, DRIFTED, IN_SYNC
from ..._core.verdict import Verdict

HAND_OVER = "hand_over"


class Wanted(NamedTuple):
    """An intake as the tenant file wants it. format, entity: their names or uuids, and once looked up their uuids."""

    name: str
    format: str
    entity: str

    def view(self) -> dict[str, Any]:
        return self._asdict()


class Intake(NamedTuple):
    """An intake as Sekoia.io has it. created: seconds since the epoch, None where it does not say."""

    uuid: str
    name: str
    format: str
    entity: str
    key: str
    created: float | None = None

    def view(self) -> dict[str, Any]:
        return {"name": self.name[:200], "format": self.format, "entity": self.entity}


class Kept(NamedTuple):
    """What was handed over of an intake before."""

    uuid: str = ""
    key: str = ""


class Policy(NamedTuple):
    """hand_over: whether the keys have to be with us."""

    hand_over: bool = False
    leaving: bool = False


def plan(wanted: Sequence[Wanted], found: Sequence[Intake], kept: Mapping[str, Kept], policy: Policy) -> list[Verdict]:
    """A verdict on each that is wanted, of a list that was read without doubt."""
    return [_one(one, found, kept.get(one.name, Kept()), policy) for one in wanted]


def meant(wanted: Wanted, found: Sequence[Intake], kept: Kept) -> list[Intake]:
    """By the uuid that was kept, else those of the exact name."""
    held = [one for one in found if kept.uuid and one.uuid == kept.uuid]
    return held or [one for one in found if one.name == wanted.name]


def _one(wanted: Wanted, found: Sequence[Intake], kept: Kept, policy: Policy) -> Verdict:
    held = meant(wanted, found, kept)
    if len(held) > 1:
        reason = f"{len(held)} intakes have this name: {', '.join(sorted(one.uuid for one in held))}"
        return _blocked(wanted, "duplicate", reason, "rename in Sekoia.io, or remove, those that are not ours")
    one = held[0] if held else None
    if one is not None and one.format != wanted.format:
        reason = f"it is of the format {one.format}, which no request changes"
        return _blocked(wanted, "format", reason, "give the intake another name, or remove this one in Sekoia.io", one)
    if one is not None and one.entity != wanted.entity and one.uuid != kept.uuid:
        reason = f"an intake of this name is of the entity {one.entity}, and nothing says that it is ours"
        return _blocked(wanted, "foreign", reason, "give the intake another name, or name that entity", one)
    if policy.leaving:
        gone = Verdict(wanted.name, DRIFTED, ("unexpected",), "it is to be removed", "delete", before=one, subject=one)
        return gone if one else Verdict(wanted.name, IN_SYNC)
    if one is None:
        return Verdict(wanted.name, DRIFTED, ("missing",), action="create", after=wanted)
    differing = {
        "name": f"its name is {one.name[:80]!r}" if one.name != wanted.name else "",
        "entity": f"it is of the entity {one.entity}" if one.entity != wanted.entity else "",
    }
    drift = tuple(name for name, text in differing.items() if text)
    if drift:
        reason = "; ".join(filter(None, differing.values()))
        return Verdict(wanted.name, DRIFTED, drift, reason, "update", before=one, after=wanted, subject=one)
    if not policy.hand_over or kept == Kept(one.uuid, one.key):
        return Verdict(wanted.name, IN_SYNC, before=one, subject=one)
    changed = bool(kept.key) and kept.uuid == one.uuid
    name, reason = (
        ("key_changed", "its key is another one now") if changed else ("not_handed_over", "its key is to come")
    )
    level = "update" if changed else "create"
    return Verdict(wanted.name, DRIFTED, (name,), reason, HAND_OVER, level, before=one, after=one, subject=one)


def _blocked(wanted: Wanted, drift: str, reason: str, step: str, one: Intake | None = None) -> Verdict:
    return Verdict(wanted.name, BLOCKED, (drift,), reason, before=one, next_step=step, subject=None)
