# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Azure's permissions allow."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm.permissions import (
    allows,
    elevated,
    grant,
    lacking,
    numbered,
    revoke,
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


@pytest.mark.parametrize(
    ("role", "scope", "end"),
    [
        ("Reader", "/subscriptions/s", '--role "Reader" --scope /subscriptions/s'),
        ("Key Vault Reader (x)", "/s/rg (old)", '--role "Key Vault Reader (x)" --scope "/s/rg (old)"'),
        ("$(reboot)", "/s/`id`", "--role '$(reboot)' --scope '/s/`id`'"),
        ('a" & b', "/s/%PATH%", """--role 'a" & b' --scope /s/%PATH%"""),
        ("it's", "/s/x!y", """--role 'it'"'"'s' --scope '/s/x!y'"""),
    ],
)
def test_commands_are_quoted_for_every_shell_and_run_nothing(role: str, scope: str, end: str) -> None:
    given, taken = grant("app", role, scope), revoke("app", role, scope)
    assert (given, taken) == (
        f"az role assignment create --assignee app {end}", f"az role assignment delete --assignee app {end}",
    )  # fmt: skip
    assert shlex.split(given)[-3::2] == [role, scope]


def test_commands_one_after_the_other_need_no_shell_of_a_kind() -> None:
    commands = elevated(grant("app", "Reader", "/s"))
    assert len(commands) == 3
    assert not [one for one in commands if "&&" in one or "$(" in one or "'" in one]
    assert numbered(commands[:1]) == commands[0]
    assert numbered(["a", "b"]) == "(1) a (2) b"
