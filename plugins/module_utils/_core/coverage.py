# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run expected, looked at and left out: an option that matches nothing is an error, and never «0, all well»."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase

from .errors import InputError

# Comparing with more names takes seconds, and a person reads no more than so many.
MAX_COMPARED = 5000
MAX_KNOWN_SHOWN = 8
MAX_UNMATCHED_SHOWN = 10
NO_MATCH = "NoMatch"


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that is spelled most like this one, '' where none is near."""
    spelled = {one.casefold(): one for one in sorted(known)[:MAX_COMPARED]}
    close = get_close_matches(name.casefold(), spelled, n=1, cutoff=0.7)
    return spelled[close[0]] if close else ""


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
    if near := nearest(name, known):
        return f" (did you mean {near}?)"
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
