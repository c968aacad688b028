# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue itself, by AMQP: how full it is and how many read it, without taking an event out of it.

Source: AMQP 0-9-1 and RabbitMQ's documentation: a passive declare changes nothing and tells what is ready, and its
answer needs no right to read. So the right is tried once, by asking for a message while there is none.
Seen in public consumers: the virtual host is the default one.
"""

from __future__ import annotations

import logging
import socket
import ssl
from typing import Any, NamedTuple

from .._core.errors import InputError, MissingLibraryError, NoAnswerError, OnboardingError, RefusedError, tls_step
from .plan import Access

SECONDS = 10.0
REFUSED_STEP = "see whether somebody removed the stream and made another; drift names what is there"
PIKA_STEP = "install the Python library pika (pip install pika) for the interpreter that runs this task"
# A server's reply codes, by AMQP's names.
CODES = {
    403: "ACCESS_REFUSED",
    404: "NOT_FOUND",
    405: "RESOURCE_LOCKED",
    406: "PRECONDITION_FAILED",
    530: "NOT_ALLOWED",
}


class Depth(NamedTuple):
    """messages: that wait; consumers: that read."""

    messages: int
    consumers: int


def pika() -> Any:
    """The library, which only this needs. Raises MissingLibraryError."""
    try:
        import pika as library  # type: ignore[import-untyped]
    except ImportError:
        error = MissingLibraryError("pika")
        error.next_step = PIKA_STEP
        raise error from None
    # What it has to say comes as an exception; without a handler Python prints it to the user, too.
    logging.getLogger("pika").addHandler(logging.NullHandler())
    return library


def look(access: Access, ca_file: str | None, *, reads: bool = False) -> Depth:
    """How the queue stands. Blocks; for a thread. Raises OnboardingError.

    Args:
        reads: try the right to read, too, where nothing waits. What comes all the same is given back.
    """
    library = pika()
    operation = f"look at the queue {access.queue} at {access.host}:{access.port}"
    try:
        connection = library.BlockingConnection(_parameters(library, access, ca_file))
    except (library.exceptions.AMQPError, OSError) as error:
        raise _typed(library, operation, error) from error
    try:
        channel = connection.channel()
        told = channel.queue_declare(access.queue, passive=True, durable=True).method
        if reads and not told.message_count:
            found = channel.basic_get(access.queue, auto_ack=False)
            if found[0] is not None:
                channel.basic_nack(found[0].delivery_tag, requeue=True)
        return Depth(told.message_count, told.consumer_count)
    except (library.exceptions.AMQPError, OSError) as error:
        raise _typed(library, operation, error) from error
    finally:
        if connection.is_open:
            connection.close()


def _parameters(library: Any, access: Access, ca_file: str | None) -> Any:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise InputError("read ca_file", f"{ca_file}: {error}", next_step="correct ca_file") from error
    return library.ConnectionParameters(
        access.host,
        access.port,
        credentials=library.PlainCredentials(access.user, access.password),
        ssl_options=library.SSLOptions(context, access.host),
        socket_timeout=SECONDS,
        stack_timeout=SECONDS,
        blocked_connection_timeout=SECONDS,
        heartbeat=30,
    )


def _typed(library: Any, operation: str, error: Exception) -> OnboardingError:
    """What the broker refused, or that nobody answered."""
    causes = list(_causes(error))
    named = library.exceptions
    for one in causes:
        if isinstance(one, named.AuthenticationError | named.ProbableAuthenticationError):
            return _refused(operation, 403, "the queue's user or password is not taken")
        if isinstance(one, named.ChannelClosedByBroker | named.ConnectionClosedByBroker):
            return _refused(operation, one.reply_code, str(one.reply_text))
    for one in causes:
        if isinstance(one, ssl.SSLError):
            return NoAnswerError(operation, str(one), code="TLS", next_step=tls_step(str(one)))
        if isinstance(one, socket.gaierror):
            return NoAnswerError(operation, str(one), code="NoSuchHost")
    return NoAnswerError(operation, str(causes[-1]) or type(causes[-1]).__name__, code=type(error).__name__)


def _causes(error: Any) -> Any:
    """The error and what it came of: pika wraps what the socket said."""
    yield error
    for inner in (*getattr(error, "args", ()), getattr(error, "exceptions", None), getattr(error, "exception", None)):
        for one in inner if isinstance(inner, list | tuple) else (inner,):
            if isinstance(one, BaseException):
                yield from _causes(one)


def _refused(operation: str, code: int, text: str) -> RefusedError:
    return RefusedError(operation, text[:300], code=CODES.get(code, f"AMQP{code}"), status=code, next_step=REFUSED_STEP)
