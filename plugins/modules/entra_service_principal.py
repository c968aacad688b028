#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_service_principal
short_description: Bring the provider's app into a customer's tenant, compare its permissions, or take it out
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - With an administrator's O(access_token) the app's service principal is made in the tenant and the wanted permissions
    are granted to it. They are then proven by the app's own tokens, where it can sign in.
  - Without one nothing is written. The app's own tokens in the tenant, by their C(tid) and C(roles), say what was
    granted, and what is missing is left to the customer's administrator, by the link RV(consent_url).
  - Permissions that were granted besides are told, and taken back on request (O(exact)).
  - A second run with O(state=absent) finds the app gone and changes nothing.
  - Has been run against the collection's own lab only, not yet against Microsoft Entra itself.
extends_documentation_fragment:
  - mssp.onboarding.graph
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
  redirect_uri:
    description: Where the link for consent leads back to; one of the app's redirect URIs. Entra chooses
      when not given.
    type: str
  state_key:
    description: Key that signs the C(state) of the link for consent, so that no answer passes for another
      tenant's.
    type: str
  consent_response:
    description: The whole address that the administrator was sent back to. It is checked, a refusal fails
      the task, and what was consented to is waited for. Needs O(state_key).
    type: str
  state:
    description:
      - V(present) wants the app in the tenant with its permissions.
      - V(absent) removes the service principal, and with it all that was granted; never in the app's own
        tenant.
    type: str
    choices:
      - present
      - absent
    default: present
  wait_seconds:
    description:
      - How long at most to wait for each step of Azure's, and then for the app's roles to count.
      - V(0) waits for neither. Whether the roles count is asked as the app, so only where it can sign in
        and is given a role. Roles that do not count in time fail the task.
    type: int
    default: 300
  permissions:
    description:
      - Application permissions that the app shall have, names by resource.
      - A resource is V(microsoft_graph), V(office365_management), V(windows_defender_atp),
        V(microsoft_threat_protection) or an app id (GUID). A consent by link covers what
        the app itself asks for, so the app's own list (role P(mssp.onboarding.mssp_application#role))
        has to hold these.
    type: dict
    default: {}
  exact:
    description: Take out what was added besides what is wanted, instead of keeping and telling it.
    type: bool
    default: false
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
  evidence_path:
    description:
      - File for the full evidence, one JSON line per target.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to a file in the run's
        folder.
    type: path
seealso:
  - module: mssp.onboarding.entra_application
"""

EXAMPLES = r"""
- name: What the customer's administrator still has to consent to
  mssp.onboarding.entra_service_principal:
    tenant_id: 60000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    redirect_uri: https://onboarding.proseware.example/consented
    state_key: "{{ consent_state_key }}"
    permissions:
      microsoft_graph: [SecurityAlert.Read.All]
  register: presence

- name: Grant it with the administrator's own token
  mssp.onboarding.entra_service_principal:
    tenant_id: 60000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    access_token: "{{ graph_token }}"
    permissions:
      microsoft_graph: [SecurityAlert.Read.All]

- name: The customer leaves
  mssp.onboarding.entra_service_principal:
    tenant_id: 60000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    access_token: "{{ graph_token }}"
    state: absent
"""

RETURN = r"""
service_principal_id:
  description: Object id of the app's service principal in the tenant, empty where there is none.
  returned: when the tenant was read
  type: str
granted:
  description: Permissions that the app has, by resource.
  returned: when the tenant was read
  type: dict
  sample: {microsoft_graph: [SecurityAlert.Read.All]}
missing:
  description: Permissions that are wanted and that the app does not have, by resource.
  returned: when the tenant was read
  type: dict
extra:
  description: Permissions that the app has and that are not wanted, by resource. By tokens alone only those of the
    named resources and of the wanted ones are seen.
  returned: when the tenant was read
  type: dict
consent_url:
  description: Link for the customer's administrator, at which all that the app asks for is consented to.
  returned: when the tenant was read
  type: str
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(entra_service_principal).
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
    proof:
      description: Whether V(token)s of the app have shown what is granted, or the V(directory) says so.
      type: str
      returned: when the tenant was read
    correctable:
      description: Targets that have drifted and that a drift run on each level would correct.
      type: dict
      returned: when the targets were read
    credentials:
      description: When the app's certificate ends, as C(name) and C(expires) (ISO date); empty for a
        secret or a PFX.
      type: list
      elements: dict
      returned: when the tenant was read
    requests:
      description: Requests by kind.
      type: dict
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
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.principal import capability, options

MODULE = Module(capability.converge, capability.EntraServicePrincipal.name, options.MODULE_SPEC, options.RULES)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
