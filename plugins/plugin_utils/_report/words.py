# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statuses, times and verdicts in words, the same in every form of the report. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from ansible_collections.mssp.onboarding.plugins.module_utils._core import coverage
from ansible_collections.mssp.onboarding.plugins.module_utils._core import status as statuses
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import NEVER_RUN, WELL
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.coverage import Share
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.retention import DAY
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.summary_table import duration, plural
from ansible_collections.mssp.onboarding.plugins.plugin_utils._report.model import News, Report, Standing

# (sign, word, meaning); a sign that every font has, so that nothing is told by colour alone.
WORDS = {
    statuses.FAILED: ("✕", "failed", "tried, and something is not as it should be"),
    statuses.UNKNOWN: ("?", "unknown", "could not be observed"),
    statuses.DRIFTED: ("≠", "drifted", "differs from what is wanted, or data that should arrive does not"),
    statuses.WAITING: ("!", "waiting", "for somebody outside of the run, such as the customer's administrator"),
    statuses.NEVER_RUN: ("–", "never run", "configured, and no run has tried it"),
    statuses.PENDING: ("…", "pending", "as wanted; its data is expected and not there yet"),
    statuses.CORRECTED: ("↻", "corrected", "put right by its last run"),
    statuses.IN_SYNC: ("✓", "in sync", "as wanted"),
    statuses.REMOVED: ("○", "removed", "offboarded"),
    statuses.SKIPPED: ("·", "skipped", "nothing to do there"),
}

# The same of what is said of a part of a tenant.
PARTS = {
    coverage.COVERED: ("✓", "covered", "looked after; how it stands is in the table of the capabilities"),
    coverage.UNREACHABLE: ("✕", "unreachable", "was there, or should be, and cannot be seen or served"),
    coverage.WAITING: ("!", "waiting for the customer", "something that only the customer can grant"),
    coverage.NOT_ASKED: ("+", "not yet asked for", "the customer has it, and nobody collects it"),
    coverage.EXCLUDED: ("–", "excluded by choice", "left out by the tenant file"),
    coverage.UNSUPPORTED: ("·", "not supported", "offers no logs, or none that can be collected"),
}


def part(state: str) -> str:
    """«✕ unreachable»."""
    return " ".join(PARTS[state][:2])


def percent(share: Share | None) -> str:
    """«97 %», «not known» where nothing that counts was looked at."""
    found = share.percent if share else None
    return "not known" if found is None else f"{found} %"


def moved(now: Share | None, before: Share | None) -> str:
    """«+3 %», «−12 %», '' where it is as it was or was not known."""
    new, old = (one.percent if one else None for one in (now, before))
    return "" if new is None or old is None or new == old else f"{new - old:+d} %".replace("-", "−")


def word(status: str) -> str:
    return WORDS[status][1]


def signed(status: str) -> str:
    """«✕ failed»."""
    return " ".join(WORDS[status][:2])


def date(when: float | None) -> str:
    """«2026-11-21 13:49 UTC», «never»."""
    return "never" if when is None else f"{datetime.fromtimestamp(when, UTC):%Y-%m-%d %H:%M} UTC"


def age(seconds: float) -> str:
    """One unit, rounded down: «40 s», «12 min», «5 h», «3 d»."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"


def standing_since(report: Report, cell: Standing) -> str:
    """«for 3 d», and when it was last looked at where that is a day ago; "" for what was never run."""
    now = report.run.at
    if cell.since is None or cell.status == NEVER_RUN:
        return ""
    new = report.previous is not None and cell.since > report.previous.at
    told = "since this run" if new else f"for {age(now - cell.since)}"
    stale = cell.seen is not None and now - cell.seen >= DAY
    return f"{told}, seen {age(now - (cell.seen or now))} ago" if stale else told


def verdict(report: Report) -> str:
    """The first sentence of every report."""
    number, everyone = len(report.unwell), len(report.tenants)
    if report.tenant:
        cells = [cell for tenant in report.tenants for cell in tenant.cells.values()]
        bad = sum(cell.status not in WELL for cell in cells)
        needs = "needs" if bad == 1 else "need"
        return f"{bad} of {len(cells)} capabilities {needs} attention." if bad else "Everything is as wanted."
    if not everyone:
        return "The run told of no tenant."
    if not number:
        return f"All {plural(everyone, 'tenant')} are in sync." if everyone > 1 else "The tenant is in sync."
    return f"{number:,} of {plural(everyone, 'tenant')} {'is' if number == 1 else 'are'} not in sync."


def about(report: Report) -> list[str]:
    """The run in a few facts."""
    run = report.run
    facts = [f"{run.playbook}", date(run.at), f"took {duration(run.seconds)}"]
    facts += ["check mode: nothing was written"] if run.check_mode else []
    facts += [f"exit code {run.code}"] if run.complete else ["stopped before its end"]
    facts += [f"{plural(run.not_reached, 'host')} not reached"] if run.not_reached and not report.tenant else []
    return facts


def told(news: News) -> str:
    """Such as: drifted, was in sync."""
    return f"{word(news.after)}, was {word(news.before)}" if news.before else f"{word(news.after)}, not known before"
