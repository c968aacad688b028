# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Splunk, registered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lab.kernel.http import Call
from lab.kernel.registration import Vendor
from lab.splunk.routes import ROUTES
from lab.splunk.state import Line, Splunk, load


def _state(splunk: Splunk, _call: Call, _body: Any) -> dict[str, Any]:
    return {
        "token": splunk.token,
        "settings": splunk.settings,
        "log": [{"search": one.search, "failed": one.failed} for one in splunk.log],
        "searches": {name: one.content for (_app, name), one in splunk.searches.items()},
    }


def _status(splunk: Splunk) -> dict[str, Any]:
    return {"searches": len(splunk.searches)}


def _files(splunk: Splunk) -> Iterator[tuple[str, str]]:
    yield "splunk.token", splunk.token


# -- what others do, and what happens ---------------------------------------------------------------------------------


def change(
    splunk: Splunk, name: str, app: str = "search", content: dict[str, str] | None = None, **fields: Any
) -> None:
    """Settings of a search, or sharing, owner, orphan, can_write."""
    found = splunk.searches[app, name]
    found.content |= content or {}
    for key, value in fields.items():
        setattr(found, key, value)


def add(splunk: Splunk, name: str, app: str = "search", content: dict[str, str] | None = None) -> None:
    splunk.add(name, app, **(content or {}))


def settings(splunk: Splunk, poisoned: bool | None = None, **given: str) -> None:
    """Of the action; poisoned: whether its stanza lies in the app «search»."""
    splunk.settings |= given
    splunk.poisoned = splunk.poisoned if poisoned is None else poisoned


def allow(splunk: Splunk, entries: dict[str, str]) -> None:
    """The allow list is on, with these entries."""
    splunk.settings |= {"enable_allowlist": "1", **{f"allowlist.{name}": value for name, value in entries.items()}}


def capabilities(splunk: Splunk, names: list[str]) -> None:
    splunk.capabilities = list(names)


def fired(splunk: Splunk, name: str, failed: str = "", ago: float = 0.0) -> None:
    """A search has fired; failed: why its webhook did not get out."""
    splunk.log.append(Line(splunk.now() - ago, name, failed))


def shows_log(splunk: Splunk, value: bool) -> None:
    """Whether the token's user may search _internal."""
    splunk.shows_log = value


def results(splunk: Splunk, name: str, rows: list[dict[str, Any]]) -> None:
    splunk.rows[name] = rows


VENDOR = Vendor(
    name="splunk",
    state=Splunk,
    load=load,
    segments=frozenset({"services", "servicesns"}),
    find=ROUTES.find,
    operations=ROUTES.operations,
    shapes={"messages": lambda _code, message, _status: {"messages": [{"type": "ERROR", "text": message}]}},
    control={("GET", ""): _state},
    mutations={
        "splunk_change": change,
        "splunk_add": add,
        "splunk_settings": settings,
        "splunk_allow": allow,
        "splunk_capabilities": capabilities,
        "splunk_fired": fired,
        "splunk_results": results,
        "splunk_shows_log": shows_log,
    },
    status=_status,
    files=_files,
)
