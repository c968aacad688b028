# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the queues are: in memory, or in a RabbitMQ that a test has started and whose management API it names.

One virtual host, the default one, as public consumers of the vendor's streams connect without naming any; what keeps
the readers apart is a user for each stream, who may read its own queue and nothing else.
"""

from __future__ import annotations

import base64
import json
import urllib.request
from typing import Any, Protocol
from urllib.parse import quote

TTL_MILLISECONDS = 10 * 86_400_000


class Broker(Protocol):
    """host, port: what clients are told."""

    host: str
    port: int

    def add(self, user: str, password: str, queue: str) -> None:
        """A queue, and a user who may read it."""

    def remove(self, user: str, queue: str) -> None: ...

    def publish(self, queue: str, event: Any) -> None: ...


class Memory:
    """Counts only; nobody can connect to it. consumers: by queue, as a test sets them."""

    host, port = "export-streaming.lab.invalid", 443

    def __init__(self) -> None:
        self.messages: dict[str, int] = {}
        self.consumers: dict[str, int] = {}

    def add(self, user: str, password: str, queue: str) -> None:
        self.messages[queue] = self.consumers[queue] = 0

    def remove(self, user: str, queue: str) -> None:
        del self.messages[queue], self.consumers[queue]

    def publish(self, queue: str, event: Any) -> None:
        self.messages[queue] += 1


class RabbitMQ:
    """By its management API on loopback. place: URL, user, password, and the host and port of its TLS listener.

    ttl: how long a message is kept, in milliseconds of the real clock.
    """

    def __init__(self, place: str, ttl: int = TTL_MILLISECONDS) -> None:
        self._url, user, password, self.host, port = place.split()
        self.port = int(port)
        self._authorization = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        policy = {"pattern": "^event_stream_", "definition": {"message-ttl": ttl}, "apply-to": "queues"}
        self._call("PUT", "policies/%2F/ten-days", policy)

    def add(self, user: str, password: str, queue: str) -> None:
        self._call("PUT", f"queues/%2F/{quote(queue)}", {"durable": True, "auto_delete": False})
        self._call("PUT", f"users/{quote(user)}", {"password": password, "tags": ""})
        rights = {"configure": "^$", "write": "^$", "read": f"^{queue}$"}
        self._call("PUT", f"permissions/%2F/{quote(user)}", rights)

    def remove(self, user: str, queue: str) -> None:
        self._call("DELETE", f"queues/%2F/{quote(queue)}")
        self._call("DELETE", f"users/{quote(user)}")

    def publish(self, queue: str, event: Any) -> None:
        text = json.dumps(event)
        body = {"properties": {"delivery_mode": 2}, "routing_key": queue, "payload": text, "payload_encoding": "string"}
        self._call("POST", "exchanges/%2F/amq.default/publish", body)

    def _call(self, method: str, path: str, body: Any = None) -> None:
        headers = {"Authorization": self._authorization, "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._url}/api/{path}", data, headers, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            answer.read()
