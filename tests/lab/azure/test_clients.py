# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that others wrote work against the lab: azure-identity, azure-monitor-query, azure-mgmt-*, az."""

from __future__ import annotations

import asyncio
import base64
import fcntl
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential, ClientSecretCredential, WorkloadIdentityCredential, aio
from azure.mgmt.monitor import MonitorManagementClient
from azure.monitor.query import LogsQueryClient, LogsQueryStatus

from lab.azure import flows
from lab.client import LabClient
from lab.testing import CLIENT_ID, CONTOSO, EVENT_HUB_RULE, FABRIKAM, PROSEWARE, ROOT, TAILSPIN, WORKSPACE

PEERS = ROOT / ".cache" / "peers"
# Releases that have diagnostic settings, or go with those; installed apart from the environment's.
OLD = {
    "monitor6": ["azure-mgmt-monitor==6.0.2"],
    "resource": ["azure-mgmt-resource==23.4.0", "azure-mgmt-resourcegraph==8.0.1"],
}
PRODUCTION = CONTOSO[:-1] + "1"
VAULT = f"/subscriptions/{PRODUCTION}/resourceGroups/rg-shop-prod/providers/Microsoft.KeyVault/vaults/kv-shop-prod"
OWN_WORKSPACE = (
    f"/subscriptions/{CONTOSO[:-1]}3/resourceGroups/rg-operations/providers/Microsoft.OperationalInsights/workspaces"
    "/law-contoso-ops"
)
NAMESPACE = EVENT_HUB_RULE.partition("/authorizationRules")[0]
ALL = [{"categoryGroup": "allLogs", "enabled": True}]


# -- azure-identity ---------------------------------------------------------------------------------------------------


def options(lab: LabClient) -> dict[str, Any]:
    return {
        "authority": lab.url,
        "disable_instance_discovery": True,
        "connection_verify": lab.ca_file,
        "additionally_allowed_tenants": ["*"],
    }


def secret(lab: LabClient, kind: Any = ClientSecretCredential, tenant: str = CONTOSO, value: str = "") -> Any:
    return kind(tenant, CLIENT_ID, value or lab.secret, **options(lab))


def certificate(lab: LabClient, kind: Any = CertificateCredential) -> Any:
    return kind(PROSEWARE, CLIENT_ID, certificate_path=lab.certificate_path, **options(lab))


def workload(lab: LabClient, kind: Any = WorkloadIdentityCredential) -> Any:
    return kind(tenant_id=TAILSPIN, client_id=CLIENT_ID, token_file_path=lab.federated_token_file, **options(lab))


def tid(token: str) -> str:
    part = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["tid"])


@pytest.mark.parametrize(("make", "tenant"), [(secret, CONTOSO), (certificate, PROSEWARE), (workload, TAILSPIN)])
def test_credentials(lab: LabClient, make: Callable[[LabClient], Any], tenant: str) -> None:
    with make(lab) as credential:
        assert tid(credential.get_token(f"{lab.url}/.default").token) == tenant
        assert tid(credential.get_token(f"{lab.url}/.default", tenant_id=CONTOSO).token) == CONTOSO
        assert credential.get_token("https://management.azure.com/.default").expires_on > 0


@pytest.mark.parametrize(
    ("make", "kind", "tenant"),
    [
        (secret, aio.ClientSecretCredential, CONTOSO),
        (certificate, aio.CertificateCredential, PROSEWARE),
        (workload, aio.WorkloadIdentityCredential, TAILSPIN),
    ],
)
def test_credentials_aio(lab: LabClient, make: Callable[..., Any], kind: Any, tenant: str) -> None:
    async def tokens() -> list[str]:
        async with make(lab, kind) as credential:
            first = await credential.get_token(f"{lab.url}/.default")
            second = await credential.get_token(f"{lab.url}/.default", tenant_id=TAILSPIN)
            return [first.token, second.token]

    assert list(map(tid, asyncio.run(tokens()))) == [tenant, TAILSPIN]


@pytest.mark.parametrize(
    ("tenant", "value", "code"),
    [
        (CONTOSO, "wrong", "AADSTS7000215"),
        (CONTOSO, "expired-lab-secret", "AADSTS7000222"),
        (FABRIKAM, "", "AADSTS7000229"),
    ],
)
def test_credentials_that_are_refused(lab: LabClient, tenant: str, value: str, code: str) -> None:
    with secret(lab, tenant=tenant, value=value) as credential, pytest.raises(ClientAuthenticationError, match=code):
        credential.get_token(f"{lab.url}/.default")


# -- azure-monitor-query and azure-mgmt-monitor 7 ---------------------------------------------------------------------


@pytest.fixture
def proseware(lab: LabClient) -> Iterator[ClientSecretCredential]:
    with secret(lab, tenant=PROSEWARE) as credential:
        yield credential


