# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks Sekoia.io, and where: the options that all of its modules have, checked and typed once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ansible.module_utils.common.parameters import env_fallback

from .._core.options import TIME_SPEC

READ = "read the options"
STEP = "correct the options; nothing was sent"
# Sekoia.io's documentation, «Regions»: the first one has hosts of its own.
FIRST = "fra1"
REGIONS = (FIRST, "fra2", "mco1", "uae1", "usa1")
# What is wrong with a URL is told without it: a key may be in it.
URL_FORM = "https://host[:port][/path], without a user, a query, a fragment or a template"
UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")

IDENTITY_SPEC: dict[str, dict[str, Any]] = {
    "region": {"type": "str", "choices": list(REGIONS), "default": FIRST},
    "api_url": {"type": "str"},
    "api_key": {"type": "str", "no_log": True, "fallback": (env_fallback, ["SEKOIA_API_KEY"])},
    "api_key_expires": {"type": "str", "no_log": False},
    "community_uuid": {"type": "str"},
    "ca_file": {"type": "path"},
    "proxy": {"type": "str"},
    **TIME_SPEC,
}


class Identity(NamedTuple):
    """api_url, intake_url: without a trailing slash. key: '' while there is none. community: '' for the key's own.

    expires: None where not told.
    """

    api_url: str
    intake_url: str
    key: str
    community: str = ""
    expires: date | None = None
    ca_file: str | None = None
    proxy: str | None = None


def identity(params: Mapping[str, Any], problems: list[str]) -> Identity:
    """The checked parameters of any module, as far as they say who asks; what is wrong is added to the problems."""
    region = params["region"]
    api_url = params["api_url"] or (
        "https://api.sekoia.io" if region == FIRST else f"https://app.{region}.sekoia.io/api"
    )
    rest = "" if region == FIRST else f".{region}"
    intake_url = params.get("intake_url") or f"https://intake{rest}.sekoia.io{'/api/v1/intake-http' if rest else ''}"
    for name, url in (("api_url", api_url), ("intake_url", intake_url)):
        if not is_https(url):
            problems.append(f"{name} must be {URL_FORM}")
    community, expires = params["community_uuid"] or "", None
    if community and not UUID.fullmatch(community):
        problems.append(f"community_uuid must be a UUID, not {community!r}")
    try:
        expires = date.fromisoformat(params["api_key_expires"]) if params["api_key_expires"] else None
    except ValueError:
        problems.append(f"api_key_expires must be a day such as 2027-01-31, not {params['api_key_expires']!r}")
    return Identity(
        api_url.rstrip("/"),
        intake_url.rstrip("/"),
        params["api_key"] or "",
        community.lower(),
        expires,
        params["ca_file"],
        params["proxy"],
    )


def is_https(url: str) -> bool:
    """Whether it is a URL of https without a password, a query or anything that a template could be made of."""
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and not set(url) & set(" {}\"'\\<>")
    bare = parts.username is None and not parts.query and not parts.fragment
    return plain and bare and parts.scheme == "https" and bool(parts.hostname)
