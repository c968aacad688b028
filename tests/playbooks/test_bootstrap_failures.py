# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access that is half given back, or could not be looked at: the next run finishes it, and no run calls it well."""

from __future__ import annotations

import pytest

from tests.playbooks.test_bootstrap import ONBOARD, Newcomer, access, changed, northwind, rows, shared_lab

__all__ = ["northwind", "shared_lab"]
LEAVES = ("-e", "offboard_confirm=northwind")


def test_an_offboard_that_lost_its_roles_first_is_finished_by_the_next(northwind: Newcomer) -> None:
    northwind.well("bootstrap", ONBOARD, tokens=("graph", "arm"))
    northwind.lab.fault("status", method="DELETE", path="serviceprincipals", status=403, count=None)
    half = northwind("offboard", *LEAVES, tokens=("graph", "arm"))
    assert (half.code, rows(half)["entra_service_principal"]["outcome"]) == (2, "failed")
    northwind.lab.clear_faults()
    whole = northwind.well("offboard", *LEAVES, tokens=("graph", "arm"))
    assert (access(whole), changed(whole)) == ("in_sync", 1)
    assert "settings of ours may be left" in " ".join(whole.out.split())


@pytest.mark.parametrize("verb", ["bootstrap", "drift"])
def test_what_could_not_be_looked_at_is_a_failure(northwind: Newcomer, verb: str) -> None:
    northwind.well("bootstrap", tokens=("graph", "arm"))
    northwind.lab.fault("status", method="GET", path="roleassignments", status=400, count=None)
    run = northwind(verb)
    assert (run.code, access(run)) == (2, "failed")
