#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: azure_event_hub_access_info
short_description: Tell what is missing before an Event Hub can be made for a tenant's logs
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Signs in, and says whether C(Microsoft.EventHub) is registered, whether the identity may make and remove a namespace
    and what belongs to it, and whether it may use Entra's own diagnostic settings; what is missing comes with who can
    grant it and the command.
  - Only reads. A missing right is a finding and does not fail the task.
  - Has been run against the collection's own lab only, not yet against Azure itself.
extends_documentation_fragment:
  - mssp.onboarding.azure
  - mssp.onboarding.coverage
  - mssp.onboarding.azure.administrator
  - mssp.onboarding.event_hub
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
options:
  entra:
    description: Whether Entra's diagnostic settings are looked at, too.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: What is missing before this customer's logs can go to an Event Hub
  mssp.onboarding.azure_event_hub_access_info:
    tenant_id: 20000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    subscription_id: 20000000-0000-4000-8000-000000000001
    resource_group: rg-siem
    namespace: evh-contoso-siem
  register: access
"""

RETURN = r"""
findings:
  description: Every check.
  returned: always
  type: list
  elements: dict
  contains:
    check:
      description: V(sign_in), V(provider_registered), V(make_event_hub) or V(entra_settings).
      type: str
      returned: always
    subject:
      description: The tenant, subscription or resource group that was looked at.
      type: str
      returned: always
    status:
      description: V(ok), V(missing), or V(unknown) where it could not be read.
      type: str
      returned: always
    detail:
      description: What was found, in Azure's own words where it refused.
      type: str
      returned: always
    who:
      description: Who can cure it.
      type: str
      returned: always
    next_step:
      description: The command to run or the option to change.
      type: str
      returned: always
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(event_hub_export).
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
coverage:
  description:
    - What was C(expected) and C(looked_at), as numbers of targets; C(left_out), what was not looked at
      or has nothing to be done, with the reason, or for a reason the number of targets; and C(missing),
      the names of what an earlier run saw and this one does not.
  returned: when the tenant was read
  type: dict
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
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub import capability as event_hub
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub import options as hub_options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity

MODULE = Module(
    event_hub.preflight, event_hub.EventHub.name, hub_options.HUB_ACCESS_MODULE_SPEC, identity.ADMINISTRATOR_RULES
)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
