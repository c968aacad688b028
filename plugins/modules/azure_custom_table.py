#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: azure_custom_table
short_description: Make a custom table of a Log Analytics workspace
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Makes the table where it is missing, and adds columns that one of ours lacks. No column is removed, and no type
    changed, which Azure does not allow.
  - A table that the retired HTTP Data Collector API made is told by name, and neither changed nor migrated.
  - A table is kept with its records unless O(remove_table) says otherwise.
  - Has been run against the collection's own lab and Azure's own client only, not yet against Azure itself.
extends_documentation_fragment:
  - mssp.onboarding.azure
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: full
options:
  tenant_id:
    description:
      - Microsoft Entra tenant (GUID) that owns the workspace's subscription. Azure Lighthouse does not
        delegate the right to send, so the sign-in is to this tenant.
      - Taken from the environment variable E(AZURE_TENANT_ID) when not given.
    type: str
    required: true
  client_id:
    description:
      - Application (client) id of the multitenant app.
      - Taken from the environment variable E(AZURE_CLIENT_ID) when not given.
    type: str
    required: true
  client_secret:
    description:
      - Client secret of the app. One of secret, certificate or federated token is needed.
      - Taken from the environment variable E(AZURE_CLIENT_SECRET) when not given.
    type: str
  client_certificate_path:
    description:
      - PEM or PKCS12 file with the app's certificate and private key, in any order; of a chain the certificate
        that belongs to the key is taken.
      - Taken from the environment variable E(AZURE_CLIENT_CERTIFICATE_PATH) when not given.
    type: path
  client_certificate_password:
    description:
      - Password of an encrypted key, or PKCS12 file, at O(client_certificate_path).
      - Taken from the environment variable E(AZURE_CLIENT_CERTIFICATE_PASSWORD) when not given.
    type: str
  federated_token_file:
    description:
      - File with the token of a workload identity.
      - Taken from the environment variable E(AZURE_FEDERATED_TOKEN_FILE) when not given.
    type: path
  cloud:
    description: Azure cloud.
    type: str
    choices:
      - azure_public
      - azure_us_government
      - azure_china
    default: azure_public
  resource_manager_url:
    description: Resource Manager endpoint instead of the cloud's own.
    type: str
  authority_url:
    description:
      - Sign-in endpoint instead of the cloud's own.
      - Taken from the environment variable E(AZURE_AUTHORITY_HOST) when not given.
    type: str
  log_analytics_url:
    description: Log Analytics query endpoint instead of the cloud's own; used by verify.
    type: str
  ca_file:
    description: PEM file of the certificate authority to trust instead of the system's.
    type: path
  time_limit_seconds:
    description:
      - Seconds that the whole task may take, whatever the other side does; V(0) for no limit.
      - What was seen and done until then stays in the result, and the rest is unknown.
    type: int
    default: 1800
  workspace_id:
    description: Resource id of the Log Analytics workspace.
    type: str
    required: true
  table:
    description: Name of the table, which ends in C(_CL).
    type: str
    required: true
  columns:
    description:
      - Columns of the table, name to type. V(TimeGenerated) of type V(datetime) is needed. Further columns
        that the table has are left.
      - Types are V(string), V(int), V(long), V(real), V(boolean), V(datetime), V(guid) and V(dynamic).
        No column's type can be changed.
    type: dict
    required: true
  remove_table:
    description:
      - Whether offboarding removes the table, with its records, where we made it.
    type: bool
    default: false
  wait_seconds:
    description: How long to wait for what Azure makes in its own time.
    type: int
    default: 300
  state:
    description:
      - V(absent) removes the table where O(remove_table) is set and we made it, V(present) makes it as
        wanted.
    type: str
    choices:
      - present
      - absent
    default: present
  fail_on:
    description:
      - What makes the task fail. V(error) is any target that failed or could not be read, V(blocked) is
        that and what cannot be made, as of a setting of somebody else in the way, V(drift) is V(error)
        and whatever is, or stays, not as wanted.
    type: str
    choices:
      - error
      - blocked
      - drift
      - never
    default: error
  correct:
    description:
      - Which writes may be done. V(safe) is making what is missing, columns too, V(all) also removing.
    type: str
    choices:
      - never
      - safe
      - all
    default: all
  max_changes:
    description: Write nothing and fail when more targets than this would change; V(0) lets none. No limit
      when not given.
    type: int
  evidence_path:
    description:
      - File for the full evidence, one JSON line per target.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to a file in the run's
        folder.
    type: path
seealso:
  - module: mssp.onboarding.azure_data_collection_rule
"""

EXAMPLES = r"""
- name: A table for alerts
  mssp.onboarding.azure_custom_table:
    tenant_id: 20000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    workspace_id: >-
      /subscriptions/20000000-0000-4000-8000-000000000003/resourceGroups/rg-operations/providers/Microsoft.OperationalInsights/workspaces/law-contoso-ops
    table: SplunkAlert_CL
    columns:
      TimeGenerated: datetime
      SearchName: string
      Result: dynamic
"""

RETURN = r"""
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(azure_custom_table).
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
    credentials:
      description: When the app's certificate ends, as C(name) and C(expires) (ISO date); empty for a
        secret or a PFX.
      type: list
      elements: dict
      returned: success
    requests:
      description: Requests by kind.
      type: dict
      returned: when the targets were read
    throttled_answers:
      description: Answers with status 429.
      type: int
      returned: when the targets were read
    throttled_seconds:
      description: Seconds in which work waited for the vendor's limits.
      type: float
      returned: when the targets were read
    seconds:
      description: Seconds that all of it took.
      type: float
      returned: when the targets were read
    correctable:
      description: Targets that have drifted and that a drift run on each level would correct.
      type: dict
      returned: when the targets were read
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.custom_logs import capability, options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity

MODULE = Module(
    capability.converge_table, capability.CustomTable.name, options.TABLE_MODULE_SPEC, identity.IDENTITY_RULES
)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
