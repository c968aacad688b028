# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts of an inventory belong to tenants that were offboarded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from .history import FILE, History

GROUP = "mssp_offboarded"  # of the inventory plugin: those whose file says so


def offboarded(groups: Mapping[str, Iterable[str]], folder: str, again: str = "") -> list[str]:
    """Hosts that only offboard may still touch, by their tenant files and by the history.

    Args:
        groups: Ansible's variable.
        folder: the run's, beside which the history lies; "" for none.
        again: slugs of tenants that are taken on again although the history knows them to have left.

    Raises:
        HistoryError: The history cannot be read, so that nobody knows who has left.
    """
    hosts = set(groups.get(GROUP, ()))
    path = Path(folder).parent / FILE
    if folder and path.exists():
        with History(path) as history:
            left = history.offboarded() - {slug.strip() for slug in again.split(",")}
        hosts |= left & set(groups.get("tenants", ()))
        for slug in left:
            hosts |= set(groups.get(f"tenant_{slug.replace('-', '_')}", ()))
    return sorted(hosts)
