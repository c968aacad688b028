# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How connectors travel: the contract profile, which is data, since Coro documents no endpoint for SIEM connectors.

Documented (Coro, «Public API»): hosts by region, POST /oauth/token, the header Workspace, lists by page and pageSize
with items and totalElements, /v1/workspaces and /v1/workspaces/search. Assumed: everything in ASSUMED, shaped on the
documented /v1/webhook-configuration. A profile that the vendor has confirmed takes its place by the option C(profile).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from .._core.errors import InputError
from . import formats

VERSION = 1
OWN_DOMAIN = "coro.net"
OPERATIONS = ("list", "create", "update", "delete", "test")
FIELDS = (
    "id", "name", "format", "listener_url", "token", "headers", "header_name", "header_value", "workspace_id",
    "primary_key", "log_type", "authorization", "apply_to_all_customers", "status", "inherited", "channel",
    "last_error", "updated",
)  # fmt: skip
TEST_EVENT_FAILED = "test_event_failed"

ASSUMED: Mapping[str, Any] = {
    "version": VERSION,
    "confirmed": False,
    "page_size": 100,
    "operations": {
        "list": {"method": "GET", "path": "/v1/siem-connectors"},
        "create": {"method": "POST", "path": "/v1/siem-connectors"},
        "update": {"method": "PUT", "path": "/v1/siem-connectors/{id}"},
        "delete": {"method": "DELETE", "path": "/v1/siem-connectors/{id}"},
        "test": {"method": "POST", "path": "/v1/siem-connectors/{id}/test"},
    },
    "fields": {
        "id": "id",
        "name": "name",
        "format": "type",
        "listener_url": "listenerUrl",
        "token": "token",
        "headers": "headers",
        "header_name": "name",
        "header_value": "value",
        "workspace_id": "workspaceId",
        "primary_key": "primaryKey",
        "log_type": "logType",
        "authorization": "authorization",
        "apply_to_all_customers": "applyToAllCustomers",
        "status": "status",
        "inherited": "inherited",
        "channel": "channelWorkspaceId",
        "last_error": "lastError",
        "updated": "updatedAt",
    },
    "formats": {
        formats.FLUENCY: "FLUENCY",
        formats.GENERIC: "GENERIC",
        formats.AZURE_SENTINEL: "AZURE_SENTINEL",
        formats.SPLUNK: "SPLUNK",
    },
    "statuses": {"connected": "CONNECTED", "disconnected": "DISCONNECTED"},
    "errors": {
        TEST_EVENT_FAILED: "TEST_EVENT_FAILED",
        "name_taken": "NAME_TAKEN",
        "inherited": "INHERITED",
        "child_workspace": "CHILD_WORKSPACE",
        "invalid_audience": "INVALID_AUDIENCE",
        "invalid_client": "INVALID_CLIENT",
        "credentials_expired": "CREDENTIALS_EXPIRED",
    },
    # Of an update: keep leaves the stored secret where the field is left out; required means it must be sent again.
    "unsent_secret": "keep",
}
CHOICES = {"unsent_secret": ("keep", "required")}


class Profile(NamedTuple):
    """A checked profile; fields as in ASSUMED."""

    confirmed: bool
    page_size: int
    operations: Mapping[str, Mapping[str, str]]
    fields: Mapping[str, str]
    formats: Mapping[str, str]
    statuses: Mapping[str, str]
    errors: Mapping[str, str]
    keeps_unsent_secrets: bool

    def path(self, operation: str, id_: str = "") -> tuple[str, str]:
        """(method, path) of an operation, on the connector of this id."""
        named = self.operations[operation]
        return named["method"], named["path"].replace("{id}", quote(id_, safe=""))

    def format_of(self, wire: str) -> str:
        """Our name of a format; '' for one that the profile does not know."""
        return next((name for name, other in self.formats.items() if other == wire), "")

    def status_of(self, wire: str) -> str:
        """connected, disconnected, or '' for a status that the profile does not know."""
        return next((name for name, other in self.statuses.items() if other == wire), "")

    def error_of(self, wire: str) -> str:
        """Our name of an error code; '' for one that the profile does not know."""
        return next((name for name, other in self.errors.items() if other == wire), "")


def profile(given: Mapping[str, Any] | None) -> Profile:
    """The given profile, or the built-in one. Raises InputError."""
    return _checked(given) if given else _built_in()


@cache
def _built_in() -> Profile:
    """Checked once, where an inventory of many tenants would check it for each."""
    return _checked(ASSUMED)


def _checked(data: Mapping[str, Any]) -> Profile:
    if data.get("version") != VERSION:
        raise _wrong(f"version must be {VERSION}, not {data.get('version')!r}")
    unknown = sorted(set(data) - set(ASSUMED))
    missing = sorted(set(ASSUMED) - set(data))
    if unknown or missing:
        raise _wrong(f"unknown keys: {', '.join(unknown) or 'none'}; missing keys: {', '.join(missing) or 'none'}")
    for name, needed in (("operations", OPERATIONS), ("fields", FIELDS), ("formats", tuple(formats.FORMATS)),
                         ("statuses", tuple(ASSUMED["statuses"])), ("errors", tuple(ASSUMED["errors"]))):  # fmt: skip
        table = data[name]
        if not isinstance(table, Mapping) or set(table) != set(needed):
            raise _wrong(f"{name} must have the keys {', '.join(needed)}")
    _check_operations(data["operations"])
    if not isinstance(data["confirmed"], bool) or not isinstance(data["page_size"], int) or data["page_size"] < 1:
        raise _wrong("confirmed must be true or false, and page_size a number from 1")
    for name, choices in CHOICES.items():
        if data[name] not in choices:
            raise _wrong(f"{name} must be one of {', '.join(choices)}")
    return Profile(
        data["confirmed"], data["page_size"], data["operations"], data["fields"], data["formats"], data["statuses"],
        data["errors"], data["unsent_secret"] == "keep",
    )  # fmt: skip


def _check_operations(operations: Mapping[str, Any]) -> None:
    for name, one in operations.items():
        if not isinstance(one, Mapping) or not str(one.get("path", "")).startswith("/") or not one.get("method"):
            raise _wrong(f"operations.{name} must have a method and a path that begins with /")
        if name not in ("list", "create") and "{id}" not in one["path"]:
            raise _wrong(f"operations.{name}.path must name the connector by {{id}}")


def _wrong(text: str) -> InputError:
    return InputError("read the contract profile", text, code="BadProfile")


def refuse_unconfirmed(one: Profile, api_url: str, confirmed: bool) -> None:
    """An assumed contract is not tried on Coro itself. Raises InputError."""
    host = (urlsplit(api_url).hostname or "").rstrip(".").casefold()
    if one.confirmed or confirmed or not (host == OWN_DOMAIN or host.endswith("." + OWN_DOMAIN)):
        return
    raise InputError(
        f"use {host}",
        "Coro documents no endpoint for SIEM connectors, and the contract that this collection uses is assumed",
        code="ContractNotConfirmed",
        next_step="have Coro confirm the contract, or give theirs by profile; then set contract_confirmed",
    )
