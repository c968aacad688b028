# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to each appliance: SSH with pinned host keys, through Cisco's proxy where it is in Cisco's cloud."""

from __future__ import annotations

import asyncio
import codecs
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, TypeVar

from .._core.errors import InputError, MissingLibraryError, NoAnswerError, OnboardingError, RefusedError, SignInError
from .._core.redaction import Redactor
from . import scripts
from .options import Appliance, Setup
from .session import Limits, Session

try:
    import paramiko  # type: ignore[import-untyped]
    from paramiko.pkey import UnknownKeyType  # type: ignore[import-untyped]
except ImportError:  # said by connected(), so that documentation tools can import this file
    paramiko = None

T = TypeVar("T")
CONNECT_SECONDS = 20.0
# So many rows that nothing is paged, where the other side heeds it; where it does not, pages are turned.
COLUMNS, ROWS = 500, 10_000
CHUNK = 65536
# What looks like the end of a screen is one if nothing comes for this part of the time that a screen may take.
SETTLES = 400
# Codes by which preflight tells one hop from the other.
PROXY_KEY, FORWARD, SIGN_IN, UNKNOWN_KEY, OTHER_KEY, OTHER_SERIAL = (
    *("ProxySignIn", "ForwardRefused", "SignIn"),
    *("HostKeyUnknown", "HostKeyChanged", "OtherSerialNumber"),
)
KEY_STEP = (
    "compare this fingerprint with what the appliance (logconfig > hostkeyconfig > FINGERPRINT), or Cisco, says by "
    "another way, then add the line to {file}: {line}"
)
CHANGED_STEP = "find out why the host key changed before anything is sent there; then replace its line in {file}"
SERIAL_STEP = "check host and serial_number of the tenant file: this may be another customer's appliance"


class Channel:
    """A shell of paramiko's as a Terminal."""

    def __init__(self, channel: Any, close: Callable[[], None]) -> None:
        self._channel, self.close = channel, close
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def send(self, text: str) -> None:
        try:
            self._channel.sendall(text.encode())
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise _cut(error) from error

    def receive(self, seconds: float) -> str | None:
        self._channel.settimeout(seconds)
        try:
            data = self._channel.recv(CHUNK)
        except TimeoutError:
            return None
        except OSError as error:
            raise _cut(error) from error
        if not data:
            raise _cut(None)
        return self._decoder.decode(data)


def _cut(error: Exception | None) -> NoAnswerError:
    return NoAnswerError(
        "go on in the command line", str(error or "the session was closed by the other side"), code="Cut"
    )


