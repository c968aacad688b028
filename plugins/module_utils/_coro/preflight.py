# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight: whether these API credentials reach a workspace and what they may do there, found by reading only."""

from __future__ import annotations

from .._core.errors import OnboardingError, SignInError
from .._core.findings import MISSING, OK, UNKNOWN, Finding
from . import api
from .api import CHANNEL, CHILD, Workspace
from .client import Coro
from .options import Setup

WHO = "an admin of the Coro workspace"


async def findings(coro: Coro, setup: Setup) -> list[Finding]:
    """The checks in the order in which a person would cure them; the workspaces that are seen stay with C(coro)."""
    own = coro.identity.workspace
    try:
        await coro.sign_in()
    except SignInError as error:
        return [_finding("sign_in", coro.identity.client_id, error)]
    found = [Finding("sign_in", coro.identity.client_id, OK, f"at {coro.identity.api_url}")]
    try:
        coro.visible = await api.visible(coro, own)
        found.append(_visible(own, coro.visible))
    except OnboardingError as error:
        found.append(_finding("workspace", own, error))
    try:
        held = await api.connectors(coro, own)
        found.append(Finding("read_connectors", own, OK, f"{len(held)} connectors are there"))
        if setup.check_customers and any(one.apply_to_all and not one.inherited for one in held):
            found.append(Finding("customers", own, OK, f"{len(await api.children(coro, own))} below the channel"))
    except OnboardingError as error:
        found.append(_finding("read_connectors", own, error))
    return found


def _visible(own: str, workspaces: list[Workspace]) -> Finding:
    """Coro has actions in regular and channel workspaces only: whether a child may have its own is unknown."""
    one = next((one for one in workspaces if one.id == own), None)
    if one is None:
        step = "make the API credentials in this workspace or in its channel, or correct the workspace's id"
        return Finding("workspace", own, MISSING, "not among the workspaces that are visible", WHO, step)
    below = sum(other.parent == own for other in workspaces)
    detail = {CHANNEL: f"a channel with {below} customers", CHILD: f"a child of {one.parent}"}.get(one.kind, one.kind)
    return Finding("workspace", f"{one.name} ({own})", OK, detail)


def _finding(check: str, subject: str, error: OnboardingError) -> Finding:
    status = MISSING if error.status in (400, 401, 403, 404) else UNKNOWN
    return Finding(check, subject, status, f"{error.code}: {error.message}", WHO, error.next_step)
