#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: defender_stream_info
short_description: Tell whether a tenant's Defender records arrive
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Reads the newest alert and incident, the newest row of hunting, and the newest records in the Event Hub, told apart
    by the table in their category and never by the hub. Only reads; what is found does not fail the task.
  - No app may read the portal's streaming setting, so it is judged by its records, and by what hunting has of tables
    that do not come. Without C(azure-eventhub) the streamed tables are V(unreadable).
  - Has been run against the collection's own lab only, not yet against Microsoft Defender itself.
extends_documentation_fragment:
  - mssp.onboarding.defender
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
options:
  tenant_id:
    description:
      - The customer's Microsoft Entra tenant (GUID), whose Defender is read.
      - Taken from the environment variable E(AZURE_TENANT_ID) when not given.
    type: str
    required: true
  managing_tenant_id:
    description: The provider's tenant, where Azure of the customer is managed by Azure Lighthouse. Graph
      is asked in the customer's own tenant all the same.
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
  graph_url:
    description: Microsoft Graph endpoint instead of the cloud's own.
    type: str
  ways:
    description:
      - By which ways the tenant's Defender is read. V(alerts), V(incidents) and V(hunting) are read at
        Microsoft Graph by the SIEM's connector; V(streaming) sends raw tables to an Event Hub, and its
        setting is made in the portal by a person; V(continuous_export) sends what Defender for Cloud finds
        to the same Event Hub.
    type: list
    elements: str
    choices:
      - alerts
      - incidents
      - hunting
      - streaming
      - continuous_export
    default:
      - alerts
      - incidents
  tables:
    description: Tables of advanced hunting that are to be streamed.
    type: list
    elements: str
    choices:
      - AlertInfo
      - AlertEvidence
      - DeviceInfo
      - DeviceNetworkInfo
      - DeviceProcessEvents
      - DeviceNetworkEvents
      - DeviceFileEvents
      - DeviceRegistryEvents
      - DeviceLogonEvents
      - DeviceImageLoadEvents
      - DeviceEvents
      - DeviceFileCertificateInfo
      - EmailEvents
      - EmailAttachmentInfo
      - EmailUrlInfo
      - EmailPostDeliveryEvents
      - IdentityLogonEvents
      - IdentityQueryEvents
      - IdentityDirectoryEvents
      - CloudAppEvents
      - UrlClickEvents
    default:
      - AlertInfo
      - AlertEvidence
      - DeviceInfo
  subscription_id:
    description: Subscription (GUID) of the Event Hub; for V(streaming) and V(continuous_export).
    type: str
  resource_group:
    description: Resource group of the Event Hub.
    type: str
  namespace:
    description: Event Hubs namespace, of the Standard tier at least, in the customer's own tenant. Role
      event_hub_export makes it.
    type: str
  hub:
    description: The Event Hub. It may be shared; tables are told apart by the category of each record.
    type: str
    default: mssp-onboarding
  writer_rule:
    description: Rule of the namespace by whose key Defender for Cloud sends. Role event_hub_export makes
      it.
    type: str
    default: mssp-onboarding-writer
  consumer_group:
    description: Consumer group by which records are looked at, beside whoever else reads them.
    type: str
    default: mssp-onboarding
  setting_name:
    description: Name of the streaming setting in the portal.
    type: str
    default: mssp-onboarding
  export_name:
    description: Name of the continuous export in each subscription.
    type: str
    default: mssp-onboarding
  export_sources:
    description: What Defender for Cloud is to export.
    type: list
    elements: str
    choices:
      - Alerts
      - Assessments
      - SubAssessments
      - SecureScores
      - SecureScoreControls
      - RegulatoryComplianceAssessment
      - AttackPaths
    default:
      - Alerts
  export_subscription_ids:
    description: Subscriptions (GUIDs) whose Defender for Cloud is to export. The Event Hub's own when empty.
    type: list
    elements: str
    default: []
  export_resource_group:
    description: Resource group, in each of these subscriptions, that the export lies in. As the Event Hub's
      when not given.
    type: str
  accept_missing:
    description: Ways and streamed tables that an earlier run saw and that are meant to be gone. What has
      gone without standing here is unknown in drift, verify and preflight.
    type: list
    elements: str
    default: []
  evidence_path:
    description:
      - File for the full evidence, one JSON line per target.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to a file in the run's
        folder.
    type: path
  window_hours:
    description: How many hours back to look, 720 at most.
    type: int
    default: 168
  grace_minutes:
    description: Records not older than this make a flow V(flowing).
    type: int
    default: 120
  stale_hours:
    description: After how many hours without a record a flow is V(stale). Alerts, incidents, and tables
      without steady rows are V(quiet) then.
    type: int
    default: 24
"""

EXAMPLES = r"""
- name: Do alerts, and the tables that were asked for, still arrive
  mssp.onboarding.defender_stream_info:
    tenant_id: 20000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    ways: [alerts, incidents, hunting, streaming]
    tables: [AlertInfo, AlertEvidence, DeviceInfo]
    subscription_id: 20000000-0000-4000-8000-000000000003
    resource_group: rg-siem
    namespace: evh-contoso-siem
  register: flow
"""

RETURN = r"""
flows:
  description:
    - Each way of Graph, each streamed table and each continuous export, with C(source), C(state), C(newest) (time of
      the newest record), C(age_seconds), C(message) and C(next_step); alerts also with C(sources).
    - C(state) is V(absent), V(pending), V(flowing), V(connected), V(quiet), V(stale) or V(unreadable).
  returned: when the engine ran
  type: list
  elements: dict
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(defender_xdr).
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
    arrivals:
      description:
        - The flows in numbers. C(flows), how many of them have C(arrived), are C(connected) as the vendor
          says or C(quiet) for a reason, the C(newest) record's time, C(lag_seconds) of the latest, and
          C(records_last_day) of the C(counted) flows beside C(records_usual) on the same day of an earlier
          week, where they are known.
      type: dict
      returned: always
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
    credentials:
      description: When what the app signs in with ends, as C(name) and C(expires).
      type: list
      returned: when the tenant was read
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.defender_xdr import capability, options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity

MODULE = Module(capability.verify, capability.Defender.name, options.STREAM_SPEC, identity.IDENTITY_RULES)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
