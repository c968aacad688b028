# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the argument specs of roles have no words for, as tables: forms of values, needed sets, uniqueness."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

# Patterns for the whole string, without flags: the JSON Schema for editors has them too.
_GUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_RESOURCE_ID = re.compile(r"/[sS]ubscriptions/[^/\s]+/.+")


@dataclass(frozen=True, slots=True)
class Form:
    """How a string must look; `expected` ends the sentence «expected …»."""

    pattern: re.Pattern[str]
    expected: str


GUID: Final = Form(_GUID, "a GUID such as 00000000-0000-0000-0000-000000000000")
RESOURCE_ID: Final = Form(_RESOURCE_ID, "an Azure resource id that starts with /subscriptions/")

# Option names (globs) to the form of each string in the value. Other vendors' client ids are no GUIDs.
FORMS: Final = (
    ("azure_*_tenant_id", GUID),
    ("azure_*_tenant_ids", GUID),
    ("event_hub_export_*tenant_id", GUID),
    ("event_hub_export_client_id", GUID),
    ("event_hub_export_subscription_id", GUID),
    ("azure_*_client_id", GUID),
    ("tenant_access_*tenant_id", GUID),
    ("tenant_access_client_id", GUID),
    ("tenant_access_subscriptions", GUID),
    ("azure_*_workspace_id", RESOURCE_ID),
    ("azure_*_authorization_rule_id", RESOURCE_ID),
    ("azure_*_storage_account_id", RESOURCE_ID),
    ("azure_*_partner_id", RESOURCE_ID),
    ("mssp_application_*_id", GUID),
)


@dataclass(frozen=True, slots=True)
class OneOf:
    """At least one of the options has to be given; an environment variable that stands in for one counts."""

    role: str
    options: tuple[str, ...]
    environment: tuple[str, ...]
    what: str


ONE_OF: Final = (
    OneOf(
        "tenant_access",
        (
            "tenant_access_client_secret",
            "tenant_access_client_certificate_path",
            "tenant_access_federated_token_file",
        ),
        ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE"),
        "to sign in",
    ),
    OneOf(
        "azure_diagnostics",
        (
            "azure_diagnostics_client_secret",
            "azure_diagnostics_client_certificate_path",
            "azure_diagnostics_federated_token_file",
        ),
        # The names of azure-identity's EnvironmentCredential and WorkloadIdentityCredential.
        ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE"),
        "to sign in",
    ),
    OneOf(
        "event_hub_export",
        (
            "event_hub_export_client_secret",
            "event_hub_export_client_certificate_path",
            "event_hub_export_federated_token_file",
            "event_hub_export_admin_arm_token",
        ),
        ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE"),
        "to sign in",
    ),
    OneOf(
        "mssp_application",
        (
            "mssp_application_access_token",
            "mssp_application_client_secret",
            "mssp_application_client_certificate_path",
            "mssp_application_federated_token_file",
        ),
        ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE"),
        "to sign in",
    ),
)

# Values that two tenant files may not share, and what to do when they mean to.
UNIQUE: Final = {
    "tenant_access_tenant_id": "each tenant has its own",
    "azure_diagnostics_tenant_id": "each tenant has its own",
    "mssp_application_tenant_id": "the provider has one file of its own",
    "event_hub_export_tenant_id": "each tenant has its own",
    "event_hub_export_namespace": "each tenant has its own",
    "coro_connectors_workspace": "each tenant has its own",
    "azure_diagnostics_workspace_id": "a workspace that tenants share belongs in group_vars/tenants.yml",
}


def form_of(option: str) -> Form | None:
    """The form that the values of an option must have."""
    return next((form for pattern, form in FORMS if fnmatchcase(option, pattern)), None)
