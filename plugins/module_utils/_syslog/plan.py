# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be done so that the host is as wanted. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .._host.changes import DIFFERENT, MISSING, STALE, STOPPED, UNEXPECTED, Change

if TYPE_CHECKING:
    from .files import File


@dataclass(frozen=True)
class Observed:
    """files: path to content and mode, of all wanted and all that an earlier run made.

    units: unit to (enabled, active). openings: ours in the firewall. labels: ours in SELinux. certificates: those to
    make.
    fresh: the running receiver has read its files.
    """

    files: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    units: Mapping[str, tuple[bool, bool]] = field(default_factory=dict)
    openings: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    certificates: tuple[str, ...] = ()
    fresh: bool = True


def plan(
    files: Mapping[str, File],
    units: tuple[str, ...],
    openings: frozenset[str],
    observed: Observed,
    labels: frozenset[str] = frozenset(),
) -> list[Change]:
    """Changes in the order in which they are made. Without files and units all that is ours goes."""
    changes = [Change("certificate", path, "create", MISSING) for path in observed.certificates]
    for path, file in files.items():
        found = observed.files.get(path)
        if found is None:
            changes.append(Change("file", path, "create", MISSING))
        elif found != (file.content, file.mode):
            changes.append(Change("file", path, "update", DIFFERENT))
    changes += [Change("file", path, "delete", UNEXPECTED) for path in sorted(set(observed.files) - set(files))]
    for unit, (enabled, active) in observed.units.items():
        if unit in units and not (enabled and active):
            changes.append(Change("unit", unit, "create" if not enabled else "update", STOPPED))
        elif unit not in units and (enabled or active):
            changes.append(Change("unit", unit, "delete", UNEXPECTED))
    for kind, wanted, there in (("opening", openings, observed.openings), ("label", labels, observed.labels)):
        changes += [Change(kind, rule, "create", MISSING) for rule in sorted(wanted - there)]
        changes += [Change(kind, rule, "delete", UNEXPECTED) for rule in sorted(there - wanted)]
    if not changes and not observed.fresh and units:
        changes.append(Change("unit", units[0], "update", STALE))
    return changes
