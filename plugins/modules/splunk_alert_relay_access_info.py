#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: splunk_alert_relay_access_info
short_description: Tell what is missing before Splunk's alerts can be taken on
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Reads the rights on the resource groups, the registration of Microsoft.Logic, the rule's stream, and whether a
    workflow keeps a client secret. Only reads; what is missing is a finding and does not fail the task.
  - Has been run against the collection's own lab and Azure's own client only, not yet against Azure itself.
extends_documentation_fragment:
  - mssp.onboarding.azure
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
options:
  tenant_id:
    description:
      - Microsoft Entra tenant (GUID) that owns the rule's subscription. Azure Lighthouse does not delegate
        the right to send, so the sign-in is to this tenant.
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
  rule_id:
    description: Resource id of the data collection rule that alerts are sent to, as azure_custom_logs makes
      it.
    type: str
    required: true
  stream:
    description:
      - The rule's stream, C(Custom-) and the table's name without C(_CL). It needs the columns C(SearchName),
        C(App), C(Owner), C(Sid), C(ResultsLink) and C(Result), all of type C(string).
    type: str
    required: true
  resource_group:
    description: Resource group of the workflow, which has to be there. The rule's when not given.
    type: str
    default: ''
  workflow:
    description: Name of the Logic App. Only one that we made is changed.
    type: str
    default: mssp-onboarding-splunk-alerts
  callers:
    description: Addresses or networks that Splunk's webhooks come from. All others are refused.
    type: list
    elements: str
    required: true
  rule_to_come:
    description: Whether the rule is made right before the relay, so that it need not be there yet.
    type: bool
    default: false
seealso:
  - module: mssp.onboarding.splunk_alert_relay
"""

EXAMPLES = r"""
- name: What is missing before alerts can be taken on
  mssp.onboarding.splunk_alert_relay_access_info:
    tenant_id: 20000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    rule_id: >-
      /subscriptions/20000000-0000-4000-8000-000000000003/resourceGroups/rg-operations/providers/Microsoft.Insights/dataCollectionRules/mssp-onboarding
    stream: Custom-SplunkAlert
    callers: [203.0.113.10]
  register: access
"""

RETURN = r"""
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(splunk_alert_relay).
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
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.alert_relay import capability, options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity

MODULE = Module(capability.preflight, capability.AlertRelay.name, options.RELAY_ACCESS_SPEC, identity.IDENTITY_RULES)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
