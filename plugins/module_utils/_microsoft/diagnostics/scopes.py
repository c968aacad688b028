# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a tenant every verb compares with the last good run: its subscriptions and resource types. Pure."""

from __future__ import annotations

from ..._core.coverage import EXCLUDED, NOT_ASKED, UNREACHABLE, Part, Scope, Seen
from ..arm.permissions import grant
from ..arm.resources import NOT_WANTED, Subscription, choose_subscriptions
from ..identity.options import Identity
from .api import Estate
from .options import Selection

ROLE = "Monitoring Contributor"


def seen(estate: Estate) -> Seen | None:
    """None where the tenant's subscriptions were not read."""
    if not estate.visible:
        return None
    within: dict[str, set[str]] = {}
    for target in estate.targets:
        within.setdefault(target.type, set()).add(target.subscription.casefold())
    scopes = [Scope(one.id.casefold(), _spell(one)) for one in estate.taken]
    scopes += [Scope(kind, f"resources of type {kind}", tuple(sorted(ids))) for kind, ids in sorted(within.items())]
    named = {one.id.casefold(): _spell(one) for one in estate.taken}
    parts = [Part(_spell(one), _state(reason), reason) for one, reason in estate.left_out]
    parts += [
        Part(named.get(id_.casefold(), id_), UNREACHABLE, f"{error.code}: {error.message}", error.next_step)
        for id_, error in estate.failed.items()
    ]
    return Seen(scopes, frozenset(id_.casefold() for id_ in estate.failed), parts)


def _state(reason: str) -> str:
    """What a reason of C(choose_subscriptions) for leaving a subscription out makes of it."""
    if reason == NOT_WANTED:
        return NOT_ASKED
    return UNREACHABLE if reason.startswith("is ") else EXCLUDED


def wants(selection: Selection, scope: Scope) -> bool:
    """Whether the options that choose subscriptions and types still choose this one."""
    if "/" in scope.name:
        return selection.types is None or scope.name in selection.types
    name = scope.label.removesuffix(f" ({scope.name})")
    was = Subscription(scope.name, name, "Enabled", selection.tenant_id)
    return bool(
        choose_subscriptions([was], selection.tenant_id, selection.subscriptions, selection.exclude_subscriptions)[0]
    )


def regain(identity: Identity, scope: Scope) -> str:
    if "/" in scope.name:
        return "see whether the customer removed its last resource of this type, or the app no longer sees it"
    path = f"/subscriptions/{scope.name}"
    if identity.sign_in != identity.tenant_id:
        return f"delegate {ROLE} on {path} to tenant {identity.sign_in} by Azure Lighthouse"
    return f"enable the subscription where it is disabled, or {grant(identity.client_id, ROLE, path)}"


def _spell(subscription: Subscription) -> str:
    return f"{subscription.name or 'subscription'} ({subscription.id.casefold()})"
