# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report for machines and pull requests: Markdown, JUnit XML, Prometheus text. Pure.

The model holds printable text only, so that no form meets a character that it may not hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from xml.etree import ElementTree  # writes only  # nosec B405

from ansible_collections.mssp.onboarding.plugins.module_utils._core.coverage import UNREACHABLE
from ansible_collections.mssp.onboarding.plugins.module_utils._core.coverage import WAITING as PART_WAITS
from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import arrived
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import (
    DRIFTED,
    FAILED,
    NEVER_RUN,
    PENDING,
    REMOVED,
    SKIPPED,
    UNKNOWN,
    WAITING,
    WELL,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.coverage import Scope, states_of
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.states import moment
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.summary_table import plural
from ansible_collections.mssp.onboarding.plugins.plugin_utils._report import words
from ansible_collections.mssp.onboarding.plugins.plugin_utils._report.model import (
    CORRECTED_DAYS,
    EXPIRY_DAYS,
    Report,
    Standing,
)

ROWS_LISTED = 50  # a comment on GitHub holds 65,536 characters
CAUSES_LISTED = 10
NAMES_LISTED = 8
TARGETS_LISTED = 3
CELL = 200
MARKS = re.compile(r"([\\`*_{}\[\]()#+!~$|-])")
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", "://": "&#58;//", "www.": "www&#46;"}
PREFIX = "mssp_onboarding"
# A case of JUnit by status; the rest passes.
KINDS = {
    **dict.fromkeys((FAILED, DRIFTED, WAITING), "failure"),
    **dict.fromkeys((NEVER_RUN, REMOVED, PENDING, SKIPPED), "skipped"),
    UNKNOWN: "error",
}


def markdown(report: Report) -> str:
    """For the comment of a pull request: bounded, and nothing in it is a link, a mention or markup of others."""
    lines = [f"## {words.verdict(report)}", "", _md(" · ".join(words.about(report))), ""]
    listed = [(tenant, cell) for tenant in report.tenants for cell in tenant.unwell]
    if listed:
        lines += ["| tenant | capability | status | since | next step |", "|---|---|---|---|---|"]
        for tenant, cell in listed[:ROWS_LISTED]:
            since = words.date(cell.since) if cell.since and cell.status != NEVER_RUN else ""
            texts = (tenant.slug, cell.capability, words.signed(cell.status), since, _first_step(cell))
            lines.append("| " + " | ".join(_md(text) for text in texts) + " |")
        if len(listed) > ROWS_LISTED:
            lines.append(f"\nand {len(listed) - ROWS_LISTED:,} more.")
    if report.reasons:
        lines += ["", "### Why", ""]
        for capability, cause in report.reasons[:CAUSES_LISTED]:
            status = f"{cause.status} " if cause.status and str(cause.status) not in cause.code else ""
            lines.append(f"- **{plural(len(cause.tenants), 'tenant')}**, {_md(f'{capability}: {status}{cause.code}')}")
            lines += [f"  {_md(cause.message)}"] if cause.message else []
            lines += [f"  Next step: {_md(cause.next_step)}"] if cause.next_step else []
    if report.news:
        lines += ["", "### Since the run before", ""]
        for news in report.news[:CAUSES_LISTED]:
            names = ", ".join(news.tenants[:NAMES_LISTED]) + (", …" if len(news.tenants) > NAMES_LISTED else "")
            lines.append(f"- {_md(news.capability)}: {words.told(news)}: {len(news.tenants):,} ({_md(names)})")
    if report.corrections:
        lines += ["", f"### Corrected in the last {CORRECTED_DAYS} days", ""]
        for done in report.corrections[:CAUSES_LISTED]:
            what = "; ".join(done.changes[:TARGETS_LISTED]) or plural(done.number, "target")
            lines.append(f"- {words.date(done.at)}, {_md(f'{done.tenant}: {done.capability}')}, by {_md(done.who)}:")
            lines.append(f"  {_md(what)}")
    arriving = [(tenant, cell) for tenant in report.tenants for cell in tenant.arriving]
    if arriving:
        lines += ["", "### What has arrived", ""]
        for tenant, cell in arriving[:ROWS_LISTED]:
            told = f"{arrived(cell.arrivals)}, seen {words.date(cell.verified)}"
            lines.append(f"- {_md(f'{tenant.slug}: {cell.capability}: {told}')}")
        if len(arriving) > ROWS_LISTED:
            lines.append(f"\nand {len(arriving) - ROWS_LISTED:,} more.")
    if report.scopes:
        lines += ["", f"### Coverage: {words.percent(report.share)}", ""]
        for state, number in states_of(report.scopes).items():
            lines.append(f"- {_md(words.part(state))}: {number:,}")
        lacking = [line for line in report.scopes if line.state in (UNREACHABLE, PART_WAITS)]
        for line in lacking[:CAUSES_LISTED]:
            lines.append(f"- {_md(f'{line.tenant}: {line.source}: {line.name}')}: {words.part(line.state)}")
            lines += [f"  Next step: {_md(line.next_step)}"] if line.next_step else []
        for source, name, step, tenants in report.uncollected[:CAUSES_LISTED]:
            told = ", ".join(tenants[:NAMES_LISTED]) + (", …" if len(tenants) > NAMES_LISTED else "")
            lines.append(f"- nobody collects {_md(f'{name} ({source})')}: {_md(told)}. Next step: {_md(step)}")
    if report.credentials:
        lines += ["", f"### Credentials that expire within {EXPIRY_DAYS} days", ""]
        for item in report.credentials[:ROWS_LISTED]:
            lines.append(f"- {_md(item.tenant)}: {_md(item.name)}: {words.date(item.expires)}")
    if report.undated:
        lines += ["", "### Credentials whose end is not known", ""]
        for one in report.undated[:ROWS_LISTED]:
            lines.append(f"- {_md(one.name)}: {_md(', '.join(one.tenants[:TARGETS_LISTED]))}")
    counts = ", ".join(f"{number:,} {words.word(status)}" for status, number in report.counts.items() if number)
    return "\n".join([*lines, "", f"Tenants: {counts or 'none'}.", ""])


def _first_step(cell: Standing) -> str:
    steps = (problem.next_step for finding in cell.findings for problem in finding.problems)
    return next(filter(None, steps), "")


def _md(text: str) -> str:
    """Plain text in one line, bounded."""
    text = text if len(text) <= CELL else text[: CELL - 1] + "…"
    text = MARKS.sub(r"\\\1", " ".join(text.split()))
    for plain, entity in ENTITIES.items():
        text = text.replace(plain, entity)
    return text


def junit(report: Report) -> str:
    """One suite per capability, one case per tenant. Drifted, waiting and failed are failures, unknown an error."""
    root = ElementTree.Element("testsuites", name=PREFIX, time=f"{report.run.seconds:.1f}")
    for capability in report.capabilities:
        found = [(tenant.slug, tenant.cells[capability]) for tenant in report.tenants if capability in tenant.cells]
        kinds = [KINDS.get(cell.status) for _slug, cell in found]
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=capability,
            tests=str(len(found)),
            failures=str(kinds.count("failure")),
            errors=str(kinds.count("error")),
            skipped=str(kinds.count("skipped")),
        )
        for slug, cell in sorted(found):
            case = ElementTree.SubElement(suite, "testcase", classname=capability, name=slug)
            _verdict(case, cell)
    _not_looked_at(root, report)
    for element in root.iter():
        for name in ("tests", "failures", "errors", "skipped") if element is root else ():
            element.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _not_looked_at(root: ElementTree.Element, report: Report) -> None:
    """An error for each host that this run did not reach, and for a run that was stopped: what stands is older."""
    missed = [(host, "this run did not reach it") for host in report.not_reached]
    missed += [] if report.run.complete else [(report.run.run, "the run was stopped before its end")]
    if not missed:
        return
    number = str(len(missed))
    suite = ElementTree.SubElement(
        root, "testsuite", name="run", tests=number, failures="0", errors=number, skipped="0"
    )
    for name, why in missed:
        case = ElementTree.SubElement(suite, "testcase", classname="run", name=name)
        ElementTree.SubElement(case, "error", message=why, type="not_reached").text = why


