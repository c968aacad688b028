# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the customer's administrator is asked for, and why: the content of the hand-over page. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._core.findings import MISSING, OK, UNKNOWN, Finding
from ..arm.permissions import revoke
from ..graph.permissions import key_of, retired
from ..graph.switches import SWITCHES
from ..lighthouse import template as lighthouse_template
from .rules import AADIAM, ANY_SUBSCRIPTION, Role, Seen, Wanted, register_command, role_commands

# learn.microsoft.com «Microsoft Graph permissions reference», and of the other APIs: what a permission lets an app do.
PERMISSIONS = {
    "ActivityFeed.Read": "Reads the audit records of Microsoft 365: who did what in Exchange, SharePoint and Entra ID.",
    "ActivityFeed.ReadDlp": "Reads records of data loss prevention, which may quote what was found.",
    "Alert.Read.All": "Reads alerts of Defender for Endpoint.",
    "AuditLog.Read.All": "Reads the sign-in and audit logs of Entra ID.",
    "Incident.Read.All": "Reads incidents of Defender XDR.",
    "Machine.Read.All": "Reads the list of devices in Defender for Endpoint.",
    "SecurityAlert.Read.All": "Reads security alerts.",
    "SecurityIncident.Read.All": "Reads security incidents.",
    "ServiceHealth.Read": "Reads the health of Microsoft 365 services.",
    "ThreatHunting.Read.All": "Runs hunting queries over the data of Defender XDR.",
}
OTHER_PERMISSION = "Your provider says what it is for; Microsoft's permissions reference says what it allows."
# learn.microsoft.com «Azure built-in roles».
ROLES = {
    "Monitoring Contributor": (
        "Reads monitoring data and what resources there are, and sets up monitoring: here the diagnostic settings that "
        "send their logs. It changes nothing else of your resources."
    ),
    "Monitoring Reader": "Reads monitoring data and settings, and changes nothing.",
    "Reader": "Reads what resources there are, and changes nothing.",
    "Log Analytics Contributor": "Reads and sets up workspaces and the logs that are sent to them.",
}
OTHER_ROLE = "Your provider says what it is for; Microsoft's list of built-in roles says what it allows."
DIRECTORY_ROLE = (
    "Sets where the directory's own logs (sign-ins, audit) are sent. On this scope nobody has a right at first, so the "
    "first command gives it to you, a Global Administrator, and the last one takes it back: put your own sign-in name "
    "for ADMINISTRATOR."
)
STATES = {OK: "done", MISSING: "to do", UNKNOWN: "could not be checked"}
TO_DO = STATES[MISSING]


def content(wanted: Wanted, seen: Seen, found: list[Finding]) -> dict[str, Any]:
    """The page's data. C(state) is «done», «to do» or «could not be checked» of each thing that is asked for.

    consent: C(url), or '' where the app is not needed in the customer's own directory; commands: what to run, in order.
    """
    states = {(finding.check, finding.subject): STATES[finding.status] for finding in found}
    signed_in = states.get(("sign_in", wanted.tenant_id), "")
    return {
        "client_id": wanted.client_id,
        "tenant_id": wanted.tenant_id,
        "managing_tenant_id": wanted.managing_tenant_id,
        "consent_url": wanted.consent_url if signed_in else "",
        "consent_state": _worst(signed_in, *(one["state"] for one in _permissions(wanted, states))),
        "permissions": _permissions(wanted, states),
        "switches": [
            SWITCHES[name]._asdict() for names in wanted.permissions.values() for name in names if name in SWITCHES
        ],
        "extra": [f.subject for f in found if f.check == "permission" and f.detail.startswith("unexpected")],
        "roles": [_role(wanted, role, states) for role in _roles(wanted)],
        "delegations": [_delegation(wanted, one, states) for one in wanted.delegated],
        "providers": [_provider(one, states) for one in seen.providers],
    }


def _worst(*states: str) -> str:
    """To do while one of them is, done when all are."""
    order = (STATES[MISSING], STATES[UNKNOWN], STATES[OK])
    return next((state for state in order if state in states), TO_DO)


def _permissions(wanted: Wanted, states: Mapping[tuple[str, str], str]) -> list[dict[str, str]]:
    return [
        {
            "resource": key_of(app_id),
            "name": name,
            "why": PERMISSIONS.get(name, OTHER_PERMISSION),
            "retired": retired(app_id, name),
            "state": states.get(("permission", f"{key_of(app_id)} {name}"), TO_DO),
        }
        for app_id, names in wanted.permissions.items()
        for name in names
    ]


def _roles(wanted: Wanted) -> tuple[Role, ...]:
    """The roles to assign; while no subscription is known, the one on each of them."""
    if wanted.subscriptions or wanted.managing_tenant_id:
        return wanted.assigned
    return (Role(wanted.role, ANY_SUBSCRIPTION), *wanted.further)


def _role(wanted: Wanted, role: Role, states: Mapping[tuple[str, str], str]) -> dict[str, str]:
    directory = role.scope.casefold().startswith(AADIAM)
    return {
        "role": role.role,
        "scope": role.scope,
        "why": DIRECTORY_ROLE if directory else ROLES.get(role.role, OTHER_ROLE),
        "command": "\n".join(role_commands(wanted.client_id, role)),
        "revoke": revoke(wanted.client_id, role.role, role.scope),
        "state": states.get(("role", f"{role.role} on {role.scope}"), TO_DO),
    }


def _delegation(wanted: Wanted, subscription: str, states: Mapping[tuple[str, str], str]) -> dict[str, str]:
    return {
        "subscription": subscription,
        "role": wanted.role,
        "why": ROLES.get(wanted.role, OTHER_ROLE),
        "command": lighthouse_template.command(subscription, wanted.cloud, None),
        "state": states.get(("delegation", subscription), TO_DO),
    }


def _provider(subscription: str, states: Mapping[tuple[str, str], str]) -> dict[str, str]:
    return {
        "subscription": subscription,
        "command": register_command(subscription),
        "state": states.get(("provider_registered", subscription), TO_DO),
    }
