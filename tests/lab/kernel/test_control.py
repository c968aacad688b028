# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults, mutations, drift, the request log, scenarios and the command line."""

from __future__ import annotations

import json
import signal
import ssl
import stat
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import BadStatusLine, HTTPException, HTTPSConnection, IncompleteRead
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

from lab.azure import catalog
from lab.client import LabClient, LabError
from lab.scenarios.sizes import BENCH
from lab.testing import CLIENT_ID, CONTOSO, FABRIKAM, NORTHWIND, PROSEWARE, ROOT, TAILSPIN, WORKSPACE, running_lab

PRODUCTION = f"/subscriptions/{CONTOSO[:-1]}1"
SHOP = f"{PRODUCTION}/resourceGroups/rg-shop-prod/providers"
VAULT = f"{SHOP}/Microsoft.KeyVault/vaults/kv-shop-prod"
SETTINGS = "/providers/Microsoft.Insights/diagnosticSettings"
ALL = [{"categoryGroup": "allLogs", "enabled": True}]
LOST = (OSError, HTTPException, URLError, BadStatusLine)
Callers = Callable[..., Any]


# -- faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shape", "keys"), [("nested", {"error"}), ("flat", {"code", "message"})])
def test_status_in_both_shapes(lab: LabClient, contoso: Any, shape: str, keys: set[str]) -> None:
    lab.fault("status", kind="settings.list", status=503, code="ServerBusy", message="later", shape=shape, count=2)
    for _ in range(2):
        status, body = contoso.get(VAULT + SETTINGS)
        assert (status, set(body)) == (503, keys)
        assert (body.get("error") or body)["code"] == "ServerBusy"
    assert contoso.list(VAULT) == []


def test_throttle(lab: LabClient, contoso: Any) -> None:
    lab.fault("throttle", kind="settings.put", seconds=7)
    status, headers, _body = contoso.call("PUT", f"{VAULT}{SETTINGS}/soc", {})
    assert (status, headers["retry-after"]) == (429, "7")


@pytest.mark.parametrize(("action", "stored"), [("drop", 0), ("drop_after", 1)])
def test_connection_lost_before_or_after_processing(lab: LabClient, contoso: Any, action: str, stored: int) -> None:
    lab.fault(action, kind="settings.put")
    with pytest.raises(LOST):
        contoso.put(VAULT, "soc", workspaceId=WORKSPACE, logs=ALL)
    assert len(contoso.list(VAULT)) == stored
    assert lab.requests()["by_kind"]["settings.put"] == 1


def test_answers_that_are_no_answers(lab: LabClient, contoso: Any) -> None:
    lab.fault("malformed", kind="settings.list")
    lab.fault("html", kind="settings.list", status=502)
    lab.fault("empty", kind="settings.list")
    status, body = contoso.get(VAULT + SETTINGS)
    assert status == 200
    assert isinstance(body, bytes)
    status, headers, body = contoso.call("GET", VAULT + SETTINGS)
    assert (status, headers["content-type"], body[:6]) == (502, "text/html", b"<html>")
    assert contoso.get(VAULT + SETTINGS) == (200, None)
    lab.fault("truncated", kind="settings.list")
    with pytest.raises((IncompleteRead, *LOST)):
        contoso.get(VAULT + SETTINGS)


