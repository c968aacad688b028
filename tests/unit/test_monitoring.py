# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The alerts and the dashboard ask for metrics, labels and states that the report writes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml

from ansible_collections.mssp.onboarding.plugins.module_utils._core import coverage, status
from ansible_collections.mssp.onboarding.plugins.plugin_utils._report.model import build
from ansible_collections.mssp.onboarding.plugins.plugin_utils._report.text import ARRIVED, prometheus
from tests.unit.ansible_tools import ROOT
from tests.unit.plugins.plugin_utils._report.fleets import covering, history, row, run

FOLDER = ROOT / "docs/monitoring"
ASKED = re.compile(r"(mssp_onboarding_\w+)(?:\{([^}]*)\})?")
SAMPLE = re.compile(r"(mssp_onboarding_\w+)\{(.*)\} \S+")
LABEL = re.compile(r'(\w+)=~?"([^"]*)"')


@cache
def written() -> dict[str, set[str]]:
    """The labels of each metric of a report that has something to say by every one."""
    arrivals = dict.fromkeys(ARRIVED, 1) | {"newest": "2026-11-21T10:00:00Z"}
    credentials = [{"name": "app", "expires": "2026-11-25T00:00:00Z"}]
    one = row("a", "x", arrivals=arrivals, credentials=credentials, coverage=covering(("sub", "covered")))
    told = run(1, one, fleet={"a": {"tenant": "a", "roles": ["x"]}})
    samples = SAMPLE.findall(prometheus(build(history(told), told)))
    return {name: {label for label, _value in LABEL.findall(labels)} for name, labels in samples}


def rules() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"][0][
        "rules"
    ]
    return found


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))["panels"]
    return found


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    yield from (target["expr"] for panel in panels() for target in panel["targets"])


@pytest.mark.parametrize("expression", list(expressions()))
def test_what_is_asked_for_is_written(expression: str) -> None:
    asked = ASKED.findall(expression)
    assert asked
    for metric, matchers in asked:
        assert metric in written()
        states = coverage.STATES if metric.endswith("coverage_parts") else status.ORDER
        for label, wanted in LABEL.findall(matchers):
            assert label in written()[metric]
            assert label != "state" or set(wanted.split("|")) <= set(states)
    known = set.union(*(written()[metric] for metric, _matchers in asked))
    for names in re.findall(r"(?:by|on|ignoring) \(([^)]*)\)", expression):
        assert {name.strip() for name in names.split(",")} <= known


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_names_labels_that_it_has(rule: dict[str, Any]) -> None:
    first = ASKED.findall(rule["expr"])[0][0]
    assert set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])) <= written()[first]


def test_each_metric_has_a_reader() -> None:
    """What nobody reads here is a number beside another one, and named so."""
    read = {metric for expression in expressions() for metric, _matchers in ASKED.findall(expression)}
    assert set(written()) - read == {"mssp_onboarding_run_duration_seconds"}


def test_panels_do_not_lie_over_each_other() -> None:
    cells = [
        (x, y)
        for at in (panel["gridPos"] for panel in panels())
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _y in cells) < 24
