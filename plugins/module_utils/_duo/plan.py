# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done with the application that reads an account's logs: pure, and all that knows what is equal.

Facts: an application is an «integration» on the wire; names are not unique; a secret is shown masked, its last four
characters in the clear; a permission that is off is 0 or not there.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any, NamedTuple

from .._core.status import BLOCKED, DRIFTED, IN_SYNC
from .._core.verdict import Verdict

ADMIN_API = "adminapi"
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
HAND_OVER = "hand_over"
WIDER = "wider_permissions"
WIDER_STEP = "see in Duo's administrator log who has permitted that, and take it away: drift corrects it where it may"
SHOWN = 4


class Wanted(NamedTuple):
    """The application as the tenant file wants it. networks: None where they are not ours to say."""

    name: str
    permissions: frozenset[str]
    networks: frozenset[str] | None = None
    key: str = ""

    def view(self) -> dict[str, Any]:
        networks = {} if self.networks is None else {"networks": sorted(self.networks)}
        return {"name": self.name, "permissions": sorted(self.permissions), **networks}


class Kept(NamedTuple):
    """What was handed over of an account's application before."""

    key: str = ""
    secret: str = ""


class Application(NamedTuple):
    """An application as Duo has it. last: what is shown of its secret."""

    key: str
    name: str
    type: str
    permissions: frozenset[str]
    networks: frozenset[str]
    last: str = ""

    def view(self) -> dict[str, Any]:
        return {"name": self.name, "permissions": sorted(self.permissions), "networks": sorted(self.networks)}

    def handed_over(self, kept: Kept) -> bool:
        """Whether the secret that was handed over is still the one of this application, as far as it is shown."""
        return self.key == kept.key and bool(kept.secret) and kept.secret[-SHOWN:] == self.last


class Policy(NamedTuple):
    """caller: the key of the application that we sign in with; hand_over: whether the secret has to be with us."""

    caller: str = ""
    hand_over: bool = False
    leaving: bool = False


def network(text: str) -> str:
    """An address, a range or a network in one spelling. Raises ValueError."""
    first, dash, last = text.partition("-")
    if dash:
        ends = ipaddress.ip_address(first.strip()), ipaddress.ip_address(last.strip())
        return f"{ends[0]}-{ends[1]}"
    return str(ipaddress.ip_network(text.strip(), strict=False))


def ours(wanted: Wanted, kept: Kept, found: Sequence[Application]) -> list[Application]:
    """What is meant: by the key that is named or was kept, else by the exact name, which several may have."""
    for key in (wanted.key, kept.key):
        held = [one for one in found if key and one.key == key]
        if held or (key and key == wanted.key):
            return held
    return [one for one in found if one.type == ADMIN_API and one.name == wanted.name]


def plan(target: str, wanted: Wanted, kept: Kept, found: Sequence[Application], policy: Policy) -> Verdict:
    """The verdict on one account's application, of a list that was read without doubt."""
    held = ours(wanted, kept, found)
    if len(held) > 1:
        keys = ", ".join(sorted(one.key for one in held))
        reason = f"{len(held)} applications have the name {wanted.name!r}: {keys}"
        step = "remove those that nobody uses, or say which is meant by application.integration_key"
        return _blocked(target, "duplicate", reason, step)
    one = held[0] if held else None
    if one is not None and one.key == policy.caller:
        reason = "it is the application that this run signs in with, which is not touched"
        step = "give application.name another name, so that the logs get an application of their own"
        return _blocked(target, "own_application", reason, step, one)
    if one is not None and one.type != ADMIN_API:
        step = "give the integration key of an Admin API application, or none"
        return _blocked(target, "other_type", f"{one.key} is an application of type {one.type!r}", step, one)
    if policy.leaving:
        gone = Verdict(target, DRIFTED, ("unexpected",), "it is to be removed", "delete", before=one, subject=one)
        return gone if one else Verdict(target, IN_SYNC)
    return _missing(target, wanted) if one is None else _compared(target, wanted, kept, one, policy)


def _missing(target: str, wanted: Wanted) -> Verdict:
    if wanted.key:
        step = "correct application.integration_key, or leave it out to have an application made"
        return _blocked(target, "missing", f"there is no application {wanted.key}", step)
    return Verdict(target, DRIFTED, ("missing",), action="create", after=wanted)


def _compared(target: str, wanted: Wanted, kept: Kept, one: Application, policy: Policy) -> Verdict:
    drift, reason = differing(wanted, one)
    if drift:
        step = WIDER_STEP if WIDER in drift else ""
        return Verdict(target, DRIFTED, drift, reason, "update", before=one, after=wanted, next_step=step, subject=one)
    if not policy.hand_over or one.handed_over(kept):
        return Verdict(target, IN_SYNC, before=one, subject=one)
    name, reason, level = (
        ("secret_changed", "its secret key was changed by somebody else", "update")
        if one.key == kept.key
        else ("not_handed_over", "its secret key has not been handed over yet", "create")
    )
    return Verdict(target, DRIFTED, (name,), reason, HAND_OVER, level, before=one, after=one, subject=one)


def differing(wanted: Wanted, one: Application) -> tuple[tuple[str, ...], str]:
    """(classes of drift, the reason). What is permitted beyond the need comes first: that is a security finding."""
    wider, lacking = sorted(one.permissions - wanted.permissions), sorted(wanted.permissions - one.permissions)
    networks = wanted.networks is not None and one.networks != wanted.networks
    found = {
        WIDER: f"it may do more than it needs: {', '.join(wider)}" if wider else "",
        "permissions": f"it lacks {', '.join(lacking)}" if lacking else "",
        "networks": f"it may be used from {', '.join(sorted(one.networks)) or 'anywhere'}" if networks else "",
        "name": f"its name is {one.name!r}" if one.name != wanted.name else "",
    }
    return tuple(name for name, text in found.items() if text), "; ".join(filter(None, found.values()))


def _blocked(target: str, drift: str, reason: str, step: str, one: Application | None = None) -> Verdict:
    return Verdict(target, BLOCKED, (drift,), reason, before=one, subject=one, next_step=step)
