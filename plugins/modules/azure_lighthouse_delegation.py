#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: azure_lighthouse_delegation
short_description: Delegate a customer's Azure subscription to the provider's tenant by Azure Lighthouse
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Makes a registration definition and its assignment in the customer's subscription, under names that every run makes
    again, waits until the app's roles count, and gives it all back.
  - With O(access_token) of an Owner in the customer's tenant it does the work. Without, it signs in to the managing
    tenant, from where a delegation can be looked at and removed, but not given. What is lacking then waits for the
    customer, for whom O(template_path) writes a template and RV(delegation.deploy_command) tells the command.
  - An offer of another name that already gives the same is enough, and is never removed.
  - Roles that Lighthouse does not take are refused before anything is sent. These are custom roles, C(Owner), roles
    with data actions, and C(User Access Administrator) without O(authorizations[].delegated_roles).
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
      - The customer's Microsoft Entra tenant (GUID).
      - Taken from the environment variable E(AZURE_TENANT_ID) when not given.
    type: str
    required: true
  managing_tenant_id:
    description:
      - The provider's own tenant (GUID), where the subscriptions are to be delegated to it by Azure Lighthouse.
      - Without it roles are wanted in the customer's own tenant.
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
  access_token:
    description:
      - Access token of an administrator, for what the app itself may not do. The app then needs no secret
        here.
      - M(ansible.builtin.command) with C(az account get-access-token --query accessToken) gives one; see
        the role's README for the scope. It is good for about an hour.
    type: str
  subscription_id:
    description: Subscription (GUID) of the customer.
    type: str
    required: true
  name:
    description:
      - Name of the offer, as the customer sees it under Service providers.
      - Another name is another offer. Two offers with the same principal get in each other's way and are
        refused.
    type: str
    required: true
  description:
    description: What the customer is told of the offer. The name when it is empty.
    type: str
    default: ''
  authorizations:
    description:
      - Who of the managing tenant gets which role. All of it, so what is in the definition besides is taken
        out.
      - The default lets the app set up monitoring, and lets it give the delegation back. Without the second
        of these roles in some authorization only the customer can take the delegation back, which is warned
        of.
    type: list
    elements: dict
    default:
      - role: Monitoring Contributor
      - role: Managed Services Registration assignment Delete Role
    suboptions:
      principal_id:
        description:
          - Object id of a user, group or service principal in the managing tenant.
          - Without it the app itself, whose object id its own token tells.
        type: str
      role:
        description:
          - Name of a built-in role.
        type: str
        required: true
      name:
        description:
          - What the customer is shown as the principal's name. Made of the offer and the role when not
            given.
        type: str
      delegated_roles:
        description:
          - Names of the roles that a C(User Access Administrator) may give to managed identities.
        type: list
        elements: str
        default: []
  template_path:
    description:
      - File for a template of the same delegation, which an Owner of the subscription can deploy.
      - The template makes what this module makes, under the same names.
    type: path
  state:
    description:
      - V(present) sees to it that the subscription is delegated as wanted, V(absent) removes our assignment
        and then our definition.
      - From the managing tenant the definition cannot be removed; it gives nobody a right by itself.
    type: str
    choices:
      - present
      - absent
    default: present
  correct:
    description: Which writes may be done. V(safe) is adding what is missing, V(all) also changing and removing
      ours. What may not be written stays drifted.
    type: str
    choices:
      - never
      - safe
      - all
    default: all
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
  wait_seconds:
    description:
      - How long at most to wait for each step of Azure's, and then for the app's roles to count.
      - V(0) waits for neither. Whether the roles count is asked as the app, so only where it can sign in
        and is given a role. Roles that do not count in time fail the task.
    type: int
    default: 300
  evidence_path:
    description:
      - File for the full evidence, one JSON line per target.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to a file in the run's
        folder.
    type: path
seealso:
  - module: mssp.onboarding.azure_role_assignment
"""

EXAMPLES = r"""
- name: Delegate a subscription with the rights of the customer's administrator
  mssp.onboarding.azure_lighthouse_delegation:
    tenant_id: 60000000-0000-4000-8000-000000000000
    managing_tenant_id: 10000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    access_token: "{{ administrator_arm_token }}"
    subscription_id: 60000000-0000-4000-8000-000000000001
    name: Proseware SOC

- name: Write the template for a customer who deploys it, and see whether that has been done
  mssp.onboarding.azure_lighthouse_delegation:
    tenant_id: 60000000-0000-4000-8000-000000000000
    managing_tenant_id: 10000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    subscription_id: 60000000-0000-4000-8000-000000000001
    name: Proseware SOC
    template_path: handover/northwind-production.json
  register: delegated

- name: Give the delegation back when the customer leaves
  mssp.onboarding.azure_lighthouse_delegation:
    tenant_id: 60000000-0000-4000-8000-000000000000
    managing_tenant_id: 10000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    subscription_id: 60000000-0000-4000-8000-000000000001
    name: Proseware SOC
    state: absent
"""

RETURN = r"""
delegation:
  description: The delegation that is ours, or would be.
  returned: when the delegations were read
  type: dict
  contains:
    offer:
      description: Name of the offer.
      type: str
      returned: success
    description:
      description: What the customer is told of the offer.
      type: str
      returned: success
    managing_tenant_id:
      description: Tenant that gets the access.
      type: str
      returned: success
    authorizations:
      description: Who gets which role; empty with O(state=absent).
      type: list
      elements: dict
      returned: success
      sample:
        - principal_id: 0b9ad2f5-0f5c-5d0a-8a9e-7b1ac84e65c0
          role: Monitoring Contributor
          name: "Proseware SOC: Monitoring Contributor"
    definition_id:
      description: Resource id of our registration definition.
      type: str
      returned: success
    assignment_id:
      description: Resource id of our registration assignment.
      type: str
      returned: success
    effective:
      description: Whether the app's roles count; null where that was not asked.
      type: bool
      returned: success
    deploy_command:
      description: What an Owner of the subscription runs to deploy the template; empty with O(state=absent).
      type: str
      returned: success
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(azure_lighthouse_delegation).
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
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.lighthouse import capability as lighthouse
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.lighthouse import options as lighthouse_options

MODULE = Module(
    lighthouse.converge,
    lighthouse.Lighthouse.name,
    lighthouse_options.DELEGATION_MODULE_SPEC,
    identity.ADMINISTRATOR_RULES,
)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
