#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: coro_connector
short_description: Manage one SIEM connector of a Coro workspace
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Makes, changes, tests or removes one SIEM connector. For all connectors of a workspace in one task see
    M(mssp.onboarding.coro_connectors).
extends_documentation_fragment:
  - mssp.onboarding.coro
  - mssp.onboarding.coro.policy
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: full
options:
  name:
    description:
      - Name of the connector, by which it is found.
    type: str
    required: true
  connector_id:
    description:
      - Id of the connector that is meant, where several have the name, or to give it another name.
    type: str
  format:
    description:
      - What the connector sends to. Needed unless O(state=absent). It cannot be changed later.
    type: str
    choices: [fluency, generic, azure_sentinel, splunk]
  listener_url:
    description:
      - Address of the receiver, of the formats V(fluency), V(generic) and V(splunk).
      - For V(splunk) it must be V(http(s\)://host[:port]/services/collector), with the scheme of the collector's
        «Enable SSL».
    type: str
  allow_http:
    description:
      - Allow a O(listener_url) without TLS.
    type: bool
    default: false
  token:
    description:
      - Access token, of the format V(fluency).
    type: str
  authorization:
    description:
      - Token of Splunk's HTTP Event Collector, bare or as V(Splunk <token>), of the format V(splunk).
    type: str
  headers:
    description:
      - Headers by name, of the format V(generic). All their values are taken for secrets.
    type: dict
  workspace_id:
    description:
      - Id (GUID) of the Log Analytics workspace, of the format V(azure_sentinel).
    type: str
  primary_key:
    description:
      - Key of that workspace.
    type: str
  log_type:
    description:
      - Name of the custom log in it, V(Coro) when not given; Azure adds V(_CL).
    type: str
  apply_to_all_customers:
    description:
      - Have Coro make the connector in every workspace below a channel workspace.
    type: bool
    default: false
  state:
    description:
      - V(present) makes the connector as wanted, V(absent) removes it, from a channel's customers too.
      - V(synced) is V(present), and has Coro send a test event also where nothing differs.
    type: str
    choices: [present, absent, synced]
    default: present
seealso:
  - module: mssp.onboarding.coro_connectors
  - module: mssp.onboarding.coro_connector_info
  - module: mssp.onboarding.coro_workspace_info
"""

EXAMPLES = r"""
- name: Send a customer's Coro tickets to the provider's Splunk
  mssp.onboarding.coro_connector:
    client_id: "{{ coro_client_id }}"
    client_secret: "{{ coro_client_secret }}"
    workspace: contoso_Qx7d_b
    name: soc
    format: splunk
    listener_url: https://hec.soc.example:8088/services/collector
    authorization: "{{ hec_token }}"

- name: Remove it again
  mssp.onboarding.coro_connector:
    client_id: "{{ coro_client_id }}"
    client_secret: "{{ coro_client_secret }}"
    workspace: contoso_Qx7d_b
    name: soc
    state: absent
"""

RETURN = r"""
summary:
  description: The workspace in numbers.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(coro_connectors).
      type: str
      returned: always
    outcome:
      description: One of V(ok), V(changed), V(drift), V(partial) (some failed or are unknown) and V(failed).
      type: str
      returned: always
    counts:
      description: Connectors, and customers of a channel, by where they ended up.
      type: dict
      returned: always
      sample: {targets: 4, ok: 3, changed: 1, drift: 0, failed: 0, unknown: 0, skipped: 0}
    drift:
      description: Targets by class of drift as found.
      type: dict
      returned: always
      sample: {missing: 1}
    correctable:
      description: Connectors that are drift and that each level of O(correct) lets be written.
      type: dict
      returned: when the workspace was read
      sample: {safe: 1, all: 1}
    customers:
      description: Workspaces below the channel that were looked at.
      type: int
      returned: when the workspace was read
    secret_checked:
      description: Whether it is known that the stored secrets are those given here, as far as they were sent by us.
      type: bool
      returned: when the workspace was read
    requests:
      description: Requests by kind.
      type: dict
      returned: when the workspace was read
    throttled_answers:
      description: Answers with status 429.
      type: int
      returned: when the workspace was read
    throttled_seconds:
      description: Seconds in which work waited because Coro asked for it.
      type: float
      returned: when the workspace was read
    seconds:
      description: Seconds that the workspace took.
      type: float
      returned: when the workspace was read
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
  description: Connectors written, or to be written in check mode.
  returned: always
  type: list
  elements: dict
  sample:
    - target: contoso_Qx7d_b/soc
      action: create
      drift: [missing]
problems:
  description: What failed, is unknown or is in the way, merged by cause, with Coro's own code and text and a next step.
  returned: always
  type: list
  elements: dict
evidence:
  description: Path of the file with one JSON line per target, empty when none was written.
  returned: always
  type: str
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._coro import options, sweep

MODULE = Module(sweep.run_one, sweep.CAPABILITY, options.CONNECTOR_MODULE_SPEC, options.CONNECTOR_RULES)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
