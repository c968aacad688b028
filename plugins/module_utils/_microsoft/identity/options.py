# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who signs in where: the options of every Microsoft module, checked and typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from ansible.module_utils.common.parameters import env_fallback

from ..._core import options
from ..._core.errors import InputError
from ..._core.freshness import Limits
from ..._core.redaction import Redactor
from . import cloud as clouds

if TYPE_CHECKING:
    from .credentials import GivenToken, Tokens

READ = "read the options"
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
MAX_AUXILIARY_TENANTS = 3
# What proves who the app is; one of them is enough.
PROOFS = ("client_secret", "client_certificate_path", "federated_token_file")


def _env(*names: str) -> tuple[Any, list[str]]:
    return env_fallback, list(names)


# Environment variables as azure-identity's EnvironmentCredential and WorkloadIdentityCredential name them.
IDENTITY_SPEC: dict[str, dict[str, Any]] = {
    "tenant_id": {"type": "str", "required": True, "fallback": _env("AZURE_TENANT_ID")},
    "managing_tenant_id": {"type": "str"},
    "client_id": {"type": "str", "required": True, "fallback": _env("AZURE_CLIENT_ID")},
    "client_secret": {"type": "str", "no_log": True, "fallback": _env("AZURE_CLIENT_SECRET")},
    "client_certificate_path": {"type": "path", "fallback": _env("AZURE_CLIENT_CERTIFICATE_PATH")},
    "client_certificate_password": {
        "type": "str",
        "no_log": True,
        "fallback": _env("AZURE_CLIENT_CERTIFICATE_PASSWORD"),
    },
    "federated_token_file": {"type": "path", "no_log": False, "fallback": _env("AZURE_FEDERATED_TOKEN_FILE")},
    "auxiliary_tenant_ids": {"type": "list", "elements": "str", "default": []},
    "cloud": {"type": "str", "choices": list(clouds.CLOUDS), "default": "azure_public"},
    "resource_manager_url": {"type": "str"},
    "authority_url": {"type": "str", "fallback": _env("AZURE_AUTHORITY_HOST")},
    "log_analytics_url": {"type": "str"},
    "ca_file": {"type": "path"},
    **options.TIME_SPEC,
}
# For what only an administrator may do: the token of a person, or of another app, instead of the identity's own.
ADMINISTRATOR_SPEC: dict[str, dict[str, Any]] = {"access_token": {"type": "str", "no_log": True}}
GRAPH_SPEC: dict[str, dict[str, Any]] = {"graph_url": {"type": "str"}}
RUN_SPEC: dict[str, dict[str, Any]] = {
    **options.RUN_SPEC,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "concurrency": {"type": "int", "default": 128},
}
FLOW_SPEC: dict[str, dict[str, Any]] = {
    # The last day, and the same day of the two weeks before.
    "window_hours": {"type": "int", "default": 360},
    "grace_minutes": {"type": "int", "default": 120},
    "stale_hours": {"type": "int", "default": 24},
}
# Exactly one way to sign in.
IDENTITY_RULES = {
    "mutually_exclusive": [PROOFS],
    "required_one_of": [PROOFS],
}
# The same, where an administrator's token will do as well.
ADMINISTRATOR_RULES = {
    "mutually_exclusive": IDENTITY_RULES["mutually_exclusive"],
    "required_one_of": [(*IDENTITY_RULES["required_one_of"][0], "access_token")],
}


class Watch(NamedTuple):
    """What verify looks at: records of so long, judged by these limits."""

    window: timedelta
    limits: Limits


def watch(params: Mapping[str, Any]) -> Watch:
    """Of the parameters of FLOW_SPEC."""
    limits = Limits(grace=params["grace_minutes"] * 60, stale=params["stale_hours"] * 3600)
    return Watch(timedelta(hours=params["window_hours"]), limits)


class Identity(NamedTuple):
    """Who signs in where. sign_in: the tenant of the primary token; auxiliary: tenants of further tokens.

    What signs in is imported late: who only checks options, as the inventory plugin does, needs no azure-identity.
    """

    cloud: clouds.Cloud
    tenant_id: str
    sign_in: str
    client_id: str
    auxiliary: tuple[str, ...]
    ca_file: str | None
    secrets: Mapping[str, str | None]
    access_token: str | None = None

    def expiries(self) -> list[dict[str, str]]:
        """When what this identity signs in with ends; no date for a secret, whose end only its directory knows."""
        from .credentials import expiries

        if self.secrets["client_secret"] and not self.secrets["client_certificate_path"]:
            return [{"name": f"client secret of app {self.client_id}", "expires": ""}]
        return expiries(self.secrets["client_certificate_path"], self.secrets["client_certificate_password"])

    @property
    def has_own(self) -> bool:
        """Whether the app itself can sign in."""
        return any(self.secrets[name] for name in PROOFS)

    def exposed(self) -> str:
        """The file of a key that every user of this machine may read, '' where there is none."""
        from .certificate_file import exposed

        path = self.secrets["client_certificate_path"]
        return path if path and exposed(path) else ""

    def administrator(self, redactor: Redactor) -> Tokens | GivenToken:
        """The administrator's token where one was given, else the identity's own tokens."""
        from .credentials import GivenToken

        return GivenToken(self.access_token, redactor) if self.access_token else self.tokens(redactor)

    def tokens(self, redactor: Redactor) -> Tokens:
        """The identity's own tokens."""
        from .credentials import Tokens, credential

        redactor.add(self.secrets["client_secret"])
        redactor.add(self.secrets["client_certificate_password"])
        return Tokens(
            lambda: credential(
                self.cloud,
                self.sign_in,
                self.client_id,
                other_tenants=(self.tenant_id, *self.auxiliary),
                ca_file=self.ca_file,
                **self.secrets,
            ),
            redactor,
        )


def identity(params: Mapping[str, Any]) -> Identity:
    """The identity of checked parameters. Raises InputError."""
    for option in ("tenant_id", "managing_tenant_id", "client_id"):
        if params[option] and not GUID.fullmatch(params[option]):
            raise InputError(READ, f"{option} must be a GUID, not {params[option]!r}")
    auxiliary = tuple(params["auxiliary_tenant_ids"])
    for tenant in auxiliary:
        if not GUID.fullmatch(tenant):
            raise InputError(READ, f"auxiliary_tenant_ids must be GUIDs, not {tenant!r}")
    if len(auxiliary) > MAX_AUXILIARY_TENANTS:
        raise InputError(READ, f"auxiliary_tenant_ids has {len(auxiliary)}; Azure takes {MAX_AUXILIARY_TENANTS}")
    return Identity(
        cloud=clouds.resolve(
            params["cloud"],
            params["resource_manager_url"],
            params["authority_url"],
            params["log_analytics_url"],
            params.get("graph_url"),
        ),
        tenant_id=params["tenant_id"],
        sign_in=params["managing_tenant_id"] or params["tenant_id"],
        client_id=params["client_id"],
        auxiliary=auxiliary,
        ca_file=params["ca_file"],
        secrets={name: params[name] for name in (*PROOFS, "client_certificate_password")},
        access_token=params.get("access_token"),
    )
