# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists in the lab's Secure Endpoint: organisations with their credential, streams and events.

Fields: api-docs.amp.cisco.com («Event Streams», «Events»); ids of event types as they are published there.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, ClassVar

from lab.kernel.context import Lab, State
from lab.kernel.registration import Scenario
from lab.secure_endpoint.broker import Broker, Memory, RabbitMQ

EVENT_TYPES = {
    553648130: "Policy Update",
    554696714: "Scan Started",
    554696715: "Scan Completed, No Detections",
    1090519054: "Threat Detected",
}


@dataclass(slots=True)
class Organisation:
    """host: the region's, which alone knows the credential. writes: whether its scope is Read & Write."""

    client_id: str
    name: str
    host: str
    groups: dict[str, str] = field(default_factory=dict)  # guid -> name
    writes: bool = True
    events: list[tuple[float, int]] = field(default_factory=list)  # world seconds, event type


@dataclass(slots=True)
class Stream:
    """Empty filters are all."""

    id: int
    organisation: str
    name: str
    event_type: list[int]
    group_guid: list[str]
    user: str
    password: str

    @property
    def queue(self) -> str:
        return f"event_stream_{self.id}"


class SecureEndpoint(State):
    """secure_endpoint_hides_filters: a list does not show them; secure_endpoint_refusal: status of a credential that
    may only read; secure_endpoint_broker: a RabbitMQ in place of the memory, see lab.secure_endpoint.broker."""

    configurable: ClassVar[tuple[str, ...]] = (
        "secure_endpoint_hides_filters",
        "secure_endpoint_refusal",
        "secure_endpoint_broker",
    )

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.organisations: dict[str, Organisation] = {}
        self.streams: dict[int, Stream] = {}
        self.secure_endpoint_hides_filters = False
        self.secure_endpoint_refusal = 403
        self.broker: Broker = Memory()
        self._place = ""
        self._last = 16

    @property
    def secure_endpoint_broker(self) -> str:
        return self._place

    @secure_endpoint_broker.setter
    def secure_endpoint_broker(self, place: str) -> None:
        self.close()
        self._place, self.broker = place, RabbitMQ(place) if place else Memory()

    def close(self) -> None:
        for one in list(self.streams.values()):
            self.remove(one)

    def key(self, client_id: str) -> str:
        return self.lab.derive(client_id).hex()[:36]

    def of(self, client_id: str) -> list[Stream]:
        return [one for one in self.streams.values() if one.organisation == client_id]

    def add(self, client_id: str, name: str, event_type: list[int], group_guid: list[str]) -> Stream:
        self._last += 1
        user = f"{self._last}-{secrets.token_hex(10)}"
        made = Stream(self._last, client_id, name, event_type, group_guid, user, secrets.token_hex(20))
        self.broker.add(made.user, made.password, made.queue)
        self.streams[made.id] = made
        return made

    def remove(self, one: Stream) -> None:
        self.broker.remove(one.user, one.queue)
        del self.streams[one.id]

    def happen(self, client_id: str, event_type: int, event: dict[str, Any]) -> None:
        """An event, in the list and in each stream that wants its type."""
        self.organisations[client_id].events.append((event["at"], event_type))
        told = {**event, "timestamp": int(self.shown(event["at"]))}
        for one in self.of(client_id):
            if not one.event_type or event_type in one.event_type:
                self.broker.publish(one.queue, {key: value for key, value in told.items() if key != "at"})


def load(state: SecureEndpoint, scenario: Scenario) -> None:
    """The key C(secure_endpoint) of a scenario: organisations."""
    for item in scenario.get("secure_endpoint", []):
        one = Organisation(**item)
        state.organisations[one.client_id] = one
