# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The formats of Coro's SIEM connectors as tables, and what each value must be: checked before any request, with why.

Fields of the formats: Coro, «Configuring and managing SIEM connectors». Its text gives Splunk's header as «Splunkf
<token>» and older copies of the same page as «Splunk <token>», which is what Splunk's event collector takes.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

FLUENCY, GENERIC, AZURE_SENTINEL, SPLUNK = "fluency", "generic", "azure_sentinel", "splunk"
URL, HEADERS = "listener_url", "headers"
HEC_PATH = "/services/collector"
# The same by Splunk's table of endpoints (help.splunk.com); assumed: Coro takes each of them.
HEC_PATHS = (HEC_PATH, f"{HEC_PATH}/event", f"{HEC_PATH}/event/1.0")

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# learn.microsoft.com «HTTP Data Collector API»: letters, digits and underscore, at most 100 characters.
LOG_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
# RFC 9110, 5.6.2: the characters of a token, which a header's name is.
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# Headers that frame the message or the connection: RFC 9110, 7.6.1 and 8.6; RFC 9112, 6.1.
FRAMING = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"})

# Both readings of the retirement stand in the README of role coro_connectors.
SENTINEL_WARNING = (
    "The format azure_sentinel makes Coro use Azure Monitor's HTTP Data Collector API, which passed its retirement "
    "date on 2026-09-14. Microsoft's pages differ on what still works. Use the format generic, to a webhook that "
    "feeds Azure's Logs Ingestion API."
)


class Format(NamedTuple):
    """Options of a format. fields: readable at Coro; secrets: never readable; place: fields that say where it sends."""

    fields: tuple[str, ...]
    secrets: tuple[str, ...]
    place: tuple[str, ...]
    required: tuple[str, ...]


FORMATS: Mapping[str, Format] = {
    FLUENCY: Format((URL,), ("token",), (URL,), (URL, "token")),
    GENERIC: Format((URL,), (HEADERS,), (URL,), (URL,)),
    AZURE_SENTINEL: Format(
        ("workspace_id", "log_type"), ("primary_key",), ("workspace_id", "log_type"), ("workspace_id", "primary_key")
    ),
    SPLUNK: Format((URL,), ("authorization",), (URL,), (URL, "authorization")),
}
SECRETS = frozenset(option for one in FORMATS.values() for option in one.secrets)
OPTIONS = frozenset(option for one in FORMATS.values() for option in (*one.fields, *one.secrets))
DEFAULTS = {"log_type": "Coro"}


def problem(given: Mapping[str, Any]) -> str:
    """'' or why these options of one connector cannot be right; no value of a secret is in it."""
    kind = given["format"]
    form = FORMATS[kind]
    own = {*form.fields, *form.secrets}
    strange = sorted(option for option in OPTIONS - own if given.get(option) not in (None, {}))
    if strange:
        return f"{', '.join(strange)} does not belong to the format {kind}, which takes {', '.join(sorted(own))}"
    missing = [option for option in form.required if not given.get(option)]
    if missing:
        return f"the format {kind} needs {', '.join(missing)}"
    for option in (*form.fields, *form.secrets):
        value = given.get(option)
        found = CHECKS[option](value, given) if value not in (None, {}) else ""
        if found:
            return f"{option} {found}"
    return ""


def settled(given: Mapping[str, Any], option: str) -> str:
    """A checked value as it is sent: the default where nothing is given, Splunk's scheme where it was left out."""
    value = str(given.get(option) or DEFAULTS.get(option, ""))
    if option == "authorization" and " " not in value.strip():
        return f"Splunk {value.strip()}"
    return value.strip() if option == "authorization" else value


def place(kind: str, fields: Mapping[str, str]) -> tuple[str, ...]:
    """Where a connector sends, for comparison: two with the same are likely to send everything twice."""
    values = [fields.get(field, "") for field in FORMATS[kind].place] if kind in FORMATS else []
    if kind == AZURE_SENTINEL:
        return (kind, *(value.casefold() for value in values))
    return (URL, *(same_url(value) for value in values))


def same_url(url: str) -> str:
    """A URL with what makes no difference taken out: case of scheme and host, default port, empty path."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return url
    default = {"https": 443, "http": 80}.get(parts.scheme)
    host = (parts.hostname or "") + (f":{port}" if port and port != default else "")
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{host}{parts.path or '/'}{query}"


def _one_line(value: str) -> str:
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        return "holds a newline or another control character"
    return "" if value.isascii() else "holds characters beyond ASCII, which a header or URL cannot carry"


def _url(value: str, given: Mapping[str, Any]) -> str:
    if found := _one_line(value) or ("holds a blank" if " " in value else ""):
        return found
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        return f"is no URL: {error}"
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        return "must be http(s)://host[:port]/…"
    if parts.username is not None or parts.fragment:
        return "must hold neither a user and password nor a fragment (#): use the option that is meant for the secret"
    if parts.scheme == "http" and not given.get("allow_http"):
        return "must be https, since tickets and the secret would cross the network in the clear; allow_http allows it"
    if given["format"] == SPLUNK and (parts.path.rstrip("/") not in HEC_PATHS or parts.query):
        return f"must be http(s)://host[:port]{HEC_PATH} for Splunk, with https where its «Enable SSL» is on"
    return ""


def _authorization(value: str, _given: Mapping[str, Any]) -> str:
    if found := _one_line(value):
        return found
    scheme, blank, token = value.strip().rpartition(" ")
    if not blank:
        return "" if token != "Splunk" else "has no token after «Splunk»"
    if scheme == "Splunkf":
        return "begins with «Splunkf», a misprint in Coro's guide: Splunk takes «Splunk <token>» only"
    return "" if scheme == "Splunk" else "must be the token, or «Splunk <token>»"


def _text(value: str, _given: Mapping[str, Any]) -> str:
    return _one_line(value) or ("begins or ends with a blank" if value != value.strip() else "")


def _guid(value: str, _given: Mapping[str, Any]) -> str:
    return (
        "" if GUID.fullmatch(value) else "must be the GUID of the Log Analytics workspace, not its name or resource id"
    )


def _key(value: str, _given: Mapping[str, Any]) -> str:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return "must be the workspace's key as Azure shows it, in base64"
    return ""


def _log_type(value: str, _given: Mapping[str, Any]) -> str:
    if LOG_TYPE.fullmatch(value):
        return ""
    return "must be letters, digits and underscores, beginning with a letter, at most 100 (Azure adds _CL)"


def _headers(value: Mapping[str, Any], _given: Mapping[str, Any]) -> str:
    seen: set[str] = set()
    for name, content in value.items():
        folded = str(name).casefold()
        if not HEADER_NAME.fullmatch(str(name)):
            return f"has {name!r}, which is no name of a header (RFC 9110)"
        if folded in FRAMING:
            return f"has {name}, which belongs to the connection and is not yours to set"
        if folded in seen:
            return f"has {name} twice, apart from upper and lower case"
        seen.add(folded)
        if not isinstance(content, (str, int, float)):
            return f"has {name} with a value that is no text"
        if found := _text(str(content), {}):
            return f"has {name} with a value that {found}"
    return ""


CHECKS: Mapping[str, Callable[[Any, Mapping[str, Any]], str]] = {
    URL: _url,
    "token": _text,
    "authorization": _authorization,
    HEADERS: _headers,
    "workspace_id": _guid,
    "primary_key": _key,
    "log_type": _log_type,
}
