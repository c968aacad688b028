# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An own bucket gets what Umbrella needs, and nothing of others changes."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import (
    BLOCKED,
    DRIFTED,
    IN_SYNC,
    UNKNOWN,
    WAITING,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._umbrella import bucket_plan as rules
from ansible_collections.mssp.onboarding.plugins.module_utils._umbrella.bucket_plan import Bucket, Reader

BUCKET = Bucket(
    "contoso-logs", "eu-central-1", "umbrella/", 30, "arn:aws:sqs:x", Reader("r", "arn:aws:iam::1:root", "e")
)
THEIRS = {"Sid": "Theirs", "Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"], "Resource": "x"}
RULE = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "z/"}, "Expiration": {"Days": 1}}
TOPIC = {"Id": "theirs", "TopicArn": "t", "Events": ["s3:ObjectCreated:*"]}
HELD: dict[str, dict[str, Any]] = {
    "policy": {"Version": "2008-10-17", "Id": "theirs", "Statement": [THEIRS]},
    "lifecycle": {"Rules": [RULE]},
    "notification": {"TopicConfigurations": [TOPIC]},
}


def of(part: str, held: Any, leaving: bool = False) -> Any:
    return rules.of_document(part, BUCKET, held, leaving=leaving)


@pytest.mark.parametrize("part", HELD)
def test_others_stay_and_ours_come_and_go(part: str) -> None:
    made = of(part, HELD[part])
    assert (made.status, made.action) == (DRIFTED, "update")
    text = str(made.after)
    assert all(
        str(one) in text for one in (THEIRS if part == "policy" else RULE if part == "lifecycle" else TOPIC).values()
    )
    assert of(part, made.after).status == IN_SYNC
    assert of(part, None).action == "create"
    if part != "lifecycle":
        gone = of(part, made.after, leaving=True)
        assert (gone.action, gone.after) == ("delete", HELD[part])
        assert of(part, HELD[part], leaving=True).status == IN_SYNC
    assert of(part, RefusedError("read", "no")).status == UNKNOWN


def test_umbrella_may_put_and_look_and_not_read() -> None:
    put, look, deny = rules.statements(BUCKET)
    assert (put["Action"], put["Resource"]) == ("s3:PutObject", "arn:aws:s3:::contoso-logs/umbrella/*")
    assert set(look["Action"]) == {"s3:GetBucketLocation", "s3:ListBucket"}
    assert (deny["Effect"], deny["Action"]) == ("Deny", "s3:GetObject")
    assert {one["Principal"]["AWS"] for one in (put, look, deny)} == {rules.UMBRELLA}


def test_our_statement_that_somebody_changed_is_put_right_in_its_place() -> None:
    good = of("policy", HELD["policy"]).after
    wider = {**good, "Statement": [THEIRS, {**good["Statement"][1], "Action": "s3:*"}, *good["Statement"][2:]]}
    found = of("policy", wider)
    assert (found.action, found.after) == ("update", good)


def test_a_role_of_others_is_not_touched() -> None:
    held = {"description": "somebody's", "trust": {}, "rights": {}}
    for leaving in (False, True):
        assert rules.of_reader(BUCKET, BUCKET.reader, held, leaving=leaving).status == BLOCKED
    made = rules.of_reader(BUCKET, BUCKET.reader, {}, leaving=False)
    assert made.action == "create"
    assert rules.of_reader(BUCKET, BUCKET.reader, made.after, leaving=False).status == IN_SYNC
    wider = {**made.after, "rights": {"Statement": []}}
    assert rules.of_reader(BUCKET, BUCKET.reader, wider, leaving=False).action == "update"
    assert rules.of_reader(BUCKET, BUCKET.reader, wider, leaving=True).action == "delete"


@pytest.mark.parametrize(
    ("readme", "words"),
    [
        (None, "press Verify"),
        ("Your token is:\n 0a1b2c3d4e5f6a7b\n", "paste the token 0a1b2c3d4e5f6a7b"),
        ("without any", "paste the token of this text: without any"),
        ("\x1b[2J evil", "?[2J evil"),
    ],
)
def test_the_token_is_told(readme: str | None, words: str) -> None:
    found = rules.of_verification(BUCKET, readme, arrives=False)
    assert (found.status, words in found.next_step) == (WAITING, True)
    assert rules.of_verification(BUCKET, readme, arrives=True).status == IN_SYNC


def test_a_bucket_of_another_account_is_blocked() -> None:
    assert rules.of_bucket(BUCKET, RefusedError("look", "Forbidden", code="403", status=403)).status == BLOCKED
    assert rules.of_bucket(BUCKET, RefusedError("look", "x", status=400)).status == UNKNOWN
    assert rules.of_bucket(BUCKET, False).action == "create"
