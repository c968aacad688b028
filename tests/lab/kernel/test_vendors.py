# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A vendor is registered by its package alone: routes, control, mutations, switches, files."""

from __future__ import annotations

from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import lab
from lab.client import clients
from lab.kernel import scenario
from lab.kernel.context import Lab, State
from lab.kernel.http import Call
from lab.kernel.registration import Operation, Vendor, discover
from lab.kernel.router import Table

from .acme import VENDOR, Acme
from .serving import Client, with_lab

THINGS = "/acme/v1/things"
FILES = ("vendor", "state", "routes", "client")


def test_requests_find_their_operation_and_are_counted() -> None:
    async def test(client: Client) -> None:
        assert await _statuses(client, ("GET", THINGS), ("PUT", f"{THINGS}/Rocket"), ("GET", "/acme/v2")) == [
            200,
            201,
            404,
        ]
        assert (await client.call("GET", THINGS, Authorization="Bearer bad"))[0] == 401
        assert (await client.call("GET", THINGS))[2] == {"items": ["anvil", "Rocket"]}
        found = await client.control("GET", "requests?last=1")
        assert found["by_kind"] == {"acme.things.list": 3, "acme.things.put": 1, "unknown": 1}
        assert found["last"][0]["tenant"] == "tenant-1"

    with_lab([VENDOR], test)


async def _statuses(client: Client, *calls: tuple[str, str]) -> list[int]:
    return [(await client.call(method, path))[0] for method, path in calls]


def test_control_is_under_the_vendors_name() -> None:
    async def test(client: Client) -> None:
        assert await client.control("GET", "acme/things") == ["anvil"]
        assert (await client.call("GET", "/_lab/things"))[0] == 404
        assert (await client.control("GET", "status"))["acme"] == {"things": 1, "page_size": 10}
        await client.control("POST", "configure", {"page_size": 0})
        assert (await client.call("GET", THINGS))[2] == {"items": []}
        assert (await client.call("POST", "/_lab/configure", {"zodiac": 1}))[0] == 400
        await client.control("POST", "clock", {"advance": 60})
        assert client.lab.of(Acme).advanced == 1

    with_lab([VENDOR], test)


def test_mutations_drift_and_reset() -> None:
    async def test(client: Client) -> None:
        await client.control("POST", "edit", {"edit": "remove_thing", "name": "anvil"})
        assert await client.control("GET", "acme/things") == []
        assert (await client.call("POST", "/_lab/edit", {"edit": "paint_it_black"}))[0] == 400
        await client.control("POST", "reset")
        done = (await client.control("POST", "drift"))["done"]
        assert done == [{"tenant": "acme", "edit": "remove_thing", "name": "anvil"}]
        assert await client.control("GET", "acme/things") == []

    with_lab([VENDOR], test)


def test_a_reset_makes_the_state_anew_and_keeps_what_was_made_once() -> None:
    made = Lab("fleet", vendors=[VENDOR])
    before = made.of(Acme)
    before.things.clear()
    made.once("acme.secret", lambda: "second")
    made.clock.offset = 5.0
    made.reset()
    assert made.of(Acme) is not before
    assert (made.of(Acme).things, made.of(Acme).secret, made.clock.offset) == (["anvil"], "first", 0.0)


