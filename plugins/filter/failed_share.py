# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: failed_share
short_description: The percentage of hosts that have failed, of the ring where it is highest
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - With it a drift run stops its corrections by C(mssp_max_fail_percentage) and goes on looking, which Ansible's own
    percentage would end as well. A host has failed where a capability of it has, and is in the group C(mssp_failed).
positional: hosts
options:
  _input:
    description: The variable C(groups).
    type: dict
    required: true
  hosts:
    description: The hosts of the play; those of other plays count where they have failed.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
# that: groups | mssp.onboarding.failed_share(ansible_play_hosts_all) <= mssp_max_fail_percentage | float
"""

RETURN = r"""
_value:
  description: From 0 to 100.
  type: float
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.mssp.onboarding.plugins.module_utils._core.policy import failed_share


class FilterModule:
    """See DOCUMENTATION."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"failed_share": failed_share}