def _verdict(case: ElementTree.Element, cell: Standing) -> None:
    kind = KINDS.get(cell.status)
    if kind is None:
        return
    since = f" since {words.date(cell.since)}" if kind != "skipped" else ""
    element = ElementTree.SubElement(case, kind, message=f"{words.word(cell.status)}{since}")
    if kind == "skipped":
        return
    element.set("type", cell.status)
    lines = [
        f"{finding.host} {problem.code}: {problem.message} Next step: {problem.next_step or 'none is known.'}"
        for finding in cell.findings
        if finding.status not in WELL
        for problem in finding.problems
    ]
    element.text = "\n".join(lines)


def prometheus(report: Report) -> str:
    """For node_exporter's textfile collector: what stands, not what the run did, so that every scrape is true."""
    cells = [(tenant.slug, cell) for tenant in report.tenants for cell in tenant.cells.values()]
    run = {"playbook": report.run.playbook}
    families: list[tuple[str, str, Iterable[tuple[dict[str, str], float]]]] = [
        ("state", "How a capability of a tenant stands; the one series that exists says it.",
         [({"tenant": slug, "capability": cell.capability, "state": cell.status}, 1) for slug, cell in cells]),
        ("state_since_timestamp_seconds", "Since when it stands so.",
         [({"tenant": slug, "capability": cell.capability}, cell.since) for slug, cell in cells if cell.since]),
        ("seen_timestamp_seconds", "When a run last told of it.",
         [({"tenant": slug, "capability": cell.capability}, cell.seen) for slug, cell in cells if cell.seen]),
        ("tenants", "Tenants by their worst state.",
         [({"state": status}, number) for status, number in report.counts.items()]),
        ("credential_expiry_timestamp_seconds", f"When a credential expires, of those within {EXPIRY_DAYS} days.",
         [({"tenant": item.tenant, "credential": item.name}, item.expires) for item in report.credentials]),
        *_arrivals(cells),
        ("coverage_parts", "Parts of a tenant by source and state.",
         [({"tenant": tenant, "source": source, "state": state}, number)
          for (tenant, source), lines in _grouped(report.scopes) for state, number in states_of(lines).items()]),
        ("coverage_ratio", "Share of what counts that is covered.",
         [({"tenant": tenant}, one.covered / one.total) for tenant, one in report.shares.items() if one.total]),
        ("run_end_timestamp_seconds", "When the last run ended.", [(run, report.run.at)]),
        ("run_duration_seconds", "How long the last run took.", [(run, report.run.seconds)]),
        ("run_complete", "Whether the last run came to its end.", [(run, int(report.run.complete))]),
        ("run_not_reached", "Hosts that the last run did not reach.", [(run, report.run.not_reached)]),
    ]  # fmt: skip
    lines: list[str] = []
    for name, about, series in families:
        samples = {_labels(labels): value for labels, value in series}
        if samples:
            lines += [f"# HELP {PREFIX}_{name} {about}", f"# TYPE {PREFIX}_{name} gauge"]
            lines += [f"{PREFIX}_{name}{labels} {value:.15g}" for labels, value in samples.items()]
    return "\n".join([*lines, ""])


