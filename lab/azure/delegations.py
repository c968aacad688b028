# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure Lighthouse as it is kept: definitions (who of which tenant may do what), and their assignments to scopes.

An assignment lets the managing tenant see the subscription and gives its principals their roles there. Both follow from
what is kept: `derive` makes them anew after every change.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

DEFINITIONS = "Microsoft.ManagedServices/registrationDefinitions"
ASSIGNMENTS = "Microsoft.ManagedServices/registrationAssignments"


@dataclass(slots=True)
class Definition:
    id: str
    name: str  # a GUID
    manager: str  # id of the managing tenant
    offer: str  # its registrationDefinitionName
    description: str | None = None
    authorizations: list[dict[str, Any]] = field(default_factory=list)  # as they were written
    made: float = 0.0  # world seconds


@dataclass(slots=True)
class Delegation:
    """An assignment of a definition to a subscription or a resource group."""

    id: str
    name: str  # a GUID
    scope: str
    definition: str  # lower-cased id
    made: float = 0.0

    @property
    def subscription(self) -> str:
        return self.scope.lower().split("/")[2]
