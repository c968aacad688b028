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
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
  action:
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
  heartbeat_pattern:
    description: Regular expression, case ignored, for the connector's heartbeat in its log. Empty is the
      assumed one.
    type: str
    default: ''
  failure_patterns:
    description: Failure to regular expression for its lines in the log, in place of the assumed one.
    type: dict
    default: {}
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
      C(request_id). C(warning) is true for what is in sync all the same.
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
          C(records_last_day) of the C(counted) flows beside C(records_usual) on the same day of an earlier
          week, where they are known.
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

MODULE = Module(info.run, catalog.CAPABILITY, options.INFO_SPEC, on_host=True, sources="cids")


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
