# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists in the lab's Duo cloud: accounts, applications ("integrations" on the wire), log records.

Names of permissions, types and fields: duo.com/docs/adminapi and duo_client 5.7.
"""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field
from typing import Any, ClassVar

from lab.kernel.context import Lab, State
from lab.kernel.registration import Scenario

ADMIN, ACCOUNTS = "adminapi", "accountsapi"
PERMISSIONS = (
    "adminapi_admins",
    "adminapi_admins_read",
    "adminapi_allow_to_set_permissions",
    "adminapi_info",
    "adminapi_integrations",
    "adminapi_read_log",
    "adminapi_read_resource",
    "adminapi_settings",
    "adminapi_write_resource",
)
LOGS = ("authentication", "administrator", "offline_enrollment")
_LETTERS = string.ascii_uppercase + string.digits


@dataclass(slots=True)
class Account:
    """admin_api: whether its edition has the Admin API; elsewhere: it lives in another deployment than its parent."""

    id: str
    name: str
    host: str
    parent: str = ""
    admin_api: bool = True
    elsewhere: bool = False
    attempts: list[float] = field(default_factory=list)  # world seconds
    records: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {log: [] for log in LOGS})


@dataclass(slots=True)
class Application:
    """networks: as they are shown, '' for any."""

    key: str
    account: str
    name: str
    secret: str
    type: str = ADMIN
    permissions: set[str] = field(default_factory=set)
    networks: str = ""


class Duo(State):
    """duo_refuses_flags: a permission that the caller may not give is refused, and not left out silently."""

    configurable: ClassVar[tuple[str, ...]] = ("duo_page_size", "duo_refuses_flags")

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.accounts: dict[str, Account] = {}
        self.applications: dict[str, Application] = {}
        self.duo_page_size = 100
        self.duo_refuses_flags = False

    def of(self, account: str) -> list[Application]:
        return [one for one in self.applications.values() if one.account == account]

    def note(self, account: str, log: str, at: float, **fields: Any) -> None:
        self.accounts[account].records[log].append({"at": at, **fields})

    def add(self, account: str, name: str, kind: str, permissions: set[str], networks: str) -> Application:
        made = Application(_key(), account, name, new_secret(), kind, permissions, networks)
        self.applications[made.key] = made
        return made


def _key() -> str:
    return "DI" + "".join(secrets.choice(_LETTERS) for _ in range(18))


def new_secret() -> str:
    return secrets.token_hex(20)


def load(duo: Duo, scenario: Scenario) -> None:
    """The key C(duo) of a scenario."""
    text = scenario.get("duo", {})
    for item in text.get("accounts", []):
        duo.accounts[item["id"]] = Account(**item)
    for item in text.get("applications", []):
        given = {**item, "permissions": set(item.get("permissions", ()))}
        secret = duo.lab.derive(item["key"]).hex()[:40]
        duo.applications[item["key"]] = Application(secret=secret, **given)
