# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each resource type can send: log categories with their groups, metrics, and how its settings read back.

Log categories: MicrosoftDocs azure-monitor-docs, reference/supported-logs (facts azure.md §3).
Which type hides or defaults `logAnalyticsDestinationType`, or lists all categories: azure-rest-api-specs#22400 and
terraform-provider-azurerm#8131, #17172 for the types named there; for the others assumed.
Which categories belong to the group `audit`: assumed where the reference does not say.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

SUBSCRIPTION = "microsoft.resources/subscriptions"
STORAGE = "microsoft.storage/storageaccounts"

ROUNDTRIP = "roundtrip"  # what was put is read back, null included
HIDDEN = "hidden"  # the answer to PUT shows it, every GET after it says null (Key Vault)
DEFAULTED = "defaulted"  # null is read back as AzureDiagnostics (Data Factory)


@dataclass(frozen=True, slots=True)
class Kind:
    """One resource type. `logs`: category -> its groups."""

    logs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    metrics: tuple[str, ...] = ("AllMetrics",)
    lists_all: bool = False  # answers name every category, those that are off with enabled false
    destination: str = ROUNDTRIP
    supported: bool = True  # False: diagnostic settings answer ResourceTypeNotSupported
    categories_answer: bool = True  # False: so does the categories endpoint
    quiet: bool = False  # logs only in rare events: no records in the lab

    def groups(self) -> tuple[str, ...]:
        """Names of the category groups, `audit` only where some category is in it."""
        names = {group for groups in self.logs.values() for group in groups}
        return tuple(sorted(names))

    def members(self, group: str) -> tuple[str, ...]:
        return tuple(name for name, groups in self.logs.items() if group.lower() in map(str.lower, groups))


def _logs(plain: str = "", audit: str = "") -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(plain.split(), ("allLogs",)) | dict.fromkeys(audit.split(), ("audit", "allLogs"))


def _storage(*metrics: str) -> Kind:
    return Kind(_logs("StorageRead", "StorageWrite StorageDelete"), metrics or ("Transaction",))


_SQL = (
    "SQLInsights AutomaticTuning QueryStoreRuntimeStatistics QueryStoreWaitStatistics Errors DatabaseWaitStatistics "
    "Timeouts Blocks Deadlocks"
)
_SQL_AUDIT = "SQLSecurityAuditEvents DevOpsOperationsAudit"
_FIREWALL = (
    "AZFWApplicationRule AZFWNetworkRule AZFWNatRule AZFWThreatIntel AZFWIdpsSignature AZFWDnsQuery "
    "AZFWDnsAdditional AZFWFqdnResolveFailure AZFWFatFlow AZFWFlowTrace AZFWApplicationRuleAggregation "
    "AZFWNetworkRuleAggregation AZFWNatRuleAggregation AzureFirewallApplicationRule AzureFirewallNetworkRule "
    "AzureFirewallDnsProxy"
)
_AKS = (
    "kube-apiserver kube-controller-manager kube-scheduler cluster-autoscaler cloud-controller-manager "
    "csi-azuredisk-controller csi-azurefile-controller csi-snapshot-controller"
)

