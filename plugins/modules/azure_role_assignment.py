#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: azure_role_assignment
short_description: Give a role on an Azure scope to the app, or to another principal, and take it back
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Finds the role by its name at the scope, and assigns it under a name that every run makes again, unless some
    assignment at the scope or above it already gives the role.
  - Waits until the role counts for the app, as far as the app's own credentials are given.
  - Takes back only the assignment that it made itself.
  - Nothing is written before the role and the principal are known without doubt.
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
  access_token:
    description:
      - Access token of an administrator, for what the app itself may not do. The app then needs no secret
        here.
      - M(ansible.builtin.command) with C(az account get-access-token --query accessToken) gives one; see
        the role's README for the scope. It is good for about an hour.
    type: str
  scope:
    description:
      - Resource id of the scope, such as C(/subscriptions/<id>), a resource group or a resource; V(/) and
        scopes of providers as well.
      - O(tenant_id) is the tenant that owns it. O(managing_tenant_id) must not be given.
    type: str
    required: true
  role:
    description: Name of a built-in or custom role. A name that is unknown, or that several roles have,
      is an error.
    type: str
    required: true
  principal_id:
    description:
      - Object id of the principal in O(tenant_id).
      - Without it the app itself, whose object id its own token tells.
    type: str
  principal_type:
    description: Kind of principal. Azure takes a service principal or user that is new at once where it
      is told the kind.
    type: str
    choices:
      - service_principal
      - group
      - user
    default: service_principal
  state:
    description:
      - V(present) sees to it that the principal has the role, V(absent) removes our assignment.
      - An assignment of another name is never removed; that it is there is told.
    type: str
    choices:
      - present
      - absent
    default: present
  correct:
    description: Which writes may be done. V(safe) is assigning, V(all) also taking back. What may not be
      written stays drifted.
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
  - module: mssp.onboarding.azure_lighthouse_delegation
"""

EXAMPLES = r"""
- name: Let the app write diagnostic settings in a customer's subscription, with the rights of its administrator
  mssp.onboarding.azure_role_assignment:
    tenant_id: 60000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    access_token: "{{ administrator_arm_token }}"
    scope: /subscriptions/60000000-0000-4000-8000-000000000001
    role: Monitoring Contributor

- name: Take it back when the customer leaves
  mssp.onboarding.azure_role_assignment:
    tenant_id: 60000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    access_token: "{{ administrator_arm_token }}"
    scope: /subscriptions/60000000-0000-4000-8000-000000000001
    role: Monitoring Contributor
    state: absent
"""

RETURN = r"""
assignment:
  description: The assignment that is ours, or would be.
  returned: when the role and its assignments were read
  type: dict
  contains:
    id:
      description: Its resource id.
      type: str
      returned: success
    name:
      description: Its name, a GUID made of scope, role and principal.
      type: str
      returned: success
    scope:
      description: The scope.
      type: str
      returned: success
    role:
      description: The role's name as Azure spells it.
      type: str
      returned: success
    principal_id:
      description: Object id of the principal.
      type: str
      returned: success
    principal_type:
      description: Kind of principal in Azure's words.
      type: str
      returned: success
    effective:
      description: Whether the role counts for the app; null where that was not asked.
      type: bool
      returned: success
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(azure_role_assignment).
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
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.rights import capability as role_assignments
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.rights import options as rights_options

MODULE = Module(
    role_assignments.converge,
    role_assignments.RoleAssignment.name,
    rights_options.ROLE_ASSIGNMENT_MODULE_SPEC,
    identity.ADMINISTRATOR_RULES,
)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
