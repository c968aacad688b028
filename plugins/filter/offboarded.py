# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: offboarded
short_description: The hosts of tenants that were offboarded
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Gives the hosts that only C(mssp.onboarding.offboard) may still touch. They belong to tenants whose file has
    C(state=offboarded), or of which the history knows a removal and nothing that was made since.
positional: folder, again
options:
  _input:
    description: The variable C(groups).
    type: dict
    required: true
  folder:
    description: Folder of the run, beside which the history lies; empty where no evidence is kept.
    type: str
    required: true
  again:
    description: Slugs of tenants, separated by commas, that are taken on again whatever the history says.
    type: str
    default: ""
"""

EXAMPLES = r"""
# hosts: tenants
# when: inventory_hostname not in groups | mssp.onboarding.offboarded(lookup('env', 'MSSP_EVIDENCE_DIR'))
"""

RETURN = r"""
_value:
  description: Names of hosts, sorted.
  type: list
  elements: str
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.leavers import offboarded


class FilterModule:
    """See DOCUMENTATION."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"offboarded": offboarded}
