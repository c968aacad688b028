# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a workspace every verb compares with the last good run: its connectors, a channel's customers. Pure."""

from __future__ import annotations

from .._core.coverage import NOT_ASKED, Part, Scope, Seen
from .api import CHANNEL
from .client import Coro
from .options import Setup

# Customers are within it: not known, and so not gone, where nobody had to list them.
CUSTOMERS = "customers"
SHARE = "set apply_to_all_customers of a connector, or give the customer a tenant file of its own"


def seen(coro: Coro, setup: Setup) -> Seen:
    """Connectors by the names that the tenant file gives, whether they are there or not: that is a verdict's."""
    workspace = setup.identity.workspace
    names = [*setup.names, *(one.name for one in setup.connectors if one.state != "absent")]
    scopes = [Scope(f"{workspace}/{name}", f"connector {name} of {workspace}") for name in names]
    if coro.below is None:
        alone = [one for one in coro.visible if one.parent == workspace]
        others = [Part(_spell(one.name, one.id), NOT_ASKED, next_step=SHARE) for one in alone]
        return Seen(scopes, frozenset({CUSTOMERS}), others)
    customers = [one for one in coro.below if one.kind != CHANNEL]
    return Seen([*scopes, *(Scope(one.id, _spell(one.name, one.id), (CUSTOMERS,)) for one in customers)])


def wants(setup: Setup, scope: Scope) -> bool:
    """Not where it is to be absent by the tenant file's own word."""
    return scope.name not in {f"{setup.identity.workspace}/{one.name}" for one in setup.connectors}


def regain(scope: Scope) -> str:
    if scope.within:
        return "see in Coro's console whether the customer has left the channel, or was moved to another"
    return "name it in the tenant file again, or once with state: absent, which removes it at Coro"


def _spell(name: str, workspace: str) -> str:
    return f"customer {name} ({workspace})"
