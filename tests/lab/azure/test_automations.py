# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Continuous export of Defender for Cloud in the lab: what it takes, keeps to itself and refuses."""

from __future__ import annotations

from typing import Any

import pytest

from lab.client import LabClient
from lab.testing import CONTOSO

SHARED = "/subscriptions/20000000-0000-4000-8000-000000000003"
GROUP = f"{SHARED}/resourceGroups/rg-operations"
NAMESPACE = f"{GROUP}/providers/Microsoft.EventHub/namespaces/evh-contoso-ops"
HUB = f"{NAMESPACE}/eventhubs/xdr"
EXPORT = f"{GROUP}/providers/Microsoft.Security/automations/ours"


class Cloud:
    """Contoso, by its administrator."""

    def __init__(self, lab: LabClient) -> None:
        self.lab = lab
        self.bearer = {"Authorization": f"Bearer {lab.admin_token(CONTOSO, 'arm')}"}
        assert self("PUT", HUB, {"properties": {}}, "2024-01-01")[0] == 200
        _status, keys = self(
            "POST", f"{NAMESPACE}/authorizationRules/RootManageSharedAccessKey/listKeys", None, "2024-01-01"
        )
        self.secret = str(keys["primaryConnectionString"])

    def __call__(self, method: str, path: str, body: Any = None, version: str = "2019-01-01-preview") -> Any:
        status, _headers, value = self.lab.call(method, f"{path}?api-version={version}", body, self.bearer)
        return status, value

    def export(self, **properties: Any) -> Any:
        action = {"actionType": "EventHub", "eventHubResourceId": HUB, "connectionString": self.secret}
        given = {"scopes": [{"scopePath": SHARED}], "sources": [{"eventSource": "Alerts"}], "actions": [action]}
        return self("PUT", EXPORT, {"location": "westeurope", "properties": {**given, **properties}})


@pytest.fixture
def cloud(lab: LabClient) -> Cloud:
    return Cloud(lab)


def test_an_export_is_made_shown_without_its_secret_and_removed(cloud: Cloud) -> None:
    assert cloud.export()[0] == 201
    _status, listed = cloud("GET", f"{SHARED}/providers/Microsoft.Security/automations")
    (one,) = listed["value"]
    action = one["properties"]["actions"][0]
    assert (action["sasPolicyName"], "connectionString" in action) == ("RootManageSharedAccessKey", False)
    assert cloud("GET", EXPORT)[1] == one
    assert (cloud("DELETE", EXPORT)[0], cloud("GET", EXPORT)[0], cloud("DELETE", EXPORT)[0]) == (200, 404, 204)


@pytest.mark.parametrize(
    "properties",
    [{"scopes": []}, {"scopes": [{"scopePath": "/subscriptions/x"}]}, {"sources": [{"eventSource": "Rumours"}]},
     {"actions": []}, {"actions": [{"actionType": "EventHub", "eventHubResourceId": f"{NAMESPACE}/eventhubs/none"}]},
     {"actions": [{"actionType": "EventHub", "eventHubResourceId": HUB, "connectionString": "Endpoint=x"}]}],
)  # fmt: skip
def test_what_cannot_be_is_refused(cloud: Cloud, properties: dict[str, Any]) -> None:
    assert cloud.export(**properties)[0] == 400


def test_the_provider_has_to_be_registered(cloud: Cloud) -> None:
    cloud.lab.edit("unregister", subscription=SHARED.split("/")[2], provider="Microsoft.Security")
    assert cloud.export()[0] == 409


def test_messages_of_a_stream_are_told_and_counted(cloud: Cloud) -> None:
    cloud.lab.edit("defender_stream", tenant=CONTOSO, hub=HUB, tables=["DeviceInfo", "AlertInfo"], ago=600)
    (message,) = cloud.lab.azure.messages(HUB)
    assert "AdvancedHunting-AlertInfo" in message["body"]
    path = f"{NAMESPACE}/providers/Microsoft.Insights/metrics"
    status, _headers, value = cloud.lab.call(
        "GET", f"{path}?api-version=2024-02-01&metricnames=IncomingMessages&$filter=EntityName%20eq%20'xdr'", None,
        cloud.bearer,
    )  # fmt: skip
    assert (status, sum(one["total"] for one in value["value"][0]["timeseries"][0]["data"])) == (200, 1)
