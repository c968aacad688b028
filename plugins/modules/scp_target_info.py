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
  - mssp.onboarding.attributes
attributes:
  action:
    support: none
  diff_mode:
    support: none
options:
  tenant:
    description: Slug of the tenant, which is part of the names of all that is made for it.
    type: str
    required: true
  sources:
    description:
      - Name of each source (small letters, digits and hyphens) to its options. Each gets an account and
        a directory of its own.
      - C(keys) (list, required) - Public keys of the appliance, as V(ssh-rsa AAAA…) without options.
      - C(from) (list, required) - Addresses and networks from which these keys count.
      - C(user) (str) - The account. Made from the slug and this name when not given.
      - C(directory) (str, default V(/)) - The directory that the appliance is set to, when it insists on
        one.
      - C(names) (list) - Globs of the names of files that are taken.
      - C(max_file_mib) (int) - Largest file in MiB, 0 for no limit. The role's own limit when not given.
      - C(legacy_keys) (bool, default V(false)) - Take RSA signatures with SHA-1 from this account.
      - C(legacy_transport) (bool, default V(false)) - Let this account in at the legacy port, too.
    type: dict
    default: {}
  what:
    description: V(preflight) looks at what the collector must have, V(arrivals) at what each source has
      sent.
    type: str
    required: true
    choices:
      - preflight
      - arrivals
  reader_group:
    description: Group on the collector that may read what was delivered. Nobody but root when not given.
    type: str
  min_free_mib:
    description: MiB that stay free on the file system; a file that would take of it is refused before its
      first byte.
    type: int
    default: 1024
  python:
    description: Python 3.9 or newer on the collector, which runs what takes the files.
    type: path
    default: /usr/bin/python3
  legacy_port:
    description:
      - Port of a second sshd with old key exchange, ciphers and host key signatures, for
        sources with C(legacy_transport) only. 0 is no such sshd.
    type: int
    default: 0
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
          C(records_last_day) of the C(counted) flows beside C(records_usual) on the same day of an earlier
          week, where they are known.
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

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._scp import names, options, preflight

MODULE = Module(preflight.run, names.CAPABILITY, options.INFO_SPEC, on_host=True, sources="sources")


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
