# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done about one role of one principal at one scope. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..._core.bodies import words
from ..._core.status import BLOCKED, DRIFTED, IN_SYNC
from ..._core.verdict import Verdict
from ..arm.permissions import lacking
from ..arm.resources import name_of, same_id
from .definitions import PROVIDER, Role, guid_of

# What a right that is there asks for: to see that it counts.
CONFIRM = "confirm"
MANAGEMENT_GROUPS = "providers/microsoft.management/managementgroups/"


class Assignment(NamedTuple):
    """A role assignment as Azure lists it. role: GUID of the definition, lower-case; scope: as same_id() gives it.

    made: when, as Azure writes times; '' where it does not say.
    """

    name: str
    role: str
    principal_id: str
    scope: str
    condition: str = ""
    made: str = ""


class Wanted(NamedTuple):
    """scope: as it was given; principal_type: in Azure's words."""

    scope: str
    role: Role
    principal_id: str
    principal_type: str
    present: bool

    @property
    def name(self) -> str:
        """The name that our assignment has."""
        return name_of("role_assignment", same_id(self.scope), self.role.guid, self.principal_id)

    @property
    def id(self) -> str:
        return f"{self.scope.rstrip('/')}{PROVIDER}/roleAssignments/{self.name}"

    def body(self) -> dict[str, Any]:
        """What a PUT sends. With a principal type Azure does not look a new principal up in its directory's copy."""
        return {
            "properties": {
                "roleDefinitionId": self.role.id,
                "principalId": self.principal_id,
                "principalType": self.principal_type,
            }
        }

    def view(self) -> dict[str, str]:
        return {
            "name": self.name,
            "scope": self.scope,
            "role": self.role.name,
            "principal_id": self.principal_id,
            "principal_type": self.principal_type,
        }


def parse_assignment(raw: Mapping[str, Any]) -> Assignment:
    """An assignment out of an answer. Raises KeyError, TypeError or AttributeError on an answer of another shape."""
    properties = raw["properties"]
    return Assignment(
        name=raw["name"].casefold(),
        role=guid_of(properties["roleDefinitionId"]),
        principal_id=properties["principalId"].casefold(),
        scope=same_id(properties["scope"]),
        condition=words(properties.get("condition")),
        made=words(properties.get("createdOn")),
    )


def plan(wanted: Wanted, observed: Iterable[Assignment]) -> Verdict:
    """The verdict on the assignment, out of all that Azure lists for the principal at, above and below the scope."""
    equal = [
        one for one in observed if one.role == wanted.role.guid and one.principal_id == wanted.principal_id.casefold()
    ]
    there = [one for one in equal if one.scope == same_id(wanted.scope)]
    if not wanted.present:
        return _absent(wanted, there)
    if serving := [one for one in equal if not one.condition and _reaches(one.scope, wanted.scope)]:
        return Verdict(wanted.id, IN_SYNC, reason=_by_another(wanted, serving))
    if there:
        return Verdict(
            wanted.id,
            BLOCKED,
            ("conditional",),
            reason=f"assignment {there[0].name} gives the role under a condition only, and Azure takes no second one",
            next_step="have the condition, or the assignment, removed by whoever made it",
        )
    return Verdict(wanted.id, DRIFTED, ("missing",), action="create", after=wanted)


def _absent(wanted: Wanted, there: list[Assignment]) -> Verdict:
    others = ", ".join(one.name for one in there if one.name != wanted.name)
    kept = f"not ours and kept: assignment {others} of the same role" if others else ""
    extra = ("not_ours",) if others else ()
    if any(one.name == wanted.name for one in there):
        return Verdict(wanted.id, DRIFTED, ("unexpected", *extra), kept, "delete", before=wanted)
    return Verdict(wanted.id, IN_SYNC, extra, kept)


def _reaches(given: str, scope: str) -> bool:
    """Whether an assignment at one scope holds at another: Azure lists no management group but those above it."""
    low = same_id(scope)
    above = given == low or not given or low.startswith(given + "/")
    return above or (given.startswith(MANAGEMENT_GROUPS) and low.startswith("subscriptions/"))


def _by_another(wanted: Wanted, serving: list[Assignment]) -> str:
    if any(one.name == wanted.name for one in serving):
        return ""
    one = serving[0]
    where = "" if one.scope == same_id(wanted.scope) else f" at /{one.scope}"
    return f"another assignment, {one.name}{where}, already gives the role"


def ineffective(role: Role, permissions: Iterable[Mapping[str, Any]]) -> list[str]:
    """Which actions of a role the listed permissions do not give, data actions among them."""
    found = list(permissions)
    missing = []
    for allowed, denied in (("actions", "notActions"), ("dataActions", "notDataActions")):
        given = [{"actions": one.get(allowed), "notActions": one.get(denied)} for one in found]
        own = [{"actions": one.get(allowed), "notActions": one.get(denied)} for one in role.permissions]
        wanted = [action for one in own for action in one["actions"] or ()]
        outside = set(lacking(own, wanted))  # named by the role, and taken back by itself
        missing += lacking(given, (action for action in wanted if action not in outside))
    return missing
