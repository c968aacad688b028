# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from lab.client import LabClient

from ..engines import OWN_WORKSPACE, Tenant
from . import Run, Source


def _settings(lab: LabClient) -> Run:
    return Tenant(lab, subscriptions=["contoso-development"], families=["key_vault"]).run


def _access(lab: LabClient) -> Run:
    return lambda: Tenant(lab, subscriptions=["contoso-development"], workspace_id=OWN_WORKSPACE).run("access")


def _flow(lab: LabClient) -> Run:
    return lambda: Tenant(lab, subscriptions=["contoso-development"], families=["key_vault"]).run("flow")


SOURCES = {
    "azure diagnostics, the tenant": Source(_settings, "re:^/subscriptions$"),
    "azure diagnostics, its settings": Source(_settings, "re:/diagnosticSettings$"),
    "azure diagnostics, preflight": Source(_access, "re:Authorization/permissions$"),
    "azure diagnostics, verify": Source(_flow, "re:/v1/.*query$"),
}
