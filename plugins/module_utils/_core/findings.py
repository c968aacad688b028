# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a preflight: checks, and who can cure what is missing. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import status
from .errors import OnboardingError
from .result import counts, framed

# Who can cure what is missing at a vendor.
CUSTOMER, PROVIDER = "customer's administrator", "MSSP's administrator"
OK, MISSING, UNKNOWN = "ok", "missing", "unknown"
STATUS = {OK: status.IN_SYNC, MISSING: status.FAILED, UNKNOWN: status.UNKNOWN}


class Finding(NamedTuple):
    """One check. status: ok, missing or unknown; who: who can cure it, by next_step; of what is ok, that is advice."""

    check: str
    subject: str
    status: str
    detail: str = ""
    who: str = ""
    next_step: str = ""


def failed(check: str, subject: str, error: OnboardingError) -> Finding:
    """Of a check that was refused: what somebody can cure is missing, whatever else went wrong leaves it unknown."""
    status = MISSING if error.owner else UNKNOWN
    return Finding(check, subject, status, f"{error.code}: {error.message}", error.owner or PROVIDER, error.next_step)


def result(capability: str, findings: list[Finding]) -> dict[str, Any]:
    """The result of a preflight in the shape of every result; a finding that is not ok is a problem."""
    number = counts(STATUS[finding.status] for finding in findings)
    bad = [finding for finding in findings if finding.status != OK]
    lines = [
        f"{finding.check} {finding.subject}: {finding.detail}. {finding.who}: {finding.next_step}" for finding in bad
    ]
    notes = [
        f"Note: {one.detail}. {one.who}: {one.next_step}" for one in findings if one.status == OK and one.next_step
    ]
    lines = lines or [f"Ready: all {len(findings)} checks are ok."]
    return framed(
        capability,
        number,
        "\n".join([*lines, *notes]),
        problems=[_problem(finding) for finding in bad],
        outputs={"findings": [finding._asdict() for finding in findings]},
    )


def _problem(finding: Finding) -> dict[str, Any]:
    return {
        "target": finding.subject,
        "operation": finding.check,
        "status": None,
        "code": finding.status,
        "message": finding.detail,
        "next_step": f"{finding.who}: {finding.next_step}",
        "request_id": "",
        "count": 1,
    }
