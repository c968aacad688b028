# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why tenants are not well: the same problem at many of them is one cause. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.outcomes import Row

# What differs between tenants in an otherwise equal message; an ARM id ends at a quote, a blank or a sentence's end.
VARIABLE_PARTS = (
    (re.compile(r"/subscriptions/[^\s'\"»,;]+[^\s'\"»,;.:)]", re.IGNORECASE), "<id>"),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?"), "<time>"),
    (re.compile(r"\d+"), "<n>"),
)


FEW, FEW_LENGTH = 3, 400  # messages, and characters of all of them
NOT_TRIED = "NotTried"


@dataclass
class Cause:
    """The same problem at one or more tenants."""

    code: str
    status: int | None
    message: str
    next_step: str
    count: int
    tenants: list[str]


def causes(rows: Iterable[Row]) -> list[Cause]:
    """Problems that differ only in ids, numbers and names are one cause; that of most tenants comes first.

    What was not tried because of another failure comes after all that was. Few messages are told as they are.
    """
    messages: dict[tuple[str, str], list[str]] = {}
    merged: dict[tuple[str, str], Cause] = {}
    for row in rows:
        for problem in row.problems:
            pattern = template(problem.message, row.tenant)
            cause = merged.setdefault(
                (problem.code, pattern),
                Cause(problem.code, problem.status, problem.message, problem.next_step, 0, []),
            )
            cause.count += problem.count
            if row.tenant not in cause.tenants:
                cause.tenants.append(row.tenant)
            said = messages.setdefault((problem.code, pattern), [])
            if problem.message not in said:
                said.append(problem.message)
    for key, cause in merged.items():
        few = len(messages[key]) <= FEW and sum(map(len, messages[key])) <= FEW_LENGTH
        cause.message = "; ".join(messages[key]) if few or len(messages[key]) == 1 else key[1]
    order = {NOT_TRIED: 1}
    return sorted(
        merged.values(),
        key=lambda cause: (order.get(cause.code, 0), -len(cause.tenants), -cause.count, cause.code),
    )


def template(message: str, tenant: str) -> str:
    """The message with what belongs to one tenant taken out."""
    for pattern, name in VARIABLE_PARTS:
        message = pattern.sub(name, message)
    return re.sub(rf"(?<![\w-]){re.escape(tenant)}(?![\w-])", "<tenant>", message) if tenant else message