class Above(State):
    """Stands on Acme's."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.seen = list(lab.of(Acme).things)


def test_what_a_state_stands_on_is_loaded_before_it() -> None:
    above: Vendor[Any] = Vendor(name="above", state=Above, find=lambda _call: None, operations=())
    assert Lab("fleet", vendors=[above, VENDOR]).of(Above).seen == ["anvil"]


def test_of_several_with_the_same_segment_the_first_that_knows_the_path_serves_it() -> None:
    async def test(client: Client) -> None:
        assert await _statuses(client, ("GET", THINGS), ("GET", "/acme/other")) == [200, 200]

    other = Table({("GET", "/acme/other"): VENDOR.find(_call("GET", THINGS)) or pytest.fail("no operation")})
    second: Vendor[Any] = Vendor(
        name="second", state=Acme, segments=frozenset({"acme"}), find=other.find, operations=other.operations
    )
    with_lab([VENDOR, second], test)


def test_who_stands_within_another_is_asked_before_it() -> None:
    within: Vendor[Any] = Vendor(
        name="within", state=Acme, segments=frozenset({"acme"}), within="acme", find=VENDOR.find, operations=()
    )
    assert Lab("fleet", vendors=[VENDOR, within]).owners["acme"] == [within, VENDOR]


def _call(method: str, path: str) -> Call:
    return Call(method, path, path.lower(), "", {})


@pytest.mark.parametrize(
    ("method", "path", "args"),
    [
        ("GET", "/a/One/b/2", {"x": "One", "y": "2"}),
        ("GET", "/A/One/B/2", {"x": "One", "y": "2"}),
        ("GET", "/a/b", {}),
        ("POST", "/a/One/b/2", None),
        ("GET", "/a/One/b/2/c", None),
        ("GET", "/a//b/2", None),
    ],
)
def test_table(method: str, path: str, args: dict[str, str] | None) -> None:
    operation = Operation("k", lambda _state, _call: None)  # type: ignore[arg-type, return-value]
    table, call = Table({("GET", "/a/b"): operation, ("GET", "/a/{x}/b/{y}"): operation}), _call(method, path)
    assert (table.find(call) is operation) is (args is not None)
    assert call.args == (args or {})


# -- scenarios --------------------------------------------------------------------------------------------------------


def test_a_scenario_is_what_all_packages_have_of_it(tmp_path: Path) -> None:
    for name, text in (("one", "a: 1"), ("two", "b: 2"), ("three", "a: 3")):
        (tmp_path / name).write_text(text)
    assert scenario.merge([tmp_path / "one", tmp_path / "two"]) == {"a": 1, "b": 2}
    with pytest.raises(ValueError, match="another file has"):
        scenario.merge([tmp_path / "one", tmp_path / "three"])


def test_the_fleet_has_the_parts_of_the_packages() -> None:
    assert {"tenants", "apps", "subscriptions", "coro", "falcon"} <= set(scenario.read("fleet"))


@pytest.mark.parametrize("name", ["nowhere", "../fleet", "spread:x", ""])
def test_what_is_no_scenario(name: str) -> None:
    with pytest.raises(ValueError, match="there is no scenario"):
        scenario.read(name)


# -- discovery --------------------------------------------------------------------------------------------------------


def test_a_package_is_found_by_being_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "zeta"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "vendor.py").write_text("from tests.lab.kernel.acme import VENDOR as VENDOR")
    (package / "client.py").write_text("class Client:\n    ...")
    monkeypatch.setattr(lab, "__path__", [*lab.__path__, str(tmp_path)])
    assert "acme" in [vendor.name for vendor in discover()]
    assert "zeta" in clients.__wrapped__()


# -- those that are there ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vendor", discover(), ids=lambda vendor: vendor.name)
def test_every_vendor_has_the_same_files(vendor: Vendor[Any]) -> None:
    """One that is not asked by HTTP, as an appliance with a command line, has no routes."""
    needed = [name for name in FILES if name != "routes" or vendor.operations]
    assert [name for name in needed if not find_spec(f"lab.{vendor.name}.{name}")] == []
    assert list(vendor.operations) or vendor.control


def test_names_are_of_one_vendor_only() -> None:
    vendors = discover()
    for names in (
        [one.name for one in vendors],
        [kind for one in vendors for kind in {operation.kind for operation in one.operations}],
        [name for one in vendors for name in one.mutations],
        [name for one in vendors for name in one.criteria],
        [name for one in vendors for name in one.faults],
    ):
        assert [name for name, count in Counter(names).items() if count > 1] == []


def test_files_of_the_state_directory_are_of_one_vendor_only() -> None:
    made = Lab("fleet")
    made.serves("https://127.0.0.1:1")
    names = [name for vendor in made.vendors for name, _text in vendor.files(made.of(vendor.state))]
    assert len(names) == len(set(names))
    assert {"app.secret", "receivers.json", "coro-contoso.secret", "falcon-contoso.secret"} <= set(names)
