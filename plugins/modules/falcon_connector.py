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
  - mssp.onboarding.falcon.secrets
  - mssp.onboarding.falcon.words
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: full
  action:
    support: none
options:
  state:
    description: V(absent) removes the tenant's files, and stops the service when no other tenant's file is left.
    type: str
    choices: [present, absent]
    default: present
  heartbeat_seconds:
    description: How long to wait for the heartbeat of each CID after a change.
    type: int
    default: 120
  package_changes:
    description: In check mode, whether the package will have changed; the connector then needs a restart.
    type: bool
    default: false
  remove_offsets:
    description: With O(state=absent), remove the offset files, too. Events may then be read twice later, or not at all.
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
  description: What changed or would change.
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
  description: Capability C(falcon_siem_connector), outcome and counts, as from every module of the collection.
  returned: always
  type: dict
problems:
  description: Why it failed, in the shape of every module's problems.
  returned: always
  type: list
  elements: dict
evidence:
  description: Always empty; the files on the host are the evidence.
  returned: always
  type: str
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike import capability as host
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike import catalog, options

MODULE = Module(host.run, catalog.CAPABILITY, options.CONNECTOR_SPEC, on_host=True)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
