# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that the Azure modules share."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
attributes:
  action_group:
    description: The action group that the module belongs to, for C(module_defaults).
    support: full
    membership:
      - mssp.onboarding.azure
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
      - Client secret. One of secret, certificate or federated token is needed.
      - Taken from the environment variable E(AZURE_CLIENT_SECRET) when not given.
    type: str
  client_certificate_path:
    description:
      - PEM or PKCS12 file with the app's certificate and private key, in any order; of a chain the certificate that
        belongs to the key is taken.
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
    description:
      - Tenants (at most 3) that own the destinations; a token of each goes with a write across tenants.
    type: list
    elements: str
    default: []
  cloud:
    description:
      - Azure cloud.
    type: str
    choices:
      - azure_public
      - azure_us_government
      - azure_china
    default: azure_public
  resource_manager_url:
    description:
      - Resource Manager endpoint instead of the cloud's own.
    type: str
  authority_url:
    description:
      - Sign-in endpoint instead of the cloud's own.
      - Taken from the environment variable E(AZURE_AUTHORITY_HOST) when not given.
    type: str
  log_analytics_url:
    description:
      - Log Analytics query endpoint instead of the cloud's own; used by verify.
    type: str
  ca_file:
    description:
      - PEM file of the certificate authority to trust instead of the system's.
    type: path
  time_limit_seconds:
    description:
      - Seconds that the whole task may take, whatever the other side does; V(0) for no limit.
      - What was seen and done until then stays in the result, and the rest is unknown.
    type: int
    default: 1800
requirements:
  - python >= 3.11
  - aiohttp
  - azure-identity
"""

    ADMINISTRATOR = r"""
options:
  access_token:
    description:
      - Access token of an administrator, for what the app itself may not do. The app then needs no secret here.
      - M(ansible.builtin.command) with C(az account get-access-token --query accessToken) gives one; see the role's
        README for the scope. It is good for about an hour.
    type: str
"""

    GRAPH_ENDPOINT = r"""
attributes:
  action_group:
    description: The action group that the module belongs to, for C(module_defaults).
    support: full
    membership:
      - mssp.onboarding.azure
options:
  graph_url:
    description:
      - Microsoft Graph endpoint instead of the cloud's own.
    type: str
"""

    SELECTION = r"""
options:
  subscriptions:
    description:
      - Subscriptions to take, as ids, names or globs. Every enabled one when empty.
    type: list
    elements: str
    default: []
  exclude_subscriptions:
    description:
      - Subscriptions to leave out, as ids, names or globs.
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
    description:
      - Resource types to take besides those of the families.
    type: list
    elements: str
    default: []
  resource_groups:
    description:
      - Take only resources of these resource groups (globs). All when empty.
    type: list
    elements: str
    default: []
  include_tags:
    description:
      - Take only resources with these tags; a value may be a glob.
    type: dict
    default: {}
  exclude_tags:
    description:
      - Leave out resources with any of these tags; a value may be a glob.
    type: dict
    default: {}
  exclude_resources:
    description:
      - Leave out these resources, as resource ids or globs of them.
    type: list
    elements: str
    default: []
"""

    SETTING = r"""
options:
  name:
    description:
      - Name of our diagnostic setting on every target.
    type: str
    default: mssp-onboarding
  workspace_id:
    description:
      - Resource id of the Log Analytics workspace.
    type: str
  event_hub_authorization_rule_id:
    description:
      - Resource id of the Event Hub namespace's authorization rule (Manage, Send and Listen).
    type: str
  event_hub_name:
    description:
      - Event Hub in that namespace; Azure makes one hub per category when it is not given.
    type: str
  storage_account_id:
    description:
      - Resource id of the storage account.
    type: str
  marketplace_partner_id:
    description:
      - Resource id of the marketplace partner's resource.
    type: str
  regional_destinations:
    description:
      - Event Hub and storage per Azure region, since these must be in the region of the resource.
      - Each key is a region, each value a dictionary of C(event_hub_authorization_rule_id), C(event_hub_name) and
        C(storage_account_id).
    type: dict
    default: {}
  destination_table:
    description:
      - Kind of table in the workspace. V(default) leaves the choice to the service and keeps what is set.
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
    type: dict
    default:
      default:
        category_group: allLogs
  metrics:
    description:
      - Metric categories to send as well, for example V(AllMetrics).
    type: list
    elements: str
    default: []
  satisfied_by:
    description:
      - With V(any), settings of other names that already send the wanted logs to the wanted destinations count.
      - With V(ours), only the setting of our name counts.
    type: str
    choices:
      - any
      - ours
    default: any
  on_conflict:
    description:
      - What to do where a setting of another name sends some of the wanted categories to the same destination.
      - V(report) leaves it and reports it, V(adopt) changes that setting in place so that it sends all that is
        wanted.
    type: str
    choices:
      - report
      - adopt
    default: report
  exact:
    description:
      - Take out what someone added to our own setting, instead of keeping and reporting it.
    type: bool
    default: false
"""
