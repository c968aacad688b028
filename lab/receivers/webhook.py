# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A generic webhook that checks its headers, and Fluency's listener.

Which fields a sender is configured with: Coro's guide on SIEM connectors. Assumed: POST of JSON, 200 for accepted, 401
for a wrong header or token; and for Fluency, which publishes no such listener, where the token may stand.
"""

from __future__ import annotations

import hmac
import json
from typing import Any, ClassVar

from lab.kernel.http import Call, Reply, dumps
from lab.receivers.receiver import Receiver, Verdict, scheme_of


class Webhook(Receiver):
    """Secrets: headers {name: value}, each of which must be there and equal. Options: `status` of accepted requests."""

    name: ClassVar[str] = "generic"
    needs: ClassVar[str] = "its headers"
    path: ClassVar[str] = "/hooks"
    defaults: ClassVar[dict[str, Any]] = {"status": 200}

    def judge(self, call: Call) -> Verdict:
        """POST of any JSON to any path; assumed."""
        refused = _no_post(call)
        if refused:
            return refused
        wanted = self.secrets["headers"]
        missing = [name for name in wanted if name not in call.headers]
        if missing:
            return _no(401, f"no header {', '.join(missing)}")
        differ = [name for name, value in wanted.items() if not _same(call.headers[name], value)]
        if differ:
            return _no(401, f"wrong value of header {', '.join(differ)}")
        checked = f"headers {', '.join(wanted)} verified" if wanted else "no headers to verify"
        return _json(call, self.options["status"], checked)


class Fluency(Receiver):
    """Secret: token, taken from any of the usual places; the record says from which."""

    name: ClassVar[str] = "fluency"
    needs: ClassVar[str] = "the token"
    path: ClassVar[str] = "/fluency"

    def judge(self, call: Call) -> Verdict:
        """POST of JSON with the token; assumed."""
        refused = _no_post(call)
        if refused:
            return refused
        places = _tokens(call)
        for place, value in places.items():
            if _same(value, self.secrets["token"]):
                return _json(call, 200, f"token found as {place}")
        return _no(401, f"wrong token as {', '.join(places)}" if places else "no token in any known place")


_HEADERS = ("X-Auth-Token", "X-API-Key", "X-Fluency-Token", "Token")
_PARAMETERS = ("token", "access_token", "api_key")


def _tokens(call: Call) -> dict[str, str]:
    """Place -> value, of every place that may carry a token."""
    scheme, rest = scheme_of(call.headers.get("Authorization", ""))
    found = {f"Authorization: {scheme}" if scheme else "Authorization": rest} if rest else {}
    found |= {f"header {name}": call.headers[name] for name in _HEADERS if name in call.headers}
    found |= {f"query {name}": call.query[name] for name in _PARAMETERS if name in call.query}
    return found


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _no_post(call: Call) -> Verdict | None:
    return None if call.method == "POST" else _no(405, f"{call.method} instead of POST")


def _json(call: Call, status: int, why: str) -> Verdict:
    try:
        value = json.loads(call.body)
    except ValueError:
        return _no(400, "the body is not JSON")
    events = value if isinstance(value, list) else [value]
    return Verdict(Reply(status, dumps({"status": "ok"})), 200 <= status < 300, f"events: {len(events)}, {why}", events)


def _no(status: int, why: str) -> Verdict:
    return Verdict(Reply(status, dumps({"error": why})), False, why)
