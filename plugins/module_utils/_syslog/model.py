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

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .._core.errors import InputError
from .._host.firewall import Opening

if TYPE_CHECKING:
    from typing import TypeAlias

    Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"

PORTS = {"udp": 514, "tcp": 514, "tls": 6514, "relp": 20514, "file": 0}
SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"),
    *("local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"),
)
PRIORITIES = ("low", "normal", "high")
QUEUES = ("fast", "graceful", "crash_safe")  # from the weakest to the strongest
# Options that rsyslog takes for something else, or for nothing, when they are not positive.
COUNTS = (
    *("queue_size", "queue_disk_bytes", "checkpoint", "max_message_size", "max_files", "max_connections"),
    *("retention_days", "stats_seconds"),
)
# rsyslog issue 1597: no property of a record holds the name in its peer's certificate.
ONE_CERTIFICATE_PORT = (
    "they share a port with different peers, but rsyslog does not say whose certificate a record came by; give one of"
    " them another port or address, or both the same peers and senders that differ"
)
# A name is part of paths, unit names and of the configuration's identifiers.
NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,38}[a-z0-9])?")
# What can stand between quotes in rsyslog's configuration without a meaning of its own.
HOST = re.compile(r"[A-Za-z0-9.:_-]{1,253}")
PEER = re.compile(r"(?:\*\.)?[A-Za-z0-9][A-Za-z0-9._@-]{0,253}")
PATH = re.compile(r"/[A-Za-z0-9._@*/-]+")

