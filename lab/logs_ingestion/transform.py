# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of KQL that the lab runs for a transform: «source», and what it extends the records by.

source | extend NAME = VALUE, ... | project-away NAME, ...   with VALUE one of now(), todynamic(C), tostring(C),
todatetime(C), strlen(C), a column, or a text in quotes. assumed: columns that the table does not have are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

_PART = re.compile(r"(\w+)\s*=\s*(?:(\w+)\(\s*(\w*)\s*\)|'([^']*)'|(\w+))\s*")
Value = Callable[[Mapping[str, Any], float], Any]


class TransformError(ValueError):
    """What Azure refuses of a transform."""


def _dynamic(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


# Name -> (type of what it gives, how).
FUNCTIONS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "todynamic": ("dynamic", _dynamic),
    "parse_json": ("dynamic", _dynamic),
    "tostring": ("string", text),
    "todatetime": ("datetime", lambda value: value),
    "strlen": ("long", lambda value: len(text(value))),
}


class Transform:
    """A transform read once. columns: what comes out of it, name to type. Raises TransformError."""

    def __init__(self, query: str, stream: Mapping[str, str]) -> None:
        first, *steps = [part.strip() for part in query.split("|")]
        if first != "source":
            raise TransformError("The query must begin with 'source'.")
        self.columns = dict(stream)
        self._made: list[tuple[str, Value]] = []
        for step in steps:
            operator, _, rest = step.partition(" ")
            if operator == "extend":
                self._extend(rest)
            elif operator == "project-away":
                for name in rest.split(","):
                    self._known(name.strip())
                    del self.columns[name.strip()]
            else:
                raise TransformError(f"The lab does not run the operator '{operator}'.")

    def _extend(self, text: str) -> None:
        at = 0
        while at < len(text):
            match = _PART.match(text, at)
            if match is None:
                raise TransformError(f"Query could not be parsed at '{text[at : at + 20]}'.")
            name, function, argument, literal, column = match.groups()
            self._make(name, function, argument or column, literal)
            at = match.end()
            at += text[at : at + 1] == ","
            at += len(text[at:]) - len(text[at:].lstrip())

    def _make(self, name: str, function: str | None, argument: str | None, literal: str | None) -> None:
        if function == "now":
            self.columns[name], made = (
                "datetime",
                lambda _row, now: datetime.fromtimestamp(now).astimezone().isoformat(),
            )
        elif literal is not None:
            self.columns[name], made = "string", lambda _row, _now: literal
        elif function is None:
            self.columns[name], made = self._known(argument or ""), lambda row, _now: row.get(argument)
        elif function in FUNCTIONS:
            self._known(argument or "")
            kind, convert = FUNCTIONS[function]
            self.columns[name], made = kind, lambda row, _now: convert(row.get(argument))
        else:
            raise TransformError(f"Unknown function: '{function}'.")
        self._made.append((name, made))

    def _known(self, name: str) -> str:
        if name not in self.columns:
            raise TransformError(f"The name '{name}' does not refer to any known column, table, variable or function.")
        return self.columns[name]

    def run(self, record: Mapping[str, Any], now: float) -> dict[str, Any]:
        row = dict(record)
        for name, value in self._made:
            row[name] = value(row, now)
        return {name: row.get(name) for name in self.columns}
