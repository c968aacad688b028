# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of a key: when it is rotated, and when it must not be."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import NoAnswerError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import (
    BLOCKED,
    DRIFTED,
    IN_SYNC,
    UNKNOWN,
    WAITING,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._umbrella.plan import (
    DAY,
    DEAD,
    DENIED,
    WORKS,
    WRONG_SECRET,
    Export,
    Found,
    Kept,
    Pair,
    Policy,
    plan,
)

NOW = 1_800_000_000.0
OLD, NEW = Pair("AKIAOLDOLDOLDOLD0000", "canary-old-secret"), Pair("AKIANEWNEWNEWNEW0000", "canary-new-secret")
EXPORT = Export("contoso", "cisco-managed-eu-central-1", "1234567_ab/", "eu-central-1")
FIRST = EXPORT._replace(first=OLD)


def kept(days: float = 10, **more: Any) -> Kept:
    return Kept(**{"pair": OLD, "created": NOW - days * DAY, "proven": True, **more})


def lost(pair: Pair = OLD) -> Kept:
    return kept(asked=NOW - 60, pair=pair)


@pytest.mark.parametrize(
    ("export", "found", "policy", "status", "drift", "action"),
    [
        (EXPORT, Found(), Policy(), WAITING, "first_rotation", ""),
        (EXPORT, Found(), Policy("now"), DRIFTED, "requested", "rotate"),
        (FIRST, Found(None, WORKS), Policy(), DRIFTED, "age_unknown", "rotate"),
        (FIRST, Found(None, DEAD), Policy(), DRIFTED, "age_unknown", "rotate"),
        (FIRST._replace(created=NOW - DAY), Found(None, WORKS), Policy(), DRIFTED, "not_kept", "keep"),
        (FIRST._replace(created=NOW - DAY), Found(None, DEAD), Policy(), BLOCKED, "dead", ""),
        (EXPORT, Found(kept(), WORKS), Policy(), IN_SYNC, "", ""),
        (EXPORT, Found(kept(74.9), WORKS), Policy(), IN_SYNC, "", ""),
        (EXPORT, Found(kept(75), WORKS), Policy(), DRIFTED, "due", "rotate"),
        (EXPORT, Found(kept(91), DEAD), Policy(), DRIFTED, "due", "rotate"),
        (EXPORT, Found(kept(75), WORKS), Policy("never"), BLOCKED, "due", ""),
        (EXPORT, Found(kept(created=0.0), WORKS), Policy(), DRIFTED, "age_unknown", "rotate"),
        (EXPORT, Found(kept(), WORKS), Policy("now"), DRIFTED, "requested", "rotate"),
        (EXPORT, Found(kept(), DEAD), Policy(), BLOCKED, "dead", ""),
        (EXPORT, Found(kept(), WRONG_SECRET), Policy(), BLOCKED, "wrong_secret", ""),
        (EXPORT, Found(kept(80), DENIED), Policy(), BLOCKED, "denied", ""),
        (EXPORT, Found(kept(0, proven=False), DEAD), Policy(), DRIFTED, "not_proven", "finish"),
        (EXPORT, Found(kept(0, proven=False), WORKS), Policy(), DRIFTED, "not_proven", "finish"),
        (EXPORT, Found(kept(), WORKS, behind=("file",)), Policy(), DRIFTED, "consumer", "switch"),
        # After a lost answer nothing is asked, but for the key that a person has named.
        (EXPORT, Found(lost(), WORKS), Policy(), BLOCKED, "answer_lost", ""),
        (EXPORT, Found(lost(), DEAD), Policy("now"), BLOCKED, "answer_lost", ""),
        (EXPORT, Found(lost(), DEAD), Policy(again=NEW.access_key_id), BLOCKED, "answer_lost", ""),
        (EXPORT, Found(lost(), DEAD), Policy(again=OLD.access_key_id), DRIFTED, "answer_lost", "rotate"),
        (EXPORT, Found(lost(Pair("", ""))), Policy("now"), BLOCKED, "answer_lost", ""),
        (EXPORT, Found(lost(Pair("", ""))), Policy(again="none"), DRIFTED, "answer_lost", "rotate"),
        (EXPORT, Found(), Policy(leaving=True), IN_SYNC, "", ""),
        (EXPORT, Found(kept(), WORKS), Policy(leaving=True), DRIFTED, "unexpected", "revoke"),
        # Of a pair that no file has the SIEM has the tenant file's: it is looked at, and not taken for gone.
        (FIRST, Found(None, WORKS), Policy(leaving=True), DRIFTED, "unexpected", "revoke"),
        (FIRST, Found(None, DENIED), Policy(leaving=True), DRIFTED, "unexpected", "revoke"),
        (FIRST, Found(None, DEAD), Policy(leaving=True), IN_SYNC, "", ""),
        (FIRST, Found(None, None, NoAnswerError("list", "no answer")), Policy(leaving=True), UNKNOWN, "", ""),
    ],
)  # fmt: skip
def test_each_state_has_one_answer(
    export: Export, found: Found, policy: Policy, status: str, drift: str, action: str
) -> None:
    verdict = plan(export, found, policy, NOW)
    assert (verdict.status, verdict.drift[:1], verdict.action) == (status, (drift,) if drift else (), action)
    assert bool(verdict.next_step) == (status in (BLOCKED, WAITING))
    assert "canary" not in repr(verdict)


def test_what_could_not_be_listed_is_unknown_and_nothing_is_rotated() -> None:
    verdict = plan(EXPORT, Found(kept(80), None, NoAnswerError("list", "no answer")), Policy("now"), NOW)
    assert (verdict.status, verdict.action) == (UNKNOWN, "")


@pytest.mark.parametrize(
    ("listing", "words"),
    [(WORKS, "still works"), (DEAD, "works no longer"), (WRONG_SECRET, "works no longer"), (None, "could not be seen")],
)
def test_a_lost_answer_says_which_key_works(listing: str | None, words: str) -> None:
    assert words in plan(EXPORT, Found(lost(), listing), Policy(), NOW).reason


def test_a_rotation_is_no_addition() -> None:
    """Level safe makes and finishes, and does not take a key away from anybody."""
    due = plan(EXPORT, Found(kept(80), WORKS), Policy(), NOW)
    assert (due.due("all"), due.due("safe")) == (True, False)
    assert plan(EXPORT, Found(kept(proven=False), WORKS), Policy(), NOW).due("safe")


def test_the_key_before_is_watched() -> None:
    verdict = plan(EXPORT, Found(kept(previous=NEW), WORKS, previous=True), Policy(), NOW)
    assert (verdict.status, "still works" in verdict.next_step) == (IN_SYNC, True)
