# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hand-over pages for a customer's administrator, each one HTML file that needs nothing beside itself."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

HERE = Path(__file__).parent
CLASSES = {"done": "done", "to do": "todo", "could not be checked": "unsure"}


def page(content: Mapping[str, Any], customer: str, provider: str) -> str:
    """The access to Microsoft's tenant. content: as tenant_access/handover.py makes it."""
    return _made("page.html.j2", {**content, "customer": customer, "provider": provider, "classes": CLASSES})


def steps_page(steps: Iterable[Mapping[str, str]], customer: str) -> str:
    """What preflight misses of all other sources. steps: source, check, subject, why and what of each."""
    return _made("steps.html.j2", {"steps": list(steps), "customer": customer})


def _made(template: str, content: Mapping[str, Any]) -> str:
    """The whole file; whatever the content holds is shown as text."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    style = (HERE / "page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.get_template(template).render(
        **content,
        style=Markup(style),  # ours, and not a word of the content in it  # nosec B704
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
    )
