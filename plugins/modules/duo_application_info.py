#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: duo_application_info
short_description: Tell whether an application of Cisco Duo may make the one that reads the logs
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Says which permissions the application lacks, and which child accounts it does not reach. Only reads; what is
    missing is a finding and does not fail the task.
  - Without keys its only finding is how an Owner makes the first application.
  - Has been run against the collection's own lab only, not yet against Duo itself.
extends_documentation_fragment:
  - mssp.onboarding.duo
  - mssp.onboarding.coverage
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
seealso:
  - module: mssp.onboarding.duo_admin_application
"""

EXAMPLES = r"""
- name: What is missing before this customer can be onboarded
  mssp.onboarding.duo_application_info:
    api_host: api-12345678.duosecurity.com
    integration_key: "{{ duo_integration_key }}"
    secret_key: "{{ duo_secret_key }}"
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
      description: Always V(duo_logs).
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
from ansible_collections.mssp.onboarding.plugins.module_utils._duo import capability, options

MODULE = Module(capability.preflight, capability.DuoLogs.name, options.ACCESS_SPEC, options.RULES)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
