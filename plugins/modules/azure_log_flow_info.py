#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: azure_log_flow_info
short_description: Tell whether the Azure logs of a tenant arrive
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Compares what has a diagnostic setting with what has arrived, per resource type of each subscription, in the Log
    Analytics workspace (azure-monitor-query), and in the Event Hub by its incoming messages (azure-mgmt-monitor).
  - A type is as bad as the worst of its resources, which are named, where O(by) judges resources.
  - The number of records of the last day is compared with the same day of the two weeks before; what has fallen to a
    tenth of at least 50 is V(fallen), although something still arrives.
  - Only reads. A flow that is V(stale), V(absent), V(fallen), V(doubled) or V(unreadable) is a finding and does not
    fail the task.
  - Has been run against the collection's own lab only, not yet against Azure itself.
extends_documentation_fragment:
  - mssp.onboarding.azure
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
requirements:
  - azure-monitor-query >= 2.0
  - azure-mgmt-monitor >= 7.0
options:
  tenant_id:
    description:
      - Microsoft Entra tenant (GUID) that owns the subscriptions.
      - Taken from the environment variable E(AZURE_TENANT_ID) when not given.
    type: str
    required: true
  managing_tenant_id:
    description:
      - Tenant (GUID) to sign in to when the subscriptions are delegated to it by Azure Lighthouse.
      - Without it the sign-in is to the customer's own tenant.
    type: str
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
  auxiliary_tenant_ids:
    description: Tenants (at most 3) that own the destinations; a token of each goes with a write across
      tenants.
    type: list
    elements: str
    default: []
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
  subscriptions:
    description: Subscriptions to take, as ids, names or globs. Every enabled one when empty.
    type: list
    elements: str
    default: []
  exclude_subscriptions:
    description: Subscriptions to leave out, as ids, names or globs.
    type: list
    elements: str
    default: []
  families:
    description:
      - Families of targets. V(all) is whatever offers log categories, the subscription's activity log included.
    type: list
    elements: str
    choices:
      - all
      - activity_log
      - application_gateway
      - azure_firewall
      - front_door
      - key_vault
      - kubernetes
      - network_security_group
      - public_ip
      - sql
      - storage
      - waf_policy
    default:
      - all
  resource_types:
    description: Resource types to take besides those of the families.
    type: list
    elements: str
    default: []
  resource_groups:
    description: Take only resources of these resource groups (globs). All when empty.
    type: list
    elements: str
    default: []
  include_tags:
    description: Take only resources with these tags; a value may be a glob.
    type: dict
    default: {}
  exclude_tags:
    description: Leave out resources with any of these tags; a value may be a glob.
    type: dict
    default: {}
  exclude_resources:
    description: Leave out these resources, as resource ids or globs of them.
    type: list
    elements: str
    default: []
  name:
    description: Name of our diagnostic setting on every target.
    type: str
    default: mssp-onboarding
  workspace_id:
    description: Resource id of the Log Analytics workspace.
    type: str
  event_hub_authorization_rule_id:
    description: Resource id of the Event Hub namespace's authorization rule (Manage, Send and Listen).
    type: str
  event_hub_name:
    description: Event Hub in that namespace; Azure makes one hub per category when it is not given.
    type: str
  storage_account_id:
    description: Resource id of the storage account.
    type: str
  satisfied_by:
    description:
      - With V(any), settings of other names that already send the wanted logs to the wanted destinations
        count.
      - With V(ours), only the setting of our name counts.
    type: str
    choices:
      - any
      - ours
    default: any
  on_conflict:
    description:
      - What to do where a setting of another name sends some of the wanted categories to the same destination.
      - V(report) leaves it and reports it, V(adopt) changes that setting in place so that it sends all
        that is wanted.
    type: str
    choices:
      - report
      - adopt
    default: report
  exact:
    description: Take out what someone added to our own setting, instead of keeping and reporting it.
    type: bool
    default: false
  marketplace_partner_id:
    description: Resource id of the marketplace partner's resource.
    type: str
  regional_destinations:
    description:
      - Event Hub and storage per Azure region, since these must be in the region of the resource.
      - Each key is a region, each value a dictionary of C(event_hub_authorization_rule_id), C(event_hub_name)
        and C(storage_account_id).
      - C(event_hub_authorization_rule_id) (str) - Resource id of the Event Hub namespace's authorization
        rule (Manage, Send and Listen).
      - C(event_hub_name) (str) - Event Hub in that namespace.
      - C(storage_account_id) (str) - Resource id of the storage account.
    type: dict
    default: {}
  destination_table:
    description: Kind of table in the workspace. V(default) leaves the choice to the service and keeps what
      is set.
    type: str
    choices:
      - dedicated
      - azure_diagnostics
      - default
    default: default
  logs:
    description:
      - Wanted logs per family; the key C(default) serves every family without a key of its own.
      - Each value has either C(category_group) (V(allLogs) or V(audit)) or C(categories) (a list).
      - C(category_group) (str, one of V(allLogs), V(audit)) - The group of categories.
      - C(categories) (list) - Names of categories.
    type: dict
    default:
      default:
        category_group: allLogs
  metrics:
    description: Metric categories to send as well, for example V(AllMetrics).
    type: list
    elements: str
    default: []
  window_hours:
    description:
      - How many hours back to look for records. Fewer than 192 know of no earlier week, and so of no fall.
      - Tables of the plan Basic or Auxiliary, billed by what a query scans, are asked for O(stale_hours)
        only.
    type: int
    default: 360
  grace_minutes:
    description:
      - For how many minutes after a setting is written missing data is V(pending).
      - A record not older than this makes a flow V(flowing).
    type: int
    default: 120
  stale_hours:
    description: After how many hours without a record a flow is V(stale).
    type: int
    default: 24
  by:
    description:
      - Whether each V(resource) is judged, so that one that lives hides none that is dead, or each resource
        V(type).
      - V(auto) judges resources in a tenant of up to 200 targets. A resource that nobody uses logs nothing
        and is then V(stale), unless it is of a type that logs rare events only.
    type: str
    choices:
      - auto
      - resource
      - type
    default: auto
  share_query:
    description:
      - Ask the workspace once for all tenants of the run that send to it, and take this one's part of the
        answer.
      - The answer is kept in memory, for the same app in the workspace's tenant only.
    type: bool
    default: false
  accept_missing:
    description: Subscriptions and resource types, by the names that are told, that an earlier run saw and
      that are meant to be gone. What has gone without standing here is unknown. Who confirmed it, and when,
      is kept.
    type: list
    elements: str
    default: []
  evidence_path:
    description:
      - File for the full evidence, one JSON line per target.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to a file in the run's
        folder.
    type: path
  concurrency:
    description: Requests in flight at most.
    type: int
    default: 128
