"""Results of the shape that our modules return, and fleets made of them."""

from __future__ import annotations

from typing import Any

from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.outcomes import COUNTS, Outcomes

STEP = "azure_diagnostic_settings"
REFUSED = {
    "target": "/subscriptions/20000000-0000-4000-8000-000000000001/resourceGroups/rg-app/providers/x/y",
    "operation": "create the diagnostic setting of /subscriptions/20000000-0000-4000-8000-000000000001",
    "status": 403,
    "code": "AuthorizationFailed",
    "message": "The client 'a0000000-0000-4000-8000-00000000000a' does not have authorization to perform action "
    "'Microsoft.Insights/diagnosticSettings/write'.",
    "next_step": "grant Monitoring Contributor on the subscription to the app",
    "request_id": "r-1",
    "count": 8,
}


def result(outcome: str = "in_sync", *problems: dict[str, Any], **more: Any) -> dict[str, Any]:
    """C(more): counts by name, and other fields of the result or its summary by theirs."""
    counts = {name: more.pop(name, 0) for name in COUNTS}
    summary = {
        "capability": "azure_diagnostics",
        "outcome": outcome,
        "counts": counts,
        "drift": more.pop("drifts", {}),
    }
    summary |= {name: more.pop(name) for name in ("throttled_seconds", "capability", "arrivals") if name in more}
    return {
        "changed": counts["corrected"] > 0,
        "failed": False,
        "msg": "What was found.",
        "summary": summary,
        "changes": [],
        "problems": list(problems),
        "evidence": "",
        **more,
    }


def mixed() -> Outcomes:
    """Three tenants: one corrected, one failed in part, one that another task stopped."""
    outcomes = Outcomes()
    changed = result("corrected", targets=120, in_sync=100, corrected=20, drifts={"missing": 18, "sink_changed": 2})
    partial = result("failed", REFUSED, targets=80, in_sync=68, failed=8, unknown=2, skipped=2, throttled_seconds=7.4)
    outcomes.add("contoso", STEP, changed, seconds=12.5)
    outcomes.add("fabrikam", STEP, partial | {"failed": True}, failed=True, seconds=31)
    outcomes.add("tailspin", "Check the options", {"msg": "hunter2"}, failed=True, ours=False)
    return outcomes


def thousand() -> Outcomes:
    """985 tenants that are well, 11 that miss a right and 4 that cannot be reached."""
    outcomes = Outcomes()
    for number in range(1000):
        name = f"tenant-{number:04}"
        if number % 250 == 3:
            outcomes.add(name, STEP, {"msg": "timed out"}, unreachable=True, seconds=30)
        elif number % 83 == 5:
            where = f"create the diagnostic setting of /subscriptions/{number:08}-0000-4000-8000-000000000001"
            given = result("failed", REFUSED | {"operation": where}, targets=80, in_sync=72, failed=8)
            outcomes.add(name, STEP, given, seconds=number / 10)
        elif number % 7 == 0:
            outcomes.add(
                name, STEP, result("corrected", targets=1200, in_sync=1000, corrected=200), seconds=number / 20
            )
        else:
            outcomes.add(name, STEP, result("in_sync", targets=100, in_sync=100), seconds=number / 20)
    return outcomes
