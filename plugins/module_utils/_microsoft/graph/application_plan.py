# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be done to the app so that it is as wanted: every rule, and no I/O. Pure."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

from ..._core.errors import OnboardingError
from ..._core.status import BLOCKED, DRIFTED, IN_SYNC, UNKNOWN
from . import permissions
from .certificates import Certificate, thumbprint
from .options import Application as Wanted
from .permissions import Resource
from .record import CREATE, DELETE, UPDATE, Part

AUDIENCE = "AzureADMultipleOrgs"
# The display name of a certificate that we uploaded: this, and when. What has another name is not ours to remove.
MARK = "mssp.onboarding "
STAMP = "%Y-%m-%dT%H:%M:%SZ"
CERTIFICATE = {"type": "AsymmetricX509Cert", "usage": "Verify"}

APP, PRINCIPAL, DISPLAY_NAME, SIGN_IN, REDIRECTS, CREDENTIALS = (
    "app",
    "service principal",
    "display name",
    "sign-in audience",
    "redirect URIs",
    "credentials",
)
NEW_CERTIFICATE = "make a certificate, name its file in certificate_paths beside the one in use, and run onboard"


class Credential(NamedTuple):
    """A certificate or secret that the app has. thumbprint: '' for a secret; raw: as Graph gave it."""

    name: str
    thumbprint: str
    start: datetime
    end: datetime
    raw: Mapping[str, Any]

    def valid(self, now: datetime) -> bool:
        return self.start <= now < self.end

    @property
    def uploaded(self) -> datetime | None:
        """When we uploaded it, None for one that is not ours."""
        try:
            return moment(self.name.removeprefix(MARK)) if self.name.startswith(MARK) else None
        except ValueError:
            return None


class Application(NamedTuple):
    """The app as it is. access: app id of a resource -> {(id, type)} of requiredResourceAccess."""

    object_id: str
    app_id: str
    display_name: str
    audience: str
    redirect_uris: tuple[str, ...]
    access: Mapping[str, frozenset[tuple[str, str]]]
    certificates: tuple[Credential, ...]
    secrets: tuple[Credential, ...]


# What could be learned of a resource app: itself, None where the tenant has none, or why that is not known.
Known: TypeAlias = "Mapping[str, Resource | OnboardingError | None]"


class Plan(NamedTuple):
    """parts: everything looked at; access: what requiredResourceAccess is to be."""

    parts: list[Part]
    access: dict[str, frozenset[tuple[str, str]]]


def moment(text: str) -> datetime:
    """A time as Graph writes it, with up to seven digits of a second. Raises ValueError."""
    whole, _dot, _fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(whole + "+00:00")


def mark(now: datetime) -> str:
    return MARK + now.strftime(STAMP)


def parse(body: Mapping[str, Any], keys: Mapping[str, Any]) -> Application:
    """The app out of its object and, for the certificates, of an answer to C($select=keyCredentials) alone.

    Graph gives a certificate's C(key) in the latter only. Raises KeyError, TypeError or ValueError.
    """
    access: dict[str, frozenset[tuple[str, str]]] = {}
    for resource in body["requiredResourceAccess"]:
        entries = frozenset((str(one["id"]).casefold(), str(one["type"])) for one in resource["resourceAccess"])
        access[str(resource["resourceAppId"]).casefold()] = entries
    return Application(
        object_id=str(body["id"]),
        app_id=str(body["appId"]),
        display_name=str(body["displayName"]),
        audience=str(body["signInAudience"]),
        redirect_uris=tuple(sorted((body.get("web") or {}).get("redirectUris") or ())),
        access=access,
        certificates=tuple(_credential(raw) for raw in keys["keyCredentials"]),
        secrets=tuple(_credential(raw) for raw in body["passwordCredentials"]),
    )


