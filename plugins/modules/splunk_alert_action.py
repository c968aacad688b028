#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: splunk_alert_action
short_description: Let saved searches of a Splunk send their alerts by webhook
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Puts the webhook beside the other actions of each saved search that is named, and writes only what differs. Other
    actions, and searches that are not named, are left alone.
  - A search has one webhook URL. That of another receiver is left and told, unless C(replace) is set for the search; of
    one that posts to the retired HTTP Data Collector API it is said.
  - A search that is disabled, has no schedule or whose owner is gone gets the webhook and is told; it is never enabled.
  - Where an allow list of webhooks keeps the URL out, an entry of ours is added, anchored and escaped. A list that is
    off or empty lets all URLs through and is left, since the first entry would keep out all other receivers. In
    Splunk Cloud the entry is a step for a person.
  - The settings of the action itself are never written by its own endpoint, which would break every webhook.
  - Has been run against the collection's own lab and Splunk's own SDK only, not yet against Splunk itself.
extends_documentation_fragment:
  - mssp.onboarding.splunk
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: full
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
  state:
    description:
      - V(absent) takes our webhook off all searches that are named, V(present) makes them as wanted.
    type: str
    choices:
      - present
      - absent
    default: present
  fail_on:
    description:
      - What makes the task fail. V(error) is any target that failed or could not be read, V(blocked) is
        that and what cannot be made, as of a setting of somebody else in the way, V(drift) is V(error)
        and whatever is, or stays, not as wanted.
    type: str
    choices:
      - error
      - blocked
      - drift
      - never
    default: error
  correct:
    description:
      - Which writes may be done. V(safe) is making what is missing, V(all) also changing and removing.
        What may not be written stays drifted.
    type: str
    choices:
      - never
      - safe
      - all
    default: all
  max_changes:
    description: Write nothing and fail when more targets than this would change; V(0) lets none. No limit
      when not given.
    type: int
  concurrency:
    description: Requests in flight at most.
    type: int
    default: 16
  evidence_path:
    description:
      - File for the full evidence, one JSON line per target.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to a file in the run's
        folder.
    type: path
  accept_missing:
    description: Names of saved searches that an earlier run saw and that are meant to be gone. What has
      gone without standing here is unknown in drift, verify and preflight.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Send two alerts by webhook
  mssp.onboarding.splunk_alert_action:
    api_url: https://splunk.contoso.example:8089
    token: "{{ splunk_token }}"
    webhook_url: "{{ webhook_url }}"
    alerts:
      Brute force: {}
      Malware found:
        app: soc
        delivery: per_result
"""

RETURN = r"""
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
    seconds:
      description: Seconds that all of it took.
      type: float
      returned: when the targets were read
    correctable:
      description: Targets that have drifted and that a drift run on each level would correct.
      type: dict
      returned: when the targets were read
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._splunk import capability, options

MODULE = Module(capability.converge, capability.Alerts.name, options.CONVERGE_SPEC)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
