"""Markdown, JUnit XML and Prometheus text."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from ansible_collections.mssp.onboarding.plugins.plugin_utils._report.model import build
from ansible_collections.mssp.onboarding.plugins.plugin_utils._report.page import page
from ansible_collections.mssp.onboarding.plugins.plugin_utils._report.text import junit, markdown, prometheus
from tests.unit.plugins.plugin_utils._report.fleets import LOST, REFUSED, history, row, run, story

HOSTILE = 'a|b`c`<b>d</b> @team [x](https://e.example) ](javascript:alert) \\ # "q" \x1b[31m\u202e]]>&amp;'
HELP = re.compile(r"# HELP (\w+) \S.*")
TYPE = re.compile(r"# TYPE (\w+) gauge")
SAMPLE = re.compile(r'(\w+)\{((?:\w+="(?:[^"\\\n]|\\["\\n])*",?)+)\} (-?[\d.]+(?:e[+-]?\d+)?)')


def mixed() -> list[dict[str, Any]]:
    rows = [
        row("a", "x", "failed", REFUSED),
        row("b", "x", "drifted", drifts={"missing": 1}),
        row("c", "x", "unreachable", LOST),
        row("d", "x", "corrected"),
        row("e", "x"),
        row("f", "x", "corrected", verb="offboard"),
    ]
    fleet = {name: {"tenant": name, "roles": ["x"]} for name in "abcdefg"}
    return [run(1, row("a", "x"), fleet=fleet), run(2, *rows, fleet=fleet)]


def hostile() -> list[dict[str, Any]]:
    problem = REFUSED | {"code": HOSTILE, "message": HOSTILE, "next_step": HOSTILE}
    credentials = [{"name": HOSTILE, "expires": "2026-11-02T00:00:00Z"}]
    return [run(1, row(HOSTILE, HOSTILE, "failed", problem, credentials=credentials), playbook=HOSTILE)]


def test_junit_counts_and_kinds() -> None:
    runs = mixed()
    root = ElementTree.fromstring(junit(build(history(*runs), runs[-1])))
    (suite,) = root
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "7",
        "failures": "2",
        "errors": "1",
        "skipped": "2",
    }
    assert root.get("tests") == "7"
    kinds = {case.get("name"): [child.tag for child in case] for case in suite}
    assert kinds == {
        "a": ["failure"],
        "b": ["failure"],
        "c": ["error"],
        "d": [],
        "e": [],
        "f": ["skipped"],
        "g": ["skipped"],
    }
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("type") == "failed"
    assert REFUSED["next_step"] in str(failure.text)


def test_what_waits_for_the_customer_is_told_with_the_next_step_of_its_own() -> None:
    consent = {"code": "consent missing", "message": "Log.Read", "next_step": "hand over access.html", "status": None}
    told = run(1, row("a", "tenant_access", "waiting", consent | {"count": 1}))
    report = build(history(told), told)
    failure = ElementTree.fromstring(junit(report)).find("testsuite/testcase/failure")
    assert failure is not None
    assert (failure.get("type"), "hand over access.html" in str(failure.text)) == ("waiting", True)
    assert 'mssp_onboarding_state{tenant="a",capability="tenant_access",state="waiting"} 1' in prometheus(report)
    assert "hand over access.html" in markdown(report)
    assert "correct it with" not in markdown(report)


def test_junit_holds_hostile_text_as_text() -> None:
    runs = hostile()
    root = ElementTree.fromstring(junit(build(history(*runs), runs[-1])))
    assert len(root.findall("testsuite/testcase/failure")) == 1


def test_prometheus_lines_are_as_the_format_wants_them() -> None:
    for runs in (mixed(), hostile(), story(80)):
        text = prometheus(build(history(*runs), runs[-1]))
        assert text.endswith("\n")
        family, seen = "", set()
        for line in text.splitlines():
            if found := HELP.fullmatch(line):
                family = found[1]
                assert family not in seen
                seen.add(family)
            elif found := TYPE.fullmatch(line):
                assert found[1] == family
            else:
                sample = SAMPLE.fullmatch(line)
                assert sample, line
                assert sample[1] == family
        samples = [line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")]
        assert len(samples) == len(set(samples))


def test_prometheus_says_what_stands() -> None:
    runs = mixed()
    text = prometheus(build(history(*runs), runs[-1]))
    assert 'mssp_onboarding_state{tenant="a",capability="x",state="failed"} 1\n' in text
    assert 'mssp_onboarding_state{tenant="g",capability="x",state="never_run"} 1\n' in text
    assert text.count('mssp_onboarding_state{tenant="a"') == 1
    assert 'mssp_onboarding_tenants{state="drifted"} 1\n' in text
    assert 'mssp_onboarding_state_since_timestamp_seconds{tenant="g"' not in text


def test_what_has_arrived_is_in_every_form() -> None:
    """Of all collectors of a tenant together; what nobody knows has no series."""
    told = {"flows": 2, "arrived": 1, "newest": "2026-11-21T10:00:00Z", "records_last_day": 7}
    later = {"flows": 1, "arrived": 1, "newest": "2026-11-21T11:00:00Z", "records_last_day": 3, "lag_seconds": 9}
    rows = [row("a", "x", arrivals=told), row("a-col", "x", arrivals=later), row("b", "x")]
    fleet = {name: {"tenant": name[0], "roles": ["x"]} for name in ("a", "a-col", "b")}
    runs = [run(1, *rows, fleet=fleet)]
    report = build(history(*runs), runs[-1])
    text = prometheus(report)
    for name, value in (("flows", 3), ("flows_arrived", 2), ("records_last_day", 10), ("record_lag_seconds", 9),
                        ("newest_record_timestamp_seconds", 1795258800)):  # fmt: skip
        assert f'mssp_onboarding_{name}{{tenant="a",capability="x"}} {value}\n' in text
    assert "records_usual_day" not in text
    assert 'mssp_onboarding_flows{tenant="b"' not in text
    assert "a: x: 2 of 3 flows, newest record 2026" in markdown(report).replace("\\", "")
    bold = row("a", "x", arrivals=told | {"newest": "<b>never</b>"})
    hostile_run = [run(1, bold, fleet=fleet)]
    assert "<b>never" not in page(build(history(*hostile_run), hostile_run[-1]))
    again = [*runs, run(30, row("b", "x"), fleet=fleet)]
    for made in (runs, again):
        text = markdown(build(history(*made), made[-1])).replace("\\", "")
        assert "seen 2026-11-01 06:59" in text, "«the last day» is that of the verification, not of the report"
    assert "2 of 3 flows, newest record" in page(build(history(*runs), runs[-1], only="a"))
    fleet_page = page(report)
    assert "What has arrived, by tenant" in fleet_page
    assert fleet_page.count("2 of 3 flows, newest record") == 2, "of the tenant, and of its capability"
    assert "What has arrived" not in page(build(history(*runs), runs[-1], only="b"))


def test_markdown_names_what_is_wrong_with_its_next_step() -> None:
    runs = mixed()
    lines = markdown(build(history(*runs), runs[-1])).splitlines()
    assert lines[0] == "## 4 of 7 tenants are not in sync."
    rows = [line.split(" | ")[:3] for line in lines if line.startswith("| ")][1:]
    assert [(cells[0].strip("| "), cells[2]) for cells in rows] == [
        ("a", "✕ failed"),
        ("c", "? unknown"),
        ("b", "≠ drifted"),
        ("g", "– never run"),
    ]
    assert any(REFUSED["next_step"] in line for line in lines)


def test_markdown_is_bounded() -> None:
    runs = story(1000, runs=3, ill=4)
    assert len(markdown(build(history(*runs), runs[-1]))) < 60_000


def test_markdown_holds_no_markup_of_others() -> None:
    runs = hostile()
    text = markdown(build(history(*runs), runs[-1]))
    bare = re.sub(r"\\.", "", text)
    assert "https://" not in text
    assert "@team" not in text
    assert "<b>" not in text
    assert "](" not in bare
    assert "`" not in bare
    assert "\x1b" not in text
    (line,) = [line for line in text.splitlines() if "✕ failed" in line and line.startswith("|")]
    assert len(re.findall(r"(?<!\\)\|", line)) == 6


def test_what_was_corrected_is_told_with_target_sides_time_and_at_whose_word() -> None:
    line = "update /subscriptions/1/vaults/kv: sink_changed (workspace one → workspace two)"
    done = run(2, row("a", "x", "corrected", changes=[line], corrected=1), by="kim")
    later = run(3, row("a", "x"), row("b", "x"), by="lee")
    made = history(done, later)
    report = build(made, later)
    (told,) = report.corrections
    assert (told.tenant, told.who, told.verb, told.changes, told.number) == ("a", "kim", "drift", (line,), 1)
    assert build(made, later, "a").corrections == [told]
    assert build(made, later, "b").corrections == []
    for form in (page(report), page(build(made, later, "a")), markdown(report).replace("\\", "")):
        assert "vaults/kv: sink_changed (workspace one → workspace two)" in form
    assert "kim" in page(report)
    assert "kim" not in page(build(made, later, "a"))


def test_each_correction_is_kept_and_a_drift_ends_in_a_command() -> None:
    runs = [run(number, row("a", "x", "corrected", changes=[f"update {number}: x"])) for number in (1, 2)]
    runs.append(run(3, row("a", "x", "drifted", drifts={"missing": 1}), command="ansible-playbook -i prod"))
    report = build(history(*runs), runs[-1])
    assert [done.changes for done in report.corrections] == [("update 2: x",), ("update 1: x",)]
    command = "ansible-playbook -i prod mssp.onboarding.drift -l a -e drift_correct=true"
    assert [cause.next_step for _capability, cause in report.reasons] == [command]


def test_junit_is_red_for_what_the_run_did_not_look_at() -> None:
    runs = [run(1, row("a", "x")), run(2, not_reached=["a"], complete=False)]
    root = ElementTree.fromstring(junit(build(history(*runs), runs[-1])))
    assert root.get("errors") == "2"
    assert [case.get("name") for case in root.iter("testcase") if case.find("error") is not None] == ["a", "run-0002"]
