#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: coro_connectors
short_description: Converge the SIEM connectors of a Coro workspace
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Reads the SIEM connectors of a workspace in one go, compares them with what is wanted, and writes only what differs.
  - In a channel workspace it also looks whether each customer has what applies to all of them.
  - Connectors of other names are left alone, unless O(exclusive) says so.
extends_documentation_fragment:
  - mssp.onboarding.coro
  - mssp.onboarding.coverage
  - mssp.onboarding.coro.policy
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: full
options:
  connectors:
    description:
      - Name of each connector to its options C(format), C(listener_url), C(allow_http),
        C(headers), C(workspace_id), C(log_type), C(apply_to_all_customers),
        C(state) and C(connector_id), as of M(mssp.onboarding.coro_connector).
      - Here the headers are those whose values are no secrets.
    type: dict
    required: true
  secrets:
    description:
      - Name of each connector to its C(authorization), C(token), C(primary_key) or
        C(headers).
    type: dict
    default: {}
  state:
    description:
      - V(absent) removes all connectors that are named here, V(present) goes by the state of each.
    type: str
    choices: [present, absent]
    default: present
  exclusive:
    description:
      - Remove connectors of the workspace that are not named here, after all that are named are in place.
    type: bool
    default: false
seealso:
  - module: mssp.onboarding.coro_connector
  - module: mssp.onboarding.coro_connector_info
  - module: mssp.onboarding.coro_workspace_info
"""

EXAMPLES = r"""
- name: Send a customer's Coro tickets to the provider's Splunk and to a webhook
  mssp.onboarding.coro_connectors:
    client_id: "{{ coro_client_id }}"
    client_secret: "{{ coro_client_secret }}"
    workspace: contoso_Qx7d_b
    connectors:
      soc:
        format: splunk
        listener_url: https://hec.soc.example:8088/services/collector
      ticketing:
        format: generic
        listener_url: https://tickets.soc.example/hooks/coro
        headers:
          X-Customer: contoso
    secrets:
      soc:
        authorization: "{{ hec_token }}"
      ticketing:
        headers:
          X-Api-Key: "{{ ticketing_key }}"
    exclusive: true
"""

RETURN = r"""
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
    correctable:
      description: Targets that have drifted and that a drift run on each level would correct.
      type: dict
      returned: when the targets were read
    customers:
      description: Workspaces below the channel that were looked at.
      type: int
      returned: when the workspace was read
    secret_checked:
      description: Whether it is known that the stored secrets are those given here, as far as they were
        sent by us.
      type: bool
      returned: when the workspace was read
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
connectors:
  description: The connectors looked at that are there at the end. At most 50; the evidence has all.
  returned: when the workspace was read
  type: list
  elements: dict
  sample:
    - workspace: contoso_Qx7d_b
      name: soc
      id: 0a642b9e-2f6c-4a18-9121-a9d12f20f26e
      format: splunk
      status: connected
      inherited: false
changes:
  description:
    - What was made, changed or removed, or would be in check mode. At most 50; the evidence has all.
    - Each has C(target), C(action) (V(create), V(update), V(delete), or a word of the module's own),
      C(drift), the classes of drift that it corrects, and where an engine knows them C(before) and C(after),
      what differs in short.
  returned: always
  type: list
  elements: dict
problems:
  description:
    - What failed, is unknown, waits or is a finding, merged by cause.
    - Each has C(target) (one of those that it concerns), C(count) (how many), C(code) and C(message)
      (the vendor's own where it refused), C(next_step), and of a request C(operation), C(status) and
      C(request_id).
  returned: always
  type: list
  elements: dict
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
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._coro import capability, options

MODULE = Module(capability.converge, capability.CoroConnectors.name, options.TENANT_MODULE_SPEC)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
