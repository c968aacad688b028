#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: syslog_receiver_info
short_description: Tell what a tenant's syslog receiver takes, refuses and loses
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Reads the receiver's state, its counters (impstats), its own log, the kernel's counters and the disk guard's state.
  - Counts since the last look, which it remembers on the host, what was lost or refused, namely TLS clients, senders
    that belong to no source, connections over a limit, UDP datagrams that the kernel threw away, framing errors,
    records cut or too long, records that the disk guard or a full queue did not take, records that wait for an output
    that takes none, and ends of the receiver that nobody asked for. A disk guard that no longer looks is told, too.
  - A finding does not fail the task.
extends_documentation_fragment:
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
  action:
    support: none
options:
  tenant:
    description: Slug of the tenant, which is part of the names of all that is made for it.
    type: str
    required: true
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
  file_roots:
    description: Folders below which sources may read files and outputs may write them, to be set by the
      provider for all tenants; the tenant's own drops of the role scp_target need none. Other tenants'
      files, and the host's own, are refused whatever is given.
    type: list
    elements: str
    default:
      - /srv
  stats_seconds:
    description: Every how many seconds the receiver writes its counters.
    type: int
    default: 60
  stale_minutes:
    description: After how many minutes without a record a source is V(stale).
    type: int
    default: 60
"""

EXAMPLES = r"""
- name: Whether the customer's records arrive
  mssp.onboarding.syslog_receiver_info:
    tenant: contoso
    sources:
      firewalls: {transport: udp, port: 5514}
  register: arrivals
"""

RETURN = r"""
flows:
  description: One entry per source.
  returned: always
  type: list
  elements: dict
  contains:
    source:
      description: C(syslog), the transport and the source's name.
      type: str
      returned: always
    state:
      description:
        - V(absent) (not set up, or nothing ever came), V(pending) (nothing came yet, and the receiver was changed less
          than O(stale_minutes) ago), V(flowing), V(fallen) (a tenth or less of the same day of an earlier week),
          V(stale) (nothing for O(stale_minutes), or the receiver does not listen, which the problem's code
          C(not_listening) says), V(unreadable) (could not be read).
      type: str
      returned: always
    newest:
      description: When the newest record was stored.
      type: str
      returned: always
    records:
      description: Records stored since the receiver began.
      type: int
      returned: always
    stopped:
      description: Records not taken by order of the disk guard since the receiver began.
      type: int
      returned: success
    connections:
      description: TCP connections to the source's ports that are open now; null where it takes none.
      type: int
      returned: success
    filtered:
      description: Records left out by the source's own facilities and severity since the receiver began.
      type: int
      returned: success
problems:
  description:
    - What failed, is unknown, waits or is a finding, merged by cause.
    - Each has C(target) (one of those that it concerns), C(count) (how many), C(code) and C(message)
      (the vendor's own where it refused), C(next_step), and of a request C(operation), C(status) and
      C(request_id). C(warning) is true for what is in sync all the same.
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
    arrivals:
      description:
        - The flows in numbers. C(flows), how many of them have C(arrived), are C(connected) as the vendor
          says or C(quiet) for a reason, the C(newest) record's time, C(lag_seconds) of the latest, and
          C(records_last_day) of the C(counted) flows beside C(records_usual) on the same day of an earlier
          week, where they are known.
      type: dict
      returned: always
    guard:
      description: The state of the disk guard.
      type: dict
      returned: always
    connections:
      description: TCP connections of all sources, C(open) now and the C(limit).
      type: dict
      returned: always
    queues:
      description:
        - Each queue by name (C(listener-<source>), C(output-<output>)), with the C(records) inside it,
          on disk included, the C(most) that it held in memory since the receiver began, and its C(places).
      type: dict
      returned: always
evidence:
  description: Path of the file with one JSON line per target on the control node; empty where none is
    written.
  returned: always
  type: str
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog import host, info, options

MODULE = Module(info.run, host.CAPABILITY, options.INFO_SPEC, on_host=True, sources="sources")


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
