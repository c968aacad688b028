#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sophos_syslog_info
short_description: Tell what the Sophos Firewalls of a tenant still lack for their syslog
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Says, for each firewall, whether the API is enabled, whether it lets this machine's address in, whether it takes the
    password, whether a syslog server is free, for TLS whether the collector's authority was imported, and which
    firewall and SSL/TLS inspection rules log nothing. Each has its menu path.
  - Only reads; what is missing is a finding and does not fail the task. After a refused sign-in the firewall is asked
    nothing more.
  - Has been run against the collection's own lab only, not yet against a Sophos Firewall.
extends_documentation_fragment:
  - mssp.onboarding.sophos
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
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
  authority:
    description: Name under which the collector's certificate authority is imported on the firewalls, for
      TLS.
    type: str
    default: mssp
  accept_missing:
    description: Firewalls that an earlier run saw and that are meant to be gone. What has gone without
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
seealso:
  - module: mssp.onboarding.sophos_syslog_server
"""

EXAMPLES = r"""
- name: What is missing before this customer can be onboarded
  mssp.onboarding.sophos_syslog_info:
    firewalls:
      headquarters: {host: fw1.contoso.example, serial_number: C01001ABCDEF123}
    username: mssp-api
    password: "{{ sophos_password }}"
    receiver: {address: 203.0.113.10, port: 6514, transport: tls}
  register: access
"""

RETURN = r"""
findings:
  description: Every check, as from M(mssp.onboarding.azure_access_info).
  returned: when the engine ran
  type: list
  elements: dict
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

MODULE = Module(capability.preflight, capability.SophosSyslog.name, options.ACCESS_SPEC)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