# Metric by the field of a cell's arrivals.
ARRIVED = {
    "flows": ("flows", "Flows that verify looks at."),
    "arrived": ("flows_arrived", "Flows of which a record was seen."),
    "connected": ("flows_connected", "Flows that the vendor calls connected, and of which no record can be seen."),
    "newest": ("newest_record_timestamp_seconds", "Time of the newest record."),
    "lag_seconds": (
        "record_lag_seconds",
        "From a record's own time to its arrival, of the latest flow.",
    ),
    "records_last_day": ("records_last_day", "Records of the last 24 hours."),
    "records_usual": ("records_usual_day", "The most records of the same day, one and two weeks before."),
}


def _arrivals(cells: list[tuple[str, Standing]]) -> Iterator[tuple[str, str, list[tuple[dict[str, str], float]]]]:
    """The families of what has arrived; what nobody knows has no series."""
    for field, (name, about) in ARRIVED.items():
        series = [
            ({"tenant": slug, "capability": cell.capability}, value)
            for slug, cell in cells
            if (value := _number(cell.arrivals.get(field))) is not None
        ]
        yield name, about, series


def _number(value: Any) -> float | None:
    return moment(value) if isinstance(value, str) else value


def _grouped(scopes: Iterable[Scope]) -> Iterable[tuple[tuple[str, str], list[Scope]]]:
    found: dict[tuple[str, str], list[Scope]] = {}
    for line in scopes:
        found.setdefault((line.tenant, line.source), []).append(line)
    return found.items()


def _labels(labels: dict[str, str]) -> str:
    escaped = {
        name: value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"') for name, value in labels.items()
    }
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped.items()) + "}"
