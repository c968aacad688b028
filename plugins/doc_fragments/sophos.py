# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that the Sophos modules share."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
attributes:
  action_group:
    description: The action group that the module belongs to, for C(module_defaults).
    support: full
    membership:
      - mssp.onboarding.sophos
options:
  firewalls:
    description:
      - Name of each firewall to its C(host) (a name or an address; of a cluster the cluster's), C(port) (V(4444) when
        not given) and C(serial_number), which Control center shows and each record has.
    type: dict
    required: true
  username:
    description:
      - Administrator of the firewalls to sign in as, the same on all.
    type: str
    required: true
  password:
    description:
      - Its password, where O(passwords) has no other for the firewall.
      - Taken from the environment variable E(SOPHOS_PASSWORD) when not given.
    type: str
  passwords:
    description:
      - Name of a firewall to its own password.
    type: dict
    default: {}
  ca_file:
    description:
      - PEM file of the certificate authorities to trust instead of the system's; it may hold several, as those of
        firewalls that have signed their own.
    type: path
  proxy:
    description:
      - Proxy, V(http://host:port), instead of the one that the environment names (E(HTTPS_PROXY), E(NO_PROXY)).
    type: str
  concurrency:
    description:
      - Firewalls that are asked at a time, at most.
    type: int
    default: 16
  time_limit_seconds:
    description:
      - Seconds that the whole task may take, whatever the other side does; V(0) for no limit.
      - What was seen and done until then stays in the result, and the rest is unknown.
    type: int
    default: 1800
requirements:
  - python >= 3.11
  - aiohttp
"""

    TARGETS = r"""
options:
  receiver:
    description:
      - Where the firewalls send to.
    type: dict
    suboptions:
      address:
        description:
          - Name or address of the collector.
        type: str
        required: true
      port:
        description:
          - Its port. Without it, 514 (V(udp)) or 6514 (V(tls)).
        type: int
      transport:
        description:
          - V(tls) is SFOS' secure connection. What it knows else is datagrams.
        type: str
        choices: [udp, tls]
        default: udp
  server:
    description:
      - The syslog server on the firewalls.
    type: dict
    suboptions:
      name:
        description:
          - Its name, by which it is known, exactly.
        type: str
        default: mssp
      facility:
        description:
          - Facility of its records.
        type: str
        choices: [DAEMON, KERNEL, LOCAL0, LOCAL1, LOCAL2, LOCAL3, LOCAL4, LOCAL5, LOCAL6, LOCAL7, USER]
        default: DAEMON
      severity:
        description:
          - This severity and all above it are sent.
        type: str
        choices: [Emergency, Alert, Critical, Error, Warning, Notification, Information, Debug]
        default: Information
      format:
        description:
          - Format of its records.
        type: str
        choices: [device_standard, standard_syslog]
        default: device_standard
      categories:
        description:
          - Log settings that have to be on, in SFOS' own words as V(Events) or V(Events/AdminEvents). V(all) is each
            that the firewall offers. Others that are on are told, and stay.
        type: list
        elements: str
        default: [all]
"""
