#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sophos_syslog_server
short_description: Converge the syslog server on the Sophos Firewalls of a tenant
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Makes one syslog server on each firewall, with the log settings that are wanted, or removes it.
  - All servers are read and the one is known by its exact name. Others, and the entry of the firewall's own store, are
    never touched. Where five others are there, nothing is written and they are named.
  - What is written is the whole entry as it was read, with what is wanted put into it, so that log settings which this
    collection does not know stay as they are. One that is wanted and that the firewall's release does not offer is
    told.
  - Until a firewall has taken the password, no request is sent to it twice, since refused sign-ins lock an address out.
  - Has been run against the collection's own lab only, not yet against a Sophos Firewall.
extends_documentation_fragment:
  - mssp.onboarding.sophos
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: full
options:
  firewalls:
    description:
      - Name of each firewall to its host, port and serial_number.
      - C(host) (str, required) - Its name or address, for a cluster the cluster's.
      - C(port) (int, default V(4444)) - Port of its web console, which the API is at.
      - C(serial_number) (str, required) - Its serial number, which Control center shows and each record
        has.
    type: dict
    required: true
  username:
    description: Administrator of the firewalls to sign in as.
    type: str
    required: true
  password:
    description:
      - Its password, where sophos_syslog_passwords has no other for the firewall.
      - Taken from the environment variable E(SOPHOS_PASSWORD) when not given.
    type: str
  passwords:
    description: Name of a firewall to its own password.
    type: dict
    default: {}
  ca_file:
    description: PEM file of the certificate authorities to trust instead of the system's; it may hold several.
    type: path
  proxy:
    description: Proxy, V(http://host:port), instead of the one that the environment names.
    type: str
  concurrency:
    description: Firewalls that are asked at a time, at most.
    type: int
    default: 16
  time_limit_seconds:
    description:
      - Seconds that the whole task may take, whatever the other side does; V(0) for no limit.
      - What was seen and done until then stays in the result, and the rest is unknown.
    type: int
    default: 1800
  server:
    description: The syslog server on the firewalls.
    type: dict
    suboptions:
      name:
        description: Its name, by which it is known, exactly.
        type: str
        default: mssp
      facility:
        description: Facility of its records.
        type: str
        choices:
          - DAEMON
          - KERNEL
          - LOCAL0
          - LOCAL1
          - LOCAL2
          - LOCAL3
          - LOCAL4
          - LOCAL5
          - LOCAL6
          - LOCAL7
          - USER
        default: DAEMON
      severity:
        description: This severity and all above it are sent.
        type: str
        choices:
          - Emergency
          - Alert
          - Critical
          - Error
          - Warning
          - Notification
          - Information
          - Debug
        default: Information
      format:
        description: Format of its records.
        type: str
        choices:
          - device_standard
          - standard_syslog
        default: device_standard
      categories:
        description: Log settings that have to be on, in SFOS' own words as Events or Events/AdminEvents;
          all is each that the firewall offers.
        type: list
        elements: str
        default:
          - all
  receiver:
    description: Where the firewalls send to.
    type: dict
    suboptions:
      address:
        description: Name or address of the collector.
        type: str
        required: true
      port:
        description: Its port. Without it, 514 (V(udp)) or 6514 (V(tls)).
        type: int
      transport:
        description: V(tls) is SFOS' secure connection. What it knows else is datagrams.
        type: str
        choices:
          - udp
          - tls
        default: udp
  state:
    description:
      - V(absent) removes the server, V(present) makes it as wanted, which needs O(receiver).
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
      - What drift may correct, when it runs with C(drift_correct=true).
      - V(safe) is making what is missing; V(all) also changing and removing.
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
  evidence_path:
    description:
      - File for the full evidence, one JSON line per target.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to a file in the run's
        folder.
    type: path
  accept_missing:
    description: Firewalls that an earlier run saw and that are meant to be gone. What has gone without
      standing here is unknown in drift, verify and preflight.
    type: list
    elements: str
    default: []
seealso:
  - module: mssp.onboarding.sophos_syslog_info
  - module: mssp.onboarding.sophos_arrival_info
"""

EXAMPLES = r"""
- name: Send all logs of both sites to the collector, by TLS
  mssp.onboarding.sophos_syslog_server:
    firewalls:
      headquarters: {host: fw1.contoso.example, serial_number: C01001ABCDEF123}
      branch: {host: fw2.contoso.example, serial_number: C01001ABCDEF456}
    username: mssp-api
    password: "{{ sophos_password }}"
    receiver: {address: 203.0.113.10, port: 6514, transport: tls}

- name: Send what admins and rules do, and nothing else that is not sent already
  mssp.onboarding.sophos_syslog_server:
    firewalls:
      headquarters: {host: fw1.contoso.example, serial_number: C01001ABCDEF123}
    username: mssp-api
    password: "{{ sophos_password }}"
    receiver: {address: 203.0.113.10}
    server: {name: mssp, categories: [Events, SecurityPolicy/PolicyRules]}
"""

RETURN = r"""
firewalls:
  description:
    - Each firewall as M(mssp.onboarding.sophos_arrival_info) takes it.
    - C(configured) is whether the server is there at the end, null where nobody could look; C(probed) whether the
      firewall was to tell of this task's own sign-in.
  returned: when the firewalls were asked
  type: list
  elements: dict
  sample:
    - firewall: headquarters
      serial_number: C01001ABCDEF123
      configured: true
      probed: true
      problem: ""
      next_step: ""
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(sophos_syslog).
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
from ansible_collections.mssp.onboarding.plugins.module_utils._sophos import capability, options

MODULE = Module(capability.converge, capability.SophosSyslog.name, options.CONVERGE_SPEC)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
