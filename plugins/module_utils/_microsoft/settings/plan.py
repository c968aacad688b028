# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done on one target: pure, and the only place that knows what counts as equal, ours or dangerous."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from ..._core.status import BLOCKED, DRIFTED, IN_SYNC, SKIPPED
from ..._core.verdict import Verdict
from .setting import EVENT_HUB, MAX_SETTINGS, Offered, Setting

# Class of drift that is not ours to write -> what to do about it.
BLOCKED_STEPS = {
    "conflict": "let the owner of that setting remove it, or set on_conflict: adopt",
    "limit": "remove a setting that is no longer needed from this resource",
    "no_destination": "add the region to regional_destinations",
}


class LogChoice(NamedTuple):
    """Wanted logs: a category group, or lower-case single categories."""

    group: str = ""
    categories: frozenset[str] = frozenset()


class Desired(NamedTuple):
    """What is wanted of one target. sinks: kind -> resource id; table: a key of TABLES, or None for Azure's choice.

    destination_gap: why a wanted destination cannot be given for this target, '' when there is none.
    """

    name: str
    sinks: Mapping[str, str]
    event_hub_name: str = ""
    logs: LogChoice = LogChoice("alllogs")
    metrics: frozenset[str] = frozenset()
    table: str | None = None
    present: bool = True
    satisfied_by_any: bool = True
    adopt: bool = False
    exact: bool = False
    destination_gap: str = ""


def plan(desired: Desired, observed: tuple[Setting, ...], offered: Offered) -> Verdict:
    """The verdict on one target whose settings and categories were both read without doubt.

    Its target is for the caller to name; before and after are the setting concerned.
    """
    ours = next((setting for setting in observed if setting.name.casefold() == desired.name.casefold()), None)
    if not desired.present:
        return _absent(ours)
    wanted = _wanted(desired.logs, offered)
    if not wanted:
        return Verdict("", SKIPPED, reason=f"offers none of the wanted logs ({_spell(desired.logs)})")
    others = tuple(setting for setting in observed if setting is not ours)
    verdict = _present(desired, wanted, ours, others, offered)
    return _with_gap(verdict, desired.destination_gap) if desired.destination_gap else verdict


def doubled(observed: Sequence[Setting], offered: Offered) -> str:
    """Why records of a target arrive twice, '' where they do not: Azure refuses most of such settings, and not all."""
    for one, other in combinations(observed, 2):
        if common := _overlap(one, other, offered):
            return f"settings {one.name!r} and {other.name!r} both send {_named(common, offered)} to one destination"
    return ""


def written(verdict: Verdict) -> str:
    """The name of the setting that a verdict's write makes, changes or removes."""
    setting: Setting = verdict.after or verdict.before
    return setting.name


def _with_gap(verdict: Verdict, gap: str) -> Verdict:
    """The verdict on a target that not all wanted destinations can be given for: the others are written."""
    return verdict._replace(
        status=DRIFTED if verdict.action else BLOCKED,
        drift=("no_destination", *verdict.drift),
        reason="; ".join(filter(None, (gap, verdict.reason))),
        next_step=BLOCKED_STEPS["no_destination"],
    )


def _blocked(why: str, reason: str, before: Setting | None = None) -> Verdict:
    return Verdict("", BLOCKED, (why,), reason, before=before, next_step=BLOCKED_STEPS[why])


def _write(
    action: str, drift: tuple[str, ...], before: Setting | None, after: Setting | None, reason: str = ""
) -> Verdict:
    return Verdict("", DRIFTED, drift, reason, action, before=before, after=after)


def _absent(ours: Setting | None) -> Verdict:
    if ours is None:
        return Verdict("", IN_SYNC)
    return _write("delete", ("unexpected",), ours, None, "our setting is to be removed")


def _wanted(choice: LogChoice, offered: Offered) -> frozenset[str]:
    return offered.expand([choice.group] if choice.group else (), choice.categories)


def _spell(choice: LogChoice) -> str:
    return f"group {choice.group}" if choice.group else ", ".join(sorted(choice.categories))


def _sent(setting: Setting, offered: Offered) -> frozenset[str]:
    return offered.expand(setting.groups, setting.categories)


def _needed_sinks(
    desired: Desired, wanted: frozenset[str], others: tuple[Setting, ...], offered: Offered
) -> frozenset[str]:
    """Kinds of destination that other settings do not serve already with all wanted logs."""
    if not desired.satisfied_by_any:
        return frozenset(desired.sinks)
    target = _as_setting(desired, offered)
    needed = set()
    for kind in desired.sinks:
        served: set[str] = set()
        for other in others:
            if other.sink_key(kind) == target.sink_key(kind):
                served |= _sent(other, offered)
        if not wanted <= served:
            needed.add(kind)
    return frozenset(needed)


def _as_setting(desired: Desired, offered: Offered) -> Setting:
    """The setting that is wanted, with nothing of what is there."""
    wanted = _wanted(desired.logs, offered)
    by_group = bool(desired.logs.group) and offered.has_group(desired.logs.group)
    return Setting(
        name=desired.name,
        sinks=desired.sinks,
        event_hub_name=desired.event_hub_name,
        groups=frozenset({desired.logs.group}) if by_group else frozenset(),
        categories=frozenset() if by_group else wanted,
        disabled=frozenset(),
        metrics=desired.metrics & frozenset(offered.metrics),
        table=desired.table,
    )


