# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be done to the app so that it is as wanted: every rule, and no I/O. Pure."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ..._core.bodies import mapping, piece, text, texts, words
from ..._core.errors import OnboardingError
from ..._core.status import BLOCKED, DRIFTED, IN_SYNC, WAITING
from ..._core.verdict import Verdict, unknown
from ..graph.parts import CREATE, DELETE, UPDATE, together, with_retired
from ..graph.permissions import Known, Resource, key_of, not_offered
from .certificates import Certificate, thumbprint
from .options import Wanted

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


# Writes in their order. Those of PROPERTIES are one request.
PROPERTIES, AT_HOME, KEYS, SECRET = STAGES = ("properties", "service principal", "certificates", "secret")


class Change(NamedTuple):
    """What a part that is due needs.

    stage: of STAGES; sent: properties as Graph takes them; access: what the app is to ask of one resource app; add and
    remove: certificates.
    """

    stage: str
    sent: Mapping[str, Any] = {}
    access: tuple[str, frozenset[tuple[str, str]]] | None = None
    add: Certificate | None = None
    remove: Credential | None = None


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
        entries = frozenset((text(one["id"]).casefold(), text(one["type"])) for one in resource["resourceAccess"])
        access[text(resource["resourceAppId"]).casefold()] = entries
    return Application(
        object_id=piece(body["id"]),
        app_id=piece(body["appId"]),
        display_name=text(body["displayName"]),
        audience=text(body["signInAudience"]),
        redirect_uris=tuple(sorted(texts(mapping(body.get("web")).get("redirectUris")))),
        access=access,
        certificates=tuple(_credential(raw) for raw in keys["keyCredentials"]),
        secrets=tuple(_credential(raw) for raw in body["passwordCredentials"]),
    )


def _credential(raw: Mapping[str, Any]) -> Credential:
    key = base64.b64decode(words(raw.get("key")))
    return Credential(
        name=words(raw.get("displayName")),
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
) -> list[Verdict]:
    """What each part of the app is and needs; the due ones have their Change as C(subject).

    Args:
        principal: object id of its service principal at home, '' for none.
        in_use: thumbprint of the certificate that signs this run in.
    """
    had = held.certificates if held else ()
    keys = certificate_parts(certificates, had, in_use, wanted.certificate_grace_days, now)
    return together(
        [
            *_properties(wanted, held),
            _principal(principal),
            *_access(wanted, held, known),
            *keys,
            *_secret(wanted, held, now),
            *_lasting(wanted, certificates, held, keys, in_use, now),
        ]
    )


def _properties(wanted: Wanted, held: Application | None) -> list[Verdict]:
    properties = (("displayName", wanted.display_name), ("signInAudience", AUDIENCE))
    if held is None:
        after = {DISPLAY_NAME: wanted.display_name, SIGN_IN: AUDIENCE}
        made = Change(PROPERTIES, dict(properties))
        parts = [Verdict(APP, DRIFTED, ("missing",), "there is none yet", CREATE, after=after, subject=made)]
    else:
        sides = ((DISPLAY_NAME, held.display_name), (SIGN_IN, held.audience))
        parts = [
            _property(name, before, after, Change(PROPERTIES, {field: after}))
            for (name, before), (field, after) in zip(sides, properties, strict=True)
        ]
    return [*parts, *_redirects(wanted, held)]


def _property(name: str, before: str, after: str, change: Change) -> Verdict:
    if before == after:
        return Verdict(name, IN_SYNC)
    return Verdict(
        name, DRIFTED, ("changed",), action=UPDATE, before={name: before}, after={name: after}, subject=change
    )


def _principal(held: str | OnboardingError) -> Verdict:
    """Without one at home the app cannot sign in there."""
    if isinstance(held, OnboardingError):
        return unknown(PRINCIPAL, held)
    if held:
        return Verdict(PRINCIPAL, IN_SYNC)
    after, change = {PRINCIPAL: "present"}, Change(AT_HOME)
    return Verdict(PRINCIPAL, DRIFTED, ("missing",), "the app has none at home", CREATE, after=after, subject=change)


