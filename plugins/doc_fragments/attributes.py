# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attributes that our modules share."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: Can run in check mode and return what it would change, without changing it.
  diff_mode:
    description: Returns what changed, or would change, before and after.
  idempotent:
    support: full
    description: A second run with the same options changes nothing.
  action:
    support: full
    description: Runs inside Ansible's worker when the connection is local, else as a module on the host.
"""
