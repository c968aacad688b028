# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that the modules of file drops share."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  tenant:
    description: The tenant's slug.
    type: str
    required: true
  sources:
    description: What may send files, each with an account and a directory of its own.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the source; small letters, digits and hyphens.
        type: str
        required: true
      user:
        description: Name of the account. C(mssp-TENANT-NAME), shortened to 32 characters, when not given.
        type: str
      keys:
        description:
          - Public keys of the appliance, as C(ssh-rsa AAAA…), without options. Line breaks inside a key are taken out.
          - DSA keys are refused, since OpenSSH 10 no longer knows them.
        type: list
        elements: str
        required: true
      from:
        description: Addresses and networks from which these keys count.
        type: list
        elements: str
        required: true
      directory:
        description:
          - The directory that the appliance is set to, when it insists on one; a label for the one drop directory.
          - The path of the drop directory itself, C(/) and C(incoming) always name it, too.
        type: str
        default: /
      names:
        description: Globs of the names that are taken, for example C(*.s) for the closed files of AsyncOS.
        type: list
        elements: str
        default: ['*']
      max_file_mib:
        description: Largest file in MiB, 0 for no limit. The role's own limit when not given.
        type: int
      legacy_keys:
        description: Take RSA signatures with SHA-1 from this account; older appliances know no other.
        type: bool
        default: false
      legacy_transport:
        description: Let this account in at C(legacy_port), too.
        type: bool
        default: false
  reader_group:
    description: Group on the collector that may read what was delivered. Nobody but root when not given.
    type: str
  min_free_mib:
    description: MiB that stay free on the file system; a file that would take of it is refused before its first byte.
    type: int
    default: 1024
  python:
    description: Python 3.9 or newer on the collector, which runs what takes the files.
    type: path
    default: /usr/bin/python3
"""