def _credential(raw: Mapping[str, Any]) -> Credential:
    key = base64.b64decode(raw.get("key") or "")
    return Credential(
        name=str(raw.get("displayName") or ""),
        thumbprint=thumbprint(key) if key else "",
        start=moment(raw["startDateTime"]),
        end=moment(raw["endDateTime"]),
        raw=dict(raw),
    )


def plan(
    wanted: Wanted,
    certificates: Sequence[Certificate],
    held: Application | None,
    principal: str | OnboardingError,
    known: Known,
    in_use: str,
    now: datetime,
) -> Plan:
    """What each part of the app is and needs.

    principal: object id of its service principal at home, '' for none; in_use: thumbprint of the certificate that
    signs this run in.
    """
    access, access_parts = _access(wanted, held, known)
    had = held.certificates if held else ()
    keys = certificate_parts(certificates, had, in_use, wanted.certificate_grace_days, now)
    parts = [*_properties(wanted, held), _principal(principal), *access_parts, *keys, *_secret(wanted, held, now)]
    return Plan([*parts, *_lasting(wanted, certificates, held, keys, now)], access)


def _properties(wanted: Wanted, held: Application | None) -> list[Part]:
    if held is None:
        after = {DISPLAY_NAME: wanted.display_name, SIGN_IN: AUDIENCE}
        parts = [Part(APP, DRIFTED, ("missing",), CREATE, "there is none yet", after=after)]
    else:
        pairs = (
            (DISPLAY_NAME, held.display_name, wanted.display_name),
            (SIGN_IN, held.audience, AUDIENCE),
        )
        parts = [
            Part(name, before=before, after=after)
            if before == after
            else Part(name, DRIFTED, ("changed",), UPDATE, before=before, after=after)
            for name, before, after in pairs
        ]
    return [*parts, *_redirects(wanted, held)]


def _principal(held: str | OnboardingError) -> Part:
    """Without one at home the app cannot sign in there."""
    if isinstance(held, OnboardingError):
        return Part(PRINCIPAL, UNKNOWN, error=held)
    if held:
        return Part(PRINCIPAL, before=held)
    return Part(PRINCIPAL, DRIFTED, ("missing",), CREATE, "the app has none at home", after="present")


def _redirects(wanted: Wanted, held: Application | None) -> list[Part]:
    if not wanted.redirect_uris:
        return []
    before = held.redirect_uris if held else ()
    return [_listed(REDIRECTS, set(before), set(wanted.redirect_uris), wanted.exact)]


def _listed(name: str, before: set[str], wanted: set[str], exact: bool) -> Part:
    """A list of which the wanted must be there; what others added is kept and told, unless C(exact)."""
    extra = before - wanted
    drift = (("missing",) if wanted - before else ()) + (("unexpected",) if extra else ())
    reason = f"not asked for: {', '.join(sorted(extra))}" if extra else ""
    if not (wanted - before or (extra and exact)):
        return Part(name, IN_SYNC, drift, "", f"{reason}; kept" if reason else "", before=sorted(before))
    after = wanted if exact else before | wanted
    action = UPDATE if extra and exact else CREATE
    return Part(name, DRIFTED, drift, action, reason, before=sorted(before), after=sorted(after))


def _access(
    wanted: Wanted, held: Application | None, known: Known
) -> tuple[dict[str, frozenset[tuple[str, str]]], list[Part]]:
    """(what requiredResourceAccess is to be, a part per resource and one per permission that cannot be asked for)."""
    after = dict(held.access) if held else {}
    parts: list[Part] = []
    if not wanted.permissions:
        return after, parts
    for app_id in sorted({*wanted.permissions, *after}):
        resource, names = known.get(app_id), wanted.permissions.get(app_id, ())
        label = f"permissions of {permissions.key_of(app_id)}"
        if isinstance(resource, OnboardingError):
            parts.append(Part(label, UNKNOWN, error=resource))
            continue
        if resource is None:
            parts += _not_provisioned(app_id, names)
            continue
        parts += [unoffered(resource, name) for name in names if name not in resource.roles]
        roles = frozenset((resource.roles[name], "Role") for name in names if name in resource.roles)
        before = after.get(app_id, frozenset())
        part = _listed(label, _shown(before, resource), _shown(roles, resource), wanted.exact)
        part = with_retired(part, app_id, names)
        parts += [part] if before or roles else []
        if part.pending:
            after[app_id] = roles if wanted.exact else before | roles
    return {app_id: entries for app_id, entries in after.items() if entries}, parts


