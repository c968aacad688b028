# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way of ours to a vendor with the request that it stands on: what is listed here gets every fault."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import PENDING, WELL
from ansible_collections.mssp.onboarding.plugins.module_utils._duo.client import Duo as DuoClient
from ansible_collections.mssp.onboarding.plugins.module_utils._umbrella.client import Umbrella as UmbrellaClient
from lab.client import LabClient
from lab.duo.client import CONTOSO

from .coro_engines import Workspace
from .custom_logs_engines import Logs
from .defender_engines import Defender
from .engines import OWN_WORKSPACE, Tenant
from .event_hub_engines import ENTRA_SCOPE, Customer
from .graph_engines import customer, provider
from .incident_engines import Sync as Incidents
from .m365_engines import AUDIT, Feed
from .rights_engines import consented, delegation, role
from .test_alert_relay import Relay
from .test_duo import Duo
from .test_falcon_api import Asked
from .test_secure_endpoint import Organisation
from .test_sekoia_intake import Intakes
from .test_sekoia_playbook import Sync
from .test_sophos import HEADQUARTERS, Sophos
from .test_splunk import Splunk
from .test_tenant_access import look
from .test_umbrella import Tenant as Umbrella

Run = Callable[[], dict[str, Any]]


class Source(NamedTuple):
    """prepare: the lab so that the run has something to do; path: of the request without which nothing is known."""

    prepare: Callable[[LabClient], Run]
    path: str


def _settings(lab: LabClient) -> Run:
    return Tenant(lab, subscriptions=["contoso-development"], families=["key_vault"]).run


def _access(lab: LabClient) -> Run:
    return lambda: Tenant(lab, subscriptions=["contoso-development"], workspace_id=OWN_WORKSPACE).run("access")


def _flow(lab: LabClient) -> Run:
    return lambda: Tenant(lab, subscriptions=["contoso-development"], families=["key_vault"]).run("flow")


def _hub(engine: str) -> Callable[[LabClient], Run]:
    def prepare(lab: LabClient) -> Run:
        one = Customer(lab)
        one.may()
        one.may(scope=ENTRA_SCOPE)
        if engine != "hub":
            one.run()
        return lambda: one.run(engine)

    return prepare


def _role(lab: LabClient) -> Run:
    consented(lab)
    return role(lab).run


def _principal(lab: LabClient) -> Run:
    consented(lab)
    return customer(lab).run


def _tenant_access(lab: LabClient) -> Run:
    consented(lab)
    return lambda: look(lab)


def _coro(engine: str) -> Callable[[LabClient], Run]:
    def prepare(lab: LabClient) -> Run:
        one = Workspace(lab)
        return lambda: one.run(*([one.wanted("splunk")] if engine == "connectors" else ()), engine=engine)

    return prepare


def _sophos(engine: str) -> Callable[[LabClient], Run]:
    def prepare(lab: LabClient) -> Run:
        return getattr(Sophos(lab, HEADQUARTERS), engine)

    return prepare


def _m365(verb: str) -> Callable[[LabClient], Run]:
    def prepare(lab: LabClient) -> Run:
        one = Feed(lab, None)
        if verb != "converge":
            lab.configure(m365_first_delay=0)
            one.converge()
            lab.m365.record(one.tenant, *AUDIT)
        return getattr(one, verb)  # type: ignore[no-any-return]

    return prepare


def _defender(verb: str, way: str) -> Callable[[LabClient], Run]:
    def prepare(lab: LabClient) -> Run:
        one = Defender(lab)
        one.may("ThreatHunting.Read.All")
        if way in ("streaming", "continuous_export"):
            one.hub()
        return lambda: getattr(one, verb)(ways=[way])  # type: ignore[no-any-return]

    return prepare


def _duo(verb: str) -> Callable[[LabClient], Run]:
    def prepare(lab: LabClient) -> Run:
        one = Duo(lab)
        if verb == "verify":
            one.converge()
            lab.edit("duo_sign_in", account=CONTOSO)

        def run() -> dict[str, Any]:
            with patch.dict(DuoClient.LIMITS, log=DuoClient.LIMITS["read"]):  # whose pace is that of minutes
                return getattr(one, verb)()  # type: ignore[no-any-return]

        return run

    return prepare


def _custom_logs(engine: str) -> Callable[[LabClient], Run]:
    def prepare(lab: LabClient) -> Run:
        one = Logs(lab).made()
        return lambda: one.run(engine)

    return prepare


def _relay(lab: LabClient) -> Run:
    return Relay(lab).run


def _splunk(engine: str) -> Callable[[LabClient], Run]:
    return lambda lab: lambda: Splunk(lab).run(engine)


