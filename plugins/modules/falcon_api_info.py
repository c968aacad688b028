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
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
options:
  tenant:
    description: Slug of the tenant, which is part of the names of all that is made for it.
    type: str
    required: true
  cids:
    description:
      - Name of each CID to its options.
      - C(cloud) (str, one of V(us_1), V(us_2), V(eu_1), V(us_gov_1), V(us_gov_2)) - CrowdStrike's cloud.
      - C(base_url) (str) - Address of the API instead of the cloud's own.
      - C(client_id) (str, required) - Client id of the API client. Its secret stands in C(secrets).
      - C(app_id) (str) - At most 32 characters, unique for the CID. The tenant's slug and this name when
        not given.
      - C(format) (str, one of V(json), V(cef), V(leef), V(key_value), default V(json)) - How events are
        written.
      - C(file) (bool, default V(true)) - Whether events are written to a file.
      - C(output_path) (str) - That file.
      - C(offset_path) (str) - The file with how far the stream was read. Move it before you change this.
      - C(rotation) (dict) - Rotation of the file of events.
      - C(syslog) (dict) - A syslog server that events are sent to, by the name of a source or by its address.
      - C(event_types) (list) - Events to take, in the vendor's names. All when not given.
      - C(partition) (str, default V(all)) - V(all) or a number.
      - C(http_proxy) (str) - Proxy. One with a password stands in C(secrets).
      - C(verbose_log) (bool) - Level of the connector's own log.
      - C(settings) (dict) - Any other setting, section to key to value as in the vendor's file.
    type: dict
    default: {}
  syslog_sources:
    description: Collector to its sources, as in C(syslog_target_sources) of the role syslog_target, for
      CIDs whose C(syslog) names a C(source). The empty name is this collector.
    type: dict
    default: {}
  syslog_hosts:
    description: Collector to its address, for those of O(syslog_sources) whose source has no address of
      its own.
    type: dict
    default: {}
  file_roots:
    description:
      - Folders of the host in which C(output_path) and C(offset_path) of a CID may lie, below a folder
        of the tenant's name. For the provider to set, not for a tenant's file.
      - Without any they lie in the connector's own folder, under names that end in the label of the CID.
    type: list
    elements: path
    default: []
  secrets:
    description:
      - Name of each CID to its C(client_secret), and to C(http_proxy) where that holds a password.
      - C(client_secret) (str) - Secret of the API client.
      - C(http_proxy) (str) - Proxy whose address holds a password.
    type: dict
    default: {}
  ca_file:
    description: Certificate authority that preflight trusts instead of the system's, as a file on the control
      node.
    type: path
  time_limit_seconds:
    description:
      - Seconds that the whole task may take, whatever the other side does; V(0) for no limit.
      - What was seen and done until then stays in the result, and the rest is unknown.
    type: int
    default: 1800
  clock:
    description: What the connector's host has for the time, in seconds since the epoch, read just before.
      It is compared with the cloud's.
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
      C(request_id). C(warning) is true for what is in sync all the same.
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
