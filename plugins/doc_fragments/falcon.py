# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that the Falcon modules share."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
attributes:
  action_group:
    description: The action group that the module belongs to, for C(module_defaults).
    support: full
    membership:
      - mssp.onboarding.crowdstrike
options:
  tenant:
    description: Slug of the tenant. The label of each CID, by which its file and log are named, is C(<tenant>-<name>).
    type: str
    required: true
  cids:
    description:
      - Name of each CID to its options C(cloud) (us_1, us_2, eu_1, us_gov_1, us_gov_2) or C(base_url), C(client_id),
        C(app_id), C(format) (json, cef, leef, key_value), C(file), C(output_path), C(offset_path), C(rotation),
        C(syslog), C(event_types), C(partition), C(http_proxy), C(verbose_log), C(settings). See the README of the role
        falcon_siem_connector.
    type: dict
    default: {}
  syslog_sources:
    description:
      - Collector to its sources, as in C(syslog_target_sources) of the role syslog_target, for CIDs whose C(syslog)
        names a C(source). The empty name is this collector.
    type: dict
    default: {}
  syslog_hosts:
    description: Collector to its address, for those of O(syslog_sources) whose source has no address of its own.
    type: dict
    default: {}
  file_roots:
    description:
      - Folders of the host in which C(output_path) and C(offset_path) may lie, below a folder of the tenant's name.
        Without any they lie in the connector's own folder, under names that end in the label of the CID.
    type: list
    elements: path
    default: []
"""

    SECRETS = r"""
options:
  secrets:
    description:
      - Name of each CID to its C(client_secret), and to C(http_proxy) where that holds a password.
    type: dict
    default: {}
"""

    WORDS = r"""
options:
  heartbeat_pattern:
    description: Regular expression, case ignored, for the connector's heartbeat in its log. Empty is the assumed one.
    type: str
    default: ''
  failure_patterns:
    description: Failure to regular expression for its lines in the log, in place of the assumed one.
    type: dict
    default: {}
"""
