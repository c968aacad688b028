# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a run over parts: its words, counts, problems and diff; and the options that are checked by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError, RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.redaction import Redactor
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.graph import options, record
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.graph.record import Part

OK = Part("a", before=1)
MADE = Part("b", "corrected", ("missing",), "create", after=2, written=True)
DUE = Part("c", "drifted", ("changed",), "update", before=1, after=2)
ADD = Part("d", "drifted", ("missing",), "create", after=2)
WAIT = Part("e", "blocked", ("missing",), "", "not granted", "open the link")
OURS = Part("o", "blocked", ("not_offered",), "", "no such name", "correct the name")
BAD = Part("f", "failed", ("missing",), "create", after=1, error=RefusedError("do f", "no", code="No", status=403))
OLD = Part("g", "in_sync", ("retired",), "", "it is retired", "ask for another")


def result(*parts: Part, check: bool = False, diff: bool = False) -> dict[str, Any]:
    return record.result("entra_application", parts, check=check, diff=diff, subject="App X")


@pytest.mark.parametrize(
    ("parts", "word"),
    [
        ([OK], "in_sync"),
        ([OK, MADE], "corrected"),
        ([OK, DUE], "drifted"),
        ([OK, WAIT], "waiting"),
        ([WAIT, DUE], "drifted"),
        ([WAIT, OURS], "drifted"),
        ([MADE, WAIT], "waiting"),
        ([OK, BAD], "failed"),
        ([BAD], "failed"),
        ([OLD], "in_sync"),
        ([], "in_sync"),
    ],
)
def test_one_word_for_it_all(parts: list[Part], word: str) -> None:
    assert result(*parts)["summary"]["outcome"] == word


def test_a_change_is_one_that_was_made_or_is_due_in_check_mode() -> None:
    assert result(MADE)["changed"]
    assert result(DUE, check=True)["changed"]
    assert result(MADE._replace(status="unknown", error=BAD.error))["changed"], "it was written, whatever came then"
    assert not result(DUE, WAIT, BAD)["changed"]
    assert not result(OK, WAIT, check=True)["changed"]


def test_only_failures_and_unknowns_fail() -> None:
    assert result(BAD)["failed"]
    assert result(OK._replace(status="unknown", error=BAD.error))["failed"]
    assert not result(WAIT, DUE, OLD)["failed"]


@pytest.mark.parametrize(
    ("parts", "correctable"),
    [
        ([ADD, ADD._replace(name="x")], {"safe": 2, "all": 2}),
        ([ADD, DUE], {"safe": 0, "all": 2}),
        ([WAIT, OK], {"safe": 0, "all": 0}),
    ],
)
def test_level_safe_adds_all_or_nothing(parts: list[Part], correctable: dict[str, int]) -> None:
    assert result(*parts)["summary"]["correctable"] == correctable


def test_what_is_unknown_is_a_class_of_drift() -> None:
    assert result(OK, OK._replace(status="unknown", error=BAD.error))["summary"]["drift"] == {"unknown": 1}
    assert result(OK)["summary"]["drift"] == {}


def test_problems_name_what_waits_what_failed_and_what_is_retired() -> None:
    found = {one["target"]: one for one in result(OK, MADE, WAIT, BAD, OLD)["problems"]}
    assert set(found) == {"e", "f", "g"}
    assert (found["e"]["code"], found["e"]["message"], found["e"]["next_step"]) == (
        "missing", "not granted", "open the link",
    )  # fmt: skip
    assert (found["f"]["code"], found["f"]["status"]) == ("No", 403)
    assert found["g"]["code"] == "retired"
    assert found["e"]["operation"] == "have what is wanted of e"
    assert found["g"]["operation"] == "rely on the whole of g"
    assert result(OLD._replace(drift=("unexpected", "retired")))["problems"][0]["code"] == "retired"


def test_what_waits_for_one_cause_is_one_problem() -> None:
    (problem,) = result(WAIT, WAIT._replace(name="x"))["problems"]
    assert problem["count"] == 2


def test_changes_and_diff_are_of_what_is_written() -> None:
    found = result(OK, MADE, DUE, WAIT, BAD, diff=True)
    assert [one["target"] for one in found["changes"]] == ["b", "c"]
    assert [(one["before"], one["after"]) for one in found["diff"]] == [({}, {"b": 2}), ({"c": 1}, {"c": 2})]
    assert "diff" not in result(MADE)


def test_evidence_has_a_line_for_each_part(tmp_path: Path) -> None:
    found = result(OK, WAIT, BAD)
    record.keep(found, tmp_path / "x.jsonl", [OK, WAIT, BAD], Redactor())
    assert found["evidence"] == str(tmp_path / "x.jsonl")
    lines = (tmp_path / "x.jsonl").read_text().splitlines()
    assert len(lines) == 3
    assert '"status":"waiting"' in lines[1]
    assert '"code":"No"' in lines[2]
    record.keep(found, None, [OK], Redactor())
    assert found["evidence"] == ""


# ---- options --------------------------------------------------------------------------------------------------------

HOME = "10000000-0000-4000-8000-000000000000"


def application(**given: Any) -> options.Application:
    spec = options.APPLICATION_MODULE_SPEC
    found = ArgumentSpecValidator(spec, **options.RULES).validate({"tenant_id": HOME, "access_token": "t", **given})
    assert not found.error_messages
    return options.application(found.validated_parameters)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"access_token": None, "client_secret": "s"}, "access_token is needed"),
        ({"unique_name": "a'b"}, "unique_name"),
        ({"unique_name": ""}, "unique_name"),
        ({"redirect_uris": ["http://x.example"]}, "https"),
        ({"redirect_uris": ["http://localhost.evil.example"]}, "https"),
        ({"redirect_uris": ["https:///x"]}, "https"),
        ({"secret_days": 0}, "secret_days"),
        ({"secret_days": 731}, "secret_days"),
        ({"certificate_grace_days": -1}, "certificate_grace_days"),
    ],
)
def test_wrong_options_are_said(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        application(**given)


def test_right_options_are_taken() -> None:
    found = application(redirect_uris=["http://localhost:8080/", "https://x.example"], secret_days=730)
    assert found.redirect_uris == ("http://localhost:8080/", "https://x.example")
