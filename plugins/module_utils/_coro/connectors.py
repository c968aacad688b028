# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connectors: what Coro shows, what is wanted, and the way to and from the wire, by the contract profile. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .._core.bodies import amount, text, words
from . import formats
from .formats import FORMATS, HEADERS
from .profile import Profile

CONNECTED, DISCONNECTED = "connected", "disconnected"
HIDDEN = "VALUE_HIDDEN"


class Connector(NamedTuple):
    """A connector as Coro shows it; secrets cannot be read.

    format: one of FORMATS, or '' for one that the profile does not know; fields: readable options to values;
    headers: lower-case names; status: connected, disconnected or ''; channel: id of the workspace it is inherited
    from; error: the receiver's last refusal, in words; updated: epoch milliseconds, 0 when not said.
    """

    id: str
    name: str
    format: str
    fields: Mapping[str, str]
    headers: frozenset[str] = frozenset()
    apply_to_all: bool = False
    status: str = CONNECTED
    inherited: bool = False
    channel: str = ""
    error: str = ""
    updated: int = 0

    def view(self) -> dict[str, Any]:
        """What may be shown of it."""
        return _view(self.format, self.fields, self.headers, self.apply_to_all) | {"status": self.status or "unknown"}


class Wanted(NamedTuple):
    """One connector of the tenant file. secrets: option -> value, headers as C(headers.<name>).

    state: present, absent or synced; id: of the connector that is meant where several have the name; anew: its secrets
    are sent once more.
    """

    name: str
    format: str
    fields: Mapping[str, str]
    secrets: Mapping[str, str]
    apply_to_all: bool = False
    state: str = "present"
    id: str = ""
    anew: bool = False

    @property
    def headers(self) -> frozenset[str]:
        prefix = HEADERS + "."
        return frozenset(name[len(prefix) :].casefold() for name in self.secrets if name.startswith(prefix))

    def view(self) -> dict[str, Any]:
        """What may be shown of it."""
        shown = _view(self.format, self.fields, self.headers, self.apply_to_all) | {"status": CONNECTED}
        if self.anew:
            shown |= {name: f"{HIDDEN} (sent anew)" for name, value in shown.items() if value == HIDDEN}
        return shown


def _view(kind: str, fields: Mapping[str, str], headers: frozenset[str], apply_to_all: bool) -> dict[str, Any]:
    secrets = FORMATS[kind].secrets if kind in FORMATS else ()
    shown = {option: sorted(headers) if option == HEADERS else HIDDEN for option in secrets}
    return {"format": kind, **fields, **shown, "apply_to_all_customers": apply_to_all}


def parse(item: Mapping[str, Any], profile: Profile) -> Connector:
    """A connector out of an answer. Raises KeyError, TypeError, ValueError or AttributeError for another shape."""
    names = profile.fields
    kind = profile.format_of(text(item[names["format"]]))
    fields = FORMATS[kind].fields if kind else ()
    headers = item.get(names["headers"]) or []
    return Connector(
        id=text(item[names["id"]]),
        name=text(item[names["name"]]),
        format=kind,
        fields={option: words(item.get(names[option])) for option in fields},
        headers=frozenset(text(header[names["header_name"]]).casefold() for header in headers),
        apply_to_all=bool(item.get(names["apply_to_all_customers"])),
        status=profile.status_of(text(item[names["status"]])),
        inherited=bool(item.get(names["inherited"])),
        channel=words(item.get(names["channel"])),
        error=refusal(item.get(names["last_error"])),
        updated=int(amount(item.get(names["updated"]) or 0)),
    )


def refusal(said: Any) -> str:
    """A receiver's answer in words, out of C({status, body}); '' when there is none."""
    if not isinstance(said, Mapping):
        return ""
    status = f"HTTP {said['status']}" if said.get("status") else "no answer"
    text = " ".join(str(said.get("body") or "").split())[:300]
    return f"{status}: {text}" if text else status


def body(wanted: Wanted, profile: Profile, *, secrets: bool) -> dict[str, Any]:
    """What a create or update sends; without C(secrets) it leaves out what Coro has stored."""
    names = profile.fields
    sent: dict[str, Any] = {
        names["name"]: wanted.name,
        names["format"]: profile.formats[wanted.format],
        **{names[option]: value for option, value in wanted.fields.items()},
        names["apply_to_all_customers"]: wanted.apply_to_all,
    }
    if not secrets:
        return sent
    for option in FORMATS[wanted.format].secrets:
        if option == HEADERS:
            prefix = HEADERS + "."
            sent[names[HEADERS]] = [
                {names["header_name"]: name[len(prefix) :], names["header_value"]: value}
                for name, value in wanted.secrets.items()
                if name.startswith(prefix)
            ]
        else:
            sent[names[option]] = wanted.secrets[option]
    return sent


def wanted(given: Mapping[str, Any]) -> Wanted:
    """Checked options of one connector as what is wanted; of one that is to be absent only the name counts."""
    kind = given["format"] or ""
    form = FORMATS.get(kind)
    secrets: dict[str, str] = {}
    for option in form.secrets if form else ():
        if option == HEADERS:
            secrets |= {f"{HEADERS}.{name}": str(value) for name, value in (given[HEADERS] or {}).items()}
        else:
            secrets[option] = formats.settled(given, option)
    return Wanted(
        name=given["name"],
        format=kind,
        fields={option: formats.settled(given, option) for option in form.fields} if form else {},
        secrets=secrets,
        apply_to_all=given["apply_to_all_customers"],
        state=given["state"],
        id=given["connector_id"] or "",
    )
