#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: m365_activity_info
short_description: Tell whether a Microsoft 365 tenant's audit records arrive
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Reads, for each content type, the newest content and the newest record in it, back to seven days. Only reads; what
    is found does not fail the task.
  - Until 12 hours after a start there may be no content, which is V(pending). When that was is known from evidence of
    earlier runs only; without any, a content type without content is V(unreadable).
  - Has been run against the collection's own lab only, not yet against Microsoft 365 itself.
extends_documentation_fragment:
  - mssp.onboarding.m365
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
options:
  window_hours:
    description: How many hours back to look for content. Content is kept for 168.
    type: int
    default: 168
  grace_minutes:
    description: Content not older than this makes a flow V(flowing).
    type: int
    default: 180
  stale_hours:
    description: After how many hours without content a flow is V(stale); Audit.General and DLP.All are V(quiet) then.
    type: int
    default: 24
  evidence_path:
    description:
      - File for the full evidence, one JSON line for each content type.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to a file in the run's folder.
    type: path
"""

EXAMPLES = r"""
- name: Do the audit records still arrive
  mssp.onboarding.m365_activity_info:
    tenant_id: 20000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    publisher_id: 10000000-0000-4000-8000-000000000000
  register: flow
"""

RETURN = r"""
flows:
  description:
    - Each content type, with C(source), C(state), C(newest) (time of the newest record), C(newest_content),
      C(newest_record), C(age_seconds), C(message) and C(next_step).
    - C(state) is V(absent), V(pending), V(flowing), V(quiet), V(stale) or V(unreadable).
  returned: when the engine ran
  type: list
  elements: dict
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(m365_activity).
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
      description: When what the app signs in with ends, as C(name) and C(expires).
      type: list
      returned: when the tenant was read
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
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.m365_activity import capability, options

MODULE = Module(capability.verify, capability.Activity.name, options.ACTIVITY_SPEC, identity.IDENTITY_RULES)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
