#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: collector_probe
short_description: Send numbered records to a log collector and count what it stored
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - With O(state=sent) it sends records as an appliance would. Each record carries the run, its number, the time, its
    size and a sum over all its bytes. With O(state=read), on the collector, it looks for the records of a run in the
    files beneath a folder and tells what was lost, duplicated, reordered, cut short or changed.
  - Two tasks make one measurement, since sender and store are on two hosts. The role
    P(mssp.onboarding.collector_verify#role) does both for every source of a collector.
  - TLS is always verified, and an SSH host key must be known.
  - The probe's records stay in the store, and go wherever the collector forwards its records.
extends_documentation_fragment:
  - mssp.onboarding.attributes
attributes:
  check_mode:
    description: Sends nothing and reads nothing; tells what it would do.
  diff_mode:
    support: none
  idempotent:
    support: none
    description: Each run sends records of its own. Nothing that a role sets is changed, so no change is reported.
requirements:
  - Python >= 3.9, on a collector too
  - paramiko >= 3.4 where O(transport=scp) or O(transport=sftp)
options:
  state:
    description:
      - V(sent) sends a run.
      - V(read) reads back what is stored of it.
    type: str
    choices:
      - sent
      - read
    default: sent
  run_id:
    description: The run, 16 hexadecimal digits. Needed by O(state=read); O(state=sent) makes one when none
      is given.
    type: str
  count:
    description: Records to send, or that were sent.
    type: int
    default: 20
  transport:
    description:
      - How to send. Needed by O(state=sent).
      - V(relp) is the sending side of RELP 1.0; it goes through TLS when O(ca_file) or O(ca_data) is given.
      - V(scp) is the legacy protocol (C(scp -t)), one file per record; V(sftp) likewise.
    type: str
    choices:
      - udp
      - tcp
      - tls
      - relp
      - scp
      - sftp
  host:
    description: Name or address of the collector. Needed by O(state=sent).
    type: str
  port:
    description: Port. Without it, 514 (udp, tcp), 6514 (tls), 20514 (relp) or 22 (scp, sftp).
    type: int
  source_address:
    description: Own address to send from, on a host that has several.
    type: str
  senders:
    description:
      - Addresses and networks from which the collector takes this source.
      - Nothing is sent, and the outcome is V(unknown), when our own address is in none of them. Empty means
        any.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds to wait for a connection, an answer, or room to send.
    type: float
    default: 10.0
  rate:
    description: Records per second at most; 0 is no limit.
    type: float
    default: 100.0
  size:
    description: Bytes of a record's text, without the syslog header. At least 128; at most 65000 by udp.
    type: int
    default: 256
  format:
    description: What stands before the record, as a sender writes it. V(cef), V(leef), V(key_value) (as
      FortiGate) and V(csv) (as PAN-OS) have the separators, quotes and odd bytes of these. V(mixed) takes
      each in turn.
    type: str
    choices:
      - rfc5424
      - rfc3164
      - cef
      - leef
      - key_value
      - csv
      - mixed
    default: rfc5424
  framing:
    description: How records are told apart on tcp and tls (RFC 6587).
    type: str
    choices:
      - octet_counted
      - lf
    default: octet_counted
  facility:
    description: Facility in the header.
    type: str
    choices:
      - kern
      - user
      - mail
      - daemon
      - auth
      - syslog
      - lpr
      - news
      - uucp
      - cron
      - authpriv
      - ftp
      - ntp
      - audit
      - alert
      - clock
      - local0
      - local1
      - local2
      - local3
      - local4
      - local5
      - local6
      - local7
    default: local0
  severity:
    description: Severity in the header.
    type: str
    choices:
      - emerg
      - alert
      - crit
      - err
      - warning
      - notice
      - info
      - debug
    default: info
  hostname:
    description: Host name that the header claims.
    type: str
    default: mssp-probe
  ca_file:
    description:
      - PEM file of the authority that signed the collector's certificate.
      - This or O(ca_data) is needed by O(transport=tls).
    type: path
  ca_data:
    description: The same as PEM text.
    type: str
  server_name:
    description: Name in the collector's certificate, when it is not O(host).
    type: str
  client_cert:
    description: PEM file with our certificate, and the key unless O(client_key) names another file.
    type: path
  client_key:
    description: PEM file with the key of O(client_cert).
    type: path
  client_key_passphrase:
    description: Passphrase of the key.
    type: str
  user:
    description: Account at the collector. Needed by V(scp) and V(sftp).
    type: str
  private_key_file:
    description: SSH key of the account. Needed by V(scp) and V(sftp).
    type: path
  private_key_passphrase:
    description: Passphrase of the SSH key.
    type: str
  known_hosts:
    description: File with the collector's SSH host key.
    type: path
    default: ~/.ssh/known_hosts
  remote_path:
    description: Directory to ask for, as an appliance is told one.
    type: str
    default: .
  file_name:
    description: Name of a pushed file; the asterisk stands for the run and the record's number.
    type: str
    default: '*.s'
  path:
    description:
      - Folder, with all beneath it, or file where the collector stores the source. Needed by O(state=read).
      - Files that rotation has compressed with gzip in the last two days are read, too. Symlinks are left
        out.
    type: path
  wait_seconds:
    description: How long O(state=read) waits for records that are still on their way.
    type: float
    default: 10.0
  evidence_path:
    description:
      - File for the full evidence, one JSON line per target.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to a file in the run's
        folder.
    type: path
"""

EXAMPLES = r"""
- name: As the firewall would send
  mssp.onboarding.collector_probe:
    transport: tls
    host: collector1.example.net
    ca_file: /etc/mssp/collectors-ca.pem
    client_cert: /etc/mssp/probe.pem
    client_key: /etc/mssp/probe.key
  delegate_to: localhost
  register: sent

- name: What the collector has of it
  mssp.onboarding.collector_probe:
    state: read
    run_id: "{{ sent.run_id }}"
    count: "{{ sent.probe.sent }}"
    path: /var/log/collected/contoso/firewall
  become: true
"""

RETURN = r"""
run_id:
  description: The run, to read it back.
  returned: always
  type: str
sender:
  description: Own address from which records went, or would have gone.
  returned: always
  type: str
probe:
  description: The measurement. What this state does not measure is null.
  returned: always
  type: dict
  contains:
    sent:
      description: Records handed over to the network, or given as O(count).
      type: int
      returned: always
    acknowledged:
      description: Of those, records that the collector said it has (relp, scp, sftp).
      type: int
      returned: always
    seconds_sending:
      description: How long the sending took.
      type: float
      returned: always
    stored:
      description: Different records found.
      type: int
      returned: always
    lost:
      description: Records not found.
      type: int
      returned: always
    lost_numbers:
      description: Their numbers as ranges, the first 20.
      type: list
      elements: str
      returned: always
    duplicated:
      description: Copies beyond the first.
      type: int
      returned: always
    reordered:
      description: Records that stand behind one with a higher number.
      type: int
      returned: always
    truncated:
      description: Records found, but never whole, or with a byte that is not as it was sent.
      type: int
      returned: always
    seconds_to_first:
      description:
        - From the sending of the first record to the arrival of the first.
        - A record's arrival is what its line says (role P(mssp.onboarding.syslog_target#role) writes the time at which
          rsyslog took it). Where the line does not say it, it is the time at which the file was last written before
          it was read, which is an upper bound.
        - All of these seconds include the difference between the clocks of the two hosts.
      type: float
      returned: always
    seconds_to_last:
      description: The same for the arrival of the last.
      type: float
      returned: always
    seconds_p50:
      description: Median over the records, each from its own sending.
      type: float
      returned: always
    seconds_p95:
      description: 95th percentile likewise.
      type: float
      returned: always
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(collector_probe).
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
problems:
  description:
    - What failed, is unknown, waits or is a finding, merged by cause.
    - Each has C(target) (one of those that it concerns), C(count) (how many), C(code) and C(message)
      (the vendor's own where it refused), C(next_step), and of a request C(operation), C(status) and
      C(request_id). C(warning) is true for what is in sync all the same.
  returned: always
  type: list
  elements: dict
evidence:
  description: Path of the file with one JSON line per target on the control node; empty where none is
    written.
  returned: always
  type: str
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._collector import probe
from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module

MODULE = Module(probe.run, probe.CAPABILITY, probe.SPEC, probe.RULES)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