KINDS: dict[str, Kind] = {
    SUBSCRIPTION: Kind(
        _logs("Administrative Security ServiceHealth Alert Recommendation Policy Autoscale ResourceHealth"),
        metrics=(),
        lists_all=True,
    ),
    "microsoft.keyvault/vaults": Kind(_logs(audit="AuditEvent AzurePolicyEvaluationDetails"), destination=HIDDEN),
    "microsoft.network/networksecuritygroups": Kind(
        _logs("NetworkSecurityGroupEvent NetworkSecurityGroupRuleCounter"),
        metrics=(),
        lists_all=True,
        destination=HIDDEN,
    ),
    "microsoft.network/publicipaddresses": Kind(
        _logs("DDoSProtectionNotifications DDoSMitigationFlowLogs DDoSMitigationReports"), quiet=True
    ),
    "microsoft.network/applicationgateways": Kind(
        _logs("ApplicationGatewayPerformanceLog ApplicationGatewayAccessLog ApplicationGatewayFirewallLog")
    ),
    "microsoft.network/azurefirewalls": Kind(_logs(_FIREWALL)),
    "microsoft.network/frontdoors": Kind(_logs(audit="FrontdoorAccessLog FrontdoorWebApplicationFirewallLog")),
    "microsoft.cdn/profiles": Kind(
        _logs("FrontDoorHealthProbeLog", "FrontDoorAccessLog FrontDoorWebApplicationFirewallLog")
    ),
    "microsoft.cdn/cdnwebapplicationfirewallpolicies": Kind(_logs("WebApplicationFirewallLogs"), quiet=True),
    "microsoft.containerservice/managedclusters": Kind(
        _logs(_AKS, "kube-audit kube-audit-admin guard"), lists_all=True
    ),
    "microsoft.sql/servers/databases": Kind(
        _logs(_SQL, _SQL_AUDIT), metrics=("Basic", "InstanceAndAppAdvanced", "WorkloadManagement"), lists_all=True
    ),
    "microsoft.sql/servers/elasticpools": Kind(metrics=("Basic", "InstanceAndAppAdvanced")),
    "microsoft.sql/managedinstances": Kind(_logs("ResourceUsageStats", _SQL_AUDIT), metrics=()),
    STORAGE: Kind(metrics=("Transaction", "Capacity")),
    f"{STORAGE}/blobservices": _storage("Transaction", "Capacity"),
    f"{STORAGE}/fileservices": _storage("Transaction", "Capacity"),
    f"{STORAGE}/queueservices": _storage(),
    f"{STORAGE}/tableservices": _storage(),
    "microsoft.web/sites": Kind(
        _logs(
            "AppServiceHTTPLogs AppServiceConsoleLogs AppServiceAppLogs AppServicePlatformLogs",
            "AppServiceAuditLogs AppServiceIPSecAuditLogs",
        )
    ),
    "microsoft.web/sites/slots": Kind(
        _logs(
            "AppServiceHTTPLogs AppServiceConsoleLogs AppServiceAppLogs AppServicePlatformLogs",
            "AppServiceAuditLogs AppServiceIPSecAuditLogs",
        )
    ),
    "microsoft.datafactory/factories": Kind(_logs("ActivityRuns PipelineRuns TriggerRuns"), destination=DEFAULTED),
    "microsoft.logic/workflows": Kind(_logs("WorkflowRuntime")),
    "microsoft.containerregistry/registries": Kind(
        _logs(audit="ContainerRegistryRepositoryEvents ContainerRegistryLoginEvents")
    ),
    "microsoft.operationalinsights/workspaces": Kind(_logs("SummaryLogs", "Audit")),
    "microsoft.eventhub/namespaces": Kind(_logs("ArchiveLogs OperationalLogs AutoScaleLogs RuntimeAuditLogs")),
    # Metrics only.
    "microsoft.compute/virtualmachines": Kind(),
    "microsoft.network/virtualnetworks": Kind(_logs("VMProtectionAlerts"), quiet=True),
    "microsoft.network/loadbalancers": Kind(_logs("LoadBalancerHealthEvent"), quiet=True),
    "microsoft.web/serverfarms": Kind(),
    "microsoft.network/networkinterfaces": Kind(),
    # The categories endpoint answers 200 and the settings endpoint refuses: azure-powershell#25880.
    "microsoft.compute/disks": Kind(supported=False),
}
UNSUPPORTED = Kind(metrics=(), supported=False, categories_answer=False)

_CDN_CLASSIC = Kind(_logs("AzureCdnAccessLog"))
_WAF_V2 = Kind(_logs("ApplicationGatewayAccessLog ApplicationGatewayFirewallLog"))
_FUNCTION = Kind(_logs("FunctionAppLogs AppServiceAuthenticationLogs"))
_WAREHOUSE = Kind(
    _logs("DmsWorkers ExecRequests RequestSteps SqlRequests Waits", _SQL_AUDIT), metrics=("Basic",), lists_all=True
)


def find(type_: str, kind: str = "", sku: str = "") -> Kind:
    """The Kind of a lower-cased type; categories are a function of (type, kind, sku)."""
    kind, sku = kind.lower(), sku.lower()
    if type_ == "microsoft.cdn/profiles" and "azurefrontdoor" not in sku:
        return _CDN_CLASSIC
    if type_ == "microsoft.network/applicationgateways" and sku.endswith("_v2"):
        return _WAF_V2
    if type_ in ("microsoft.web/sites", "microsoft.web/sites/slots") and "functionapp" in kind:
        return _FUNCTION
    if type_ == "microsoft.sql/servers/databases" and "datawarehouse" in kind:
        return _WAREHOUSE
    return KINDS.get(type_, UNSUPPORTED)


def storage_services(kind: str, sku: str) -> Iterable[str]:
    """Lower-cased services of a storage account by kind and sku (assumed; facts azure.md §2.4)."""
    if kind == "FileStorage":
        return ("fileservices",)
    if kind in ("BlockBlobStorage", "BlobStorage") or sku.startswith("Premium"):
        return ("blobservices",)
    return ("blobservices", "queueservices", "tableservices", "fileservices")
