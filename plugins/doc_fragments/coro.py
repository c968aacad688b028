# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation of the Coro modules shares."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
attributes:
  action_group:
    description: The action group that the module belongs to, for C(module_defaults).
    support: full
    membership:
      - mssp.onboarding.coro
requirements:
  - python >= 3.11
  - aiohttp
"""

    POLICY = r"""
options: {}
notes:
  - Creating and changing a connector makes Coro send a test event to the receiver first; when that is refused, nothing
    is saved, and the result has the receiver's answer where Coro passes it on.
  - A connector that is inherited from a channel workspace is read-only below it. It is reported and not written.
  - Has been run against the collection's own lab only, not yet against Coro itself.
"""
