# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pacing by Azure's published buckets: as fast as they allow, and not into 429s."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm.client import LIMITS
from lab.client import LabClient
from lab.scenarios.sizes import BENCH
from lab.testing import running_lab

from .engines import PRODUCTION, Tenant, counts, log, statuses

LARGE = f"{BENCH[:-1]}1"


@pytest.fixture(scope="module")
def skewed() -> Iterator[LabClient]:
    with running_lab("skewed:310+20x4") as lab:
        yield lab


def test_a_skewed_tenant_is_done_at_the_buckets_pace_without_refusals(skewed: LabClient) -> None:
    started = time.monotonic()
    result = Tenant(skewed, BENCH).run(check=True)
    seconds = time.monotonic() - started
    assert result["summary"]["counts"]["targets"] == 411
    assert statuses(skewed).get(429, 0) <= 2, "the bucket is kept, not run into"
    assert result["summary"]["throttled_answers"] <= 2
    capacity, refill = LIMITS["reads"]
    reads = sum(LARGE in line["path"] for line in log(skewed))
    floor = (reads - capacity) / refill
    assert floor > 1.5
    assert floor * 0.9 <= seconds <= floor + 6, f"{seconds:.1f} s where the bucket asks for {floor:.1f} s"
    slower_than_the_bucket = seconds > floor + 1  # a machine that is busy with other things: then nothing waits
    assert slower_than_the_bucket or result["summary"]["throttled_seconds"] > 0
    lists = log(skewed, "settings.list")
    small = max(line["at"] for line in lists if LARGE not in line["path"])
    large = max(line["at"] for line in lists if LARGE in line["path"])
    assert large - small > 1.0, "the small subscriptions are not to wait for the large one"


def test_a_spread_tenant_never_waits(contoso: Tenant) -> None:
    result = contoso.run()
    assert counts(result)["corrected"] > 70
    assert result["summary"]["throttled_seconds"] == 0
    assert statuses(contoso.lab).get(429, 0) == 0


def test_a_bucket_that_another_client_has_emptied_is_believed(contoso: Tenant) -> None:
    """The first answers say that nothing remains; from then on requests go at the refill's pace."""
    contoso.given |= {"subscriptions": ["contoso-production"], "concurrency": 4}
    contoso.run(check=True)
    contoso.lab.configure(drain=[PRODUCTION, "reads"])
    contoso.lab.reset_requests()
    result = contoso.run(check=True)
    refused = statuses(contoso.lab).get(429, 0)
    assert refused <= 8, f"{refused} requests ran into the empty bucket"
    assert refused == result["summary"]["throttled_answers"]
    assert not set(counts(result)) - {"drifted", "in_sync", "skipped"}, "what was throttled is done in the end"
    assert result["summary"]["throttled_seconds"] > 0


def test_no_more_requests_in_flight_than_allowed(contoso: Tenant) -> None:
    contoso.lab.configure(latency=0.02)
    contoso.run(families=["storage"], concurrency=3)
    assert contoso.lab.requests()["max_in_flight"] <= 3 + 1, "the first write may sign in beside the reads"
