# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control endpoint: JSON under /_lab/, for tests, the demo and the benchmark. No vendor has anything like it.

GET  /_lab/status                      scenario, sizes, switches
GET  /_lab/requests?last=N             lab.journal.Journal.summary
POST /_lab/requests/reset
GET  /_lab/world?target=ID             settings of a target, or of everything; with resources=1 all resources
POST /_lab/edit                        one edit or a list of them, see lab.edits
POST /_lab/drift                       the canned set of edits, see lab.edits.drift
POST /_lab/faults                      one fault or a list, see lab.faults.Fault;  DELETE /_lab/faults
POST /_lab/clock                       {"advance": seconds}
POST /_lab/configure                   see lab.client.LabClient.configure
GET  /_lab/coro                        the Coro cloud;  POST: see lab.coro_control
GET  /_lab/receivers                   what senders must be told;  POST {"receiver": name, options and secrets}
GET  /_lab/receivers/records?receiver=NAME&last=N     lab.receivers.Record
GET  /_lab/falcon                      the CrowdStrike cloud;  POST: see lab.falcon_control
POST /_lab/admin_token                 a user's access token, see lab.users
POST /_lab/reset                       back to the scenario
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from lab import coro_control, coro_delivery, edits, falcon_control, faults, users
from lab.bodies import render
from lab.diagnostics import kind_of
from lab.receivers_set import addresses
from lab.wire import Call, Reply, ok

if TYPE_CHECKING:
    from lab.app import Lab


async def handle(lab: Lab, call: Call) -> Reply:
    """400 with {"error": text} for what is not understood."""
    route = _ROUTES.get((call.method, call.low))
    if route is None:
        return ok({"error": f"the lab has no control {call.method} {call.path}"}, 404)
    try:
        value = route(lab, call, json.loads(call.body) if call.body else {})
        return ok(await value if isawaitable(value) else value)
    except (ValueError, KeyError, TypeError) as error:
        return ok({"error": f"{type(error).__name__}: {error}"}, 400)


def _status(lab: Lab, _call: Call, _body: Any) -> Any:
    world = lab.world
    return {
        "url": lab.url,
        "scenario": lab.scenario,
        "tenants": len(world.tenants),
        "subscriptions": len(world.subscriptions),
        "resources": sum(len(sub.resources) for sub in world.subscriptions.values()),
        "settings": sum(len(held) for held in world.settings.values()),
        "workspaces": len(world.coro.workspaces),
        "connectors": sum(len(held) for held in world.coro.held.values()),
        "faults": [asdict(fault) for fault in lab.faults],
        "clock_offset": world.offset,
        "token_life": lab.token_life,
        "page_size": lab.page_size,
        "latency": lab.latency,
        "graph_lag": lab.graph_lag,
        "propagation": world.propagation,
        "operation": world.operation,
        "aadiam_lag": world.aadiam_lag,
        "throttle": lab.throttle.enabled,
    }


def _requests(lab: Lab, call: Call, _body: Any) -> Any:
    return lab.journal.summary(int(call.query.get("last", 0)))


def _requests_reset(lab: Lab, _call: Call, _body: Any) -> Any:
    lab.journal.clear()
    return {}


def _world(lab: Lab, call: Call, _body: Any) -> Any:
    """Settings as they are, and as a GET would show them: {"settings": {lower target: {name: {...}}}}."""
    wanted = call.query.get("target", "").lower()
    found: dict[str, Any] = {}
    for target, held in lab.world.settings.items():
        if held and wanted in ("", target):
            found[target] = {setting.name: _setting(lab, setting) for setting in held.values()}
    answer: dict[str, Any] = {"settings": found}
    if "resources" in call.query:
        answer["resources"] = [
            asdict(item) for sub in lab.world.subscriptions.values() for item in sub.resources.values()
        ]
        answer["subscriptions"] = [
            {"id": sub.id, "name": sub.name, "tenant": sub.tenant, "state": sub.state}
            for sub in lab.world.subscriptions.values()
        ]
    return answer


