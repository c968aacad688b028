# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cisco Duo, registered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from lab.duo.routes import ROUTES, TEXTS, shape
from lab.duo.state import PERMISSIONS, Duo, load, new_secret
from lab.kernel.http import Call
from lab.kernel.registration import Vendor


def _state(duo: Duo, _call: Call, _body: Any) -> dict[str, Any]:
    return {
        "accounts": {one.id: asdict(one) for one in duo.accounts.values()},
        "applications": {
            one.key: {**asdict(one), "permissions": sorted(one.permissions)} for one in duo.applications.values()
        },
    }


def _status(duo: Duo) -> dict[str, Any]:
    return {"accounts": len(duo.accounts), "applications": len(duo.applications)}


def _files(duo: Duo) -> Iterator[tuple[str, str]]:
    for one in duo.applications.values():
        yield f"{one.key}.secret", one.secret


def _endless(value: Any, _code: str, _message: str) -> Any:
    """The next page is always the first one."""
    return {**value, "metadata": {**value.get("metadata", {}), "next_offset": 0}}


# -- what others do, in Duo's Admin Panel or by signing in ------------------------------------------------------------


def put(duo: Duo, account: str, name: str, permissions: list[str], networks: str = "", type: str = "adminapi") -> None:
    """Somebody makes an application; one of the name may be there already."""
    duo.add(account, name, type, set(permissions) & set(PERMISSIONS), networks)


def change(duo: Duo, key: str, **fields: Any) -> None:
    """name, networks, permissions (a list), type."""
    one = duo.applications[key]
    for name, value in fields.items():
        setattr(one, name, set(value) if name == "permissions" else value)


def reset_secret(duo: Duo, key: str) -> None:
    duo.applications[key].secret = new_secret()


def delete(duo: Duo, key: str) -> None:
    del duo.applications[key]


def account(duo: Duo, id: str, **fields: Any) -> None:
    """admin_api, elsewhere, name, host."""
    for name, value in fields.items():
        setattr(duo.accounts[id], name, value)


def sign_in(duo: Duo, account: str, ago: float = 600.0, logged: bool = True) -> None:
    """A user signs in, so many seconds ago. logged: false where the log does not show it."""
    duo.accounts[account].attempts.append(duo.now() - ago)
    if logged:
        duo.note(account, "authentication", duo.now() - ago, result="success", user={"name": "lab"})


def record(duo: Duo, account: str, log: str, ago: float = 600.0) -> None:
    duo.note(account, log, duo.now() - ago, action="lab", username="lab")


def drift(duo: Duo) -> list[dict[str, Any]]:
    """Somebody lets each application that reads logs do more."""
    ours = [one for one in duo.applications.values() if "adminapi_read_log" in one.permissions]
    for one in ours:
        one.permissions.add("adminapi_admins")
    edit = {"edit": "change_duo_application"}
    return [edit | {"tenant": duo.accounts[one.account].name, "name": one.name, "target": one.key} for one in ours]


VENDOR = Vendor(
    name="duo",
    state=Duo,
    load=load,
    segments=frozenset({"admin", "accounts"}),
    find=ROUTES.find,
    operations=ROUTES.operations,
    shapes={"stat": shape},
    throttled=("42901", TEXTS[42901][1]),
    retry=lambda _seconds: {},
    faults={"endless_offsets": _endless},
    control={("GET", ""): _state},
    mutations={
        "put_duo_application": put,
        "change_duo_application": change,
        "reset_duo_secret": reset_secret,
        "delete_duo_application": delete,
        "change_duo_account": account,
        "duo_sign_in": sign_in,
        "duo_record": record,
    },
    drift=drift,
    status=_status,
    files=_files,
)
