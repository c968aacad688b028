#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: m365_activity_info
short_description: Tell whether a Microsoft 365 tenant's audit records arrive
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Reads, for each content type, the newest content and the newest record in it, back to seven days. Only reads; what
    is found does not fail the task.
  - Until 12 hours after a start there may be no content, which is V(pending). When that was is known from evidence of
    earlier runs only; without any, a content type without content is V(unreadable).
  - Has been run against the collection's own lab only, not yet against Microsoft 365 itself.
extends_documentation_fragment:
  - mssp.onboarding.m365
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
options:
  tenant_id:
    description:
      - The customer's Microsoft Entra tenant (GUID), whose audit log is read.
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
  office_plan:
    description:
      - The plan of the tenant's Microsoft 365, which says where the feed is. V(enterprise) and V(gcc) are
        in the cloud V(azure_public), V(gcc_high) and V(dod) in V(azure_us_government).
    type: str
    choices:
      - enterprise
      - gcc
      - gcc_high
      - dod
    default: enterprise
  api_url:
    description: Address of the feed instead of the plan's own. Tokens are those of the plan all the same.
    type: str
  publisher_id:
    description:
      - The provider's own tenant (GUID), the C(PublisherIdentifier) of each request. Limits are counted
        by it.
    type: str
    required: true
  content_types:
    description:
      - Content types that are wanted. V(DLP.All) needs the permission ActivityFeed.ReadDlp, too.
    type: list
    elements: str
    choices:
      - Audit.AzureActiveDirectory
      - Audit.Exchange
      - Audit.SharePoint
      - Audit.General
      - DLP.All
    default:
      - Audit.AzureActiveDirectory
      - Audit.Exchange
      - Audit.SharePoint
      - Audit.General
  window_hours:
    description: How many hours back to look for content. Content is kept for 168.
    type: int
    default: 168
  grace_minutes:
    description: Content not older than this makes a flow V(flowing).
    type: int
    default: 180
  stale_hours:
    description: After how many hours without content a flow is V(stale); Audit.General and DLP.All are
      V(quiet) then.
    type: int
    default: 24
  accept_missing:
    description: Content types that an earlier run saw and that are meant to be gone. What has gone without
      standing here is unknown in drift, verify and preflight.
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
- name: Do the audit records still arrive
  mssp.onboarding.m365_activity_info:
    tenant_id: 20000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    publisher_id: 10000000-0000-4000-8000-000000000000
  register: flow
"""

RETURN = r"""
flows:
  description:
    - Each content type, with C(source), C(state), C(newest) (time of the newest record), C(newest_content),
      C(newest_record), C(age_seconds), C(message) and C(next_step).
    - C(state) is V(absent), V(pending), V(flowing), V(quiet), V(stale) or V(unreadable).
  returned: when the engine ran
  type: list
  elements: dict
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(m365_activity).
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
      description: When what the app signs in with ends, as C(name) and C(expires).
      type: list
      returned: when the tenant was read
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
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.m365_activity import capability, options

MODULE = Module(capability.verify, capability.Activity.name, options.ACTIVITY_SPEC, identity.IDENTITY_RULES)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
