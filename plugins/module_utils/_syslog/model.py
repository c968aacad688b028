# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tenant's receiver shall be: options checked and turned into plain values. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._host.firewall import Opening
from .._host.given import HOST, check_name, values_of, wrong

if TYPE_CHECKING:
    from typing import TypeAlias

    Listener: TypeAlias = "tuple[str, str, tuple[int, ...]]"
    Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"

PORTS = {"udp": 514, "tcp": 514, "tls": 6514, "relp": 20514, "file": 0}
SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"),
    *("local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"),
)
RECORD_COST = 2048  # bytes of rsyslog's own beside a record
FEWEST_SLOTS = 256
MAX_SIZE = 16 * 1024 * 1024  # of one record: more of them than one would not leave room for any other
PRIORITIES = ("low", "normal", "high")
# How a file is cut into records, to the pattern of a record's first line: an object of JSON begins at the margin, and
# what stands inside it is indented. None: given by record_start.
RECORDS: Mapping[str, str | None] = {"line": "", "json": r"^\{", "regex": None}
QUEUES = ("fast", "graceful", "crash_safe")  # from the weakest to the strongest
# Options that rsyslog takes for something else, or for nothing, when they are not positive.
COUNTS = (
    *("queue_size", "queue_disk_bytes", "checkpoint", "max_files", "max_connections"),
    "max_connections_per_sender",
    *("retention_days", "stats_seconds"),
)
# rsyslog issue 1597: no property of a record holds the name in its peer's certificate.
ONE_CERTIFICATE_PORT = (
    "they share a port with different peers, but rsyslog does not say whose certificate a record came by; give one of"
    " them another port or address, or both the same peers and senders that differ"
)
# What no root can give away: other tenants' records, drops and configuration lie there, or the host's own files.
SPOOL = "/var/spool/collected"  # of the role scp_target: a folder per tenant
BARRED = (
    *("/var/log/collected", "/var/lib/rsyslog", "/etc", "/proc", "/sys", "/dev", "/run", "/boot", "/root"),
    *("/usr", "/bin", "/sbin", "/lib", "/var/lib/mssp", "/var/spool/cron"),
)
# What can stand between quotes in rsyslog's configuration without a meaning of its own.
PEER = re.compile(r"(?:\*\.)?[A-Za-z0-9][A-Za-z0-9._@-]{0,253}")
# Of a record's first line; a quote would end rsyslog's string, and $ begins a variable in it.
START = re.compile(r"[^\"$\x00-\x1f]{1,200}")
PATH = re.compile(r"/[A-Za-z0-9._@*/-]+")

SOURCE_SPEC: dict[str, dict[str, Any]] = {
    "transport": {"type": "str", "required": True, "choices": list(PORTS)},
    "port": {"type": "int"},
    "more_ports": {"type": "list", "elements": "int", "default": []},
    "address": {"type": "str"},
    "senders": {"type": "list", "elements": "str", "default": []},
    "peers": {"type": "list", "elements": "str", "default": []},
    "paths": {"type": "list", "elements": "str", "default": []},
    "framing": {"type": "str", "choices": ["auto", "lf", "nul"], "default": "auto"},
    "record": {"type": "str", "choices": list(RECORDS), "default": "line"},
    "record_start": {"type": "str"},
    "max_message_size": {"type": "int"},
    "max_connections": {"type": "int"},
    "facilities": {"type": "list", "elements": "str", "choices": list(FACILITIES), "default": []},
    "severity": {"type": "str", "choices": list(SEVERITIES), "default": "debug"},
    "priority": {"type": "str", "choices": list(PRIORITIES), "default": "normal"},
    "file_per": {"type": "str", "choices": ["source", "sender"], "default": "source"},
    "queue": {"type": "str", "choices": list(QUEUES)},
    "outputs": {"type": "list", "elements": "str"},
}
OUTPUT_SPEC: dict[str, dict[str, Any]] = {
    "type": {"type": "str", "required": True, "choices": ["tcp", "tls", "relp", "ama", "file"]},
    "host": {"type": "str"},
    "port": {"type": "int"},
    "peer": {"type": "str"},
    "path": {"type": "str"},
    "envelope": {"type": "str", "choices": ["rfc5424", "none"], "default": "rfc5424"},
    "queue": {"type": "str", "choices": list(QUEUES)},
}
OUTPUT_NEEDS = {
    "tcp": ("host", "port"),
    "tls": ("host", "port", "peer"),
    "relp": ("host", "port"),
    "ama": ("port",),
    "file": ("path",),
}


