# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's own SDK, unmodified, in an environment of its own: what its blocks do with arguments from stdin (JSON).

The modules of Sekoia.io are subclasses of GenericAPIAction with the verb and endpoint of a manifest: here as there.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from sekoia_automation.action import GenericAPIAction
from sekoia_automation.module import Module


def answer(call: dict[str, Any]) -> Any:
    module = Module()
    module.configuration = call["configuration"]
    kind = type(
        "Block", (GenericAPIAction,), {"verb": call["verb"], "endpoint": call["endpoint"], "query_parameters": []}
    )
    block = kind(module)
    block.log = lambda *_told, **_more: None
    found = block.run(call["arguments"])
    return {"error": block.error_message} if found is None else found


json.dump([answer(call) for call in json.load(sys.stdin)], sys.stdout)
