# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules about Microsoft 365's activity: the argument specs, and their values checked and typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ..._core.errors import InputError
from ..._core.options import COVERAGE_SPEC, Check
from ..graph.options import UNUSED
from ..identity import options as azure
from ..identity.options import FLOW_SPEC, GUID, IDENTITY_RULES, IDENTITY_SPEC, READ, RUN_SPEC, Identity, Watch
from .plan import CONTENT_TYPES

PUBLIC, GOVERNMENT = "azure_public", "azure_us_government"


class Root(NamedTuple):
    """Where a plan's feed is. cloud: the one that its sign-in and its tenants are in."""

    url: str
    cloud: str

    @property
    def scope(self) -> str:
        return self.url + "/.default"


# MicrosoftDocs/office-365-management-api, activity-api-reference («Activity API operations»).
PLANS = {
    "enterprise": Root("https://manage.office.com", PUBLIC),
    "gcc": Root("https://manage-gcc.office.com", PUBLIC),
    "gcc_high": Root("https://manage.office365.us", GOVERNMENT),
    "dod": Root("https://manage.protection.apps.mil", GOVERNMENT),
}
KEPT_HOURS = 168

FEED_SPEC: dict[str, dict[str, Any]] = {
    **{name: option for name, option in IDENTITY_SPEC.items() if name not in UNUSED},
    "office_plan": {"type": "str", "choices": list(PLANS), "default": "enterprise"},
    "api_url": {"type": "str"},
    "publisher_id": {"type": "str", "required": True},
    "content_types": {
        "type": "list",
        "elements": "str",
        "choices": list(CONTENT_TYPES),
        "default": [one for one in CONTENT_TYPES if one.startswith("Audit.")],
    },
}
CONVERGE_SPEC: dict[str, dict[str, Any]] = {
    **FEED_SPEC,
    **{name: RUN_SPEC[name] for name in ("state", "fail_on", "correct", "max_changes")},
    **COVERAGE_SPEC,
}
ACCESS_SPEC: dict[str, dict[str, Any]] = {**FEED_SPEC, **COVERAGE_SPEC}
ACTIVITY_SPEC: dict[str, dict[str, Any]] = {
    **FEED_SPEC,
    **FLOW_SPEC,
    "window_hours": {"type": "int", "default": KEPT_HOURS},
    "grace_minutes": {"type": "int", "default": 180},
    **COVERAGE_SPEC,
}


class Setup(NamedTuple):
    """What a task wants of one tenant. url: of the API; scope: of its tokens; publisher: the provider's tenant.

    watch: for verify.
    """

    identity: Identity
    url: str
    scope: str
    publisher: str
    types: tuple[str, ...]
    leaving: bool
    watch: Watch


def setup(params: Mapping[str, Any]) -> Setup:
    """The checked parameters, typed. Raises InputError with every reason."""
    identity, root, problems = azure.identity({**UNUSED, **params}), PLANS[params["office_plan"]], []
    if params["cloud"] != root.cloud:
        plans = ", ".join(name for name, one in PLANS.items() if one.cloud == params["cloud"]) or "none"
        problems.append(f"office_plan {params['office_plan']} is not in the cloud {params['cloud']}, which has {plans}")
    if not GUID.fullmatch(params["publisher_id"]):
        problems.append(f"publisher_id must be the provider's own tenant (a GUID), not {params['publisher_id']!r}")
    url = (params["api_url"] or root.url).rstrip("/")
    if urlsplit(url).scheme != "https":
        problems.append(f"api_url must be an https URL, not {url!r}")
    if not params["content_types"]:
        problems.append("content_types must name at least one")
    if not 0 < params.get("window_hours", KEPT_HOURS) <= KEPT_HOURS:
        problems.append(f"window_hours must be 1 to {KEPT_HOURS}: content is kept for seven days")
    if problems:
        raise InputError(READ, "; ".join(problems), next_step="correct the options; nothing was sent")
    types = tuple(one for one in CONTENT_TYPES if one in params["content_types"])
    watch = azure.watch({**{name: ACTIVITY_SPEC[name]["default"] for name in FLOW_SPEC}, **params})
    return Setup(
        identity, url, root.scope, params["publisher_id"].casefold(), types, params.get("state") == "absent", watch
    )


CHECK = Check(CONVERGE_SPEC, setup, IDENTITY_RULES)
