# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an own bucket has to be for Umbrella and for the SIEM: least rights, and nothing of others. Pure.

Source: docs.umbrella.com, «Enable Logging to Your Own S3 Bucket»: the principal that writes, PutObject below the
prefix, ListBucket and GetBucketLocation, GetObject denied; README_FROM_UMBRELLA.txt holds the token that proves whose
bucket it is. Assumed: how the token stands in its text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from .._aws import policies
from .._core.errors import OnboardingError
from .._core.redaction import clean
from .._core.status import BLOCKED, DRIFTED, IN_SYNC, WAITING
from .._core.verdict import Verdict, unknown

UMBRELLA = "arn:aws:iam::568526795995:user/logs"
PUT, LOOK, NO_READ = "MsspUmbrellaPut", "MsspUmbrellaLook", "MsspUmbrellaNoRead"
SIDS = frozenset({PUT, LOOK, NO_READ})
RULE, NOTICE, READ_POLICY = "mssp-umbrella-retention", "mssp-umbrella-new-files", "mssp-umbrella-read"
MARK = "Reads Umbrella's logs; made by mssp.onboarding umbrella_logs"
README = "README_FROM_UMBRELLA.txt"
TOKEN = re.compile(r"(?<![\w-])(?=[\w-]*\d)[A-Za-z0-9_-]{12,128}(?![\w-])")
MAX_README = 4096
CLOSED = {
    "BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True
}  # fmt: skip
# By what they are corrected in; those that a leaving tenant keeps are no longer looked at.
BUCKET, ACCESS, POLICY, LIFECYCLE, NOTIFICATION, READER, VERIFICATION = PARTS = (
    "bucket", "public_access", "policy", "lifecycle", "notification", "reader", "verification",
)  # fmt: skip
LEAVING = (POLICY, NOTIFICATION, READER)
DASHBOARD = "in Umbrella's dashboard, Admin > Log Management > Amazon S3 > Use your company-managed S3 bucket"


class Reader(NamedTuple):
    """The SIEM's way to read: a role that its account takes by an external id."""

    role: str
    principal_arn: str
    external_id: str


class Bucket(NamedTuple):
    """The bucket as the tenant file wants it. prefix: '' or with its slash."""

    name: str
    region: str
    prefix: str = ""
    retention_days: int = 30
    queue_arn: str = ""
    reader: Reader | None = None
    organization: str = ""

    @property
    def arn(self) -> str:
        return f"arn:aws:s3:::{self.name}"


def statements(bucket: Bucket) -> list[dict[str, Any]]:
    """What Umbrella may: put files, and see that the bucket is there."""
    who, files = {"AWS": UMBRELLA}, f"{bucket.arn}/{bucket.prefix}*"
    return [
        {"Sid": PUT, "Effect": "Allow", "Principal": who, "Action": "s3:PutObject", "Resource": files},
        {"Sid": LOOK, "Effect": "Allow", "Principal": who, "Action": ["s3:GetBucketLocation", "s3:ListBucket"],
         "Resource": bucket.arn},
        {"Sid": NO_READ, "Effect": "Deny", "Principal": who, "Action": "s3:GetObject", "Resource": files},
    ]  # fmt: skip


def trust(reader: Reader) -> dict[str, Any]:
    return {
        "Version": policies.VERSION,
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": reader.principal_arn},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": reader.external_id}},
            }
        ],
    }


def rights(bucket: Bucket) -> dict[str, Any]:
    """What the SIEM may: list below the prefix, and read files."""
    below = {"Condition": {"StringLike": {"s3:prefix": f"{bucket.prefix}*"}}} if bucket.prefix else {}
    return {
        "Version": policies.VERSION,
        "Statement": [
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket.arn, **below},
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{bucket.arn}/{bucket.prefix}*"},
        ],
    }


# --- what a part has to be, from what it is: of others nothing changes


def policy(bucket: Bucket, held: Mapping[str, Any], leaving: bool) -> dict[str, Any]:
    return policies.merged(held, [] if leaving else statements(bucket), SIDS)


def lifecycle(bucket: Bucket, held: Mapping[str, Any], _leaving: bool) -> dict[str, Any]:
    rule = {"ID": RULE, "Status": "Enabled", "Filter": {"Prefix": bucket.prefix},
            "Expiration": {"Days": bucket.retention_days}}  # fmt: skip
    return {**held, "Rules": _replaced(held.get("Rules", []), "ID", RULE, rule)}


