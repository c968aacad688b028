# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that the modules about Event Hubs share."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  subscription_id:
    description:
      - Subscription (GUID) of the namespace.
    type: str
    required: true
  resource_group:
    description:
      - Resource group of the namespace.
    type: str
    required: true
  namespace:
    description:
      - Name of the Event Hubs namespace. No two in all of Azure have the same.
    type: str
    required: true
  hub:
    description:
      - Name of the hub. One whose name begins with C(mssp-onboarding) is taken for ours wherever it is.
    type: str
    default: mssp-onboarding
"""
