# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that the Duo modules share."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
attributes:
  action_group:
    description: The action group that the module belongs to, for C(module_defaults).
    support: full
    membership:
      - mssp.onboarding.duo
options:
  api_host:
    description:
      - API hostname of the account, as V(api-XXXXXXXX.duosecurity.com), which Duo's Admin Panel shows beside the keys.
        A port may follow behind a colon.
    type: str
    required: true
  integration_key:
    description:
      - Integration key of the application to sign in with, an Admin API application of the account itself, or with
        O(child_accounts) the Accounts API application of their parent.
      - Taken from the environment variable E(DUO_INTEGRATION_KEY) when not given.
      - The first application of an account is made by an Owner in Duo's Admin Panel; without it nothing is done, and
        the result says how.
    type: str
  secret_key:
    description:
      - Secret key of that application.
      - Taken from the environment variable E(DUO_SECRET_KEY) when not given.
    type: str
  child_accounts:
    description:
      - Child accounts of an MSP, by their ids or exact names, instead of the account itself. V(all) is every one.
    type: list
    elements: str
    default: []
  ca_file:
    description:
      - PEM file of the certificate authority to trust instead of the system's.
    type: path
  proxy:
    description:
      - Proxy, V(http://host:port), instead of the one that the environment names (E(HTTPS_PROXY), E(NO_PROXY)).
    type: str
  time_limit_seconds:
    description:
      - Seconds that the whole task may take, whatever the other side does; V(0) for no limit.
      - What was seen and done until then stays in the result, and the rest is unknown.
    type: int
    default: 1800
  concurrency:
    description:
      - Requests in flight at most. Those of one application are paced by Duo's limits, too.
    type: int
    default: 16
requirements:
  - python >= 3.11
  - aiohttp
"""

    TARGETS = r"""
options:
  application:
    description:
      - The application that reads the logs.
    type: dict
    suboptions:
      name:
        description:
          - Its name. Names are not unique in Duo; where two have it, nothing is written and both keys are told.
        type: str
        default: MSSP log reader
      integration_key:
        description:
          - Its integration key, where one that is there is meant, whatever its name. With O(child_accounts) there is
            none to give.
        type: str
      permissions:
        description:
          - What it may do, exactly. Any other permission that it has is reported as V(wider_permissions) and taken
            away.
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
        default: [adminapi_read_log]
      networks:
        description:
          - Addresses, ranges and networks from which it may be used; an empty list is from anywhere. Not compared when
            not given.
        type: list
        elements: str
  kept:
    description:
      - What M(mssp.onboarding.duo_admin_application) returned as C(applications) in an earlier run, with its secret
        keys. By the integration key an application is known whatever its name becomes, and by the last characters of
        the secret key, which Duo shows, it is seen that somebody has reset it.
    type: list
    elements: dict
    default: []
    suboptions:
      account:
        description:
          - Id of the child account, or the API hostname of the account itself.
        type: str
        required: true
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
  evidence_path:
    description:
      - File for the full evidence, one JSON line for each account.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to a file in the run's folder.
    type: path
"""
