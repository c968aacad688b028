#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scp_target
short_description: Make the places where a tenant's appliances drop files by SCP or SFTP
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Gives each source an account that can do nothing but send files into its own directory, by the legacy SCP protocol
    and by SFTP, with the same key.
  - Checks sshd's configuration before and after it reloads it, and puts the old one back when a check fails or when
    nobody confirms with M(mssp.onboarding.sshd_change) in O(undo_seconds) that new connections work.
  - Accounts and files of sources that are no longer given are removed; what they have delivered is kept.
extends_documentation_fragment:
  - mssp.onboarding.attributes
attributes:
  action:
    support: none
  diff_mode:
    support: full
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
  state:
    description: V(absent) removes everything of the tenant that this module made.
    type: str
    choices:
      - present
      - absent
    default: present
  keep_files:
    description: Keep what was delivered, as root's, when a source or the tenant goes.
    type: bool
    default: true
  reader_group:
    description: Group on the collector that may read what was delivered. Nobody but root when not given.
    type: str
  retention_days:
    description: Days after which delivered files are removed, 0 for never.
    type: int
    default: 14
  max_file_mib:
    description: Largest file in MiB, 0 for no limit.
    type: int
    default: 2048
  min_free_mib:
    description: MiB that stay free on the file system; a file that would take of it is refused before its
      first byte.
    type: int
    default: 1024
  quota_mib:
    description: MiB that a source's files may take together, 0 for no limit; more is refused until there
      is room.
    type: int
    default: 10240
  max_files:
    description: How many files of a source may wait, 0 for no limit.
    type: int
    default: 100000
  max_sessions:
    description: How many sessions of a source may be open at once, 0 for no limit.
    type: int
    default: 16
  legacy_port:
    description:
      - Port of a second sshd with old key exchange, ciphers and host key signatures, for
        sources with C(legacy_transport) only. 0 is no such sshd.
    type: int
    default: 0
  firewall:
    description: Open sshd's ports for the senders, in firewalld, ufw or nftables where the host runs one.
    type: bool
    default: true
  python:
    description: Python 3.9 or newer on the collector, which runs what takes the files.
    type: path
    default: /usr/bin/python3
  ssh_service:
    description: Name of sshd's unit, V(ssh) on Debian and V(sshd) on Fedora and its kin.
    type: str
    default: ssh
  undo_seconds:
    description: Seconds after which the host undoes an unconfirmed change of sshd's configuration. 0 is
      never.
    type: int
    default: 120
"""

EXAMPLES = r"""
- name: A drop directory for a mail gateway
  mssp.onboarding.scp_target:
    tenant: contoso
    sources:
      esa:
        keys:
          - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHoYQYvMc8WwVhU7pYb5nKqZVQ4z0mXgN0m3m0mJc3xw
        from:
          - 192.0.2.25
  register: drops

- name: New connections work, so keep it
  mssp.onboarding.sshd_change:
    tenant: contoso
    state: confirmed
  when: drops.confirm
"""

RETURN = r"""
confirm:
  description: Whether the change of sshd's configuration waits for M(mssp.onboarding.sshd_change).
  returned: when sources were read
  type: bool
changes:
  description:
    - What was made, changed or removed, or would be in check mode. At most 50; the evidence has all.
    - Each has C(target), C(action) (V(create), V(update), V(delete), or a word of the module's own),
      C(drift), the classes of drift that it corrects, and where an engine knows them C(before) and C(after),
      what differs in short.
  returned: always
  type: list
  elements: dict
problems:
  description:
    - What failed, is unknown, waits or is a finding, merged by cause.
    - Each has C(target) (one of those that it concerns), C(count) (how many), C(code) and C(message)
      (the vendor's own where it refused), C(next_step), and of a request C(operation), C(status) and
      C(request_id). C(warning) is true for what is in sync all the same.
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
    correctable:
      description: Targets that have drifted and that a drift run on each level would correct.
      type: dict
      returned: when the targets were read
evidence:
  description: Path of the file with one JSON line per target on the control node; empty where none is
    written.
  returned: always
  type: str
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._scp import options, target

MODULE = Module(target.run, target.CAPABILITY, options.TARGET_SPEC, on_host=True, sources="sources")


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
