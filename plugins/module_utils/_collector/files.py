# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files to a collector as appliances push them: the legacy SCP protocol («scp -t») and SFTP, by paramiko."""

from __future__ import annotations

import shlex
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from .._core.errors import InputError, MissingLibraryError, NoAnswerError, OnboardingError, RefusedError, SignInError

try:
    import paramiko  # type: ignore[import-untyped]
except ImportError:  # said by connected(), so that documentation tools and collectors can import this file
    paramiko = None

MODE = 0o644
MAX_LINE = 4096
File = tuple[str, bytes]


class Channel(Protocol):
    def sendall(self, data: bytes, /) -> None: ...

    def recv(self, size: int, /) -> bytes: ...


def header(name: str, size: int) -> bytes:
    """The line that announces a file: C, mode, size, name."""
    if not name or "/" in name or "\n" in name:
        raise InputError("push a file by SCP", f"a file name cannot be {name!r}")
    return f"C{MODE:04o} {size} {name}\n".encode()


def answer(channel: Channel, operation: str) -> None:
    """One answer of the sink: 0 is yes; 1 and 2 are followed by a line that says why not."""
    code = channel.recv(1)
    if code == b"\0":
        return
    text = b""
    while code and not text.endswith(b"\n") and len(text) < MAX_LINE:
        more = channel.recv(1)
        if not more:
            break
        text += more
    said = (text if code in (b"\1", b"\2") else code + text).decode("utf-8", "replace").strip()
    if not code:
        raise NoAnswerError(operation, "the collector closed the channel", code="scp_closed")
    raise RefusedError(operation, said or "no reason given", code=f"scp_{code[0]}")


def push(channel: Channel, files: Iterable[File]) -> Iterator[None]:
    """The source's side of one «scp -t»; yields after each file that the sink took."""
    answer(channel, "start SCP")
    for name, data in files:
        operation = f"push {name} by SCP"
        channel.sendall(header(name, len(data)))
        answer(channel, operation)
        channel.sendall(data + b"\0")
        answer(channel, operation)
        yield


@contextmanager
def connected(params: dict[str, Any], connect: Callable[[], socket.socket]) -> Iterator[Any]:
    """A signed-in paramiko client over our own connected socket; the host key must be known."""
    if paramiko is None:
        raise MissingLibraryError("paramiko")
    operation = f"sign in to {params['user']}@{params['host']}:{params['port']} by SSH"
    with paramiko.SSHClient() as client:
        try:
            client.load_host_keys(params["known_hosts"])
        except OSError as error:
            raise InputError(operation, f"cannot read known_hosts {params['known_hosts']}: {error}") from error
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        try:
            client.connect(
                params["host"],
                params["port"],
                params["user"],
                key_filename=params["private_key_file"],
                passphrase=params["private_key_passphrase"],
                allow_agent=False,
                look_for_keys=False,
                sock=connect(),
                banner_timeout=params["timeout"],
                auth_timeout=params["timeout"],
            )
        except paramiko.BadHostKeyException as error:
            step = "find out why the collector's host key changed before anything is sent to it"
            raise SignInError(operation, str(error), code="host_key", next_step=step) from error
        except (paramiko.SSHException, OSError, ValueError) as error:
            step = "check user, key, its passphrase, known_hosts and the addresses from which the key may be used"
            raise SignInError(operation, str(error) or type(error).__name__, next_step=step) from error
        yield client


def by_scp(client: Any, folder: str, files: Iterable[File], timeout: float) -> Iterator[None]:
    channel = client.get_transport().open_session(timeout=timeout)
    channel.settimeout(timeout)
    with channel:
        channel.exec_command(f"scp -t {shlex.quote(folder)}")  # quoted  # nosec B601
        yield from _told(push(channel, files), "push files by SCP")
        channel.shutdown_write()
        # A sink that keeps files only when it ended well ends after this.
        code = channel.recv_exit_status()
        if code != 0:
            text = channel.recv_stderr(MAX_LINE).decode("utf-8", "replace").strip()
            raise RefusedError("end SCP", text or f"the sink ended with {code}", code=f"scp_exit_{code}")


def by_sftp(client: Any, folder: str, files: Iterable[File], timeout: float) -> Iterator[None]:
    with client.open_sftp() as session:
        session.get_channel().settimeout(timeout)
        yield from _told(_put(session, folder, files), "push files by SFTP")


def _put(session: Any, folder: str, files: Iterable[File]) -> Iterator[None]:
    for name, data in files:
        with session.open(f"{folder.rstrip('/')}/{name}" if folder else name, "wx") as file:
            file.write(data)
        yield


def _told(steps: Iterator[None], operation: str) -> Iterator[None]:
    """An error of paramiko or the network as one of ours."""
    try:
        yield from steps
    except OnboardingError:
        raise
    except (paramiko.SSHException, OSError) as error:
        raise NoAnswerError(operation, str(error) or type(error).__name__) from error