SOURCE_SPEC: dict[str, dict[str, Any]] = {
    "transport": {"type": "str", "required": True, "choices": list(PORTS)},
    "port": {"type": "int"},
    "address": {"type": "str"},
    "senders": {"type": "list", "elements": "str", "default": []},
    "peers": {"type": "list", "elements": "str", "default": []},
    "paths": {"type": "list", "elements": "str", "default": []},
    "framing": {"type": "str", "choices": ["auto", "lf", "nul"], "default": "auto"},
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
    port: int
    address: str
    senders: tuple[Network, ...]
    peers: tuple[str, ...]
    paths: tuple[str, ...]
    framing: str
    facilities: tuple[str, ...]
    severity: int
    priority: str
    file_per: str
    queue: str
    outputs: tuple[str, ...]

    @property
    def listener(self) -> tuple[str, str, int]:
        """Sources with an equal one share a socket. A file source has one of its own."""
        return (self.transport, self.address if self.transport != "file" else self.name, self.port)

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
    queue: str


@dataclass(frozen=True)
class Receiver:
    """All of one tenant's receiver. options: the module's plain options, by name."""

    tenant: str
    sources: tuple[Source, ...]
    outputs: tuple[Output, ...]
    options: Mapping[str, Any]

    @property
    def listeners(self) -> dict[tuple[str, str, int], list[Source]]:
        found: dict[tuple[str, str, int], list[Source]] = {}
        for source in self.sources:
            found.setdefault(source.listener, []).append(source)
        return found

    @property
    def openings(self) -> set[Opening]:
        """What the host's firewall has to let in."""
        if not self.options["firewall"]:
            return set()
        return {
            Opening(source.protocol, source.port, network)
            for source in self.sources
            if source.protocol
            for network in source.senders or (None,)
        }

    @property
    def ports(self) -> frozenset[str]:
        """What it listens on, as «tcp 5601»."""
        return frozenset(f"{source.protocol} {source.port}" for source in self.sources if source.protocol)

    @property
    def uses_tls(self) -> bool:
        return any(source.peers for source in self.sources) or any(output.type == "tls" for output in self.outputs)

    @property
    def made_certificates(self) -> bool:
        return self.uses_tls and not self.options["tls_certificate"]


def receiver(options: Mapping[str, Any]) -> Receiver:
    """The receiver that the options describe.

    Raises InputError, which names the source or output and what is wrong with it.
    """
    _name("tenant", options["tenant"])
    outputs = tuple(_output(name, spec, options) for name, spec in sorted((options["outputs"] or {}).items()))
    names = tuple(output.name for output in outputs)
    sources = tuple(_source(name, spec, names, options) for name, spec in sorted((options["sources"] or {}).items()))
    if options["state"] == "present" and not sources:
        raise _wrong("sources", "there is none; a receiver needs at least one")
    for name in COUNTS:
        if options[name] < 1:
            raise _wrong(name, f"{options[name]} is not 1 or more")
    if options["disk_stop_percent"] >= options["disk_low_percent"]:
        raise _wrong("disk_stop_percent", "must be less than disk_low_percent")
    given = [name for name in ("tls_ca", "tls_certificate", "tls_key") if options[name]]
    if given and len(given) < 3:
        raise _wrong(" ".join(given), "tls_ca, tls_certificate and tls_key are given together or not at all")
    made = Receiver(options["tenant"], sources, outputs, options)
    for shared in made.listeners.values():
        _check_shared(shared)
    _check_overlap(made.sources)
    return made


def _wrong(what: str, why: str) -> InputError:
    return InputError(f"use {what}", why, next_step="correct it in the tenant file")


def _name(what: str, name: str) -> None:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise _wrong(f"{what} «{name}»", "expected lower case letters, digits, - and _, at most 40")


def _values(what: str, spec: Any, wanted: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(spec, Mapping):
        raise _wrong(what, "expected a dictionary of its options")
    found = ArgumentSpecValidator(dict(wanted)).validate(dict(spec))
    if found.error_messages:
        raise _wrong(what, "; ".join(found.error_messages))
    return dict(found.validated_parameters)


def _form(what: str, pattern: re.Pattern[str], values: list[str]) -> None:
    for value in values:
        if value and (not pattern.fullmatch(value) or "/../" in f"{value}/"):
            raise _wrong(what, f"«{value}» is not of the expected form")


def _port(what: str, port: int) -> int:
    if not 0 < port < 65536:
        raise _wrong(what, f"port {port} is not between 1 and 65535")
    return port


def _source(name: str, spec: Any, outputs: tuple[str, ...], options: Mapping[str, Any]) -> Source:
    what = f"source «{name}»"
    _name("source", name)
    values = _values(what, spec, SOURCE_SPEC)
    transport, peers, paths = values["transport"], values["peers"], values["paths"]
    for pattern, given in ((PEER, peers), (PATH, paths), (HOST, [values["address"] or ""])):
        _form(what, pattern, given)
    if transport == "tls" and not peers:
        raise _wrong(what, "transport tls needs peers, the names in the certificates that may connect")
    if peers and transport not in ("tls", "relp"):
        raise _wrong(what, f"transport {transport} knows no certificates, so it has no peers")
    if (transport == "file") != bool(paths):
        raise _wrong(what, "paths belong to transport file, and it needs them")
    unknown = [output for output in values["outputs"] or () if output not in outputs]
    if unknown:
        raise _wrong(what, f"there is no output {', '.join(unknown)}")
    return Source(
        name=name,
        transport=transport,
        port=0 if transport == "file" else _port(what, values["port"] or PORTS[transport]),
        address=values["address"] or "",
        senders=tuple(_network(what, text) for text in values["senders"]),
        peers=tuple(peers),
        paths=tuple(paths),
        framing=values["framing"],
        facilities=tuple(values["facilities"]),
        severity=SEVERITIES.index(values["severity"]),
        priority=values["priority"],
        file_per=values["file_per"],
        queue=values["queue"] or options["queue"],
        outputs=outputs if values["outputs"] is None else tuple(values["outputs"]),
    )


def _network(what: str, text: str) -> Network:
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        raise _wrong(what, f"sender {error}") from None
    if network.version == 6 and network.num_addresses > 1 and not leading_text(network):
        words = "rsyslog compares the text of IPv6 addresses, so a prefix ends between two parts, none of which is zero"
        raise _wrong(what, f"sender {text}: {words} (/32, /48, /64); or name the addresses")
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
    _name("output", name)
    values = _values(what, spec, OUTPUT_SPEC)
    missing = [option for option in OUTPUT_NEEDS[values["type"]] if not values[option]]
    if missing:
        raise _wrong(what, f"type {values['type']} needs {', '.join(missing)}")
    for option, pattern in (("host", HOST), ("peer", PEER), ("path", PATH)):
        _form(what, pattern, [values[option] or ""])
    if values["type"] != "file":
        _port(what, values["port"])
    return Output(
        name=name,
        type=values["type"],
        host="127.0.0.1" if values["type"] == "ama" else values["host"] or "",
        port=values["port"] or 0,
        peer=values["peer"] or "",
        path=values["path"] or "",
        queue=values["queue"] or options["queue"],
    )


def _check_shared(sources: list[Source]) -> None:
    """Sources on one socket are told apart by sender address alone, so they must differ in nothing the socket has."""
    first = sources[0]
    for other in sources[1:]:
        what = f"sources «{first.name}» and «{other.name}»"
        if first.peers != other.peers:
            raise _wrong(what, ONE_CERTIFICATE_PORT)
        if first.framing != other.framing:
            raise _wrong(what, "they share a port, so framing must be equal; or give one another port")
    senders = [(network, source.name) for source in sources for network in source.senders or (None,)]
    for number, (network, name) in enumerate(senders):
        for further, owner in senders[number + 1 :]:
            if owner != name and _overlap(network, further):
                raise _wrong(f"sources «{name}» and «{owner}»", "they share a port and senders: which one is meant?")


def _overlap(one: Any, other: Any) -> bool:
    return one is None or other is None or (one.version == other.version and bool(one.overlaps(other)))


def _check_overlap(sources: tuple[Source, ...]) -> None:
    """A port of one protocol is bound once: not by two transports, nor by an address and by all of them."""
    bound: dict[tuple[str, int], Source] = {}
    for source in sources:
        if not source.protocol:
            continue
        other = bound.setdefault((source.protocol, source.port), source)
        same_kind = other.transport == source.transport
        if not same_kind or (other.address != source.address and "" in (other.address, source.address)):
            what = f"sources «{other.name}» and «{source.name}»"
            raise _wrong(what, f"both want {source.protocol} port {source.port}")