def _shown(entries: Iterable[tuple[str, str]], resource: Resource) -> set[str]:
    """Names of permissions; a delegated one is said to be."""
    return {resource.name_of(one) if kind == "Role" else f"{one} (delegated)" for one, kind in entries}


def _not_provisioned(app_id: str, names: Sequence[str]) -> list[Part]:
    key = permissions.key_of(app_id)
    step = "license the product in this tenant, or take the permission out"
    return [
        Part(f"permission {key} {name}", BLOCKED, ("not_provisioned",), reason=f"{key} is not in this tenant",
             next_step=step)
        for name in names
    ]  # fmt: skip


def unoffered(resource: Resource, name: str) -> Part:
    """A permission whose name this tenant's resource does not know."""
    key = permissions.key_of(resource.app_id)
    return Part(f"permission {key} {name}", BLOCKED, ("not_offered",), reason=permissions.not_offered(resource, name),
                next_step="correct the name in permissions")  # fmt: skip


def with_retired(part: Part, app_id: str, names: Sequence[str]) -> Part:
    """The part, told of retired permissions among the wanted: they are kept, and never silently."""
    told = [text for name in names if (text := permissions.retired(app_id, name))]
    if not told:
        return part
    reason = "; ".join(filter(None, (part.reason, *told)))
    return part._replace(drift=(*part.drift, "retired"), reason=reason, next_step=permissions.instead(app_id, names))


def certificate_parts(
    wanted: Sequence[Certificate], held: Sequence[Credential], in_use: str, grace_days: int, now: datetime
) -> list[Part]:
    """New certificates come first and beside the old; old ones of ours go when nobody can need them any more.

    A certificate is removed only when it is ours, not wanted, does not sign this run in, all that are wanted are
    there and one of them is valid, and it has expired or the grace time since the last of them came is over.
    """
    if not wanted:
        return []
    by_print = {one.thumbprint: one for one in held}
    parts = [_registered(one, by_print.get(one.thumbprint)) for one in wanted]
    there = [by_print[one.thumbprint] for one in wanted if one.thumbprint in by_print]
    whole = len(there) == len(wanted) and any(one.valid(now) for one in there)
    replaced = max((one.uploaded or one.start for one in there), default=now)
    until = replaced + timedelta(days=grace_days)
    kept_prints = {one.thumbprint for one in wanted} | {in_use}
    for one in held:
        if one.uploaded is None or one.thumbprint in kept_prints:
            continue
        shown, over = certificate_name(one.thumbprint), now >= until or one.end <= now
        before = {"expires": one.end.isoformat()}
        if whole and over:
            reason = "it has expired" if one.end <= now else "its grace time is over"
            parts.append(Part(shown, DRIFTED, ("superseded",), DELETE, reason, before=before))
        else:
            reason = f"superseded, kept until {until.isoformat()}" if whole else "kept until all wanted ones are there"
            parts.append(Part(shown, IN_SYNC, reason=reason, before=before))
    return parts


def certificate_name(thumb: str) -> str:
    return f"certificate {thumb[:16]}"


def _registered(one: Certificate, held: Credential | None) -> Part:
    name = certificate_name(one.thumbprint)
    after = {"file": one.label, "expires": one.end.isoformat()}
    if held is not None:
        return Part(name, before=after)
    return Part(name, DRIFTED, ("missing",), CREATE, "the app does not have it", after=after)


