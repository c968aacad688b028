# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules that remember what a tenant had have in common."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  accept_missing:
    description:
      - What an earlier run saw and is meant to be gone, each by the name that is told. What has gone without standing
        here is unknown. Who confirmed it, and when, is kept.
    type: list
    elements: str
    default: []
  evidence_path:
    description:
      - File in whose folder (in a play with the callback P(mssp.onboarding.evidence#callback), beside the folders of
        the runs) it is remembered what the tenant had.
    type: path
"""
