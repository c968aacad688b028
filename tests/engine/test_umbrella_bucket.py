# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An own bucket on moto: made, corrected, left to others where it is theirs, and read through its role."""

from __future__ import annotations

import json
from itertools import count
from typing import Any
from urllib.parse import unquote

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._umbrella import bucket, bucket_plan, options
from tests.moto import REGION, Moto, moto

from .test_umbrella import drift, outcome

NUMBERS = count()
THEIRS = {"Sid": "Theirs", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "s3:ListBucket"}
README = "Paste this token into the dashboard: 0a1b2c3d4e5f6a7b8c9d\n"


class Own:
    """A bucket and a role that no other test has."""

    def __init__(self, aws: Moto) -> None:
        self.aws = aws
        self.name, self.role = f"contoso-logs-{next(NUMBERS)}", f"reader-{next(NUMBERS)}"
        self.arn = f"arn:aws:s3:::{self.name}"
        siem = aws.iam.get_user(UserName="admin")["User"]["Arn"]
        self.reader = {"role": self.role, "principal_arn": siem, "external_id": "contoso-siem"}
        self.wanted: dict[str, Any] = {"name": self.name, "region": REGION, "reader": self.reader}

    def converge(self, check: bool = False, **given: Any) -> dict[str, Any]:
        key, secret = self.aws.keys
        identity = {"aws_access_key_id": key, "aws_secret_access_key": secret, "aws_endpoint_url": self.aws.url}
        found = ArgumentSpecValidator(options.OWN_BUCKET_SPEC, **options.RULES).validate(
            {**identity, "bucket": self.wanted, **given}
        )
        assert not found.error_messages, found.error_messages
        return execute(bucket.converge, "umbrella_bucket", found.validated_parameters, check=check, diff=True)

    def policy(self) -> list[dict[str, Any]]:
        return list(json.loads(self.aws.s3.get_bucket_policy(Bucket=self.name)["Policy"])["Statement"])

    def put_policy(self, statements: list[dict[str, Any]]) -> None:
        self.aws.s3.put_bucket_policy(Bucket=self.name, Policy=json.dumps({"Statement": statements}))


@pytest.fixture
def own() -> Own:
    return Own(moto())


def test_a_bucket_through_its_life(own: Own) -> None:
    found = own.converge(check=True)
    assert (outcome(found), own.name in str(own.aws.s3.list_buckets())) == ((True, "drifted"), False)
    found = own.converge()
    assert (outcome(found), found["summary"]["counts"]["corrected"]) == ((True, "waiting"), 5)
    assert "press Verify" in found["steps"][0]
    found = own.converge()
    assert (outcome(found), found["changed"]) == ((False, "waiting"), False)
    own.aws.s3.put_object(Bucket=own.name, Key="access-logs/of-others", Body=b"")
    assert outcome(own.converge()) == (False, "waiting"), "logs of others are no sign of Umbrella"
    own.aws.s3.delete_object(Bucket=own.name, Key="access-logs/of-others")
    # Umbrella writes its token, which becomes the one step that is left; then it writes logs.
    own.aws.s3.put_object(Bucket=own.name, Key=bucket_plan.README, Body=README.encode())
    assert "NoRead" in own.policy()[2]["Sid"]
    own.put_policy(own.policy()[:2])  # which moto takes for everybody's
    assert "paste the token 0a1b2c3d4e5f6a7b8c9d" in own.converge(check=True)["steps"][0]
    assert drift(own.converge()) == ["changed", "not_verified"]
    own.aws.log("", bucket=own.name)
    assert outcome(own.converge()) == (False, "in_sync")
    # The SIEM takes the role by its external id, and reads through it.
    role = own.aws.iam.get_role(RoleName=own.role)["Role"]["Arn"]
    taken = own.aws.sts.assume_role(RoleArn=role, RoleSessionName="siem", ExternalId="contoso-siem")["Credentials"]
    siem = own.aws.client("s3", taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"])
    assert siem.list_objects_v2(Bucket=own.name)["KeyCount"] == 2
    with pytest.raises(Exception, match="AccessDenied"):
        siem.put_object(Bucket=own.name, Key="x", Body=b"")
    # Who leaves takes his own along, and no bucket with logs in it.
    assert outcome(own.converge(state="absent")) == (True, "corrected")
    assert outcome(own.converge(state="absent")) == (False, "in_sync")
    assert own.aws.s3.list_objects_v2(Bucket=own.name)["KeyCount"] == 2
    assert own.role not in str(own.aws.iam.list_roles())


def test_what_others_have_there_stays(own: Own) -> None:
    own.aws.make_bucket(own.name)
    theirs = {**THEIRS, "Resource": own.arn}
    rule = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "z/"}, "Expiration": {"Days": 9}}
    own.put_policy([theirs])
    own.aws.s3.put_bucket_lifecycle_configuration(Bucket=own.name, LifecycleConfiguration={"Rules": [rule]})
    assert outcome(own.converge()) == (True, "waiting")
    assert [one["Sid"] for one in own.policy()] == ["Theirs", bucket_plan.PUT, bucket_plan.LOOK, bucket_plan.NO_READ]
    rules = own.aws.s3.get_bucket_lifecycle_configuration(Bucket=own.name)["Rules"]
    assert [one["ID"] for one in rules] == ["theirs", bucket_plan.RULE]
    # Somebody widens what Umbrella may: only that is put right.
    own.put_policy([theirs, {**own.policy()[1], "Action": "s3:*"}, *own.policy()[2:]])
    found = own.converge()
    assert (found["summary"]["counts"]["corrected"], drift(found)) == (1, ["changed", "not_verified"])
    assert own.policy()[1]["Action"] == "s3:PutObject"
    own.converge(state="absent")
    assert own.policy() == [theirs]


def test_a_queue_is_told_of_new_files(own: Own) -> None:
    sqs = own.aws.client("sqs", *own.aws.keys)
    url = sqs.create_queue(QueueName=own.name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    own.wanted |= {"queue_arn": arn, "prefix": "umbrella"}
    own.converge()
    assert own.converge()["changed"] is False
    key = own.aws.log("umbrella/", bucket=own.name)
    own.aws.s3.put_object(Bucket=own.name, Key="other", Body=b"")
    told = [json.loads(one["Body"]) for one in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=9)["Messages"]]
    assert [unquote(one["Records"][0]["s3"]["object"]["key"]) for one in told if "Records" in one] == [key]


def test_refusals_of_aws_are_told_and_write_nothing(own: Own) -> None:
    found = own.converge(aws_secret_access_key="x" * 40)
    assert (outcome(found)[0], found["summary"]["counts"]["in_sync"]) == (False, 0)
    assert own.name not in str(own.aws.s3.list_buckets())
    own.aws.iam.create_role(RoleName=own.role, AssumeRolePolicyDocument="{}", Description="somebody's")
    found = own.converge()
    assert "not_ours" in found["summary"]["drift"]
    assert own.aws.iam.list_role_policies(RoleName=own.role)["PolicyNames"] == []
