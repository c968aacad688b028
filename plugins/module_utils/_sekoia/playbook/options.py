# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the playbook's modules: the argument specs, and their values checked and typed once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from operator import eq
from pathlib import Path
from typing import Any, NamedTuple

from ..._core import fingerprints
from ..._core.coverage import unmatched
from ..._core.errors import InputError
from ..._core.options import RUN_SPEC, Check
from .. import identity as who
from ..identity import IDENTITY_SPEC, READ, STEP, UUID, Identity
from .graph import FIELDS, Request
from .plan import Policy, Wanted
from .profile import profile

NAME = "MSSP alert sync"
MAX_NAME = 200
AUTH = {"bearer": "Bearer", "basic": "Basic", "none": "None"}
ALWAYS, ON_CHANGE = "always", "on_change"
DEFAULT_FIELDS = {"alert_short_id": "short_id", "rule_name": "rule_name", "rule_severity": "rule_severity"}
# Headers are shown to everybody who may read the playbook.
SECRET_HEADER = re.compile(r"auth|cookie|token|secret|key|password", re.IGNORECASE)
HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
TEMPLATE = re.compile(r"\{[{%#]|[}%#]\}")

NAME_SPEC: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "default": NAME},
    "playbook_uuid": {"type": "str"},
    "profile": {"type": "dict"},
}
CONVERGE_SPEC: dict[str, dict[str, Any]] = {
    **IDENTITY_SPEC,
    **NAME_SPEC,
    "target_url": {"type": "str", "required": True},
    "auth": {"type": "str", "choices": list(AUTH), "default": "bearer"},
    "username": {"type": "str"},
    "secret": {"type": "str", "no_log": True},
    "fields": {"type": "dict", "default": DEFAULT_FIELDS},
    "texts": {"type": "dict", "default": {}},
    "headers": {"type": "dict", "default": {}},
    "rule_names": {"type": "list", "elements": "str", "default": []},
    "alerts_api_key": {"type": "str", "no_log": True},
    "update_secret": {"type": "str", "no_log": False, "choices": [ON_CHANGE, ALWAYS], "default": ON_CHANGE},
    "fingerprint_dir": {"type": "path"},
    "fingerprint_key": {"type": "str", "no_log": True},
    "restart": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **{name: RUN_SPEC[name] for name in ("fail_on", "correct", "max_changes", "evidence_path")},
}
ACCESS_SPEC: dict[str, dict[str, Any]] = {**IDENTITY_SPEC}
FLOW_SPEC: dict[str, dict[str, Any]] = {
    **IDENTITY_SPEC,
    **NAME_SPEC,
    "rule_names": CONVERGE_SPEC["rule_names"],
    "probe": {"type": "bool", "default": False},
    "evidence_path": RUN_SPEC["evidence_path"],
}


class Setup(NamedTuple):
    """What a task wants of one tenant. alerts_key: by which the blocks read alerts; probe: emit a test event."""

    identity: Identity
    wanted: Wanted
    policy: Policy
    alerts_key: str = ""
    always: bool = False
    fingerprint_dir: Path | None = None
    fingerprint_key: str | None = None
    probe: bool = False


def setup(params: Mapping[str, Any]) -> Setup:
    """The checked parameters of any of the modules, typed. Raises InputError with every reason."""
    problems: list[str] = []
    identity = who.identity(params, problems)
    found = Setup(
        identity,
        Wanted(
            _name(params.get("name") or NAME, problems),
            _request(params, problems),
            frozenset(params.get("rule_names") or ()),
            (params.get("playbook_uuid") or "").lower(),
        ),
        Policy(profile(params.get("profile")), params.get("state") == "absent", bool(params.get("restart"))),
        params.get("alerts_api_key") or identity.key,
        params.get("update_secret") == ALWAYS,
        fingerprints.place(params.get("fingerprint_dir")),
        params.get("fingerprint_key"),
        bool(params.get("probe")),
    )
    if found.wanted.uuid and not UUID.fullmatch(found.wanted.uuid):
        problems.append(f"playbook_uuid must be a UUID, not {found.wanted.uuid!r}")
    if problems:
        raise InputError(READ, "; ".join(problems), next_step=STEP)
    return found


def _name(name: str, problems: list[str]) -> str:
    if name != name.strip() or not 0 < len(name) <= MAX_NAME or not name.isprintable():
        problems.append(f"name must be one line of at most {MAX_NAME} characters, without blanks around it")
    return name


def _request(params: Mapping[str, Any], problems: list[str]) -> Request:
    """What is to be sent; of what only reads, nothing."""
    if "target_url" not in params:
        return Request("", "None", "", "", {}, {}, {})
    auth, secret = params["auth"], params["secret"] or ""
    if not who.is_https(params["target_url"]):
        problems.append(f"target_url must be {who.URL_FORM}")
    if params["state"] == "present" and (auth != "none") != bool(secret):
        problems.append(f"auth {auth} needs {'no' if auth == 'none' else 'a'} secret")
    if (auth == "basic") != bool(params["username"]):
        problems.append(f"auth {auth} needs {'a' if auth == 'basic' else 'no'} username")
    problems += [
        f"{name} must be one line without anything that Sekoia.io takes for a template"
        for name in ("username", "secret")
        if params[name] and (TEMPLATE.search(params[name]) or not params[name].isprintable())
    ]
    return Request(
        params["target_url"],
        AUTH[auth],
        params["username"] or "",
        secret,
        _fields(params["fields"], problems),
        _plain("texts", params["texts"], problems),
        _headers(params["headers"], problems),
    )


def _fields(given: Mapping[str, Any], problems: list[str]) -> dict[str, str]:
    if not given:
        problems.append("fields must name at least one")
    found = {str(name): str(value) for name, value in given.items()}
    problems += unmatched("fields", found.values(), list(FIELDS), eq)
    return _plain("fields", found, problems)


def _headers(given: Mapping[str, Any], problems: list[str]) -> dict[str, str]:
    for name in map(str, given):
        if not HEADER.fullmatch(name):
            problems.append(f"headers: {name!r} is no name of a header")
        elif SECRET_HEADER.search(name):
            text = "everybody who reads the playbook sees it; use auth and secret, which Sekoia.io keeps as a secret"
            problems.append(f"headers: {name}: {text}")
    return _plain("headers", given, problems)


def _plain(option: str, given: Mapping[str, Any], problems: list[str]) -> dict[str, str]:
    """Names and texts of which Sekoia.io makes no templates."""
    found = {str(name): str(value) for name, value in given.items()}
    for name, value in found.items():
        if not name or TEMPLATE.search(name) or TEMPLATE.search(value):
            problems.append(f"{option}: {name!r} must have a name and a value without {{{{, {{% and {{#")
    return found


CHECK = Check(CONVERGE_SPEC, setup)
