# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeping secrets out of whatever leaves the engine."""

from __future__ import annotations

import json
from typing import Any

MASK = "VALUE_HIDDEN"


class Redactor:
    """Replaces known secret values in text and in nested data.

    Values of fewer than 4 characters are not replaced: they would make every output unreadable and hide nothing.
    """

    def __init__(self, *secrets: str | None) -> None:
        self._secrets: list[str] = []
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str | None) -> None:
        """Know one more secret, also in the form it has inside JSON text."""
        for form in {secret, json.dumps(secret)[1:-1]} if secret else ():
            if form and len(form) >= 4 and form not in self._secrets:
                self._secrets.append(form)
        self._secrets.sort(key=len, reverse=True)

    def __call__(self, value: Any) -> Any:
        if isinstance(value, str):
            for secret in self._secrets:
                value = value.replace(secret, MASK)
            return value
        if isinstance(value, dict):
            return {self(key): self(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self(item) for item in value]
        return value
