# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the lab's control endpoint, of nothing but the standard library."""

from __future__ import annotations

import json
import pkgutil
import ssl
import urllib.error
import urllib.request
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import lab


class LabError(RuntimeError):
    """The lab said no; the text is its own."""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """The redirect itself is the answer: where it leads nobody may be."""

    def redirect_request(self, *_: Any) -> None:
        return None


class LabClient:
    """Control of a running lab, whose state directory holds lab.json, ca.pem and what the vendors leave there.

    Each vendor's part has the name of its package (`lab.coro.emit(...)`): it is the class `Client` of
    lab/NAME/client.py. What such a class names in `shared` is an attribute here, too (`lab.secret`).
    """

    def __init__(self, state_dir: str | Path) -> None:
        self.state_dir = Path(state_dir)
        state = json.loads((self.state_dir / "lab.json").read_text())
        self.url: str = state["url"]
        self.pid: int = state["pid"]
        self.ca_file = str(self.state_dir / "ca.pem")
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            NoRedirect(),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=self.ca_file)),
        )
        self._parts = {vendor: kind(self) for vendor, kind in clients().items()}

    def __getattr__(self, name: str) -> Any:
        """A vendor's part by the name of its package, or what such a part shares."""
        parts = self.__dict__.get("_parts", {})
        if name in parts:
            return parts[name]
        for part in parts.values():
            if name in getattr(part, "shared", ()):
                return getattr(part, name)
        raise AttributeError(f"the lab has no '{name}'")

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
        """Back to the scenario: state, faults, clock, buckets, request log, switches."""
        self.control("POST", "reset")

    def requests(self, last: int = 0) -> dict[str, Any]:
        """lab.kernel.request_log.RequestLog.summary: total, by_kind, counts, max_in_flight, last."""
        return dict(self.control("GET", f"requests?last={last}"))

    def reset_requests(self) -> None:
        self.control("POST", "requests/reset")

    def edit(self, edit: str, **fields: Any) -> None:
        """A mutation by somebody else; names and fields in the vendors' mutations.py."""
        self.control("POST", "edit", {"edit": edit, **fields})

    def drift(self) -> list[dict[str, Any]]:
        return list(self.control("POST", "drift")["done"])

    def fault(self, action: str, **fields: Any) -> None:
        """A fault; actions and fields in lab/kernel/faults.py."""
        self.control("POST", "faults", {"action": action, **fields})

    def clear_faults(self) -> None:
        self.control("DELETE", "faults")

    def advance(self, seconds: float) -> None:
        """Make everything in the world that much older."""
        self.control("POST", "clock", {"advance": seconds})

    def configure(self, **switches: Any) -> None:
        """throttle (bool), drain ([scope, operation]), latency (s), and what the vendors' states name `configurable`:
        token_life, graph_lag, propagation, operation, aadiam_lag (s), page_size."""
        self.control("POST", "configure", switches)


@cache
def clients() -> dict[str, Any]:
    """The class `Client` of every package that has one."""
    packages = [one.name for one in pkgutil.iter_modules(lab.__path__) if one.ispkg]
    found = [name for name in packages if find_spec(f"lab.{name}.client")]
    return {name: import_module(f"lab.{name}.client").Client for name in found}
