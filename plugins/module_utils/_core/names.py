# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which known name was meant by one that is not known: options, tags, and what a vendor's tenant has. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

# Comparing with more names takes seconds, and a person reads no more than so many.
MAX_COMPARED: Final = 5000
ALIKE: Final = 0.6


def near(name: str, known: Iterable[str], most: int = 1, alike: float = ALIKE) -> list[str]:
    """Known names that are spelled like this one, the most like it first; case does not count."""
    spelled = {one.casefold(): one for one in sorted(known)[:MAX_COMPARED]}
    return [spelled[one] for one in get_close_matches(name.casefold(), spelled, most, alike)]


def nearest(name: str, known: Iterable[str], alike: float = ALIKE) -> str:
    """The one that is most like it, '' where none is near."""
    return next(iter(near(name, known, alike=alike)), "")


def meant(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: « (did you mean x?)», or nothing.

    The end of a longer name is taken first: it is an option without its prefix.
    """
    names = sorted(known)
    close = next((one for one in names if one.endswith(f"_{name}")), "") or nearest(name, names)
    return f" (did you mean {close}?)" if close else ""
