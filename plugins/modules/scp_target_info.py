#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scp_target_info
short_description: Tell what has arrived at the file drops of a tenant, or what a collector lacks for them
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Only reads. What is missing or silent is a finding and does not fail the task.
extends_documentation_fragment:
  - mssp.onboarding.scp
  - mssp.onboarding.attributes
attributes:
  action:
    support: none
  diff_mode:
    support: none
options:
  what:
    description: V(preflight) looks at what the collector must have, V(arrivals) at what each source has sent.
    type: str
    choices: [preflight, arrivals]
    required: true
  stale_hours:
    description: After how many hours without a file a source is V(stale).
    type: int
    default: 24
"""

EXAMPLES = r"""
- name: Whether the mail gateway's files arrive
  mssp.onboarding.scp_target_info:
    tenant: contoso
    what: arrivals
    sources: "{{ scp_target_sources }}"
  register: arrived
"""

RETURN = r"""
flows:
  description: One entry per source, for V(arrivals).
  returned: always
  type: list
  elements: dict
  contains:
    source:
      description: C(scp) and the source's name.
      type: str
      returned: always
    state:
      description:
        - V(absent) (not set up, or nothing came since), V(pending) (set up less than O(stale_hours) ago), V(flowing),
          V(fallen) (a tenth or less of the same day of an earlier week),
          V(stale) (nothing for O(stale_hours), or sshd's files give the account other rules than the role did, which
          the problem's code C(overruled) says), V(unreadable) (could not be read).
      type: str
      returned: always
    newest:
      description: Time of the newest file.
      type: str
      returned: always
    records:
      description: Files delivered, as far back as the ledger goes (the last one to two MiB of events).
      type: int
      returned: always
    refused:
      description: How many times something was refused, in the same span.
      type: int
      returned: always
    cut:
      description: How many transfers ended in the middle, in the same span.
      type: int
      returned: always
    last_file:
      description: Name of the newest file.
      type: str
      returned: always
    last_refusal:
      description: What was refused last, and why.
      type: str
      returned: always
    sshd:
      description: What C(sshd -T) says of the account other than the role told sshd, or why it cannot be asked.
      type: str
      returned: always
findings:
  description: One entry per thing that was looked at, for V(preflight).
  returned: always
  type: list
  elements: dict
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(scp_target).
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
          C(records_last_day) beside C(records_usual) on the same day of an earlier week, where they are
          known.
      type: dict
      returned: always
problems:
  description:
    - What failed, is unknown, waits or is a finding, merged by cause.
    - Each has C(target) (one of those that it concerns), C(count) (how many), C(code) and C(message)
      (the vendor's own where it refused), C(next_step), and of a request C(operation), C(status) and
      C(request_id).
  returned: always
  type: list
  elements: dict
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._scp import names, options, preflight

MODULE = Module(preflight.run, names.CAPABILITY, options.INFO_SPEC, on_host=True)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