@dataclass(frozen=True)
class Source:
    """One source of a tenant. senders is empty where every sender counts; severity: index in SEVERITIES."""

    name: str
    transport: str
    ports: tuple[int, ...]
    address: str
    senders: tuple[Network, ...]
    peers: tuple[str, ...]
    paths: tuple[str, ...]
    framing: str
    record: str
    record_start: str
    max_message_size: int
    max_connections: int
    facilities: tuple[str, ...]
    severity: int
    priority: str
    file_per: str
    queue: str
    outputs: tuple[str, ...]

    @property
    def listener(self) -> Listener:
        """Sources with an equal one share sockets. A file source has one of its own."""
        return (self.transport, self.address if self.transport != "file" else self.name, self.ports)

    @property
    def uses_tls(self) -> bool:
        return self.transport == "tls" or bool(self.peers)

    @property
    def protocol(self) -> str:
        """udp or tcp, and "" where nothing listens."""
        return {"udp": "udp", "file": ""}.get(self.transport, "tcp")


@dataclass(frozen=True)
class Output:
    """One place that records are forwarded to."""

    name: str
    type: str
    host: str
    port: int
    peer: str
    path: str
    envelope: str
    queue: str


@dataclass(frozen=True)
class Receiver:
    """All of one tenant's receiver. options: the module's plain options, by name."""

    tenant: str
    sources: tuple[Source, ...]
    outputs: tuple[Output, ...]
    options: Mapping[str, Any]

    @property
    def listeners(self) -> dict[Listener, list[Source]]:
        found: dict[Listener, list[Source]] = {}
        for source in self.sources:
            found.setdefault(source.listener, []).append(source)
        return found

    @property
    def max_message_size(self) -> int:
        """rsyslogd knows one limit for all inputs and outputs, so the largest that a source asks for."""
        return max((source.max_message_size for source in self.sources), default=0)

    @property
    def queues(self) -> int:
        return len(self.listeners) + len(self.outputs)

    @property
    def queue_slots(self) -> int:
        """Records that each queue holds before it goes to disk: half of the memory, were they all of the largest size.

        rsyslog bounds a queue by records. The rest is for connections, batches under way and buffers of files.
        """
        return memory(self.options["memory_max"]) // 2 // max(self.queues, 1) // (self.max_message_size + RECORD_COST)

    @property
    def openings(self) -> set[Opening]:
        """What the host's firewall has to let in."""
        if not self.options["firewall"]:
            return set()
        return {
            Opening(source.protocol, port, network)
            for source in self.sources
            for port in source.ports
            for network in source.senders or (None,)
        }

    @property
    def ports(self) -> frozenset[str]:
        """What it listens on, as «tcp 5601»."""
        return frozenset(
            f"{source.protocol} {port}" for source in self.sources for port in source.ports if source.protocol
        )

    @property
    def uses_tls(self) -> bool:
        return any(source.uses_tls for source in self.sources) or any(output.type == "tls" for output in self.outputs)

    @property
    def made_certificates(self) -> bool:
        return self.uses_tls and not self.options["tls_certificate"]

    @property
    def signed_elsewhere(self) -> bool:
        """Whether the authority's key is on the control node: the host makes keys and asks for certificates."""
        return self.made_certificates and bool(self.options["tls_ca"])


UNITS = {"K": 10, "M": 20, "G": 30, "T": 40}
MEMORY = re.compile(r"(\d+)([KMGT]?)")


def memory(text: str) -> int:
    """Bytes of a MemoryMax of systemd; of one that is no number, those of the default."""
    found = MEMORY.fullmatch(text)
    return int(found[1]) << UNITS.get(found[2], 0) if found else 1 << 30


def receiver(options: Mapping[str, Any]) -> Receiver:
    """The receiver that the options describe.

    Raises InputError, which names the source or output and what is wrong with it.
    """
    check_name("tenant", options["tenant"])
    outputs = tuple(_output(name, spec, options) for name, spec in sorted((options["outputs"] or {}).items()))
    names = tuple(output.name for output in outputs)
    sources = tuple(_source(name, spec, names, options) for name, spec in sorted((options["sources"] or {}).items()))
    if options["state"] == "present" and not sources:
        raise wrong("sources", "there is none; a receiver needs at least one")
    for name in COUNTS:
        if options[name] < 1:
            raise wrong(name, f"{options[name]} is not 1 or more")
    if options["disk_stop_percent"] >= options["disk_low_percent"]:
        raise wrong("disk_stop_percent", "must be less than disk_low_percent")
    given = [name for name in ("tls_ca", "tls_certificate", "tls_key") if options[name]]
    if given not in ([], ["tls_ca"]) and len(given) < 3:
        raise wrong(" ".join(given), "tls_ca, tls_certificate and tls_key are given together or not at all")
    made = Receiver(options["tenant"], sources, outputs, options)
    for shared in made.listeners.values():
        _check_shared(shared)
    if sources and made.queue_slots < FEWEST_SLOTS:
        words = (
            f"it leaves room for {made.queue_slots} records in each of {made.queues} queues, less than {FEWEST_SLOTS}"
        )
        raise wrong("memory_max", f"{words}; raise it, or take a smaller max_message_size")
    _check_overlap(made.sources)
    return made


