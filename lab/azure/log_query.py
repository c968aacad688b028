# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of Log Analytics' KQL that the lab reads; what it does not understand is refused, as Azure refuses it.

TABLE | union [withsource=NAME] A, B | union *   then   | where ... | extend ... | summarize ... by ...

A query is read whole: every column has to be there, every function known and given as many arguments as it takes, and
aggregates stand in summarize only. It is not run over records: `Asked` holds what the lab answers by.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>'[^'\n]*'|"[^"\n]*")|(?P<span>\d+(?:ms|[dhms])\b)|(?P<number>\d+(?:\.\d+)?)
    |(?P<word>!?[A-Za-z_]\w*~?)|(?P<op>\.\.|==|!=|=~|!~|<=|>=|[-+*/<>|(),=\[\]]))""",
    re.X,
)
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
STANDARD = ("TimeGenerated", "Type", "TenantId", "_ResourceId", "_SubscriptionId", "_ItemId", "_BilledSize")
# Name -> the fewest and the most arguments.
FUNCTIONS = {
    "ago": (1, 1), "array_length": (1, 1), "case": (3, 65), "iff": (3, 3), "ingestion_time": (0, 0), "now": (0, 1),
    "split": (2, 3), "strcat": (1, 64), "tolower": (1, 1), "tostring": (1, 1),
}  # fmt: skip
AGGREGATES = {"count": (0, 0), "countif": (1, 1), "max": (1, 1), "min": (1, 1), "sum": (1, 1)}
_COMPARED = ("==", "!=", "=~", "!~", "<", ">", "<=", ">=", "startswith", "!startswith")


class QueryError(ValueError):
    """A query that Azure refuses. code: Azure's own of the kind of fault."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(slots=True)
class Asked:
    """What a query asks: of which tables and subscriptions (None for all), the columns of its answer by name."""

    tables: set[str]
    subscriptions: set[str] | None = None
    columns: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    since: float | None = None  # seconds that the first `where` on TimeGenerated looks back


def seconds(span: str) -> float:
    return float(span[:-1]) * _SECONDS[span[-1]]


def parse(text: str, tables: Mapping[str, Collection[str]]) -> Asked:
    """tables: the workspace's, with columns of their own. Raises QueryError."""
    return _Reader(text, tables).query()


class _Reader:
    def __init__(self, text: str, tables: Mapping[str, Collection[str]]) -> None:
        self.items, self.at, self.held = _tokens(text), 0, tables
        self.columns: set[str] = set()

    # -- words

    def peek(self) -> str:
        return self.items[self.at] if self.at < len(self.items) else ""

    def take(self, *wanted: str) -> str:
        item = self.peek()
        if not item or (wanted and item not in wanted):
            raise QueryError("SYN0002", f"Query could not be parsed at '{item or 'end of query'}'")
        self.at += 1
        return item

    def skip(self, wanted: str) -> bool:
        found = self.peek() == wanted
        self.at += found
        return found

    def name(self) -> str:
        item = self.take()
        if not re.fullmatch(r"[A-Za-z_]\w*", item):
            raise QueryError("SYN0002", f"Query could not be parsed at '{item}'")
        return item

    # -- operators

    def query(self) -> Asked:
        asked = Asked(self.source())
        while self.peek():
            self.take("|")
            operator = self.take()
            if operator not in ("where", "extend", "summarize"):
                raise QueryError("SYN0002", f"Query could not be parsed at '{operator}'")
            getattr(self, operator)(asked)
        return asked

    def source(self) -> set[str]:
        source = ""
        if self.skip("union"):
            while self.peek() in ("withsource", "isfuzzy"):
                option = self.take()
                self.take("=")
                source = self.name() if option == "withsource" else (self.name(), source)[1]
            names = self.listed()
        else:
            names = [self.name()]
        asked = set(self.held) if names == ["*"] else set(names)
        for name in sorted(asked - self.held.keys()):
            raise QueryError("SEM0100", f"'union' operator: Failed to resolve table expression named '{name}'")
        if source and any(source in self.held[name] for name in asked):
            raise QueryError("SEM0100", f"'union' operator: column named '{source}' already exists")
        self.columns = {*STANDARD, *(column for name in asked for column in self.held[name]), *filter(None, [source])}
        return asked

    def listed(self) -> list[str]:
        names = [self.take("*") if self.peek() == "*" else self.name()]
        while self.skip(","):
            names.append(self.name())
        return names

    def where(self, asked: Asked) -> None:
        start = self.at
        self.condition()
        words = self.items[start : self.at]
        if words[:2] == ["_SubscriptionId", "in~"]:
            asked.subscriptions = {word[1:-1].lower() for word in words if word[0] in "'\""}
        if words[:4] == ["TimeGenerated", ">", "ago", "("]:
            asked.since = seconds(words[4])

    def extend(self, _asked: Asked) -> None:
        made = [self.assigned()]
        while self.skip(","):
            made.append(self.assigned())
        self.columns.update(made)

    def assigned(self) -> str:
        name = self.name()
        self.take("=")
        self.condition()
        return name

    def summarize(self, asked: Asked) -> None:
        asked.columns = self.named(aggregates=True)
        if self.skip("by"):
            asked.keys = self.named(aggregates=False)
        self.columns = {*asked.columns, *asked.keys}

    def named(self, *, aggregates: bool) -> dict[str, str]:
        """name -> the text of its expression; a column stands by its own name."""
        found: dict[str, str] = {}
        while True:
            name = self.take() if self.items[self.at + 1 : self.at + 2] == ["="] else self.peek()
            self.skip("=")
            start = self.at
            if aggregates:
                self.call(self.name(), AGGREGATES)
            else:
                self.condition()
            found[name] = " ".join(self.items[start : self.at])
            if not self.skip(","):
                return found

    # -- expressions

    def condition(self) -> None:
        self.comparison()
        while self.peek() in ("and", "or"):
            self.take()
            self.comparison()

    def comparison(self) -> None:
        self.value()
        operator = self.peek()
        if operator in _COMPARED:
            self.take()
            self.value()
        elif operator in ("in", "in~"):
            self.take()
            self.arguments(1, 1_000_000)
        elif operator == "between":
            self.take()
            self.take("(")
            self.value()
            self.take("..")
            self.value()
            self.take(")")

    def value(self) -> None:
        item = self.take()
        if item == "(":
            self.condition()
            self.take(")")
        elif item == "-":
            self.value()
        elif self.peek() == "(":
            self.call(item, FUNCTIONS)
        elif re.match(r"[A-Za-z_]", item) and item not in self.columns:
            raise QueryError("SEM0100", f"Failed to resolve column or scalar expression named '{item}'")
        elif not re.match(r"['\"\w]", item):
            raise QueryError("SYN0002", f"Query could not be parsed at '{item}'")
        while self.skip("["):
            self.value()
            self.take("]")

    def call(self, name: str, known: Mapping[str, tuple[int, int]]) -> None:
        if name not in known:
            raise QueryError("SEM0260", f"Unknown function: '{name}'.")
        self.arguments(*known[name], name)

    def arguments(self, fewest: int, most: int, name: str = "in") -> None:
        self.take("(")
        number = 0
        while self.peek() != ")":
            if number:
                self.take(",")
            self.condition()
            number += 1
        self.take(")")
        if not fewest <= number <= most:
            raise QueryError("SEM0219", f"{name}(): function expects {fewest} to {most} arguments.")


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise QueryError("SYN0002", f"Query could not be parsed at '{text[at : at + 12].strip()}'")
        found.append(match[0].strip())
        at = match.end()
    return found
