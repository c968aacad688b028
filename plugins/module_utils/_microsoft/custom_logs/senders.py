# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may send to a rule: pure."""

from __future__ import annotations

from collections.abc import Iterable

from ..._core.verdict import Verdict
from ..rights.definitions import Role
from ..rights.plan import Assignment, Wanted, plan

PUBLISHER = "Monitoring Metrics Publisher"
PUBLISHER_GUID = "3913510d-42f4-4e42-8a64-420c390055eb"


def publisher(subscription: str) -> Role:
    """The built-in role that lets an identity send; its id is the same in every tenant."""
    path = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{PUBLISHER_GUID}"
    return Role(path, PUBLISHER, PUBLISHER_GUID, built_in=True, permissions=())


def sender(rule_id: str, principal: str, observed: Iterable[Assignment], *, present: bool) -> Verdict:
    """The verdict on one identity's right to send."""
    asked = Wanted(rule_id, publisher(rule_id.split("/")[2]), principal, "ServicePrincipal", present)
    return plan(asked, observed)._replace(subject=asked)
