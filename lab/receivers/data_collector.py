# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure Monitor's HTTP Data Collector API: the signature is really verified.

Request, signature, rules of Log-Type, codes: learn.microsoft.com, data-collector-api. Body of an error and wording of a
wrong signature: MicrosoftDocs/azure-docs#32455; that the content type is signed as sent: #114105. Assumed: the other
wordings, in which order faults are found, and that x-ms-date may be 15 minutes off.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar

from lab.kernel.http import Call, Reply, dumps
from lab.receivers.receiver import Receiver, Verdict

PATH = "/api/logs"
VERSION = "2016-04-01"
LARGEST = 30 * 1024 * 1024
_SKEW = 15 * 60
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
_LOG_TYPE = re.compile(r"[A-Za-z0-9_]{1,100}")


def signature(key: str, date: str, length: int, content_type: str) -> str:
    """Base64 of the HMAC-SHA256 of the canonical string; `key` is base64 or a ValueError, `length` in bytes."""
    text = f"POST\n{length}\n{content_type}\nx-ms-date:{date}\n{PATH}"
    try:
        secret = base64.b64decode(key, validate=True)
    except binascii.Error:
        raise ValueError("the key is not base64") from None
    return base64.b64encode(hmac.new(secret, text.encode(), hashlib.sha256).digest()).decode()


def authorization(workspace_id: str, key: str, date: str, length: int, content_type: str) -> str:
    return f"SharedKey {workspace_id}:{signature(key, date, length, content_type)}"


class DataCollector(Receiver):
    """Secrets: workspace_id, primary_key. Options: `closed` (InactiveCustomer), `busy` (503), `throttled` (429)."""

    name: ClassVar[str] = "azure"
    needs: ClassVar[str] = "workspace ID and primary key, and <workspace ID>.ods.opinsights.azure.com to lead here"
    path: ClassVar[str] = PATH
    defaults: ClassVar[dict[str, Any]] = {"closed": False, "busy": False, "throttled": False}

    def judge(self, call: Call) -> Verdict:
        """POST /api/logs?api-version=2016-04-01; 200 with an empty body."""
        for check in (_path, _version, _content_type, _log_type, self._state, self._authorization):
            refused = check(call)
            if refused:
                return refused
        return _data(call)

    def _state(self, _call: Call) -> Verdict | None:
        if self.options["closed"]:
            return _no(400, "InactiveCustomer", "The workspace has been closed.")
        if self.options["throttled"]:
            return _no(429, "TooManyRequests", "The caller or the workspace sends too much.")
        if self.options["busy"]:
            return _no(503, "ServiceUnavailable", "The service currently is unavailable to receive requests.")
        return None

    def _authorization(self, call: Call) -> Verdict | None:
        scheme, _, rest = call.headers.get("Authorization", "").partition(" ")
        workspace, _, given = rest.partition(":")
        date = call.headers.get("x-ms-date", "")
        if scheme != "SharedKey" or not given:
            return _no(
                403, "InvalidAuthorization", "The Authorization header is not «SharedKey WorkspaceID:Signature»."
            )
        if not _GUID.fullmatch(workspace) or workspace.lower() != self.secrets["workspace_id"].lower():
            return _no(400, "InvalidCustomerId", "The workspace ID is invalid.")
        if _age(date) > _SKEW:
            return _no(403, "InvalidAuthorization", "An invalid date format used in the x-ms-date header.")
        wanted = signature(self.secrets["primary_key"], date, len(call.body), call.headers["Content-Type"])
        if not hmac.compare_digest(wanted, given):
            return _no(403, "InvalidAuthorization", "An invalid signature was specified in the Authorization header")
        return None


def _no(status: int, code: str, message: str) -> Verdict:
    return Verdict(Reply(status, dumps({"Error": code, "Message": message})), False, f"{code}: {message}")


def _path(call: Call) -> Verdict | None:
    if call.low == PATH and call.method == "POST":
        return None
    return _no(404, "NotFound", f"Only POST {PATH} is served.")


def _version(call: Call) -> Verdict | None:
    version = call.query.get("api-version")
    if not version:
        return _no(400, "MissingApiVersion", "The API version wasn't specified.")
    return None if version == VERSION else _no(400, "InvalidApiVersion", f"The API version is not {VERSION}.")


def _content_type(call: Call) -> Verdict | None:
    kind = call.headers.get("Content-Type", "")
    if not kind:
        return _no(400, "MissingContentType", "The content type wasn't specified.")
    if kind.partition(";")[0].strip().lower() != "application/json":
        return _no(400, "UnsupportedContentType", "The content type is not application/json.")
    return None


def _log_type(call: Call) -> Verdict | None:
    kind = call.headers.get("Log-Type", "")
    if not kind:
        return _no(400, "MissingLogType", "The log type wasn't specified.")
    if not _LOG_TYPE.fullmatch(kind):
        return _no(400, "InvalidLogType", "The log type may have letters, digits and underscores, 100 at most.")
    return None


def _data(call: Call) -> Verdict:
    if len(call.body) > LARGEST:
        return _no(413, "RequestEntityTooLarge", "More than 30 MB in one post.")
    try:
        value = json.loads(call.body)
    except ValueError:
        value = None
    events = value if isinstance(value, list) else [value]
    if not events or not all(isinstance(event, dict) for event in events):
        return _no(400, "InvalidDataFormat", "The body is not a JSON object or an array of them.")
    table = call.headers["Log-Type"] + "_CL"
    return Verdict(Reply(200), True, f"records for {table}: {len(events)}, signature verified", events)


def _age(date: str) -> float:
    """Seconds from now, either way; endless for no date."""
    try:
        return abs(parsedate_to_datetime(date).timestamp() - time.time())
    except (TypeError, ValueError):
        return float("inf")
