# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One receiver of each kind: what they are configured with, and how they are read and changed."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from lab.kernel.context import Lab, State
from lab.receivers.data_collector import DataCollector
from lab.receivers.receiver import Receiver
from lab.receivers.splunk import Collector
from lab.receivers.webhook import Fluency, Webhook

PORTS = {"splunk": 8088, "azure": 8443, "generic": 8444, "fluency": 8445}  # of `python -m lab.receivers`
WORKSPACE_ID = "6c1a7e52-0b3f-4d5e-9a41-2f8b0c9d7e10"


class Receivers:
    """By name: splunk, azure, generic, fluency. `derive` gives the secret bytes of a name, always the same."""

    def __init__(self, derive: Callable[[str], bytes]) -> None:
        made: tuple[Receiver, ...] = (
            Collector(token=str(uuid.UUID(bytes=derive("splunk")[:16], version=4))),
            DataCollector(
                workspace_id=WORKSPACE_ID, primary_key=base64.b64encode(derive("azure") + derive("azure2")).decode()
            ),
            Webhook(headers={"X-Api-Key": derive("generic").hex()[:32]}),
            Fluency(token=base64.urlsafe_b64encode(derive("fluency")[:24]).decode()),
        )
        self.by_name: dict[str, Receiver] = {one.name: one for one in made}

    def describe(self, urls: dict[str, str]) -> dict[str, dict[str, Any]]:
        """What a sender must be told, secrets in the clear: {name: {url, and the receiver's secrets}}."""
        return {name: {"url": url, **self.by_name[name].secrets} for name, url in urls.items()}

    def records(self, name: str, last: int) -> list[dict[str, Any]]:
        """The last requests of one receiver, oldest first."""
        return [asdict(one) for one in list(self.by_name[name].records)[-last:]]

    def change(self, name: str, values: dict[str, Any]) -> dict[str, Any]:
        """Set options or secrets of a receiver; gives all its options."""
        self.by_name[name].change(values)
        return self.by_name[name].options


def addresses(base: str, receivers: Receivers) -> dict[str, str]:
    """URLs of all receivers at one address."""
    return {name: base + one.path for name, one in receivers.by_name.items()}


class Listening(State):
    """Those that listen at the lab's own address."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.receivers = Receivers(lab.derive)

    def describe(self) -> dict[str, dict[str, Any]]:
        """What a sender must be told."""
        return self.receivers.describe(addresses(self.url, self.receivers))
