# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the splunk modules: the argument specs, and their values checked and typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import env_fallback

from .._core.errors import InputError
from .._core.options import COVERAGE_SPEC, RUN_SPEC, TIME_SPEC, Check
from .plan import AS_IS, DELIVERIES, Wanted

IDENTITY_SPEC: dict[str, dict[str, Any]] = {
    "api_url": {"type": "str", "required": True},
    "token": {"type": "str", "required": True, "no_log": True, "fallback": (env_fallback, ["SPLUNK_TOKEN"])},
    "ca_file": {"type": "path"},
    "proxy": {"type": "str"},
    "platform": {"type": "str", "choices": ["enterprise", "cloud"], "default": "enterprise"},
    **TIME_SPEC,
}
TARGETS_SPEC: dict[str, dict[str, Any]] = {
    "alerts": {"type": "dict", "required": True},
    "webhook_url": {"type": "str", "no_log": True},
    "allow_list_entry": {"type": "str", "default": "mssp_onboarding"},
}
# Of each search.
TARGET_SPEC: dict[str, dict[str, Any]] = {
    "app": {"type": "str", "default": ""},
    "delivery": {"type": "str", "choices": list(DELIVERIES), "default": AS_IS},
    "replace": {"type": "bool", "default": False},
}
CONVERGE_SPEC: dict[str, dict[str, Any]] = {
    **IDENTITY_SPEC,
    **TARGETS_SPEC,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **RUN_SPEC,
    **COVERAGE_SPEC,
}
# What only reads needs to know what is wanted, too: it tells what a tenant file no longer names.
ACCESS_SPEC: dict[str, dict[str, Any]] = {**IDENTITY_SPEC, **TARGETS_SPEC, **COVERAGE_SPEC}
FLOW_SPEC: dict[str, dict[str, Any]] = {**ACCESS_SPEC, "window_hours": {"type": "int", "default": 168}}
APP = re.compile(r"[\w.-]{1,100}")
ENTRY = re.compile(r"[A-Za-z0-9_]{1,60}")
MAX_NAME = 250


class Identity(NamedTuple):
    """Who asks, and where."""

    api_url: str
    token: str
    ca_file: str | None = None
    proxy: str | None = None


class Setup(NamedTuple):
    """What a task wants of one tenant. leaving: all that is named is to go; entry: our name in the allow list.

    url: '' where nobody knows it yet, as that of a relay that is still to be made.
    """

    identity: Identity
    targets: tuple[Wanted, ...] = ()
    url: str = ""
    entry: str = ""
    cloud: bool = False
    leaving: bool = False
    concurrency: int = 4
    window: float = 0.0


def setup(params: Mapping[str, Any]) -> Setup:
    """The checked parameters of any splunk module, typed. Raises InputError with every reason."""
    api_url = params["api_url"].rstrip("/")
    parts = urlsplit(api_url)
    problems = []
    if parts.scheme != "https" or not parts.hostname or parts.path or parts.query or parts.username is not None:
        problems.append(f"api_url must be https://host[:port], not {api_url!r}")
    url = params["webhook_url"] or ""
    if url and not _is_webhook(url):
        problems.append("webhook_url must be an https URL without blanks")
    if not ENTRY.fullmatch(params["allow_list_entry"]):
        problems.append(f"allow_list_entry must be letters, digits and _, not {params['allow_list_entry']!r}")
    targets = [_target(str(name), given, problems) for name, given in params["alerts"].items()]
    if not targets:
        problems.append("alerts must name at least one saved search")
    if problems:
        raise InputError("read the options", "; ".join(problems), next_step="correct the options; nothing was sent")
    return Setup(
        Identity(api_url, params["token"], params["ca_file"], params["proxy"]),
        tuple(targets),
        url,
        params["allow_list_entry"],
        params["platform"] == "cloud",
        params.get("state") == "absent",
        params.get("concurrency", 4),
        params.get("window_hours", 0) * 3600.0,
    )


def _is_webhook(url: str) -> bool:
    """It is a secret: what is wrong with it is said without it."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and bool(re.fullmatch(r"\S+", url))
    except ValueError:
        return False


def _target(name: str, given: Any, problems: list[str]) -> Wanted:
    checked = ArgumentSpecValidator(TARGET_SPEC).validate(given if isinstance(given, dict) else {})
    found = checked.validated_parameters
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        problems.append(f"alerts: {name[:60]!r} is no name of a saved search")
    if checked.error_messages:
        problems.append(f"alerts: {name}: " + ", ".join(map(str, checked.error_messages)))
        return Wanted(name)
    if found["app"] and not APP.fullmatch(found["app"]):
        problems.append(f"alerts: {name}: app {found['app']!r} is no name of an app")
    return Wanted(name, found["app"], found["delivery"], found["replace"])


CHECK = Check(CONVERGE_SPEC, setup)
