# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An own bucket in the customer's AWS account, and the role by which the SIEM reads it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

from .._aws.access import Keys
from .._aws.session import ABSENT, REGION, Aws
from .._core import engines
from .._core.bodies import mapping, parse, text
from .._core.capability import Applied, Capability, Give
from .._core.client import documented
from .._core.entry import Engine
from .._core.errors import InputError, OnboardingError, RefusedError
from .._core.options import RunOptions
from .._core.redaction import Redactor
from .._core.verdict import Record, Verdict
from . import bucket_plan as rules
from . import options
from .bucket_plan import ACCESS, BUCKET, LIFECYCLE, NOTIFICATION, POLICY, READER, VERIFICATION, Bucket
from .freshness import FOLDERS
from .options import Setup

# Part -> (method that reads, key of its answer, '' for all of it; method that writes, its parameter).
DOCUMENTS = {
    ACCESS: ("get_public_access_block", "PublicAccessBlockConfiguration", "put_public_access_block",
             "PublicAccessBlockConfiguration"),
    POLICY: ("get_bucket_policy", "Policy", "put_bucket_policy", "Policy"),
    LIFECYCLE: ("get_bucket_lifecycle_configuration", "", "put_bucket_lifecycle_configuration",
                "LifecycleConfiguration"),
    NOTIFICATION: ("get_bucket_notification_configuration", "", "put_bucket_notification_configuration",
                   "NotificationConfiguration"),
}  # fmt: skip
SIZE = "TransitionDefaultMinimumObjectSize"
LATER = "the bucket comes first"


class Account:
    """The AWS account that an own bucket is in."""

    def __init__(self, keys: Keys, bucket: Bucket, aws: Aws) -> None:
        self.bucket, self.aws, self._keys = bucket, aws, keys

    async def s3(self, name: str, operation: str, **params: Any) -> dict[str, Any]:
        return await self.aws.call(
            self._keys, "s3", name, operation, self.bucket.region, Bucket=self.bucket.name, **params
        )

    async def iam(self, name: str, operation: str, **params: Any) -> dict[str, Any]:
        return await self.aws.call(self._keys, "iam", name, operation, REGION, **params)

    async def text(self, key: str, most: int) -> str:
        operation = f"read {key} of {self.bucket.name}"
        raw = await self.aws.read(self._keys, operation, self.bucket.region, self.bucket.name, key, most)
        return raw.decode("utf-8", "replace")