def _secret(wanted: Wanted, held: Application | None, now: datetime) -> list[Part]:
    """A secret only when one is asked for, and only where none of its name is valid: another name is another secret."""
    if not wanted.secret_name:
        return []
    name = f"secret {wanted.secret_name}"
    valid = [one for one in (held.secrets if held else ()) if one.name == wanted.secret_name and one.valid(now)]
    if valid:
        return [Part(name, before={"expires": max(one.end for one in valid).isoformat()})]
    after = {"days": wanted.secret_days}
    return [Part(name, DRIFTED, ("missing",), CREATE, "the app has no valid one of this name", after=after)]


def _lasting(
    wanted: Wanted, certificates: Sequence[Certificate], held: Application | None, keys: Sequence[Part], now: datetime
) -> list[Part]:
    """Whether anything that signs in lasts for longer than C(expiry_days), what is to be added counted in."""
    gone = {part.name for part in keys if part.action == DELETE}
    ends = [one.end for one in (held.certificates if held else ()) if certificate_name(one.thumbprint) not in gone]
    ends += [one.end for one in (held.secrets if held else ())]
    ends += [one.end for one in certificates]
    ends += [now + timedelta(days=wanted.secret_days)] if wanted.secret_name else []
    if not ends or max(ends) >= now + timedelta(days=wanted.expiry_days):
        return []
    reason = f"the last of them ends on {max(ends).isoformat()}"
    return [Part(CREDENTIALS, BLOCKED, ("expiring",), reason=reason, next_step=NEW_CERTIFICATE)]


def key_list(held: Application, parts: Sequence[Part], wanted: Sequence[Certificate], now: datetime) -> list[Any]:
    """What PATCH is to make of keyCredentials, which it replaces as a whole: all that stay as they came, and the new.

    Raises ValueError where Graph held back the content of one that stays: it would be lost.
    """
    actions = {part.name: part.action for part in parts}
    kept = [one for one in held.certificates if actions.get(certificate_name(one.thumbprint)) != DELETE]
    if lost := [one.name or str(one.raw.get("keyId")) for one in kept if not one.thumbprint]:
        raise ValueError(", ".join(lost))
    added = [one for one in wanted if actions.get(certificate_name(one.thumbprint)) == CREATE]
    staying = [{name: value for name, value in one.raw.items() if value is not None} for one in kept]
    return [*staying, *(new_key(one, now) for one in added)]


def new_key(one: Certificate, now: datetime) -> dict[str, Any]:
    """A certificate as Graph takes it."""
    return {**CERTIFICATE, "key": base64.b64encode(one.der).decode(), "displayName": mark(now)}


def body(wanted: Wanted, held: Application | None, found: Plan) -> dict[str, Any]:
    """What PATCH is to set of the app's properties; {} for nothing."""
    pending = {part.name: part for part in found.parts if part.pending}
    made = held is None
    sent: dict[str, Any] = {}
    if made or DISPLAY_NAME in pending:
        sent["displayName"] = wanted.display_name
    if made or SIGN_IN in pending:
        sent["signInAudience"] = AUDIENCE
    if REDIRECTS in pending:
        sent["web"] = {"redirectUris": pending[REDIRECTS].after}
    if any(name.startswith("permissions of ") for name in pending):
        sent["requiredResourceAccess"] = [
            {
                "resourceAppId": app_id,
                "resourceAccess": [{"id": one, "type": kind} for one, kind in sorted(entries)],
            }
            for app_id, entries in sorted(found.access.items())
        ]
    return sent


def expiries(held: Application | None, now: datetime) -> list[dict[str, str]]:
    """[{name, expires}] for the report: what still signs in, or all where nothing does any more."""
    named = [
        (one, certificate_name(one.thumbprint) if kind == "certificate" else f"secret {one.name}")
        for kind, given in (("certificate", held.certificates), ("secret", held.secrets))
        for one in given
    ] if held else []  # fmt: skip
    alive = [(one, name) for one, name in named if one.end > now]
    return [{"name": name, "expires": one.end.isoformat()} for one, name in alive or named]