def test_logs_query(lab: LabClient, caller: Callable[..., Any], proseware: ClientSecretCredential) -> None:
    customer = caller(PROSEWARE).get(WORKSPACE)[1]["properties"]["customerId"]
    text = (
        f"union withsource=T * | where _SubscriptionId in~ ('{PRODUCTION}')"
        " | extend SubscriptionId = tolower(_SubscriptionId), ResourceType = T"
        " | summarize Newest = max(TimeGenerated), Ingested = max(ingestion_time()), Records = count()"
        " by SubscriptionId, ResourceType"
    )
    with LogsQueryClient(proseware, endpoint=lab.url, connection_verify=lab.ca_file) as client:
        for answer in (
            client.query_workspace(customer, text, timespan=timedelta(hours=2)),
            client.query_resource(WORKSPACE, text, timespan=(datetime.now(UTC) - timedelta(days=1), timedelta(days=1))),
        ):
            assert answer.status == LogsQueryStatus.SUCCESS
            table = answer.tables[0]
            assert list(table.columns) == ["SubscriptionId", "ResourceType", "Newest", "Ingested", "Records"]
            row = table.rows[0]
            assert row["ResourceType"] == "microsoft.keyvault/vaults"
            assert timedelta(0) < datetime.now(UTC) - row["Newest"] < timedelta(minutes=6)
            assert isinstance(row["Records"], int)
        lab.fault("partial", kind="logs.query")
        partial = client.query_workspace(customer, text, timespan=timedelta(hours=2))
        assert partial.status == LogsQueryStatus.PARTIAL
        assert partial.partial_error.code == "PartialError"
        assert partial.partial_data[0].rows


def monitor(lab: LabClient, credential: Any, subscription: str) -> MonitorManagementClient:
    return MonitorManagementClient(
        credential,
        subscription,
        base_url=lab.url,
        credential_scopes=[f"{lab.url}/.default"],
        connection_verify=lab.ca_file,
    )


def test_metrics(lab: LabClient, contoso: Any, proseware: ClientSecretCredential) -> None:
    contoso.put(VAULT, "soc", eventHubAuthorizationRuleId=EVENT_HUB_RULE, logs=ALL)
    lab.advance(flows.FIRST + 7200)
    now = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
    with monitor(lab, proseware, WORKSPACE.split("/")[2]) as client:
        answer = client.metrics.list(
            NAMESPACE,
            timespan=f"{now - timedelta(hours=1)}Z/{now}Z".replace(" ", "T"),
            interval="PT1H",
            metricnames="IncomingMessages",
            aggregation="Total",
        )
    points = answer.value[0].timeseries[0].data
    assert answer.value[0].name.value == "IncomingMessages"
    assert sum(point.total for point in points) == 60


def test_activity_log(lab: LabClient, contoso: Any) -> None:
    contoso.put(VAULT, "soc", workspaceId=WORKSPACE, logs=ALL)
    since = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    with secret(lab) as credential, monitor(lab, credential, PRODUCTION) as client:
        events = list(client.activity_logs.list(filter=f"eventTimestamp ge '{since}'"))
    assert [event.operation_name.value for event in events] == ["Microsoft.Insights/diagnosticSettings/write"]
    assert datetime.now(UTC) - events[0].event_timestamp < timedelta(minutes=1)


# -- azure-mgmt-monitor 6.0.2, azure-mgmt-resource, azure-mgmt-resourcegraph ------------------------------------------


