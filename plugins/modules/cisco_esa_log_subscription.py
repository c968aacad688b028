#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cisco_esa_log_subscription
short_description: Converge log subscriptions on the Cisco e-mail gateways of a tenant
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Makes log subscriptions on each Cisco Secure Email Gateway (ESA, CES), or removes them, by the dialogue of its
    command line over SSH.
  - What exists is read from the export of the configuration. Answers are chosen by the text that the appliance shows,
    never by a number that is known before. A question that is not known, or a change of somebody else that waits to be
    committed, ends the session, and with it whatever is not committed.
  - Before it is committed the configuration is read again; where it is not what was planned, nothing is.
  - Has been run against the collection's own lab only, not yet against an appliance.
extends_documentation_fragment:
  - mssp.onboarding.cisco_esa
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: full
options:
  appliances:
    description:
      - Name of each appliance to its host, port and serial_number; of a cluster, each machine.
      - C(host) (str, required) - Its name or address; in Cisco's cloud as the proxy knows it, esa1.CUSTOMER.iphmx.com.
      - C(port) (int, default V(22)) - Port of its SSH.
      - C(serial_number) (str, required) - Its serial number, which the command version shows. Another one
        there is refused.
    type: dict
    required: true
  username:
    description: Administrator of the appliances to sign in as.
    type: str
    required: true
  password:
    description:
      - Its password. It or a key is needed.
      - Taken from the environment variable E(CISCO_ESA_PASSWORD) when not given.
    type: str
  private_key_file:
    description: Private key to sign in with, without a passphrase.
    type: path
  known_hosts:
    description: File of OpenSSH's form with the host key of each appliance, and of O(ssh_proxy). Preflight
      tells the line for one that is not in it, with its fingerprint.
    type: path
    required: true
  ssh_proxy:
    description: Cisco's proxy, through which appliances in its cloud are reached.
    type: dict
    suboptions:
      host:
        description: Its name, of the tenant's data centre, as Cisco's support says.
        type: str
        required: true
      port:
        description: Its port.
        type: int
        default: 22
      username:
        description: Its user, the same for everybody.
        type: str
        default: dh-user
      private_key_file:
        description: The private key whose public half Cisco's support was given.
        type: path
        required: true
  screen_seconds:
    description: Seconds that an answer of the command line may take.
    type: float
    default: 60.0
  concurrency:
    description: Appliances that are asked at a time, at most.
    type: int
    default: 16
  time_limit_seconds:
    description:
      - Seconds that the whole task may take, whatever the other side does; V(0) for no limit.
      - What was seen and done until then stays in the result, and the rest is unknown.
    type: int
    default: 1800
  subscriptions:
    description:
      - Name of each log subscription to its type and settings. One that begins with C(mssp_) is ours wherever
        it sends to; one of another name is only if it sends where ours would.
      - C(type) (str, required, one of V(mail), V(consolidated_event), V(amp), V(antispam), V(antivirus),
        V(authentication), V(bounces), V(cli_audit), V(content_scanner), V(gui), V(status), V(system)) -
        What is logged.
      - C(log_level) (str, one of V(critical), V(warning), V(information), V(debug), V(trace), default V(information))
        - How much of it; not for consolidated_event, status and bounces, which have no level.
      - C(filename) (str) - How names of its files begin, for SCP. The subscription's name when not given.
      - C(max_size) (str, default V(10M)) - Size at which a file is closed and pushed, from 100K to 10G.
      - C(rollover_interval) (str, default V(15m)) - Time after which it is, whatever its size, as 15m or
        1h30m, 12 days at most; empty for by size alone.
      - C(facility) (str, one of V(auth), V(authpriv), V(console), V(daemon), V(ftp), V(local0), V(local1),
        V(local2), V(local3), V(local4), V(local5), V(local6), V(local7), V(mail), V(ntp), V(security),
        V(user), default V(mail)) - Facility of its records, for syslog.
    type: dict
    required: true
  receiver:
    description: Where the appliances push to.
    type: dict
    suboptions:
      method:
        description: V(scp_push) pushes files, V(syslog_push) records. There is no push by FTP.
        type: str
        required: true
        choices:
          - scp_push
          - syslog_push
      address:
        description: Name or address of the collector, as the appliances see it.
        type: str
        required: true
      port:
        description: Its port.
        type: int
        required: true
      user:
        description: The account there, for V(scp_push).
        type: str
      directory:
        description: The directory there, for V(scp_push).
        type: str
      host_keys:
        description: The collector's host keys, as C(ssh-ed25519 AAAA), which the appliances pin; for V(scp_push).
        type: list
        elements: str
        default: []
      transport:
        description: How records are sent, for V(syslog_push).
        type: str
        choices:
          - udp
          - tcp
          - tls
  level:
    description: Where in a cluster the subscriptions are made; an appliance that stands alone has no levels.
    type: str
    choices:
      - cluster
      - machine
    default: cluster
  probe:
    description:
      - Close the current file of each subscription that is as wanted, by C(rollovernow), which pushes it;
        not for V(syslog_push), which has no file to push.
    type: bool
    default: false
  state:
    description:
      - V(absent) removes the subscriptions, V(present) makes them as wanted, which needs O(receiver).
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
    description: Subscriptions, as APPLIANCE/NAME, that an earlier run saw and that are meant to be gone.
      What has gone without standing here is unknown in drift, verify and preflight.
    type: list
    elements: str
    default: []
seealso:
  - module: mssp.onboarding.cisco_esa_info
  - module: mssp.onboarding.cisco_esa_arrival_info
"""

EXAMPLES = r"""
- name: Push the mail logs of an appliance to the collector
  mssp.onboarding.cisco_esa_log_subscription:
    appliances:
      esa1: {host: esa1.contoso.example, serial_number: 4202ABCDEF0123456789-ABCDEF012345}
    username: mssp
    password: "{{ esa_password }}"
    known_hosts: /etc/mssp/known_hosts
    subscriptions:
      mssp_mail: {type: mail}
    receiver:
      method: scp_push
      address: 203.0.113.10
      port: 22
      user: mssp-contoso-esa
      directory: /upload
      host_keys: ["{{ collector_host_key }}"]
  register: logs
"""

RETURN = r"""
logs:
  description:
    - Each subscription of each appliance as M(mssp.onboarding.cisco_esa_arrival_info) takes it.
    - C(configured) is whether it is there at the end, null where nobody could look; C(probed) whether its file was
      closed and pushed by this task.
  returned: when the appliances were asked
  type: list
  elements: dict
  sample:
    - subscription: esa1/mssp_mail
      name: mssp_mail
      filename: mssp_mail
      identified: true
      hostname: esa1.contoso.example
      serial_number: 4202ABCDEF0123456789-ABCDEF012345
      configured: true
      probed: true
      problem: ""
      next_step: ""
public_keys:
  description:
    - By which the appliances sign in where they push to; none unless all of them could be asked, and none for syslog.
  returned: when the appliances were asked
  type: list
  elements: str
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(cisco_esa_logs).
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
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa import capability, options
from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module

MODULE = Module(capability.converge, capability.CiscoEsaLogs.name, options.CONVERGE_SPEC)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