def test_slow_and_hanging_answers(lab: LabClient, contoso: Any) -> None:
    lab.fault("slow", kind="settings.list", seconds=0.4)
    start = time.monotonic()
    assert contoso.list(VAULT) == []
    assert time.monotonic() - start >= 0.4
    lab.fault("hang", kind="settings.list")
    host, context = lab.url.removeprefix("https://"), ssl.create_default_context(cafile=lab.ca_file)
    connection = HTTPSConnection(host, timeout=0.3, context=context)
    connection.request("GET", f"{VAULT}{SETTINGS}?api-version=2021-05-01-preview", headers=contoso.headers)
    with pytest.raises(TimeoutError):
        connection.getresponse()
    assert lab.requests()["in_flight"] == 1
    assert contoso.list(VAULT) == []  # others are served meanwhile
    lab.reset_requests()
    connection.close()
    deadline = time.monotonic() + 5
    while lab.requests()["in_flight"] and time.monotonic() < deadline:
        time.sleep(0.05)
    now = lab.requests()
    assert (now["in_flight"], now["total"]) == (0, 0), "what came before the log was cleared is none of it"


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({"method": "get"}, True),
        ({"method": "PUT"}, False),
        ({"path": "KV-SHOP"}, True),
        ({"path": "re:vaults/kv-s.*diagnosticsettings$"}, True),
        ({"path": "re:vaults$"}, False),
        ({"tenant": CONTOSO}, True),
        ({"tenant": TAILSPIN}, False),
        ({"subscription": PRODUCTION[15:]}, True),
        ({"subscription": PRODUCTION[15:-1] + "2"}, False),
        ({"kind": "settings.list", "method": "GET", "path": "kv-shop-prod"}, True),
    ],
)
def test_what_a_fault_matches(lab: LabClient, contoso: Any, match: dict[str, Any], hit: bool) -> None:
    lab.fault("status", status=500, **match)
    assert (contoso.get(VAULT + SETTINGS)[0] == 500) is hit


def test_fault_after_and_count(lab: LabClient, contoso: Any) -> None:
    lab.fault("status", kind="settings.list", after=2, count=3)
    assert [contoso.get(VAULT + SETTINGS)[0] for _ in range(6)] == [200, 200, 500, 500, 500, 200]
    lab.fault("status", kind="settings.list", count=None)
    assert [contoso.get(VAULT + SETTINGS)[0] for _ in range(3)] == [500] * 3
    lab.clear_faults()
    assert contoso.get(VAULT + SETTINGS)[0] == 200


def test_fault_on_the_token_of_a_tenant(lab: LabClient, ask: Callers) -> None:
    lab.fault("status", kind="token", tenant=CONTOSO, status=503)
    assert ask(TAILSPIN)[0] == 200
    assert ask(CONTOSO)[0] == 503


def test_wrong_faults_are_refused(lab: LabClient) -> None:
    for spec in ({"action": "explode"}, {"action": "drop", "zodiac": 1}, {"action": "drop", "id": 3}):
        with pytest.raises(LabError):
            lab.control("POST", "faults", spec)


# -- edits and drift --------------------------------------------------------------------------------------------------


def test_edits_of_a_setting(lab: LabClient, contoso: Any) -> None:
    firewall = f"{PRODUCTION}/resourceGroups/rg-hub-network/providers/Microsoft.Network/azureFirewalls/afw-hub-weu"
    lab.edit("disable_category", target=firewall, name="to-operations", category="AZFWNetworkRule")
    lab.edit("change_sink", target=firewall, name="TO-operations", workspace_id=WORKSPACE)
    properties = contoso.list(firewall)[0]["properties"]
    assert {item["category"]: item["enabled"] for item in properties["logs"]} == {
        "AZFWNetworkRule": False,
        "AZFWApplicationRule": True,
    }
    assert properties["workspaceId"] == WORKSPACE
    assert lab.azure.settings(firewall)["to-operations"]["properties"] == properties


@pytest.mark.parametrize(
    "edit",
    [
        {"edit": "paint_it_black"},
        {"edit": "delete_setting", "target": VAULT, "name": "none"},
        {"edit": "lock", "scope": VAULT, "level": "Soft"},
        {"edit": "remove_resource", "id": VAULT + "x"},
        {"edit": "delete_setting", "target": VAULT},
    ],
)
def test_wrong_edits_are_refused(lab: LabClient, edit: dict[str, Any]) -> None:
    with pytest.raises(LabError):
        lab.control("POST", "edit", edit)


def onboard(caller: Any, tenant: str, name: str = "soc") -> list[str]:
    """Settings on the first vaults and groups of a tenant; their targets."""
    query = "resources | where type in~ ('microsoft.keyvault/vaults', 'microsoft.network/networksecuritygroups')"
    body = {"query": f"{query} | project id | order by id asc", "subscriptions": [tenant[:-1] + "1"]}
    _status, _headers, answer = caller.call("POST", "/providers/Microsoft.ResourceGraph/resources", body)
    targets = [row["id"] for row in answer["data"] if "kv-payments-prod" not in row["id"]]
    for target in targets:
        assert caller.put(target, name, workspaceId=WORKSPACE, logs=ALL)[0] == 200
    return targets


