# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be done about the app's presence and permissions in one tenant: every rule, and no I/O. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..._core.errors import OnboardingError
from ..._core.status import BLOCKED, DRIFTED, IN_SYNC, UNKNOWN, WAITING
from ..._core.verdict import Record, Verdict, unknown
from ..graph.parts import CREATE, DELETE, together, with_retired
from ..graph.permissions import Known, Names, Resource, key_of, not_offered

PRINCIPAL = "service principal"
# A resource of which only a token tells: what it would offer is not known, and need not be.
SEEN_BY_TOKEN = Resource("", "", {})


class Permission(NamedTuple):
    """One permission of one resource app; the C(subject) of its part."""

    app_id: str
    name: str

    @property
    def target(self) -> str:
        return f"permission {key_of(self.app_id)} {self.name}"


class Observed(NamedTuple):
    """The app in one tenant, as an administrator reads it in the directory or as the app's own tokens show it.

    object_id: of the service principal, '' for none; home: the tenant in which the app is registered, '' where that is
    not known; granted: app id of each resource -> permission -> id of the grant, '' where a token shows it; resources:
    by app id, None for one that the tenant does not have, or why that is not known; disabled: somebody has switched the
    app off there; then no token shows anything.
    """

    object_id: str
    home: str
    granted: Mapping[str, Mapping[str, str]]
    resources: Known
    disabled: bool = False


class Wanted(NamedTuple):
    """able: whether an administrator's token is there to write with; consent_url: for the administrator otherwise."""

    tenant_id: str
    client_id: str
    permissions: Names
    exact: bool
    able: bool
    consent_url: str

    @property
    def asked(self) -> list[Permission]:
        return [Permission(app_id, name) for app_id, names in self.permissions.items() for name in names]


def plan_present(wanted: Wanted, seen: Observed) -> list[Verdict]:
    """The service principal, each wanted permission, and each that was granted besides."""
    parts = [_principal(wanted, seen)]
    if seen.disabled and not wanted.able:
        return parts
    for app_id, names in sorted(wanted.permissions.items()):
        parts += _of_resource(wanted, seen, app_id, names)
    for app_id, granted in sorted(seen.granted.items()):
        extra = sorted(set(granted) - set(wanted.permissions.get(app_id, ())))
        parts += [_extra(wanted, Permission(app_id, name)) for name in extra]
    return together(parts)


def _principal(wanted: Wanted, seen: Observed) -> Verdict:
    if seen.disabled:
        reason = "somebody has disabled it, so that the app cannot sign in to this tenant"
        enable = f"az ad sp update --id {wanted.client_id} --set accountEnabled=true"
        step = f"where it is to go on, have an administrator of the customer run: {enable}"
        step += "" if seen.object_id else "; where it is enabled there, enable the app registration"
        return Verdict(PRINCIPAL, WAITING, ("disabled",), reason, next_step=step)
    if seen.object_id:
        return Verdict(PRINCIPAL, IN_SYNC)
    reason = f"app {wanted.client_id} has none in tenant {wanted.tenant_id}"
    return _missing(wanted, PRINCIPAL, reason)


def _missing(wanted: Wanted, target: str, reason: str, subject: Permission | None = None) -> Verdict:
    """What an administrator makes: here where there is a token of one, else by consent to the link."""
    if wanted.able:
        return Verdict(target, DRIFTED, ("missing",), reason, CREATE, after={target: "present"}, subject=subject)
    step = f"have {wanted.consent_url} opened and accepted by an administrator of the customer"
    return Verdict(target, WAITING, ("missing",), reason, next_step=step)


