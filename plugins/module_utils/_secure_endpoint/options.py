# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the Secure Endpoint modules: the argument specs, and their values checked and typed once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible.module_utils.common.parameters import env_fallback

from .._core.errors import InputError
from .._core.options import COVERAGE_SPEC, RUN_SPEC, TIME_SPEC, Check
from .plan import MAX_STREAMS, Policy

READ = "read the options"
# api-docs.amp.cisco.com: North America, Europe, Asia Pacific.
API_URLS = ("https://api.amp.cisco.com", "https://api.eu.amp.cisco.com", "https://api.apjc.amp.cisco.com")
URL = re.compile(r"https://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?")
CREDENTIAL = re.compile(r"[A-Za-z0-9-]{1,100}")
MAX_NAME = 100

IDENTITY_SPEC: dict[str, dict[str, Any]] = {
    "client_id": {"type": "str", "fallback": (env_fallback, ["SECURE_ENDPOINT_CLIENT_ID"])},
    "api_key": {"type": "str", "no_log": True, "fallback": (env_fallback, ["SECURE_ENDPOINT_API_KEY"])},
    "api_urls": {"type": "list", "elements": "str", "default": list(API_URLS)},
    "ca_file": {"type": "path"},
    "proxy": {"type": "str"},
    **TIME_SPEC,
}
STREAM_SPEC: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "event_types": {"type": "list", "elements": "str"},
    "groups": {"type": "list", "elements": "str"},
}
TARGET_SPEC: dict[str, dict[str, Any]] = {
    "streams": {"type": "list", "elements": "dict", "options": STREAM_SPEC, "required": True},
    "secret_file": {"type": "path", "required": True, "no_log": False},
    "vault_password": {"type": "str", "no_log": True},
}
CONVERGE_SPEC: dict[str, dict[str, Any]] = {
    **IDENTITY_SPEC,
    **TARGET_SPEC,
    "replace_lost": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **{name: spec for name, spec in RUN_SPEC.items() if name != "concurrency"},
    **COVERAGE_SPEC,
}
ACCESS_SPEC: dict[str, dict[str, Any]] = {**IDENTITY_SPEC, **TARGET_SPEC, **COVERAGE_SPEC}
FLOW_SPEC: dict[str, dict[str, Any]] = ACCESS_SPEC
RULES = {"required_together": [("client_id", "api_key")]}


class Identity(NamedTuple):
    """Who asks. urls: the regions' bases, of which one knows the organisation."""

    client_id: str
    api_key: str
    urls: tuple[str, ...]
    ca_file: str | None = None
    proxy: str | None = None


class Named(NamedTuple):
    """A stream with its filters by names or ids, as the tenant file has them; None is not compared."""

    name: str
    event_types: tuple[str, ...] | None = None
    groups: tuple[str, ...] | None = None


class Setup(NamedTuple):
    """What a task wants of one organisation."""

    identity: Identity
    streams: tuple[Named, ...]
    secret_file: str
    vault_password: str = ""
    policy: Policy = Policy()


def setup(params: Mapping[str, Any]) -> Setup:
    """The checked parameters of any Secure Endpoint module, typed. Raises InputError with every reason."""
    problems: list[str] = []
    given = tuple(url.rstrip("/") for url in params["api_urls"])
    problems += [f"api_urls must be https://HOST, not {url!r}" for url in given if not URL.fullmatch(url)]
    if not given:
        problems.append("api_urls must name at least one")
    if params["client_id"] and not CREDENTIAL.fullmatch(params["client_id"]):
        problems.append("client_id must be the 3rd Party API Client ID: letters, digits and -")
    found = Setup(
        Identity(params["client_id"] or "", params["api_key"] or "", given, params["ca_file"], params["proxy"]),
        tuple(_named(one, problems) for one in params["streams"]),
        params["secret_file"],
        params["vault_password"] or "",
        Policy(bool(params.get("replace_lost")), params.get("state") == "absent"),
    )
    names = [one.name for one in found.streams]
    if len(set(names)) < len(names) or not names:
        problems.append("streams must be at least one, each with a name of its own")
    if len(names) > MAX_STREAMS:
        problems.append(f"streams must be at most {MAX_STREAMS}, which is all that an organisation may have")
    if problems:
        raise InputError(READ, "; ".join(problems), next_step="correct the options; nothing was sent")
    return found


def _named(given: Mapping[str, Any], problems: list[str]) -> Named:
    name = given["name"]
    if name != name.strip() or not 0 < len(name) <= MAX_NAME or not name.isprintable():
        problems.append(f"streams.name must be one line of at most {MAX_NAME} characters, without blanks around it")
    filters = [None if given[key] is None else tuple(given[key]) for key in ("event_types", "groups")]
    return Named(name, *filters)


CHECK = Check(CONVERGE_SPEC, setup, RULES)
