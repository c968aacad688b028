#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: syslog_receiver
short_description: Make a host the syslog receiver of one tenant
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Runs an rsyslogd of its own for the tenant, beside the host's own logging and other tenants' receivers.
  - A change is rendered to a staging folder, checked as a whole with C(rsyslogd -N1), put in place, started, and
    probed port by port. On any failure the old configuration is back and running, and the task fails with rsyslog's
    own message.
  - One lock on the host lets tenants that share it be changed at the same time from several forks.
  - Where SELinux runs, ports that its policy does not let rsyslogd have are labelled with C(semanage port).
  - Has run on booted Debian 12 and 13. SELinux and the RPM family are held to their documentation only.
extends_documentation_fragment:
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: full
  action:
    support: none
options:
  tenant:
    description: Slug of the tenant. It is part of every path and unit name.
    type: str
    required: true
  state:
    description: V(absent) removes all that was made, and the records only with O(purge_records).
    type: str
    choices: [present, absent]
    default: present
  sources:
    description:
      - Name of each source to its options C(transport) (udp, tcp, tls, relp, file), C(port), C(more_ports),
        C(address), C(senders), C(peers), C(paths), C(framing) (auto, lf, nul), C(record) (line, json, regex),
        C(record_start), C(max_message_size), C(max_connections), C(facilities), C(severity), C(priority) (low, normal,
        high), C(file_per) (source, sender), C(queue), C(outputs). See the README of the role syslog_target.
    type: dict
    default: {}
  outputs:
    description:
      - Name of each output to its options C(type) (tcp, tls, relp, ama, file), C(host), C(port), C(peer), C(path),
        C(envelope) (rfc5424, none), C(queue).
    type: dict
    default: {}
  queue:
    description: What a stop or a crash may lose, where a source or output does not say. See the role's loss table.
    type: str
    choices: [fast, graceful, crash_safe]
    default: graceful
  queue_size:
    description: Records that the queue of a listener holds in memory.
    type: int
    default: 50000
  queue_disk_bytes:
    description: Disk space that one queue may take.
    type: int
    default: 1073741824
  checkpoint:
    description: After how many records a queue of mode V(crash_safe) writes down where it is.
    type: int
    default: 100
  max_message_size:
    description:
      - Bytes of one record. A longer one is stored in pieces of this size, by relp only its first piece. rsyslog knows
        one limit, so the largest that a source asks for holds for all.
    type: int
    default: 65536
  max_files:
    description: Files at most that one source with C(file_per=sender) fills at a time.
    type: int
    default: 256
  max_connections:
    description: Connections at most, to all TCP ports of the tenant. One too many is reset by the kernel (nftables).
    type: int
    default: 1000
  max_connections_per_sender:
    description: Connections at most from one address.
    type: int
    default: 500
  memory_max:
    description:
      - Memory that the tenant's receiver may take, as C(MemoryMax) of systemd. Half is shared by the queues;
        where the largest records would fill it, they go to disk.
    type: str
    default: 1G
  retention_days:
    description: For how many days records are kept.
    type: int
    default: 30
  disk_low_percent:
    description: Below this much free space, inodes or quota, sources of priority low are not taken.
    type: int
    default: 15
  disk_stop_percent:
    description: Below this much, only sources of priority high are taken.
    type: int
    default: 5
  quota_bytes:
    description: Disk space that the tenant's records may take; V(0) is no limit but the disk.
    type: int
    default: 0
  stats_seconds:
    description: Every how many seconds the receiver writes its counters.
    type: int
    default: 60
  file_roots:
    description:
      - Folders below which sources may read files and outputs may write them. The tenant's own drops of the role
        scp_target need none. Other tenants' files, and the host's own, are refused whatever is given.
    type: list
    elements: str
    default: [/srv]
  tls_ca:
    description: PEM text of the authority that signs peers. Without it the host makes an authority for the tenant.
    type: str
    default: ''
  tls_certificate:
    description: PEM text of the receiver's certificate, with its chain.
    type: str
    default: ''
  tls_key:
    description: PEM text of its key.
    type: str
    default: ''
  tls_names:
    description: Names and addresses in a certificate that the host makes.
    type: list
    elements: str
    default: []
  tls_key_type:
    description: Kind of the keys that the host makes. Another kind makes all certificates new, the authority too.
    type: str
    choices: [ec, rsa]
    default: ec
  firewall:
    description: Open the ports in firewalld, ufw or nftables where the host runs one.
    type: bool
    default: true
  purge_records:
    description: With O(state=absent), remove the stored records, too.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Take the firewalls' logs of contoso
  mssp.onboarding.syslog_receiver:
    tenant: contoso
    sources:
      firewalls:
        transport: udp
        port: 5514
        senders: [192.0.2.0/24]
    outputs:
      siem: {type: tcp, host: siem.example.com, port: 601}
"""

RETURN = r"""
changes:
  description:
    - What was made, changed or removed, or would be in check mode. At most 50; the evidence has all.
    - Each has C(target), C(action) (V(create), V(update), V(delete), or a word of the module's own),
      C(drift), the classes of drift that it corrects, and where an engine knows them C(before) and C(after),
      what differs in short.
  returned: always
  type: list
  elements: dict
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(syslog_target).
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
      C(request_id).
  returned: always
  type: list
  elements: dict
evidence:
  description: Path of the file with one JSON line per target on the control node; empty where none is
    written.
  returned: always
  type: str
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog import host, options

MODULE = Module(host.run, host.CAPABILITY, options.RECEIVER_SPEC, on_host=True, sources="sources")


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
