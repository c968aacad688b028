# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as one HTML file that needs nothing beside itself."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import arrived, sum_of
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import REMOVED, SKIPPED, WELL
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.coverage import states_of
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.states import STATUSES
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.summary_table import duration, plural
from ansible_collections.mssp.onboarding.plugins.plugin_utils._report import words
from ansible_collections.mssp.onboarding.plugins.plugin_utils._report.model import CORRECTED_DAYS, EXPIRY_DAYS, Report
from ansible_collections.mssp.onboarding.plugins.plugin_utils._report.trend import chart, curve

RARE = (REMOVED, SKIPPED)  # in the legend only where there is one
HERE = Path(__file__).parent
SCOPES_SHOWN, UNCOLLECTED_SHOWN = 20, 25
NAMES_SHOWN, CAUSES_SHOWN, NEWS_SHOWN, CORRECTIONS_SHOWN = 8, 4, 6, 50


def page(report: Report) -> str:
    """The whole file; that of one tenant holds nothing of any other."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"signed": words.signed, "word": words.word, "date": words.date, "duration": duration}
    environment.filters |= {
        "plural": plural,
        "breaks": breaks,
        "arrived": arrived,
        "total": sum_of,
        "states": states_of,
    }
    style, script = ((HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    script = "" if report.tenant else script
    return environment.get_template("tenant.html.j2" if report.tenant else "fleet.html.j2").render(
        report=report,
        words=words,
        now=report.run.at,
        statuses=[status for status in reversed(STATUSES) if report.counts[status] or status not in RARE],
        well=WELL,
        chart=chart(report.trend),
        curve=curve(report.covered),
        scopes_shown=SCOPES_SHOWN,
        uncollected_shown=UNCOLLECTED_SHOWN,
        names_shown=NAMES_SHOWN,
        causes_shown=CAUSES_SHOWN,
        news_shown=NEWS_SHOWN,
        expiry_days=EXPIRY_DAYS,
        corrected_days=CORRECTED_DAYS,
        corrections_shown=CORRECTIONS_SHOWN,
        style=Markup(style),  # ours, and not a word of what was reported in it  # nosec B704
        script=Markup(script),  # nosec B704
        policy=policy(style, script),
    )


def policy(style: str, script: str) -> str:
    """Nothing is loaded, and only these two texts are style and script."""
    allowed = [f"style-src {_hash(style)}", f"script-src {_hash(script)}" if script else "script-src 'none'"]
    return "; ".join(["default-src 'none'", *allowed, "base-uri 'none'", "form-action 'none'"])


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def breaks(text: str) -> Markup:
    """The name of a capability may break where its words do."""
    return Markup("_<wbr>").join(map(escape, text.split("_")))
