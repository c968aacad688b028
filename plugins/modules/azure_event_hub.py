#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: azure_event_hub
short_description: Make an Event Hub that Azure Monitor writes to and a SIEM reads from
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Makes the resource group, the namespace, a rule of the namespace with Manage, Send and Listen for Azure Monitor, the
    hub, a rule of the hub with Listen alone for the SIEM, and a consumer group; each only where it is missing.
  - The Standard tier is the default, since Basic has no consumer group but C($Default), which every reader would share,
    and keeps events for one day.
  - What we made is known without a memory of ours. A namespace carries the tag C(mssp-onboarding), and all that we are
    asked for in it is ours. In a namespace of somebody else, ours is what has a name that begins with
    C(mssp-onboarding), and a consumer group with that word as its metadata.
  - What is not ours is reported where it differs, and neither changed nor removed. A resource group is never removed,
    and no namespace that other hubs are in.
  - The number of partitions cannot be changed on Standard. It is reported where it differs; no hub is made anew.
  - Has been run against the collection's own lab and clients of other makers only, not yet against Azure itself.
extends_documentation_fragment:
  - mssp.onboarding.azure
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: full
  idempotent:
    support: partial
    details: With O(rotate) each run changes a key.
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
  location:
    description: Azure region of the namespace; needed where it is to be made. It has to be the region of
      the resources whose diagnostic settings send to it, but for those that have no region.
    type: str
    default: ''
  sku:
    description: Tier of the namespace, at least; a higher one is left. Basic has one consumer group only
      and keeps events for one day.
    type: str
    choices:
      - basic
      - standard
      - premium
    default: standard
  writer_rule:
    description: Name of the namespace's rule for Azure Monitor (Manage, Send and Listen).
    type: str
    default: mssp-onboarding-writer
  reader_rule:
    description: Name of the hub's rule for the SIEM (Listen).
    type: str
    default: mssp-onboarding-reader
  consumer_group:
    description: Consumer group for the SIEM.
    type: str
    default: mssp-onboarding
  partition_count:
    description: Partitions of the hub, which also is how many readers can share the work. Fixed once it
      is made.
    type: int
    default: 4
  retention_hours:
    description: For how long an event is kept, at least. 24 at most on Basic, 168 on Standard, 2160 on
      Premium.
    type: int
    default: 168
  rotate:
    description: Change one key of O(reader_rule), in each run that says so. Change the one that the SIEM
      does not use, give it the new one, then change the other, so that it never loses both.
    type: str
    choices:
      - none
      - primary
      - secondary
    default: none
  return_keys:
    description: Return the keys of O(reader_rule). The task needs C(no_log=true), or it is refused.
    type: bool
    default: false
  wait_seconds:
    description: How long to wait until Azure has made, removed or shows something.
    type: int
    default: 300
  state:
    description: V(present) makes what is missing, V(absent) removes what is ours.
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
    description: Which writes may be done. V(safe) is making what is missing, V(all) also changing and removing
      ours.
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
seealso:
  - module: mssp.onboarding.entra_diagnostic_settings
  - module: mssp.onboarding.azure_event_hub_access_info
  - module: mssp.onboarding.azure_event_hub_flow_info
"""

EXAMPLES = r"""
- name: An Event Hub for the customer's logs
  mssp.onboarding.azure_event_hub:
    tenant_id: 20000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    subscription_id: 20000000-0000-4000-8000-000000000001
    resource_group: rg-siem
    namespace: evh-contoso-siem
    location: westeurope
  register: event_hub

- name: A new secondary key for the SIEM
  mssp.onboarding.azure_event_hub:
    tenant_id: 20000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    subscription_id: 20000000-0000-4000-8000-000000000001
    resource_group: rg-siem
    namespace: evh-contoso-siem
    rotate: secondary
    return_keys: true
  register: siem
  no_log: true
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
    correctable:
      description: Targets that have drifted and that a drift run on each level would correct.
      type: dict
      returned: when the targets were read
    kept:
      description: What O(state=absent) left, with the reason.
      type: list
      elements: str
      returned: success
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
namespace_id:
  description: Resource id of the namespace.
  returned: success
  type: str
event_hub_id:
  description: Resource id of the hub.
  returned: success
  type: str
event_hub_authorization_rule_id:
  description: Resource id of the rule for Azure Monitor, as M(mssp.onboarding.azure_diagnostic_settings) takes it.
  returned: success
  type: str
reader_rule_id:
  description: Resource id of the rule for the SIEM.
  returned: success
  type: str
keys:
  description: The keys of the rule for the SIEM. Secret.
  returned: when O(return_keys=true)
  type: dict
  contains:
    key_name:
      description: Name of the rule.
      type: str
      returned: when the rule is there
    primary_key:
      description: Primary key.
      type: str
      returned: when the rule is there
    secondary_key:
      description: Secondary key.
      type: str
      returned: when the rule is there
    primary_connection_string:
      description: Connection string with the primary key.
      type: str
      returned: when the rule is there
    secondary_connection_string:
      description: Connection string with the secondary key.
      type: str
      returned: when the rule is there
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
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub import capability as event_hub
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.event_hub import options as hub_options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity

MODULE = Module(
    event_hub.converge,
    event_hub.EventHub.name,
    hub_options.HUB_MODULE_SPEC,
    identity.ADMINISTRATOR_RULES,
    secret_option="return_keys",
)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
