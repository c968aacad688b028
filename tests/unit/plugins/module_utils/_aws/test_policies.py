# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies are merged by Sid, and compared as AWS gives them back."""

from __future__ import annotations

from ansible_collections.mssp.onboarding.plugins.module_utils._aws import policies

OURS = {"Sid": "Ours", "Action": "a"}
SIDS = frozenset({"Ours", "OursToo"})


def test_ours_take_their_place_and_others_stay() -> None:
    held = {"Statement": [{"Sid": "Theirs"}, {"Sid": "Ours", "Action": "*"}, {"Effect": "Deny"}, {"Sid": "OursToo"}]}
    found = policies.merged(held, [OURS], SIDS)
    assert found["Statement"] == [{"Sid": "Theirs"}, OURS, {"Effect": "Deny"}]
    assert policies.merged({"Version": "2008-10-17", "Statement": {"Sid": "Theirs"}}, [OURS], SIDS) == {
        "Version": "2008-10-17",
        "Statement": [{"Sid": "Theirs"}, OURS],
    }


def test_a_policy_of_others_keeps_its_version_or_none() -> None:
    """Without one, variables in it are text; who leaves finds nothing to change in what is not his."""
    held = {"Statement": [{"Sid": "Theirs", "Resource": "x/${aws:username}"}]}
    assert policies.merged(held, [], SIDS) == held
    assert "Version" not in policies.merged(held, [OURS], SIDS)
    assert policies.merged({}, [OURS], SIDS)["Version"] == policies.VERSION


def test_order_and_lists_of_one_do_not_matter() -> None:
    assert policies.same({"Action": ["b", "a"], "Resource": ["x"]}, {"Resource": "x", "Action": ["a", "b"]})
    assert not policies.same({"Action": ["a"]}, {"Action": ["a", "b"]})