def _setting(lab: Lab, setting: Any) -> dict[str, Any]:
    where = lab.world.target_type(setting.target)
    shown = render(setting, kind_of(*where)) if where else None
    return {
        **asdict(setting),
        "written": lab.world.shown(setting.written),
        "since": lab.world.shown(setting.since),
        "shown": shown,
    }


def _edit(lab: Lab, _call: Call, body: Any) -> Any:
    return {"done": [edits.apply(lab.world, edit) for edit in (body if isinstance(body, list) else [body])]}


def _drift(lab: Lab, _call: Call, _body: Any) -> Any:
    return {"done": edits.drift(lab.world)}


def _faults_add(lab: Lab, _call: Call, body: Any) -> Any:
    made = [faults.make(spec) for spec in (body if isinstance(body, list) else [body])]
    lab.faults.extend(made)
    return {"ids": [fault.id for fault in made]}


def _faults_clear(lab: Lab, _call: Call, _body: Any) -> Any:
    lab.faults.clear()
    return {}


async def _clock(lab: Lab, _call: Call, body: Any) -> Any:
    lab.world.offset += float(body["advance"])
    await coro_delivery.retry_due(lab)
    lab.world.falcon.notify()
    return {"clock_offset": lab.world.offset}


def _configure(lab: Lab, call: Call, body: Any) -> Any:
    for key, value in body.items():
        if key == "throttle":
            lab.throttle.enabled = bool(value)
        elif key == "drain":
            lab.throttle.drain(*value)
        elif key in ("token_life", "page_size", "latency", "graph_lag"):
            setattr(lab, key, value)
        elif key in ("propagation", "operation", "aadiam_lag"):
            setattr(lab.world, key, float(value))
        else:
            raise ValueError(f"unknown switch '{key}'")
    return _status(lab, call, body)


def _coro(lab: Lab, _call: Call, _body: Any) -> Any:
    return coro_control.state(lab)


async def _coro_do(lab: Lab, _call: Call, body: Any) -> Any:
    return await coro_control.apply(lab, body)


def _receivers(lab: Lab, _call: Call, _body: Any) -> Any:
    return lab.receivers.describe(addresses(lab.url, lab.receivers))


def _receivers_records(lab: Lab, call: Call, _body: Any) -> Any:
    return lab.receivers.records(call.query["receiver"], int(call.query.get("last", 100)))


def _receivers_change(lab: Lab, _call: Call, body: Any) -> Any:
    return lab.receivers.change(body.pop("receiver"), body)


def _falcon(lab: Lab, _call: Call, _body: Any) -> Any:
    return falcon_control.state(lab.world)


def _falcon_do(lab: Lab, _call: Call, body: Any) -> Any:
    return falcon_control.apply(lab.world, body)


def _admin_token(lab: Lab, _call: Call, body: Any) -> Any:
    return users.control(lab, body)


def _reset(lab: Lab, call: Call, body: Any) -> Any:
    lab.reset()
    return _status(lab, call, body)


_ROUTES: dict[tuple[str, str], Callable[[Lab, Call, Any], Any]] = {
    ("GET", "/_lab/status"): _status,
    ("GET", "/_lab/requests"): _requests,
    ("POST", "/_lab/requests/reset"): _requests_reset,
    ("GET", "/_lab/world"): _world,
    ("POST", "/_lab/edit"): _edit,
    ("POST", "/_lab/drift"): _drift,
    ("POST", "/_lab/faults"): _faults_add,
    ("DELETE", "/_lab/faults"): _faults_clear,
    ("POST", "/_lab/clock"): _clock,
    ("POST", "/_lab/configure"): _configure,
    ("GET", "/_lab/coro"): _coro,
    ("POST", "/_lab/coro"): _coro_do,
    ("GET", "/_lab/receivers"): _receivers,
    ("POST", "/_lab/receivers"): _receivers_change,
    ("GET", "/_lab/receivers/records"): _receivers_records,
    ("GET", "/_lab/falcon"): _falcon,
    ("POST", "/_lab/falcon"): _falcon_do,
    ("POST", "/_lab/admin_token"): _admin_token,
    ("POST", "/_lab/reset"): _reset,
}
