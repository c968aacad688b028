# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How streamed records are read: azure-eventhub against a broker of another maker, which speaks AMQP 1.0."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jwt
import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.defender_xdr import records
from lab.client import LabClient
from lab.kernel import ca
from lab.testing import CONTOSO, ROOT

PEER = ROOT / ".cache" / "peers" / "eventhub"
SUBSCRIPTION = "/subscriptions/20000000-0000-4000-8000-000000000003"
BROKER = Path(__file__).with_name("event_hub_broker.py")
# Of AMQP 1.0: performatives by number, and the most fields of one.
OPEN, TRANSFER, CLOSE, FIELDS = 16, 20, 24, 14
Seen = Callable[..., records.Seen]


class Tokens:
    async def get(self, _tenant: str, _scope: str) -> str:
        return jwt.encode({"exp": 4_000_000_000}, "k" * 32)


def filled(decode: Callable[[Any], tuple[int, list[Any]]]) -> Callable[[Any], tuple[int, list[Any]]]:
    """Azure sends every field, which the library stands on; Proton leaves those out that are null at the end."""

    def whole(data: Any) -> tuple[int, list[Any]]:
        kind, fields = decode(data)
        last = [fields.pop()] if kind == TRANSFER else []
        missing = [None] * ((FIELDS - len(fields)) if OPEN <= kind <= CLOSE else 0)
        return kind, [*fields, *missing, *last] if kind != TRANSFER else [*fields, *missing][:11] + last

    return whole


@pytest.fixture(scope="module")
def patches() -> Iterator[pytest.MonkeyPatch]:
    """The library is imported once, which takes seconds, and forgotten at the end."""
    with pytest.MonkeyPatch.context() as made:
        yield made
    for name in [name for name in sys.modules if name.startswith("azure.eventhub")]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, patches: pytest.MonkeyPatch) -> Iterator[Seen]:
    """seen(bodies, *options of the broker)"""
    packages = next(iter(PEER.glob("lib/python*/site-packages")), None)
    if packages is None:
        pytest.skip("there is no azure-eventhub in .cache/peers/eventhub")
    import azure

    patches.setattr(azure, "__path__", [*azure.__path__, str(packages / "azure")])
    from azure.eventhub._pyamqp.aio import _connection_async, _transport_async

    patches.setattr(_transport_async, "decode_frame", filled(_transport_async.decode_frame))

    authority, started, tmp_path = ca.make_ca(), [], tmp_path_factory.mktemp("broker")
    (tmp_path / "server.pem").write_text(ca.make_server(authority).pem())
    (tmp_path / "ca.pem").write_text(ca.cert_pem(authority.certificate))

    def read(bodies: list[str], *more: str) -> records.Seen:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        (tmp_path / "bodies.json").write_text(json.dumps(bodies))
        command = [PEER / "bin" / "python", BROKER, str(port), tmp_path / "server.pem", tmp_path / "bodies.json", *more]
        broker = subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, text=True)
        started.append(broker)
        assert broker.stdout
        assert broker.stdout.readline() == "broker ready\n"

        async def host(_work: Any) -> str:
            return "127.0.0.1"

        patches.setattr(records, "_host", host)
        patches.setattr(_connection_async, "SECURE_PORT", port)
        identity = SimpleNamespace(sign_in="t", client_id="c", ca_file=str(tmp_path / "ca.pem"))
        hubs = SimpleNamespace(ids={"hub": "/hub"}, wanted=SimpleNamespace(hub="hub", consumer_group="$Default"))
        work: Any = SimpleNamespace(
            setup=SimpleNamespace(identity=identity), tokens=Tokens(), event_hubs=hubs, arrived=set()
        )
        return asyncio.run(records.seen(work))

    yield read
    for one in started:
        one.kill()
        one.communicate()


def body(table: str) -> str:
    one = {"time": "2026-11-29T10:00:00.1234567Z", "category": f"AdvancedHunting-{table}", "properties": {}}
    return json.dumps({"records": [one]})


def test_the_newest_events_are_read_and_told_apart(seen: Seen) -> None:
    found = seen([body("EmailEvents"), *[body("DeviceInfo")] * records.EVENTS, "no json"])
    assert (set(found.newest), found.others) == ({"DeviceInfo"}, 1)
    assert found.since > 0, "older events are there, and were not looked at"


def test_what_the_labs_portal_and_exports_send_is_read_as_it_arrives(seen: Seen, lab: LabClient) -> None:
    """From the source to what verify judges: a row and an alert in the lab, by AMQP, to a table and a subscription."""
    hub = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.EventHub/namespaces/n/eventhubs/hub"
    export = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Security/automations/a"
    lab.edit("make_export", id=export, hub=hub, sources=["Alerts"])
    lab.edit("defender_stream", tenant=CONTOSO, hub=hub, tables=["DeviceInfo", "AlertInfo"], ago=60)
    lab.edit("cloud_alert", resource=f"{SUBSCRIPTION}/resourceGroups/rg/providers/x/y/z")
    found = seen([one["body"] for one in lab.azure.messages(hub)])
    assert (set(found.newest), set(found.exported), found.others) == (
        {"DeviceInfo", "AlertInfo"}, {SUBSCRIPTION.rpartition("/")[2]}, 0,
    )  # fmt: skip
    assert found.newest["DeviceInfo"] == pytest.approx(time.time() - 60, abs=30)


def test_an_empty_hub_is_empty_and_a_whole_one_is_known_from_its_beginning(seen: Seen) -> None:
    assert seen([]) == records.Seen()
    assert seen([body("DeviceInfo")]).since == 0.0


def test_a_token_that_the_hub_does_not_take_is_a_missing_right(seen: Seen) -> None:
    with pytest.raises(RefusedError) as told:
        seen([body("DeviceInfo")], "refuse")
    assert (told.value.code, records.RECEIVER in told.value.next_step) == ("NoRightToRead", True)
