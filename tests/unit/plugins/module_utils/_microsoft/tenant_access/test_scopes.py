# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a tenant's subscriptions is looked after: never one whose access could not be seen."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.coverage import parts_of
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.tenant_access import scopes
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.tenant_access.rules import Wanted, judge

from .test_rules import DIRECT, FIRST, LIGHTHOUSE, MANAGER, NOW, ONE, TENANT, TWO, error, whole

CLOSED = {"granted": {}, "roles": {}, "delegations": {}, "providers": {}}
GRAPH = next(iter(DIRECT.permissions))
ENDING = {"name": "certificate app.pem", "expires": "2026-11-22T00:00:00+00:00"}

# what is not there -> the parts that are not covered
CASES: list[tuple[Wanted, dict[str, Any], dict[str, str]]] = [
    (DIRECT, {}, {}),
    (DIRECT, {"credentials": (ENDING,)}, {}),
    (DIRECT, {"roles": {FIRST: False}}, {f"subscription {ONE}": "waiting"}),
    (DIRECT, {"roles": {FIRST: error("HTTP500", 500)}}, {f"subscription {ONE}": "unreachable"}),
    (DIRECT, {"providers": {ONE: error("Timeout")}}, {f"subscription {ONE}": "unreachable"}),
    (DIRECT, {"roles": {FIRST: False}, "providers": {ONE: "NotRegistered"}}, {f"subscription {ONE}": "waiting"}),
    (DIRECT, {"granted": {GRAPH: error("Timeout")}}, {"microsoft_graph": "unreachable"}),
    (DIRECT, {**CLOSED, "sign_ins": {TENANT: error("AADSTS700016")}},
     {TENANT: "waiting", f"subscription {ONE}": "waiting", f"subscription {TWO}": "waiting"}),
    (DIRECT, {**CLOSED, "sign_ins": {TENANT: error("AADSTS7000222")}},
     {TENANT: "unreachable", f"subscription {ONE}": "unreachable", f"subscription {TWO}": "unreachable"}),
    (LIGHTHOUSE, {"delegations": {ONE: error("HTTP500", 500), TWO: True}}, {f"subscription {ONE}": "unreachable"}),
    (LIGHTHOUSE, {**CLOSED, "sign_ins": {MANAGER: error("Timeout")}},
     {MANAGER: "unreachable", f"subscription {ONE}": "unreachable", f"subscription {TWO}": "unreachable"}),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "lacking", "expected"), CASES)
def test_what_is_not_covered(asked: Wanted, lacking: dict[str, Any], expected: dict[str, str]) -> None:
    found = scopes.seen(asked, judge(asked, whole(asked)._replace(**lacking), NOW))
    told = [(part.name, part.state) for part in parts_of(found, []) if part.state != "covered"]
    assert dict(told) == expected
    assert len(told) == len(expected), "each part is told once"
    assert all(part.next_step for part in found.parts)
