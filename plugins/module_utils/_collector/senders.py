# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sending a run: one sender per transport, each counts what it handed over.

Runs on collectors too: Python 3.9, standard library only, but for SCP and SFTP.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from ipaddress import ip_address, ip_network
from typing import Any

from .._core.errors import InputError, NoAnswerError, OnboardingError, SignInError, tls_step
from . import files, relp
from .records import FRAMINGS, TAG, Style, bodies, dress

REFUSAL_SECONDS = 0.5  # how long to wait for a refusal that comes after the handshake, as TLS 1.3 has it


class Sent:
    """count: records handed over; acknowledged: those that the collector said it has, None where it says nothing."""

    def __init__(self) -> None:
        self.count = 0
        self.acknowledged: int | None = None
        self.started = time.time()
        self.seconds = 0.0


def paced(rate: float) -> Callable[[Iterator[bytes]], Iterator[bytes]]:
    """At most C(rate) items a second, evenly; 0 is no limit."""

    def items(source: Iterator[bytes]) -> Iterator[bytes]:
        start = time.monotonic()
        number = 0
        while True:
            early = start + number / rate - time.monotonic() if rate else 0.0
            if early > 0:
                time.sleep(early)
            try:
                item = next(source)
            except StopIteration:
                return
            yield item
            number += 1

    return items


def own_address(params: Mapping[str, Any]) -> str:
    """The address from which this host would send to the collector. Raises NoAnswerError."""
    with _resolved(params, socket.SOCK_DGRAM) as link:
        return str(link.getsockname()[0])


def may_send(address: str, senders: list[str]) -> bool:
    """Whether an address is in one of the networks; with none given, any is. Raises InputError."""
    try:
        networks = [ip_network(sender, strict=False) for sender in senders]
    except ValueError as error:
        raise InputError("read the options", f"senders: {error}") from error
    own = ip_address(address.partition("%")[0])
    return not networks or any(own in network for network in networks)


def send(params: Mapping[str, Any], run: str) -> tuple[Sent, OnboardingError | None]:
    """Send the run; an error in the middle comes with what was sent before it."""
    sent = Sent()
    error: OnboardingError | None = None
    try:
        SENDERS[params["transport"]](params, run, sent)
    except OnboardingError as found:
        error = found
    except OSError as found:
        operation = f"send to {params['host']}:{params['port']} by {params['transport']}"
        step = "check that the collector listens there, and firewalls on the way"
        error = NoAnswerError(operation, found.strerror or str(found) or type(found).__name__, next_step=step)
    sent.seconds = time.time() - sent.started
    return sent, error


def _messages(params: Mapping[str, Any], run: str) -> Iterator[bytes]:
    style = Style(params["format"], params["facility"], params["severity"], params["hostname"])
    texts = bodies(run, params["count"], params["size"])
    for text in paced(params["rate"])(texts):
        yield dress(style, text, time.time())


def _resolved(params: Mapping[str, Any], kind: socket.SocketKind) -> socket.socket:
    """A connected socket of the first address that works. Raises OSError."""
    last: OSError = OSError(f"no address for {params['host']}")
    for family, type_, protocol, _name, address in socket.getaddrinfo(params["host"], params["port"], type=kind):
        link = socket.socket(family, type_, protocol)
        try:
            link.settimeout(params["timeout"])
            if params["source_address"]:
                link.bind((params["source_address"], 0))
            link.connect(address)
        except OSError as error:
            link.close()
            last = error
            continue
        return link
    raise last


def _udp(params: Mapping[str, Any], run: str, sent: Sent) -> None:
    with _resolved(params, socket.SOCK_DGRAM) as link:
        for message in _messages(params, run):
            link.send(message)
            sent.count += 1
        with suppress(socket.timeout):
            link.settimeout(REFUSAL_SECONDS)
            link.recv(1)  # «port unreachable» comes back as an error of the socket


def _tcp(params: Mapping[str, Any], run: str, sent: Sent) -> None:
    with _resolved(params, socket.SOCK_STREAM) as link:
        _stream(params, run, sent, link)


