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
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
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
  workspace_id:
    description: Resource id of the Log Analytics workspace.
    type: str
  event_hub_authorization_rule_id:
    description: Resource id of the Event Hub namespace's authorization rule (Manage, Send and Listen).
    type: str
  storage_account_id:
    description: Resource id of the storage account.
    type: str
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
      C(request_id). C(warning) is true for what is in sync all the same.
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
