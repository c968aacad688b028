#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: splunk_access_info
short_description: Tell what keeps a Splunk's alerts from being sent
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Reads what the token may do, the saved searches that are named, the allow list of webhooks, and whether the webhook
    action works at all. Only reads; what is missing is a finding and does not fail the task.
  - Has been run against the collection's own lab and Splunk's own SDK only, not yet against Splunk itself.
extends_documentation_fragment:
  - mssp.onboarding.splunk
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
options:
  api_url:
    description: Address of the management port of the search head, as V(https://splunk.example.com:8089).
    type: str
    required: true
  token:
    description:
      - Authentication token of a user that may edit the searches, and the allow list with the capability
        C(edit_webhook_allow_list).
      - Taken from the environment variable E(SPLUNK_TOKEN) when not given.
    type: str
    required: true
  ca_file:
    description: PEM file of the certificate authority to trust instead of the system's.
    type: path
  proxy:
    description: Proxy instead of the one that the environment names.
    type: str
  platform:
    description:
      - V(cloud) for Splunk Cloud, where the allow list is written by a person alone, which the run waits
        for.
    type: str
    choices:
      - enterprise
      - cloud
    default: enterprise
  time_limit_seconds:
    description:
      - Seconds that the whole task may take, whatever the other side does; V(0) for no limit.
      - What was seen and done until then stays in the result, and the rest is unknown.
    type: int
    default: 1800
  alerts:
    description:
      - Names of saved searches that are to send, each with what differs from the usual; V({}) for nothing.
      - C(app) (str) - The app that has it; needed where several have one of that name.
      - C(delivery) (str, one of V(as_is), V(per_result), V(digest), default V(as_is)) - V(per_result) sends
        each result, V(digest) the first of all, V(as_is) as the search has it. It is a setting of the search,
        so that it counts for its other actions, too.
      - C(replace) (bool, default V(false)) - Whether the webhook of another receiver may be replaced; a
        search has one.
    type: dict
    required: true
  webhook_url:
    description:
      - Where alerts are posted to. Splunk's webhook can send no header, so whoever reads the URL can post;
        everybody who may read a search reads its URL.
      - Without it the receiver is still to be made, and no search is written.
    type: str
  allow_list_entry:
    description: Name of our entry in the allow list of webhooks.
    type: str
    default: mssp_onboarding
  accept_missing:
    description: Names of saved searches that an earlier run saw and that are meant to be gone. What has
      gone without standing here is unknown in drift, verify and preflight.
    type: list
    elements: str
    default: []
  evidence_path:
    description:
      - File for the full evidence, one JSON line per target.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to a file in the run's
        folder.
    type: path
"""

EXAMPLES = r"""
- name: What keeps alerts from being sent
  mssp.onboarding.splunk_access_info:
    api_url: https://splunk.contoso.example:8089
    token: "{{ splunk_token }}"
    webhook_url: "{{ webhook_url }}"
    alerts:
      Brute force: {}
      Malware found:
        app: soc
        delivery: per_result
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
      description: Always V(splunk_alerts).
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
from ansible_collections.mssp.onboarding.plugins.module_utils._splunk import capability, options

MODULE = Module(capability.preflight, capability.Alerts.name, options.ACCESS_SPEC)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