def _redirects(wanted: Wanted, held: Application | None) -> list[Verdict]:
    if not wanted.redirect_uris:
        return []
    before = held.redirect_uris if held else ()
    after = set(wanted.redirect_uris) if wanted.exact else {*before, *wanted.redirect_uris}
    change = Change(PROPERTIES, {"web": {"redirectUris": sorted(after)}})
    return [_listed(REDIRECTS, set(before), set(wanted.redirect_uris), wanted.exact, change)]


def _listed(name: str, before: set[str], wanted: set[str], exact: bool, change: Change) -> Verdict:
    """A list of which the wanted must be there; what others added is kept and told, unless C(exact)."""
    extra = before - wanted
    drift = (("missing",) if wanted - before else ()) + (("unexpected",) if extra else ())
    reason = f"not asked for: {', '.join(sorted(extra))}" if extra else ""
    if not (wanted - before or (extra and exact)):
        return Verdict(name, IN_SYNC, drift, f"{reason}; kept" if reason else "")
    after = wanted if exact else before | wanted
    action = UPDATE if extra and exact else CREATE
    return Verdict(
        name, DRIFTED, drift, reason, action, before={name: sorted(before)}, after={name: sorted(after)}, subject=change
    )


def _access(wanted: Wanted, held: Application | None, known: Known) -> list[Verdict]:
    """A part per resource, and one per permission that cannot be asked for."""
    if not wanted.permissions:
        return []
    access = held.access if held else {}
    parts: list[Verdict] = []
    for app_id in sorted({*wanted.permissions, *access}):
        resource, names = known.get(app_id), wanted.permissions.get(app_id, ())
        label = f"permissions of {key_of(app_id)}"
        if isinstance(resource, OnboardingError):
            parts.append(unknown(label, resource))
        elif resource is None:
            parts += _not_provisioned(app_id, names)
        else:
            parts += [unoffered(resource, name) for name in names if name not in resource.roles]
            roles = frozenset((resource.roles[name], "Role") for name in names if name in resource.roles)
            before = access.get(app_id, frozenset())
            change = Change(PROPERTIES, access=(app_id, roles if wanted.exact else before | roles))
            part = _listed(label, _shown(before, resource), _shown(roles, resource), wanted.exact, change)
            parts += [with_retired(part, app_id, names)] if before or roles else []
    return parts


def _shown(entries: Iterable[tuple[str, str]], resource: Resource) -> set[str]:
    """Names of permissions; a delegated one is said to be."""
    return {resource.name_of(one) if kind == "Role" else f"{one} (delegated)" for one, kind in entries}


def _not_provisioned(app_id: str, names: Sequence[str]) -> list[Verdict]:
    key = key_of(app_id)
    step = "license the product in this tenant, or take the permission out"
    return [
        Verdict(f"permission {key} {name}", WAITING, ("not_provisioned",), f"{key} is not in this tenant",
                next_step=step)
        for name in names
    ]  # fmt: skip


def unoffered(resource: Resource, name: str) -> Verdict:
    """A permission whose name this tenant's resource does not know."""
    return Verdict(f"permission {key_of(resource.app_id)} {name}", BLOCKED, ("not_offered",),
                   not_offered(resource, name), next_step="correct the name in permissions")  # fmt: skip


def certificate_parts(
    wanted: Sequence[Certificate], held: Sequence[Credential], in_use: str, grace_days: int, now: datetime
) -> list[Verdict]:
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
        if whole and over:
            reason = "it has expired" if one.end <= now else "its grace time is over"
            before, change = {"expires": one.end.isoformat()}, Change(KEYS, remove=one)
            parts.append(Verdict(shown, DRIFTED, ("superseded",), reason, DELETE, before=before, subject=change))
        else:
            reason = f"superseded, kept until {until.isoformat()}" if whole else "kept until all wanted ones are there"
            parts.append(Verdict(shown, IN_SYNC, reason=reason))
    return parts


def certificate_name(thumb: str) -> str:
    return f"certificate {thumb[:16]}"