class Esa:
    """The appliances of one tenant: one session at a time at each."""

    def __init__(self, wanted: Setup) -> None:
        self._wanted = wanted
        self._busy = {one.name: asyncio.Lock() for one in wanted.appliances}
        self._free = asyncio.Semaphore(wanted.concurrency)
        self.sessions: Counter[str] = Counter()
        self._close: dict[str, Callable[[], None]] = {}

    async def run(self, appliance: Appliance, work: Callable[[Session, scripts.Identity], T]) -> T:
        """Do something in a session of its own, at the appliance of that serial number. Raises OnboardingError."""
        async with self._busy[appliance.name], self._free:
            self.sessions["session"] += 1
            try:
                return await asyncio.to_thread(self._run, appliance, work)
            except asyncio.CancelledError:
                # The thread would go on until its own limits: what it waits for is taken from it.
                self._close.get(appliance.name, _nothing)()
                raise

    def _run(self, appliance: Appliance, work: Callable[[Session, scripts.Identity], T]) -> T:
        with self._shell(appliance) as terminal:
            patience = self._wanted.screen_seconds
            session = Session(terminal, Limits(screen=patience, settle=patience / SETTLES))
            identity = session.run(scripts.identify())
            if identity.serial.upper() != appliance.serial:
                text = f"{appliance.host} has the serial number {identity.serial}, and not {appliance.serial}"
                raise RefusedError("know the appliance", text, code=OTHER_SERIAL, next_step=SERIAL_STEP)
            return work(session, identity)

    @contextmanager
    def _shell(self, to: Appliance) -> Iterator[Channel]:
        wanted = self._wanted
        opened: list[Any] = []

        def close() -> None:
            for one in reversed(opened):
                with suppress(OSError, EOFError, paramiko.SSHException):  # the other end was quicker
                    one.close()

        self._close[to.name] = close
        try:
            sock: Any = None
            if proxy := wanted.proxy:
                hop = self._transport(proxy.host, proxy.port, None)
                opened.append(hop)
                self._sign_in(hop, proxy.username, "", proxy.key_file, f"{proxy.host}, Cisco's proxy", PROXY_KEY)
                sock = _forwarded(hop, to)
            transport = self._transport(to.host, to.port, sock)
            opened.append(transport)
            self._sign_in(transport, wanted.username, wanted.password, wanted.key_file, to.host, SIGN_IN)
            yield Channel(_opened(transport), close)
        finally:
            close()

    def _transport(self, host: str, port: int, sock: Any) -> Any:
        """A transport whose host key is the one that known_hosts has."""
        operation = f"connect to {host}:{port} by SSH"
        try:
            sock = sock or socket.create_connection((host, port), CONNECT_SECONDS)
            transport = paramiko.Transport(sock)
        except (paramiko.SSHException, OSError) as error:
            raise NoAnswerError(operation, str(error) or type(error).__name__, code="NoConnection") from error
        name = host if port == 22 else f"[{host}]:{port}"
        known = self._known().lookup(name) or {}
        try:
            transport.banner_timeout = transport.auth_timeout = CONNECT_SECONDS
            if known:
                options = transport.get_security_options()
                options.key_types = [one for one in options.key_types if _family(one) in known] or options.key_types
            transport.start_client(timeout=CONNECT_SECONDS)
            self._pinned(transport.get_remote_server_key(), known, name, operation)
        except (paramiko.SSHException, OSError, EOFError) as error:
            transport.close()
            raise NoAnswerError(operation, str(error) or type(error).__name__, code="NoConnection") from error
        except OnboardingError:
            transport.close()
            raise
        return transport

    def _pinned(self, key: Any, known: Any, name: str, operation: str) -> None:
        shown = f"{key.get_name()} {key.fingerprint}"
        file = self._wanted.known_hosts
        if not known:
            step = KEY_STEP.format(file=file, line=f"{name} {key.get_name()} {key.get_base64()}")
            raise SignInError(operation, f"its host key is not known: {shown}", code=UNKNOWN_KEY, next_step=step)
        if known.get(key.get_name()) != key:
            step = CHANGED_STEP.format(file=file)
            raise SignInError(operation, f"its host key is another one: {shown}", code=OTHER_KEY, next_step=step)

    def _known(self) -> Any:
        """Read for each connection: a key that was added meanwhile counts."""
        try:
            return paramiko.HostKeys(self._wanted.known_hosts)
        except OSError as error:
            text = f"cannot read known_hosts: {error}"
            step = "give known_hosts the path of a file of OpenSSH's form; an empty one will do for the first preflight"
            raise InputError("know the hosts", text, next_step=step) from error

    @staticmethod
    def _sign_in(transport: Any, user: str, password: str, key_file: str, host: str, code: str) -> None:
        operation = f"sign in to {host} as {user}"
        step = "check the account, its password or key, and whether it is locked"
        try:
            if key_file:
                transport.auth_publickey(user, paramiko.PKey.from_path(key_file))
            else:
                transport.auth_password(user, password, fallback=True)
            # Some want both, one after the other.
            if not transport.is_authenticated() and password:
                transport.auth_password(user, password)
        except (OSError, ValueError, TypeError, paramiko.PasswordRequiredException, UnknownKeyType) as error:
            raise InputError(operation, f"the key cannot be read: {error}", code="KeyFile", next_step=step) from error
        except paramiko.AuthenticationException as error:
            raise SignInError(operation, str(error), code=code, next_step=step) from error
        except (paramiko.SSHException, EOFError) as error:
            raise NoAnswerError(operation, str(error) or type(error).__name__, code="Cut") from error
        if not transport.is_authenticated():
            raise SignInError(operation, "one more proof is wanted", code=code, next_step=step)


def _nothing() -> None:
    """Nothing is open."""


def _family(name: str) -> str:
    """Signatures of one RSA key have three names."""
    return "ssh-rsa" if name.startswith("rsa-sha2-") else name


def _forwarded(hop: Any, to: Appliance) -> Any:
    operation = f"reach {to.host} through Cisco's proxy"
    try:
        return hop.open_channel("direct-tcpip", (to.host, to.port), ("127.0.0.1", 0), timeout=CONNECT_SECONDS)
    except paramiko.ChannelException as error:
        step = "ask Cisco's support whether the proxy is the one of this customer's data centre, and what host it knows"
        raise RefusedError(operation, str(error), code=FORWARD, next_step=step) from error
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise NoAnswerError(operation, str(error) or type(error).__name__, code="Cut") from error


def _opened(transport: Any) -> Any:
    try:
        channel = transport.open_session(timeout=CONNECT_SECONDS)
        channel.get_pty("vt100", COLUMNS, ROWS)
        channel.invoke_shell()
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise NoAnswerError("open a shell", str(error) or type(error).__name__, code="NoShell") from error
    return channel


def public_part(key_file: str) -> str:
    """The public half of a key, for whoever has to let it in."""
    key = paramiko.PKey.from_path(key_file)
    return f"{key.get_name()} {key.get_base64()}"


@asynccontextmanager
async def connected(wanted: Setup, redactor: Redactor) -> AsyncIterator[Esa]:
    """A client; each session has a connection of its own."""
    if paramiko is None:
        raise MissingLibraryError("paramiko")
    redactor.add(wanted.password)
    yield Esa(wanted)
