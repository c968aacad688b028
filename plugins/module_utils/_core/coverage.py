# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run expected, looked at and left out: what matches nothing is an error, what has gone since is unknown.

The scopes that a tenant had are remembered in one small file for each tenant and capability.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from .errors import InputError, OnboardingError
from .evidence import make_folder, run_dir, who, write_whole
from .findings import PROVIDER
from .names import meant

MAX_KNOWN_SHOWN = 8
MAX_UNMATCHED_SHOWN = 10
NO_MATCH = "NoMatch"
FOLDER = "coverage"
MAX_SCOPES = 5000
MAX_LEFT_OUT = 20
MAX_PARTS = 20

# What may be said of a part of a tenant. covered: it is looked after, however it stands; excluded: by choice;
# waiting: for the customer; not_asked: the customer has it, and nobody has asked for it yet.
UNREACHABLE, WAITING, NOT_ASKED, EXCLUDED, UNSUPPORTED, COVERED = STATES = (
    "unreachable",
    "waiting",
    "not_asked",
    "excluded",
    "not_supported",
    "covered",
)
# Of these is the share of what is covered: what was left out by choice, or cannot be collected, lowers none.
COUNTABLE = (COVERED, UNREACHABLE, WAITING, NOT_ASKED)


def matches(pattern: str, name: str) -> bool:
    """Whether a name, or a glob of names, means this one; case does not count."""
    pattern, name = pattern.casefold(), name.casefold()
    return pattern == name or fnmatchcase(name, pattern)


def same(name: str, other: str) -> bool:
    """Whether two names are one; case does not count."""
    return name.casefold() == other.casefold()


def unmatched(
    kind: str, wanted: Iterable[str], known: Collection[str], match: Callable[[str, str], bool] = matches
) -> list[str]:
    """A sentence for each wanted name that means nothing known, with what is spelled most like it. Pure.

    Args:
        kind: what the names are of, as the option is called.
        match: C(matches) where a name may be a glob, else C(same).
    """
    return [
        f"{kind}: nothing matches {name}{_hint(name, known)}"
        for name in wanted
        if not any(match(name, one) for one in known)
    ]


def _hint(name: str, known: Collection[str]) -> str:
    if near := meant(name, known):
        return near
    if not known:
        return " (there is none)"
    shown = sorted(known)[:MAX_KNOWN_SHOWN]
    more = f" and {len(known) - len(shown)} more" if len(known) > len(shown) else ""
    return f" (there are {', '.join(shown)}{more})"


def refuse(operation: str, complaints: list[str]) -> None:
    """Raise InputError where there is a complaint; nothing may be written then."""
    if complaints:
        more = len(complaints) - MAX_UNMATCHED_SHOWN
        text = "; ".join(complaints[:MAX_UNMATCHED_SHOWN]) + (f"; and {more} more" if more > 0 else "")
        step = "correct the names, or take out what this tenant does not have"
        raise InputError(operation, text, code=NO_MATCH, next_step=step)


def nothing_seen(capability: str) -> InputError:
    """A run that looked at nothing cannot say that all is well."""
    return InputError(
        f"look at {capability}",
        "nothing of this tenant was looked at: what is wanted chooses no target at all",
        code="NothingSeen",
        next_step="check the options that choose what is wanted, and what the identity sees",
    )


class Scope(NamedTuple):
    """A part of a tenant that a capability looks at: a subscription, a resource type, a customer of a channel.

    name: the vendor's own, by which C(accept_missing) confirms that it is gone; label: as a person names it.
    within: names of the scopes that it is in; when all of those are gone, this is not told beside them.
    seen: the day of the last run that saw it.
    """

    name: str
    label: str
    within: tuple[str, ...] = ()
    seen: str = ""


class Part(NamedTuple):
    """What is said of a part of a tenant. name: as a person names it; state: of STATES."""

    name: str
    state: str
    why: str = ""
    next_step: str = ""


class Seen(NamedTuple):
    """What of a tenant a run has looked at.

    unread: names of scopes that could not be looked into, so that what lies within is neither there nor gone.
    parts: what is not simply covered, and why.
    """

    scopes: Sequence[Scope]
    unread: frozenset[str] = frozenset()
    parts: Sequence[Part] = ()


Gone = list[tuple[Scope, OnboardingError]]


