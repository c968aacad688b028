# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads Graph security with Office365-REST-Python-Client, in its own environment: office365_driver.py GRAPH_URL TOKEN.

Prints what it has understood as JSON. Its one setting that is not an option is Graph's address.
"""

import json
import sys

from office365 import azure_env
from office365.graph_client import GraphClient
from office365.runtime.client_request_exception import ClientRequestException

url, token = sys.argv[1:]
azure_env._ENDPOINTS[azure_env.AzureEnvironment.Global]["graph"] = url
client = GraphClient(lambda: {"access_token": token, "token_type": "Bearer"})


def listed(items):
    return list(items.top(2).get_all().execute_query())


def told(item):
    return [item.id, item.status.name, item.severity.name, item.created_date_time]


def hunted(query):
    try:
        found = client.security.run_hunting_query(query).execute_query().value
    except ClientRequestException as error:
        return [error.response.status_code, error.code, error.message]
    return [[[one.name, one.type] for one in found.schema], [row.to_json() for row in found.results]]


found = {
    "alerts": [told(one) for one in listed(client.security.alerts_v2)],
    "incidents": [[one.id, one.created_datetime] for one in listed(client.security.incidents)],
    "hunting": hunted("DeviceInfo | summarize max(Timestamp)"),
    "refused": hunted("NoSuchTable | summarize max(Timestamp)"),
}
print(json.dumps(found, default=str))
