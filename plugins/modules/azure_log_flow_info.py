#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: azure_log_flow_info
short_description: Tell whether the Azure logs of a tenant arrive
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Compares what has a diagnostic setting with what has arrived, per resource type of each subscription, in the Log
    Analytics workspace (azure-monitor-query), and in the Event Hub by its incoming messages (azure-mgmt-monitor).
  - A type is as bad as the worst of its resources, which are named, where O(by) judges resources.
  - The number of records of the last day is compared with the same day of the two weeks before; what has fallen to a
    tenth of at least 50 is V(fallen), although something still arrives.
  - Only reads. A flow that is V(stale), V(absent), V(fallen), V(doubled) or V(unreadable) is a finding and does not
    fail the task.
  - Has been run against the collection's own lab only, not yet against Azure itself.
extends_documentation_fragment:
  - mssp.onboarding.azure
  - mssp.onboarding.azure.selection
  - mssp.onboarding.azure.setting
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
requirements:
  - azure-monitor-query >= 2.0
  - azure-mgmt-monitor >= 7.0
options:
  concurrency:
    description: Requests in flight at most.
    type: int
    default: 128
  accept_missing:
    description:
      - Subscriptions and resource types, by the names that are told, that an earlier run saw and that are meant to be
        gone. What has gone without standing here is unknown. Who confirmed it, and when, is kept.
    type: list
    elements: str
    default: []
  evidence_path:
    description:
      - File for the evidence, one JSON line per flow.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to a file in the run's folder.
    type: path
  window_hours:
    description:
      - How many hours back to look for records. Fewer than 192 know of no earlier week, and so of no fall.
      - Tables of the plan Basic or Auxiliary, billed by what a query scans, are asked for O(stale_hours) only.
    type: int
    default: 360
  by:
    description:
      - Whether each V(resource) is judged, so that one that lives hides none that is dead, or each resource V(type).
      - V(auto) judges resources in a tenant of up to 200 targets. A resource that nobody uses logs nothing and is then
        V(stale), unless it is of a type that logs rare events only.
    type: str
    choices: [auto, resource, type]
    default: auto
  share_query:
    description:
      - Ask the workspace once for all tenants of the run that send to it, and take this one's part of the answer.
      - The answer is kept in memory, for the same app in the workspace's tenant only.
    type: bool
    default: false
  grace_minutes:
    description:
      - For how many minutes after a setting is written missing data is V(pending).
      - A record not older than this makes a flow V(flowing).
    type: int
    default: 120
  stale_hours:
    description: After how many hours without a record a flow is V(stale).
    type: int
    default: 24
"""

EXAMPLES = r"""
- name: Whether the customer's logs arrive
  mssp.onboarding.azure_log_flow_info:
    tenant_id: 20000000-0000-4000-8000-000000000000
    client_id: a0000000-0000-4000-8000-00000000000a
    client_certificate_path: /etc/mssp/app.pem
    auxiliary_tenant_ids:
      - 10000000-0000-4000-8000-000000000000
    workspace_id: "{{ soc_workspace_id }}"
  register: flow
"""

RETURN = r"""
flows:
  description: One entry per resource type of each subscription, and one for the Event Hub.
  returned: always
  type: list
  elements: dict
  contains:
    source:
      description: Resource type in lower case and the subscription's name, or C(event hub …).
      type: str
      returned: always
    type:
      description: Resource type in lower case.
      type: str
      returned: where the source is one
    state:
      description:
        - V(absent) (nothing is set), V(pending) (set less than O(grace_minutes) ago), V(flowing), V(quiet) (nothing
          new, and not yet a finding), V(doubled) (two settings send the same logs to one destination), V(fallen) (a
          tenth of what is usual, or less), V(stale) (no record for O(stale_hours)), V(unreadable) (nobody can say).
      type: str
      returned: always
    targets:
      description: Targets of this type.
      type: int
      returned: always
    served:
      description: Targets with a setting that sends the wanted logs.
      type: int
      returned: always
    resources:
      description: Targets by state.
      type: dict
      returned: where resources are judged
    newest:
      description: Time of the newest record.
      type: str
      returned: always
    age_seconds:
      description: Age of the newest record.
      type: int
      returned: always
    lag_seconds:
      description: Between the newest record's own time and the newest arrival.
      type: int
      returned: always
    records:
      description: Records within the window.
      type: int
      returned: always
    records_last_day:
      description: Records of the last 24 hours.
      type: int
      returned: always
    records_usual:
      description: The most records of the same day, one and two weeks before.
      type: int
      returned: always
    message:
      description: What is bad, or why it could not be read in Azure's own words; else empty.
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
      description: Always V(azure_log_flow).
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
          C(records_last_day) beside C(records_usual) on the same day of an earlier week, where they are
          known.
      type: dict
      returned: always
    queries:
      description:
        - What the workspace was asked. C(number) of queries, those whose answer another task of the run
          had (C(shared)), C(milliseconds) and C(rows_scanned) as Azure states them, within C(window_hours)
          and C(limit_seconds) each.
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
      C(request_id).
  returned: always
  type: list
  elements: dict
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import freshness as arrivals
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity

MODULE = Module(arrivals.verify, arrivals.LogFlow.name, options.FLOW_MODULE_SPEC, identity.IDENTITY_RULES)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