@pytest.fixture(scope="session")
def old_sdk() -> str:
    """PYTHONPATH of the older releases, which are installed when they are not there. No pip, no pass."""
    PEERS.mkdir(parents=True, exist_ok=True)
    with (PEERS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other workers want them too
        for name, packages in OLD.items():
            folder = PEERS / name
            found = {f"{item.name}=={item.version}" for item in importlib.metadata.distributions(path=[str(folder)])}
            if not found >= set(packages):
                command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade", "--target"]
                subprocess.run([*command, str(folder), *packages], check=True, timeout=300)
    return os.pathsep.join([str(PEERS / name) for name in OLD] + [str(ROOT)])


@pytest.fixture
def sdk(lab: LabClient, old_sdk: str) -> Callable[[str], Any]:
    """sdk(task): what sdk_driver.py printed."""

    def run(task: str) -> Any:
        driver = Path(__file__).with_name("sdk_driver.py")
        done = subprocess.run(
            [sys.executable, str(driver), str(lab.state_dir), task],
            env={**os.environ, "PYTHONPATH": old_sdk},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_sdk_settings(sdk: Callable[[str], Any]) -> None:
    found = sdk("settings")
    assert found["alone"][0] == 403
    assert "LinkedAuthorizationFailed" in found["alone"][1]
    assert found["made"] == "sdk"
    assert found["conflict"][0] == 409
    assert "already used in diagnostic setting 'sdk'" in found["conflict"][1]
    assert found["listed"] == [["sdk", WORKSPACE, "allLogs"]]
    assert found["got"] == [f"{VAULT.lower()}/providers/microsoft.insights/diagnosticSettings/sdk", None]
    assert found["after"] == []


def test_sdk_categories(sdk: Callable[[str], Any]) -> None:
    assert sdk("categories") == {
        "AuditEvent": ["Logs", ["audit", "allLogs"]],
        "AzurePolicyEvaluationDetails": ["Logs", ["audit", "allLogs"]],
        "AllMetrics": ["Metrics", None],
    }


def test_sdk_settings_of_the_activity_log(sdk: Callable[[str], Any]) -> None:
    id_ = f"subscriptions/{PRODUCTION}/providers/microsoft.insights/diagnosticSettings/activity-to-operations"
    assert sdk("activity_log") == [["activity-to-operations", id_, ["Administrative", "Policy"]]]


def test_sdk_resources(lab: LabClient, sdk: Callable[[str], Any]) -> None:
    lab.configure(page_size=9)
    found = sdk("resources")
    assert found["listed"] == found["graph"]
    assert len(found["graph"]) > 40
    assert found["subscriptions"] == [
        ["contoso-production", "Enabled"],
        ["contoso-development", "Enabled"],
        ["contoso-shared-services", "Enabled"],
    ]


# -- az ---------------------------------------------------------------------------------------------------------------


def az_path() -> str | None:
    return shutil.which("az") or shutil.which("az", path=str(PEERS / "az" / "bin"))


@pytest.fixture
def az(lab: LabClient, tmp_path: Path) -> Callable[..., Any]:
    """az(*arguments): its JSON. Signs in nowhere by itself, and can reach nothing but loopback."""
    path = az_path()
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("there is no az")
        pytest.skip("there is no az on PATH or in .cache/peers/az/bin")
    environment = {
        **os.environ,
        "AZURE_CONFIG_DIR": str(tmp_path / "azure"),
        "REQUESTS_CA_BUNDLE": lab.ca_file,
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "AZURE_CORE_COLLECT_TELEMETRY": "false",
        "AZURE_CORE_LOGIN_EXPERIENCE_V2": "false",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "localhost,127.0.0.1",
    }

    def run(*arguments: str) -> Any:
        done = subprocess.run(
            [path, *arguments, "--output", "json"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    run("cloud", "register", "--name", "lab", "--endpoint-resource-manager", lab.url)
    run("cloud", "set", "--name", "lab")
    return run


def login(az: Callable[..., Any], tenant: str, *proof: str) -> list[str]:
    """Names of the subscriptions that az finds."""
    found = az("login", "--service-principal", "--username", CLIENT_ID, "--tenant", tenant, *proof)
    return sorted(item["name"] for item in found)


def test_az(lab: LabClient, az: Callable[..., Any]) -> None:
    names = ["contoso-development", "contoso-production", "contoso-shared-services"]
    assert login(az, CONTOSO, "--password", lab.secret) == names
    assert sorted(item["name"] for item in az("account", "list")) == names
    settings = ("monitor", "diagnostic-settings")
    assert az(*settings, "list", "--resource", VAULT) == []
    logs = json.dumps([{"category": "AuditEvent", "enabled": True}])
    target = ("--resource", VAULT, "--name", "by-az")
    made = az(*settings, "create", *target, "--workspace", OWN_WORKSPACE, "--logs", logs)
    assert made["workspaceId"] == OWN_WORKSPACE
    assert lab.azure.settings(VAULT)["by-az"]["properties"]["logs"][0]["category"] == "AuditEvent"
    assert az(*settings, "show", *target)["logs"][0]["enabled"] is True
    az(*settings, "delete", *target)
    assert lab.azure.settings(VAULT) == {}
    categories = az(*settings, "categories", "list", "--resource", VAULT)["value"]
    assert {item["name"] for item in categories} >= {"AuditEvent"}
    subscription = az(*settings, "subscription", "list", "--subscription", PRODUCTION)["value"]
    assert [item["name"] for item in subscription] == ["activity-to-operations"]
    vaults = az("resource", "list", "--resource-type", "Microsoft.KeyVault/vaults", "--subscription", PRODUCTION)
    assert {item["name"] for item in vaults} == {"kv-shop-prod", "kv-payments-prod", "kv-data-prod"}
    url = f"{lab.url}/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
    graph = az("rest", "--method", "post", "--url", url, "--body", json.dumps({"query": "resources | count"}))
    assert graph["data"][0]["Count"] > 60


def test_az_by_certificate_over_lighthouse(lab: LabClient, az: Callable[..., Any]) -> None:
    found = login(az, PROSEWARE, "--certificate", lab.certificate_path)
    assert found == ["fabrikam-erp", "fabrikam-plants", "proseware-soc"]


def test_az_by_federated_token(lab: LabClient, az: Callable[..., Any]) -> None:
    found = login(az, TAILSPIN, "--federated-token", Path(lab.federated_token_file).read_text())
    assert "tailspin-platform" in found
