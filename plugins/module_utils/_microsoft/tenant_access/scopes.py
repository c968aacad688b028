# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a tenant's access every run compares with the last good one: its subscriptions, by the findings. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ..._core.coverage import UNREACHABLE, WAITING, Part, Scope, Seen
from ..._core.findings import CUSTOMER, MISSING, OK, Finding
from ..arm.permissions import grant
from .rules import Wanted


def seen(wanted: Wanted, found: Sequence[Finding]) -> Seen:
    """Each part by the first finding that is not ok, since those stand in the order of cure.

    A subscription that nothing was asked about, since the app is not let in, is as the sign-in is.
    """
    bad = [one for one in found if one.status != OK and one.check != "credential"]
    shut = [one for one in bad if one.check == "sign_in"]
    parts: dict[str, Part] = {}
    for one in bad:
        parts.setdefault(label := _label(one.subject, wanted), _part(label, one))
    asked = {_label(one.subject, wanted) for one in found}
    for name in map(_spell, wanted.subscriptions if shut else ()):
        if name not in asked:
            parts[name] = _part(name, shut[0])
    return Seen([Scope(one.casefold(), _spell(one)) for one in wanted.subscriptions], parts=list(parts.values()))


def regain(wanted: Wanted, scope: Scope) -> str:
    path = f"/subscriptions/{scope.name}"
    if wanted.managing_tenant_id:
        return f"delegate {wanted.role} on {path} to tenant {wanted.managing_tenant_id}"
    return f"enable the subscription where it is disabled, or {grant(wanted.client_id, wanted.role, path)}"


def _part(name: str, finding: Finding) -> Part:
    """What was refused for want of the customer's step waits for it; what cannot be told is not looked after."""
    waits = finding.status == MISSING and finding.who == CUSTOMER
    return Part(name, WAITING if waits else UNREACHABLE, finding.detail, finding.next_step)


def _spell(subscription: str) -> str:
    return f"subscription {subscription.casefold()}"


def _label(subject: str, wanted: Wanted) -> str:
    """The subscription that a finding is of, else its subject."""
    own = (one for one in wanted.subscriptions if one.casefold() in subject.casefold())
    return next(map(_spell, own), subject)
