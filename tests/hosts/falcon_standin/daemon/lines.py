# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an event to syslog lines: key=value, CEF or LEEF, whichever the mapping sections and delimiters make of it.

How the connector goes about lists is assumed: a line for the event, and one more for each item of a list that
[EventSubTypeCollection] switches on. A field that the event does not have is left out.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from .config import Config

_PAIR = re.compile(r'"((?:\\.|[^"\\])+)":"((?:\\.|[^"\\])*)"')
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\"}
_TIME = (("MMM", "%b"), ("yyyy", "%Y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H"), ("mm", "%M"), ("ss", "%S"))
_MILLISECONDS = 10**11  # epoch times above are not seconds


def wanted(config: Config, event: dict[str, Any]) -> bool:
    kind = _field(event, config.text("Syslog", "event_type_field", "metadata.eventType"), "", None)
    return config.flag("EventTypeCollection", str(kind), False)


class Writer:
    """The lines of one configuration."""

    def __init__(self, config: Config) -> None:
        self.config = config
        syslog = config.sections.get("Syslog", {})
        self.prefix = syslog.get("header_prefix", "")
        self.delim = syslog.get("header_delim", "")
        self.equals = syslog.get("key_val_delim", "=")
        self.between = unescape(syslog.get("field_delim", "")) or " "
        self.around = syslog.get("val_enclosure", "")
        self.header = _escaper(syslog.get("escape_header", ""))
        self.extension = _escaper(syslog.get("escape_ext", ""))
        self.times = frozenset(filter(None, syslog.get("time_fields", "").split(",")))
        self.time_format = _strftime(syslog.get("time_format", ""))
        self.limit = config.number("Syslog", "max_length", 2048)

    def lines(self, event: dict[str, Any]) -> list[str]:
        """Without line ends, each at most max_length bytes. None where no section maps the type."""
        kind = str(_field(event, self.config.text("Syslog", "event_type_field", "metadata.eventType"), "", None))
        found = [self._line(kind, event, "", None)] if kind in self.config.sections else []
        for name in self.config.sections.get("EventSubTypeCollection", {}):
            part = name.removeprefix(kind + "_")
            items = event.get("event", {}).get(part)
            on = name in self.config.sections and self.config.flag("EventSubTypeCollection", name)
            if part != name and on and isinstance(items, list):
                found += [self._line(name, event, part, item) for item in items]
        return [_cut(line, self.limit) for line in found]

    def _line(self, section: str, event: dict[str, Any], part: str, item: Any) -> str:
        head, fields = [], []
        for key, path in self.config.sections[section].items():
            value = _field(event, path, part, item)
            if key.startswith("__header."):
                head.append((int(key.rpartition(".")[2]), self.header(_text(value))))
            elif value is not None:
                text = self._time(value) if key in self.times else _text(value)
                fields.append(f"{key}{self.equals}{self.around}{self.extension(text)}{self.around}")
        headers = "".join(text + self.delim for _number, text in sorted(head))
        return self.prefix + headers + self.between.join(fields)

    def _time(self, value: Any) -> str:
        try:
            seconds = float(value)
        except (TypeError, ValueError):
            return _text(value)
        seconds = seconds / 1000 if seconds > _MILLISECONDS else seconds
        return datetime.fromtimestamp(seconds, UTC).strftime(self.time_format)


def _field(event: dict[str, Any], path: str, part: str, item: Any) -> Any:
    """The value at a dotted path or a 'literal'; a path through the list `part` goes into its `item`."""
    if path[:1] == "'" and path[-1:] == "'" and len(path) > 1:
        return path[1:-1]
    inside = f"event.{part}."
    if part and path.startswith(inside):
        return _walk(item, path.removeprefix(inside))
    return _walk(event, path)


def _walk(value: Any, path: str) -> Any:
    for key in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value if not isinstance(value, (dict, list)) else None


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def unescape(text: str) -> str:
    r"""\n, \r, \t and \\ are what they say; any other backslash is itself."""
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), text)


def _escaper(rules: str) -> Any:
    """A function from a rule such as "|":"\\|","\n":"\\n"; all replacements in one pass."""
    table = {unescape(before): unescape(after) for before, after in _PAIR.findall(rules)}
    if not table:
        return lambda text: text
    pattern = re.compile("|".join(map(re.escape, table)))
    return lambda text: pattern.sub(lambda match: table[match[0]], text)


def _strftime(pattern: str) -> str:
    for word, code in _TIME:
        pattern = pattern.replace(word, code)
    return pattern


def _cut(line: str, limit: int) -> str:
    raw = line.encode()
    return line if len(raw) <= limit else raw[:limit].decode("utf-8", "ignore")
