#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cisco_esa_arrival_info
short_description: Tell whether the logs of Cisco e-mail gateways arrive at a collector
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Runs on the collector. Finds the newest file of each subscription by its name and the appliance's serial number in
    it, in what the role P(mssp.onboarding.scp_target#role) has delivered, or its newest record by the names of
    appliance and subscription, in what the role P(mssp.onboarding.syslog_target#role) has stored.
  - Where M(mssp.onboarding.cisco_esa_log_subscription) was the probe, this waits for what it rolled over.
  - Only reads; what is found does not fail the task.
extends_documentation_fragment:
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
options:
  path:
    description:
      - Folder of the source on the collector, of delivered files or of stored records.
    type: path
    required: true
  method:
    description:
      - How they come.
    type: str
    required: true
    choices:
      - scp_push
      - syslog_push
  subscriptions:
    description:
      - What M(mssp.onboarding.cisco_esa_log_subscription) returned as C(logs).
    type: list
    elements: dict
    required: true
    suboptions:
      subscription:
        description: Appliance and subscription.
        type: str
        required: true
      name:
        description: The subscription's name.
        type: str
        required: true
      filename:
        description: How names of its files begin.
        type: str
        default: ''
      identified:
        description: Whether the serial number is in them; older releases have no such thing.
        type: bool
        default: false
      hostname:
        description: The appliance's name, which is in each record.
        type: str
        default: ''
      serial_number:
        description: Its serial number.
        type: str
        required: true
      configured:
        description: Whether it has the subscription; null where nobody could look.
        type: bool
      probed:
        description: Whether it was rolled over at O(since).
        type: bool
        default: false
      problem:
        description: Why nobody could look.
        type: str
        default: ''
      next_step:
        description: What to do about it.
        type: str
        default: ''
  since:
    description:
      - When the appliances were asked, in seconds since the epoch; the clocks may be 5 seconds apart.
    type: float
    default: 0.0
  wait_seconds:
    description: How long verify waits for what it rolled over.
    type: float
    default: 30.0
  stale_minutes:
    description: After how many minutes without a file or record verify calls a subscription stale.
    type: int
    default: 60
seealso:
  - module: mssp.onboarding.cisco_esa_log_subscription
"""

EXAMPLES = r"""
- name: Do the files arrive
  mssp.onboarding.cisco_esa_arrival_info:
    path: /var/spool/collected/contoso/esa/ready
    method: scp_push
    subscriptions: "{{ logs.logs }}"
  delegate_to: collector1
  become: true
  register: arrivals
"""

RETURN = r"""
flows:
  description:
    - Each subscription of each appliance, with C(source), C(state), C(newest), C(age_seconds), C(message),
      C(next_step), C(serial_number) and C(probe_arrived), which is null for one that was not probed.
    - C(state) is V(absent), V(flowing), V(stale) or V(unreadable).
  returned: when the engine ran
  type: list
  elements: dict
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa import arrivals
from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module

MODULE = Module(arrivals.run, arrivals.CAPABILITY, arrivals.SPEC, on_host=True, sources="subscriptions")


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
