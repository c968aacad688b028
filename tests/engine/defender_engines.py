# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the engines of Defender XDR in this process, against a lab, as Ansible's action would.

The lab speaks no AMQP: what azure-eventhub would read is what others have sent to the lab's hub. The library itself is
held to a broker in tests/lab/azure/test_event_hub_peer.py.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.defender_xdr import capability, options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity.options import IDENTITY_RULES
from lab.client import LabClient
from lab.testing import CONTOSO

from .event_hub_engines import HUB, WRITER, Customer

ALL_WAYS = ["alerts", "incidents", "hunting", "streaming", "continuous_export"]
TABLES = ["AlertInfo", "DeviceInfo", "DeviceProcessEvents", "UrlClickEvents"]
RECEIVER = "Azure Event Hubs Data Receiver"


class EventHubError(Exception):
    """As azure-eventhub has it."""


class AuthenticationError(EventHubError):
    """Likewise."""


class Defender:
    """Runs on one tenant, whose hub the other role has made. denied: the hub takes no token."""

    def __init__(self, lab: LabClient, tenant: str = CONTOSO) -> None:
        self.lab, self.tenant, self.denied = lab, tenant, False
        self.customer = Customer(lab)
        named = ("subscription_id", "resource_group", "namespace")
        self.given = {
            **{name: value for name, value in self.customer.given.items() if name in options.ACCESS_SPEC},
            **{name: self.customer.given[name] for name in named},
            "tenant_id": tenant,
            "graph_url": f"{lab.url}/graph",
            "tables": TABLES,
        }

    def hub(self) -> str:
        """All rights, and the hub as the other role makes it; its id."""
        self.customer.may()
        self.customer.may(RECEIVER)
        self.customer.make_namespace()
        self.customer.make_hub()
        rights = {"properties": {"rights": ["Listen", "Manage", "Send"]}}
        assert self.customer.arm("PUT", WRITER, rights)[0] == 200
        return HUB

    def may(self, *permissions: str) -> None:
        for permission in permissions:
            self.lab.edit("grant_permission", tenant=self.tenant, resource="microsoft_graph", permission=permission)

    def stream(self, hub: str, *tables: str, ago: float = 60.0) -> None:
        self.lab.edit("defender_stream", tenant=self.tenant, hub=hub, tables=list(tables), ago=ago)

    def run(self, engine: Any, spec: dict[str, Any], *, check: bool = False, **given: Any) -> dict[str, Any]:
        wanted = {key: value for key, value in {**self.given, **given}.items() if key in spec}
        found = ArgumentSpecValidator(spec, **IDENTITY_RULES).validate(wanted)
        assert not found.error_messages, found.error_messages
        with self.library():
            return execute(engine, "defender_xdr", found.validated_parameters, check=check, diff=True,
                           secrets=found._no_log_values)  # fmt: skip

    def converge(self, *, check: bool = False, **given: Any) -> dict[str, Any]:
        return self.run(capability.converge, options.CONVERGE_SPEC, check=check, **given)

    def verify(self, **given: Any) -> dict[str, Any]:
        return self.run(capability.verify, options.STREAM_SPEC, **given)

    def preflight(self, **given: Any) -> dict[str, Any]:
        return self.run(capability.preflight, options.ACCESS_SPEC, **given)

    @contextmanager
    def library(self) -> Iterator[None]:
        """azure-eventhub as far as it is used, on what is in the lab's hub."""
        standin = self

        class Client:
            def __init__(self, host: str, hub: str, group: str, credential: Any, **_more: Any) -> None:
                place = standin.given
                self.credential, namespace = credential, host.partition(".")[0]
                assert (namespace, group) == (place["namespace"], "mssp-onboarding")
                self.hub = (
                    f"/subscriptions/{place['subscription_id']}/resourceGroups/{place['resource_group']}/providers/"
                    f"Microsoft.EventHub/namespaces/{namespace}/eventhubs/{hub}"
                )

            async def __aenter__(self) -> Client:
                return self

            async def __aexit__(self, *_error: object) -> None:
                return None

            async def get_partition_ids(self) -> list[str]:
                assert (await self.credential.get_token("x")).token
                if standin.denied:
                    raise AuthenticationError("Unauthorized access. 'Listen' claim(s) are required")
                self.held = standin.lab.azure.messages(self.hub)
                return ["0"]

            async def get_partition_properties(self, _id: str) -> dict[str, Any]:
                last = len(self.held) - 1
                return {"is_empty": last < 0, "last_enqueued_sequence_number": last, "beginning_sequence_number": 0}

            async def receive(self, take: Any, *, starting_position: int, **_more: Any) -> None:
                for number, one in enumerate(self.held[starting_position:], starting_position):
                    came = datetime.fromtimestamp(one["time"], UTC)
                    event = SimpleNamespace(body=[one["body"].encode()], enqueued_time=came, sequence_number=number)
                    await take(None, event)

        made = {
            name: ModuleType(name) for name in ("azure.eventhub", "azure.eventhub.aio", "azure.eventhub.exceptions")
        }
        made["azure.eventhub.aio"].EventHubConsumerClient = Client  # type: ignore[attr-defined]
        made["azure.eventhub.exceptions"].AuthenticationError = AuthenticationError  # type: ignore[attr-defined]
        made["azure.eventhub.exceptions"].EventHubError = EventHubError  # type: ignore[attr-defined]
        with patch.dict(sys.modules, made):
            yield