class OwnBucket(Capability[Setup, Account]):
    """Targets are parts of the bucket."""

    name = "umbrella_bucket"
    collects = False

    def wanted(self, params: Mapping[str, Any]) -> Setup:
        return options.setup(params)

    @asynccontextmanager
    async def connect(self, wanted: Setup, options: RunOptions, redactor: Redactor) -> AsyncIterator[Account]:
        bucket, keys = wanted.bucket, wanted.identity.aws
        if bucket is None or keys is None:
            raise InputError("read the options", "bucket is not given", next_step="give bucket; nothing was sent")
        redactor.add(keys.secret_access_key)
        redactor.add(keys.session_token)
        yield Account(keys, bucket, Aws(wanted.identity.place))

    async def survey(self, client: Account, wanted: Setup, give: Give) -> None:
        bucket, leaving = client.bucket, wanted.policy.leaving
        parts = _parts(bucket, leaving)
        give.expect(len(parts))
        there = await _found(client.s3("get_bucket_location", f"look for {bucket.name}"))
        verdict = rules.of_bucket(bucket, there if isinstance(there, OnboardingError) else there is not None)
        if BUCKET in parts:
            give(verdict)
        for part in parts:
            if part == READER and bucket.reader:
                held = await _role(client, bucket.reader)
                give(rules.of_reader(bucket, bucket.reader, held, leaving=leaving))
            elif part == VERIFICATION:
                give(await _verification(client))
            elif part in DOCUMENTS:
                held = await _document(client, part) if isinstance(there, dict) else there
                give(rules.of_document(part, bucket, held, leaving=leaving))

    async def apply(self, client: Account, wanted: Setup, verdict: Verdict) -> Applied | None:
        part, operation = verdict.target, f"{verdict.action} the {verdict.target} of {client.bucket.name}"
        if part == BUCKET:
            place = {} if client.bucket.region == REGION else {"LocationConstraint": client.bucket.region}
            await client.s3("create_bucket", operation, **({"CreateBucketConfiguration": place} if place else {}))
        elif part == READER and client.bucket.reader:
            await _write_role(client, operation, client.bucket.reader, verdict)
        else:
            await _write_document(client, operation, part, verdict.subject)
        return None

    def stages(self, due: Sequence[Record]) -> Iterable[Sequence[Record]]:
        """The bucket first; what is in it after that."""
        first = [one for one in due if one.target == BUCKET]
        return [stage for stage in (first, [one for one in due if one.target != BUCKET]) if stage]

    def veto(self, client: Account, verdict: Verdict, records: Mapping[str, Record]) -> OnboardingError | None:
        record = records.get(BUCKET)
        failed = record is not None and record.error is not None and verdict.target not in (BUCKET, READER)
        return rules_not_tried(verdict) if failed else None

    def order(self, record: Record) -> Any:
        return rules.PARTS.index(record.target) if record.target in rules.PARTS else len(rules.PARTS)

    def lead(self, wanted: Setup, records: Sequence[Record]) -> str:
        return f"{len(records)} parts of bucket {wanted.bucket.name if wanted.bucket else ''}"

    def summary(self, client: Account, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        return {"requests": dict(client.aws.requests), "throttled_answers": 0, "throttled_seconds": 0.0}

    def outputs(self, client: Account, wanted: Setup, records: Sequence[Record]) -> Mapping[str, Any]:
        """steps: what the customer has to do in Umbrella's dashboard, for the hand-over."""
        return {
            "steps": [one.verdict.next_step for one in records if one.target == VERIFICATION and one.verdict.next_step]
        }


def rules_not_tried(verdict: Verdict) -> RefusedError:
    step = "see to the bucket first, then run again"
    return RefusedError(f"{verdict.action} {verdict.target}", LATER, code="NotTried", next_step=step)


def _parts(bucket: Bucket, leaving: bool) -> list[str]:
    given = {READER: bucket.reader is not None}
    return [part for part in (rules.LEAVING if leaving else rules.PARTS) if given.get(part, True)]


async def _found(asking: Any) -> dict[str, Any] | OnboardingError | None:
    """An answer, None where AWS says that there is none, or why nobody knows."""
    try:
        return dict(await asking)
    except OnboardingError as error:
        return None if isinstance(error, RefusedError) and error.code in ABSENT else error


async def _document(client: Account, part: str) -> dict[str, Any] | OnboardingError | None:
    """A part as it is, None for none, or why nobody knows."""
    method, key, *_writes = DOCUMENTS[part]
    operation = f"read the {part} of {client.bucket.name}"
    found = await _found(client.s3(method, operation))
    if not isinstance(found, dict):
        return found
    try:
        with documented(operation):
            held = found[key] if key else {name: one for name, one in found.items() if name != "ResponseMetadata"}
            return mapping(parse(text(held).encode()) if part == POLICY else held)
    except OnboardingError as error:
        return error


async def _write_document(client: Account, operation: str, part: str, document: Mapping[str, Any]) -> None:
    *_reads, method, parameter = DOCUMENTS[part]
    if part == POLICY and not document["Statement"]:
        await client.s3("delete_bucket_policy", operation)
        return
    # Beside the rules stands what all of a bucket's rules have in common, which would be reset.
    beside = {key: document[key] for key in (SIZE,) if key in document}
    rest = {key: value for key, value in document.items() if key not in beside}
    await client.s3(method, operation, **{parameter: json.dumps(rest) if part == POLICY else rest}, **beside)


async def _role(client: Account, reader: rules.Reader) -> dict[str, Any] | OnboardingError | None:
    """The role's description, trust and rights; {} for none."""
    role = reader.role
    operation = f"read the role {role}"
    found = await _found(client.iam("get_role", operation, RoleName=role))
    if not isinstance(found, dict):
        return {} if found is None else found
    rights = await _found(client.iam("get_role_policy", operation, RoleName=role, PolicyName=rules.READ_POLICY))
    if isinstance(rights, OnboardingError):
        return rights
    try:
        with documented(operation):
            return {
                "description": found["Role"].get("Description", ""),
                "trust": _policy(found["Role"]["AssumeRolePolicyDocument"]),
                "rights": _policy(rights["PolicyDocument"]) if rights else {},
            }
    except OnboardingError as error:
        return error


def _policy(held: Any) -> dict[str, Any]:
    """boto3 gives documents of IAM as values, and as they are sent where it cannot read them."""
    return mapping(parse(unquote(held).encode()) if isinstance(held, str) else held)


async def _write_role(client: Account, operation: str, reader: rules.Reader, verdict: Verdict) -> None:
    role = reader.role
    if verdict.action == "delete":
        await _gone(client.iam("delete_role_policy", operation, RoleName=role, PolicyName=rules.READ_POLICY))
        await _gone(client.iam("delete_role", operation, RoleName=role))
        return
    trust = json.dumps(verdict.subject["trust"])
    if verdict.action == "create":
        await client.iam(
            "create_role", operation, RoleName=role, Description=rules.MARK, AssumeRolePolicyDocument=trust
        )
    else:
        await client.iam("update_assume_role_policy", operation, RoleName=role, PolicyDocument=trust)
    rights = json.dumps(verdict.subject["rights"])
    await client.iam("put_role_policy", operation, RoleName=role, PolicyName=rules.READ_POLICY, PolicyDocument=rights)


async def _gone(asking: Any) -> None:
    """Removed, or not there any more."""
    found = await _found(asking)
    if isinstance(found, OnboardingError):
        raise found


async def _verification(client: Account) -> Verdict:
    """Whether Umbrella writes, by its files; else the token that it wants back."""
    bucket, operation = client.bucket, f"look for files of Umbrella in {client.bucket.name}"
    held = await _found(client.s3("list_objects_v2", operation, Prefix=bucket.prefix, Delimiter="/"))
    if isinstance(held, OnboardingError):
        return rules.of_verification(bucket, held, arrives=False)
    files = {one["Key"] for one in (held or {}).get("Contents", ())}
    there = {one["Prefix"] for one in (held or {}).get("CommonPrefixes", ())}
    arrives = not there.isdisjoint(f"{bucket.prefix}{folder}/" for folder in FOLDERS)
    readme: str | OnboardingError | None = None
    if not arrives and bucket.prefix + rules.README in files:
        try:
            readme = await client.text(bucket.prefix + rules.README, rules.MAX_README)
        except OnboardingError as error:
            readme = error
    return rules.of_verification(bucket, readme, arrives=arrives)


converge: Engine = engines.converge(OwnBucket())
