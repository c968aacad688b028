#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: falcon_connector
short_description: Keep a tenant's CrowdStrike Falcon SIEM Connector configured and running on a host
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Makes one configuration file per CID, out of the one that the connector's package ships with single keys changed,
    so that comments, order and keys that come twice survive. Other tenants' files on the host are not touched.
  - Starts the service again when something changed, and waits for a heartbeat of each CID in the connector's log.
    Without one the last working configuration is put back, and the task fails with the connector's own message.
  - One service reads the files of all tenants, so a change of one restarts the stream of all; each goes on at its
    offset.
  - Offset files are never written, and removed only with O(remove_offsets).
  - Has run with a stand-in of the vendor's package, which needs a login to download. What the real one may differ in
    is listed in the collection's C(docs/support.md).
extends_documentation_fragment:
  - mssp.onboarding.falcon
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: full
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
  secrets:
    description:
      - Name of each CID to its C(client_secret), and to C(http_proxy) where that holds a password.
      - C(client_secret) (str) - Secret of the API client.
      - C(http_proxy) (str) - Proxy whose address holds a password.
    type: dict
    default: {}
  heartbeat_pattern:
    description: Regular expression, case ignored, for the connector's heartbeat in its log. Empty is the
      assumed one.
    type: str
    default: ''
  failure_patterns:
    description: Failure to regular expression for its lines in the log, in place of the assumed one.
    type: dict
    default: {}
  state:
    description: V(absent) removes the tenant's files, and stops the service when no other tenant's file
      is left.
    type: str
    choices:
      - present
      - absent
    default: present
  heartbeat_seconds:
    description: How long to wait for the heartbeat of each CID after a change, before it is rolled back.
    type: int
    default: 120
  package_changes:
    description: In check mode, whether the package will have changed; the connector then needs a restart.
    type: bool
    default: false
  remove_offsets:
    description: Remove the offset files, too, when the connector is removed. Events may then be read twice
      later, or not at all.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Send contoso's detections as CEF to the SIEM
  mssp.onboarding.falcon_connector:
    tenant: contoso
    cids:
      main:
        cloud: us_1
        client_id: 0123456789abcdef0123456789abcdef
        format: cef
        syslog: {host: siem.example.com, port: 514, protocol: tcp}
    secrets:
      main:
        client_secret: "{{ lookup('ansible.builtin.env', 'FALCON_CLIENT_SECRET') }}"
"""

RETURN = r"""
changes:
  description:
    - What was made, changed or removed, or would be in check mode. At most 50; the evidence has all.
    - Each has C(target), C(action) (V(create), V(update), V(delete), or a word of the module's own),
      C(drift), the classes of drift that it corrects, and where an engine knows them C(before) and C(after),
      what differs in short.
  returned: always
  type: list
  elements: dict
running:
  description: Names of the CIDs that the connector was reading before.
  returned: success
  type: list
  elements: str
clock:
  description: The host's clock, in seconds since the epoch.
  returned: success
  type: float
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
    correctable:
      description: Targets that have drifted and that a drift run on each level would correct.
      type: dict
      returned: when the targets were read
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
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike import capability as host
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike import catalog, options

MODULE = Module(host.run, catalog.CAPABILITY, options.CONNECTOR_SPEC, on_host=True, sources="cids")


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