def notification(bucket: Bucket, held: Mapping[str, Any], leaving: bool) -> dict[str, Any]:
    rules = {"FilterRules": [{"Name": "prefix", "Value": bucket.prefix}]}
    ours = {"Id": NOTICE, "QueueArn": bucket.queue_arn, "Events": ["s3:ObjectCreated:*"],
            **({"Filter": {"Key": rules}} if bucket.prefix else {})}  # fmt: skip
    wanted = None if leaving or not bucket.queue_arn else ours
    queues = _replaced(held.get("QueueConfigurations", []), "Id", NOTICE, wanted)
    rest = {key: value for key, value in held.items() if key != "QueueConfigurations"}
    return {**rest, **({"QueueConfigurations": queues} if queues else {})}


def public_access(_bucket: Bucket, _held: Mapping[str, Any], _leaving: bool) -> dict[str, Any]:
    return dict(CLOSED)


def _replaced(held: list[Any], key: str, name: str, wanted: dict[str, Any] | None) -> list[Any]:
    """The list with the one of this name as wanted, in its place."""
    places = [number for number, one in enumerate(held) if one.get(key) == name]
    kept = [one for one in held if one.get(key) != name]
    if wanted is not None:
        kept.insert(places[0] if places else len(kept), wanted)
    return kept


WANTED = {POLICY: policy, LIFECYCLE: lifecycle, NOTIFICATION: notification, ACCESS: public_access}


# --- verdicts


def missing(part: str) -> Verdict:
    return Verdict(part, DRIFTED, ("missing",), "it is not there yet", "create", subject=part)


def of_bucket(bucket: Bucket, found: bool | OnboardingError) -> Verdict:
    if isinstance(found, OnboardingError) and found.status == 403:
        step = "choose another name, or give the keys of the account that has it"
        reason = f"{bucket.name} is another account's, or may not be looked at"
        return Verdict(BUCKET, BLOCKED, ("taken",), reason, next_step=step)
    if isinstance(found, OnboardingError):
        return unknown(BUCKET, found)
    return Verdict(BUCKET, IN_SYNC) if found else missing(BUCKET)


def of_document(
    part: str, bucket: Bucket, held: Mapping[str, Any] | OnboardingError | None, *, leaving: bool
) -> Verdict:
    """A part that is one document: the whole of it is written, with all that others have in it."""
    if isinstance(held, OnboardingError):
        return unknown(part, held)
    wanted = WANTED[part](bucket, held or {}, leaving)
    if policies.same(wanted, held or {}) or (
        not held and not any(wanted.get(key) for key in wanted if key != "Version")
    ):
        return Verdict(part, IN_SYNC)
    drift, action = (("unexpected",), "delete") if leaving else (("missing",), "create") if not held else (
        ("changed",), "update")  # fmt: skip
    return Verdict(part, DRIFTED, drift, "", action, before=held or {}, after=wanted, subject=wanted)


def of_reader(
    bucket: Bucket, reader: Reader, held: Mapping[str, Any] | OnboardingError | None, *, leaving: bool
) -> Verdict:
    """held: description, trust and rights of the role; {} for none."""
    if isinstance(held, OnboardingError):
        return unknown(READER, held)
    if held and held["description"] != MARK:
        text = f"a role {reader.role} is there that this has not made"
        return Verdict(READER, BLOCKED, ("not_ours",), text, next_step="give reader.role another name")
    if leaving:
        gone = Verdict(READER, DRIFTED, ("unexpected",), "it is to be removed", "delete", before=held)
        return gone if held else Verdict(READER, IN_SYNC)
    wanted = {"description": MARK, "trust": trust(reader), "rights": rights(bucket)}
    if not held:
        return Verdict(READER, DRIFTED, ("missing",), "", "create", after=wanted, subject=wanted)
    if policies.same(held, wanted):
        return Verdict(READER, IN_SYNC)
    return Verdict(READER, DRIFTED, ("changed",), "", "update", before=held, after=wanted, subject=wanted)


def of_verification(bucket: Bucket, readme: str | OnboardingError | None, *, arrives: bool) -> Verdict:
    """Umbrella writes only after its token was given back: whose bucket it is a person has to say in the dashboard."""
    if isinstance(readme, OnboardingError):
        return unknown(VERIFICATION, readme)
    if arrives:
        return Verdict(VERIFICATION, IN_SYNC)
    if readme is None:
        step = (
            f"{DASHBOARD}, enter {bucket.name}{', prefix ' + bucket.prefix if bucket.prefix else ''} and press Verify"
        )
        return Verdict(
            VERIFICATION, WAITING, ("not_verified",), f"there is no {README} in the bucket yet", next_step=step
        )
    found = TOKEN.findall(readme)
    told = f"the token {found[-1]}" if found else f"the token of this text: {clean(readme[:300])}"
    reason = f"Umbrella has written {README}, and waits for its token"
    return Verdict(
        VERIFICATION, WAITING, ("not_verified",), reason, next_step=f"{DASHBOARD} > Token Number, paste {told}"
    )
