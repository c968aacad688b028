#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: falcon_api_info
short_description: Tell whether CrowdStrike API clients can read event streams, before anything is installed
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Gets a token with each CID's client id and secret, lists its event streams, and compares clocks. Only reads.
  - Says whether the client signs in, whether it has the scope «Event streams - Read», and whether the app_id is free.
  - A finding does not fail the task.
  - Has been run against the collection's own lab only, not yet against CrowdStrike.
extends_documentation_fragment:
  - mssp.onboarding.falcon
  - mssp.onboarding.falcon.secrets
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
options:
  ca_file:
    description: Certificate authority to trust instead of the system's, as a file where this runs.
    type: path
  time_limit_seconds:
    description:
      - Seconds that the whole task may take, whatever the other side does; V(0) for no limit.
      - What was seen and done until then stays in the result, and the rest is unknown.
    type: int
    default: 1800
  clock:
    description:
      - What the connector's host has for the time, in seconds since the epoch, read just before. It is compared with
        the cloud's.
    type: float
  running:
    description: Names of CIDs that the host's connector reads already, so that their app_id may be in use.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Whether contoso's API client may read event streams
  mssp.onboarding.falcon_api_info:
    tenant: contoso
    cids:
      main:
        cloud: us_1
        client_id: 0123456789abcdef0123456789abcdef
    secrets:
      main:
        client_secret: "{{ lookup('ansible.builtin.env', 'FALCON_CLIENT_SECRET') }}"
  delegate_to: localhost
  register: access
"""

RETURN = r"""
findings:
  description: Every check.
  returned: always
  type: list
  elements: dict
  contains:
    check:
      description: V(sign_in), V(clock), V(cloud), V(scope), V(app_id), or V(reach) where no answer came.
      type: str
      returned: always
    subject:
      description: Name of the CID.
      type: str
      returned: always
    status:
      description: V(ok), V(missing), or V(unknown) where it could not be read.
      type: str
      returned: always
    detail:
      description: What was found, in CrowdStrike's own words where it refused.
      type: str
      returned: always
    who:
      description: Who can cure it.
      type: str
      returned: always
    next_step:
      description: What to do.
      type: str
      returned: always
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
problems:
  description:
    - What failed, is unknown, waits or is a finding, merged by cause.
    - Each has C(target) (one of those that it concerns), C(count) (how many), C(code) and C(message)
      (the vendor's own where it refused), C(next_step), and of a request C(operation), C(status) and
      C(request_id).
  returned: always
  type: list
  elements: dict
evidence:
  description: Path of the file with one JSON line per target on the control node; empty where none is
    written.
  returned: always
  type: str
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike import api, catalog, options

MODULE = Module(api.run, catalog.CAPABILITY, options.API_SPEC, sources="cids")


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
