# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the Duo modules: the argument specs, and their values checked and typed once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible.module_utils.common.parameters import env_fallback

from .._core.errors import InputError
from .._core.options import COVERAGE_SPEC, RUN_SPEC, TIME_SPEC, Check
from .plan import PERMISSIONS, Kept, Policy, Wanted, network

READ = "read the options"
NAME = "MSSP log reader"
HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?")
KEY = re.compile(r"[A-Z0-9]{20}")
MAX_NAME = 255

IDENTITY_SPEC: dict[str, dict[str, Any]] = {
    "api_host": {"type": "str", "required": True},
    "integration_key": {"type": "str", "no_log": False, "fallback": (env_fallback, ["DUO_INTEGRATION_KEY"])},
    "secret_key": {"type": "str", "no_log": True, "fallback": (env_fallback, ["DUO_SECRET_KEY"])},
    "ca_file": {"type": "path"},
    "proxy": {"type": "str"},
    **TIME_SPEC,
}
APPLICATION_SPEC: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "default": NAME},
    "integration_key": {"type": "str", "no_log": False},
    "permissions": {
        "type": "list",
        "elements": "str",
        "choices": list(PERMISSIONS),
        "default": ["adminapi_read_log"],
    },
    "networks": {"type": "list", "elements": "str"},
}
# As the module returns it, and the role keeps it: of all of it only the secret is one.
KEPT_SPEC: dict[str, dict[str, Any]] = {
    "account": {"type": "str", "required": True},
    "account_name": {"type": "str"},
    "api_host": {"type": "str"},
    "name": {"type": "str"},
    "integration_key": {"type": "str", "required": True, "no_log": False},
    "secret_key": {"type": "str", "required": True, "no_log": True},
}
TARGET_SPEC: dict[str, dict[str, Any]] = {
    "application": {"type": "dict", "options": APPLICATION_SPEC, "apply_defaults": True},
    "child_accounts": {"type": "list", "elements": "str", "default": []},
    "kept": {"type": "list", "elements": "dict", "options": KEPT_SPEC, "no_log": False, "default": []},
    "concurrency": RUN_SPEC["concurrency"],
}
CONVERGE_SPEC: dict[str, dict[str, Any]] = {
    **IDENTITY_SPEC,
    **TARGET_SPEC,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "hand_over": {"type": "bool", "default": False},
    "return_secrets": {"type": "bool", "no_log": False, "default": False},
    **RUN_SPEC,
    **COVERAGE_SPEC,
}
ACCESS_SPEC: dict[str, dict[str, Any]] = {
    **IDENTITY_SPEC,
    **{name: TARGET_SPEC[name] for name in ("child_accounts", "concurrency")},
    **COVERAGE_SPEC,
}
FLOW_SPEC: dict[str, dict[str, Any]] = {
    **IDENTITY_SPEC,
    **TARGET_SPEC,
    **COVERAGE_SPEC,
}
RULES = {"required_together": [("integration_key", "secret_key")]}


class Identity(NamedTuple):
    """Who asks, and where. port: with its colon, '' for the usual one; an account's host is without it."""

    host: str
    port: str
    key: str
    secret: str
    ca_file: str | None = None
    proxy: str | None = None


class Setup(NamedTuple):
    """What a task wants of one tenant. children: ids or names of child accounts, () for the account itself."""

    identity: Identity
    application: Wanted = Wanted(NAME, frozenset())
    children: tuple[str, ...] = ()
    kept: Mapping[str, Kept] = {}
    policy: Policy = Policy()
    return_secrets: bool = False
    concurrency: int = 4


def setup(params: Mapping[str, Any]) -> Setup:
    """The checked parameters of any Duo module, typed. Raises InputError with every reason."""
    problems: list[str] = []
    if not HOST.fullmatch(params["api_host"]):
        problems.append(f"api_host must be the host alone, as api-XXXXXXXX.duosecurity.com, not {params['api_host']!r}")
    host, colon, port = params["api_host"].partition(":")
    key = params["integration_key"] or ""
    identity = Identity(host.lower(), colon + port, key, params["secret_key"] or "", params["ca_file"], params["proxy"])
    given = params.get("application") or {}
    found = Setup(
        identity,
        _application(given, problems) if given else Setup(identity).application,
        tuple(params.get("child_accounts") or ()),
        {one["account"]: Kept(one["integration_key"], one["secret_key"]) for one in params.get("kept") or ()},
        Policy(key, bool(params.get("hand_over")), params.get("state") == "absent"),
        bool(params.get("return_secrets")),
        params.get("concurrency", 4),
    )
    if found.application.key and found.children:
        problems.append("application.integration_key names one application, and each child account has its own")
    if problems:
        raise InputError(READ, "; ".join(problems), next_step="correct the options; nothing was sent")
    return found


def _application(given: Mapping[str, Any], problems: list[str]) -> Wanted:
    name, key = given["name"], given["integration_key"] or ""
    if name != name.strip() or not 0 < len(name) <= MAX_NAME or not name.isprintable():
        problems.append(f"application.name must be one line of at most {MAX_NAME} characters, without blanks around it")
    if key and not KEY.fullmatch(key):
        problems.append(f"application.integration_key must be 20 capital letters and digits, not {key!r}")
    if not given["permissions"]:
        problems.append("application.permissions must name at least one")
    networks = None
    if given["networks"] is not None:
        networks = frozenset(one for text in given["networks"] if (one := _network(text, problems)))
    return Wanted(name, frozenset(given["permissions"]), networks, key)


def _network(text: str, problems: list[str]) -> str:
    try:
        return network(text)
    except ValueError:
        problems.append(f"application.networks must be addresses, ranges or networks, not {text!r}")
        return ""


CHECK = Check(CONVERGE_SPEC, setup, RULES)
