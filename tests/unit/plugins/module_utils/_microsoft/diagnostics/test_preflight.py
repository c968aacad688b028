# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a preflight out of its findings."""

from __future__ import annotations

from ansible_collections.mssp.onboarding.plugins.module_utils._core.findings import Finding, result
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm.permissions import lacking
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import preflight
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics.preflight import Access

GOOD = Finding("sign_in", "t", "ok", "the token is one of this tenant")
BAD = Finding("write_settings", "s", "missing", "lacks x", "customer's administrator", "grant it")
DARK = Finding("use_destination", "w", "unknown", "HTTP500: oops", "MSSP's administrator", "run again")


def test_all_is_well() -> None:
    found = result(Access.name, [GOOD, GOOD])
    assert found["msg"] == "Ready: all 2 checks are ok."
    assert (found["summary"]["outcome"], found["problems"], found["changed"]) == ("in_sync", [], False)


def test_each_finding_that_is_not_ok_is_a_line_and_a_problem() -> None:
    found = result(Access.name, [GOOD, BAD, DARK])
    assert found["msg"].splitlines() == [
        "write_settings s: lacks x. customer's administrator: grant it",
        "use_destination w: HTTP500: oops. MSSP's administrator: run again",
    ]
    assert [problem["code"] for problem in found["problems"]] == ["missing", "unknown"]
    assert found["problems"][0]["next_step"] == "customer's administrator: grant it"


def test_unknown_is_counted_as_such() -> None:
    found = result(Access.name, [GOOD, BAD, DARK])
    counts = found["summary"]["counts"]
    assert (counts["targets"], counts["in_sync"], counts["failed"], counts["unknown"]) == (3, 1, 1, 1)
    assert result(Access.name, [GOOD, DARK])["summary"]["outcome"] == "unknown", "what is not known is not ready"


def test_all_findings_are_told() -> None:
    assert [one["status"] for one in result(Access.name, [GOOD, BAD])["findings"]] == ["ok", "missing"]


def test_monitoring_contributor_is_enough_for_a_subscription() -> None:
    role = [{"actions": ["*/read", "Microsoft.Insights/DiagnosticSettings/*"]}]
    assert lacking(role, preflight.SUBSCRIPTION_ACTIONS) == []


def test_monitoring_reader_is_not() -> None:
    assert lacking([{"actions": ["*/read"]}], preflight.SUBSCRIPTION_ACTIONS) == [
        "Microsoft.Insights/diagnosticSettings/write", "Microsoft.Insights/diagnosticSettings/delete",
    ]  # fmt: skip


def test_every_destination_has_its_role() -> None:
    assert set(preflight.SINK_ACTIONS) == set(preflight.SINK_ROLES)
