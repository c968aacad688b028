#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: duo_admin_application
short_description: Converge the Admin API application that reads an account's logs at Cisco Duo
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Makes one application of type Admin API in the account, or in each child account of an MSP, with exactly the
    permissions and networks that are wanted, and removes it again.
  - It is known by its integration key where O(kept) or O(application) says it, else by its exact name. Other
    applications are left alone, and the one that signs in is never changed or removed.
  - The secret key is read again by a call of its own where it was not handed over.
  - Has been run against the collection's own lab only, not yet against Duo itself.
extends_documentation_fragment:
  - mssp.onboarding.duo
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: full
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
  state:
    description: V(absent) removes the application, V(present) makes it as wanted.
    type: str
    choices:
      - present
      - absent
    default: present
  hand_over:
    description: Whether a secret key that O(kept) does not hold is drift, which is corrected by reading
      it again.
    type: bool
    default: false
  return_secrets:
    description: Return the secret keys that O(kept) does not hold. The task needs C(no_log=true).
    type: bool
    default: false
  fail_on:
    description:
      - What makes the task fail. V(error) is any target that failed or could not be read, V(blocked) is
        that and what cannot be made, as of a setting of somebody else in the way, V(drift) is V(error)
        and whatever is, or stays, not as wanted.
    type: str
    choices:
      - error
      - blocked
      - drift
      - never
    default: error
  correct:
    description: Which writes may be done. V(safe) is making what is missing, V(all) also changing and removing.
      What may not be written stays drifted.
    type: str
    choices:
      - never
      - safe
      - all
    default: all
  max_changes:
    description: Write nothing and fail when more targets than this would change; V(0) lets none. No limit
      when not given.
    type: int
  evidence_path:
    description:
      - File for the full evidence, one JSON line per target.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to a file in the run's
        folder.
    type: path
  accept_missing:
    description: Child accounts (id, or name and id as told) that an earlier run saw and that are meant
      to be gone. What has gone without standing here is unknown in drift, verify and preflight.
    type: list
    elements: str
    default: []
seealso:
  - module: mssp.onboarding.duo_application_info
  - module: mssp.onboarding.duo_log_info
"""

EXAMPLES = r"""
- name: An application that may read the logs, and nothing else, from the provider's network
  mssp.onboarding.duo_admin_application:
    api_host: api-12345678.duosecurity.com
    integration_key: "{{ duo_integration_key }}"
    secret_key: "{{ duo_secret_key }}"
    application:
      name: Proseware log reader
      networks: [203.0.113.0/24]

- name: One in each child account, with the secret keys
  mssp.onboarding.duo_admin_application:
    api_host: api-87654321.duosecurity.com
    integration_key: "{{ duo_accounts_integration_key }}"
    secret_key: "{{ duo_accounts_secret_key }}"
    child_accounts: [all]
    return_secrets: true
  register: applications
  no_log: true
"""

RETURN = r"""
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
    seconds:
      description: Seconds that all of it took.
      type: float
      returned: when the targets were read
    correctable:
      description: Targets that have drifted and that a drift run on each level would correct.
      type: dict
      returned: when the targets were read
applications:
  description: The applications that are there at the end. With O(return_secrets) each has C(secret_key) instead of
    C(handed_over), which is empty where O(kept) holds it.
  returned: when the accounts were read
  type: list
  elements: dict
  sample:
    - account: api-12345678.duosecurity.com
      account_name: ""
      api_host: api-12345678.duosecurity.com
      name: MSSP log reader
      integration_key: DIXXXXXXXXXXXXXXXXXX
      handed_over: true
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._duo import capability, options

MODULE = Module(
    capability.converge,
    capability.DuoLogs.name,
    options.CONVERGE_SPEC,
    options.RULES,
    secret_option="return_secrets",
)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
