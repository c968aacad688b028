"""Small makers of values for the tests of the Azure engine."""

from __future__ import annotations

from typing import Any

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.settings.plan import Desired, LogChoice
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.settings.setting import (
    Category,
    Offered,
    Setting,
)

SUBSCRIPTION = "/subscriptions/10000000-0000-4000-8000-000000000001/resourceGroups/rg-sentinel/providers"
WORKSPACE = f"{SUBSCRIPTION}/Microsoft.OperationalInsights/workspaces/law-sentinel"
OTHER_WORKSPACE = f"{SUBSCRIPTION}/Microsoft.OperationalInsights/workspaces/law-customer"
HUB_RULE = f"{SUBSCRIPTION}/Microsoft.EventHub/namespaces/evh/authorizationRules/diagnostics"
STORAGE = f"{SUBSCRIPTION}/Microsoft.Storage/storageAccounts/stsentinel"
OURS = "mssp-onboarding"

VAULT = Offered(
    {
        "auditevent": Category("AuditEvent", frozenset({"audit", "alllogs"})),
        "azurepolicyevaluationdetails": Category("AzurePolicyEvaluationDetails", frozenset({"alllogs"})),
    },
    {"allmetrics": "AllMetrics"},
)
ALL = frozenset(VAULT.logs)


def setting(name: str = OURS, **given: Any) -> Setting:
    """A setting that sends allLogs to the workspace, unless told otherwise."""
    values: dict[str, Any] = {
        "sinks": {"workspace_id": WORKSPACE},
        "event_hub_name": "",
        "groups": frozenset({"alllogs"}),
        "categories": frozenset(),
        "disabled": frozenset(),
        "metrics": frozenset(),
        "table": None,
    } | given
    for field in ("groups", "categories", "disabled", "metrics"):
        values[field] = frozenset(values[field])
    return Setting(name=name, **values)


def desired(**given: Any) -> Desired:
    """A wish for allLogs in the workspace, unless told otherwise."""
    return Desired(**({"name": OURS, "sinks": {"workspace_id": WORKSPACE}} | given))


def categories(*names: str) -> LogChoice:
    return LogChoice("", frozenset(name.casefold() for name in names))
