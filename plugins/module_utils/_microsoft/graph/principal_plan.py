# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be done about the app's presence and permissions in one tenant: every rule, and no I/O. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..._core.errors import OnboardingError
from ..._core.status import BLOCKED, DRIFTED, IN_SYNC, UNKNOWN
from . import permissions
from .permissions import Names, Resource
from .record import CREATE, DELETE, Part

PRINCIPAL = "service principal"
# A resource of which only a token tells: what it would offer is not known, and need not be.
SEEN_BY_TOKEN = Resource("", "", {})


class Observed(NamedTuple):
    """The app in one tenant, as an administrator reads it in the directory or as the app's own tokens show it.

    object_id: of the service principal, '' for none; home: the tenant in which the app is registered, '' where that is
    not known; granted: app id of each resource -> permission -> id of the grant, '' where a token shows it; resources:
    by app id, None for one that the tenant does not have, or why that is not known.
    """

    object_id: str
    home: str
    granted: Mapping[str, Mapping[str, str]]
    resources: Mapping[str, Resource | OnboardingError | None]


class Wanted(NamedTuple):
    """able: whether an administrator's token is there to write with; consent_url: for the administrator otherwise."""

    tenant_id: str
    client_id: str
    permissions: Names
    exact: bool
    able: bool
    consent_url: str


def permission_name(app_id: str, name: str) -> str:
    return f"permission {permissions.key_of(app_id)} {name}"


def plan_present(wanted: Wanted, seen: Observed) -> list[Part]:
    """The service principal, each wanted permission, and each that was granted besides."""
    parts = [_principal(wanted, seen)]
    for app_id, names in sorted(wanted.permissions.items()):
        parts += _of_resource(wanted, seen, app_id, names)
    for app_id, granted in sorted(seen.granted.items()):
        extra = sorted(set(granted) - set(wanted.permissions.get(app_id, ())))
        parts += [_extra(wanted, app_id, name) for name in extra]
    return parts


def _principal(wanted: Wanted, seen: Observed) -> Part:
    if seen.object_id:
        return Part(PRINCIPAL, before=seen.object_id)
    reason = f"app {wanted.client_id} has none in tenant {wanted.tenant_id}"
    return _missing(wanted, PRINCIPAL, reason)


def _missing(wanted: Wanted, name: str, reason: str, drift: tuple[str, ...] = ()) -> Part:
    """What an administrator makes: here where there is a token of one, else by consent to the link."""
    found = ("missing", *drift)
    if wanted.able:
        return Part(name, DRIFTED, found, CREATE, reason, after="present")
    step = f"have {wanted.consent_url} opened and accepted by an administrator of the customer"
    return Part(name, BLOCKED, found, "", reason, step)


def _of_resource(wanted: Wanted, seen: Observed, app_id: str, names: Iterable[str]) -> list[Part]:
    resource = seen.resources.get(app_id)
    key = permissions.key_of(app_id)
    if isinstance(resource, OnboardingError):
        return [Part(permission_name(app_id, name), UNKNOWN, error=resource) for name in names]
    if resource is None and (seen.object_id or wanted.able):
        reason = f"{key} is not in this tenant"
        step = "have the customer license the product, or take the permission out"
        return [Part(permission_name(app_id, name), BLOCKED, ("not_provisioned",), "", reason, step) for name in names]
    return [_permission(wanted, seen, app_id, name) for name in names]


def _permission(wanted: Wanted, seen: Observed, app_id: str, name: str) -> Part:
    label, resource = permission_name(app_id, name), seen.resources.get(app_id)
    told = permissions.retired(app_id, name)
    gone: tuple[str, ...] = ("retired",) if told else ()
    if name in seen.granted.get(app_id, {}):
        return Part(label, IN_SYNC, gone, "", told, permissions.instead(app_id, [name]), before="granted")
    if isinstance(resource, Resource) and resource is not SEEN_BY_TOKEN and name not in resource.roles:
        reason = permissions.not_offered(resource, name)
        return Part(label, BLOCKED, ("not_offered", *gone), "", reason, "correct the name in permissions")
    missing = _missing(wanted, label, "; ".join(filter(None, ("not granted", told))), gone)
    return missing._replace(next_step=missing.next_step or permissions.instead(app_id, [name]))


def _extra(wanted: Wanted, app_id: str, name: str) -> Part:
    """A grant that nobody asked for: told, and removed on request only."""
    label, reason = permission_name(app_id, name), "granted, and not asked for"
    if not wanted.exact:
        return Part(label, IN_SYNC, ("unexpected",), "", f"{reason}; kept", before="granted")
    if wanted.able:
        return Part(label, DRIFTED, ("unexpected",), DELETE, reason, before="granted")
    step = f"have an administrator of the customer remove it, or run with access_token; app {wanted.client_id}"
    return Part(label, BLOCKED, ("unexpected",), "", reason, step, before="granted")


def plan_absent(wanted: Wanted, seen: Observed) -> list[Part]:
    """The service principal goes, and with it all that was granted to it; never in the app's own tenant."""
    if not seen.object_id:
        return [Part(PRINCIPAL, reason="the app is not known in this tenant")]
    if seen.home.casefold() == wanted.tenant_id.casefold():
        reason = "this is the app's own tenant, where all customers' sign-ins begin"
        return [Part(PRINCIPAL, BLOCKED, ("home",), "", reason, "delete the app itself where that is meant")]
    if wanted.able:
        return [Part(PRINCIPAL, DRIFTED, ("unexpected",), DELETE, before=seen.object_id)]
    step = f"have an administrator of the customer run: az ad sp delete --id {wanted.client_id}"
    return [Part(PRINCIPAL, BLOCKED, ("unexpected",), "", "it is there, and takes an administrator to remove", step)]


def ended(wanted: Wanted, seen: Observed, parts: Iterable[Part]) -> tuple[Names, Names, Names]:
    """(granted, missing, extra) as they are after what was done; what is not known is in none of them."""
    by_name = {part.name: part for part in parts}
    granted = {app_id: set(names) for app_id, names in seen.granted.items()}
    missing: dict[str, set[str]] = {}
    for app_id, names in wanted.permissions.items():
        for name in names:
            part = by_name.get(permission_name(app_id, name))
            if part is not None and (part.status == IN_SYNC or part.written):
                granted.setdefault(app_id, set()).add(name)
            elif part is not None and part.status != UNKNOWN:
                missing.setdefault(app_id, set()).add(name)
    for app_id, held in granted.items():
        held -= {name for name in held if _taken_back(by_name.get(permission_name(app_id, name)))}
    extra = {app_id: held - set(wanted.permissions.get(app_id, ())) for app_id, held in granted.items()}
    return _names(granted), _names(missing), _names(extra)


def _taken_back(part: Part | None) -> bool:
    return part is not None and part.written and part.action == DELETE


def _names(found: Mapping[str, set[str]]) -> Names:
    return {app_id: tuple(sorted(names)) for app_id, names in found.items() if names}