class Memory(NamedTuple):
    """The scopes that good runs saw, and which of them were confirmed to be gone: name -> when, who."""

    scopes: Mapping[str, Scope] = {}
    confirmed: Mapping[str, Mapping[str, str]] = {}


def compare(
    before: Memory, seen: Seen, wants: Callable[[Scope], bool], accepted: Collection[str], day: str, by: str
) -> tuple[list[Scope], Memory]:
    """(what was there and is not seen now, what is to be remembered). Pure.

    A scope is forgotten when the options no longer want it, or when it is confirmed to be gone by name or label; what
    was only within it goes with it.

    Args:
        wants: whether the options still want a scope.
        accepted: names or labels, whole: a glob would confirm what nobody has looked at.
    """
    now = {scope.name: scope._replace(seen=day) for scope in seen.scopes}
    gone = [scope for name, scope in before.scopes.items() if name not in now and wants(scope)]
    confirmed = {scope.name for scope in gone if any(same(one, name) for one in accepted for name in scope[:2])}
    lost = {scope.name for scope in gone}
    dropped = confirmed | {one.name for one in gone if one.within and confirmed.issuperset(one.within)}
    missing = [
        scope
        for scope in gone
        if scope.name not in dropped
        and not (scope.within and lost.issuperset(scope.within))
        and seen.unread.isdisjoint(scope.within)
    ]
    kept = {scope.name: scope for scope in gone if scope.name not in dropped}
    newest = sorted([*now.values(), *kept.values()], key=lambda one: one.seen, reverse=True)[:MAX_SCOPES]
    said = {name: {"when": day, "who": by} for name in sorted(confirmed)}
    old = {name: entry for name, entry in before.confirmed.items() if name not in now}
    return missing, Memory({one.name: one for one in newest}, dict(list({**old, **said}.items())[-MAX_SCOPES:]))


