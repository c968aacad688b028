# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cisco Umbrella, registered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from lab.kernel.http import Call
from lab.kernel.registration import Vendor
from lab.umbrella.routes import ROUTES, shape
from lab.umbrella.state import Umbrella, load


def _state(umbrella: Umbrella, _call: Call, _body: Any) -> dict[str, Any]:
    return {
        "organizations": {one.id: asdict(one) | {"user": one.user} for one in umbrella.organizations.values()},
        "keys": {one.key: asdict(one) for one in umbrella.keys.values()},
        "rotations": umbrella.rotations,
    }


def _attach(umbrella: Umbrella, _call: Call, body: Any) -> dict[str, Any]:
    """From now on keys are those of an AWS (url, access_key_id, secret_access_key), where organizations have users."""
    umbrella.attach(body["aws"])
    for id in body["organizations"]:
        umbrella.organizations[id].key = ""
        umbrella.rotate(umbrella.organizations[id])
    umbrella.rotations = 0
    return _state(umbrella, _call, body)


def _status(umbrella: Umbrella) -> dict[str, Any]:
    return {"organizations": len(umbrella.organizations), "attached": umbrella.iam is not None}


def _files(umbrella: Umbrella) -> Iterator[tuple[str, str]]:
    for one in umbrella.keys.values():
        yield f"{one.key}.secret", one.secret


def change(umbrella: Umbrella, id: str, **fields: Any) -> None:
    """first_rotation, traffic."""
    for name, value in fields.items():
        setattr(umbrella.organizations[id], name, value)


def change_key(umbrella: Umbrella, key: str, scopes: list[str]) -> None:
    umbrella.keys[key].scopes = scopes


def rotate(umbrella: Umbrella, id: str) -> None:
    """Somebody else rotates the key."""
    umbrella.rotate(umbrella.organizations[id])


VENDOR = Vendor(
    name="umbrella",
    state=Umbrella,
    load=load,
    segments=frozenset({"auth", "admin", "reports"}),
    find=ROUTES.find,
    operations=ROUTES.operations,
    shapes={"error": shape},
    throttled=("", "Too Many Requests"),
    control={("GET", ""): _state, ("POST", "aws"): _attach},
    mutations={
        "change_umbrella_organization": change,
        "change_umbrella_key": change_key,
        "rotate_umbrella_key": rotate,
    },
    status=_status,
    files=_files,
)