def _registered(one: Certificate, held: Credential | None) -> Verdict:
    name = certificate_name(one.thumbprint)
    if held is not None:
        return Verdict(name, IN_SYNC)
    after, change = {"file": one.label, "expires": one.end.isoformat()}, Change(KEYS, add=one)
    return Verdict(name, DRIFTED, ("missing",), "the app does not have it", CREATE, after=after, subject=change)


def _secret(wanted: Wanted, held: Application | None, now: datetime) -> list[Verdict]:
    """A secret only when one is asked for, and only where none of its name is valid: another name is another secret."""
    if not wanted.secret_name:
        return []
    name = f"secret {wanted.secret_name}"
    if any(one.name == wanted.secret_name and one.valid(now) for one in (held.secrets if held else ())):
        return [Verdict(name, IN_SYNC)]
    after, reason = {"days": wanted.secret_days}, "the app has no valid one of this name"
    return [Verdict(name, DRIFTED, ("missing",), reason, CREATE, after=after, subject=Change(SECRET))]


def _lasting(
    wanted: Wanted,
    certificates: Sequence[Certificate],
    held: Application | None,
    keys: Sequence[Verdict],
    in_use: str,
    now: datetime,
) -> list[Verdict]:
    """Whether what signs in lasts for longer than C(expiry_days), what is to be added counted in.

    That is what we know to be ours: where nothing is, anything that the app has.
    """
    gone = {part.target for part in keys if part.action == DELETE}
    there = [one for one in (held.certificates if held else ()) if certificate_name(one.thumbprint) not in gone]
    secrets = held.secrets if held else ()
    ours = [one.end for one in there if in_use and one.thumbprint == in_use]
    ours += [one.end for one in secrets if wanted.secret_name and one.name == wanted.secret_name]
    ours += [one.end for one in certificates]
    ends = ours or [one.end for one in (*there, *secrets)]
    ends += [now + timedelta(days=wanted.secret_days)] if wanted.secret_name else []
    if not ends or max(ends) >= now + timedelta(days=wanted.expiry_days):
        return []
    reason = f"the last of them ends on {max(ends).isoformat()}"
    return [Verdict(CREDENTIALS, DRIFTED, ("expiring",), reason, next_step=NEW_CERTIFICATE)]


def rank(target: str) -> int:
    """The place of a part among the others."""
    kinds = (APP, DISPLAY_NAME, SIGN_IN, REDIRECTS, PRINCIPAL, "permission", "certificate", "secret", CREDENTIALS)
    return next(place for place, kind in enumerate(kinds) if target.startswith(kind))


def key_list(held: Application, due: Iterable[Verdict], now: datetime) -> list[dict[str, Any]]:
    """What PATCH is to make of keyCredentials, which it replaces as a whole: all that stay as they came, and the new.

    Raises ValueError where Graph held back the content of one that stays: it would be lost.
    """
    changes: list[Change] = [verdict.subject for verdict in due]
    gone = [change.remove for change in changes if change.remove]
    kept = [one for one in held.certificates if one not in gone]
    if lost := [one.name or str(one.raw.get("keyId")) for one in kept if not one.thumbprint]:
        raise ValueError(", ".join(lost))
    staying = [{name: value for name, value in one.raw.items() if value is not None} for one in kept]
    return [*staying, *(new_key(change.add, now) for change in changes if change.add)]


def new_key(one: Certificate, now: datetime) -> dict[str, Any]:
    """A certificate as Graph takes it."""
    return {**CERTIFICATE, "key": base64.b64encode(one.der).decode(), "displayName": mark(now)}


def body(held: Application | None, due: Iterable[Verdict]) -> dict[str, Any]:
    """What PATCH is to set of the app's properties."""
    changes: list[Change] = [verdict.subject for verdict in due]
    sent: dict[str, Any] = {}
    for change in changes:
        sent |= change.sent
    if asked := [change.access for change in changes if change.access]:
        access = {**(held.access if held else {}), **dict(asked)}
        sent["requiredResourceAccess"] = [
            {"resourceAppId": app_id, "resourceAccess": [{"id": one, "type": kind} for one, kind in sorted(entries)]}
            for app_id, entries in sorted(access.items())
            if entries
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