def load(path: Path) -> Memory:
    """What is remembered. Raises OnboardingError: what cannot be read is not «nothing»."""
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return Memory()
    except OSError as error:
        raise _unusable("read", path, error.strerror or str(error)) from error
    try:
        raw = json.loads(text)
        scopes = {
            str(name): Scope(str(name), str(one["label"]), tuple(map(str, one["within"])), str(one["seen"]))
            for name, one in raw["scopes"].items()
        }
        confirmed = {
            str(name): {"when": str(one["when"]), "who": str(one["who"])} for name, one in raw["confirmed"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unusable("read", path, f"it is not what was written: {error!r}") from error
    return Memory(scopes, confirmed)


def save(path: Path, memory: Memory) -> None:
    """Keep it, whole or not at all. Raises OnboardingError."""
    scopes = {
        one.name: {"label": one.label, "within": list(one.within), "seen": one.seen} for one in memory.scopes.values()
    }
    text = json.dumps({"scopes": scopes, "confirmed": memory.confirmed}, indent=0, sort_keys=True)
    try:
        make_folder(path.parent)
        write_whole(path, text)
    except OSError as error:
        raise _unusable("write", path, error.strerror or str(error)) from error


def forget(path: Path) -> None:
    """The tenant has left: nothing of it is expected any more."""
    with suppress(OSError):
        path.unlink()


def memory_path(evidence: str, capability: str) -> Path | None:
    """Where a tenant's scopes are kept: beside the folders of all runs; None where no evidence is kept.

    The file of a run's evidence is named by tenant and module, and stands in the run's folder.
    """
    if not evidence:
        return None
    run, file = run_dir(), Path(evidence)
    root = run.parent if run else file.parent
    return root / FOLDER / f"{file.name.rsplit('.', 2)[0]}.{capability}.json"


def remembered(
    path: Path,
    covers: str,
    seen: Seen,
    accepted: Collection[str],
    wants: Callable[[Scope], bool] = lambda _scope: True,
    regain: Callable[[Scope], str] = lambda _scope: "",
    *,
    learn: bool = True,
) -> Gone:
    """What was there at the last good run and is not seen now; what is seen now is remembered, if C(learn).

    A memory that cannot be used is told as unknown itself.
    """
    day = time.strftime("%Y-%m-%d", time.gmtime())
    try:
        before = load(path)
        missing, after = compare(before, seen, wants, accepted, day, who())
        if not learn:
            after = after._replace(scopes={name: one for name, one in after.scopes.items() if name in before.scopes})
    except OnboardingError as error:
        return [(Scope("memory", "what was there at the last good run"), error)]
    if after != before:
        with suppress(OnboardingError):  # what is remembered stands; that evidence cannot be written is told by itself
            save(path, after)
    return [(scope, missing_error(scope, covers, regain(scope))) for scope in missing]


def missing_error(scope: Scope, capability: str, step: str) -> OnboardingError:
    """Why a scope that was there is unknown now."""
    confirm = f"where it is meant to be gone, confirm it by {capability}_accept_missing: [{scope.name}]"
    return OnboardingError(
        f"look at {scope.label}",
        f"it was there on {scope.seen} and is not seen now",
        code="Missing",
        next_step=f"{step}; {confirm}" if step else confirm,
    )


IS_COVERED = Part("", COVERED)


def weight(part: Part) -> tuple[bool, int]:
    """By which the least of several stands for a scope of many targets: one that is covered, else the worst."""
    return part.state != COVERED, STATES.index(part.state)


def parts_of(seen: Seen, gone: Gone, judged: Mapping[str, Part] | None = None, rest: Part = IS_COVERED) -> list[Part]:
    """All that can be said of what was looked at, and of what has gone since.

    judged: by the name of a scope, what is said of itself; rest: what of the others.
    """
    why = {part.name: part.why for part in seen.parts if part.why}
    told = [
        Part(scope.label, UNREACHABLE, why.get(scope.label, error.message), error.next_step) for scope, error in gone
    ]
    told += [part for part in seen.parts if part.name not in {one.name for one in told}]
    names = {part.name for part in told}
    return told + [
        (judged or {}).get(scope.name, rest)._replace(name=scope.label)
        for scope in seen.scopes
        if scope.label not in names
    ]


def spoken(seen: Seen | None, said: Iterable[Part]) -> tuple[dict[str, Part], Part | None]:
    """(by a scope's name, the worst of what is said of it; what is not known of none of them in particular). Pure.

    said: by name or label of a scope, or of what is in it («account/log»), or of what several scopes are in.
    """
    names: dict[str, list[str]] = {}
    for scope in seen.scopes if seen else ():
        for name in {scope.name, scope.label, scope.name.rpartition("/")[0]} - {""}:
            names.setdefault(name, []).append(scope.name)
    told: dict[str, Part] = {}
    rest = []
    for part in said:
        scopes = names.get(part.name) or names.get(part.name.rpartition("/")[0]) or []
        told |= {scope: min(told.get(scope, part), part, key=_badness) for scope in scopes}
        rest += [] if scopes else [part]
    return told, general(rest)


def strays(seen: Seen | None, told: Mapping[str, Part]) -> list[Part]:
    """What is told of no scope."""
    names = {scope.name for scope in (seen.scopes if seen else ())}
    return [part for name, part in told.items() if name not in names]


def general(said: Iterable[Part]) -> Part | None:
    """What is not known, or is waited for, of no scope in particular: of each of which nothing else is said."""
    return min((part for part in said if part.state in (UNREACHABLE, WAITING)), key=_badness, default=None)


def _badness(part: Part) -> int:
    return STATES.index(part.state)


def report(
    expected: int,
    looked_at: int,
    left_out: Mapping[str, str | int],
    missing: Sequence[Scope],
    parts: Sequence[Part] = (),
    *,
    whole: bool = True,
) -> dict[str, Any]:
    """What a result says of its coverage, small whatever the tenant's size.

    Args:
        left_out: reasons, or their number.
        whole: name what is covered, too; of a source's verbs one does, since each run keeps what it names.
    """
    worst_first = sorted(parts, key=lambda part: STATES.index(part.state))
    return {
        "expected": expected,
        "looked_at": looked_at,
        "left_out": dict(sorted(left_out.items())[:MAX_LEFT_OUT]),
        "missing": [scope.name for scope in missing[:MAX_LEFT_OUT]],
        "states": dict(Counter(part.state for part in worst_first)),
        "parts": [
            {"name": part.name, "state": part.state}
            | ({"why": part.why} if part.why else {})
            | ({"next_step": part.next_step} if part.next_step else {})
            for part in worst_first[:MAX_PARTS]
            if whole or part.state != COVERED
        ],
    }


def _unusable(what: str, path: Path, reason: str) -> OnboardingError:
    step = f"let the user that runs Ansible use {path}; without it nothing tells what has gone since the last run"
    return OnboardingError(
        f"{what} the remembered scopes", f"{path}: {reason}", code="CoverageUnknown", next_step=step, owner=PROVIDER
    )
