#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: azure_event_hub_flow_info
short_description: Tell whether messages arrive in an Event Hub
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Reads the hub's own metric C(IncomingMessages) and says since when something arrives.
  - It tells that something arrives, not from which source.
  - Only reads. A flow that is V(stale), V(absent) or V(error) is a finding and does not fail the task.
  - Has been run against the collection's own lab only, not yet against Azure itself.
extends_documentation_fragment:
  - mssp.onboarding.azure
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
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
  subscription_id:
    description: Subscription (GUID) of the namespace.
    type: str
    required: true
  resource_group:
    description: Resource group of the namespace. It is made where it is missing, and never removed.
    type: str
    required: true
  namespace:
    description: Name of the Event Hubs namespace. No two in all of Azure have the same.
    type: str
    required: true
  hub:
    description: Name of the hub. One whose name begins with C(mssp-onboarding) is taken for ours wherever
      it is.
    type: str
    default: mssp-onboarding
  window_hours:
    description: How many hours back to look for messages.
    type: int
    default: 360
  grace_minutes:
    description:
      - For how many minutes after the hub is made missing data is V(pending).
      - Messages not older than this make the flow V(flowing).
    type: int
    default: 120
  stale_hours:
    description: After how many hours without a message the flow is V(stale).
    type: int
    default: 24
  entra:
    description:
      - Whether the categories of Entra's logs are listed, too, so that one that has gone is told. Where
        they cannot be listed, that is unknown.
    type: bool
    default: false
  accept_missing:
    description: Categories of Entra's logs that an earlier run saw and that are meant to be gone. What
      has gone without standing here is unknown in drift, verify and preflight.
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
- name: Whether anything arrives in the customer's Event Hub
  mssp.onboarding.azure_event_hub_flow_info:
    tenant_id: 20000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    subscription_id: 20000000-0000-4000-8000-000000000001
    resource_group: rg-siem
    namespace: evh-contoso-siem
  register: flow
"""

RETURN = r"""
flows:
  description: One entry, for the hub.
  returned: always
  type: list
  elements: dict
  contains:
    source:
      description: C(event hub), and namespace and name of the hub.
      type: str
      returned: always
    state:
      description:
        - V(absent) (there is no such hub), V(pending) (made less than O(grace_minutes) ago), V(flowing), V(quiet)
          (nothing new, and not yet a finding), V(fallen) (a tenth or less of the same day of an earlier week), V(stale)
          (no message for O(stale_hours), or a namespace that is still not made after O(grace_minutes)), V(unreadable)
          (unknown, since it could not be read).
      type: str
      returned: always
    newest:
      description: Beginning of the last five minutes in which messages came.
      type: str
      returned: always
    age_seconds:
      description: How long ago that was.
      type: int
      returned: always
    records:
      description: Messages within the window; C(records_last_day) and C(records_usual) are beside it.
      type: int
      returned: always
    message:
      description: Why it could not be read, in Azure's own words.
      type: str
      returned: always
    next_step:
      description: What to do.
      type: str
      returned: always
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
    arrivals:
      description:
        - The flows in numbers. C(flows), how many of them have C(arrived), are C(connected) as the vendor
          says or C(quiet) for a reason, the C(newest) record's time, C(lag_seconds) of the latest, and
          C(records_last_day) of the C(counted) flows beside C(records_usual) on the same day of an earlier
          week, where they are known.
      type: dict
      returned: always
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
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub import capability as event_hub
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub import options as event_hub_options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity

MODULE = Module(
    event_hub.verify, event_hub.EventHub.name, event_hub_options.HUB_FLOW_MODULE_SPEC, identity.ADMINISTRATOR_RULES
)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
