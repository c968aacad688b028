#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sophos_arrival_info
short_description: Tell whether the records of Sophos Firewalls arrive at a collector
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Runs on the collector. Finds the newest record of each firewall by its serial number (C(device_serial_id)), which
    each record has, in what the role P(mssp.onboarding.syslog_target#role) has stored.
  - A call of the firewall's API is an admin event of its own. Where these are sent,
    M(mssp.onboarding.sophos_syslog_server) is the probe, and this waits for the record of it.
  - Only reads; what is found does not fail the task.
extends_documentation_fragment:
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
requirements:
  - Python >= 3.9
options:
  path:
    description:
      - Folder of the source's records on the collector. Files that are rotated are not looked at, and of
        the others 256 MiB from their ends at most.
    type: path
    required: true
  firewalls:
    description:
      - What M(mssp.onboarding.sophos_syslog_server) returned as C(firewalls).
    type: list
    elements: dict
    required: true
    suboptions:
      firewall:
        description:
          - Its name.
        type: str
        required: true
      serial_number:
        description:
          - Its serial number.
        type: str
        required: true
      configured:
        description:
          - Whether it has the server; null where nobody could look.
        type: bool
      probed:
        description:
          - Whether it was to tell of a sign-in at O(since).
        type: bool
        default: false
      problem:
        description:
          - Why nobody could look.
        type: str
        default: ''
      next_step:
        description:
          - What to do about it.
        type: str
        default: ''
  since:
    description:
      - When the firewalls were asked, in seconds since the epoch; the clocks may be 5 seconds apart.
    type: float
    default: 0.0
  wait_seconds:
    description: How long verify waits for the record of its own sign-in.
    type: float
    default: 20.0
  stale_minutes:
    description: After how many minutes without a record verify calls a firewall stale.
    type: int
    default: 60
seealso:
  - module: mssp.onboarding.sophos_syslog_server
"""

EXAMPLES = r"""
- name: Do the firewalls' records arrive
  mssp.onboarding.sophos_arrival_info:
    path: /var/log/collected/contoso/firewalls
    firewalls: "{{ servers.firewalls }}"
  delegate_to: collector1
  become: true
  register: arrivals
"""

RETURN = r"""
flows:
  description:
    - Each firewall, with C(source), C(state), C(newest), C(age_seconds), C(message), C(next_step), C(serial_number) and
      C(probe_arrived), which is null for one that was not probed.
    - C(state) is V(absent), V(flowing), V(stale) or V(unreadable).
  returned: when the engine ran
  type: list
  elements: dict
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._sophos import arrivals

MODULE = Module(arrivals.run, arrivals.CAPABILITY, arrivals.SPEC, on_host=True, sources="firewalls")


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
