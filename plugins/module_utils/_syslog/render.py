# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rsyslog's configuration of one tenant's receiver. Pure.

One rsyslogd per tenant reads one file, so a tenant's restart, crash or flood is nobody else's. Records go
input -> queue of the listener -> the source's ruleset -> file, and by a queue of its own -> each output.
Parameters: rsyslog.com documentation of the modules named; what 8.2302 (Debian 12) lacks is not used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .model import PRIORITIES, QUEUES, leading_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .layout import Layout
    from .model import Network, Output, Receiver, Source

# GnuTLS: TLS 1.2 and 1.3 with forward secrecy and AEAD only.
CIPHERS = (
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-DHE-RSA:-AES-128-CBC:-AES-256-CBC:-AES-128-CCM:-AES-256-CCM"
)
# RFC 5612 keeps this number for documentation and private use alike; it says who vouches for tenant and source.
ENTERPRISE = 32473
# One of these is in what rsyslogd says when it refuses a TLS client: imtcp closing, imtcp accepting, imrelp.
REFUSALS = (
    "not permitted to talk to",
    "gnutls returned error on handshake",
    "GnuTLS handshake retry returned error",
    "TLS handshake failed",
)
# Not so where one of these is: an end without TLS's own goodbye, a reset, a port that was only tried.
HARMLESS = ("non-properly terminated", "Error in the pull function", "Error in the push function")
# Follows a refusal, and a reset just so; it alone names the peer.
CLOSED = "will be closed due to error"
# Buckets of counters to the words of rsyslogd that they count, by peer where it names one.
COUNTED = {"framing": "Framing Error", "oversize": "received oversize message", "cut": "Incomplete frame at end"}
PEER = r"""re_extract($msg, "\\(ip\\) ([0-9a-fA-F.:]+): ", 0, 1, "connections")"""
OUTPUT_QUEUE_SIZE = 20000
BURST = 8  # a queue has so many times the places that the largest records would fill; disks keep up with those
# What an output takes out of its queue at once, and with a dead target has lost when rsyslogd ends: 1,024 by default.
OUTPUT_BATCH = 64
STORE = "store-"  # begins the name of the action, and so of the counter, of what a source has stored
# Cheaper than variables, by half of what a record costs: the source is what follows LISTENER in the input's name, and
# only where that is nothing (a shared port, a file, the receiver itself) a variable. $.host is "-" where no sender is.
LISTENER = "listener-"
# The record is what arrived after PRI, never what rsyslog makes of its header: of Palo Alto's CSV it cuts a piece out,
# of CEF it makes a tag. Beside it stand our own time of receipt, the sender, the tenant and the source.
ENVELOPE = (
    "<{pri}%$.level%>1 %timegenerated:::date-rfc3339% %fromhost-ip%%$.host% - - - "
    '[mssp@{enterprise} tenant=\\"{tenant}\\" source=\\"%inputname:{start}:$%%$.source%\\" '
    'sender=\\"%fromhost-ip%\\"] '
)
ENVELOPE_ROOM = 512  # omfwd cuts what it sends at maxMessageSize, the envelope included
RECORD = "%rawmsg-after-pri%"
# What rsyslog makes of a PRI over 191, or of one that is none, is «invld», and it cuts it off. In a field that ends at
# the i it is nothing, and what came stands in variables: $.cut is what was cut off. Our own header then says
# user.notice, as of a record without PRI; without a header a number stays, and anything else is part of the record.
PRI = "%PRI:F,105:1%"
ODD_PRI = r"""  if $pri == "invld" then {
    set $.cut = substring($rawmsg, 0, strlen($rawmsg) - strlen($rawmsg-after-pri));
    set $.level = "13";
    set $.number = re_extract($.cut, "^<([0-9]+)>", 0, 1, "13");
    if $.number == "13" then { set $.front = $.cut; }
  }"""
