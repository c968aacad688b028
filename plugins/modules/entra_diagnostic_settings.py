#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_diagnostic_settings
short_description: Send Entra's sign-in, audit and other logs to a workspace, an Event Hub or a storage account
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Converges the one diagnostic setting of our name in C(microsoft.aadiam), with the rules of
    M(mssp.onboarding.azure_diagnostic_settings) about what is equal, ours and in the way.
  - Categories are asked of the tenant in each run, so new ones of Microsoft's are taken up with V(all).
  - Service principals are refused (403) until an administrator has once given the app a role at
    C(/providers/Microsoft.aadiam), whatever directory roles the app has. The refusal is told with the commands. A user
    who is Security Administrator needs no such step; O(access_token) is for that.
  - The sign-in is always to O(tenant_id). Azure Lighthouse delegates nothing that is tenant-wide.
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
      - Microsoft Entra tenant (GUID) that owns the subscription, and whose Entra logs are sent.
      - Taken from the environment variable E(AZURE_TENANT_ID) when not given.
    type: str
    required: true
  managing_tenant_id:
    description:
      - Tenant (GUID) to sign in to for the Event Hub when the subscription is delegated to it by Azure
        Lighthouse.
      - Entra's logs are never reached that way; for them the sign-in is to the customer's own tenant.
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
  name:
    description: Name of our setting.
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
  categories:
    description: Categories of logs to send, as Microsoft names them, for example V(AuditLogs) and V(SignInLogs);
      V(all) is every category that the tenant offers. Those of sign-ins need Microsoft Entra ID P1 or P2.
    type: list
    elements: str
    default:
      - all
  wait_seconds:
    description: How long to wait until Azure has made, removed or shows something.
    type: int
    default: 300
  state:
    description: V(present) makes the setting as wanted, V(absent) removes the setting of this O(name).
    type: str
    choices:
      - present
      - absent
    default: present
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
    description: Which writes may be done. V(safe) is making the setting where there is none, V(all) also
      changing and removing ours.
    type: str
    choices:
      - never
      - safe
      - all
    default: all
  evidence_path:
    description:
      - File for the full evidence, one JSON line per target.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to a file in the run's
        folder.
    type: path
  accept_missing:
    description: Categories of Entra's logs that an earlier run saw and that are meant to be gone. What
      has gone without standing here is unknown in drift, verify and preflight.
    type: list
    elements: str
    default: []
seealso:
  - module: mssp.onboarding.azure_event_hub
  - module: mssp.onboarding.azure_diagnostic_settings
"""

EXAMPLES = r"""
- name: Entra's logs of a customer to the Event Hub that the SIEM reads
  mssp.onboarding.entra_diagnostic_settings:
    tenant_id: 20000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    event_hub_authorization_rule_id: "{{ event_hub.event_hub_authorization_rule_id }}"
    event_hub_name: mssp-onboarding
    categories: [AuditLogs, SignInLogs, NonInteractiveUserSignInLogs, ServicePrincipalSignInLogs]

- name: The same once with the token of the customer's Security Administrator
  mssp.onboarding.entra_diagnostic_settings:
    tenant_id: 20000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    access_token: "{{ lookup('ansible.builtin.env', 'ADMIN_ARM_TOKEN') }}"
    workspace_id: "{{ soc_workspace_id }}"
"""

RETURN = r"""
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(event_hub_export).
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
categories:
  description: The categories that the tenant offers.
  returned: with O(state=present)
  type: list
  elements: str
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
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.entra_logs import capability as entra_logs
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.entra_logs import options as entra_options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity

MODULE = Module(
    entra_logs.converge, entra_logs.EntraLogs.name, entra_options.ENTRA_MODULE_SPEC, identity.ADMINISTRATOR_RULES
)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