def test_drift(lab: LabClient, caller: Callers) -> None:
    assert lab.drift() == []  # nothing is onboarded yet
    before = lab.status()["azure"]["settings"]
    first = onboard(caller(CONTOSO, PROSEWARE), CONTOSO) + onboard(caller(PROSEWARE), FABRIKAM)
    done = lab.drift()
    kinds = ("delete_setting", "change_sink", "disable_category", "put_setting")
    assert [(item["tenant"], item["edit"]) for item in done] == [
        (tenant, kind) for tenant in ("contoso", "fabrikam") for kind in kinds
    ]
    assert len({item["target"] for item in done}) == 8
    assert lab.status()["azure"]["settings"] == before + len(first)  # two less, two more
    lab.reset()
    assert lab.status()["azure"]["settings"] == before
    onboard(caller(CONTOSO, PROSEWARE), CONTOSO)
    onboard(caller(PROSEWARE), FABRIKAM)
    assert lab.drift() == done


# -- request log ------------------------------------------------------------------------------------------------------


def test_request_log(lab: LabClient, contoso: Any) -> None:
    lab.reset_requests()
    contoso.list(VAULT)
    contoso.put(VAULT, "soc", workspaceId=WORKSPACE, logs=ALL)
    contoso.put(VAULT, "soc", workspaceId="nonsense", logs=ALL)
    found = lab.requests(last=2)
    assert found["by_kind"] == {"settings.list": 1, "settings.put": 2}
    assert found["counts"] == [
        {"kind": "settings.list", "method": "GET", "status": 200, "count": 1},
        {"kind": "settings.put", "method": "PUT", "status": 200, "count": 1},
        {"kind": "settings.put", "method": "PUT", "status": 400, "count": 1},
    ]
    assert [item["status"] for item in found["last"]] == [200, 400]
    assert found["last"][0]["tenant"] == CONTOSO
    assert found["last"][0]["auxiliary"] == 1
    assert abs(found["last"][0]["at"] - time.time()) < 5
    assert (found["total"], found["in_flight"], found["max_in_flight"]) == (3, 0, 1)


def test_latency_and_requests_in_flight(lab: LabClient, contoso: Any) -> None:
    lab.configure(latency=0.3)
    lab.reset_requests()
    start = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: contoso.list(VAULT), range(4)))
    assert 0.3 <= time.monotonic() - start < 1.0
    assert lab.requests()["max_in_flight"] == 4


# -- scenarios --------------------------------------------------------------------------------------------------------

FAMILIES = {
    "key_vault": "microsoft.keyvault/vaults",
    "network_security_group": "microsoft.network/networksecuritygroups",
    "sql": "microsoft.sql/servers/databases",
    "azure_firewall": "microsoft.network/azurefirewalls",
    "public_ip": "microsoft.network/publicipaddresses",
    "application_gateway": "microsoft.network/applicationgateways",
    "front_door": "microsoft.network/frontdoors",
    "front_door_standard": "microsoft.cdn/profiles",
    "waf_policy": "microsoft.cdn/cdnwebapplicationfirewallpolicies",
    "kubernetes": "microsoft.containerservice/managedclusters",
    "storage": "microsoft.storage/storageaccounts",
}


def test_fleet_has_what_the_contract_promises(lab: LabClient) -> None:
    world = lab.azure.world(resources=True)
    types = {item["type"].lower() for item in world["resources"]}
    assert set(FAMILIES.values()) <= types
    assert len(world["resources"]) >= 150
    customers = [sub for sub in world["subscriptions"] if sub["tenant"] != PROSEWARE]
    assert Counter(sub["tenant"] for sub in customers) == {CONTOSO: 3, FABRIKAM: 2, TAILSPIN: 3, NORTHWIND: 2}
    assert [sub["name"] for sub in customers if sub["state"] != "Enabled"] == ["tailspin-legacy"]
    assert [sub["id"] for sub in world["subscriptions"] if sub["tenant"] == PROSEWARE] == [WORKSPACE.split("/")[2]]


