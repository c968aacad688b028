# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a vendor's package registers itself: `lab/NAME/vendor.py` holds `VENDOR`, and that is all the kernel reads.

It stands in a module of its own, not in the package's `__init__`, since `lab/NAME/client.py` is of nothing but the
standard library and must be importable where aiohttp is not.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Generic, TypeVar

import lab
from lab.kernel.http import Call, Handler

S = TypeVar("S")
Scenario = Mapping[str, Any]
Control = Callable[[S, Call, Any], Any | Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a vendor's API does.

    Attributes:
        kind: The name by which the request log counts it and faults match it.
        handler: Answers, or raises Refusal. It gets the vendor's state.
        enter: What is checked before (token, right, limits), Refusal again. A fault may come after it.
        logged: False for what no client asks: not counted, not delayed, not spoilt.
    """

    kind: str
    handler: Handler
    enter: Callable[[Any, Call], None] | None = None
    logged: bool = True


def _nested(code: str, message: str, _status: int) -> Any:
    return {"error": {"code": code, "message": message}}


def _nothing_done(_state: Any) -> list[dict[str, Any]]:
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor(Generic[S]):
    """What the kernel has to know of a vendor.

    Attributes:
        name: The package's.
        state: Class of what the vendor holds, a lab.kernel.context.State; made anew at each reset.
        load: Fills the state from a scenario, of which it reads the keys that are its own.
        segments: First segments of its paths, in lower case. None: it is asked for every path that is nobody else's.
        within: The vendor among whose paths some of its own stand, so that it is asked first; empty: none.
        find: The operation of a request; None for what it does not serve. It may set the call's scope, name and args.
        operations: All that `find` can give, so that a fault for a kind that does not exist is refused.
        shapes: Bodies of errors from (code, message, status), by name; the first is what a fault has unless it says
            otherwise.
        throttled: Code and message of a 429.
        retry: Headers of a 429 from the seconds to wait.
        next_link: Key of a list's answer that holds the next page's URL; empty: a Link header.
        trace: Sets the headers by which the vendor finds a request again, from the call and the request's number.
        faults: Faults that only this vendor's answers can have: (answer's value, code, message) -> value.
        criteria: What a fault may match beside kind, method, path and tenant: name -> (call, wanted) -> matches.
        control: Control verbs, under /_lab/NAME/: (method, path) -> (state, call, body) -> value.
        mutations: What others do to the state: name -> (state, **fields).
        advanced: Called when the clock was moved.
        drift: A canned set of mutations, as `python -m lab drift` makes it; what was done.
        status: What `python -m lab status` tells of it.
        files: Names and texts of its files in the state directory.
    """

    name: str
    state: type[S]
    find: Callable[[Call], Operation | None]
    operations: Iterable[Operation]
    segments: frozenset[str] | None = frozenset()
    within: str = ""
    load: Callable[[S, Scenario], None] | None = None
    shapes: Mapping[str, Callable[[str, str, int], Any]] = field(default_factory=lambda: {"nested": _nested})
    throttled: tuple[str, str] = ("TooManyRequests", "The request is being throttled.")
    retry: Callable[[float], dict[str, str]] = lambda seconds: {"Retry-After": str(int(seconds))}
    next_link: str = ""
    trace: Callable[[Call, str], None] | None = None
    faults: Mapping[str, Callable[[Any, str, str], Any]] = field(default_factory=dict)
    criteria: Mapping[str, Callable[[Call, str], bool]] = field(default_factory=dict)
    control: Mapping[tuple[str, str], Control[S]] = field(default_factory=dict)
    mutations: Mapping[str, Callable[..., None]] = field(default_factory=dict)
    advanced: Callable[[S], Awaitable[None] | None] = lambda _state: None
    drift: Callable[[S], list[dict[str, Any]]] = _nothing_done
    status: Callable[[S], dict[str, Any]] = lambda _state: {}
    files: Callable[[S], Iterable[tuple[str, str]]] = lambda _state: ()


def names(module: str) -> list[str]:
    """Packages of the lab that have a module of that name, in order of the alphabet."""
    packages = [one.name for one in pkgutil.iter_modules(lab.__path__) if one.ispkg]
    return [name for name in packages if find_spec(f"lab.{name}.{module}")]


def discover() -> list[Vendor[Any]]:
    """The vendors of all packages that register one."""
    return [import_module(f"lab.{name}.vendor").VENDOR for name in names("vendor")]
