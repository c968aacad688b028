# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A story of runs as text that stays the same: results, diffs and evidence without what the lab draws anew."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "golden"
UPDATE = "UPDATE_GOLDEN"
# How long it took, and how many requests it took, are the benchmarks' and other tests' affair.
LEFT_OUT = frozenset({"seconds", "requests", "throttled_seconds", "throttled_answers", "request_id", "age_seconds"})
DRAWN = (
    (re.compile(r"(https?://)?(localhost|127\.0\.0\.1):\d+"), "lab"),
    (re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|\+00:00)?)?"), "date"),
    # The lab's own ids and those of vendors are of one digit and zeros, or well known: the rest is drawn.
    (re.compile(r"\b(?![0-9a-f]0000000-0000-4000-8000-)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "id"),
    (re.compile(r"\bDI[A-Z0-9]{18}\b"), "key"),
    (re.compile(r"\b[0-9A-F]{16}\b"), "thumbprint"),
)


def steady(value: Any, places: Iterable[Path], key: str = "") -> Any:
    """The value with a name for whatever differs between runs; places: folders of this run."""
    if isinstance(value, dict):
        shown = {name: inner for name, inner in value.items() if name not in LEFT_OUT and (key != "counts" or inner)}
        return {name: steady(inner, places, name) for name, inner in shown.items()}
    if isinstance(value, list):
        return [steady(inner, places, key) for inner in value]
    if not isinstance(value, str):
        return value
    for place in places:
        value = value.replace(str(place), "<folder>")
    for pattern, name in DRAWN:
        value = pattern.sub(f"<{name}>", value)
    return value


def compared(name: str, story: dict[str, Any], places: Iterable[Path]) -> tuple[str, str]:
    """(the story as it is, as it was written down); with UPDATE_GOLDEN in the environment it is written down first."""
    path = FOLDER / f"{name}.json"
    text = json.dumps(steady(story, list(places)), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if os.environ.get(UPDATE):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return text, path.read_text(encoding="utf-8") if path.exists() else ""
