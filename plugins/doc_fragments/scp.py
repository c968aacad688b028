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
    description:
      - What may send files, each with an account and a directory of its own.
      - Name of each source (small letters, digits and hyphens) to its options C(user), C(keys), C(from), C(directory),
        C(names), C(max_file_mib), C(legacy_keys), C(legacy_transport). See the README of the role scp_target.
    type: dict
    default: {}
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
  legacy_port:
    description:
      - Port of a second sshd with old key exchange, ciphers and host key signatures, for sources with
        C(legacy_transport) only. 0 is no such sshd.
    type: int
    default: 0
"""
