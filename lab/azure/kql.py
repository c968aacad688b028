# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of Resource Graph's KQL that the lab answers; what it does not understand is an error, never ignored.

resources | where COLUMN ==|=~|!=|!~|in|in~|!in~ VALUE [and ...] | project a, b | order by a asc, b desc
          | take N | limit N | top N by a | count | summarize count() by a | distinct a
Columns may be dotted (sku.name, tags.env). Strings are in single or double quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]
_TOKEN = re.compile(
    r"""\s*(?:(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<number>\d+)
    |(?P<word>[A-Za-z_][\w.]*)|(?P<op>!in~|!in|in~|=~|==|!=|!~|[|(),=]))""",
    re.X,
)
_COLUMNS = frozenset(
    [
        "id",
        "name",
        "type",
        "kind",
        "location",
        "resourcegroup",
        "subscriptionid",
        "tenantid",
        "tags",
        "sku",
        "properties",
    ]
)


class KqlError(ValueError):
    """The query is not of the language above; the text says where."""


def tokens(text: str) -> list[str]:
    text = re.sub(r"\bin~", "in~", text.strip().rstrip(";"))
    found, at = [], 0
    pattern = re.compile(r"\s*(!?in~)|" + _TOKEN.pattern, re.X)
    while at < len(text):
        match = pattern.match(text, at)
        if match is None:
            if not text[at:].strip():
                break
            raise KqlError(f"unexpected '{text[at : at + 12].strip()}' at position {at}")
        found.append(match[0].strip())
        at = match.end()
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self.items, self.at = tokens(text), 0

    def peek(self) -> str:
        return self.items[self.at] if self.at < len(self.items) else ""

    def take(self, *wanted: str) -> str:
        item = self.peek()
        if not item or (wanted and item.lower() not in wanted):
            raise KqlError(f"expected {' or '.join(wanted) or 'more'}, found '{item or 'end of query'}'")
        self.at += 1
        return item

    def skip(self, wanted: str) -> bool:
        if self.peek().lower() == wanted:
            self.at += 1
            return True
        return False

    def column(self) -> str:
        name = self.take()
        if name.split(".")[0].lower() not in _COLUMNS:
            raise KqlError(f"Failed to resolve column or scalar expression named '{name}'")
        return name

    def value(self) -> str:
        item = self.take()
        if item[0] not in "'\"":
            raise KqlError(f"expected a string, found '{item}'")
        return re.sub(r"\\(.)", r"\1", item[1:-1])

    def number(self) -> int:
        item = self.take()
        if not item.isdigit():
            raise KqlError(f"expected a number, found '{item}'")
        return int(item)

    def values(self) -> list[str]:
        self.take("(")
        found = [self.value()]
        while self.skip(","):
            found.append(self.value())
        self.take(")")
        return found


def run(text: str, rows: list[Row]) -> list[Row]:
    """Rows of the answer. Raises KqlError."""
    reader = _Reader(text)
    reader.take("resources")
    while reader.peek():
        reader.take("|")
        operator = reader.take().lower()
        if operator not in _OPERATORS:
            raise KqlError(f"operator '{operator}' is not supported")
        rows = _OPERATORS[operator](reader, rows)
    return rows


def get(row: Row, column: str) -> Any:
    """A column's value, whatever its case; dotted columns go down."""
    value: Any = row
    for part in column.split("."):
        if not isinstance(value, dict):
            return None
        value = next((held for key, held in value.items() if key.lower() == part.lower()), None)
    return value


def _where(reader: _Reader, rows: list[Row]) -> list[Row]:
    while True:
        column, operator = reader.column(), reader.take("==", "=~", "!=", "!~", "in", "in~", "!in", "!in~").lower()
        wanted = reader.values() if "in" in operator else [reader.value()]
        rows = [row for row in rows if _keeps(get(row, column), operator, wanted)]
        if not reader.skip("and"):
            return rows


def _keeps(value: Any, operator: str, wanted: list[str]) -> bool:
    text = str(value or "")
    found = text.lower() in map(str.lower, wanted) if "~" in operator else text in wanted
    return found != operator.startswith("!")


def _project(reader: _Reader, rows: list[Row]) -> list[Row]:
    pairs = []
    while True:
        name = reader.take()
        column = reader.column() if reader.skip("=") else name
        if column.split(".")[0].lower() not in _COLUMNS:
            raise KqlError(f"Failed to resolve column or scalar expression named '{column}'")
        pairs.append((name, column))
        if not reader.skip(","):
            return [{name: get(row, column) for name, column in pairs} for row in rows]


def _order(reader: _Reader, rows: list[Row]) -> list[Row]:
    reader.take("by")
    keys = []
    while True:
        column = reader.column()
        descending = reader.peek().lower() != "asc"  # KQL sorts descending unless told otherwise
        if reader.peek().lower() in ("asc", "desc"):
            reader.take()
        keys.append((column, descending))
        if not reader.skip(","):
            break
    for column, descending in reversed(keys):
        rows = sorted(rows, key=lambda row: str(get(row, column) or ""), reverse=descending)
    return rows


def _take(reader: _Reader, rows: list[Row]) -> list[Row]:
    return rows[: reader.number()]


def _top(reader: _Reader, rows: list[Row]) -> list[Row]:
    count = reader.number()
    return _order(reader, rows)[:count]


def _count(_reader: _Reader, rows: list[Row]) -> list[Row]:
    return [{"Count": len(rows)}]


def _summarize(reader: _Reader, rows: list[Row]) -> list[Row]:
    name = "count_"
    if reader.peek().lower() != "count":
        name = reader.take()
        reader.take("=")
    for item in ("count", "(", ")"):
        reader.take(item)
    if not reader.skip("by"):
        return [{name: len(rows)}]
    columns = [reader.column()]
    while reader.skip(","):
        columns.append(reader.column())
    found: dict[tuple[str, ...], Row] = {}
    for row in rows:
        values = [get(row, column) for column in columns]
        line = found.setdefault(tuple(map(str, values)), {**dict(zip(columns, values, strict=True)), name: 0})
        line[name] += 1
    return list(found.values())


def _distinct(reader: _Reader, rows: list[Row]) -> list[Row]:
    column = reader.column()
    return [{column: value} for value in dict.fromkeys(get(row, column) for row in rows)]


_OPERATORS: dict[str, Callable[[_Reader, list[Row]], list[Row]]] = {
    "where": _where,
    "project": _project,
    "order": _order,
    "sort": _order,
    "take": _take,
    "limit": _take,
    "top": _top,
    "count": _count,
    "summarize": _summarize,
    "distinct": _distinct,
}
