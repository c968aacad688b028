#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: coro_connector_info
short_description: Tell whether Coro still sends by its SIEM connectors
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Reads the SIEM connectors of a workspace, and of the customers below a channel, with their status.
  - A connector that is Disconnected sends nothing until it has been tested (synced). A connector that is named and not
    there is V(absent); a workspace that cannot be read is an error, and never V(absent).
  - Coro tells a status, and neither number nor time of what it has sent. V(connected) is that status, and no arrival.
  - Only reads, unless O(probe) is set. What is found does not fail the task; a workspace that cannot be read does.
  - Has been run against the collection's own lab only, not yet against Coro itself.
extends_documentation_fragment:
  - mssp.onboarding.coro
  - mssp.onboarding.coverage
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
options:
  client_id:
    description:
      - Client id of the API credentials, made in Coro's console under Connectors > API Credentials.
      - Taken from the environment variable E(CORO_CLIENT_ID) when not given.
    type: str
    required: true
  client_secret:
    description:
      - Client secret of the API credentials.
      - Taken from the environment variable E(CORO_CLIENT_SECRET) when not given.
    type: str
    required: true
  region:
    description: Region in which the workspace lives.
    type: str
    choices:
      - us
      - ca
      - eu
    default: us
  api_url:
    description: Address of the API, V(https://host[:port]), instead of the region's own.
    type: str
  audience:
    description: Audience of the token. Coro's pages name this one and V(https://api.secure.coro.net).
    type: str
    default: https://secure.coro.net/api
  token_path:
    description: Path of the token call.
    type: str
    default: /oauth/token
  ca_file:
    description: PEM file of the certificate authority to trust instead of the system's.
    type: path
  time_limit_seconds:
    description:
      - Seconds that the whole task may take, whatever the other side does; V(0) for no limit.
      - What was seen and done until then stays in the result, and the rest is unknown.
    type: int
    default: 1800
  proxy:
    description: Proxy, V(http://host:port), instead of the one that the environment names.
    type: str
  contract_confirmed:
    description:
      - Say that Coro has confirmed the contract profile. Without that, a profile that is only assumed is
        not used against a host of V(coro.net).
    type: bool
    default: false
  profile:
    description:
      - Contract profile to use instead of the built-in one, whole, in the shape of C(ASSUMED)
        in C(plugins/module_utils/_coro/profile.py). It says paths, methods, field names,
        formats, statuses and error codes.
      - Coro documents its hosts, token call, workspaces and paging, and no endpoint for
        SIEM connectors; the built-in profile is shaped on its documented webhook configuration
        and is assumed.
    type: dict
  workspace:
    description: Id of the workspace, as Coro's console shows it.
    type: str
    required: true
  names:
    description: Names of the connectors to look at. All of them when empty.
    type: list
    elements: str
    default: []
  secrets:
    description:
      - Name of each connector to its C(authorization), C(token), C(primary_key) or C(headers).
      - C(token) (str) - Token of V(fluency).
      - C(authorization) (str) - Token of the HTTP Event Collector, for V(splunk).
      - C(headers) (dict) - Headers that are secrets, for V(generic).
      - C(primary_key) (str) - Key of the workspace, for V(azure_sentinel).
    type: dict
    default: {}
  check_customers:
    description: Where a connector of a channel workspace applies to all customers, also look into each
      of their workspaces, one request each.
    type: bool
    default: true
  probe:
    description:
      - Let Coro send its own test event (Sync) by each connector of the workspace that is connected. The
        event arrives in the SIEM as a record. What is disconnected, inherited from a channel, or a customer's
        is not tested.
      - A test event that the receiver refuses may disconnect the connector. Nothing is sent in check mode.
    type: bool
    default: false
  concurrency:
    description: Requests in flight at most. Coro publishes no limit.
    type: int
    default: 16
  accept_missing:
    description: Connectors (workspace/name) and customers of a channel (workspace, or as told) that an
      earlier run saw and that are meant to be gone. What has gone without standing here is unknown in drift,
      verify and preflight.
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
  - module: mssp.onboarding.coro_connectors
"""

EXAMPLES = r"""
- name: Does Coro still send
  mssp.onboarding.coro_connector_info:
    client_id: "{{ coro_client_id }}"
    client_secret: "{{ coro_client_secret }}"
    workspace: contoso_Qx7d_b
    names: [soc]
  register: coro
"""

RETURN = r"""
flows:
  description: The connectors, at most 200; the evidence has all.
  returned: when the workspace was read
  type: list
  elements: dict
  contains:
    source:
      description: Workspace and name of the connector.
      type: str
      returned: always
    state:
      description:
        - V(connected) (Coro says so), V(stale) (disconnected, or the receiver refuses), V(absent), or V(unreadable).
      type: str
      returned: always
    last_changed:
      description: When the connector last changed at Coro, which does not say since when it is disconnected.
      type: str
      returned: always
    message:
      description: The receiver's last refusal, as Coro passes it on, or that it took the test event.
      type: str
      returned: always
    next_step:
      description: What to do about it.
      type: str
      returned: always
coverage:
  description:
    - What was C(expected) and C(looked_at), as numbers of targets; C(left_out), what was not looked at
      or has nothing to be done, with the reason, or for a reason the number of targets; and C(missing),
      the names of what an earlier run saw and this one does not.
  returned: when the tenant was read
  type: dict
evidence:
  description: Path of the file with one JSON line per target on the control node; empty where none is
    written.
  returned: always
  type: str
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(coro_connectors).
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
problems:
  description:
    - What failed, is unknown, waits or is a finding, merged by cause.
    - Each has C(target) (one of those that it concerns), C(count) (how many), C(code) and C(message)
      (the vendor's own where it refused), C(next_step), and of a request C(operation), C(status) and
      C(request_id). C(warning) is true for what is in sync all the same.
  returned: always
  type: list
  elements: dict
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._coro import capability, options

MODULE = Module(capability.verify, capability.CoroConnectors.name, options.INFO_MODULE_SPEC)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
