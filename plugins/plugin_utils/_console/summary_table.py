# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text that ends a run: the table, why it is not all well, and what the exit code means. Pure."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from ansible_collections.mssp.onboarding.plugins.module_utils._core.coverage import COVERED
from ansible_collections.mssp.onboarding.plugins.module_utils._core.coverage import STATES as STATES_OF_PARTS
from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import arrived
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import (
    CORRECTED,
    COUNTS,
    DRIFTED,
    FAILED,
    IN_SYNC,
    PENDING,
    SKIPPED,
    STATUSES,
    UNKNOWN,
    UNREACHABLE,
    WAITING,
    WELL,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.coverage import Share, share, summed, widest
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.history import Left
from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.states import gone_step
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.grouping import Cause, causes
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.outcomes import Row, slowest, totals

ROWS_LISTED = 30
CAUSES_LISTED = 5
SLOWEST_FROM = 5  # tenants; with fewer the table is short enough to see
MAX_WIDTH = 120
MIN_NAME = 12
GOOD, NOTICE, BAD = "ok", "changed", "failed"  # tones, by Ansible's words for its colours
TONES = {
    **dict.fromkeys((SKIPPED, IN_SYNC), GOOD),
    **dict.fromkeys((CORRECTED, PENDING, WAITING, DRIFTED), NOTICE),
    **dict.fromkeys((UNKNOWN, FAILED, UNREACHABLE), BAD),
}
DRIFT_FOUND = "Drift found"
FOUND_BY = {
    **dict.fromkeys(("bootstrap", "onboard"), "Made or changed, or to be"),
    "offboard": "Taken away, or to be",
}
SEEN = ("arrived", "connected", "quiet")
TARGETS_NAMED = 5
HOSTS_NAMED = 20
# Columns that are left out where they have no room or nothing was counted.
RARE = (SKIPPED, PENDING, WAITING)
# What a run did not reach: capabilities by host.
Missed = Mapping[str, Sequence[str]]
NOTHING: Missed = MappingProxyType({})
# What has left the tenant files, by host; None where nobody knows.
Gone = Mapping[str, Left] | None
NONE: Gone = MappingProxyType({})
UNREAD = "what has gone from the tenant files is not known: the history cannot be read."


class Line(NamedTuple):
    """One line of text and its tone: "", GOOD, NOTICE or BAD."""

    text: str
    tone: str = ""


def duration(seconds: float) -> str:
    """«8 s», «4 min», «2 h 05 min»."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02} min"


def plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def shorten(text: str, width: int) -> str:
    """The middle of a name says least."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 3
    return text[: width - 1 - tail] + "…" + text[len(text) - tail :]


def closing(
    rows: Sequence[Row],
    width: int,
    *,
    seconds: float,
    missed: Missed = NOTHING,
    left: Gone = NONE,
    command: str = "ansible-playbook",
) -> list[Line]:
    """Everything but the exit line; [] when there is nothing to tell. command: how playbooks are run here."""
    if not rows:
        return []
    width = min(width, MAX_WIDTH)
    whole = totals(rows)
    head = [plural(whole["tenants"], "tenant"), plural(whole["counts"]["targets"], "target"), duration(seconds)]
    if whole["throttled_seconds"] >= 1:
        head.append(f"held up by rate limits for {duration(whole['throttled_seconds'])} in sum")
    lines = [Line(", ".join(head))]
    if all(row.check for row in rows):
        lines.append(Line("Check mode: nothing was written; what is called corrected would have been."))
    elif foretold := sorted({row.step for row in rows if row.check and row.counts[CORRECTED]}):
        lines.append(Line(f"Check mode in {', '.join(foretold)}: what is called corrected there would have been."))
    lines += table(rows, width)
    lines += _arrived(rows, width)
    lines += _missed(rows, missed, width)
    lines += _gone(left, width)
    lines += _covered(rows, width)
    if whole["drift"]:
        kinds = ", ".join(f"{name} {number:,}" for name, number in whole["drift"].items())
        lines += [Line(""), *_wrapped(f"{_found(rows)}: {kinds}", width, indent=2)]
    lines += _left(rows, width, command)
    lines += _why(causes(rows), width)
    if whole["tenants"] >= SLOWEST_FROM:
        lines += [Line(""), *_slowest(rows, width)]
    return lines


def _found(rows: Sequence[Row]) -> str:
    """What the classes of drift are called by the verb that met them."""
    verbs = {row.verb for row in rows if row.drift}
    return FOUND_BY.get(verbs.pop(), DRIFT_FOUND) if len(verbs) == 1 else DRIFT_FOUND


def _left(rows: Sequence[Row], width: int, command: str) -> list[Line]:
    """Drift that stays: some of its targets, and the command that corrects it there."""
    drifted = [row for row in rows if row.outcome == DRIFTED or (row.check and row.counts[CORRECTED])]
    changes = [f"{row.tenant}: {change}" for row in drifted for change in row.changes]
    if not changes:
        return []
    lines = [line for change in changes[:TARGETS_NAMED] for line in _wrapped(f"  {change}", width, indent=4, most=2)]
    more = sum(sum(row.drift.values()) for row in drifted) - TARGETS_NAMED
    lines += [Line(f"  and {more:,} more")] if more > 0 else []
    hosts = list(dict.fromkeys(row.tenant for row in drifted if row.changes))
    step = f"  → {correct_command(command, hosts)}"
    return [*lines, *_wrapped(step, width, indent=4, whole=True)]


def correct_command(command: str, hosts: Sequence[str]) -> str:
    """What to paste to have drift corrected there."""
    limit = f" -l {','.join(hosts)}" if len(hosts) <= HOSTS_NAMED else ""
    return f"{command} mssp.onboarding.drift{limit} -e drift_correct=true"


def table(rows: Sequence[Row], width: int) -> list[Line]:
    """One table per step; with many tenants only those that need attention by name."""
    steps: dict[str, list[Row]] = {}
    for row in rows:
        steps.setdefault(row.step.partition("[")[0] if row.capability else "", []).append(row)
    if len(steps) == 2 and "" in steps:  # tenants that did not get as far belong to the one step there is
        strays = steps.pop("")
        next(iter(steps.values()))[:0] = strays
    lines: list[Line] = []
    for step, members in sorted(steps.items()):
        capability = next((row.capability for row in members if row.capability not in ("", step)), "")
        title = f"{capability} ({step})" if capability else step or "Failed before any task of ours"
        lines += [Line(""), Line(title), *_section(members, width)]
    return lines


def _arrived(rows: Sequence[Row], width: int) -> list[Line]:
    """What verify saw arrive, that of which least has first; nothing where no row tells of it."""
    told = [row for row in rows if row.arrivals.get("flows")]
    if not told:
        return []
    told.sort(key=lambda row: sum(row.arrivals.get(name, 0) for name in SEEN) / row.arrivals["flows"])
    lines = [Line(""), Line("What has arrived")]
    for row in told[:ROWS_LISTED]:
        text = f"{row.tenant}: {row.capability}: {arrived(row.arrivals)}"
        lines += _wrapped(text, width, indent=2, whole=True)
    more = len(told) - ROWS_LISTED
    return [*lines, Line(f"and {more:,} more")] if more > 0 else lines


def _section(rows: list[Row], width: int) -> list[Line]:
    listed, folded = rows, []
    if len(rows) > ROWS_LISTED:
        attention = [row for row in rows if row.outcome not in WELL]
        listed = attention[:ROWS_LISTED]
        folded = [row for row in rows if row.outcome in WELL] + attention[ROWS_LISTED:]
    whole = totals(rows)
    total_name = plural(whole["tenants"], "tenant")
    numbers = {name: f"{whole['counts'][name]:,}" for name in COUNTS}
    sizes = {name: max(len(name), len(numbers[name])) for name in COUNTS}
    outcome = max([len("outcome"), *(len(row.outcome) for row in listed)])
    names = max([MIN_NAME, len(total_name), *(len(row.tenant) for row in listed)])
    columns = list(COUNTS)

    def room() -> int:
        return width - outcome - 2 - sum(sizes[name] + 2 for name in columns)

    for name in RARE:
        if not whole["counts"][name] or names > room():
            columns.remove(name)
    for name in STATUSES:  # then those of nothing but zeros
        if name in columns and not whole["counts"][name] and room() < max(MIN_NAME, len(total_name)):
            columns.remove(name)
    names = min(names, max(MIN_NAME, room()))

    def line(name: str, word: str, cells: dict[str, str], tone: str = "") -> Line:
        text = f"{shorten(name, names):{names}}  {word:{outcome}}"
        return Line((text + "".join(f"  {cells[c]:>{sizes[c]}}" for c in columns)).rstrip(), tone)

    lines = [line("tenant", "outcome", {name: name for name in columns})]
    lines += [line(row.tenant, row.outcome, _cells(row), TONES[row.outcome]) for row in listed]
    lines += _folded(folded)
    if len(rows) > 1:
        lines.append(line(total_name, "", numbers))
    return lines


def _cells(row: Row) -> dict[str, str]:
    """A tenant of which nothing was counted has no zeros that look like good news."""
    counted = any(row.counts.values()) or row.outcome not in (UNKNOWN, FAILED, UNREACHABLE)
    return {name: f"{row.counts[name]:,}" if counted else "-" for name in COUNTS}


def _folded(rows: list[Row]) -> list[Line]:
    clean = [row for row in rows if row.outcome in WELL]
    rest = Counter(row.outcome for row in rows if row.outcome not in WELL)
    lines = []
    if clean:
        corrected = sum(row.outcome == CORRECTED for row in clean)
        note = f" ({corrected:,} of them corrected)" if corrected else ""
        lines.append(Line(plural(len(clean), "tenant") + " in sync" + note, GOOD))
    if rest:
        kinds = ", ".join(f"{number:,} {outcome}" for outcome, number in rest.most_common())
        lines.append(Line(f"{plural(rest.total(), 'more tenant')} not in sync: {kinds}", BAD))
    return lines


def _missed(rows: Sequence[Row], missed: Missed, width: int) -> list[Line]:
    """Hosts of which there is no result, by number; what was left out of the others, by name."""
    begun = {row.tenant for row in rows}
    by_names: dict[str, list[str]] = {}
    for host, names in missed.items():
        if host in begun:
            by_names.setdefault(", ".join(names), []).append(host)
    lines = []
    if untouched := sorted(missed.keys() - begun):
        names = ", ".join(untouched[:TARGETS_NAMED]) + (", …" if len(untouched) > TARGETS_NAMED else "")
        told = f"{plural(len(untouched), 'more tenant')} not reached: nothing was done there ({names})"
        lines += [Line(line.text, BAD) for line in _wrapped(told, width, indent=2)]
    for names, hosts in sorted(by_names.items()):
        where = ", ".join(hosts) if len(hosts) <= 3 else plural(len(hosts), "tenant")
        lines += [Line(line.text, BAD) for line in _wrapped(f"Not reached at {where}: {names}", width, indent=2)]
    return lines


def _why(found: list[Cause], width: int) -> list[Line]:
    if not found:
        return []
    lines = [Line(""), Line("Why")]
    for cause in found[:CAUSES_LISTED]:
        status = f"{cause.status} " if cause.status and str(cause.status) not in cause.code else ""
        where = ", ".join(cause.tenants) if len(cause.tenants) <= 3 else plural(len(cause.tenants), "tenant")
        times = f" ({cause.count:,}×)" if cause.count > len(cause.tenants) else ""
        lines += [Line(line.text, BAD) for line in _wrapped(f"  {where}: {status}{cause.code}{times}", width, 4)]
        lines += _without_middle(cause.message, width, indent=4, most=3)
        if cause.next_step:
            lines += _wrapped(f"    → {cause.next_step}", width, indent=6, whole=True)
    if len(found) > CAUSES_LISTED:
        lines.append(Line(f"  and {plural(len(found) - CAUSES_LISTED, 'more cause')}"))
    return lines


def _gone(left: Gone, width: int) -> list[Line]:
    if left is None:
        return [Line(UNREAD[0].upper() + UNREAD[1:], BAD)]
    lines = []
    for host, one in sorted(left.items())[:HOSTS_NAMED]:
        what = f"{', '.join(one.roles)} of {host}" if one.roles else host
        lines += _wrapped(f"Gone from the tenant file, and never offboarded: {what}", width, indent=2)
        lines += _wrapped(f"  → {gone_step(one.tenant)}", width, indent=4, whole=True)
    if len(left) > HOSTS_NAMED:
        lines.append(Line(f"and {plural(len(left) - HOSTS_NAMED, 'more host')} gone from the tenant files"))
    return [line._replace(tone=BAD) for line in lines]


def _covered(rows: Sequence[Row], width: int) -> list[Line]:
    """How much of what the tenants have is covered, and what the rest is."""
    whole, states = _share(rows)
    if whole.percent is None:
        return []
    rest = ", ".join(f"{number:,} {state.replace('_', ' ')}" for state, number in states.items() if state != COVERED)
    text = f"Coverage: {whole.percent} % of {plural(whole.total, 'part')}" + (f" ({rest})" if rest else "")
    return [Line(""), *_wrapped(text, width, indent=2)]


def _share(rows: Sequence[Row]) -> tuple[Share, dict[str, int]]:
    """(how much is covered, parts by state), of each source by the step that saw most."""
    told = widest(((row.tenant, row.role or row.capability), row.coverage) for row in rows)
    states: Counter[str] = Counter()
    for coverage in told:
        states.update(coverage["states"])
    shares = [one for coverage in told if (one := share(coverage))]
    return summed(shares), {state: states[state] for state in STATES_OF_PARTS if states[state]}


def _slowest(rows: Sequence[Row], width: int) -> list[Line]:
    names = ", ".join(f"{row.tenant} {duration(row.seconds or 0)}" for row in slowest(rows, 3))
    return _wrapped(f"Slowest: {names}", width, indent=2) if names else []


def _without_middle(text: str, width: int, indent: int, most: int) -> list[Line]:
    """Lines that keep both ends of a text: a vendor names what it misses at the end of it."""
    for room in range(most * width, width, -8):
        lines = _wrapped(" " * indent + shorten(text, room), width, indent, whole=True)
        if len(lines) <= most:
            return lines
    return _wrapped(" " * indent + text, width, indent, most)  # of one long word


def _wrapped(text: str, width: int, indent: int, most: int = 4, *, whole: bool = False) -> list[Line]:
    """Lines within the width; whole: all of them, with long words as they are, for what is to be copied."""
    lines = textwrap.wrap(
        text.strip(),
        width,
        initial_indent=" " * (len(text) - len(text.lstrip())),
        subsequent_indent=" " * indent,
        max_lines=None if whole else most,
        placeholder=" …",
        break_long_words=not whole,
        break_on_hyphens=False,
    )
    return [Line(line) for line in lines]


def exit_lines(
    code: int | None, rows: Sequence[Row], width: int, missed: Missed = NOTHING, left: Gone = NONE
) -> list[Line]:
    told = meaning(code, rows, missed, left)
    return [line._replace(tone=told.tone) for line in _wrapped(told.text, min(width, MAX_WIDTH), indent=2)]


def meaning(code: int | None, rows: Sequence[Row], missed: Missed = NOTHING, left: Gone = NONE) -> Line:
    """What the exit code says; None is a run that was stopped."""
    outcomes: dict[str, int] = totals([row for row in rows if row.tenant not in missed or row.outcome not in WELL])[
        "outcomes"
    ]
    not_reached = len(missed.keys() - {row.tenant for row in rows if row.outcome not in WELL})
    bad = ", ".join(f"{number:,} {outcome}" for outcome, number in reversed(outcomes.items()) if outcome not in WELL)
    unwell = sum(number for outcome, number in outcomes.items() if outcome not in WELL) + not_reached
    everyone = sum(outcomes.values()) + not_reached
    bad += (", " if bad and not_reached else "") + (f"{not_reached:,} not reached" if not_reached else "")
    if code is None:
        done = f"{everyone - unwell:,} of {plural(everyone, 'tenant')} done and as wanted"
        return Line(f"The run was stopped before its end: {done}{'; ' if bad else ''}{bad}.", BAD)
    if not unwell and code == 0 and left is None:
        return Line(f"Exit 0, though {UNREAD}", NOTICE)
    if not unwell and code == 0 and left:
        return Line(f"Exit 0, though what has gone from the tenant files at {plural(len(left), 'host')} "
                    "was never offboarded.", NOTICE)  # fmt: skip
    if not unwell and code == 0:
        percent = _share(rows)[0].percent
        rest = "" if percent in (None, 100) else f"; {percent} % of what they have is covered"
        return Line(f"Exit 0: {plural(everyone, 'tenant')}, all well{rest}.", GOOD)
    told = f"{unwell:,} of {plural(everyone, 'tenant')} {'is' if unwell == 1 else 'are'} not well: {bad}."
    if code == 0:
        return Line(f"Exit 0, though {told}", NOTICE)
    return Line(f"Exit {code}: {told if unwell else 'a task that is not ours failed.'}", BAD)
