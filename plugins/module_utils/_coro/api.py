# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading Coro: workspaces and their connectors. An error is never «absent»."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, NamedTuple

from .._core.bodies import text, words
from .._core.client import ODD_SHAPE
from .._core.errors import OnboardingError, RefusedError, malformed, typed
from .._core.throttle import interleave
from .client import Call, Coro
from .connectors import Connector, parse

CHANNEL, CHILD = "channel", "child"
WORKSPACES = "/v1/workspaces"
PAGE = 100


class Workspace(NamedTuple):
    """kind: regular, channel or child; parent: id of the channel above, ''."""

    id: str
    name: str
    kind: str
    parent: str = ""


async def connectors(coro: Coro, workspace: str) -> tuple[Connector, ...]:
    """All connectors of a workspace. Raises OnboardingError."""
    profile = coro.identity.profile
    method, path = profile.path("list")
    operation = f"list the SIEM connectors of {workspace}"
    call = Call(method, path, operation, workspace)
    items = [item async for page in coro.listed(call, profile.page_size) for item in page]
    try:
        return tuple(parse(item, profile) for item in items)
    except ODD_SHAPE as error:
        raise malformed(operation, error) from error


async def of_each(
    coro: Coro,
    workspaces: Iterable[Workspace],
    seen: Callable[[Workspace, tuple[Connector, ...] | OnboardingError], None],
    concurrency: int,
) -> None:
    """Tell C(seen) the connectors of each workspace, or why they are not known."""

    async def look(one: Workspace) -> None:
        try:
            found: tuple[Connector, ...] | OnboardingError = await connectors(coro, one.id)
        except Exception as error:  # whatever it is, it is this workspace's
            found = typed(error)
        seen(one, found)

    await interleave([("", one) for one in workspaces], "requests", coro.buckets, look, concurrency)


async def visible(coro: Coro, workspace: str) -> list[Workspace]:
    """What the credentials reach (documented). Raises OnboardingError."""
    return [one async for page in _workspaces(coro, _visible(workspace)) for one in page]


async def own(coro: Coro, workspace: str) -> Workspace:
    """The workspace itself, out of those that are visible. Raises OnboardingError."""
    async for page in _workspaces(coro, _visible(workspace)):
        for one in page:
            if one.id == workspace:
                return one
    raise RefusedError(
        f"find the workspace {workspace}",
        "it is not among those that the API credentials see",
        code="WorkspaceNotVisible",
        next_step="check workspace; make the credentials there or in its channel",
    )


def _visible(workspace: str) -> Call:
    return Call("GET", WORKSPACES, f"list the workspaces visible from {workspace}", workspace)


async def children(coro: Coro, channel: str) -> list[Workspace]:
    """Every workspace below a channel, also below channels of its own (documented: search gives children)."""
    found: dict[str, Workspace] = {}
    above = [channel]
    while above:
        one = above.pop()
        call = Call("POST", f"{WORKSPACES}/search", f"list the customers of {one}", one)
        for child in [child async for page in _workspaces(coro, call) for child in page]:
            if child.id not in found:
                found[child.id] = child
                above += [child.id] if child.kind == CHANNEL else []
    coro.customers = len(found)
    coro.below = list(found.values())
    return coro.below


async def _workspaces(coro: Coro, call: Call) -> AsyncIterator[list[Workspace]]:
    async for items in coro.listed(call, PAGE):
        try:
            yield [_workspace(item) for item in items]
        except ODD_SHAPE as error:
            raise malformed(call.operation, error) from error


def _workspace(item: dict[str, Any]) -> Workspace:
    return Workspace(text(item["id"]), words(item.get("name")), text(item["type"]), words(item.get("parentId")))
