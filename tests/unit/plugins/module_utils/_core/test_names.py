"""One idea of near: case does not count, a prefix may be missing, and what is too far is not named."""

from __future__ import annotations

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.names import MAX_COMPARED, meant, near, nearest

OPTIONS = ["azure_tenant_id", "azure_client_id"]


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("tenant_id", " (did you mean azure_tenant_id?)"),
        ("azure_tennant_id", " (did you mean azure_tenant_id?)"),
        ("AZURE_CLIENT_ID", " (did you mean azure_client_id?)"),
        ("x", ""),
        ("azure", ""),
    ],
)
def test_the_one_that_was_meant_is_told(word: str, hint: str) -> None:
    assert meant(word, OPTIONS) == hint


def test_the_nearest_come_first_and_each_once() -> None:
    assert near("ReadR", ["Reader", "Readers", "Owner"], 2) == ["Reader", "Readers"]


def test_how_alike_it_must_be_is_up_to_who_asks() -> None:
    assert (nearest("drift_max", ["drift_max_changes"], 0.6), nearest("drift_max", ["drift_max_changes"], 0.9)) == (
        "drift_max_changes",
        "",
    )


def test_no_more_than_so_many_are_compared() -> None:
    many = [f"a{number:05}" for number in range(MAX_COMPARED)]
    assert nearest("zebra", [*many, "zebra1"]) == ""