def _present(
    desired: Desired,
    wanted: frozenset[str],
    ours: Setting | None,
    others: tuple[Setting, ...],
    offered: Offered,
) -> Verdict:
    needed = _needed_sinks(desired, wanted, others, offered)
    if ours is None and not needed:
        return Verdict("", IN_SYNC, reason="another setting already sends the wanted logs")
    full = _as_setting(desired, offered)
    if ours is None:
        return _guarded(desired, None, _limited(full, needed), ("missing",), others, offered)
    held = needed | {kind for kind in full.sinks if ours.sink_key(kind) == full.sink_key(kind)}
    if not held and desired.exact:
        return _write("delete", ("unexpected",), ours, None, "another setting serves it all")
    target = _limited(full, held)
    differences = _differences(target, ours, wanted, offered) if held else ()
    extras = _extras(target, ours, offered)
    if differences or (extras and desired.exact):
        after = target if desired.exact else _merge(target, ours, offered)
        after = after._replace(name=ours.name, table=target.table or ours.table)
        return _guarded(desired, ours, after, differences + extras, others, offered)
    if extras:
        return Verdict("", IN_SYNC, extras, "someone added to our setting; kept", before=ours)
    return Verdict("", IN_SYNC, before=ours)


def _limited(setting: Setting, kinds: frozenset[str]) -> Setting:
    """The setting with only these kinds of destination."""
    return setting._replace(sinks={kind: given for kind, given in setting.sinks.items() if kind in kinds})


def _differences(target: Setting, found: Setting, wanted: frozenset[str], offered: Offered) -> tuple[str, ...]:
    """Drift classes of what a setting lacks."""
    drift = []
    if any(found.sink_key(kind) != target.sink_key(kind) for kind in target.sinks) or _table_differs(target, found):
        drift.append("sink_changed")
    lacking = (wanted - _sent(found, offered)) | (target.metrics - found.metrics)
    off = lacking & offered.expand(found.disabled, found.disabled)
    if lacking - off:
        drift.append("category_missing")
    if off:
        drift.append("disabled")
    return tuple(drift)


def _table_differs(target: Setting, found: Setting) -> bool:
    """Azure answers null for many types whatever was sent, so null is unknown and never a difference."""
    return bool(target.table and found.table and target.table != found.table)


def _extras(target: Setting, found: Setting, offered: Offered) -> tuple[str, ...]:
    more = (
        set(found.sinks) - set(target.sinks)
        or _sent(found, offered) - _sent(target, offered)
        or found.metrics - target.metrics
    )
    return ("unexpected",) if more else ()


def _merge(target: Setting, found: Setting, offered: Offered) -> Setting:
    """What is wanted, with what someone added kept.

    A group cannot stand beside single categories, so where something outside the group is kept, all are named singly.
    """
    kept = _sent(found, offered) - _sent(target, offered)
    return target._replace(
        sinks={**found.sinks, **target.sinks},
        event_hub_name=target.event_hub_name if EVENT_HUB in target.sinks else found.event_hub_name,
        groups=frozenset() if kept else target.groups,
        categories=_sent(target, offered) | kept if kept else target.categories,
        metrics=target.metrics | found.metrics,
    )


def _guarded(
    desired: Desired,
    before: Setting | None,
    after: Setting,
    drift: tuple[str, ...],
    others: tuple[Setting, ...],
    offered: Offered,
) -> Verdict:
    """The write, unless Azure would refuse it: the same category to the same destination twice, or a sixth setting."""
    rivals = [other for other in others if _overlap(after, other, offered)]
    if rivals and desired.adopt and before is None and len(rivals) == 1:
        return _adopt(after, rivals[0], others, offered)
    if rivals:
        return _blocked("conflict", _conflict_text(after, rivals[0], offered), before)
    if before is None and len(others) >= MAX_SETTINGS:
        return _blocked("limit", f"has {len(others)} settings of other names; Azure allows {MAX_SETTINGS}")
    return _write("create" if before is None else "update", drift, before, after)


def _overlap(after: Setting, other: Setting, offered: Offered) -> frozenset[str]:
    """Log and metric categories that both would send to one destination."""
    if any(other.sink_key(kind) == after.sink_key(kind) for kind in after.sinks):
        return (_sent(after, offered) & _sent(other, offered)) | (after.metrics & other.metrics)
    return frozenset()


def _conflict_text(after: Setting, rival: Setting, offered: Offered) -> str:
    names = _named(_overlap(after, rival, offered), offered)
    return f"setting {rival.name!r} already sends {names} to the same destination, and Azure allows that once"


def _named(categories: frozenset[str], offered: Offered) -> str:
    """The first of them, as Azure spells them."""
    known = {name: category.name for name, category in offered.logs.items()} | dict(offered.metrics)
    names = sorted(known.get(name, name) for name in categories)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _adopt(target: Setting, rival: Setting, others: tuple[Setting, ...], offered: Offered) -> Verdict:
    """Change the one conflicting setting in place so that it sends all that is wanted, and keep the rest of it."""
    clash = [kind for kind in target.sinks if rival.sinks.get(kind) and rival.sink_key(kind) != target.sink_key(kind)]
    after = _merge(target, rival, offered)._replace(name=rival.name, table=target.table or rival.table)
    rest = tuple(other for other in others if other is not rival)
    if clash or any(_overlap(after, other, offered) for other in rest):
        return _blocked("conflict", _conflict_text(target, rival, offered), rival)
    if not _differences(target, rival, _sent(target, offered), offered):
        return Verdict(
            "", IN_SYNC, reason=f"setting {rival.name!r} is adopted and sends all that is wanted", before=rival
        )
    return _write("update", ("conflict",), rival, after, f"adopts setting {rival.name!r}")
