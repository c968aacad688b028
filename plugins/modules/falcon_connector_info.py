#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: falcon_connector_info
short_description: Tell whether a tenant's CrowdStrike Falcon SIEM Connector reads its event streams
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Reads the connector's log of each CID, when its offsets and its output were last written to, and the service. Only
    reads.
  - Tells the known failures apart, each with a next step - V(credentials), V(scope), V(app_id_in_use), V(clock_skew),
    V(proxy), V(no_route), V(tls), V(throttled), V(cloud). Only what came after the last heartbeat counts.
  - A finding does not fail the task.
  - The texts of the real connector's log are not published; O(heartbeat_pattern) and O(failure_patterns) replace those
    that are assumed.
extends_documentation_fragment:
  - mssp.onboarding.falcon
  - mssp.onboarding.falcon.words
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
  action:
    support: none
options:
  stale_minutes:
    description: After how many minutes without a heartbeat a CID is V(stale), and without an event V(quiet).
    type: int
    default: 15
"""

EXAMPLES = r"""
- name: Whether contoso's detections arrive
  mssp.onboarding.falcon_connector_info:
    tenant: contoso
    cids:
      main:
        cloud: us_1
        client_id: 0123456789abcdef0123456789abcdef
  register: streams
"""

RETURN = r"""
flows:
  description:
    - One entry per CID with C(state) (flowing, connected, quiet, stale, unreadable, absent), C(heartbeat), C(newest),
      C(age_seconds) and C(failures), the codes of what failed since the last heartbeat.
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
package_version:
  description: Version of the connector's package, empty where it is not installed.
  returned: always
  type: str
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(falcon_siem_connector).
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
evidence:
  description: Path of the file with one JSON line per target on the control node; empty where none is
    written.
  returned: always
  type: str
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike import catalog, info, options

MODULE = Module(info.run, catalog.CAPABILITY, options.INFO_SPEC, on_host=True)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
