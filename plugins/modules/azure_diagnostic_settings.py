#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: azure_diagnostic_settings
short_description: Converge the Azure diagnostic settings of a whole tenant
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Finds every wanted target in every wanted subscription of a tenant, compares its diagnostic settings with what is
    wanted by meaning, and writes only what differs.
  - Settings of other names are never changed, unless O(on_conflict=adopt) says so.
  - Whatever cannot be read without doubt is reported as unknown and not written over.
  - Has been run against the collection's own lab and clients of other makers only, not yet against Azure itself.
extends_documentation_fragment:
  - mssp.onboarding.azure
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: full
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
    description: Which writes may be done. V(safe) is adding a setting where there is none, V(all) also
      changing and removing ours. What may not be written stays drifted.
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
  concurrency:
    description: Requests in flight at most.
    type: int
    default: 128
  evidence_path:
    description:
      - File for the full evidence, one JSON line per target.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to a file in the run's
        folder.
    type: path
  state:
    description: V(present) makes the setting as wanted on every target, V(absent) removes the setting of
      this O(name).
    type: str
    choices:
      - present
      - absent
    default: present
  accept_missing:
    description: Subscriptions and resource types, by the names that are told, that an earlier run saw and
      that are meant to be gone. What has gone without standing here is unknown. Who confirmed it, and when,
      is kept.
    type: list
    elements: str
    default: []
seealso:
  - module: mssp.onboarding.azure_access_info
  - module: mssp.onboarding.azure_log_flow_info
"""

EXAMPLES = r"""
- name: Send every log of a customer's Azure resources to the provider's workspace
  mssp.onboarding.azure_diagnostic_settings:
    tenant_id: 20000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    auxiliary_tenant_ids:
      - 10000000-0000-4000-8000-000000000000
    workspace_id: "{{ soc_workspace_id }}"
    logs:
      default:
        category_group: allLogs
      kubernetes:
        categories: [kube-audit-admin, guard]

- name: Remove our settings when the customer leaves
  mssp.onboarding.azure_diagnostic_settings:
    tenant_id: 20000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    state: absent
"""

RETURN = r"""
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(azure_diagnostics).
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
    correctable:
      description: Targets that have drifted and that a drift run on each level would correct.
      type: dict
      returned: when the targets were read
    subscriptions:
      description: Counts per subscription.
      type: dict
      returned: when the subscriptions were read
    left_out:
      description: Visible subscriptions that were not taken, with the reason.
      type: list
      elements: str
      returned: when the subscriptions were read
    inventory:
      description: How the resources were found.
      type: str
      returned: when the subscriptions were read
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
changes:
  description:
    - What was made, changed or removed, or would be in check mode. At most 50; the evidence has all.
    - Each has C(target), C(action) (V(create), V(update), V(delete), or a word of the module's own),
      C(drift), the classes of drift that it corrects, and where an engine knows them C(before) and C(after),
      what differs in short.
  returned: always
  type: list
  elements: dict
problems:
  description:
    - What failed, is unknown, waits or is a finding, merged by cause.
    - Each has C(target) (one of those that it concerns), C(count) (how many), C(code) and C(message)
      (the vendor's own where it refused), C(next_step), and of a request C(operation), C(status) and
      C(request_id). C(warning) is true for what is in sync all the same.
  returned: always
  type: list
  elements: dict
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
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import capability as sweep
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity

MODULE = Module(sweep.converge, sweep.Diagnostics.name, options.SETTINGS_MODULE_SPEC, identity.IDENTITY_RULES)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
