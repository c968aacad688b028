# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to one vendor: paced by its limits, tried again where that may help, refused in typed words."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import SplitResult, urlsplit

from . import http
from .errors import NoAnswerError, OnboardingError, malformed
from .throttle import Buckets

# Without any answer for this long nothing is tried again, and after some such calls nothing is asked any more: the
# endpoint is gone, and waiting for each target would take hours.
SILENCE_SECONDS = 60.0
SILENT_CALLS = 3
# A list that goes on for longer has no end, or no place in memory.
MAX_PAGES = 2_000
MAX_LIST_BYTES = 256 * 2**20
# How long the waits that a vendor asks for may be in all, for one call.
MAX_HELD_UP = 300.0
# How aiohttp names a connection that never came about: nothing was sent, so even a POST may be tried again.
NEVER_SENT = frozenset({"ClientConnectorError", "ClientConnectorDNSError", "ClientProxyConnectionError"})
# Statuses by which a vendor says that it has not looked at the request.
NOT_TAKEN = frozenset({429, 503})
# The vendor's ids of the writes to one target, where somebody asks for them.
WRITTEN: ContextVar[list[str] | None] = ContextVar("WRITTEN", default=None)


# What reading an answer of another shape than documented may raise.
ODD_SHAPE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)


class CallLike(Protocol):
    """What to do and how to speak of it; vendors add what they need. again: it may be repeated."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def operation(self) -> str: ...
    @property
    def body(self) -> Any: ...
    @property
    def again(self) -> bool: ...


CallT = TypeVar("CallT", bound=CallLike)


class VendorClient(Generic[CallT]):
    """One identity's way to one vendor's API.

    requests counts answers by C(counted(call)); throttled counts answers that asked to slow down. A vendor overrides
    C(authorize), C(refusal), and what its published limits need. Its constructor does no I/O.
    """

    # Bucket -> (capacity, refill per second), as the vendor publishes them.
    LIMITS: Mapping[str, tuple[float, float]] = {"requests": (1e6, 1e6)}
    # The header by which the vendor finds a request again.
    REQUEST_ID = ""
    # What its answers are written in.
    FORM = http.JSON
    # How long to wait after a 429 that does not say it.
    THROTTLED_SECONDS = 5.0

    def __init__(self, session: Any, base_url: str) -> None:
        self._session = session
        self._base = base_url
        self.buckets = Buckets(dict(self.LIMITS))
        self.requests: Counter[str] = Counter()
        self.throttled = 0
        self._last_answer = time.monotonic()
        self._silent = 0

    # --- what a vendor says

    async def authorize(self, call: CallT) -> Mapping[str, str]:
        """Headers that prove who asks. Raises SignInError."""
        raise NotImplementedError

    def refusal(self, call: CallT, answer: http.Answer) -> OnboardingError:
        """The error of an answer that is not a yes."""
        raise NotImplementedError

    def not_taken(self, call: CallT) -> frozenset[int]:
        """Statuses by which the vendor says that it has not looked at this request."""
        return NOT_TAKEN

    def unauthorized(self, call: CallT, headers: Mapping[str, str]) -> bool:
        """A 401 came to these headers: forget the token they carried. Whether another one may be taken."""
        return False

    def pause(self, call: CallT, answer: http.Answer) -> float:
        """Seconds to wait after a 429; more than MAX_HELD_UP is not waited for."""
        return http.retry_after(answer.headers, self.THROTTLED_SECONDS)

    def bucket(self, call: CallT) -> tuple[str, str]:
        """(scope, bucket of LIMITS) that pays for the call."""
        return "", next(iter(self.LIMITS))

    def remaining(self, call: CallT, answer: http.Answer) -> float | None:
        """What the vendor says is left in the bucket, None where it does not."""
        return None

    def url(self, call: CallT) -> str:
        return self._base + call.path

    def counted(self, call: CallT) -> str:
        """The name under which a request is counted: no ids in it."""
        return call.method

    # --- the way of every request

    async def call(self, call: CallT) -> Any:
        """The body of the answer. Raises RefusedError, NoAnswerError or SignInError.

        What may pass is tried again, unless it would be done twice.
        """
        return (await self._answer(call)).body

    async def _answer(self, call: CallT) -> http.Answer:
        if self._silent >= SILENT_CALLS and self._is_silent():
            text = f"not tried, since nothing answered the last {self._silent} calls"
            raise NoAnswerError(call.operation, text, code="NotTried")
        attempt, patience = 0, MAX_HELD_UP
        while True:
            attempt += 1
            try:
                answer, headers = await self._once(call)
            except NoAnswerError as error:
                if error.operation != call.operation:  # the sign-in's, which has been tried again by itself
                    raise
                if error.status is not None:  # an answer all the same, that nobody can read
                    self._last_answer, self._silent = time.monotonic(), 0
                again = (call.again or error.code in NEVER_SENT) and error.code != http.TOO_LARGE
                if attempt >= http.ATTEMPTS or not again or self._is_silent():
                    self._silent += error.status is None
                    raise
                await asyncio.sleep(http.backoff(attempt))
                continue
            if answer.status < 300:
                self._note(call, answer)
                return answer
            wait = self._worth_another(call, answer, headers, attempt)
            if attempt >= http.ATTEMPTS or wait is None or wait > patience:
                raise self._refused(call, answer)
            patience -= wait
            if wait and answer.status != 429:  # which has closed its bucket
                await asyncio.sleep(wait)

    async def _once(self, call: CallT) -> tuple[http.Answer, Mapping[str, str]]:
        """(the answer, the headers that asked for it)."""
        bucket = self.buckets.get(*self.bucket(call))
        await self.buckets.acquire(bucket)
        remaining = None
        try:
            headers = {"Content-Type": "application/json", **await self.authorize(call)}
            self.requests[self.counted(call)] += 1
            answer = await http.send(
                self._session, call.method, self.url(call), operation=call.operation, headers=headers, body=call.body,
                form=self.FORM,
            )  # fmt: skip
            self._last_answer, self._silent = time.monotonic(), 0
            remaining = self.remaining(call, answer)
            return answer, headers
        finally:
            bucket.done(remaining)

    def _note(self, call: CallT, answer: http.Answer) -> None:
        """Keep the vendor's id of a write for the evidence of its target."""
        written, found = WRITTEN.get(), answer.headers.get(self.REQUEST_ID, "")
        if written is not None and found and call.method != "GET":
            written.append(str(found)[:80])

    def _is_silent(self) -> bool:
        return time.monotonic() - self._last_answer >= SILENCE_SECONDS

    def _worth_another(
        self, call: CallT, answer: http.Answer, headers: Mapping[str, str], attempt: int
    ) -> float | None:
        """After how many seconds the same request may be answered otherwise, None for never."""
        if answer.status == 401:
            return 0.0 if self.unauthorized(call, headers) and attempt == 1 else None
        if answer.status == 429:
            self.throttled += 1
            wait = self.pause(call, answer)
            self.buckets.get(*self.bucket(call)).close(wait)
            return wait
        if answer.status not in http.TRANSIENT or not (call.again or answer.status in self.not_taken(call)):
            return None
        return http.retry_after(answer.headers, http.backoff(attempt))

    def _refused(self, call: CallT, answer: http.Answer) -> OnboardingError:
        """A refusal, or no answer at all where nobody can say whether the request has been done."""
        error = self.refusal(call, answer)
        if call.again or answer.status not in http.TRANSIENT - self.not_taken(call):
            return error
        return NoAnswerError(
            error.operation, error.message, code=error.code, status=error.status, next_step=error.next_step,
            request_id=error.request_id,
        )  # fmt: skip

    async def pages(self, call: CallT, following: Callable[[Any, CallT], CallT | None]) -> AsyncIterator[Any]:
        """Each body of a list. following: the call of the next page, None at the end.

        Raises NoAnswerError for a list that comes back to a page or does not end.
        """
        async for answer in self.answers(call, lambda answer, call: following(answer.body, call)):
            yield answer.body

    async def answers(
        self, call: CallT, following: Callable[[http.Answer, CallT], CallT | None]
    ) -> AsyncIterator[http.Answer]:
        """Each answer of a list, for vendors whose headers lead on; else as C(pages)."""
        seen, size = {_page(call)}, 0
        for _number in range(MAX_PAGES):
            answer = await self._answer(call)
            yield answer
            after = following(answer, call)
            if after is None:
                return
            size += answer.size
            if size > MAX_LIST_BYTES:
                raise NoAnswerError(call.operation, f"the list has more than {size} bytes", code="EndlessList")
            if _page(after) in seen:
                raise NoAnswerError(call.operation, "a page leads back to an earlier one", code="EndlessList")
            seen.add(_page(after))
            call = after
        raise NoAnswerError(call.operation, f"the list has more than {MAX_PAGES} pages", code="EndlessList")

    def own_path(self, link: Any, operation: str) -> str:
        """The path and query of a next page's link, which must lead back to the same host: the token goes along."""
        base = urlsplit(self._base)
        try:
            there = urlsplit(link if isinstance(link, str) else "")
            own = origin(there) == origin(base) and there.path.casefold().startswith(base.path.casefold() + "/")
        except ValueError:  # a port that is none
            own = False
        if not own:
            raise NoAnswerError(operation, "the next page's link leads to another host", code="ForeignLink")
        return there.path[len(base.path) :] + (f"?{there.query}" if there.query else "")

    def costs(self) -> dict[str, Any]:
        """What the run has cost, for the result's summary."""
        return {
            "requests": dict(self.requests),
            "throttled_answers": self.throttled,
            "throttled_seconds": round(self.buckets.throttled_seconds, 1),
        }


def _page(call: CallLike) -> tuple[str, str]:
    """What two requests for the same page have in common."""
    return call.path, repr(call.body)


def origin(parts: SplitResult) -> tuple[str, str | None, int | None, str | None]:
    """What has to be the same of two addresses of one server; a default port may be said or not. Raises ValueError."""
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or default, parts.username


@contextmanager
def documented(operation: str) -> Iterator[None]:
    """For reading an answer: raises NoAnswerError where it has not the shape that is documented."""
    try:
        yield
    except ODD_SHAPE as error:
        raise malformed(operation, error) from error
