# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: ring_sizes
short_description: The batches of a play that walks the rings
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Gives C(serial) one batch for each ring (canary, early, all) of a play whose C(hosts) names them in this order.
    Empty rings are left out. Hosts of no ring are a last batch.
positional: hosts
options:
  _input:
    description: The variable C(groups).
    type: dict
    required: true
  hosts:
    description: The hosts of the play, within the limit of the run.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
# hosts: ring_canary:ring_early:ring_all:&has_azure_diagnostics
# serial: "{{ groups | mssp.onboarding.ring_sizes(ansible_play_hosts_all) }}"
"""

RETURN = r"""
_value:
  description: Hosts in each batch.
  type: list
  elements: int
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.mssp.onboarding.plugins.module_utils._core.policy import ring_sizes


class FilterModule:
    """See DOCUMENTATION."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"ring_sizes": ring_sizes}
