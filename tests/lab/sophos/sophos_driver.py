# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sophosfirewall-python, unmodified, in an environment of its own: calls from stdin, results to stdout (JSON).

A call is {"client": [username, password, host, port, ca_file], "do": name, "with": {...}}. What it raises comes back as
{"error": [type, text]}.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from sophosfirewall_python.api_client import APIClient


def answer(call: dict[str, Any]) -> Any:
    return getattr(APIClient(*call["client"]), call["do"])(**call.get("with", {}))


def main() -> None:
    told = []
    for call in json.load(sys.stdin):
        try:
            told.append(answer(call))
        except Exception as error:
            told.append({"error": [type(error).__name__, str(error)]})
    json.dump(told, sys.stdout)


main()
