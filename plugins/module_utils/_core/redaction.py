# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What leaves the engine: without secrets, in any form in which they travel, and without what steers its reader."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "VALUE_HIDDEN"
SHORTEST = 4
# Of a secret that somebody cut off at the end of an error's text.
SHORTEST_PART = 8
# Fields of a result that hold text of others -> how much of it is shown. It is cut only here, after the secrets.
TEXTS = {"message": 1000, "detail": 1000, "why": 200, "msg": 20_000, "exception": 50_000}
# Where an error's text ends in the sentence that is made of it; whose turn it is follows that of a finding.
END = r"(?=\W{0,4}(?:$|\n| Next step:| \(request |[A-Za-z][A-Za-z' ]{2,40}: ))"
# Control and format characters (with them what turns the direction of text), lone surrogates, other line ends.
UNPRINTABLE = re.compile(
    "[^\n\t -~\u00a0-\U0010ffff]|[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]"
)
# What GitHub obeys at the start of a line, and Azure Pipelines and TeamCity anywhere.
COMMANDS = re.compile(r"^(\s*):(?=:)|#(?=#\w*\[)", re.MULTILINE)


def clean(text: str) -> str:
    """Text that steers no terminal and no pipeline; line ends stay."""
    if text.isprintable() and "##" not in text and "::" not in text:
        return text
    return COMMANDS.sub(lambda found: f"{found[0]} ", UNPRINTABLE.sub("?", text))


class Redactor:
    """Takes secrets, and what steers a reader, out of text and nested data.

    Values of fewer than 4 characters are not replaced: they would make every output unreadable and hide nothing.
    """

    def __init__(self, *secrets: str | None) -> None:
        self._forms: list[str] = []
        self._known: set[str] = set()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str | None) -> None:
        """Know one more secret, in every form that it may have on its way."""
        if not secret or secret in self._known:
            return
        self._known.add(secret)
        self._forms = sorted({*self._forms, *_forms(secret)}, key=len, reverse=True)

    def __call__(self, value: Any, limit: int = 0) -> Any:
        """limit: of characters, for a text of others."""
        if isinstance(value, str):
            return self._text(value, limit)
        if isinstance(value, dict):
            return {self(key): self(item, TEXTS.get(key, limit)) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self(item, limit) for item in value]
        return value

    def _text(self, text: str, limit: int) -> str:
        if len(text) >= SHORTEST:
            for form in self._forms:
                text = text.replace(form, MASK)
        if limit:
            text = self._without_parts(text)
            text = text if len(text) <= limit else text[: limit - 1] + "…"
        return clean(text)

    def _without_parts(self, text: str) -> str:
        """The text without the beginning of a secret that was cut off where the text, or the error in it, ends."""
        for form in self._forms:
            start = text.find(form[:SHORTEST_PART]) if len(form) > SHORTEST_PART else -1
            while start >= 0:
                length = _shared(text, start, form)
                if re.match(END, text[start + length :]):
                    text = text[:start] + MASK + text[start + length :]
                start = text.find(form[:SHORTEST_PART], start + 1)
        return text


def _shared(text: str, start: int, form: str) -> int:
    """How many characters of the form stand in the text from there."""
    length = SHORTEST_PART
    while length < len(form) and text[start + length : start + length + 1] == form[length]:
        length += 1
    return length


def _forms(secret: str) -> Iterator[str]:
    """As it is, and as JSON, a form, a URL, HTML, Python and base64 write it, also within a longer base64."""
    as_json = [json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)]
    in_urls = [way(secret, safe=safe) for way in (quote, quote_plus) for safe in ("", "/", "~-._", "!'()*")]
    found = {
        secret, *as_json, *in_urls, json.dumps(as_json[0])[1:-1], as_json[0].replace("/", "\\/"),
        *(re.sub("%..", lambda code: code[0].lower(), form) for form in in_urls),
        html.escape(secret), html.escape(secret, quote=False), html.escape(secret).replace("&#x27;", "&#39;"),
        repr(secret)[1:-1], *_in_base64(secret.encode("utf-8", "surrogatepass")),
    }  # fmt: skip
    yield from (form for form in found if len(form) >= SHORTEST)


def _in_base64(secret: bytes) -> Iterator[str]:
    """What of it stands in the base64 of any longer text, by where in a group of three bytes it begins."""
    for before, first in enumerate((0, 2, 3)):
        whole = base64.b64encode(bytes(before) + secret).decode()
        part = whole[first : (before + len(secret)) * 8 // 6]
        if len(part) >= SHORTEST_PART:
            yield part
            yield part.replace("+", "-").replace("/", "_")
