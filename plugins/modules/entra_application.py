#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_application
short_description: Manage the provider's own multitenant app, its permissions and its certificates
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Makes the app registration by which a provider reaches its customers' tenants, with its service principal in the
    provider's own tenant, and keeps it as wanted. The app is always multitenant (C(AzureADMultipleOrgs)).
  - The permissions are those that customers are asked to consent to. Without any, they are left alone.
  - Rolls certificates without a gap. New ones are added beside those that are there, which Microsoft Graph would drop
    otherwise; old ones go later, see O(certificate_grace_days).
  - Never deletes the app, since the customers' consents hang on it.
  - Has been run against the collection's own lab only, not yet against Microsoft Graph itself.
extends_documentation_fragment:
  - mssp.onboarding.graph
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: full
options:
  tenant_id:
    description:
      - Microsoft Entra tenant (GUID) of the provider, in which the app is registered.
      - Taken from the environment variable E(AZURE_TENANT_ID) when not given.
    type: str
    required: true
  client_id:
    description:
      - Application (client) id of the app, which must be there. Without it the app is found by O(unique_name),
        and made where there is none; that takes an administrator's token.
      - Taken from the environment variable E(AZURE_CLIENT_ID) when not given.
    type: str
    required: false
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
  unique_name:
    description: Name by which the app is found and made without O(client_id). It is set once and cannot
      be changed, so that another app of the same O(display_name) is never taken for this one.
    type: str
    default: mssp-onboarding
  display_name:
    description: Name that the customers' administrators see.
    type: str
    default: MSSP onboarding
  redirect_uris:
    description: Addresses to which an administrator may be sent back after consent. Without any, they are
      left alone.
    type: list
    elements: str
    default: []
  certificate_paths:
    description:
      - PEM files of the certificates that the app is to have. Only the certificate of a file is sent; a
        private key beside it stays where it is.
      - They must be RSA with 2048 bits or more and not have expired, which is checked before anything is
        sent.
      - With O(access_token) the list of certificates is written as a whole, those that stay included. Where
        the app signs in with O(client_certificate_path), each is added with a proof that the app has that
        one's key, for which it needs no right to write.
      - Without any, certificates are neither added nor removed.
    type: list
    elements: path
    default: []
  certificate_grace_days:
    description:
      - For how many days a certificate that this module added, and that is no longer in O(certificate_paths),
        stays after the last of those was added. One that has expired goes at once.
      - Never removed are certificates that others added, the one of O(client_certificate_path), and any
        as long as not all of O(certificate_paths) are registered and one of them is valid.
    type: int
    default: 14
  secret_name:
    description:
      - Make a client secret of this name where the app has no valid one, and return it, once. Another name
        is another secret. Without it no secret is made.
      - The task must have C(no_log), or nothing is done.
    type: str
  secret_days:
    description: For how many days a secret that is made is valid, 730 at most.
    type: int
    default: 180
  expiry_days:
    description: For how many days at least something that the app signs in with must last.
    type: int
    default: 30
  permissions:
    description:
      - Application permissions that are wanted, as lists of names by resource.
      - A resource is V(microsoft_graph), V(office365_management), V(windows_defender_atp),
        V(microsoft_threat_protection) or the app id (GUID) of another.
      - Names are resolved in the tenant at run time, since their ids differ by cloud. One
        that is retired is kept, and told with its successors.
    type: dict
    default: {}
  exact:
    description: Take out permissions and addresses that others added to the app, instead of keeping them.
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
  - module: mssp.onboarding.entra_service_principal
"""

EXAMPLES = r"""
- name: Make the app, or put it right, as an administrator of the provider's tenant
  mssp.onboarding.entra_application:
    tenant_id: 10000000-0000-4000-8000-000000000000
    access_token: "{{ graph_token }}"
    display_name: Proseware SOC
    redirect_uris: ["https://onboarding.proseware.example/consented"]
    permissions:
      microsoft_graph: [SecurityAlert.Read.All, SecurityIncident.Read.All]
      office365_management: [ActivityFeed.Read]
    certificate_paths: [/etc/mssp/app.pem]
  register: app

- name: Let the app roll its own certificate, the old one signs in
  mssp.onboarding.entra_application:
    tenant_id: 10000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    certificate_paths: [/etc/mssp/app-2027.pem]
"""

RETURN = r"""
app_id:
  description: Application (client) id, empty where there is no app yet.
  returned: when the app was read
  type: str
object_id:
  description: Object id of the app in the provider's tenant.
  returned: when the app was read
  type: str
service_principal_id:
  description: Object id of the app's service principal in the provider's tenant, empty where there is none.
  returned: when the app was read
  type: str
client_secret:
  description: The secret that was made. It is told this once.
  returned: when a secret was made
  type: str
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(mssp_application).
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
    correctable:
      description: Targets that have drifted and that a drift run on each level would correct.
      type: dict
      returned: when the targets were read
    credentials:
      description: When each certificate and secret of the app ends, as C(name) and C(expires) (ISO date).
        Those that have ended are left out, unless all have.
      type: list
      elements: dict
      returned: when the app was read
    requests:
      description: Requests by kind.
      type: dict
      returned: when the targets were read
    throttled_answers:
      description: Answers with status 429.
      type: int
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
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.application import capability, options

MODULE = Module(
    capability.converge,
    capability.MsspApplication.name,
    options.MODULE_SPEC,
    options.RULES,
    secret_option="secret_name",
)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
