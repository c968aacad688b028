"""The numbers of the live line."""

from __future__ import annotations

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.progress import Progress
from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.progress_line import Live, line

COUNTS = {"targets": 100, "in_sync": 60, "corrected": 30, "drifted": 0, "failed": 6, "unknown": 4, "skipped": 0}


@pytest.fixture
def live() -> Live:
    return Live("azure_diagnostic_settings", 1000, now=0)


def heard(tenant: str = "contoso", **counts: float) -> Progress:
    return Progress(tenant, "azure_diagnostics", **counts)  # type: ignore[arg-type]


def test_at_first_only_what_is_known(live: Live) -> None:
    expected = "azure_diagnostic_settings · 0/1,000 tenants · 0 resources · 0 corrected · 0 failed"
    assert line(live, 0) == expected


def test_all_of_it(live: Live) -> None:
    for number in range(250):
        live.ended(f"tenant-{number}", COUNTS, 0.5)
    live.heard(heard(total=400, done=200, planned=10, changed=5, failed=1, throttled_seconds=3.2))
    assert line(live, 60) == (
        "azure_diagnostics · 250/1,000 tenants · 25,200 resources · 7,505 corrected · 2,501 failed"
        " · ~3 min left · 420/s · 128 s throttled"
    )


def test_a_narrow_terminal_loses_the_least_first(live: Live) -> None:
    live.ended("contoso", COUNTS, 99)
    assert line(live, 60, 79) == "azure_diagnostic_settings · 1/1,000 tenants · 100 resources · 30 corrected"
    assert line(live, 60, 30) == "azure_diagnostic_settings"
    assert line(live, 60, 5) == "azure"


def test_the_result_replaces_what_was_heard_and_late_lines_change_nothing(live: Live) -> None:
    live.heard(heard(done=999, throttled_seconds=7))
    live.ended("contoso", COUNTS, 0)
    live.heard(heard(done=999))
    assert "100 resources · 30 corrected · 10 failed" in line(live, 10)
    assert "7 s throttled" in line(live, 10)


def test_a_tenant_without_numbers_is_done_all_the_same(live: Live) -> None:
    live.ended("contoso", None, 0)
    assert "1/1,000 tenants · 0 resources" in line(live, 1)


def test_a_rescued_tenant_is_not_done_after_all(live: Live) -> None:
    live.ended("contoso", None, 0)
    live.begun("contoso")
    assert "0/1,000 tenants" in line(live, 1)


def test_the_time_left_counts_tenants_in_the_middle_of_their_work() -> None:
    live = Live("x", 2, now=0)
    live.heard(heard(total=100, done=50))
    assert "left" not in line(live, 4)  # too early to say
    assert "~30 s left" in line(live, 10)
    live.heard(heard(total=100, done=100, planned=100, changed=50))
    assert "~17 s left" in line(live, 10)
    live.ended("contoso", COUNTS, 0)
    live.ended("fabrikam", COUNTS, 0)
    assert "left" not in line(live, 20)


def test_more_than_all_is_all() -> None:
    live = Live("x", 1, now=0)
    live.heard(heard(total=10, done=25))
    assert "left" not in line(live, 10)
    live.ended("contoso", COUNTS, 0)
    live.ended("fabrikam", COUNTS, 0)
    assert "2/2 tenants" in line(live, 10)


def test_the_rate_is_that_of_the_last_half_minute(live: Live) -> None:
    for second in range(100):
        live.heard(heard(done=min(second, 50) * 100))
        text = line(live, second)
    assert "/s" not in text
    live.heard(heard(done=5003))
    assert "0.1/s" in line(live, 100)
