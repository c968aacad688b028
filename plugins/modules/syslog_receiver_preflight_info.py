#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: syslog_receiver_preflight_info
short_description: Tell what a host lacks to become a tenant's syslog receiver
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Looks at the system, packages, ports, disk, clock, given certificates, and whether outputs can be reached from the
    host. Only reads; it opens one TCP connection to each output and closes it.
  - What is missing does not fail the task.
extends_documentation_fragment:
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
  action:
    support: none
options:
  tenant:
    description: Slug of the tenant.
    type: str
    required: true
  packages:
    description: Packages that the receiver needs.
    type: list
    elements: str
    default: []
  sources:
    description: The sources, as for M(mssp.onboarding.syslog_receiver).
    type: dict
    default: {}
  outputs:
    description: The outputs, as for M(mssp.onboarding.syslog_receiver).
    type: dict
    default: {}
  queue:
    description: What a stop or a crash may lose, as for M(mssp.onboarding.syslog_receiver).
    type: str
    choices: [fast, graceful, crash_safe]
    default: graceful
  queue_disk_bytes:
    description: Disk space that one queue may take.
    type: int
    default: 1073741824
  disk_low_percent:
    description: Below this much free space, sources of priority low are not taken.
    type: int
    default: 15
  disk_stop_percent:
    description: Below this much, only sources of priority high are taken.
    type: int
    default: 5
  file_roots:
    description: As for M(mssp.onboarding.syslog_receiver).
    type: list
    elements: str
    default: [/srv]
  tls_ca:
    description: PEM text of the authority that signs peers.
    type: str
    default: ''
  tls_certificate:
    description: PEM text of the receiver's certificate, with its chain.
    type: str
    default: ''
  tls_key:
    description: PEM text of its key.
    type: str
    default: ''
"""

EXAMPLES = r"""
- name: Whether the host can take the firewalls' logs of contoso
  mssp.onboarding.syslog_receiver_preflight_info:
    tenant: contoso
    packages: [rsyslog, rsyslog-gnutls]
    sources:
      firewalls: {transport: udp, port: 5514}
  register: ready
"""

RETURN = r"""
findings:
  description: Every check.
  returned: always
  type: list
  elements: dict
  contains:
    check:
      description: V(system), V(package), V(port), V(space), V(clock), V(certificate ...) or V(output).
      type: str
      returned: always
    subject:
      description: What was looked at.
      type: str
      returned: always
    status:
      description: V(ok), V(missing), or V(unknown) where it could not be asked.
      type: str
      returned: always
    detail:
      description: What was found.
      type: str
      returned: always
    who:
      description: Who can cure it.
      type: str
      returned: always
    next_step:
      description: What to do.
      type: str
      returned: always
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(syslog_target).
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
      C(request_id).
  returned: always
  type: list
  elements: dict
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog import host, options, preflight

MODULE = Module(preflight.run, host.CAPABILITY, options.PREFLIGHT_SPEC, on_host=True, sources="sources")


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
