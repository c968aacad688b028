# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes of the queue's own words, without one; tests/lab/secure_endpoint has a real one."""

from __future__ import annotations

import ssl

import pika
import pytest
from pika import exceptions

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError, MissingLibraryError
from ansible_collections.mssp.onboarding.plugins.module_utils._secure_endpoint import probe
from ansible_collections.mssp.onboarding.plugins.module_utils._secure_endpoint.plan import Access

ACCESS = Access("user-1", "password", "event_stream_17", "localhost", 1)


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (exceptions.ProbableAuthenticationError("x"), "ACCESS_REFUSED", 403),
        (exceptions.ChannelClosedByBroker(404, "no queue"), "NOT_FOUND", 404),
        (exceptions.ConnectionClosedByBroker(530, "no host"), "NOT_ALLOWED", 530),
        (exceptions.ChannelClosedByBroker(599, "x"), "AMQP599", 599),
        (exceptions.AMQPConnectionError(ssl.SSLCertVerificationError("x")), "TLS", None),
        (exceptions.AMQPConnectionError(), "AMQPConnectionError", None),
        (TimeoutError("late"), "TimeoutError", None),
    ],
)
def test_each_end_of_a_connection_is_typed(error: Exception, code: str, status: int | None) -> None:
    found = probe._typed(pika, "look", error)
    assert (found.code, found.status, bool(found.message), bool(found.next_step)) == (code, status, True, True)


def test_the_library_is_asked_for_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pika", None)
    with pytest.raises(MissingLibraryError) as caught:
        probe.look(ACCESS, None)
    assert "pip install pika" in caught.value.next_step


def test_an_authority_that_cannot_be_read_is_an_option_that_is_wrong() -> None:
    with pytest.raises(InputError):
        probe.look(ACCESS, "/nowhere/ca.pem")
