"""The filter of the rulebook: which events are taken for which tenant, and which by no rule."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.ansible_tools import ROOT

Filter = Callable[[dict[str, Any]], dict[str, Any]]
TOKEN = "secret"


@pytest.fixture
def filter_event(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Filter:
    (tmp_path / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
    monkeypatch.setenv("MSSP_EDA_TOKEN_FILE", str(tmp_path / "token"))
    # ansible-rulebook loads it from its file, too; it is no plugin of Ansible's.
    spec = importlib.util.spec_from_file_location("tenant", ROOT / "extensions/eda/plugins/event_filter/tenant.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main  # type: ignore[no-any-return]


def alert(operation: str = "Microsoft.Insights/diagnosticSettings/delete", status: str = "Succeeded") -> dict[str, Any]:
    return {"data": {"context": {"activityLog": {"operationName": operation, "status": status}}}}


def event(endpoint: str, payload: Any) -> dict[str, Any]:
    return {"payload": payload, "meta": {"endpoint": endpoint, "headers": {}}}


@pytest.mark.parametrize(
    ("endpoint", "payload", "kind"),
    [
        (f"azure/contoso/{TOKEN}", alert(), "setting_deleted"),
        (f"azure/contoso/{TOKEN}", alert("MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE"), "setting_deleted"),
        (f"azure/contoso/{TOKEN}", alert("Microsoft.Insights/dataCollectionRules/delete"), "rule_deleted"),
        (f"azure/contoso/{TOKEN}", alert("Microsoft.Logic/workflows/delete"), "relay_deleted"),
        (f"coro/contoso/{TOKEN}", {"status": "Disconnected"}, "connector_disconnected"),
    ],
)
def test_what_is_understood_is_limited_to_its_tenant(
    filter_event: Filter, endpoint: str, payload: dict[str, Any], kind: str
) -> None:
    found = filter_event(event(endpoint, payload))
    assert found["onboarding"] == {"kind": kind, "tenant": "contoso"}
    assert found["meta"]["hosts"] == ["contoso", "!collectors"]
    assert TOKEN not in str(found)


@pytest.mark.parametrize(
    ("endpoint", "payload"),
    [
        ("azure/contoso/wrong", alert()),
        ("azure/contoso/", alert()),
        ("azure/contoso", alert()),
        (f"azure/all/{TOKEN}", alert()),
        (f"azure/tenants/{TOKEN}", alert()),
        (f"azure/ring_all/{TOKEN}", alert()),
        (f"azure/contoso,fabrikam/{TOKEN}", alert()),
        (f"azure/contoso:fabrikam/{TOKEN}", alert()),
        (f"azure/c*/{TOKEN}", alert()),
        (f"azure/@file/{TOKEN}", alert()),
        (f"azure//{TOKEN}", alert()),
        (f"other/contoso/{TOKEN}", alert()),
        (f"azure/contoso/{TOKEN}", alert("Microsoft.Insights/diagnosticSettings/write")),
        (f"azure/contoso/{TOKEN}", alert("Microsoft.Logic/workflows/delete", status="Started")),
        (f"azure/contoso/{TOKEN}", alert(status="Started")),
        (f"azure/contoso/{TOKEN}", {"data": None}),
        (f"azure/contoso/{TOKEN}", ["a list"]),
        (f"coro/contoso/{TOKEN}", {"status": "Connected"}),
        (f"coro/contoso/{TOKEN}", {"status": 3}),
        ("", alert()),
    ],
)
def test_what_is_not_is_left_without_a_kind_and_a_limit(filter_event: Filter, endpoint: str, payload: Any) -> None:
    given = event(endpoint, payload)
    given["meta"]["hosts"] = ["all"]
    given["onboarding"] = {"kind": "setting_deleted"}
    found = filter_event(given)
    assert "onboarding" not in found
    assert "hosts" not in found["meta"]


def test_without_a_token_every_event_is_refused(filter_event: Filter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MSSP_EDA_TOKEN_FILE")
    for endpoint in ("azure/contoso/", "azure/contoso", f"azure/contoso/{TOKEN}"):
        assert "onboarding" not in filter_event(event(endpoint, alert()))
