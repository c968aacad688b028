# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control endpoint: JSON under /_lab/, for tests, the demo and the benchmark. No vendor has anything like it.

GET  /_lab/status                      scenario, switches, faults, and what each vendor tells, by its name
GET  /_lab/requests?last=N             lab.kernel.request_log.RequestLog.summary
POST /_lab/requests/reset
POST /_lab/edit                        one mutation or a list of them, see the vendors' mutations.py
POST /_lab/drift                       the canned set of mutations
GET  /_lab/faults                      actions and operations that there are
POST /_lab/faults                      one fault or a list, see lab.kernel.faults;  DELETE /_lab/faults
POST /_lab/clock                       {"advance": seconds}
POST /_lab/configure                   {name: value}: throttle, drain, latency, and what the states name configurable
POST /_lab/reset                       back to the scenario
What is below /_lab/NAME/ is the vendor's of that name.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from inspect import isawaitable
from typing import Any

from lab.kernel.context import Lab
from lab.kernel.http import Call, Reply, ok

PREFIX = "/_lab/"


async def handle(lab: Lab, call: Call) -> Reply:
    """400 with {"error": text} for what is not understood."""
    route = _find(lab, call.method, call.low.removeprefix(PREFIX))
    if route is None:
        return ok({"error": f"the lab has no control {call.method} {call.path}"}, 404)
    try:
        value = route(call, json.loads(call.body) if call.body else {})
        return ok(await value if isawaitable(value) else value)
    except (ValueError, KeyError, TypeError) as error:
        return ok({"error": f"{type(error).__name__}: {error}"}, 400)


def _find(lab: Lab, method: str, path: str) -> Callable[[Call, Any], Any] | None:
    own = _ROUTES.get((method, path))
    if own is not None:
        return lambda call, body: own(lab, call, body)
    name, _, verb = path.partition("/")
    for vendor in lab.vendors:
        route = vendor.control.get((method, verb)) if vendor.name == name else None
        if route is not None:
            state = lab.of(vendor.state)
            return lambda call, body: route(state, call, body)
    return None


def _status(lab: Lab, _call: Call, _body: Any) -> Any:
    return {
        "url": lab.url,
        "scenario": lab.scenario,
        "faults": [asdict(fault) for fault in lab.faults.waiting],
        "clock_offset": lab.clock.offset,
        "latency": lab.latency,
        "throttle": lab.throttle.enabled,
        **{vendor.name: _of(lab, vendor) for vendor in lab.vendors},
    }


def _of(lab: Lab, vendor: Any) -> dict[str, Any]:
    state = lab.of(vendor.state)
    return {**vendor.status(state), **{name: getattr(state, name) for name in state.configurable}}


def _requests(lab: Lab, call: Call, _body: Any) -> Any:
    return lab.requests.summary(int(call.query.get("last", 0)))


def _requests_reset(lab: Lab, _call: Call, _body: Any) -> Any:
    lab.requests.clear()
    return {}


def _edit(lab: Lab, _call: Call, body: Any) -> Any:
    return {"done": [_mutate(lab, edit) for edit in (body if isinstance(body, list) else [body])]}


def _mutate(lab: Lab, edit: dict[str, Any]) -> dict[str, Any]:
    """One mutation; gives it back. Raises ValueError or KeyError naming what is missing."""
    fields = dict(edit)
    name = fields.pop("edit", None)
    for vendor in lab.vendors:
        if name in vendor.mutations:
            vendor.mutations[name](lab.of(vendor.state), **fields)
            return edit
    raise ValueError(
        f"edit must be one of {sorted(name for one in lab.vendors for name in one.mutations)}, not {name!r}"
    )


def _drift(lab: Lab, _call: Call, _body: Any) -> Any:
    return {"done": [edit for vendor in lab.vendors for edit in vendor.drift(lab.of(vendor.state))]}


def _faults(lab: Lab, _call: Call, _body: Any) -> Any:
    return {
        "actions": sorted(lab.faults.actions),
        "operations": {one.name: sorted({op.kind for op in one.operations if op.logged}) for one in lab.vendors},
    }


def _faults_add(lab: Lab, _call: Call, body: Any) -> Any:
    return {"ids": [fault.id for fault in lab.faults.add(body if isinstance(body, list) else [body])]}


def _faults_clear(lab: Lab, _call: Call, _body: Any) -> Any:
    lab.faults.clear()
    return {}


async def _clock(lab: Lab, _call: Call, body: Any) -> Any:
    lab.clock.offset += float(body["advance"])
    for vendor in lab.vendors:
        done = vendor.advanced(lab.of(vendor.state))
        if done is not None:
            await done
    return {"clock_offset": lab.clock.offset}


def _configure(lab: Lab, call: Call, body: Any) -> Any:
    for name, value in body.items():
        if name == "throttle":
            lab.throttle.enabled = bool(value)
        elif name == "drain":
            lab.throttle.drain(*value)
        elif name == "latency":
            lab.latency = float(value)
        else:
            _switch(lab, name, value)
    return _status(lab, call, body)


def _switch(lab: Lab, name: str, value: Any) -> None:
    """Of all states that have it."""
    held = [state for state in lab.states() if name in state.configurable]
    if not held:
        raise ValueError(f"unknown switch '{name}'")
    for state in held:
        setattr(state, name, type(getattr(state, name))(value))


def _reset(lab: Lab, call: Call, body: Any) -> Any:
    lab.reset()
    return _status(lab, call, body)


_ROUTES: dict[tuple[str, str], Callable[[Lab, Call, Any], Any]] = {
    ("GET", "status"): _status,
    ("GET", "requests"): _requests,
    ("POST", "requests/reset"): _requests_reset,
    ("POST", "edit"): _edit,
    ("POST", "drift"): _drift,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _faults_add,
    ("DELETE", "faults"): _faults_clear,
    ("POST", "clock"): _clock,
    ("POST", "configure"): _configure,
    ("POST", "reset"): _reset,
}
