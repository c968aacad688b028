# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done with an organisation's event streams: pure, and all that knows what is equal.

Facts (api-docs.amp.cisco.com): five streams an organisation; a password is shown in the answer of the create only.
Assumed: names are not unique; a list may leave out the filters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .._core.status import BLOCKED, DRIFTED, IN_SYNC
from .._core.verdict import Verdict

MAX_STREAMS = 5
REPLACE = "replace"
LIMIT = "limit"
FILTERS = ("event_types", "groups")
LOST_STEP = (
    "if nobody reads it, set replace_lost and run again, which removes it with what waits in it and makes it anew; "
    "else give ours another name"
)
RENAMED_STEP = "give it its name again in the console, or take the new name into the tenant file"
LIMIT_STEP = "as an administrator of the organisation, remove one that nobody reads, in the console or by the API"


class Filters(NamedTuple):
    """What a stream carries. Empty is all; None is not said: by the tenant file, or by the vendor's list."""

    event_types: frozenset[int] | None = None
    groups: frozenset[str] | None = None

    def view(self) -> dict[str, Any]:
        return {name: sorted(value) for name, value in self._asdict().items() if value is not None}


class Wanted(NamedTuple):
    """A stream as the tenant file wants it, by ids."""

    name: str
    filters: Filters = Filters()

    def view(self) -> dict[str, Any]:
        return {"name": self.name, **self.filters.view()}


class Stream(NamedTuple):
    """A stream as the vendor lists it."""

    id: int
    name: str
    filters: Filters = Filters()

    def view(self) -> dict[str, Any]:
        return {"name": self.name, **self.filters.view()}


class Access(NamedTuple):
    """What opens the queue."""

    user: str
    password: str
    queue: str
    host: str
    port: int


class Kept(NamedTuple):
    """A stream that we made, with what opens it. made: seconds since the epoch; filters: as we have set them."""

    name: str
    id: int
    api_url: str
    access: Access
    filters: Filters
    made: float


class Begun(NamedTuple):
    """A create that was about to be sent. before: the ids that were there."""

    name: str
    before: frozenset[int]
    at: str


class Held(NamedTuple):
    """What the file with the passwords holds, by name."""

    streams: Mapping[str, Kept] = {}
    begun: Mapping[str, Begun] = {}


class Policy(NamedTuple):
    """replace_lost: whether a stream of our name without a password may be removed and made anew."""

    replace_lost: bool = False
    leaving: bool = False


def plan(wanted: Sequence[Wanted], held: Held, found: Sequence[Stream], policy: Policy) -> list[Verdict]:
    """The verdicts on our streams, of a list that was read without doubt. Those of others are never a target."""
    if policy.leaving:
        named = [one.name for one in wanted]
        wanted = [*wanted, *(Wanted(name) for name in held.streams if name not in named)]
    verdicts = [_one(one, held, found, policy) for one in wanted]
    return _within_the_limit(verdicts, found)


def _one(wanted: Wanted, held: Held, found: Sequence[Stream], policy: Policy) -> Verdict:
    """By the id that was kept, whatever its name is now; a name alone makes no stream ours."""
    kept = held.streams.get(wanted.name)
    ours = next((one for one in found if kept and one.id == kept.id), None)
    if kept and ours:
        return _leaving(wanted.name, ours) if policy.leaving else _compared(wanted, kept, ours)
    named = [one for one in found if one.name == wanted.name]
    if len(named) > 1:
        reason = f"{len(named)} streams have the name {wanted.name!r}: {', '.join(str(one.id) for one in named)}"
        return _blocked(wanted.name, "duplicate", reason, "remove those that nobody reads, or give ours another name")
    if named:
        return _lost(wanted, held.begun.get(wanted.name), named[0], policy)
    if policy.leaving:
        return Verdict(wanted.name, IN_SYNC)
    return Verdict(wanted.name, DRIFTED, ("missing",), action="create", after=wanted)


def _leaving(name: str, one: Stream) -> Verdict:
    return Verdict(name, DRIFTED, ("unexpected",), "it is to be removed", "delete", before=one, subject=one)


def _compared(wanted: Wanted, kept: Kept, one: Stream) -> Verdict:
    differing = [name for name in FILTERS if _differs(name, wanted.filters, kept.filters, one.filters)]
    if differing:
        after = wanted._replace(filters=Filters(**{name: getattr(wanted.filters, name) for name in differing}))
        reason = f"other {' and '.join(differing)} than wanted"
        return Verdict(wanted.name, DRIFTED, tuple(differing), reason, "update", before=one, after=after, subject=one)
    if one.name != wanted.name:
        return Verdict(
            wanted.name, IN_SYNC, ("renamed",), f"its name is {one.name!r} now", before=one, subject=one,
            next_step=RENAMED_STEP,
        )  # fmt: skip
    return Verdict(wanted.name, IN_SYNC, before=one, subject=one)


def _differs(name: str, wanted: Filters, kept: Filters, shown: Filters) -> bool:
    """What the vendor does not show is taken from what we have set last."""
    value = getattr(wanted, name)
    there = getattr(shown, name)
    return value is not None and value != (getattr(kept, name) if there is None else there)


def _lost(wanted: Wanted, begun: Begun | None, one: Stream, policy: Policy) -> Verdict:
    """A stream of our name that we have no password of: it may be somebody else's."""
    reason = f"stream {one.id} has this name, and its password is not in the file"
    if begun and one.id not in begun.before:
        reason += f"; it was made since {begun.at}, when a run of ours began to make it and did not come to its end"
    if not policy.replace_lost:
        return _blocked(wanted.name, "password_lost", reason, LOST_STEP, one)
    if policy.leaving:
        return _leaving(wanted.name, one)
    drift = ("password_lost",)
    return Verdict(wanted.name, DRIFTED, drift, reason, REPLACE, "delete", before=one, after=wanted, subject=one)


def _within_the_limit(verdicts: Sequence[Verdict], found: Sequence[Stream]) -> list[Verdict]:
    """A create that the vendor would refuse is not tried: in the order of the tenant file."""
    free, judged = MAX_STREAMS - len(found), []
    for one in verdicts:
        if one.action == "create":
            free -= 1
            if free < 0:
                names = ", ".join(f"{stream.name} ({stream.id})" for stream in found)
                reason = f"the organisation has {len(found)} of {MAX_STREAMS} streams: {names}"
                one = _blocked(one.target, LIMIT, reason, LIMIT_STEP)
        judged.append(one)
    return judged


def _blocked(target: str, drift: str, reason: str, step: str, one: Stream | None = None) -> Verdict:
    return Verdict(target, BLOCKED, (drift,), reason, before=one, subject=one, next_step=step)
