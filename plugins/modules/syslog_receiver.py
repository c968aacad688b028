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
    description: Slug of the tenant, which is part of the names of all that is made for it.
    type: str
    required: true
  state:
    description: V(absent) removes all that was made, and the records only with O(purge_records).
    type: str
    choices:
      - present
      - absent
    default: present
  sources:
    description:
      - Name of each source to its options. Sources with certificates (C(peers)) that differ need a port
        or an address each.
      - C(transport) (str, required, one of V(udp), V(tcp), V(tls), V(relp), V(file)) - How records come.
        V(file) is lines of files that another service drops.
      - C(port) (int) - Where to listen. 514, 514, 6514 and 20514 when not given.
      - C(more_ports) (list) - Further ports of the same source.
      - C(address) (str) - Address to listen at. Every one when not given.
      - C(senders) (list) - Addresses and networks that may send. Everybody when empty.
      - C(peers) (list) - Names in client certificates. Needed by V(tls); with them V(relp) uses TLS, too.
      - C(paths) (list) - Files of V(file), with C(*).
      - C(framing) (str, one of V(auto), V(lf), V(nul), default V(auto)) - Where a record ends, over V(tcp)
        and V(tls). V(auto) is octet-counted or line feed.
      - C(record) (str, one of V(line), V(json), V(regex), default V(line)) - What one record of V(file)
        is. V(json) is an object that begins at the margin, pretty-printed or not.
      - C(record_start) (str) - Regular expression of a record's first line, for V(regex).
      - C(max_message_size) (int) - Bytes of a record. Each port of V(relp) has its own; for the rest the
        largest of the tenant holds.
      - C(max_connections) (int) - Connections to this source's ports, within those of all.
      - C(facilities) (list, one of V(kern), V(user), V(mail), V(daemon), V(auth), V(syslog), V(lpr), V(news),
        V(uucp), V(cron), V(authpriv), V(ftp), V(local0), V(local1), V(local2), V(local3), V(local4), V(local5),
        V(local6), V(local7)) - Facilities that are kept. All when empty.
      - C(severity) (str, one of V(emerg), V(alert), V(crit), V(err), V(warning), V(notice), V(info), V(debug),
        default V(debug)) - Severity that is kept, and all above it.
      - C(priority) (str, one of V(low), V(normal), V(high), default V(normal)) - Who goes first when the
        disk fills.
      - C(file_per) (str, one of V(source), V(sender), default V(source)) - Whether each sender has a file.
      - C(queue) (str, one of V(fast), V(graceful), V(crash_safe)) - What a stop or a crash may lose. As
        the role says when not given.
      - C(outputs) (list) - Names of outputs. All when not given.
    type: dict
    default: {}
  outputs:
    description:
      - Name of each output to its options.
      - C(type) (str, required, one of V(tcp), V(tls), V(relp), V(ama), V(file)) - How records go. V(ama)
        is a local TCP port, of Azure Monitor Agent.
      - C(host) (str) - The server.
      - C(port) (int) - Its port.
      - C(peer) (str) - Name in the server's certificate, for V(tls).
      - C(path) (str) - The file, for V(file).
      - C(envelope) (str, one of V(rfc5424), V(none), default V(rfc5424)) - Whether a header of ours, with
        tenant, source and sender, goes before the record.
      - C(queue) (str, one of V(fast), V(graceful), V(crash_safe)) - What a stop or a crash may lose. As
        the role says when not given.
    type: dict
    default: {}
  queue:
    description: What a stop or a crash may lose, where a source or output does not say. See the role's
      loss table.
    type: str
    choices:
      - fast
      - graceful
      - crash_safe
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
    description: Bytes of one record. A longer one is stored in pieces of this size, by relp only its first
      piece. rsyslog knows one limit, so the largest that a source asks for holds for all.
    type: int
    default: 65536
  max_files:
    description: Files at most that one source with C(file_per=sender) fills at a time.
    type: int
    default: 256
  max_connections:
    description: Connections at most, to all TCP ports of the tenant. One too many is reset by the kernel
      (nftables).
    type: int
    default: 1000
  max_connections_per_sender:
    description: Connections at most from one address.
    type: int
    default: 500
  memory_max:
    description: Memory that the tenant's receiver may take, as C(MemoryMax) of systemd. Half is shared
      by the queues; where the largest records would fill it, they go to disk.
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
    description: Folders below which sources may read files and outputs may write them, to be set by the
      provider for all tenants; the tenant's own drops of the role scp_target need none. Other tenants'
      files, and the host's own, are refused whatever is given.
    type: list
    elements: str
    default:
      - /srv
  tls_ca:
    description: PEM text of the authority that signs peers. Without it the host makes an authority for
      the tenant.
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
  tls_ca_key:
    description: PEM text of the authority's key, RSA or EC. With it the control node signs what the host
      asks for, and the key never goes to the host. Not with C(tls_certificate).
    type: str
    default: ''
  tls_signed:
    description: Certificates that the control node has signed, by their names below the folder. The action
      gives them.
    type: dict
    default: {}
  tls_names:
    description: Names and addresses in a certificate that the host makes.
    type: list
    elements: str
    default: []
  tls_key_type:
    description: Kind of the keys that the host makes. Another kind makes all certificates new, the authority
      too.
    type: str
    choices:
      - ec
      - rsa
    default: ec
  firewall:
    description: Open the ports in firewalld, ufw or nftables where the host runs one.
    type: bool
    default: true
  purge_records:
    description: Remove the stored records, too, when the receiver is removed.
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
    correctable:
      description: Targets that have drifted and that a drift run on each level would correct.
      type: dict
      returned: when the targets were read
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

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog import host, options, tls

MODULE = Module(
    host.run, host.CAPABILITY, options.RECEIVER_SPEC, on_host=True, sources="sources", certificates=tls.signed_for
)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
