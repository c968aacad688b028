#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_status_info
short_description: Tell how each capability of each tenant stands, and since when
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Reads the history that the callback P(mssp.onboarding.evidence#callback) keeps beside the folders of the runs. Asks
    no vendor and changes nothing.
  - What stands is the last answer of each module at each host of the tenant, and of those the worst. What could not be
    observed is V(unknown), what no run has tried V(never_run); neither is ever V(in_sync).
extends_documentation_fragment:
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
options:
  evidence_root:
    description: The folder of the folders of all runs, as set for the callback P(mssp.onboarding.evidence#callback).
    type: path
    default: evidence
  tenants:
    description: Tenants to take, by slug. One that is not in the history is V(never_run). All when empty.
    type: list
    elements: str
    default: []
  capabilities:
    description: Capabilities to take, as results name them. All when empty.
    type: list
    elements: str
    default: []
  statuses:
    description: Statuses to take. All when empty.
    type: list
    elements: str
    choices:
      - skipped
      - removed
      - in_sync
      - corrected
      - pending
      - never_run
      - waiting
      - drifted
      - unknown
      - failed
    default: []
  since:
    description: Take only what became so at or after this, an age (V(36h), V(7d)) or a date (V(2026-11-21T06:00:00Z)).
    type: str
seealso:
  - plugin: mssp.onboarding.evidence
    plugin_type: callback
"""

EXAMPLES = r"""
- name: Find who is not in sync, and since when
  mssp.onboarding.fleet_status_info:
    statuses: [waiting, drifted, unknown, failed]
  delegate_to: localhost
  run_once: true
  register: fleet

- name: Name them
  ansible.builtin.debug:
    msg: "{{ item.tenant }} {{ item.capability }}: {{ item.status }} since {{ item.since }}. {{ item.next_step }}"
  loop: "{{ fleet.tenants }}"
  run_once: true
"""

RETURN = r"""
scopes:
  description:
    - What of the tenants is covered, by tenant, source and part, the worst first.
    - Each has C(tenant), C(source) (the role), C(name), C(state) (V(covered), V(excluded) by choice, V(not_supported),
      V(unreachable), V(waiting) for the customer, or V(not_asked), what the customer has and nobody collects), C(why)
      and C(next_step).
  returned: always
  type: list
  elements: dict
tenants:
  description: One entry per tenant and capability, the worst first. Dates are ISO dates in UTC.
  returned: always
  type: list
  elements: dict
  contains:
    tenant:
      description: Slug.
      type: str
      returned: always
    capability:
      description: Name, none for a tenant that was asked for and is not in the history.
      type: str
      returned: always
    status:
      description:
        - V(in_sync), V(corrected), V(drifted), V(pending) (data is expected and not there yet), V(waiting) (for
          somebody outside of the run), V(failed), V(unknown), V(skipped), V(removed) or V(never_run).
      type: str
      returned: always
    since:
      description: Since when it has this status.
      type: str
      returned: always
    drifted_since:
      description: Since when it has drifted, none when it has not.
      type: str
      returned: always
    failing_since:
      description: Since when it fails, none when it does not.
      type: str
      returned: always
    last_in_sync:
      description: When it was last in sync, none for never.
      type: str
      returned: always
    first_seen:
      description: When a run first told of it.
      type: str
      returned: always
    seen:
      description: When a run last told of it.
      type: str
      returned: always
    msg:
      description: What the last run said.
      type: str
      returned: always
    next_step:
      description: What to do about the first problem.
      type: str
      returned: always
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(fleet_status).
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
    coverage:
      description: Number of scopes by state.
      type: dict
      returned: always
    statuses:
      description: Number of entries by status.
      type: dict
      returned: always
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet import status

MODULE = Module(status.run, status.CAPABILITY, status.SPEC)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
