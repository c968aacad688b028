# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the environment of azure-mgmt-securityinsight: incidents and rules, of what is on stdin, what was seen."""

from __future__ import annotations

import json
import sys
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.mgmt.securityinsight import SecurityInsights
from azure.mgmt.securityinsight.models import (
    AutomationRule,
    AutomationRuleModifyPropertiesAction,
    AutomationRuleTriggeringLogic,
    IncidentLabel,
)

given: dict[str, Any] = json.load(sys.stdin)
credential = ClientSecretCredential(
    given["tenant"], given["app"], given["secret"], authority=given["url"], disable_instance_discovery=True,
    connection_verify=given["ca_file"],
)  # fmt: skip
client = SecurityInsights(
    credential, given["subscription"], base_url=given["url"], credential_scopes=[f"{given['url']}/.default"],
    connection_verify=given["ca_file"],
)  # fmt: skip
where = (given["group"], given["workspace"])
listed = list(client.incidents.list(*where, filter="properties/incidentNumber ge 1", top=1))
told: dict[str, Any] = {"listed": [(one.title, one.status, one.additional_data.alerts_count) for one in listed]}
one = client.incidents.get(*where, listed[-1].name)
stale = one.etag
one.labels = [*(one.labels or []), IncidentLabel(label_name="INC1")]
made = client.incidents.create_or_update(*where, one.name, one)
told["labels"] = [label.label_name for label in made.labels]
one.etag = stale
try:
    client.incidents.create_or_update(*where, one.name, one)
except HttpResponseError as error:
    told["stale"] = error.status_code
client.incidents.delete(*where, one.name)
told["left"] = len(list(client.incidents.list(*where)))
rule = AutomationRule(
    display_name="ours", order=1,
    triggering_logic=AutomationRuleTriggeringLogic(is_enabled=True, triggers_on="Incidents", triggers_when="Created"),
    actions=[AutomationRuleModifyPropertiesAction(order=1)],
)  # fmt: skip
client.automation_rules.create_or_update(*where, "ours", rule)
told["rules"] = [one.display_name for one in client.automation_rules.list(*where)]
client.automation_rules.delete(*where, "ours")
json.dump(told, sys.stdout)
