# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls to AWS by boto3, which only the roles need that speak to AWS: off the event loop, refused in typed words.

Source: botocore's documentation («Error handling», Config); AWS' common error codes of S3, IAM and STS.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from .._core.client import ODD_SHAPE
from .._core.errors import MissingLibraryError, NoAnswerError, OnboardingError, RefusedError
from .access import Keys, Place

T = TypeVar("T")
CONNECT_SECONDS, READ_SECONDS = 10, 60
ATTEMPTS = 3
REGION = "us-east-1"
# The access key does not exist (any more): S3's word, and that of all other services.
DEAD = frozenset({"InvalidAccessKeyId", "InvalidClientTokenId"})
WRONG_SECRET = "SignatureDoesNotMatch"
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
ABSENT = frozenset({"NoSuchBucket", "NoSuchKey", "NoSuchBucketPolicy", "NoSuchLifecycleConfiguration",
                    "NoSuchEntity", "NotFound", "NoSuchPublicAccessBlockConfiguration"})  # fmt: skip
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException"})
LATER = frozenset({"RequestTimeTooSkewed", "SlowDown", "Throttling", "ThrottlingException", "ServiceUnavailable"})
NEXT_STEPS = {
    **dict.fromkeys(DEAD, "give an access key that is there: this one was removed, or replaced by another"),
    WRONG_SECRET: "check the secret access key, which belongs to another access key",
    **dict.fromkeys(DENIED, "let the owner of the AWS account allow what the text names"),
    **dict.fromkeys(EXPIRED, "sign in anew: the session token is over"),
    **dict.fromkeys(LATER, "run again later; where the text speaks of time, set this machine's clock by NTP"),
}
OTHER_STEP = "see AWS' documentation of the code"
SHOWN_TEXT = 300
# Clients may be used by several threads at once, and not be made by them.
_MAKING = threading.Lock()


class Aws:
    """Clients of boto3 by key, service and region, made when first used; requests counts calls."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._clients: dict[tuple[Keys, str, str], Any] = {}
        self.requests: Counter[str] = Counter()

    async def call(
        self, keys: Keys, service: str, name: str, operation: str, region: str = REGION, **params: Any
    ) -> dict[str, Any]:
        """The answer of a client's method. Raises RefusedError, NoAnswerError, MissingLibraryError."""
        return await self._off_loop(
            operation, f"{service}:{name}", lambda: self._ask(keys, service, name, region, params)
        )

    async def read(self, keys: Keys, operation: str, region: str, bucket: str, key: str, most: int) -> bytes:
        """At most so many of an object's first bytes. Raises as C(call)."""

        def get() -> bytes:
            body = self._ask(keys, "s3", "get_object", region, {"Bucket": bucket, "Key": key})["Body"]
            try:
                return bytes(body.read(most))
            finally:
                body.close()

        return await self._off_loop(operation, "s3:get_object", get)

    async def _off_loop(self, operation: str, counted: str, work: Callable[[], T]) -> T:
        """botocore blocks: its calls run in threads, and its exceptions become ours."""
        try:
            import boto3  # type: ignore[import-untyped]  # noqa: F401  (an import that no other role pays for)
            from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]
            from botocore.parsers import ResponseParserError  # type: ignore[import-untyped]
        except ImportError:
            raise _missing() from None
        self.requests[counted] += 1
        try:
            return await asyncio.to_thread(work)
        except ClientError as error:
            raise refusal(operation, error.response) from error
        except (BotoCoreError, ResponseParserError, OSError, *ODD_SHAPE) as error:
            raise NoAnswerError(operation, str(error)[:SHOWN_TEXT], code=type(error).__name__) from error

    def _ask(self, keys: Keys, service: str, name: str, region: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Raises ValueError for a page of a proxy, which botocore reads as an answer with nothing in it."""
        answer = dict(getattr(self._client(keys, service, region), name)(**params))
        if not answer["ResponseMetadata"].get("RequestId"):
            raise ValueError("the answer has no request id, so it is none of AWS")
        return answer

    def _client(self, keys: Keys, service: str, region: str) -> Any:
        with _MAKING:
            if (keys, service, region) not in self._clients:
                self._clients[keys, service, region] = self._made(keys, service, region)
            return self._clients[keys, service, region]

    def _made(self, keys: Keys, service: str, region: str) -> Any:
        from botocore.config import Config  # type: ignore[import-untyped]

        place = self._place
        return _session().client(
            service,
            region_name=region,
            endpoint_url=place.endpoint_url or None,
            verify=place.ca_file or True,
            aws_access_key_id=keys.access_key_id,
            aws_secret_access_key=keys.secret_access_key,
            aws_session_token=keys.session_token or None,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "max_attempts": ATTEMPTS},
                s3={"addressing_style": "path"} if place.endpoint_url else None,
                proxies={"https": place.proxy} if place.proxy else None,
                ignore_configured_endpoint_urls=True,
            ),
        )


@cache
def _session() -> Any:
    """One for a process: it reads AWS' descriptions of each service, which takes longer than a request."""
    import boto3

    return boto3.session.Session()


def refusal(operation: str, answer: Mapping[str, Any]) -> OnboardingError:
    """The error of AWS' words: C(response) of botocore's ClientError."""
    error, meta = answer.get("Error") or {}, answer.get("ResponseMetadata") or {}
    code, status = str(error.get("Code") or "NoCode"), meta.get("HTTPStatusCode")
    request_id = str(meta.get("RequestId") or "")
    # Without the id it is a proxy's: its 404 says nothing of what there is at AWS.
    refused = request_id and not (isinstance(status, int) and status >= 500)
    return (RefusedError if refused else NoAnswerError)(
        operation,
        str(error.get("Message") or "AWS gave no text")[:SHOWN_TEXT],
        code=code,
        status=status if isinstance(status, int) else None,
        next_step=NEXT_STEPS.get(code, OTHER_STEP),
        request_id=request_id,
    )


def _missing() -> MissingLibraryError:
    error = MissingLibraryError("boto3")
    error.next_step = "install boto3 for that interpreter (pip install boto3): only the roles that speak to AWS need it"
    return error
