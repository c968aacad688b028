# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Event Hub on AMQP 1.0, of Apache Qpid Proton: one partition with the events that it is given.

event_hub_broker.py PORT CERTIFICATE_AND_KEY BODIES.json [refuse]

Runs in .cache/peers/eventhub. Shapes: learn.microsoft.com «AMQP 1.0 in Azure Service Bus and Event Hubs protocol
guide»; $cbs takes every token, or none with «refuse».
"""

from __future__ import annotations

import json
import re
import sys
import time
from typing import Any

from proton import Message, SSLDomain, int32, symbol, timestamp
from proton.handlers import MessagingHandler
from proton.reactor import Container


class Broker(MessagingHandler):  # type: ignore[misc]
    def __init__(self, port: str, pem: str, bodies: list[str], *, refuse: bool) -> None:
        super().__init__(auto_accept=True, prefetch=100)
        self.port, self.pem, self.bodies, self.refuse = port, pem, bodies, refuse
        self.senders: dict[tuple[Any, str], Any] = {}

    def on_start(self, event: Any) -> None:
        domain = SSLDomain(SSLDomain.MODE_SERVER)
        domain.set_credentials(self.pem, self.pem, None)
        event.container.listen(f"amqps://127.0.0.1:{self.port}", ssl_domain=domain)
        print("broker ready", flush=True)

    def on_link_opening(self, event: Any) -> None:
        link = event.link
        if not link.is_sender:
            link.target.copy(link.remote_target)
            link.source.copy(link.remote_source)
            return
        link.source.copy(link.remote_source)
        link.target.copy(link.remote_target)
        address = link.remote_source.address
        self.senders[event.connection, address] = link
        link.first = self._first(link) if "/Partitions/" in address else None

    def _first(self, link: Any) -> int:
        """The number that the filter begins with."""
        held = link.remote_source.filter
        held.rewind()
        text = str(held.get_object() if held.next() else "")
        found = re.search(r"sequence-number (>=?) '?(-?\d+)", text)
        return int(found[2]) + (found[1] == ">") if found else 0

    def on_sendable(self, event: Any) -> None:
        link = event.link
        while getattr(link, "first", None) is not None and link.first < len(self.bodies) and link.credit:
            number = link.first
            marks = {
                symbol("x-opt-sequence-number"): number,
                symbol("x-opt-offset"): str(number),
                symbol("x-opt-enqueued-time"): timestamp(int(time.time() * 1000)),
            }
            link.send(Message(body=self.bodies[number].encode(), inferred=True, annotations=marks))
            link.first += 1

    def on_message(self, event: Any) -> None:
        address, asked = event.link.remote_target.address, event.message
        reply = self.senders[event.connection, address]
        if address == "$cbs":
            code = 401 if self.refuse else 202
            answer = Message(properties={"status-code": int32(code), "status-description": "said by the broker"})
        else:
            answer = Message(body=self._about(asked), properties={"status-code": int32(200)})
        answer.correlation_id = asked.id
        reply.send(answer)

    def _about(self, asked: Message) -> dict[str, Any]:
        now, last = timestamp(int(time.time() * 1000)), len(self.bodies) - 1
        if asked.properties["type"] == "com.microsoft:eventhub":
            return {"name": "hub", "created_at": now, "partition_count": int32(1), "partition_ids": ["0"]}
        return {
            "name": "hub",
            "partition": "0",
            "begin_sequence_number": 0,
            "last_enqueued_sequence_number": last,
            "last_enqueued_offset": str(last),
            "last_enqueued_time_utc": now,
            "is_partition_empty": last < 0,
        }


if __name__ == "__main__":
    port, pem, bodies, *more = sys.argv[1:]
    with open(bodies) as file:
        Container(Broker(port, pem, json.load(file), refuse="refuse" in more)).run()