# Where a line feed ends a record, one inside it is written as #012: $.rest holds what follows the first, see FOLD.
LINE = "{}:F,10:1%%$.rest%"
STORED = f"%timegenerated:::date-rfc3339% %fromhost-ip%%$.host% {LINE.format('%rawmsg')}\\n"
FOLD = r"""  if $rawmsg contains "\n" then {
    set $.rest = replace(re_extract($rawmsg, "\n.*", 0, 0, ""), "\n", "#012");
  }"""
# Beyond it imtcp takes a counted frame for lines. The limit of a record is maxMessageSize: longer ones come in pieces.
MAX_FRAME_SIZE = 1_000_000
MAX_SESSIONS = 60_000
READ_SECONDS = 5  # after which the last record of a file is taken without the start of a next one


def configuration(receiver: Receiver, layout: Layout) -> str:
    """The whole file that the tenant's rsyslogd reads."""
    parts = [
        "# Made by mssp.onboarding.syslog_target; changes here are drift and will be put back.",
        _global(receiver, layout),
        _modules(receiver, layout),
        _templates(receiver, layout),
        _own_messages(receiver, layout),
        *(_output(output, receiver) for output in receiver.outputs),
        *(_source(source, receiver, layout) for source in receiver.sources),
        *(_listener(sources, receiver, layout) for sources in receiver.listeners.values()),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _mode(sources: Iterable[Source]) -> str:
    """Of a listener's queue: the one that loses least."""
    return QUEUES[max(QUEUES.index(source.queue) for source in sources)]


def places(mode: str, size: int, receiver: Receiver) -> int:
    """Records that a queue has room for; one on disk alone has ten times as many."""
    return min(size, BURST * receiver.queue_slots) * (10 if mode == "crash_safe" else 1)


def queue_places(receiver: Receiver) -> dict[str, int]:
    """Name of each queue to the records that it has room for."""
    listeners = {
        f"{LISTENER}{sources[0].name}": places(_mode(sources), int(receiver.options["queue_size"]), receiver)
        for sources in receiver.listeners.values()
    }
    outputs = receiver.outputs
    return listeners | {f"output-{one.name}": places(one.queue, OUTPUT_QUEUE_SIZE, receiver) for one in outputs}


def queue(name: str, mode: str, size: int, receiver: Receiver) -> list[str]:
    """Parameters of a queue. name: of its files, unique in the receiver.

    In memory a fixed array, which needs no memory per record: a linked list costs a tenth more CPU (measured). It goes
    to disk where the largest records would fill its share of the memory, and has room beyond it for a burst of small
    ones: what a queue has no room for is lost to its output. On the way by disk rsyslog does not keep the order.
    """
    options = receiver.options
    size = places(mode, size, receiver)
    memory = ['queue.type="FixedArray"', f'queue.size="{size}"']
    disk = [
        f'queue.filename="{name}"',
        f'queue.maxDiskSpace="{options["queue_disk_bytes"]}"',
        'queue.maxFileSize="16m"',
    ]
    if mode == "fast":
        return memory
    if mode == "graceful":
        high = min(size * 3 // 4, receiver.queue_slots)
        marks = [f'queue.highWatermark="{high}"', f'queue.lowWatermark="{high // 2}"']
        return [*memory, *disk, *marks, 'queue.saveOnShutdown="on"']
    return [
        'queue.type="Disk"',
        f'queue.size="{size}"',
        *disk,
        f'queue.checkpointInterval="{options["checkpoint"]}"',
    ]


def output_queue(output: Output, receiver: Receiver) -> list[str]:
    """A queue that never makes its feeder wait: above the mark it takes no more, and impstats counts what it leaves.

    Delay marks at the size: below it rsyslog slows TCP senders down, for the sake of one dead output. Short time-outs:
    a stop must not wait for a dead output; what is left goes to the queue's files, or with mode fast is lost anyway.
    """
    size = places(output.queue, OUTPUT_QUEUE_SIZE, receiver)
    return [
        *queue(f"output-{output.name}", output.queue, OUTPUT_QUEUE_SIZE, receiver),
        f'queue.discardMark="{size * 97 // 100}"',
        'queue.discardSeverity="0"',
        f'queue.dequeueBatchSize="{OUTPUT_BATCH}"',
        f'queue.lightDelayMark="{size}"',
        f'queue.fullDelayMark="{size}"',
        'queue.timeoutEnqueue="0"',
        'queue.timeoutShutdown="10"',
        'queue.timeoutActionCompletion="100"',
    ]


def _statement(head: str, parameters: Iterable[str]) -> str:
    """head: such as «ruleset(name="x"», without the closing bracket."""
    return "\n  ".join([head, *parameters]) + ")"


def _array(values: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def _global(receiver: Receiver, layout: Layout) -> str:
    tls = [
        'defaultNetstreamDriver="gtls"',
        f'defaultNetstreamDriverCAFile="{layout.tls}/ca.pem"',
        f'defaultNetstreamDriverCertFile="{layout.tls}/cert.pem"',
        f'defaultNetstreamDriverKeyFile="{layout.tls}/key.pem"',
    ]
    return _statement(
        "global(",
        [
            f'workDirectory="{layout.queues}"',
            f'maxMessageSize="{receiver.max_message_size + ENVELOPE_ROOM}"',
            # The bytes that arrived: NUL alone is still escaped, and a record that begins with z is no compressed one.
            'parser.escapeControlCharactersOnReceive="off"',
            'parser.escapeControlCharacterTab="off"',
            'parser.supportCompressionExtension="off"',
            'net.enableDNS="off"',  # a slow resolver would hold back every record, and names can be forged
            'processInternalMessages="on"',
            'internalmsg.ratelimit.interval="5"',  # a flood of refused clients must not fill the disk
            'internalmsg.ratelimit.burst="500"',
            'abortOnUncleanConfig="on"',
            *(tls if receiver.uses_tls else ()),
        ],
    )


def _modules(receiver: Receiver, layout: Layout) -> str:
    options = receiver.options
    transports = {source.transport for source in receiver.sources}
    # The unit limits connections: imtcp takes more than its own maxSessions says (8.2302, tried). A peer that vanished
    # behind a firewall is gone after some minutes, not after the kernel's two hours.
    alive = 'keepAlive.time="300" keepAlive.interval="30" keepAlive.probes="4"'
    lines = [
        'module(load="impstats" interval="{}" severity="7" format="json" ruleset="stats")'.format(
            options["stats_seconds"]
        ),
        'module(load="imuxsock" sysSock.use="off")',
    ]
    loads = {
        "udp": 'module(load="imudp" threads="2" batchSize="128" timeRequery="8")',
        "tcp": f'module(load="imtcp" maxSessions="{MAX_SESSIONS}" maxListeners="64" {alive})',
        "relp": 'module(load="imrelp")',
        "file": 'module(load="imfile")',
    }
    loaded = {"tcp" if transport == "tls" else transport for transport in transports}
    lines += [text for transport, text in loads.items() if transport in loaded]
    if any(output.type == "relp" for output in receiver.outputs):
        lines.append('module(load="omrelp")')
    if any(_buckets(source, receiver) for source in receiver.sources):
        lines.append('module(load="fmhash")')
    lines.append(f'input(type="imuxsock" socket="{layout.alarm_socket}" ruleset="alarm")')
    return "\n".join(lines)


def _templates(receiver: Receiver, layout: Layout) -> str:
    envelope = ENVELOPE.format(pri=PRI, enterprise=ENTERPRISE, tenant=receiver.tenant, start=len(LISTENER) + 1)
    formats = {
        "stored": STORED,
        "envelope-rfc5424": f"{envelope}%$.cut%{RECORD}",
        "envelope-none": f"<{PRI}%$.number%>%$.front%{RECORD}",
        "ama": f"<{PRI}%$.number%>%$.front%{LINE.format(RECORD[:-1])}",
    }
    lines = [
        *(f'template(name="{name}" type="string" string="{text}")' for name, text in formats.items()),
        'template(name="stats" type="string" string="%timegenerated:::date-rfc3339% %msg%\\n")',
    ]
    for source in receiver.sources:
        if source.file_per == "sender":
            name = "bucket-%$.bucket%" if _buckets(source, receiver) else "%fromhost-ip:::secpath-replace%"
            path = f"{layout.source_folder(source.name)}/{name}.log"
            lines.append(f'template(name="file-{source.name}" type="string" string="{path}")')
    return "\n".join(lines)


def _buckets(source: Source, receiver: Receiver) -> bool:
    """Whether a file per sender could be more files than the cap: then senders share a fixed number of files."""
    if source.file_per != "sender":
        return False
    count = sum(network.num_addresses for network in source.senders)
    return count == 0 or count > int(receiver.options["max_files"])


def _own_messages(receiver: Receiver, layout: Layout) -> str:
    """The receiver's own messages, statistics and the guard's alarms; these go to the outputs, too."""
    table = f'lookup_table(name="guard" file="{layout.table}" reloadOnHUP="on")'
    calls = "".join(f"\n  call output-{output.name}" for output in receiver.outputs)
    refused, harmless = (_says(words) for words in (REFUSALS, HARMLESS))
    counted = "\n".join(
        f'if {_says((words,))} then {{\n  set $.count = dyn_inc("{bucket}", {PEER});\n}}'
        for bucket, words in COUNTED.items()
    )
    return f"""{table}
dyn_stats(name="refused_senders" resettable="off" maxCardinality="1000" unusedMetricLife="86400")
dyn_stats(name="refused_tls" resettable="off")
dyn_stats(name="stopped" resettable="off")
dyn_stats(name="filtered" resettable="off")
{"".join(f'dyn_stats(name="{bucket}" resettable="off" maxCardinality="1000")' + chr(10) for bucket in COUNTED)}
ruleset(name="stats" queue.type="LinkedList" queue.size="2000") {{
  {_file_action("stats", layout.stats, "stats", 1)}
}}
ruleset(name="alarm") {{
  set $.source = "_collector";
  {_file_action("alarm", layout.own_log, "stored", 1)}{calls}
}}
# The default ruleset: only what rsyslogd says about itself comes here.
if ({refused}) and not ({harmless}) then {{
  set $.count = dyn_inc("refused_tls", "clients");
}}
{counted}
{_file_action("own", layout.own_log, "stored", 1)}"""


def _says(words: Iterable[str]) -> str:
    return " or ".join(f'$msg contains "{each}"' for each in words)


def _file_action(name: str, path: str, template: str, files: int) -> str:
    where = f'file="{path}"' if path.startswith("/") else f'dynaFile="{path}" dynaFileCacheSize="{files}"'
    modes = 'ioBufferSize="64k" createDirs="on" dirCreateMode="0750" fileCreateMode="0640"'
    return f'action(name="{name}" type="omfile" {where} template="{template}" {modes})'


def _output(output: Output, receiver: Receiver) -> str:
    target = f'target="{output.host}" port="{output.port}"'
    retry = 'action.resumeRetryCount="-1" action.resumeInterval="5" action.resumeIntervalMax="60"'
    driver = 'streamDriver="gtls" streamDriverMode="1" streamDriverAuthMode="x509/name"'
    tcp = f'type="omfwd" {target} protocol="tcp" keepAlive="on"'
    kinds = {
        "tcp": f'{tcp} template="envelope-{output.envelope}" TCP_Framing="octet-counted" streamDriver="ptcp"',
        "tls": f'{tcp} template="envelope-{output.envelope}" TCP_Framing="octet-counted" {driver}'
        f' streamDriverPermittedPeers="{output.peer}"',
        "relp": f'type="omrelp" {target} template="envelope-{output.envelope}"',
        "ama": f'{tcp} template="ama" streamDriver="ptcp"',
        "file": f'type="omfile" file="{output.path}" template="stored" createDirs="on" fileCreateMode="0640"',
    }
    inner = f'  action({kinds[output.type]}\n    name="output-{output.name}" {retry})'
    ruleset = _statement(f'ruleset(name="output-{output.name}"', output_queue(output, receiver))
    return f"{ruleset} {{\n{inner}\n}}"


def _source(source: Source, receiver: Receiver, layout: Layout) -> str:
    """Filters, the guard, the file and the outputs of one source. The file's action counts what is stored."""
    lines = []
    if source.severity < 7:
        lines.append(_filter(f"$syslogseverity > {source.severity}", source))
    if source.facilities:
        lines.append(_filter(f"not ($syslogfacility-text == {_array(source.facilities)})", source))
    if source.priority != PRIORITIES[-1]:
        lines += [
            f'  if lookup("guard", "{source.priority}") == "stop" then {{',
            f'    set $.count = dyn_inc("stopped", "{source.name}");',
            "    stop",
            "  }",
        ]
    path = f"{layout.source_folder(source.name)}/{source.name}.log"
    if source.file_per == "sender":
        path = f"file-{source.name}"
        if _buckets(source, receiver):
            lines.append(f"  set $.bucket = hash64mod($fromhost-ip, {receiver.options['max_files']});")
    files = min(int(receiver.options["max_files"]), 256)
    lines.append(f"  {_file_action(f'{STORE}{source.name}', path, 'stored', files)}")
    if source.outputs and not _named_by_input(source, receiver):
        lines.append(f'  set $.source = "{source.name}";')
    lines += [f"  call output-{name}" for name in source.outputs]
    return f'ruleset(name="source-{source.name}") {{\n' + "\n".join(lines) + "\n}"


def _filter(condition: str, source: Source) -> str:
    """What a source does not keep is counted: records without PRI have a facility that nobody has meant."""
    return f'  if {condition} then {{ set $.count = dyn_inc("filtered", "{source.name}"); stop }}'


def _named_by_input(source: Source, receiver: Receiver) -> bool:
    """Whether the name of the input that took a record says its source."""
    return source.transport != "file" and len(receiver.listeners[source.listener]) == 1


def _listener(sources: list[Source], receiver: Receiver, layout: Layout) -> str:
    """The socket, its queue, and which of its sources a record belongs to: by the sender's address, by nothing else."""
    first = sources[0]
    name = f"{LISTENER}{first.name}"
    lines = [FOLD] if _holds_lines(first) else []
    if first.transport != "file" and any(source.outputs for source in sources):  # imfile gives all lines one PRI
        lines.append(ODD_PRI)
    if first.transport == "file":
        lines.append('  set $.host = "-";')
    for source in sources:
        if source.senders and first.transport != "file":
            condition = " or ".join(_sender(network) for network in source.senders)
            lines.append(f"  if {condition} then {{ call source-{source.name} stop }}")
        else:
            lines.append(f"  call source-{source.name}\n  stop")
    if lines[-1].startswith("  if"):
        lines.append('  set $.count = dyn_inc("refused_senders", $fromhost-ip);')
    parameters = queue(name, _mode(sources), int(receiver.options["queue_size"]), receiver)
    ruleset = _statement(f'ruleset(name="{name}"', [*parameters, 'queue.timeoutShutdown="10000"'])
    return "\n".join([ruleset + " {", *lines, "}", *_inputs(first, name, receiver, layout)])


def _holds_lines(source: Source) -> bool:
    """Whether a line feed can be part of a record: not where it alone ends one."""
    return source.record != "line" if source.transport == "file" else source.framing != "lf"


def _sender(network: Network) -> str:
    if network.num_addresses == 1:
        return f'($fromhost-ip == "{network.network_address}")'
    start = leading_text(network)
    if start:
        return f'($fromhost-ip startswith "{start}")'
    low, high = int(network.network_address), int(network.broadcast_address)
    # An IPv6 address gives 0 or less here, which is in no network that a sender can have.
    return f"(ipv42num($fromhost-ip) >= {max(low, 1)} and ipv42num($fromhost-ip) <= {high})"


def _inputs(source: Source, ruleset: str, receiver: Receiver, layout: Layout) -> list[str]:
    # imtcp and not the faster imptcp: given a record that is too long, imptcp 8.2302 stores its start once more for
    # every further byte, 2 GB for 100 kB (measured). imtcp stores it in pieces.
    size = receiver.max_message_size + ENVELOPE_ROOM
    # imrelp alone has a limit for each input: beyond its maxFrameSize imtcp takes a counted frame for lines.
    of_relp = max(each.max_message_size for each in receiver.listeners[source.listener]) + ENVELOPE_ROOM
    address = f' address="{source.address}"' if source.address else ""
    # A carriage return before the line feed goes, and so does Cisco ASA's blank after it.
    lines = 'addtlFrameDelimiter="13" framingFix.cisco.asa="on"'
    framing = {
        "auto": f'supportOctetCountedFraming="on" {lines}',
        "lf": f'supportOctetCountedFraming="off" {lines}',
        "nul": 'supportOctetCountedFraming="off" addtlFrameDelimiter="0" disableLFDelimiter="on"',
    }[source.framing]
    frame = f'maxFrameSize="{max(MAX_FRAME_SIZE, 2 * size)}"'
    # Who has no certificate of its own is known by its address alone.
    names = f'streamDriver.authMode="x509/name" permittedPeer={_array(source.peers)}'
    auth = names if source.peers else 'streamDriver.authMode="anon"'
    common = f'ruleset="{ruleset}" name="{ruleset if _named_by_input(source, receiver) else LISTENER}"'
    relp_tls = (
        f' tls="on" tls.authMode="name" tls.permittedPeer={_array(source.peers)} tls.caCert="{layout.tls}/ca.pem"'
        f' tls.myCert="{layout.tls}/cert.pem" tls.myPrivKey="{layout.tls}/key.pem" tls.priorityString="{CIPHERS}"'
    )
    kinds = {
        "udp": f'type="imudp" rcvbufSize="8m" {common}',
        "tcp": f'type="imtcp" {framing} streamDriver.name="ptcp" streamDriver.mode="0" keepAlive="on" {common} {frame}',
        "tls": f'type="imtcp" {framing} {auth} gnutlsPriorityString="{CIPHERS}" {frame}'
        f' streamDriver.name="gtls" streamDriver.mode="1"'
        f' keepAlive="on" {common}',
        "relp": f'type="imrelp" maxDataSize="{of_relp}" oversizeMode="truncate" keepAlive="on" {common}'
        + (relp_tls if source.peers else ""),
    }
    if source.transport == "file":
        last = f'input(type="imuxsock" socket="{layout.last_lines(source.name)}" ruleset="last-{source.name}")'
        # A record that has begun ends with the start of the next, or when nothing follows for a while.
        start = source.record_start.replace("\\", "\\\\")
        records = f' startmsg.regex="{start}" readTimeout="{READ_SECONDS}" escapeLF="off"' if start else ""
        return [
            f'input(type="imfile" file="{path}" tag="{source.name}" ruleset="{ruleset}" reopenOnTruncate="on"{records})'
            for path in source.paths
        ] + [
            f'ruleset(name="last-{source.name}") {{ set $.source = "{source.name}"; call source-{source.name} }}',
            last,
        ]
    kind = kinds[source.transport]
    return [f'input({kind} port="{port}"{address})' for port in source.ports]
