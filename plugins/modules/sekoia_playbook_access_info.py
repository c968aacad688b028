#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sekoia_playbook_access_info
short_description: Tell what a Sekoia.io API key lacks before alerts can be sent
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Says whether the key is good, when it ends, and whether playbooks and alerts can be read with it. Only reads; what
    is missing is a finding and does not fail the task.
  - Has been run against the collection's own lab only, not yet against Sekoia.io itself.
extends_documentation_fragment:
  - mssp.onboarding.sekoia
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
options:
  region:
    description: Region of the community, which names the hosts.
    type: str
    choices:
      - fra1
      - fra2
      - mco1
      - uae1
      - usa1
    default: fra1
  api_url:
    description: Address of the API, V(https://host[:port][/path]), instead of the region's own.
    type: str
  api_key:
    description:
      - API key, which an administrator of the community makes in Sekoia.io, Settings > API keys. The role's
        README names the permissions that it needs.
      - A key of a community with others below it reaches these, too.
      - Without it only the preflight has something to say, which is who makes it and how.
      - Taken from the environment variable E(SEKOIA_API_KEY) when not given.
    type: str
  api_key_expires:
    description: Last day of the key, as V(2027-01-31). Sekoia.io shows it on its page and does not tell
      it by its API, so nobody can warn of it without this.
    type: str
  community_uuid:
    description: UUID of the customer's community. The one that the key was made in when not given.
    type: str
  ca_file:
    description: PEM file of the certificate authority to trust instead of the system's.
    type: path
  proxy:
    description: Proxy, V(http://host:port), instead of the one that the environment names.
    type: str
  time_limit_seconds:
    description:
      - Seconds that the whole task may take, whatever the other side does; V(0) for no limit.
      - What was seen and done until then stays in the result, and the rest is unknown.
    type: int
    default: 1800
"""

EXAMPLES = r"""
- name: What is missing before this customer can be onboarded
  mssp.onboarding.sekoia_playbook_access_info:
    api_key: "{{ sekoia_api_key }}"
    community_uuid: 00000000-0000-0000-0000-000000000000
  register: access
"""

RETURN = r"""
findings:
  description: Every check, as from M(mssp.onboarding.azure_access_info).
  returned: when the engine ran
  type: list
  elements: dict
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(sekoia_alert_sync).
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
    credentials:
      description: The API key, as C(name), and when it C(expires) as the options say; empty where they
        do not.
      type: list
      elements: dict
      returned: when the community was read
    secrets_unknown:
      description: Whether nobody knows if Sekoia.io holds the secrets of today.
      type: bool
      returned: when the community was read
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
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.playbook import capability, options

MODULE = Module(capability.preflight, capability.AlertSync.name, options.ACCESS_SPEC)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
