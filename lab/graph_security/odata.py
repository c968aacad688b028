# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The query options of Graph security that the lab knows: $filter, $orderby, $top, $skip, $count, $expand.

Comparisons joined by «and», of a property that may be filtered by, with a text in quotes or a time.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from lab.graph import api
from lab.graph_security.state import GraphSecurity, Item
from lab.kernel.http import Call, Refusal, Reply, ok

Keep = Callable[[Item], bool]
_OPTIONS = frozenset({"$filter", "$orderby", "$top", "$skip", "$count", "$expand"})
_COMPARISON = re.compile(r"\s*(\w+)\s+(eq|ne|gt|ge|lt|le)\s+('(?:[^']|'')*'|[\w:.+-]+)\s*")
_JOINED = re.compile(r"\s+and\s+(?=(?:[^']*'[^']*')*[^']*$)")
_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    name: getattr(operator, name) for name in ("eq", "ne", "gt", "ge", "lt", "le")
}


def bad(call: Call, message: str) -> Refusal:
    return api.refuse(call, 400, "BadRequest", message)


def options(call: Call, expands: Sequence[str]) -> dict[str, str]:
    query = call.query
    for name in sorted(set(query) - _OPTIONS):
        raise bad(call, f"The lab does not know the query option '{name}' here.")
    if query.get("$expand") and query["$expand"] not in expands:
        raise bad(call, f"Could not find a property named '{query['$expand']}' on type 'microsoft.graph.security'.")
    return query


def page(
    security: GraphSecurity, call: Call, kind: str, items: Iterable[Item], filters: Sequence[str], most: int
) -> Reply:
    """A page of what $filter keeps, the most recent first unless $orderby says otherwise.

    `most`: the largest $top that is taken.
    """
    query = options(call, ("alerts",) if kind == "incidents" else ())
    keeps = _filter(call, filters)
    kept = _sorted(call, [one for one in items if all(keep(one) for keep in keeps)])
    top, skip = _number(call, "$top", most, most), _number(call, "$skip", 0, 10**6)
    size = min(top, security.security_page_size)
    answer: Item = {"@odata.context": f"{security.entra.graph_url}/v1.0/$metadata#security/{kind}"}
    if query.get("$count") == "true":
        answer["@odata.count"] = len(kept)
    answer["value"] = kept[skip : skip + size]
    if skip + size < len(kept):
        following = {**query, "$skip": str(skip + size)}
        text = "&".join(f"{key}={quote(value, safe='')}" for key, value in following.items())
        answer["@odata.nextLink"] = f"{security.url}{call.path}?{text}"
    return ok(answer)


def _filter(call: Call, filters: Sequence[str]) -> list[Keep]:
    text = call.query.get("$filter", "")
    return [_comparison(call, part, filters) for part in _JOINED.split(text)] if text.strip() else []


def _comparison(call: Call, text: str, filters: Sequence[str]) -> Keep:
    match = _COMPARISON.fullmatch(text)
    if match is None or match[1] not in filters:
        raise bad(call, f"Invalid filter clause: '{text}'.")
    name, compare, literal = match[1], _COMPARED[match[2]], match[3]
    is_time = name.endswith("DateTime")
    if is_time == literal.startswith("'"):
        raise bad(call, f"A binary operator with incompatible types was detected in '{text}'.")
    value = _time(call, literal) if is_time else literal[1:-1].replace("''", "'")
    return lambda item: compare(_time(call, item[name]) if is_time else str(item[name] or ""), value)


def _time(call: Call, text: str) -> float:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise bad(call, f"Invalid date and time: '{text}'.") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _sorted(call: Call, items: list[Item]) -> list[Item]:
    name, _, way = (call.query.get("$orderby") or "createdDateTime desc").partition(" ")
    if name not in ("createdDateTime", "lastUpdateDateTime") or way not in ("", "asc", "desc"):
        raise bad(call, f"The lab does not sort by '{call.query['$orderby']}'.")
    return sorted(items, key=lambda item: str(item[name]), reverse=way == "desc")


def _number(call: Call, name: str, otherwise: int, most: int) -> int:
    text = call.query.get(name, str(otherwise))
    if not text.isdecimal() or int(text) > most:
        raise bad(call, f"The limit of '{most}' for {name} query has been exceeded: '{text}'.")
    return int(text)
