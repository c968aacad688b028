#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: coro_connectors
short_description: Converge the SIEM connectors of a Coro workspace
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Reads the SIEM connectors of a workspace in one go, compares them with what is wanted, and writes only what differs.
  - In a channel workspace it also looks whether each customer has what applies to all of them.
  - Connectors of other names are left alone, unless O(exclusive) says so.
extends_documentation_fragment:
  - mssp.onboarding.coro
  - mssp.onboarding.coverage
  - mssp.onboarding.coro.policy
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: full
options:
  client_id:
    description:
      - Client id of the API credentials, made in Coro's console under Connectors > API Credentials.
      - Taken from the environment variable E(CORO_CLIENT_ID) when not given.
    type: str
    required: true
  client_secret:
    description:
      - Client secret of the API credentials.
      - Taken from the environment variable E(CORO_CLIENT_SECRET) when not given.
    type: str
    required: true
  region:
    description: Region in which the workspace lives.
    type: str
    choices:
      - us
      - ca
      - eu
    default: us
  api_url:
    description: Address of the API, V(https://host[:port]), instead of the region's own.
    type: str
  audience:
    description: Audience of the token. Coro's pages name this one and V(https://api.secure.coro.net).
    type: str
    default: https://secure.coro.net/api
  token_path:
    description: Path of the token call.
    type: str
    default: /oauth/token
  ca_file:
    description: PEM file of the certificate authority to trust instead of the system's.
    type: path
  time_limit_seconds:
    description:
      - Seconds that the whole task may take, whatever the other side does; V(0) for no limit.
      - What was seen and done until then stays in the result, and the rest is unknown.
    type: int
    default: 1800
  proxy:
    description: Proxy, V(http://host:port), instead of the one that the environment names.
    type: str
  contract_confirmed:
    description:
      - Say that Coro has confirmed the contract profile. Without that, a profile that is only assumed is
        not used against a host of V(coro.net).
    type: bool
    default: false
  profile:
    description:
      - Contract profile to use instead of the built-in one, whole, in the shape of C(ASSUMED)
        in C(plugins/module_utils/_coro/profile.py). It says paths, methods, field names,
        formats, statuses and error codes.
      - Coro documents its hosts, token call, workspaces and paging, and no endpoint for
        SIEM connectors; the built-in profile is shaped on its documented webhook configuration
        and is assumed.
    type: dict
  workspace:
    description: Id of the workspace, as Coro's console shows it.
    type: str
    required: true
  connectors:
    description:
      - Name of each connector to its options, as of M(mssp.onboarding.coro_connector).
      - Headers are here those whose values are no secrets.
      - C(connector_id) (str) - Id of the connector that is meant, where two have its name.
      - C(format) (str, one of V(splunk), V(generic), V(azure_sentinel), V(fluency)) - What it sends, and
        to what. Needed unless the connector is to go.
      - C(listener_url) (str) - Where it sends to. For every format but V(azure_sentinel).
      - C(allow_http) (bool, default V(false)) - Take a C(listener_url) without TLS.
      - C(headers) (dict) - Headers that are no secrets, for V(generic).
      - C(workspace_id) (str) - Log Analytics workspace (GUID), for V(azure_sentinel).
      - C(log_type) (str) - Name of the table, for V(azure_sentinel).
      - C(apply_to_all_customers) (bool, default V(false)) - Let it send for every customer of a channel
        workspace.
      - C(state) (str, one of V(present), V(absent), V(synced), default V(present)) - V(synced) tests a
        connector that is there, V(absent) removes it.
    type: dict
    required: true
  secrets:
    description:
      - Name of each connector to its C(authorization), C(token), C(primary_key) or C(headers).
      - C(token) (str) - Token of V(fluency).
      - C(authorization) (str) - Token of the HTTP Event Collector, for V(splunk).
      - C(headers) (dict) - Headers that are secrets, for V(generic).
      - C(primary_key) (str) - Key of the workspace, for V(azure_sentinel).
    type: dict
    default: {}
  update_secret:
    description:
      - When to send a secret to a connector that exists. Coro does not show secrets, so they cannot be
        compared.
      - V(on_create) sends it only with a new connector, or where the names of the headers differ.
      - V(always) sends it in every run, which is then always a change.
      - V(on_change) keeps a fingerprint (HMAC-SHA256) of what was sent last and sends it when that differs
        or is not known.
    type: str
    choices:
      - on_create
      - always
      - on_change
    default: on_change
  fingerprint_dir:
    description:
      - Folder of the fingerprints for O(update_secret=on_change), readable by its owner only.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to C(fingerprints)
        beside the folders of the runs.
    type: path
  fingerprint_key:
    description: Key of the fingerprints. Without it, one is made in O(fingerprint_dir).
    type: str
  same_destination:
    description: What to do where a connector that is not named here already sends to the same place, so
      that everything would arrive twice. V(report) leaves both as they are and reports it, V(allow) takes
      it as meant.
    type: str
    choices:
      - report
      - allow
    default: report
  reconnect:
    description: Test (sync) what is Disconnected, and only that, so that Coro sends again.
    type: bool
    default: false
  check_customers:
    description: Where a connector of a channel workspace applies to all customers, also look into each
      of their workspaces, one request each.
    type: bool
    default: true
  state:
    description: V(absent) removes all connectors that are named here, V(present) goes by the state of each.
    type: str
    choices:
      - present
      - absent
    default: present
  exclusive:
    description:
      - Remove connectors of the workspace that are not named, after all that are named are in place.
      - See what it would do in check mode first.
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
  correct:
    description: Which writes may be done. V(safe) is making a connector where there is none and testing
      what is Disconnected, V(all) also changing and removing. What may not be written stays drifted.
    type: str
    choices:
      - never
      - safe
      - all
    default: all
  concurrency:
    description: Requests in flight at most. Coro publishes no limit.
    type: int
    default: 16
  evidence_path:
    description:
      - File for the full evidence, one JSON line per target.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to a file in the run's
        folder.
    type: path
  accept_missing:
    description: Connectors (workspace/name) and customers of a channel (workspace, or as told) that an
      earlier run saw and that are meant to be gone. What has gone without standing here is unknown in drift,
      verify and preflight.
    type: list
    elements: str
    default: []
seealso:
  - module: mssp.onboarding.coro_connector
  - module: mssp.onboarding.coro_connector_info
  - module: mssp.onboarding.coro_workspace_info
"""

EXAMPLES = r"""
- name: Send a customer's Coro tickets to the provider's Splunk and to a webhook
  mssp.onboarding.coro_connectors:
    client_id: "{{ coro_client_id }}"
    client_secret: "{{ coro_client_secret }}"
    workspace: contoso_Qx7d_b
    connectors:
      soc:
        format: splunk
        listener_url: https://hec.soc.example:8088/services/collector
      ticketing:
        format: generic
        listener_url: https://tickets.soc.example/hooks/coro
        headers:
          X-Customer: contoso
    secrets:
      soc:
        authorization: "{{ hec_token }}"
      ticketing:
        headers:
          X-Api-Key: "{{ ticketing_key }}"
    exclusive: true
"""

RETURN = r"""
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(coro_connectors).
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
    customers:
      description: Workspaces below the channel that were looked at.
      type: int
      returned: when the workspace was read
    secret_checked:
      description: Whether it is known that the stored secrets are those given here, as far as they were
        sent by us.
      type: bool
      returned: when the workspace was read
    secrets_unknown:
      description: Names of connectors of which it is not known whether Coro holds the secrets that are
        given here.
      type: list
      elements: str
      returned: when the workspace was read
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
    seconds:
      description: Seconds that all of it took.
      type: float
      returned: when the targets were read
connectors:
  description: The connectors looked at that are there at the end. At most 50; the evidence has all.
  returned: when the workspace was read
  type: list
  elements: dict
  sample:
    - workspace: contoso_Qx7d_b
      name: soc
      id: 0a642b9e-2f6c-4a18-9121-a9d12f20f26e
      format: splunk
      status: connected
      inherited: false
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
from ansible_collections.mssp.onboarding.plugins.module_utils._coro import capability, options

MODULE = Module(capability.converge, capability.CoroConnectors.name, options.TENANT_MODULE_SPEC)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
