"""The policy of drift runs: what a level lets be corrected, how much a run changes, in which batches."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.policy import (
    ALL,
    LEVELS,
    NEVER,
    SAFE,
    allowed,
    changes,
    correctable,
    failed_share,
    ring_sizes,
    together,
    total,
)
from ansible_collections.mssp.onboarding.plugins.plugin_utils._capabilities import results
from lab.testing import ROOT


def result(drift: int = 0, changed: int = 0, classes: tuple[str, ...] = (), **summary: Any) -> dict[str, Any]:
    counts = {"drifted": drift, "corrected": changed}
    return {"summary": {"counts": counts, "drift": dict.fromkeys(classes, 1), **summary}}


@pytest.mark.parametrize(
    ("level", "writes"), [(NEVER, []), (SAFE, ["create"]), (ALL, ["create", "update", "delete"])], ids=LEVELS
)
def test_a_level_allows_these_writes(level: str, writes: list[str]) -> None:
    assert [kind for kind in ("create", "update", "delete") if allowed(level, kind)] == writes


@pytest.mark.parametrize(
    ("classes", "safe"),
    [(["missing"], 2), (["missing", "stopped"], 2), (["missing", "different"], 0), (["unexpected"], 0)],
)
def test_one_configuration_is_corrected_safely_where_all_of_its_drift_is_missing(classes: list[str], safe: int) -> None:
    assert together(2, classes) == {SAFE: safe, ALL: 2}


def test_writes_are_counted_by_level() -> None:
    assert correctable(["create", "update", "create", "delete"]) == {SAFE: 2, ALL: 4}
    assert correctable([]) == {SAFE: 0, ALL: 0}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (result(drift=3, correctable={SAFE: 1, ALL: 2}, classes=("missing", "conflict")), (0, 1, 2)),
        (result(), (0, 0, 0)),
        (result(changed=4, correctable={SAFE: 0, ALL: 0}), (4, 4, 4)),
        (result(drift=1, changed=4, correctable={SAFE: 1, ALL: 1}), (4, 5, 5)),
    ],
    ids=["target by target", "clean", "corrected", "some left"],
)
def test_a_result_changes_so_many_targets(found: dict[str, Any], expected: tuple[int, ...]) -> None:
    assert tuple(changes(found, level) for level in LEVELS) == expected


ODD = {
    "negative": result(drift=-1_000_000),
    "text": result(changed="x"),  # type: ignore[arg-type]
    "a number that is none": result(drift=float("nan")),  # type: ignore[arg-type]
    "true": result(drift=True),
    "huge": result(drift=10**30),
    "no drift": {"summary": {"counts": {"corrected": 1}}},
    "no counts": {"summary": {}},
    "a number for a summary": {"summary": 5},
    "a text": "summary",
    "odd correctable": result(drift=1, correctable=5),
    "negative correctable": result(drift=1, correctable={ALL: -5}),
}


@pytest.mark.parametrize("odd", ODD)
def test_a_host_whose_counts_are_none_moves_no_budget(odd: str) -> None:
    assert changes(ODD[odd], ALL) == 0
    hosts: list[Any] = [{"canary": ODD[odd]}, {"canary": result(drift=7, correctable={ALL: 7})}]
    assert total(hosts, {"role": ["canary"]}) == 7


def test_a_run_is_the_sum_of_its_hosts_and_capabilities_each_on_its_own_level() -> None:
    found = result(drift=3, correctable={SAFE: 1, ALL: 3})
    hosts = [
        {"azure_diagnostics__settings": found, "coro_connectors__connectors": result(changed=2)},
        {"azure_diagnostics__settings": found, "azure_diagnostics_correct": "safe", "coro_connectors_correct": "never"},
        {"azure_diagnostics__settings": found, "azure_diagnostics_correct": "never"},
        {"syslog_target__receiver": result(changed=5), "syslog_target_correct": "all"},
        {
            "falcon_siem_connector__package": result(drift=1, correctable=together(1, ["different"])),
            "falcon_siem_connector__connector": result(drift=2, correctable=together(2, ["different"])),
        },
        {"azure_diagnostics__settings": {"skipped": True}},
        {},
    ]
    assert total(hosts, results()) == (3 + 2) + 1 + 0 + 5 + (1 + 2)


ROLES = sorted(path.parent.parent.name for path in ROOT.glob("roles/*/tasks/drift.yml"))


@pytest.mark.parametrize("role", ROLES)
def test_the_budget_counts_every_role_that_corrects(role: str) -> None:
    """A role whose results are not counted would be corrected past the budget."""
    tasks = (ROOT / "roles" / role / "tasks/drift.yml").read_text(encoding="utf-8")
    counted = set(re.findall(rf"\b({role}__\w+)\.summary\.counts\.drift", tasks))
    assert counted == set(results()[role])


GROUPS = {"ring_canary": ["a"], "ring_early": ["b", "c", "x"], "ring_all": ["d"], "tenants": ["a", "b"]}


@pytest.mark.parametrize(
    ("hosts", "sizes"),
    [
        (["a", "b", "c", "d"], [1, 2, 1]),
        (["b", "d"], [1, 1]),
        (["d", "of no ring", "nor this"], [1, 2]),
        ([], [1]),
    ],
    ids=["all rings", "empty rings are no batch", "no ring", "no host"],
)
def test_each_ring_is_a_batch(hosts: list[str], sizes: list[int]) -> None:
    assert ring_sizes(GROUPS, hosts) == sizes


@pytest.mark.parametrize(
    ("failed", "hosts", "share"),
    [
        ([], ["a", "b"], 0),
        (["a"], ["a", "b", "c"], 50),  # one of two in its ring, though one of three in all
        (["a"], ["c"], 100),  # in another play than this
        (["c"], ["a", "b", "c"], 100),
        (["elsewhere"], ["a"], 0),
    ],
)
def test_the_share_of_failures_is_that_of_the_worst_ring(failed: list[str], hosts: list[str], share: float) -> None:
    groups = {"ring_canary": ["a", "b"], "ring_all": ["c"], "mssp_failed": failed}
    assert failed_share(groups, hosts) == share
