#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sekoia_intake_info
short_description: Tell whether events arrive at the intakes of a Sekoia.io community
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Judges each intake by its newest event, which a search finds.
  - Only reads, unless O(probe) asks for a test; what is found does not fail the task.
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
  intake_url:
    description: Address of the HTTP intake, V(https://host[:port][/path]), instead of the region's own.
    type: str
  intakes:
    description:
      - Name of each intake to its format and entity.
      - C(format) (str, required) - Name of its format, exactly as Sekoia.io's list of integrations has
        it, or its UUID.
      - C(entity) (str, required) - Name of the entity that its events belong to, or its UUID. It has to
        be there.
    type: dict
    required: true
  accept_missing:
    description: Names of intakes that an earlier run saw and that are meant to be gone. What has gone without
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
  grace_minutes:
    description: An intake whose newest event is younger than this is flowing.
    type: int
    default: 60
  stale_hours:
    description: After how many hours without an event verify calls an intake stale; quiet until then.
    type: int
    default: 24
  probe:
    description: Send an event of our own to each intake by HTTP, as a source would, and search for it.
    type: bool
    default: false
  concurrency:
    description: Requests in flight at most.
    type: int
    default: 16
"""

EXAMPLES = r"""
- name: Does the firewall's log still arrive
  mssp.onboarding.sekoia_intake_info:
    api_key: "{{ sekoia_api_key }}"
    community_uuid: 00000000-0000-0000-0000-000000000000
    intakes:
      Headquarters firewall:
        format: Fortigate
        entity: Main Entity
  register: flow
"""

RETURN = r"""
flows:
  description:
    - Each intake, with C(source), C(state), C(newest), C(age_seconds), C(message) and C(next_step).
    - C(state) is V(absent), V(flowing), V(quiet), V(stale) or V(unreadable).
  returned: when the engine ran
  type: list
  elements: dict
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(sekoia_intake).
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
    credentials:
      description: The API key, as C(name), and when it C(expires) as the options say; empty where they
        do not.
      type: list
      elements: dict
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
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.intake import capability, options

MODULE = Module(capability.verify, capability.Intakes.name, options.FLOW_SPEC)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