"""

EXAMPLES = r"""
- name: Whether the customer's logs arrive
  mssp.onboarding.azure_log_flow_info:
    tenant_id: 20000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    auxiliary_tenant_ids:
      - 10000000-0000-4000-8000-000000000000
    workspace_id: "{{ soc_workspace_id }}"
  register: flow
"""

RETURN = r"""
flows:
  description: One entry per resource type of each subscription, and one for the Event Hub.
  returned: always
  type: list
  elements: dict
  contains:
    source:
      description: Resource type in lower case and the subscription's name, or C(event hub …).
      type: str
      returned: always
    type:
      description: Resource type in lower case.
      type: str
      returned: where the source is one
    state:
      description:
        - V(absent) (nothing is set), V(pending) (set less than O(grace_minutes) ago), V(flowing), V(quiet) (nothing
          new, and not yet a finding), V(doubled) (two settings send the same logs to one destination), V(fallen) (a
          tenth of what is usual, or less), V(stale) (no record for O(stale_hours)), V(unreadable) (nobody can say).
      type: str
      returned: always
    targets:
      description: Targets of this type.
      type: int
      returned: always
    served:
      description: Targets with a setting that sends the wanted logs.
      type: int
      returned: always
    resources:
      description: Targets by state.
      type: dict
      returned: where resources are judged
    newest:
      description: Time of the newest record.
      type: str
      returned: always
    age_seconds:
      description: Age of the newest record.
      type: int
      returned: always
    lag_seconds:
      description: Between the newest record's own time and the newest arrival.
      type: int
      returned: always
    records:
      description: Records within the window.
      type: int
      returned: always
    records_last_day:
      description: Records of the last 24 hours.
      type: int
      returned: always
    records_usual:
      description: The most records of the same day, one and two weeks before.
      type: int
      returned: always
    message:
      description: What is bad, or why it could not be read in Azure's own words; else empty.
      type: str
      returned: always
    next_step:
      description: What to do.
      type: str
      returned: always
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(azure_log_flow).
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
    queries:
      description:
        - What the workspace was asked. C(number) of queries, those whose answer another task of the run
          had (C(shared)), C(milliseconds) and C(rows_scanned) as Azure states them, within C(window_hours)
          and C(limit_seconds) each.
      type: dict
      returned: always
coverage:
  description:
    - What was C(expected) and C(looked_at), as numbers of targets; C(left_out), what was not looked at
      or has nothing to be done, with the reason, or for a reason the number of targets; and C(missing),
      the names of what an earlier run saw and this one does not.
  returned: when the tenant was read
  type: dict
evidence:
  description: Path of the file with one JSON line per target on the control node; empty where none is
    written.
  returned: always
  type: str
problems:
  description:
    - What failed, is unknown, waits or is a finding, merged by cause.
    - Each has C(target) (one of those that it concerns), C(count) (how many), C(code) and C(message)
      (the vendor's own where it refused), C(next_step), and of a request C(operation), C(status) and
      C(request_id). C(warning) is true for what is in sync all the same.
  returned: always
  type: list
  elements: dict
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import freshness as arrivals
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity

MODULE = Module(arrivals.verify, arrivals.LogFlow.name, options.FLOW_MODULE_SPEC, identity.IDENTITY_RULES)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
