# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: drift_total
short_description: How many targets a drift run changes so far, over all its hosts
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Adds up P(mssp.onboarding.drift_changes#filter) over hosts and the capabilities of this collection, each host on its
    own level. What no task has looked at yet counts nothing.
options:
  _input:
    description: Variables of each host.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
# What the run has changed, with what the ring at hand would change
# groups['all'] | map('extract', hostvars) | mssp.onboarding.drift_total
"""

RETURN = r"""
_value:
  description: Number of targets.
  type: int
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.mssp.onboarding.plugins.module_utils._core.policy import total
from ansible_collections.mssp.onboarding.plugins.plugin_utils._capabilities import results


def drift_total(hosts: Iterable[Mapping[str, Any]]) -> int:
    """See DOCUMENTATION."""
    return total(hosts, results())


class FilterModule:
    """See DOCUMENTATION."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"drift_total": drift_total}