def check_authority(options: Mapping[str, Any]) -> None:
    """Of options as the control node has them: the authority's key never goes to the host, which sees tls_ca alone."""
    if bool(options["tls_ca"]) != bool(options["tls_certificate"] or options["tls_ca_key"]):
        raise wrong(
            "tls_ca tls_ca_key", "tls_ca needs tls_certificate and tls_key, or tls_ca_key to sign with; these need it"
        )
    if options["tls_certificate"] and options["tls_ca_key"]:
        raise wrong("tls_ca_key", "tls_certificate is given, so there is nothing to sign")


def _form(what: str, pattern: re.Pattern[str], values: list[str]) -> None:
    for value in values:
        if value and (not pattern.fullmatch(value) or "/../" in f"{value}/"):
            raise wrong(what, f"«{value}» is not of the expected form")


def _port(what: str, port: int) -> int:
    if not 0 < port < 65536:
        raise wrong(what, f"port {port} is not between 1 and 65535")
    return port


def _ports(what: str, values: Mapping[str, Any]) -> tuple[int, ...]:
    """Where the source listens, the port that others are told first; none for files."""
    if values["transport"] == "file":
        return ()
    ports = (values["port"] or PORTS[values["transport"]], *values["more_ports"])
    return tuple(dict.fromkeys(_port(what, port) for port in ports))


def barred(path: str, options: Mapping[str, Any]) -> str:
    """Why a file of the tenant may not lie there, "" where it may.

    Files lie below roots that the provider gives, and never where another tenant's are, or the host's own.
    """
    own = f"{SPOOL}/{options['tenant']}"
    if "//" in path or "/./" in path:
        return "is not written plainly"
    for root in (SPOOL, *BARRED):
        if f"{path}/".startswith(f"{root}/") and not path.startswith(f"{own}/"):
            return f"is below {root}, which is not this tenant's"
    roots = (*options["file_roots"], own)
    if any(path.startswith(f"{root.rstrip('/')}/") for root in roots):
        return ""
    return f"is below none of {', '.join(roots)}"


def _allowed(what: str, path: str, options: Mapping[str, Any]) -> None:
    why = barred(path, options)
    if why:
        raise wrong(what, f"path {path} {why}; the provider allows folders by file_roots")


def _source(name: str, spec: Any, outputs: tuple[str, ...], options: Mapping[str, Any]) -> Source:
    what = f"source «{name}»"
    check_name("source", name)
    values = values_of(what, spec, SOURCE_SPEC)
    transport, peers, paths = values["transport"], values["peers"], values["paths"]
    for pattern, given in ((PEER, peers), (PATH, paths), (HOST, [values["address"] or ""])):
        _form(what, pattern, given)
    if transport == "tls" and not (peers or values["senders"]):
        raise wrong(what, "transport tls needs peers, the names in the certificates that may connect; or senders")
    if transport == "file":
        for path in paths:
            _allowed(what, path, options)
    if peers and transport not in ("tls", "relp"):
        raise wrong(what, f"transport {transport} knows no certificates, so it has no peers")
    if (transport == "file") != bool(paths):
        raise wrong(what, "paths belong to transport file, and it needs them")
    unknown = [output for output in values["outputs"] or () if output not in outputs]
    if unknown:
        raise wrong(what, f"outputs has no {', '.join(unknown)}")
    return Source(
        name=name,
        transport=transport,
        ports=_ports(what, values),
        address=values["address"] or "",
        senders=tuple(_network(what, text) for text in values["senders"]),
        peers=tuple(peers),
        paths=tuple(paths),
        framing=values["framing"],
        record=values["record"],
        record_start=_record_start(what, values),
        max_message_size=_size(what, values["max_message_size"] or options["max_message_size"]),
        max_connections=_connections(what, values),
        facilities=tuple(values["facilities"]),
        severity=SEVERITIES.index(values["severity"]),
        priority=values["priority"],
        file_per=values["file_per"],
        queue=values["queue"] or options["queue"],
        outputs=outputs if values["outputs"] is None else tuple(values["outputs"]),
    )


