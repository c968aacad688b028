# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""duo_client, unmodified, in an environment of its own: calls from stdin (JSON), what came of them to stdout (JSON).

A call is {"client": [key, secret, host, port, ca_file], "accounts": true, "version": 2, "do": name, "with": {...}};
«canonicalize» and «sign» are its functions. What it raises comes back as a text.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from duo_client import Accounts, Admin
from duo_client import client as low


def answer(call: dict[str, Any]) -> Any:
    given = call.get("with", {})
    if call["do"] == "canonicalize":
        params = low.normalize_params(given.pop("params"))
        return low.canonicalize(**given, params=params)
    if call["do"] == "sign":
        params = low.normalize_params(given.pop("params"))
        return low.sign(**given, params=params)
    if call["do"] == "canon_json":
        return low.Client.canon_json(given)
    key, secret, host, port, ca_file = call["client"]
    kind = Accounts if call.get("accounts") else Admin
    version = {"sig_version": call["version"]} if "version" in call else {}
    client = kind(key, secret, host, ca_certs=ca_file, port=port, **version)
    client._MAX_BACKOFF_WAIT_SECS = 0
    if call.get("child"):
        client.account_id = call["child"]
    found = getattr(client, call["do"])(**given)
    return found if isinstance(found, (dict, list, str)) else list(found)


def main() -> None:
    told = []
    for call in json.load(sys.stdin):
        try:
            told.append(answer(call))
        except RuntimeError as error:
            told.append({"error": str(error)})
    json.dump(told, sys.stdout)


main()
