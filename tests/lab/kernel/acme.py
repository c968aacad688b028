# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A vendor as small as one can be, to try the kernel with: things that have a name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from lab.kernel.context import Lab, State
from lab.kernel.http import Call, Principal, Refusal, Reply, dumps, ok
from lab.kernel.registration import Operation, Scenario, Vendor
from lab.kernel.router import Table


class Acme(State):
    configurable: ClassVar[tuple[str, ...]] = ("page_size",)

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.secret = lab.once("acme.secret", lambda: "first")
        self.page_size = 10
        self.things: list[str] = []
        self.advanced = 0


def shape(code: str, message: str, status: int) -> dict[str, Any]:
    return {"stat": "FAIL", "code": code, "message": message, "http": status}


def load(acme: Acme, scenario: Scenario) -> None:
    acme.things = list(scenario.get("acme", ["anvil"]))


def enter(acme: Acme, call: Call) -> None:
    if call.headers.get("Authorization") != "Bearer good":
        raise Refusal(Reply(401, dumps(shape("40101", "no token", 401))), {"WWW-Authenticate": "Bearer"})
    call.principal = Principal("tenant-1", "user", "client", "acme", 0.0)


def listing(acme: Acme, _call: Call) -> Reply:
    return ok({"items": acme.things[: acme.page_size]})


def put(acme: Acme, call: Call) -> Reply:
    acme.things.append(call.args["name"])
    return ok({"name": call.args["name"]}, 201)


ROUTES = Table(
    {
        ("GET", "/acme/v1/things"): Operation("acme.things.list", listing, enter),
        ("PUT", "/acme/v1/things/{name}"): Operation("acme.things.put", put, enter),
    }
)


def remove_thing(acme: Acme, name: str) -> None:
    acme.things.remove(name)


def clear(acme: Acme) -> list[dict[str, Any]]:
    done = [{"tenant": "acme", "edit": "remove_thing", "name": name} for name in acme.things]
    acme.things.clear()
    return done


def count(acme: Acme) -> None:
    acme.advanced += 1


def files(acme: Acme) -> Iterator[tuple[str, str]]:
    yield "acme.secret", acme.secret


VENDOR = Vendor(
    name="acme",
    state=Acme,
    load=load,
    segments=frozenset({"acme"}),
    find=ROUTES.find,
    operations=ROUTES.operations,
    shapes={"acme": shape},
    throttled=("42901", "slow down"),
    retry=lambda seconds: {"X-Retry": str(int(seconds))},
    next_link="next",
    faults={"sour": lambda value, _code, message: {**value, "warning": message}},
    criteria={"thing": lambda call, wanted: call.path.endswith(f"/{wanted}")},
    control={("GET", "things"): lambda acme, _call, _body: acme.things},
    mutations={"remove_thing": remove_thing},
    advanced=count,
    drift=clear,
    status=lambda acme: {"things": len(acme.things)},
    files=files,
)
