#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: azure_access_info
short_description: Tell what an identity may and may not do in a tenant before it is onboarded
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Signs in, reads the permissions on every wanted subscription and on the destinations, and says what is missing, who
    can grant it and with which command.
  - Tells each option that chooses targets or logs and matches nothing in the tenant, with the nearest known name.
  - Says through which path a destination is reached, by the primary token (same tenant or Azure Lighthouse) or by the
    token of an auxiliary tenant.
  - Only reads. A missing right is a finding and does not fail the task; a tenant that cannot be read does.
  - Has been run against the collection's own lab only, not yet against Azure itself.
extends_documentation_fragment:
  - mssp.onboarding.azure
  - mssp.onboarding.azure.selection
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
options:
  workspace_id:
    description: Resource id of the Log Analytics workspace.
    type: str
  event_hub_authorization_rule_id:
    description: Resource id of the Event Hub namespace's authorization rule.
    type: str
  storage_account_id:
    description: Resource id of the storage account.
    type: str
  marketplace_partner_id:
    description: Resource id of the marketplace partner's resource.
    type: str
  regional_destinations:
    description: Event Hub and storage per Azure region, as in M(mssp.onboarding.azure_diagnostic_settings).
    type: dict
    default: {}
  accept_missing:
    description:
      - Subscriptions and resource types, by the names that are told, that an earlier run saw and that are meant to be
        gone. What has gone without standing here is unknown. Who confirmed it, and when, is kept.
    type: list
    elements: str
    default: []
  evidence_path:
    description:
      - File in whose folder (in a play with the callback P(mssp.onboarding.evidence#callback), beside the folders of
        the runs) it is remembered what the tenant had. Nothing else is written.
    type: path
  logs:
    description: Wanted logs per family, as in M(mssp.onboarding.azure_diagnostic_settings).
    type: dict
    default:
      default:
        category_group: allLogs
  metrics:
    description: Metric categories to send as well.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: What is missing before this customer can be onboarded
  mssp.onboarding.azure_access_info:
    tenant_id: 20000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    auxiliary_tenant_ids:
      - 10000000-0000-4000-8000-000000000000
    workspace_id: "{{ soc_workspace_id }}"
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
      description: V(sign_in), V(subscriptions), V(write_settings), V(provider_registered) or V(use_destination).
      type: str
      returned: always
    subject:
      description: The tenant, subscription or destination that was looked at.
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
      description: Always V(azure_access).
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
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import preflight as access
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity

MODULE = Module(access.preflight, access.Access.name, options.ACCESS_MODULE_SPEC, identity.IDENTITY_RULES)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
