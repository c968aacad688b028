# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a tenant every verb compares with the last good run: its subscriptions and resource types. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..._core.coverage import EXCLUDED, NOT_ASKED, UNREACHABLE, Part, Scope, Seen
from ..arm.permissions import grant
from ..arm.resource_types import FAMILY_OF
from ..arm.resources import NOT_WANTED, Subscription, choose_subscriptions
from ..identity.options import Identity
from .api import Session, Unchosen
from .options import Selection

ROLE = "Monitoring Contributor"
OTHERS = "resources of other types"


def seen(session: Session) -> Seen | None:
    """None where the tenant's subscriptions were not read."""
    estate = session.estate
    if not estate.visible:
        return None
    within: dict[str, set[str]] = {}
    for target in estate.targets:
        within.setdefault(target.type, set()).add(target.subscription.casefold())
    scopes = [Scope(one.id.casefold(), _spell(one)) for one in estate.taken]
    scopes += [Scope(kind, _kind(kind), tuple(sorted(ids))) for kind, ids in sorted(within.items())]
    named = {one.id.casefold(): _spell(one) for one in estate.taken}
    parts = [Part(_spell(one), _state(reason), reason, _step(one, reason)) for one, reason in estate.left_out]
    parts += _unchosen(session.unchosen, named)
    parts += [
        Part(named.get(id_.casefold(), id_), UNREACHABLE, f"{error.code}: {error.message}", error.next_step)
        for id_, error in estate.failed.items()
    ]
    return Seen(scopes, frozenset(id_.casefold() for id_ in estate.failed), parts)


def _unchosen(found: Unchosen, named: Mapping[str, str]) -> Iterator[Part]:
    """Nobody collects it. What is not known stands first, so that no number of others takes its place in a list."""
    for name, error in found.unread.items():
        what = _kind(name) if "/" in name else f"{OTHERS} of {named[name.casefold()]}" if name else OTHERS
        yield Part(what, NOT_ASKED, f"whether they offer logs is not known: {error.code}: {error.message}",
                   error.next_step)  # fmt: skip
    if found.further:
        why = f"{found.further} types of few resources were not asked whether they offer logs"
        yield Part(OTHERS, NOT_ASKED, why, "name what is wanted of them in azure_diagnostics_resource_types")
    for kind, number in found.offering.items():
        yield Part(_kind(kind), NOT_ASKED, f"{number} resources offer logs", _choose(kind))


def _state(reason: str) -> str:
    """What a reason of C(choose_subscriptions) for leaving a subscription out makes of it."""
    if reason == NOT_WANTED:
        return NOT_ASKED
    return UNREACHABLE if reason.startswith("is ") else EXCLUDED


def _step(subscription: Subscription, reason: str) -> str:
    return f"name {subscription.id} in azure_diagnostics_subscriptions" if reason == NOT_WANTED else ""


def _kind(kind: str) -> str:
    return f"resources of type {kind}"


def _choose(kind: str) -> str:
    """The option that would take a type."""
    family = f"name {FAMILY_OF[kind]} in azure_diagnostics_families, or " if kind in FAMILY_OF else ""
    return f"{family}name {kind} in azure_diagnostics_resource_types"


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
