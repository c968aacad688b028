# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The template by which a customer's Owner gives a delegation by hand, and the command that deploys it. Pure.

Form: a subscription deployment as in Microsoft's Azure-Lighthouse-samples, with the values in it instead of
parameters, so that there is one file and nothing to fill in. The names are those that this collection gives, so what
was deployed by hand is taken for its own afterwards.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from .api import ASSIGNMENTS, DEFINITIONS, MANAGED_SERVICES_API, Wanted

SCHEMA = "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#"
# Where Azure keeps the record of a deployment; a delegation itself has no region.
REGIONS = {"azure_public": "westeurope", "azure_us_government": "usgovvirginia", "azure_china": "chinanorth3"}
FILE_NAME = "lighthouse.json"


def template(wanted: Wanted) -> dict[str, Any]:
    definition = f"[subscriptionResourceId('{DEFINITIONS}', '{wanted.name}')]"
    return {
        "$schema": SCHEMA,
        "contentVersion": "1.0.0.0",
        "resources": [
            {
                "type": DEFINITIONS,
                "apiVersion": MANAGED_SERVICES_API,
                "name": wanted.name,
                "properties": _literal(wanted.properties()),
            },
            {
                "type": ASSIGNMENTS,
                "apiVersion": MANAGED_SERVICES_API,
                "name": wanted.name,
                "dependsOn": [definition],
                "properties": {"registrationDefinitionId": definition},
            },
        ],
    }


def _literal(value: Any) -> Any:
    """A text in brackets would be taken for an expression."""
    if isinstance(value, str):
        return f"[{value}" if value.startswith("[") and value.endswith("]") else value
    if isinstance(value, dict):
        return {key: _literal(one) for key, one in value.items()}
    return [_literal(one) for one in value]


def text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def command(subscription: str, cloud: str, path: str | None) -> str:
    """What an Owner of the subscription runs, with the file at hand."""
    parts = ["az", "deployment", "sub", "create", "--subscription", subscription, "--location", REGIONS[cloud]]
    return shlex.join([*parts, "--template-file", path or FILE_NAME])