def test_fleet_can_be_onboarded_wholly(lab: LabClient, caller: Callers) -> None:
    """No target of the scenario refuses the setting that a default run puts, save those that have no log categories."""
    lab.configure(throttle=False)
    callers = {CONTOSO: caller(CONTOSO, PROSEWARE), FABRIKAM: caller(PROSEWARE), TAILSPIN: caller(TAILSPIN, PROSEWARE)}
    world = lab.azure.world(resources=True)
    tenants = {sub["id"]: sub["tenant"] for sub in world["subscriptions"] if sub["state"] == "Enabled"}
    covered = 0
    for item in world["resources"]:
        tenant = tenants.get(item["subscription"])
        kind = catalog.find(item["type"].lower(), item["kind"], (item["sku"] or {}).get("name", ""))
        if tenant in callers and kind.logs:
            if item["name"] == "kv-payments-prod":
                continue
            status, body = callers[tenant].put(item["id"], "mssp-onboarding", workspaceId=WORKSPACE, logs=ALL)
            assert status == 200, (item["id"], body)
            covered += 1
    assert covered > 80


def test_sizes(caller: Callers) -> None:
    with running_lab("skewed:30+4x5", latency=0.001) as skewed:
        held = Counter(item["subscription"] for item in skewed.azure.world(resources=True)["resources"])
        expected = {f"{BENCH[:24]}{1:012d}": 30} | {f"{BENCH[:24]}{n:012d}": 5 for n in range(2, 6)}
        assert {sub: count for sub, count in held.items() if sub.startswith(BENCH[:8])} == expected
        bench = caller(BENCH, PROSEWARE, of=skewed)
        resources = skewed.azure.world(resources=True)["resources"]
        target = next(item["id"] for item in resources if "vaults" in item["type"])
        assert bench.put(target, "soc", workspaceId=WORKSPACE, logs=ALL)[0] == 200


def test_scenario_file(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yml"
    path.write_text(
        f"""
tenants: [{{slug: only, id: {CONTOSO}, domain: only.example}}]
apps: [{{client_id: {CLIENT_ID}, name: app, home: only, consented: [only]}}]
roles: []
subscriptions:
  - id: {PRODUCTION[15:]}
    name: one
    tenant: only
    groups: {{rg-a@westeurope: {{Microsoft.KeyVault/vaults: [kv-a]}}}}
"""
    )
    with running_lab(str(path)) as lab:
        assert lab.status()["azure"]["resources"] == 1


# -- the command line -------------------------------------------------------------------------------------------------


def run(folder: Path, verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lab", verb, "--state-dir", str(folder), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "lab", "serve", "--state-dir", str(tmp_path), "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_command_line(serving: subprocess.Popen[str], tmp_path: Path) -> None:
    assert serving.stdout is not None
    line = serving.stdout.readline()
    state = json.loads((tmp_path / "lab.json").read_text())
    assert line == f"lab ready {state['url']}\n"
    assert state["pid"] == serving.pid
    assert Path(state["ca_file"]) == tmp_path / "ca.pem"
    for name in ("app.secret", "app.pem", "app.jwt"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert json.loads(run(tmp_path, "status").stdout)["scenario"] == "fleet"
    assert run(tmp_path, "drift").returncode == 0
    assert run(tmp_path, "reset").stdout == "lab reset\n"
    busy = run(tmp_path, "serve", "--port", state["url"].rsplit(":", 1)[1])
    assert (busy.returncode, "cannot serve" in busy.stderr) == (1, True)
    assert (tmp_path / "lab.json").exists()  # that of the lab which does serve
    serving.send_signal(signal.SIGTERM)
    assert serving.wait(5) == 0
    assert not (tmp_path / "lab.json").exists()


def test_command_line_says_what_is_wrong(tmp_path: Path) -> None:
    assert run(tmp_path, "status").returncode == 1
    nowhere = run(tmp_path, "serve", "--scenario", "nowhere")
    assert (nowhere.returncode, nowhere.stderr) == (2, "there is no scenario 'nowhere'\n")


def test_serves_on_loopback_only(lab: LabClient) -> None:
    port = int(lab.url.rsplit(":", 1)[1])
    listening = Path("/proc/net/tcp").read_text().splitlines()[1:]
    addresses = {line.split()[1].split(":")[0] for line in listening if line.split()[1].endswith(f":{port:04X}")
                 and line.split()[3] == "0A"}  # fmt: skip
    assert addresses == {"0100007F"}
