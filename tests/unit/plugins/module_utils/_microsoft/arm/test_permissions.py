# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Azure's permissions allow."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm.permissions import (
    allows,
    grant,
    lacking,
)

WRITE = "Microsoft.Insights/diagnosticSettings/write"

PERMISSIONS: dict[str, tuple[list[dict[str, Any]], bool]] = {
    "none": ([], False),
    "all": ([{"actions": ["*"]}], True),
    "the action": ([{"actions": [WRITE]}], True),
    "in another case": ([{"actions": [WRITE.upper()]}], True),
    "the type": ([{"actions": ["Microsoft.Insights/DiagnosticSettings/*"]}], True),
    "the verb": ([{"actions": ["*/write"]}], True),
    "read only": ([{"actions": ["*/read"]}], False),
    "another type": ([{"actions": ["Microsoft.Insights/metrics/*"]}], False),
    "taken away again": ([{"actions": ["*"], "notActions": ["Microsoft.Insights/*"]}], False),
    "something else taken away": ([{"actions": ["*"], "notActions": ["Microsoft.Authorization/*/Write"]}], True),
    "taken away by one role, given by another": (
        [{"actions": ["*"], "notActions": ["Microsoft.Insights/*"]}, {"actions": [WRITE], "notActions": []}], True,
    ),
    "nulls": ([{"actions": None, "notActions": None}], False),
    "data actions do not count": ([{"actions": [], "dataActions": [WRITE]}], False),
}  # fmt: skip


@pytest.mark.parametrize("case", PERMISSIONS)
def test_allows(case: str) -> None:
    permissions, allowed = PERMISSIONS[case]
    assert allows(permissions, WRITE) is allowed


def test_lacking_keeps_the_order_and_reads_an_iterator_once() -> None:
    permissions = iter([{"actions": ["*/read"]}])
    assert lacking(permissions, ["a/write", "a/read", "b/write"]) == ["a/write", "b/write"]


def test_the_command_that_grants() -> None:
    assert grant("app", "Monitoring Contributor", "/subscriptions/s") == (
        'az role assignment create --assignee app --role "Monitoring Contributor" --scope /subscriptions/s'
    )
