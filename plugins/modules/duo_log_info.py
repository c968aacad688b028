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
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
options:
  api_host:
    description: API hostname of the account, as V(api-XXXXXXXX.duosecurity.com), which Duo's Admin Panel
      shows beside the keys. A port may follow behind a colon.
    type: str
    required: true
  integration_key:
    description:
      - Integration key of the application to sign in with, an Admin API application of the account itself,
        or with O(child_accounts) the Accounts API application of their parent.
      - The first application of an account is made by an Owner in Duo's Admin Panel; without it nothing
        is done, and the result says how.
      - Taken from the environment variable E(DUO_INTEGRATION_KEY) when not given.
    type: str
  secret_key:
    description:
      - Secret key of that application.
      - Taken from the environment variable E(DUO_SECRET_KEY) when not given.
    type: str
  ca_file:
    description: PEM file of the certificate authority to trust instead of the system's.
    type: path
  proxy:
    description: Proxy, V(http://host:port), instead of the one that the environment names.
    type: str
  time_limit_seconds:
    description:
      - Seconds that the whole task may take, whatever the other side does; V(0) for no limit.
      - What was seen and done until then stays in the result, and the rest is unknown.
    type: int
    default: 1800
  application:
    description: The application that reads the logs.
    type: dict
    suboptions:
      name:
        description: Its name. Where two have it, nothing is written and both keys are told.
        type: str
        default: MSSP log reader
      integration_key:
        description: Its integration key, where one that is there is meant, whatever its name.
        type: str
      permissions:
        description: What it may do, exactly. Any other permission that it has is taken away.
        type: list
        elements: str
        choices:
          - adminapi_admins
          - adminapi_admins_read
          - adminapi_allow_to_set_permissions
          - adminapi_info
          - adminapi_integrations
          - adminapi_read_log
          - adminapi_read_resource
          - adminapi_settings
          - adminapi_write_resource
        default:
          - adminapi_read_log
      networks:
        description:
          - Addresses, ranges and networks from which it may be used; an empty list is from anywhere. Not
            compared when not given.
        type: list
        elements: str
  child_accounts:
    description: Child accounts of an MSP, by their ids or exact names, instead of the account itself. V(all)
      is every one.
    type: list
    elements: str
    default: []
  kept:
    description: What M(mssp.onboarding.duo_admin_application) returned as C(applications) in an earlier
      run, with its secret keys. By the integration key an application is known whatever its name becomes,
      and by the last characters of the secret key, which Duo shows, it is seen that somebody has reset
      it.
    type: list
    elements: dict
    default: []
    suboptions:
      account:
        description:
          - Id of the child account, or the API hostname of the account itself.
        type: str
        required: true
      account_name:
        description:
          - Name of the account, not looked at.
        type: str
      api_host:
        description:
          - API hostname of the account, not looked at.
        type: str
      name:
        description:
          - Name of the application, not looked at.
        type: str
      integration_key:
        description:
          - Integration key of its application.
        type: str
        required: true
      secret_key:
        description:
          - Secret key of its application.
        type: str
        required: true
  concurrency:
    description: Requests in flight at most. Those of one application are paced by Duo's limits, too.
    type: int
    default: 16
  accept_missing:
    description: Child accounts (id, or name and id as told) that an earlier run saw and that are meant
      to be gone. What has gone without standing here is unknown in drift, verify and preflight.
    type: list
    elements: str
    default: []
  evidence_path:
    description:
      - File for the full evidence, one JSON line per target.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to a file in the run's
        folder.
    type: path
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
          C(records_last_day) of the C(counted) flows beside C(records_usual) on the same day of an earlier
          week, where they are known.
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
