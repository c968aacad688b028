#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sshd_change
short_description: Keep or undo a change of sshd's configuration
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - After M(mssp.onboarding.scp_target) has changed sshd's configuration, the host puts the old one back by itself
    unless this module says in time, over a connection made after the change, that new connections work.
  - Does nothing where no change waits.
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
  state:
    description: V(confirmed) keeps the change, V(undone) puts the old configuration back at once.
    type: str
    required: true
    choices:
      - confirmed
      - undone
"""

EXAMPLES = r"""
- name: New connections work, so keep it
  mssp.onboarding.sshd_change:
    tenant: contoso
    state: confirmed
"""

RETURN = r"""
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
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._scp import options, target

MODULE = Module(target.settle, target.CAPABILITY, options.CHANGE_SPEC, on_host=True)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
