# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer is read as it is documented, or refused."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.client import ODD_SHAPE
from ansible_collections.mssp.onboarding.plugins.module_utils._secure_endpoint.api import access, stream
from ansible_collections.mssp.onboarding.plugins.module_utils._secure_endpoint.plan import Access, Filters, Stream

OPENS = {
    "user_name": "17-3a9c1f",
    "queue_name": "event_stream_17",
    "password": "a-long-password",
    "host": "export-streaming.amp.cisco.com",
    "port": "443",
    "proto": "amqps",
}
GOOD = {"id": 17, "name": "SIEM", "event_types": [5], "group_guids": ["x"]}


def test_it_is_read_as_it_is_documented() -> None:
    assert stream(GOOD) == Stream(17, "SIEM", Filters(frozenset({5}), frozenset({"x"})))
    assert stream({"id": 17, "name": "SIEM"}) == Stream(17, "SIEM")
    wanted = Access("17-3a9c1f", "a-long-password", "event_stream_17", "export-streaming.amp.cisco.com", 443)
    assert access({"amqp_credentials": OPENS}) == access({"amqp_credentials": {**OPENS, "port": 443}}) == wanted


@pytest.mark.parametrize("field", GOOD)
@pytest.mark.parametrize("odd", [True, -1, {}, {"a": 5}, [None], [-1]])
def test_another_shape_is_refused(field: str, odd: Any) -> None:
    with pytest.raises(ODD_SHAPE):
        stream({**GOOD, field: odd})


@pytest.mark.parametrize("field", OPENS)
@pytest.mark.parametrize("odd", [None, -1, [], "", "a", "two words", "a" * 400])
def test_credentials_that_are_none_are_refused(field: str, odd: Any) -> None:
    """A password of one letter would be taken out of all that is told; one in the clear is no password for long."""
    if field == "host" and odd in ("a",):
        return
    with pytest.raises(ODD_SHAPE):
        access({"amqp_credentials": {**OPENS, field: odd}})


@pytest.mark.parametrize("bad", [{"proto": "amqp"}, {"host": "x/../y"}, {"host": "user@x"}, {"port": "0"}])
def test_a_queue_is_reached_by_tls_and_by_a_name(bad: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="address"):
        access({"amqp_credentials": {**OPENS, **bad}})
