# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which accounts a task is for: the one that the keys are of, or child accounts of it."""

from __future__ import annotations

from collections.abc import Sequence

from .._core.coverage import NOT_ASKED, Part, Scope, Seen
from .._core.errors import InputError
from .._core.names import nearest
from . import api
from .client import Account, Duo
from .options import Setup

ALL = "all"
FIRST_STEP = (
    "as an Owner, in Duo's Admin Panel, Applications > Protect an Application > Admin API > Protect; tick Grant "
    "applications, Grant setting permissions and Grant read information, save, and give its integration key and API "
    "hostname, and its secret key by a way that nobody else can read"
)
FIRST_PARENT_STEP = (
    "as an Owner, in the parent account's Admin Panel, Applications > Protect an Application > Accounts API > Protect, "
    "and put its integration key, secret key and API hostname into the tenant file"
)


def first_step(wanted: Setup) -> str:
    """How the first application is made, which no API can do."""
    return FIRST_PARENT_STEP if wanted.children else FIRST_STEP


async def accounts(duo: Duo, wanted: Setup) -> list[Account]:
    """The accounts that are wanted. Raises InputError for a child that is not there, OnboardingError of the list."""
    if not wanted.identity.key:
        text = "there is no integration_key: the first application of an account is made by hand"
        raise InputError("sign in to Duo", text, code="FirstApplication", next_step=first_step(wanted))
    if not wanted.children:
        return [duo.own]
    duo.children = await api.children(duo)
    duo.chosen = chosen(wanted.children, duo.children)
    return duo.chosen


def seen(duo: Duo) -> Seen | None:
    """The child accounts of this run; None where the keys are of one account alone, which is missed by name. Pure."""
    if duo.chosen is None:
        return None
    ids = {one.id for one in duo.chosen}
    others = [
        Part(_spell(one), NOT_ASKED, next_step=f"name it in duo_logs_child_accounts: {one.id}")
        for one in duo.children
        if one.id not in ids
    ]
    return Seen([Scope(one.id, _spell(one)) for one in duo.chosen], parts=others)


def _spell(account: Account) -> str:
    return f"{account.name} ({account.id})"


def chosen(names: Sequence[str], children: Sequence[Account]) -> list[Account]:
    """Those that are named by id or exact name, or all, each once. Pure. Raises InputError with every reason."""
    if ALL in names:
        return list(children)
    found: dict[str, Account] = {}
    problems = []
    for name in names:
        held = [one for one in children if name in (one.id, one.name)]
        if len(held) == 1:
            found[held[0].id] = held[0]
        elif held:
            problems.append(f"{len(held)} child accounts have the name {name!r}: {', '.join(one.id for one in held)}")
        else:
            problems.append(f"there is no child account {name!r}{_nearest(name, children)}")
    if problems:
        raise InputError("find the child accounts", "; ".join(problems), code="NoSuchAccount",
                         next_step="correct child_accounts; nothing was written")  # fmt: skip
    return list(found.values())


def _nearest(name: str, children: Sequence[Account]) -> str:
    known = [text for one in children for text in (one.name, one.id)]
    if not known:
        return "; there is none at all"
    near = nearest(name, known)
    return f"; the nearest is {near!r}" if near else f"; there are {len(children)}"