def never_well(result: dict[str, Any]) -> None:
    assert "exception" not in result, result["exception"]
    assert result["summary"]["outcome"] not in (*WELL, PENDING), result["msg"]
    assert result["problems"], result["msg"]
    assert all(problem["message"] and problem["next_step"] for problem in result["problems"])


def _incidents(lab: LabClient) -> Run:
    one = Incidents(lab, None)
    one.incident("29")
    return one.converge


def _secure_endpoint(verb: str) -> Callable[[LabClient], Run]:
    """In check mode, since no queue of the lab's memory can be looked at."""

    def prepare(lab: LabClient) -> Run:
        one = Organisation(lab, lab.state_dir)
        return lambda: getattr(one, verb)(**({"check": True} if verb == "converge" else {}))  # type: ignore[no-any-return]

    return prepare


def _umbrella(lab: LabClient) -> Run:
    one = Umbrella(lab, Path(tempfile.mkdtemp()))
    one.export |= one.first()

    def run() -> dict[str, Any]:
        with patch.dict(UmbrellaClient.LIMITS, admin=(1e6, 1e6)):  # whose pace is that of minutes
            return one.converge()

    return run


SOURCES: dict[str, Source] = {
    "azure diagnostics, the tenant": Source(_settings, "re:^/subscriptions$"),
    "azure diagnostics, its settings": Source(_settings, "re:/diagnosticSettings$"),
    "azure diagnostics, preflight": Source(_access, "re:Authorization/permissions$"),
    "azure diagnostics, verify": Source(_flow, "re:/v1/.*query$"),
    "event hub": Source(_hub("hub"), "re:/namespaces/[^/]+$"),
    "event hub, preflight": Source(_hub("access"), "re:Authorization/permissions$"),
    "event hub, verify": Source(_hub("flow"), "re:Insights/metrics$"),
    "entra logs": Source(_hub("entra"), "re:aadiam/diagnosticSettings$"),
    "custom logs, the table": Source(_custom_logs("table"), "re:/tables/[^/]+$"),
    "custom logs, the rule": Source(_custom_logs("rule"), "re:/dataCollectionRules/[^/]+$"),
    "custom logs, verify": Source(_custom_logs("flow"), "re:/v1/.*query$"),
    "application": Source(lambda lab: provider(lab).run, "/applications"),
    "service principal": Source(_principal, "/servicePrincipals"),
    "role assignment": Source(_role, "re:roleAssignments$"),
    "lighthouse": Source(lambda lab: delegation(lab).run, "re:registrationAssignments$"),
    "tenant access": Source(_tenant_access, "/servicePrincipals"),
    "m365": Source(_m365("converge"), "re:subscriptions/list$"),
    "m365, verify": Source(_m365("verify"), "re:subscriptions/content$"),
    "m365, preflight": Source(_m365("preflight"), "re:subscriptions/list$"),
    "incident sync, incidents": Source(_incidents, "re:/security/incidents$"),
    "incident sync, tickets": Source(_incidents, "re:/table/incident$"),
    "defender": Source(_defender("converge", "alerts"), "re:security/alerts_v2$"),
    "defender, export": Source(_defender("converge", "continuous_export"), "re:Security/automations$"),
    "defender, verify": Source(_defender("verify", "hunting"), "re:runHuntingQuery$"),
    "coro": Source(_coro("connectors"), "re:/v1/siem-connectors$"),
    "coro, verify": Source(_coro("info"), "re:/v1/siem-connectors$"),
    "coro, preflight": Source(_coro("access"), "re:/v1/siem-connectors$"),
    "secure endpoint": Source(_secure_endpoint("converge"), "re:/event_streams$"),
    "secure endpoint, verify": Source(_secure_endpoint("verify"), "re:/event_streams$"),
    "duo": Source(_duo("converge"), "re:/integrations$"),
    "duo, verify": Source(_duo("verify"), "re:/logs/authentication$"),
    "duo, preflight": Source(_duo("preflight"), "re:^/admin/"),
    "sophos": Source(_sophos("converge"), "/webconsole/"),
    "sophos, preflight": Source(_sophos("preflight"), "/webconsole/"),
    "umbrella": Source(_umbrella, "re:/rotateKey$"),
    "sekoia playbook": Source(lambda lab: Sync(lab).converge, "re:symphony/playbooks$"),
    "sekoia intake": Source(lambda lab: Intakes(lab).converge, "re:conf/intakes$"),
    "alert relay": Source(_relay, "re:Logic/workflows/[^/]+$"),
    "splunk": Source(_splunk("converge"), "re:/saved/searches$"),
    "splunk, verify": Source(_splunk("verify"), "re:/search/jobs$"),
    "falcon, preflight": Source(lambda lab: lambda: Asked(lab).result, "/sensors/entities/datafeed"),
}
