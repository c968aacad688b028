# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a receiver's files are on this host once links are resolved: a link below an allowed folder allows nothing."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator

from .._core.errors import RefusedError
from .model import Receiver, barred

NEXT_STEP = "remove the link, or name where it leads; the provider allows folders by file_roots"


def strays(receiver: Receiver) -> dict[str, str]:
    """Path of a source or an output to why it may not be where it leads.

    The roots themselves may be links: they are the provider's. A link that comes later is told by the next verify.
    """
    roots = receiver.options["file_roots"]
    options = {**receiver.options, "file_roots": [*roots, *map(os.path.realpath, roots)]}
    found = {}
    for place in _places(receiver):
        real = os.path.realpath(place)
        why = barred(real, options) if real != place else ""
        if why:
            found[place] = f"{place} leads to {real}, which {why}"
    return found


def check(receiver: Receiver) -> None:
    """Raises RefusedError for the first that leads astray."""
    for place, why in strays(receiver).items():
        raise RefusedError(f"use {place}; nothing was changed", why, code="astray", next_step=NEXT_STEP)


def _places(receiver: Receiver) -> Iterator[str]:
    """Each path as it is given, and each file that its wildcards find."""
    for source in receiver.sources:
        for path in source.paths:
            yield path
            yield from glob.iglob(path)
    yield from (output.path for output in receiver.outputs if output.path)
