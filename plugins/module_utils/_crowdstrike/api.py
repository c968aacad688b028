# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight of an API client: may it sign in and read event streams, is the app_id free, does the clock agree.

Contract: falconpy's OAuth2 and EventStreams (POST token by form, 201; GET streams by appId). Runs before anything is
installed, from the control node, and only reads.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from .._core import findings, http
from .._core.bodies import is_token
from .._core.errors import NoAnswerError, OutOfTimeError
from .._core.findings import MISSING, OK, UNKNOWN, Finding
from .._core.limits import time_limit
from .._core.redaction import Redactor
from . import desired
from .catalog import CAPABILITY, CLOUDS, FAILURES, STREAMS_PATH, TOKEN_PATH

ATTEMPTS = 3
LONGEST_WAIT = 30.0
MOMENT_DIGITS = 12
# CrowdStrike/psfalcon#254, demisto/content PR#36532: an address that is not on the list gets 403 instead of a token.
ALLOWLIST_STEP = (
    "check client_id, client_secret and cloud; where they are right, add this machine's address to the IP allowlist of "
    "the API client"
)
SKEW_SECONDS = 300  # assumed: what the cloud bears is not published
CUSTOMER, OPERATOR = "Falcon administrator of the CID", "you"


async def run(
    params: Mapping[str, Any], _reporter: Any, redactor: Redactor, *, check: bool, diff: bool
) -> dict[str, Any]:
    """The engine of falcon_api_info; it only reads. Raises InputError."""
    del check, diff
    cids = desired.cids(params, params["secrets"] or {})
    found = await asyncio.gather(*(Preflight(cid, params, redactor).run() for cid in cids))
    return findings.result(CAPABILITY, [finding for one in found for finding in one])


class Preflight:
    """The checks of one CID, in the order in which a person would cure them."""

    def __init__(self, cid: desired.Cid, params: Mapping[str, Any], redactor: Redactor) -> None:
        self.cid, self.params, self.redactor = cid, params, redactor
        self.findings: list[Finding] = []

    def add(self, check: str, status: str, *rest: str) -> None:
        self.findings.append(Finding(check, self.cid.name, status, *rest))

    async def run(self) -> list[Finding]:
        try:
            async with (
                time_limit(self.params["time_limit_seconds"], f"check CID {self.cid.name}"),
                http.session(self.cid.base_url, self.params["ca_file"] or None, 2) as client,
            ):
                token = await self._sign_in(client)
                if token:
                    await self._streams(client, token)
        except (NoAnswerError, OutOfTimeError) as error:
            self.add("reach", UNKNOWN, f"{error.code}: {error.message}", OPERATOR, error.next_step)
        return self.findings

    async def _ask(self, client: Any, method: str, path: str, operation: str, **request: Any) -> http.Answer:
        """One answer, after a few tries where the cloud asks for patience."""
        answer = await http.send(client, method, self.cid.base_url + path, operation=operation, **request)
        for attempt in range(1, ATTEMPTS):
            if answer.status != 429 and answer.status not in http.TRANSIENT:
                break
            await asyncio.sleep(min(LONGEST_WAIT, _patience(answer.headers, attempt)))
            answer = await http.send(client, method, self.cid.base_url + path, operation=operation, **request)
        return answer

    async def _sign_in(self, client: Any) -> str:
        """The token, "" where there is none."""
        secret = self.cid.keys["Settings"]["client_secret"]
        form = urlencode({"client_id": self.cid.client_id, "client_secret": secret}).encode()
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        operation = f"get an access token for CID {self.cid.name}"
        answer = await self._ask(client, "POST", TOKEN_PATH, operation, headers=headers, body=form)
        self._clock(answer.headers.get("Date", ""))
        self._region(answer.headers.get("X-Cs-Region", ""))
        token = answer.body.get("access_token") if isinstance(answer.body, Mapping) else None
        if answer.status in (200, 201) and is_token(token):
            self.redactor.add(token)
            self.add("sign_in", OK)
            return str(token)
        if answer.status == 403:
            self.add("sign_in", MISSING, f"HTTP 403: {_words(answer.body)}", OPERATOR, ALLOWLIST_STEP)
        else:
            self._failed("sign_in", answer, "credentials" if answer.status in (400, 401) else "", OPERATOR)
        return ""

    async def _streams(self, client: Any, token: str) -> None:
        query = urlencode({"appId": self.cid.app_id, "format": "json"})
        headers = {"Accept": "application/json", "Authorization": f"Bearer {token}"}
        operation = f"list the event streams of CID {self.cid.name}"
        answer = await self._ask(client, "GET", f"{STREAMS_PATH}?{query}", operation, headers=headers)
        told = answer.body if isinstance(answer.body, Mapping) else {}
        streams = (told["resources"] or []) if "resources" in told else None
        if answer.status != 200 or not isinstance(streams, list):
            self._failed("scope", answer, "scope" if answer.status == 403 else "", CUSTOMER)
            return
        self.add("scope", OK)
        if streams or self.cid.name in self.params["running"]:
            self.add("app_id", OK)
            return
        detail = f"no stream is free for app_id {self.cid.app_id}, so another connector reads by it"
        self.add("app_id", MISSING, detail, OPERATOR, FAILURES["app_id_in_use"].next_step)

    def _failed(self, check: str, answer: http.Answer, failure: str, who: str) -> None:
        """A refusal of a known kind is missing, everything else unknown."""
        code = failure or {429: "throttled"}.get(answer.status, "cloud")
        detail = f"HTTP {answer.status}: {_words(answer.body)}"
        self.add(check, MISSING if failure else UNKNOWN, detail, who, FAILURES[code].next_step)

    def _clock(self, date: str) -> None:
        """The host's clock against the cloud's, where both are known."""
        if not date or not self.params["clock"]:
            return
        try:
            seconds = self.params["clock"] - parsedate_to_datetime(date).timestamp()
        except ValueError:
            return
        if abs(seconds) < SKEW_SECONDS:
            self.add("clock", OK)
            return
        way = "ahead of" if seconds > 0 else "behind"
        detail = f"the host's clock is {abs(seconds):.0f} s {way} the cloud's"
        self.add("clock", MISSING, detail, OPERATOR, FAILURES["clock_skew"].next_step)

    def _region(self, region: str) -> None:
        """The cloud names its region where the client belongs to another."""
        known = CLOUDS.get(region.replace("-", "_"))
        if known and known != self.cid.base_url and self.cid.base_url in CLOUDS.values():
            step = f"set cloud to {region.replace('-', '_')}"
            self.add("cloud", MISSING, f"the client belongs to {region}", OPERATOR, step)


def _patience(headers: Mapping[str, str], attempt: int) -> float:
    """Seconds to wait: CrowdStrike tells the moment, in seconds of the epoch (CrowdStrike/gofalcon PR#646)."""
    moment = headers.get("X-Ratelimit-Retryafter", "")
    if moment.isdecimal() and len(moment) < MOMENT_DIGITS:
        return max(1.0, float(moment) - time.time())
    return http.retry_after(headers, http.backoff(attempt))


def _words(body: Any) -> str:
    """CrowdStrike's own words: {errors: [{code, message}]}."""
    errors = body.get("errors") if isinstance(body, Mapping) else None
    if isinstance(errors, list) and errors and isinstance(errors[0], Mapping):
        return str(errors[0].get("message") or errors[0])
    return str(body) if body else "(no text)"
