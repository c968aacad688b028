# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the lab's control endpoint, of nothing but the standard library."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from lab.coro_client import CoroControl
from lab.graph_client import EntraControl, NoRedirect
from lab.graph_client import LabError as LabError
from lab.receivers_client import ReceiversControl


class LabClient(EntraControl):
    """Control of a running lab. `state_dir` holds lab.json, ca.pem, app.secret, app.pem and app.jwt."""

    def __init__(self, state_dir: str | Path) -> None:
        self.state_dir = Path(state_dir)
        state = json.loads((self.state_dir / "lab.json").read_text())
        self.url: str = state["url"]
        self.pid: int = state["pid"]
        self.ca_file = str(self.state_dir / "ca.pem")
        self.certificate_path = str(self.state_dir / "app.pem")
        self.federated_token_file = str(self.state_dir / "app.jwt")
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            NoRedirect(),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=self.ca_file)),
        )

        self.coro = CoroControl(self.control)
        self.receivers = ReceiversControl(self.control)

    @property
    def secret(self) -> str:
        return (self.state_dir / "app.secret").read_text()

    @property
    def falcon_api_url(self) -> str:
        """The base URL of the CrowdStrike cloud: the lab's own."""
        return self.url

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, str], Any]:
        """Any request to the lab: (status, headers in lower case, parsed body or bytes). Errors are no exceptions."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data, method=method, headers={"Content-Type": "application/json", **(headers or {})}
        )
        try:
            with self._opener.open(request, timeout=60) as answer:
                status, raw, got = answer.status, answer.read(), answer.headers
        except urllib.error.HTTPError as error:
            status, raw, got = error.code, error.read(), error.headers
        try:
            value = json.loads(raw) if raw else None
        except ValueError:
            value = raw
        return status, {key.lower(): text for key, text in got.items()}, value

    def control(self, method: str, path: str, body: Any = None) -> Any:
        status, _headers, value = self.call(method, "/_lab/" + path, body)
        if status != 200:
            raise LabError(f"{method} {path}: {value.get('error') if isinstance(value, dict) else value}")
        return value

    def status(self) -> dict[str, Any]:
        return dict(self.control("GET", "status"))

    def reset(self) -> None:
        """Back to the scenario: settings, faults, clock, buckets, journal, switches."""
        self.control("POST", "reset")

    def requests(self, last: int = 0) -> dict[str, Any]:
        """lab.journal.Journal.summary: total, by_kind, counts, max_in_flight, last."""
        return dict(self.control("GET", f"requests?last={last}"))

    def reset_requests(self) -> None:
        self.control("POST", "requests/reset")

    def world(self, target: str = "", resources: bool = False) -> dict[str, Any]:
        query = urllib.parse.urlencode({"target": target, **({"resources": 1} if resources else {})})
        return dict(self.control("GET", f"world?{query}"))

    def settings(self, target: str) -> dict[str, Any]:
        """Settings of one target by name, as a GET shows them."""
        held = self.world(target)["settings"].get(target.lower(), {})
        return {name: value["shown"] for name, value in held.items()}

    def edit(self, edit: str, **fields: Any) -> None:
        """A portal edit; names and fields in lab/edits.py."""
        self.control("POST", "edit", {"edit": edit, **fields})

    def drift(self) -> list[dict[str, Any]]:
        return list(self.control("POST", "drift")["done"])

    def fault(self, action: str, **fields: Any) -> None:
        """A fault; actions and fields in lab/faults.py."""
        self.control("POST", "faults", {"action": action, **fields})

    def clear_faults(self) -> None:
        self.control("DELETE", "faults")

    def advance(self, seconds: float) -> None:
        """Make everything in the world that much older."""
        self.control("POST", "clock", {"advance": seconds})

    def configure(self, **switches: Any) -> None:
        """token_life, latency, graph_lag, propagation, operation, aadiam_lag (s), page_size, throttle (bool), drain
        ([scope, reads|writes|deletes])."""
        self.control("POST", "configure", switches)

    # -- the CrowdStrike cloud; a CID or an API client goes by its name -------------------------------------------

    def falcon(self) -> dict[str, Any]:
        """lab.falcon_control.state: cids, clients (id, secret, scopes), sessions (reading, delivered), switches."""
        return dict(self.control("GET", "falcon"))

    def falcon_do(self, deed: str, **fields: Any) -> dict[str, Any]:
        """What lab/falcon_control.py lists."""
        return dict(self.control("POST", "falcon", {"do": deed, **fields}))

    def falcon_emit(
        self,
        cid: str,
        count: int = 1,
        type: str = "EppDetectionSummaryEvent",
        partition: int | None = None,
        **fields: Any,
    ) -> list[tuple[int, int]]:
        """New events; their (partition, offset)."""
        made = self.falcon_do("emit", cid=cid, count=count, type=type, partition=partition, fields=fields)
        return [(item, offset) for item, offset in made["offsets"]]

    def falcon_client(self, name: str) -> tuple[str, str]:
        """(client id, secret that is valid now)"""
        found = self.falcon()["clients"][name]
        return str(found["id"]), str(found["secret"])

    def falcon_rotate_secret(self, client: str) -> str:
        """The new secret; the old one is void at once."""
        return str(self.falcon_do("rotate_secret", client=client)["secret"])

    def falcon_sessions(self, cid: str, app_id: str | None = None) -> list[dict[str, Any]]:
        """Oldest first: reading, opened, refreshed, delivered, last_offset of each session."""
        found = self.falcon()["sessions"]
        return [item for item in found if item["cid"] == cid and app_id in (None, item["app_id"])]
