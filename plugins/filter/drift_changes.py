# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: drift_changes
short_description: How many targets a drift result would change under a policy
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Counts the targets that were changed, or would be when the drift is corrected on the given level.
  - The module itself says in C(summary.correctable) how many those are. Where its targets are one configuration, as on
    a collector, V(safe) lets it be corrected only where all of its drift is something missing.
positional: level
options:
  _input:
    description: The registered result of a module of this collection.
    type: dict
    required: true
  level:
    description: What may be corrected. V(safe) is adding what is missing, V(all) also changing and removing ours.
    type: str
    choices: [never, safe, all]
    required: true
"""

EXAMPLES = r"""
# Correct only what is missing
# when: azure_diagnostics__settings | mssp.onboarding.drift_changes('safe') > 0
"""

RETURN = r"""
_value:
  description: Number of targets.
  type: int
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.mssp.onboarding.plugins.module_utils._core.policy import changes


class FilterModule:
    """See DOCUMENTATION."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"drift_changes": changes}
