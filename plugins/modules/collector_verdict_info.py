#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: collector_verdict_info
short_description: Judge the probes of a collector's sources together
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Makes one result and one table of many results of M(mssp.onboarding.collector_probe). It sends and reads nothing.
  - A source to which nothing could be sent is V(unknown), with the reason. That does not fail the task; a loss does.
  - Used by the role P(mssp.onboarding.collector_verify#role).
extends_documentation_fragment:
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
options:
  probes:
    description: One dictionary per source and transport, with C(source) and C(transport) (their names),
      C(sent) and C(stored) (the registered results of the tasks that sent and that read back; each may
      be a skipped item), and C(lacking) (why nothing could be sent, for a task that was skipped).
    type: list
    elements: dict
    required: true
  max_seconds:
    description: A 95th percentile of the seconds to arrive above this is V(late), which fails. 0 is no
      limit.
    type: float
    default: 30.0
"""

EXAMPLES = r"""
- name: All sources together
  mssp.onboarding.collector_verdict_info:
    probes:
      - source: firewall
        transport: udp
        sent: "{{ sent }}"
        stored: "{{ stored }}"
        lacking: Nobody here may send to it.
  delegate_to: localhost
  register: verdict

- name: Table
  ansible.builtin.debug:
    var: verdict.table
"""

RETURN = r"""
rows:
  description: One per probe.
  returned: always
  type: list
  elements: dict
  contains:
    source:
      description: Name of the source.
      type: str
      returned: always
    transport:
      description: How it was sent to.
      type: str
      returned: always
    outcome:
      description: V(in_sync), V(late), V(failed), V(unknown), or V(skipped) in check mode.
      type: str
      returned: always
    msg:
      description: One sentence.
      type: str
      returned: always
table:
  description: The rows as lines of text, at most 68 characters wide, and below them why a source is not in sync.
  returned: always
  type: list
  elements: str
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(collector_verify).
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
problems:
  description:
    - What failed, is unknown, waits or is a finding, merged by cause.
    - Each has C(target) (one of those that it concerns), C(count) (how many), C(code) and C(message)
      (the vendor's own where it refused), C(next_step), and of a request C(operation), C(status) and
      C(request_id). C(warning) is true for what is in sync all the same.
  returned: always
  type: list
  elements: dict
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._collector import verdict
from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module

MODULE = Module(verdict.run, verdict.CAPABILITY, verdict.SPEC)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
