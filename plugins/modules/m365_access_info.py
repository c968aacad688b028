#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: m365_access_info
short_description: Tell what is missing before a Microsoft 365 tenant's audit log can be read
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Tells a missing consent, licence, permission and audit log from each other, each with whose turn it is and the one
    next step. Only reads; what is found does not fail the task.
  - The audit log has no interface that would say whether it is on. What is told of it here is whether reading is
    refused for that reason; M(mssp.onboarding.m365_subscriptions) tells it without doubt, by a start.
  - Has been run against the collection's own lab only, not yet against Microsoft 365 itself.
extends_documentation_fragment:
  - mssp.onboarding.m365
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: What is missing before this customer can be onboarded
  mssp.onboarding.m365_access_info:
    tenant_id: 20000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    publisher_id: 10000000-0000-4000-8000-000000000000
  register: access
"""

RETURN = r"""
findings:
  description: Every check, as from M(mssp.onboarding.azure_access_info).
  returned: when the engine ran
  type: list
  elements: dict
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(m365_activity).
      type: str
      returned: always
    outcome:
      description:
        - The worst that is counted, of V(skipped), V(in_sync), V(corrected), V(pending) (data that is
          expected is not there yet), V(waiting) (only somebody else can go on), V(drifted), V(unknown)
          and V(failed).
      type: str
      returned: always
    counts:
      description: Targets by where they ended up, C(targets) and each of the words that outcome may be.
      type: dict
      returned: always
    drift:
      description: Targets by class of drift as found.
      type: dict
      returned: always
    credentials:
      description: When what the app signs in with ends, as C(name) and C(expires).
      type: list
      returned: when the tenant was read
    requests:
      description: Requests by kind.
      type: dict
      returned: when the targets were read
    throttled_answers:
      description: Answers with status 429.
      type: int
      returned: when the targets were read
    throttled_seconds:
      description: Seconds in which work waited for the vendor's limits.
      type: float
      returned: when the targets were read
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.m365_activity import capability, options

MODULE = Module(capability.preflight, capability.Activity.name, options.ACCESS_SPEC, identity.IDENTITY_RULES)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
