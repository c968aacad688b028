# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the environment of azure-monitor-ingestion: uploads what is on stdin, and says how each ended."""

from __future__ import annotations

import json
import sys
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.monitor.ingestion import LogsIngestionClient

given: dict[str, Any] = json.load(sys.stdin)
credential = ClientSecretCredential(
    given["tenant"], given["app"], given["secret"], authority=given["url"], disable_instance_discovery=True,
    connection_verify=given["ca_file"],
)  # fmt: skip
client = LogsIngestionClient(given["endpoint"], credential, connection_verify=given["ca_file"], retry_total=0)
told = []
for one in given["uploads"]:
    try:
        client.upload(one.get("rule", given["rule"]), one.get("stream", given["stream"]), one["logs"])
        told.append({"status": 204})
    except HttpResponseError as error:
        told.append({"status": error.status_code, "code": error.error.code if error.error else ""})
json.dump(told, sys.stdout)
