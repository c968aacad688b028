#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: duo_log_info
short_description: Tell whether the logs of a Cisco Duo account go on
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Reads the newest record of the authentication, administrator and offline enrollment log of the account, or of each
    child account, with the keys of the application that was handed over. Only reads; what is found does not fail the
    task.
  - Where no authentication is in the log for a day, Duo's summary of attempts tells a quiet account from a broken log.
  - Each log is read once. Duo wants a log to be read once a minute at most.
  - Has been run against the collection's own lab only, not yet against Duo itself.
extends_documentation_fragment:
  - mssp.onboarding.duo
  - mssp.onboarding.duo.targets
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
seealso:
  - module: mssp.onboarding.duo_admin_application
"""

EXAMPLES = r"""
- name: Do the logs still go on
  mssp.onboarding.duo_log_info:
    api_host: api-12345678.duosecurity.com
    integration_key: "{{ duo_integration_key }}"
    secret_key: "{{ duo_secret_key }}"
  register: flow
"""

RETURN = r"""
flows:
  description:
    - Each log of each account, with C(source), C(state), C(newest), C(age_seconds), C(message) and C(next_step).
    - C(state) is V(absent), V(pending), V(flowing), V(quiet), V(stale) or V(unreadable).
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
    arrivals:
      description:
        - The flows in numbers. C(flows), how many of them have C(arrived), are C(connected) as the vendor
          says or C(quiet) for a reason, the C(newest) record's time, C(lag_seconds) of the latest, and
          C(records_last_day) beside C(records_usual) on the same day of an earlier week, where they are
          known.
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

MODULE = Module(capability.verify, capability.DuoLogs.name, options.FLOW_SPEC, options.RULES)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
