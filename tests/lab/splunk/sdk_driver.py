# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the environment of splunk-sdk: does what stdin says, all in one process, and says what it saw."""

from __future__ import annotations

import json
import ssl
import sys
from typing import Any

from splunklib import binding, client

given: dict[str, Any] = json.load(sys.stdin)


def service(token: str) -> Any:
    context = ssl.create_default_context(cafile=given["ca_file"])
    return client.Service(
        host="127.0.0.1", port=given["port"], splunkToken=token, owner="nobody", app="search", context=context
    )


splunk, told = service(given["token"]), {}
search = splunk.saved_searches["Brute force"]
told["before"] = {"actions": search["actions"], "app": search.access.app}
search.update(**{"actions": "email,webhook", "action.webhook.param.url": given["url"]}).refresh()
told["after"] = {"actions": search["actions"], "url": search["action.webhook.param.url"]}
told["names"] = sorted(one.name for one in splunk.saved_searches)
made = splunk.saved_searches.create("Made by the SDK", "index=main", is_scheduled="1")
told["made"] = made["search"]
try:
    splunk.saved_searches.create("Made by the SDK", "index=main")
except binding.HTTPError as error:
    told["twice"] = error.status
try:
    service("wrong").saved_searches["Brute force"]
except (binding.AuthenticationError, binding.HTTPError) as error:
    told["wrong"] = type(error).__name__
json.dump(told, sys.stdout)