def _size(what: str, size: int) -> int:
    if not 0 < size <= MAX_SIZE:
        raise wrong(what, f"max_message_size {size} is not between 1 and {MAX_SIZE}")
    return size


def _connections(what: str, values: Mapping[str, Any]) -> int:
    """At most so many to the source's ports; 0 is no limit of its own."""
    given = values["max_connections"]
    if given is None:
        return 0
    if values["transport"] not in ("tcp", "tls", "relp") or given < 1:
        raise wrong(what, "max_connections is 1 or more, and of transport tcp, tls and relp")
    return int(given)


def _record_start(what: str, values: Mapping[str, Any]) -> str:
    """Pattern of a record's first line, "" where each line is one."""
    record, given = values["record"], values["record_start"] or ""
    if record != "line" and values["transport"] != "file":
        raise wrong(what, f"record {record} belongs to transport file; elsewhere the framing says where a record ends")
    if (record == "regex") != bool(given):
        raise wrong(what, "record regex and record_start belong together")
    if given and not START.fullmatch(given):
        raise wrong(what, "record_start may hold neither quotes, $ nor control characters")
    return RECORDS[record] or given


def _network(what: str, text: str) -> Network:
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        raise wrong(what, f"sender {error}") from None
    if network.version == 6 and network.num_addresses > 1 and not leading_text(network):
        words = "rsyslog compares the text of IPv6 addresses, so a prefix ends between two parts, none of which is zero"
        raise wrong(what, f"sender {text}: {words} (/32, /48, /64); or name the addresses")
    return network


def leading_text(network: Network) -> str:
    """With what the text of every address of the network starts, and of no other; "" where there is no such text."""
    width = 8 if network.version == 4 else 16
    parts, rest = divmod(network.prefixlen, width)
    if rest or not 0 < parts < network.max_prefixlen // width:
        return ""
    if network.version == 4:
        return ".".join(str(network.network_address).split(".")[:parts]) + "."
    groups = [group.lstrip("0") for group in network.network_address.exploded.split(":")[:parts]]
    return ":".join(groups) + ":" if all(groups) else ""


def _output(name: str, spec: Any, options: Mapping[str, Any]) -> Output:
    what = f"output «{name}»"
    check_name("output", name)
    values = values_of(what, spec, OUTPUT_SPEC)
    missing = [option for option in OUTPUT_NEEDS[values["type"]] if not values[option]]
    if missing:
        raise wrong(what, f"type {values['type']} needs {', '.join(missing)}")
    for option, pattern in (("host", HOST), ("peer", PEER), ("path", PATH)):
        _form(what, pattern, [values[option] or ""])
    if values["type"] == "file":
        _allowed(what, values["path"], options)
    else:
        _port(what, values["port"])
    return Output(
        name=name,
        type=values["type"],
        host="127.0.0.1" if values["type"] == "ama" else values["host"] or "",
        port=values["port"] or 0,
        peer=values["peer"] or "",
        path=values["path"] or "",
        envelope=values["envelope"],
        queue=values["queue"] or options["queue"],
    )


def _check_shared(sources: list[Source]) -> None:
    """Sources on one socket are told apart by sender address alone, so they must differ in nothing the socket has."""
    first = sources[0]
    for other in sources[1:]:
        what = f"sources «{first.name}» and «{other.name}»"
        if first.peers != other.peers:
            raise wrong(what, ONE_CERTIFICATE_PORT)
        if first.framing != other.framing:
            raise wrong(what, "they share a port, so framing must be equal; or give one another port")
    senders = [(network, source.name) for source in sources for network in source.senders or (None,)]
    for number, (network, name) in enumerate(senders):
        for further, owner in senders[number + 1 :]:
            if owner != name and _overlap(network, further):
                raise wrong(f"sources «{name}» and «{owner}»", "they share a port and senders: which one is meant?")


def _overlap(one: Any, other: Any) -> bool:
    return one is None or other is None or (one.version == other.version and bool(one.overlaps(other)))


def _check_overlap(sources: tuple[Source, ...]) -> None:
    """A port of one protocol is bound once: not by two transports, nor by an address and by all of them."""
    bound: dict[tuple[str, int], Source] = {}
    for source, port in ((each, port) for each in sources for port in each.ports):
        other = bound.setdefault((source.protocol, port), source)
        one_socket = other.listener == source.listener
        apart = other.transport == source.transport and other.address != source.address
        if not one_socket and not (apart and "" not in (other.address, source.address)):
            what = f"sources «{other.name}» and «{source.name}»"
            raise wrong(what, f"both want {source.protocol} port {port}; to share it they need the same ports")
