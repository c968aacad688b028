#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sekoia_playbook
short_description: Converge the playbook that sends the alerts of a Sekoia.io community
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Makes one playbook with its trigger configuration and module configuration, and switches it on. It is compared by
    what it does; where its blocks are drawn does not count.
  - A playbook that is on and that no alert can start is drift, and so is one that was switched off after five errors in
    a row, which is told with what the runs failed of.
  - What other playbooks use, and a playbook of the same name that this did not make, is left alone.
  - Has been run against the collection's own lab only, not yet against Sekoia.io itself.
extends_documentation_fragment:
  - mssp.onboarding.sekoia
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: full
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
  name:
    description: Name of the playbook, and of its configurations. A playbook of this name that the role
      did not make is left alone and told.
    type: str
    default: MSSP alert sync
  playbook_uuid:
    description: UUID of a playbook that is there and is meant, whatever its name. The role takes it over.
    type: str
  profile:
    description: Contract profile that replaces the assumed one, of how a playbook is switched on and off,
      with the keys C(version), C(confirmed), C(enable), C(disable), C(enabled) and C(issues).
    type: dict
  target_url:
    description: Address of the outside tool, V(https://host[:port][/path]), to which each alert is posted
      as JSON.
    type: str
    required: true
  auth:
    description: How the request proves itself. The secret goes into a field that Sekoia.io keeps as one.
    type: str
    choices:
      - bearer
      - basic
      - none
    default: bearer
  username:
    description: User name for O(auth=basic).
    type: str
  secret:
    description: Token or password of the outside tool.
    type: str
  fields:
    description:
      - What is sent, as name in the JSON to what it is of the alert.
      - One of V(alert_uuid), V(short_id), V(rule_name), V(rule_uuid), V(rule_severity), V(title), V(details),
        V(status), V(urgency), V(alert_type), V(alert_category), V(entity_name), V(source), V(target), V(created_at),
        V(updated_at), V(first_seen_at) and V(last_seen_at).
    type: dict
    default:
      alert_short_id: short_id
      rule_name: rule_name
      rule_severity: rule_severity
  texts:
    description: What is sent beside them and is always the same, as name in the JSON to a text.
    type: dict
    default: {}
  headers:
    description: Further headers of the request. Whoever may read the playbook sees them, so names that
      look like those of secrets are refused.
    type: dict
    default: {}
  rule_names:
    description: Names of the rules whose alerts are sent, exactly; those of all rules when empty.
    type: list
    elements: str
    default: []
  alerts_api_key:
    description: API key with which the playbook reads alerts and comments on them, and that needs no other
      permission. O(api_key) when not given.
    type: str
  update_secret:
    description:
      - When to send the secrets again to a playbook that exists. Sekoia.io does not show them, so they
        cannot be compared.
      - V(on_change) keeps a fingerprint (HMAC-SHA256) of what was sent last and sends it when that differs.
        V(always) sends them in every run, which is then always a change.
    type: str
    choices:
      - on_change
      - always
    default: on_change
  fingerprint_dir:
    description:
      - Folder of the fingerprints, readable by its owner only.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to C(fingerprints)
        beside the folders of the runs.
    type: path
  fingerprint_key:
    description: Key of the fingerprints. Without it, one is made in O(fingerprint_dir).
    type: str
  restart:
    description: Switch on again what Sekoia.io has switched off after five errors in a row. Without it
      that is told, with what the runs failed of.
    type: bool
    default: false
  state:
    description: V(absent) removes the playbook and its configurations, V(present) makes them as wanted.
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
  evidence_path:
    description:
      - File for the full evidence, one JSON line per target.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to a file in the run's
        folder.
    type: path
"""

EXAMPLES = r"""
- name: Send each alert to the provider's ticketing
  mssp.onboarding.sekoia_playbook:
    api_key: "{{ sekoia_api_key }}"
    community_uuid: 00000000-0000-0000-0000-000000000000
    target_url: https://tickets.provider.example/hooks/sekoia
    secret: "{{ ticketing_token }}"
"""

RETURN = r"""
playbook:
  description: The playbook that is there at the end, as C(uuid), C(name), C(status) and C(trigger_configuration_uuid).
  returned: when the community was read
  type: dict
switched_on_by:
  description: Which of the profile's ways has switched the playbook on; empty where none was needed.
  returned: when the community was read
  type: str
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
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.playbook import capability, options

MODULE = Module(capability.converge, capability.AlertSync.name, options.CONVERGE_SPEC)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
