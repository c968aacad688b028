#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: azure_custom_logs_flow_info
short_description: Tell whether records arrive in a custom table
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Asks the workspace for the newest record of the table. Only reads, but for O(probe).
  - With O(probe) a marked record is sent and looked for. Where it is refused since the app's role is new, the flow is
    V(pending); where the role is older than 30 minutes it is V(stale). Probes do not count as records.
  - Has been run against the collection's own lab and Azure's own client only, not yet against Azure itself.
extends_documentation_fragment:
  - mssp.onboarding.azure
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
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
  resource_group:
    description: Resource group of the rule, which has to be there. The workspace's when not given.
    type: str
    default: ''
  rule:
    description: Name of the data collection rule. Only one that we made is changed.
    type: str
    default: mssp-onboarding
  stream_columns:
    description: Columns of what is sent, name to type. Those of the table when not given.
    type: dict
    default: {}
  transform:
    description:
      - The rule's KQL, from C(source) to the table's columns.
      - Where what is sent has no time, it is made here, as in C(source | extend TimeGenerated = now());
        a C(string) becomes C(dynamic) by C(todynamic()).
    type: str
    default: source
  senders:
    description: Object ids of service principals or managed identities in this tenant that may send.
    type: list
    elements: str
    default: []
  probes:
    description: Whether the app itself may send, too, which C(verify_probe) needs.
    type: bool
    default: true
  window_hours:
    description: How many hours back to look for records.
    type: int
    default: 360
  grace_minutes:
    description: A record not older than this makes the flow V(flowing).
    type: int
    default: 120
  stale_hours:
    description: After how many hours without a record the flow is V(stale).
    type: int
    default: 24
  may_be_quiet:
    description: Whether the source may be silent for days, so that silence alone is no finding.
    type: bool
    default: false
  probe:
    description: Whether to send a marked record and to look for it.
    type: bool
    default: false
  probe_seconds:
    description: How long to wait for it.
    type: int
    default: 300
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
- name: Do alerts arrive, and could they
  mssp.onboarding.azure_custom_logs_flow_info:
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
    stream_columns:
      SearchName: string
      Result: string
    transform: source | extend TimeGenerated = now(), Result = todynamic(Result)
    probe: true
  register: flow
"""

RETURN = r"""
flows:
  description:
    - The table, with C(source), C(state), C(newest), C(age_seconds), C(message) and C(next_step).
    - C(state) is V(absent), V(pending), V(flowing), V(quiet), V(fallen), V(stale) or V(unreadable).
  returned: when the engine ran
  type: list
  elements: dict
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(azure_custom_logs).
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
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.custom_logs import capability, options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity

MODULE = Module(capability.verify, capability.CollectionRule.name, options.FLOW_MODULE_SPEC, identity.IDENTITY_RULES)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
