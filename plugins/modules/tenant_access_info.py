#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tenant_access_info
short_description: Tell what the provider's app still lacks in a customer's tenant, and who can give it
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Looks whether the app is known in the tenant, has the wanted permissions, has the wanted roles or delegations, and
    whether Microsoft.Insights is registered. Each right that is missing is one finding, with the link or command that
    gives it.
  - A consent is proven by the app's own tokens (C(tid) and C(roles)), a role by its assignment, a delegation by what
    Azure says the app may do.
  - Only reads. What the customer's administrator has to do makes the outcome V(waiting), and does not fail the task.
  - Has been run against the collection's own lab only, not yet against Microsoft Entra and Azure themselves.
extends_documentation_fragment:
  - mssp.onboarding.graph
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
options:
  tenant_id:
    description:
      - The customer's Microsoft Entra tenant (GUID).
      - Taken from the environment variable E(AZURE_TENANT_ID) when not given.
    type: str
    required: true
  managing_tenant_id:
    description:
      - The provider's own tenant (GUID), where the subscriptions are to be delegated to it by Azure Lighthouse.
      - Without it roles are wanted in the customer's own tenant.
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
  ca_file:
    description: PEM file of the certificate authority to trust instead of the system's.
    type: path
  time_limit_seconds:
    description:
      - Seconds that the whole task may take, whatever the other side does; V(0) for no limit.
      - What was seen and done until then stays in the result, and the rest is unknown.
    type: int
    default: 1800
  access_token:
    description:
      - Access token of an administrator, for what the app itself may not do. The app then needs no secret
        here.
      - M(ansible.builtin.command) with C(az account get-access-token --query accessToken) gives one; see
        the role's README for the scope. It is good for about an hour.
    type: str
  graph_url:
    description: Microsoft Graph endpoint instead of the cloud's own.
    type: str
  permissions:
    description:
      - Application permissions that the app shall have, names by resource.
      - A resource is V(microsoft_graph), V(office365_management), V(windows_defender_atp),
        V(microsoft_threat_protection) or an app id (GUID). A consent by link covers what
        the app itself asks for, so the app's own list (role P(mssp.onboarding.mssp_application#role))
        has to hold these.
    type: dict
    default: {}
  subscriptions:
    description:
      - Subscriptions (GUIDs) to be reached. Every enabled one that is visible when empty; one on which
        the app has no right is then not missed.
    type: list
    elements: str
    default: []
  role:
    description: Role on each subscription, by name.
    type: str
    default: Monitoring Contributor
  roles:
    description: Further roles in the customer's tenant, each a dictionary of C(role) and C(scope).
    type: list
    elements: dict
    default: []
  redirect_uri:
    description: Where the link for consent leads back to; one of the app's redirect URIs. Entra chooses
      when not given.
    type: str
  state_key:
    description: Key that signs the C(state) of the link for consent, so that no answer passes for another
      tenant's.
    type: str
  state:
    description: V(absent) asks whether access was given back. An app that is still let in is the one finding
      then.
    type: str
    choices:
      - present
      - absent
    default: present
  correct:
    description: What a run that has an administrator's token may grant; decides what C(summary.correctable)
      says.
    type: str
    choices:
      - never
      - safe
      - all
    default: all
  accept_missing:
    description: Subscriptions (id) that an earlier run saw and that are meant to be gone. What has gone
      without standing here is unknown in drift, verify and preflight.
    type: list
    elements: str
    default: []
  evidence_path:
    description:
      - File for the full evidence, one JSON line per target.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to a file in the run's
        folder.
    type: path
requirements:
  - python >= 3.11
  - aiohttp
  - azure-identity
seealso:
  - module: mssp.onboarding.entra_service_principal
  - module: mssp.onboarding.azure_role_assignment
  - module: mssp.onboarding.azure_lighthouse_delegation
"""

EXAMPLES = r"""
- name: What this customer still has to grant
  mssp.onboarding.tenant_access_info:
    tenant_id: 60000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    permissions:
      microsoft_graph: [SecurityAlert.Read.All, SecurityIncident.Read.All]
  register: access

- name: By which link and commands
  ansible.builtin.debug:
    msg: "{{ access.findings | rejectattr('status', 'eq', 'ok') | map(attribute='next_step') }}"
"""

RETURN = r"""
findings:
  description: Every check, in the order in which what is missing is cured.
  returned: always
  type: list
  elements: dict
  contains:
    check:
      description: >-
        V(sign_in), V(credential), V(permission), V(subscriptions), V(role), V(delegation), V(provider_registered) or
        V(given_back).
      type: str
      returned: always
    subject:
      description: The tenant, permission, role, subscription or credential that was looked at.
      type: str
      returned: always
    status:
      description: V(ok), V(missing), or V(unknown) where it could not be read.
      type: str
      returned: always
    detail:
      description: What was found, in Microsoft's own words where it refused.
      type: str
      returned: always
    who:
      description: Who can cure it.
      type: str
      returned: always
    next_step:
      description: The link to open, the command to run or the option to change.
      type: str
      returned: always
known:
  description: >-
    Whether the app may be let in. V(false) where a directory says that it does not know it, or by Lighthouse no
    subscription is delegated.
  returned: when the options are right
  type: bool
reaches:
  description: >-
    Whether the app can take away what it has set. With O(state=absent) V(false) not only where it is not known, but
    where it sees no subscription of the tenant any more.
  returned: when the options are right
  type: bool
principal_id:
  description: Object id of the app in the tenant that it signs in to for the subscriptions, '' where it cannot.
  returned: when the options are right
  type: str
subscriptions:
  description: Ids of the subscriptions that were named, or found.
  returned: when the options are right
  type: list
  elements: str
roles:
  description: Every role that is wanted in the customer's tenant, with its scope.
  returned: when the options are right
  type: list
  elements: dict
  sample:
    - role: Monitoring Contributor
      scope: /subscriptions/60000000-0000-4000-8000-000000000001
consent_url:
  description: The link at which the customer's administrator consents.
  returned: when the options are right
  type: str
handover:
  description: What P(mssp.onboarding.handover_page#filter) makes the page for the administrator of.
  returned: when the options are right
  type: dict
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(tenant_access).
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
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.tenant_access import capability, options

MODULE = Module(capability.info, capability.TenantAccess.name, options.MODULE_SPEC, options.RULES)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
