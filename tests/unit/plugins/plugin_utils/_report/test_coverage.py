# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section Coverage in every form of the report."""

from __future__ import annotations

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._fleet.coverage import Share
from ansible_collections.mssp.onboarding.plugins.plugin_utils._report import words
from ansible_collections.mssp.onboarding.plugins.plugin_utils._report.model import Report, build
from ansible_collections.mssp.onboarding.plugins.plugin_utils._report.page import page
from ansible_collections.mssp.onboarding.plugins.plugin_utils._report.text import markdown, prometheus
from ansible_collections.mssp.onboarding.plugins.plugin_utils._report.trend import curve
from tests.unit.plugins.plugin_utils._report.fleets import covering, history, row, run
from tests.unit.plugins.plugin_utils._report.test_page import HOSTILE, Parsed

LOGIC = ("type logic/workflows", "not_asked", "", "add it to resource_types")
PARTS = [("sub one", "covered"), LOGIC, ("sandbox", "excluded", "excluded"), ("networks", "not_supported", "no logs")]
LOST = ("sub two", "unreachable", "it was there", "give it back")
FLEET = {slug: {"tenant": slug, "name": "", "ring": "", "roles": []} for slug in ("contoso", "fabrikam")}


def report(only: str = "") -> Report:
    """Contoso loses a subscription in the second run; fabrikam has what contoso has."""
    runs = [
        run(
            number,
            row("contoso", "azure_diagnostics", coverage=covering(*PARTS, *parts)),
            row("fabrikam", "azure_diagnostics", coverage=covering(LOGIC)),
            fleet=FLEET,
        )
        for number, parts in enumerate(([("sub two", "covered")], [LOST]), 1)
    ]
    return build(history(*runs), runs[-1], only)


def test_the_share_and_its_trend() -> None:
    found = report()
    assert found.share == Share(1, 4)
    assert found.share_before == Share(2, 4)
    assert found.shares["contoso"] == Share(1, 3), "neither what was left out by choice, nor what has no logs, counts"
    assert [one.percent for one in found.covered] == [50, 25]
    assert words.moved(found.share, found.share_before) == "−25 %"


def test_what_nobody_collects_is_one_line_for_all_tenants() -> None:
    assert report().uncollected == [("azure_diagnostics", LOGIC[0], LOGIC[3], ["contoso", "fabrikam"])]


def test_the_page_of_the_fleet() -> None:
    text = " ".join(Parsed(page(report())).text.split())
    assert "25 % of 4 parts covered (−25 % over the runs shown)" in text
    for state in ("✕ unreachable", "+ not yet asked for", "– excluded by choice", "· not supported", "✓ covered"):
        assert state in text
    assert "it was there. Next step: give it back" in text
    assert "from 50 % to 25 %" in text


def test_the_page_of_one_tenant_tells_of_its_own() -> None:
    text = Parsed(page(report("contoso"))).text
    assert "sub two" in text
    assert "fabrikam" not in text
    assert "33 %" in text


def test_markdown_and_metrics() -> None:
    told = markdown(report())
    assert "### Coverage: 25 %" in told
    assert "contoso: azure\\_diagnostics: sub two: ✕ unreachable" in told
    assert "nobody collects type logic/workflows" in told
    lines = prometheus(report()).splitlines()
    key = 'tenant="contoso",source="azure_diagnostics",state="unreachable"'
    assert f"mssp_onboarding_coverage_parts{{{key}}} 1" in lines
    assert 'mssp_onboarding_coverage_ratio{tenant="contoso"} 0.333333333333333' in lines


def test_nothing_that_was_reported_can_act() -> None:
    hostile = row("contoso", "azure_diagnostics", coverage=covering((HOSTILE, "not_asked", HOSTILE, HOSTILE)))
    one = run(1, hostile, fleet=FLEET)
    parsed = Parsed(page(build(history(one), one)))
    assert not parsed.named("img")
    assert len(parsed.named("script")) == 1


def test_a_run_that_told_of_no_parts() -> None:
    one = run(1, row("contoso", "azure_diagnostics"), fleet=FLEET)
    found = build(history(one), one)
    assert "No run has told yet" in page(found)
    assert "Coverage" not in markdown(found)
    assert words.percent(found.share) == "not known"


@pytest.mark.parametrize("shares", [[], [Share(1, 2)], [Share(), Share(1, 2)]])
def test_a_curve_needs_two_runs(shares: list[Share]) -> None:
    assert curve(shares) is None