def _tls(params: Mapping[str, Any], run: str, sent: Sent) -> None:
    with _secured(params) as link:
        _stream(params, run, sent, link)


def _stream(params: Mapping[str, Any], run: str, sent: Sent, link: socket.socket) -> None:
    framing = FRAMINGS[params["framing"]]
    for message in _messages(params, run):
        link.sendall(framing(message))
        sent.count += 1
    _close(link)


def _close(link: socket.socket) -> None:
    """Say the end and wait until the other side has read up to it, so that nothing in flight is thrown away."""
    with suppress(socket.timeout):
        if isinstance(link, ssl.SSLSocket):
            link.settimeout(REFUSAL_SECONDS)
            with suppress(ssl.SSLEOFError):  # many close without a word
                link.unwrap()
            return
        link.shutdown(socket.SHUT_WR)
        while link.recv(4096):
            pass


@contextmanager
def _secured(params: Mapping[str, Any]) -> Iterator[ssl.SSLSocket]:
    """TLS, always verified. Raises SignInError where either side refuses the other."""
    operation = f"open TLS to {params['host']}:{params['port']}"
    context = _context(params, operation)
    with _resolved(params, socket.SOCK_STREAM) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=params["server_name"] or params["host"]) as link:
                _await_refusal(link)
                link.settimeout(params["timeout"])
                yield link
        except ssl.SSLCertVerificationError as error:
            step = f"{tls_step(error.verify_message)}; set server_name to a name in it"
            raise SignInError(operation, error.verify_message, code="tls_server", next_step=step) from error
        except (ssl.SSLError, ConnectionResetError, BrokenPipeError) as error:
            text = getattr(error, "reason", None) or error.strerror or str(error)
            step = "check that the collector takes our certificate: its authority, its dates and the names it permits"
            raise SignInError(
                operation, f"the collector ended it: {text}", code="tls_refused", next_step=step
            ) from error


def _context(params: Mapping[str, Any], operation: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=params["ca_file"], cadata=params["ca_data"])
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if params["client_cert"]:
            # An empty passphrase stops OpenSSL from asking for one on the terminal.
            passphrase = params["client_key_passphrase"] or ""
            context.load_cert_chain(params["client_cert"], params["client_key"], passphrase)
    except OSError as error:
        raise InputError(operation, f"a certificate or key cannot be used: {error}") from error
    return context


def _await_refusal(link: ssl.SSLSocket) -> None:
    """With TLS 1.3 a client's certificate is refused after the client thinks that all is well."""
    link.settimeout(REFUSAL_SECONDS)
    with suppress(socket.timeout):
        link.recv(1)
        raise ConnectionResetError(0, "closed after the handshake")


def _relp(params: Mapping[str, Any], run: str, sent: Sent) -> None:
    opened = _secured(params) if params["ca_file"] or params["ca_data"] else _resolved(params, socket.SOCK_STREAM)
    with opened as link, link.makefile("rb") as stream:
        session = relp.Session(link, stream)
        session.open()
        try:
            for _each in session.send(_messages(params, run)):
                sent.count += 1
        finally:
            sent.acknowledged = session.acknowledged
        session.close()


def _files(params: Mapping[str, Any], run: str, sent: Sent) -> None:
    with _resolved(params, socket.SOCK_STREAM) as plain, files.connected(dict(params), lambda: plain) as client:
        texts = paced(params["rate"])(bodies(run, params["count"], params["size"]))
        named = ((_file_name(params, run, number), text + b"\n") for number, text in enumerate(texts))
        for _each in PUSHES[params["transport"]](client, params["remote_path"], named, params["timeout"]):
            sent.count += 1
        sent.acknowledged = sent.count


def _file_name(params: Mapping[str, Any], run: str, number: int) -> str:
    return str(params["file_name"]).replace("*", f"{TAG}-{run}-{number:06d}")


PUSHES = {"scp": files.by_scp, "sftp": files.by_sftp}
SENDERS: dict[str, Callable[[Mapping[str, Any], str, Sent], None]] = {
    "udp": _udp,
    "tcp": _tcp,
    "tls": _tls,
    "relp": _relp,
    "scp": _files,
    "sftp": _files,
}
