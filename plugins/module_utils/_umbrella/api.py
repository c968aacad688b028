# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of Umbrella and of its bucket that are used, from and to their words.

Source: Cisco's OpenAPI documents of rotateKey and of the Reports API. An answer of 200 may be an error, and then has
C(error) instead of keys: developer.cisco.com, «S3 Bucket Key Rotation», overview.
"""

from __future__ import annotations

import re
from typing import Any

from .._aws.access import Keys
from .._aws.session import DEAD as GONE
from .._aws.session import DENIED as REFUSED
from .._aws.session import WRONG_SECRET as MISMATCH
from .._core.bodies import is_token, items, words
from .._core.client import documented
from .._core.errors import RefusedError
from .client import SHOWN_TEXT, Call, Umbrella
from .plan import DEAD, DENIED, FIRST_STEP, WORKS, WRONG_SECRET, Export, Pair

ROTATE = "/admin/v2/iam/rotateKey"
NOT_FOUND = "Not found IAM key info"
FIRST_ROTATION = "FirstRotation"
KEY = re.compile(r"[A-Z0-9]{16,128}")
MIN_SECRET = 16


async def rotate(client: Umbrella, export: Export) -> Pair:
    """Have the export's key replaced, by one request. Raises NoAnswerError where nobody knows whether it was done."""
    call = Call("POST", ROTATE, f"rotate the key of {export.name}", export.organization, again=False)
    try:
        answer = await client.call(call)
    except RefusedError as error:
        raise (_first(call, error.message) if NOT_FOUND in error.message else error) from None
    pair = parse(call.operation, answer)
    client.hide(pair.secret_access_key)
    return pair


def parse(operation: str, answer: Any) -> Pair:
    """The new pair. What else the answer has or lacks does not matter: its secret is told once."""
    with documented(operation):
        told = answer.get("error")
        if told and not answer.get("secretAccessKey"):
            text = words(told)[:SHOWN_TEXT]
            call = Call("POST", ROTATE, operation)
            raise _first(call, text) if NOT_FOUND in text else RefusedError(operation, text, code="ErrorIn200")
        key, secret = answer["currentKeyId"], answer["secretAccessKey"]
        if not is_token(secret) or len(secret) < MIN_SECRET or not KEY.fullmatch(key):
            raise ValueError("it has no access key and secret")
        return Pair(key, secret)


def _first(call: Call, text: str) -> RefusedError:
    return RefusedError(call.operation, text, code=FIRST_ROTATION, next_step=FIRST_STEP)


def keys(pair: Pair) -> Keys:
    return Keys(pair.access_key_id, pair.secret_access_key)


async def listing(client: Umbrella, export: Export, pair: Pair) -> str:
    """What comes of listing below the prefix with this pair. Raises OnboardingError for anything else."""
    operation = f"list {export.bucket}/{export.prefix} with {pair.access_key_id}"
    try:
        await client.aws.call(keys(pair), "s3", "list_objects_v2", operation, export.region,
                              Bucket=export.bucket, Prefix=export.prefix, MaxKeys=1)  # fmt: skip
    except RefusedError as error:
        if error.code in GONE:
            return DEAD
        if error.code == MISMATCH:
            return WRONG_SECRET
        if error.code in REFUSED:
            return DENIED
        raise
    return WORKS


async def activity(client: Umbrella, organization: str, path: str) -> bool:
    """Whether Umbrella itself has seen any traffic in the last day. Raises OnboardingError."""
    query = "from=-1days&to=now&limit=1&offset=0"
    call = Call("GET", f"/reports/v2/{path}?{query}", "read Umbrella's own activity", organization)
    answer = await client.call(call)
    with documented(call.operation):
        return bool(items(answer["data"]))
