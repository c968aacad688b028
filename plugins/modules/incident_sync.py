#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: incident_sync
short_description: Keep tickets in step with the incidents of a Microsoft Defender tenant
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Reads the incidents that were changed, follows those that correlation has merged into others, finds their tickets
    by tenant and incident id, and opens, changes, notes and closes them. What was written last stands in a field of the
    ticket, so that a run that is ended anywhere leaves one ticket an incident, and no note twice.
  - A redirected incident's ticket is closed only where it is known where its alerts have gone. Titles, severities and
    states that a person has changed stay.
  - Has been run against the collection's own lab only, not yet against Microsoft 365 or ServiceNow itself.
extends_documentation_fragment:
  - mssp.onboarding.incident_sync
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: full
options:
  tenant_id:
    description:
      - The customer's Microsoft Entra tenant (GUID), whose incidents are read.
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
  graph_url:
    description: Microsoft Graph endpoint instead of the cloud's own.
    type: str
  resource_manager_url:
    description: Resource Manager endpoint instead of the cloud's own.
    type: str
  feed:
    description:
      - Where incidents are read. V(graph) has those of Microsoft Defender XDR, and of each workspace of
        Microsoft Sentinel that is onboarded to the Defender portal.
      - V(sentinel) has those of O(sentinel_workspace_id), by Azure Resource Manager. Microsoft Sentinel
        leaves the Azure portal in March 2027.
    type: str
    choices:
      - graph
      - sentinel
    default: graph
  sentinel_workspace_id:
    description: Resource id of the workspace of Microsoft Sentinel, whose incidents are read with O(feed=sentinel),
      and whose automation rules preflight reads, for conditions that break once it is onboarded to the
      Defender portal. The app needs Microsoft Sentinel Reader there, with O(write_tags) Microsoft Sentinel
      Responder.
    type: str
  itsm:
    description:
      - Where tickets are kept. V(webhook) tells each step to O(webhook_url), for any other ITSM.
      - With V(logic_app) the customer's own Logic Apps keep them, and no ticket is looked at. An automation
        rule of O(sentinel_workspace_id) and its playbook are made, which tell each redirected incident
        to O(webhook_url).
    type: str
    choices:
      - servicenow
      - webhook
      - logic_app
    default: servicenow
  servicenow_url:
    description: Address of the ServiceNow instance, as C(https://example.service-now.com).
    type: str
  servicenow_username:
    description: The integration user. Tickets that it has not made are never closed as double. Needed without
      O(servicenow_api_key).
    type: str
  servicenow_password:
    description: Password of O(servicenow_username).
    type: str
  servicenow_api_key:
    description: API key of the integration user, sent as C(x-sn-apikey), instead of its password.
    type: str
  caller:
    description: User name of the caller (C(caller_id)) of each ticket. Needed with ServiceNow.
    type: str
  assignment_group:
    description: Name of the group that each ticket is assigned to.
    type: str
  category:
    description: Value of the category of each ticket, of the instance's list of choices.
    type: str
  close_code:
    description: Value of the resolution code of what is closed, of the instance's list. Needed with ServiceNow.
    type: str
  marker_field:
    description: Column of the incident table that holds what was written last, so that no note is made
      twice and no edit of a person is written over. It takes 100 characters.
    type: str
    default: correlation_display
  reopened_state:
    description: Value of the state that a ticket is reopened to.
    type: str
    default: '2'
  resolved_state:
    description: Value of the state that a ticket is closed to. It may be reopened from there.
    type: str
    default: '6'
  closed_states:
    description: Values of the states from which no ticket may be reopened.
    type: list
    elements: str
    default:
      - '7'
      - '8'
  webhook_url:
    description: Where each step is sent, signed; with O(itsm=logic_app) each redirected incident. Needed
      with both.
    type: str
  webhook_secret:
    description: Secret of the signature, HMAC-SHA256 over time stamp, full stop and body. A playbook cannot
      sign, and sends it in the header C(X-MSSP-Secret) instead. Needed with O(itsm=webhook) and O(itsm=logic_app).
    type: str
  severities:
    description: Severities of incidents that get a ticket. One that takes over the alerts of an incident
      with a ticket gets one all the same.
    type: list
    elements: str
    choices:
      - informational
      - low
      - medium
      - high
    default:
      - informational
      - low
      - medium
      - high
  reopened:
    description: What is done with a ticket that was closed here, when its incident is active again. V(reopen)
      makes a new one where the old one is closed for good, V(new) always.
    type: str
    choices:
      - reopen
      - new
      - leave
    default: reopen
  closed_target:
    description: What is done with the ticket of a redirected incident, when somebody has closed the ticket
      of its target while that is active. V(note) notes it on both and closes it, V(keep) leaves it open
      and tells it.
    type: str
    choices:
      - note
      - keep
    default: note
  write_tags:
    description: Whether the ticket's number is added to the incident's custom tags. Needs the permission
      SecurityIncident.ReadWrite.All.
    type: bool
    default: false
  lookback_hours:
    description: How far back incidents are read once an hour, and where nothing tells what was read last.
    type: int
    default: 24
  evidence_path:
    description:
      - File for the full evidence, one JSON line per target.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to a file in the run's
        folder.
    type: path
  state:
    description:
      - V(absent) reads no incident, and tells the open tickets of the tenant or, with O(close_tickets),
        closes them.
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
    description:
      - Which writes may be done. V(safe) is opening tickets, V(all) also changing and closing them.
    type: str
    choices:
      - never
      - safe
      - all
    default: all
  max_changes:
    description: Write nothing and fail when more targets than this would change; V(0) lets none. No limit
      when not given.
    type: int
  overlap_minutes:
    description: How far before the newest change that was seen a run begins to read.
    type: int
    default: 10
  close_tickets:
    description: Whether offboard closes the tenant's open tickets. Without it they are told and stay open.
    type: bool
    default: false
seealso:
  - module: mssp.onboarding.incident_sync_access_info
  - module: mssp.onboarding.incident_sync_info
"""

EXAMPLES = r"""
- name: Tickets of the tenant's incidents
  mssp.onboarding.incident_sync:
    tenant_id: 20000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    servicenow_url: https://example.service-now.com
    servicenow_username: mssp.integration
    servicenow_password: "{{ lookup('ansible.builtin.env', 'SERVICENOW_PASSWORD') }}"
    caller: mssp.integration
    close_code: Resolved by caller
    assignment_group: SOC
  register: tickets
"""

RETURN = r"""
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(incident_sync).
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
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.incident_sync import capability, options

MODULE = Module(capability.converge, capability.IncidentSync.name, options.CONVERGE_SPEC, identity.IDENTITY_RULES)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
