#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: secure_endpoint_stream_info
short_description: Tell whether the event streams of a Cisco Secure Endpoint organisation are read
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Asks each queue of ours how many read it and how many events wait, by a passive declare, which takes none out of
    it. A second reader, none, and one that falls behind are findings.
  - Tells from two samples, of which the evidence keeps the earlier one, when the first events that wait are lost.
  - Only reads; what is found does not fail the task. Needs the Python library pika.
  - Has been run against the collection's own lab and a RabbitMQ only, not yet against Cisco itself.
extends_documentation_fragment:
  - mssp.onboarding.secure_endpoint
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
options:
  client_id:
    description:
      - 3rd Party API Client ID of an API credential with scope Read & Write.
      - The customer's administrator makes it in the Secure Endpoint console; without it nothing is done,
        and the result says how.
      - Taken from the environment variable E(SECURE_ENDPOINT_CLIENT_ID) when not given.
    type: str
  api_key:
    description:
      - API Key of that credential.
      - Taken from the environment variable E(SECURE_ENDPOINT_API_KEY) when not given.
    type: str
  api_urls:
    description: Bases of the regions' APIs. Where there are several, each is asked once for its version,
      and the one that takes the credential is used from then on.
    type: list
    elements: str
    default:
      - https://api.amp.cisco.com
      - https://api.eu.amp.cisco.com
      - https://api.apjc.amp.cisco.com
  ca_file:
    description: PEM file of the certificate authorities to trust instead of the system's, for API and queues.
    type: path
  proxy:
    description: Proxy of the API, V(http://host:port), instead of the one that the environment names. The
      queues are reached without any.
    type: str
  time_limit_seconds:
    description:
      - Seconds that the whole task may take, whatever the other side does; V(0) for no limit.
      - What was seen and done until then stays in the result, and the rest is unknown.
    type: int
    default: 1800
  streams:
    description: The streams, one for each reader. An organisation has five at most, those of others included.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Its name. It is known by its id once it was made; where two have the name before that,
          nothing is written and both ids are told.
        type: str
        required: true
      event_types:
        description: Types of events that it carries, by their names or ids; an empty list is all, those
          to come included. Not compared when not given, and all for a stream that is made.
        type: list
        elements: str
      groups:
        description: Groups of computers whose events it carries, by their names or guids; an empty list
          is all. Not compared when not given, and all for a stream that is made.
        type: list
        elements: str
  secret_file:
    description:
      - File on the control node that keeps what opens the queues, as JSON, for its owner only. The vendor
        shows a password once, so no stream is made before this file was written.
      - A stream is ours by the id that stands there, and by nothing else.
    type: path
    required: true
  vault_password:
    description: Password by which the file is encrypted for Ansible Vault. Without it the file is in the
      clear.
    type: str
  accept_missing:
    description: Names of streams that an earlier run saw and that are meant to be gone. What has gone without
      standing here is unknown in drift, verify and preflight.
    type: list
    elements: str
    default: []
  evidence_path:
    description:
      - File for the full evidence, one JSON line per target.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to a file in the run's
        folder.
    type: path
seealso:
  - module: mssp.onboarding.secure_endpoint_stream
"""

EXAMPLES = r"""
- name: Is the stream read
  mssp.onboarding.secure_endpoint_stream_info:
    client_id: 2cee1c2632a2e9d63f53
    api_key: "{{ secure_endpoint_api_key }}"
    streams:
      - name: Proseware SIEM
    secret_file: /etc/mssp/handover/secure-endpoint-contoso.json
    vault_password: "{{ handover_vault_password }}"
  register: flow
"""

RETURN = r"""
flows:
  description:
    - Each stream, with C(source), C(state), C(newest) (of the organisation's events), C(age_seconds), C(message) and
      C(next_step); of a queue that was seen C(consumers), C(messages) and C(days_left) until the first that wait are
      lost.
    - C(state) is V(absent), V(pending), V(flowing), V(quiet), V(fallen), V(stale) or V(unreadable).
  returned: when the engine ran
  type: list
  elements: dict
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(secure_endpoint_stream).
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
api_url:
  description: The base of the region that knows the organisation.
  returned: when the engine ran
  type: str
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._secure_endpoint import capability, options

MODULE = Module(capability.verify, capability.Streams.name, options.FLOW_SPEC, options.RULES)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
