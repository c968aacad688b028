# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the body of a request to a connector. Which fields there are: Coro's guide; their names and checks: assumed."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from lab.coro.state import FIELDS, MASK, SECRETS, Connector
from lab.kernel.http import Refusal, ok

_OPTIONAL = frozenset({"headers", "logType"})
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def wrong(errors: dict[str, str]) -> Refusal:
    listed = [{"field": name, "message": text} for name, text in errors.items()]
    return Refusal(ok({"code": "VALIDATION_FAILED", "message": "Some fields are wrong.", "errors": listed}, 422))


def parse(workspace: str, body: dict[str, Any], old: Connector | None, blank_secret: str) -> Connector:
    """The connector that a POST (`old` is None) or PUT asks for; 422 naming each wrong field.

    `blank_secret` says what a PUT does to a secret that is masked, empty or left out: keep it, or clear it.
    """
    type_ = body.get("type", old.type if old else None)
    errors: dict[str, str] = {}
    if not isinstance(type_, str) or type_ not in FIELDS:
        raise wrong({"type": f"one of {', '.join(FIELDS)}"})
    if old is not None and type_ != old.type:
        raise wrong({"type": "cannot be changed"})
    kept = old.settings if old is not None and blank_secret == "keep" else {}
    settings: dict[str, Any] = {}
    for field in FIELDS[type_]:
        given = body.get(field)
        settings[field] = _headers(given, kept.get(field)) if field == "headers" else _value(field, given, kept)
        problem = _problem(field, settings[field])
        if problem:
            errors[field] = problem
    name = body.get("name")
    if not isinstance(name, str) or not name.strip():
        errors["name"] = "is required"
    apply_to_all = body.get("applyToAllCustomers", False)
    if not isinstance(apply_to_all, bool):
        errors["applyToAllCustomers"] = "must be true or false"
    if errors:
        raise wrong(errors)
    return Connector(workspace, str(name), type_, settings, apply_to_all)


def _value(name: str, given: Any, kept: dict[str, Any]) -> Any:
    if name in SECRETS and given in (None, "", MASK):
        return kept.get(name)
    return given if given or name != "logType" else "Coro"


def _headers(given: Any, kept: Any) -> Any:
    """Masked values are looked up by name, in any case."""
    if given is None:
        return kept
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        return "no list"
    known = {one["name"].lower(): one["value"] for one in kept or ()}
    made = []
    for one in given:
        name, value = one.get("name"), one.get("value")
        made.append({"name": name, "value": known.get(str(name).lower()) if value in (None, "", MASK) else value})
    return made


def _problem(name: str, value: Any) -> str:
    if name == "headers":
        return _headers_problem(value)
    if value in (None, ""):
        return "" if name in _OPTIONAL else "is required"
    if not isinstance(value, str):
        return "must be text"
    if any(char in value for char in "\r\n\0"):
        return "must be one line"
    return "must be an http or https URL" if name == "listenerUrl" and not _is_url(value) else ""


def _is_url(text: str) -> bool:
    try:
        url = urlsplit(text)
    except ValueError:
        return False
    return url.scheme in ("http", "https") and bool(url.hostname)


def _headers_problem(value: Any) -> str:
    for one in value or ():
        if not isinstance(one, dict):
            return "must be a list of name and value"
        if not isinstance(one["name"], str) or not _HEADER_NAME.fullmatch(one["name"]):
            return f"{one['name']!r} is no header name"
        if not isinstance(one["value"], str) or any(char in one["value"] for char in "\r\n\0"):
            return f"the header '{one['name']}' has no value, or one of several lines"
    return ""
