# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What no option chooses is told, be it known or not."""

from __future__ import annotations

from typing import Any

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm.resources import Subscription
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import scopes
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics.api import (
    Estate,
    Session,
    Unchosen,
)

PRODUCTION = Subscription("S1", "production", "Enabled", "t")
REFUSED = RefusedError("list", "no right", code="Denied", next_step="grant it")


def test_what_could_not_be_looked_at_is_told_as_such() -> None:
    session = Session(arm=None)  # type: ignore[arg-type]
    assert scopes.seen(session) is None
    session.estate = Estate([], [PRODUCTION], [], {}, frozenset({"s1"}), "")
    session.unchosen = Unchosen({"a/offers": 3}, {"a/refused": REFUSED, "S1": REFUSED, "": REFUSED}, 7)
    found: Any = scopes.seen(session)
    assert [(part.name, part.why, part.next_step) for part in found.parts] == [
        ("resources of type a/refused", "whether they offer logs is not known: Denied: no right", "grant it"),
        ("resources of other types of production (s1)", "whether they offer logs is not known: Denied: no right",
         "grant it"),
        ("resources of other types", "whether they offer logs is not known: Denied: no right", "grant it"),
        ("resources of other types", "7 types of few resources were not asked whether they offer logs",
         "name what is wanted of them in azure_diagnostics_resource_types"),
        ("resources of type a/offers", "3 resources offer logs", "name a/offers in azure_diagnostics_resource_types"),
    ]  # fmt: skip
    assert {part.state for part in found.parts} == {"not_asked"}
