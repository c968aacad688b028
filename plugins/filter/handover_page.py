# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: handover_page
short_description: The page that tells a customer's administrator what to grant, and why
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Makes one HTML file that needs nothing beside itself, with the links, commands and rights that are asked for.
  - Whatever it is given is shown as text. It holds no secret.
positional: customer, provider
options:
  _input:
    description: The C(handover) of M(mssp.onboarding.tenant_access_info).
    type: dict
    required: true
  customer:
    description: Display name of the tenant.
    type: str
    required: true
  provider:
    description: Name of the provider, as the customer knows it.
    type: str
    required: true
"""

EXAMPLES = r"""
# access.handover | mssp.onboarding.handover_page('Contoso Ltd', 'Proseware Security')
"""

RETURN = r"""
_value:
  description: The page as HTML.
  type: str
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.mssp.onboarding.plugins.plugin_utils._handover import page


class FilterModule:
    """See DOCUMENTATION."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"handover_page": page}
