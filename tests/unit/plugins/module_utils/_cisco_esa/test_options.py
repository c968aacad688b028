# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that cannot be right, each with its place, before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa import options
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError

from .boxes import HOST_KEY

GIVEN: dict[str, Any] = {
    "appliances": {"esa1": {"host": "esa1.example", "serial_number": "4202abcdef"}},
    "username": "mssp",
    "password": "secret",
    "known_hosts": "/etc/known",
    "subscriptions": {"mssp_mail": {"type": "mail"}},
    "receiver": {
        "method": "scp_push",
        "address": "192.0.2.9",
        "port": 22,
        "user": "mssp-contoso-esa",
        "directory": "/upload",
        "host_keys": [HOST_KEY],
    },
}
SYSLOG = {"method": "syslog_push", "address": "192.0.2.9", "port": 514, "transport": "udp"}


def setup(**given: Any) -> options.Setup:
    found = ArgumentSpecValidator(options.CONVERGE_SPEC).validate({**GIVEN, **given})
    assert not found.error_messages, found.error_messages
    return options.setup(found.validated_parameters)


def test_a_wish_becomes_fields() -> None:
    found = setup()
    assert found.appliances[0].serial == "4202ABCDEF"
    (one,) = found.subscriptions
    assert one.fields["filename"] == "mssp_mail"
    assert one.fields["identifier_format"] == "$hostname.$serialnumber"
    assert one.host_keys == (HOST_KEY,)
    (plain,) = setup(receiver=SYSLOG).subscriptions
    assert plain.fields["facility"] == "mail"
    assert "host_key_check" not in plain.fields


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"appliances": {}}, "at least one"),
        ({"appliances": {"a": {"host": "h\n", "serial_number": "4202abcdef"}}}, "appliances.a.host"),
        ({"password": None}, "password or private_key_file"),
        ({"subscriptions": {"commit": {"type": "mail"}}}, "subscriptions.commit: a name"),
        ({"subscriptions": {"mssp_a": {"type": "mails"}}}, "value of type must be one of"),
        ({"subscriptions": {"mssp_a": {"type": "mail", "max_size": "1K"}}}, "max_size"),
        ({"subscriptions": {"mssp_a": {"type": "mail", "rollover_interval": "13d"}}}, "rollover_interval"),
        (
            {"subscriptions": {"mssp_a": {"type": "mail"}, "mssp_b": {"type": "gui", "filename": "mssp_a"}}},
            "mssp_a begins",
        ),
        (
            {"subscriptions": {"mssp_a": {"type": "mail"}, "mssp_b": {"type": "gui", "filename": "mssp_a.b"}}},
            "mssp_a begins",
        ),
        ({"subscriptions": {"mssp_a": {"type": "bounces"}}, "receiver": SYSLOG}, "do not go by syslog"),
        ({"receiver": {**GIVEN["receiver"], "host_keys": []}}, "receiver.host_keys is needed"),
        ({"receiver": {**GIVEN["receiver"], "host_keys": ["ssh-rsa AAAA\ncommit"]}}, "receiver.host_keys"),
        ({"receiver": {**GIVEN["receiver"], "directory": "/up\ncommit"}}, "receiver.directory"),
        ({"receiver": {one: SYSLOG[one] for one in ("method", "address", "port")}}, "receiver.transport"),
        ({"appliances": {"a": GIVEN["appliances"]["esa1"], "b": GIVEN["appliances"]["esa1"]}}, "of another"),
    ],
)
def test_what_cannot_be_right_is_named(given: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match="nothing was sent") as raised:
        setup(**given)
    assert says in str(raised.value)
