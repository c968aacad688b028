# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wanted is checked once, and all that is wrong is said at once."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._sophos.options import CONVERGE_SPEC, Setup, setup

GOOD: dict[str, Any] = {
    "firewalls": {
        "hq": {"host": "FW.contoso.example", "serial_number": "C01001ABCDEF123"},
        "branch": {"host": "2001:db8::1", "port": 4445, "serial_number": "C01001ABCDEF456"},
    },
    "username": "mssp-api",
    "password": "one",
    "passwords": {"branch": "two"},
    "receiver": {"address": "203.0.113.10", "port": 6514, "transport": "tls"},
}


def typed(**given: Any) -> Setup:
    found = ArgumentSpecValidator(CONVERGE_SPEC).validate({**GOOD, **given})
    assert not found.error_messages, found.error_messages
    return setup(found.validated_parameters)


def test_parameters_are_typed() -> None:
    found = typed(state="absent")
    assert [one.url for one in found.firewalls] == ["https://fw.contoso.example:4444", "https://[2001:db8::1]:4445"]
    assert [one.password for one in found.firewalls] == ["one", "two"]
    assert (found.leaving, found.secure) == (True, True)
    assert dict(found.server.settings) == {
        "ServerAddress": "203.0.113.10", "Port": "6514", "EnableSecureConnection": "Enable", "Facility": "DAEMON",
        "SeverityLevel": "Information", "Format": "DeviceStandardFormat",
    }  # fmt: skip
    assert dict(typed(server={"format": "standard_syslog"}).server.settings)["Format"] == "3"
    without = typed(receiver=None)
    assert (without.server.settings, without.secure, without.leaving) == ((), False, False)


@pytest.mark.parametrize(("transport", "port", "secure"), [("udp", "514", "Disable"), ("tls", "6514", "Enable")])
def test_a_source_that_names_no_port_has_that_of_its_transport(transport: str, port: str, secure: str) -> None:
    held = dict(typed(receiver={"address": "203.0.113.10", "transport": transport}).server.settings)
    assert (held["Port"], held["EnableSecureConnection"]) == (port, secure)


def test_every_reason_is_said() -> None:
    same = {"host": "192.0.2.1", "serial_number": "C01001ABCDEF123"}
    bad = {
        "a": {"host": "https://x", "serial_number": "no"},
        "b": {"host": "192.0.2.1"},
        "c": "text",
        "d": same,
        "e": {**same, "port": 0},
        "f": same,
    }
    with pytest.raises(InputError) as caught:
        typed(
            firewalls=bad,
            passwords={"z": "three"},
            password=None,
            server={"name": "a,b", "categories": ["Events/", "x/y/z"]},
            receiver={"address": "a b", "port": 99999},
        )
    words = (
        *("firewalls.a.host", "firewalls.a.serial_number", "firewalls.b: missing", "firewalls.c: missing", "e.port"),
        *("f is at 192.0.2.1", "d has no password", "no firewall 'z'", "server.name", "'Events/'", "'x/y/z'"),
        *("receiver.address", "receiver.port"),
    )
    assert [word for word in words if word not in caught.value.message] == []
    assert "three" not in caught.value.message


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"firewalls": {}, "passwords": {}}, "firewalls must name at least one"),
        ({"server": {"categories": []}}, "server.categories must name at least one"),
    ],
)
def test_nothing_is_no_wish(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        typed(**given)
    assert "nothing was sent" in caught.value.next_step


@pytest.mark.parametrize("name", ["", "x" * 51, "a,b", "a\x07b", " a", "a "])
def test_a_name_that_the_firewall_would_not_give_back_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"server\.name"):
        typed(server={"name": name})
    assert typed(server={"name": "x" * 50}).server.name == "x" * 50


def test_two_of_one_serial_number_are_refused() -> None:
    """What arrives from one would be taken for the other's, too."""
    held = GOOD["firewalls"]
    twice = {"hq": held["hq"], "branch": held["branch"] | {"serial_number": held["hq"]["serial_number"]}}
    with pytest.raises(InputError) as caught:
        typed(firewalls=twice)
    assert "branch has the serial_number C01001ABCDEF123, as another has" in caught.value.message
