# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients of receivers: of those in a lab, and of those that run alone; of nothing but the standard library."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab.client import LabClient

Control = Callable[..., Any]  # (method, path, body) -> value


class _Control:
    """splunk, azure, generic, fluency: what they are configured with, what they got, and how they answer."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def describe(self) -> dict[str, dict[str, Any]]:
        """By name: url, and token | workspace_id and primary_key | headers."""
        return dict(self._control("GET", "receivers"))

    def records(self, name: str, last: int = 100) -> list[dict[str, Any]]:
        """Requests, oldest first: lab.receivers.receiver.Record."""
        return list(self._control("GET", f"receivers/records?receiver={name}&last={last}"))

    def events(self, name: str) -> list[Any]:
        """What was stored, oldest first."""
        return [event for record in self.records(name, 1000) for event in record["events"]]

    def configure(self, name: str, **options: Any) -> dict[str, Any]:
        """Options and secrets of a receiver, see its class; all have `answer`: "401", "500", "timeout", "redirect"."""
        return dict(self._control("POST", "receivers", {"receiver": name, **options}))


class Client(_Control):
    """Of those in a lab."""

    def __init__(self, lab: LabClient) -> None:
        super().__init__(lab.control)


class ReceiversClient(_Control):
    """Of `python -m lab.receivers`. `state_dir` holds control.json and, with TLS of their own, ca.pem."""

    def __init__(self, state_dir: str | Path) -> None:
        super().__init__(self._ask)
        self.state_dir = Path(state_dir)
        self.ca_file = str(self.state_dir / "ca.pem")
        self._state = json.loads((self.state_dir / "control.json").read_text())
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """ValueError in the receivers' own words."""
        request = urllib.request.Request(
            f"{self._state['url']}/_lab/{path}",
            json.dumps(body).encode() if body is not None else None,
            {"Authorization": f"Bearer {self._state['token']}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            with self._opener.open(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise ValueError(json.load(error)["error"]) from None