def _of_resource(wanted: Wanted, seen: Observed, app_id: str, names: Iterable[str]) -> list[Verdict]:
    resource, asked = seen.resources.get(app_id), [Permission(app_id, name) for name in names]
    if isinstance(resource, OnboardingError):
        return [unknown(one.target, resource) for one in asked]
    if resource is None and (seen.object_id or wanted.able):
        reason = f"{key_of(app_id)} is not in this tenant"
        step = "have the customer license the product, or take the permission out"
        return [Verdict(one.target, WAITING, ("not_provisioned",), reason, next_step=step) for one in asked]
    return [with_retired(_permission(wanted, seen, one), app_id, [one.name]) for one in asked]


def _permission(wanted: Wanted, seen: Observed, one: Permission) -> Verdict:
    resource = seen.resources.get(one.app_id)
    if one.name in seen.granted.get(one.app_id, {}):
        return Verdict(one.target, IN_SYNC)
    if isinstance(resource, Resource) and resource is not SEEN_BY_TOKEN and one.name not in resource.roles:
        reason = not_offered(resource, one.name)
        return Verdict(one.target, BLOCKED, ("not_offered",), reason, next_step="correct the name in permissions")
    return _missing(wanted, one.target, "not granted", one)


def _extra(wanted: Wanted, one: Permission) -> Verdict:
    """A grant that nobody asked for: told, and removed on request only."""
    target, reason, before = one.target, "granted, and not asked for", {one.target: "granted"}
    if not wanted.exact:
        return Verdict(target, IN_SYNC, ("unexpected",), f"{reason}; kept")
    if wanted.able:
        return Verdict(target, DRIFTED, ("unexpected",), reason, DELETE, before=before, subject=one)
    step = f"have an administrator of the customer remove it, or run with access_token; app {wanted.client_id}"
    return Verdict(target, WAITING, ("unexpected",), reason, next_step=step)


def plan_absent(wanted: Wanted, seen: Observed) -> list[Verdict]:
    """The service principal goes, and with it all that was granted to it; never in the app's own tenant."""
    if not seen.object_id and not seen.disabled:
        return [Verdict(PRINCIPAL, IN_SYNC, reason="the app is not known in this tenant")]
    if seen.home.casefold() == wanted.tenant_id.casefold():
        reason, step = "this is the app's own tenant, where all customers' sign-ins begin", "delete the app itself"
        return [Verdict(PRINCIPAL, BLOCKED, ("home",), reason, next_step=f"{step} where that is meant")]
    if wanted.able:
        return [Verdict(PRINCIPAL, DRIFTED, ("unexpected",), action=DELETE, before={PRINCIPAL: seen.object_id})]
    step = f"have an administrator of the customer run: az ad sp delete --id {wanted.client_id}"
    reason = "it is there, and takes an administrator to remove"
    return [Verdict(PRINCIPAL, WAITING, ("unexpected",), reason, next_step=step)]


def ended(wanted: Wanted, seen: Observed, records: Iterable[Record]) -> tuple[Names, Names, Names]:
    """(granted, missing, extra) as they are after what was done; what is not known is in none of them."""
    by_target = {record.target: record for record in records}
    granted = {app_id: set(names) for app_id, names in seen.granted.items()}
    missing: dict[str, set[str]] = {}
    for app_id, names in wanted.permissions.items():
        for name in names:
            record = by_target.get(Permission(app_id, name).target)
            if record is not None and (record.status == IN_SYNC or record.written):
                granted.setdefault(app_id, set()).add(name)
            elif record is not None and record.status != UNKNOWN:
                missing.setdefault(app_id, set()).add(name)
    for app_id, held in granted.items():
        held -= {name for name in held if taken_back(by_target.get(Permission(app_id, name).target))}
    extra = {app_id: held - set(wanted.permissions.get(app_id, ())) for app_id, held in granted.items()}
    return _names(granted), _names(missing), _names(extra)


def taken_back(record: Record | None) -> bool:
    """Whether this run has removed it."""
    return record is not None and record.written and record.verdict.action == DELETE


def _names(found: Mapping[str, set[str]]) -> Names:
    return {app_id: tuple(sorted(names)) for app_id, names in found.items() if names}
