# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's own SDK, unmodified, in an environment of its own: what its blocks do with arguments from stdin (JSON).

The modules of Sekoia.io are subclasses of GenericAPIAction with the verb and endpoint of a manifest, and its pullers of
Connector: here as there.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from sekoia_automation.action import GenericAPIAction
from sekoia_automation.connector import Connector
from sekoia_automation.module import Module


class Puller(Connector):
    def run(self) -> None:
        """What it would pull is given."""


def answer(call: dict[str, Any]) -> Any:
    return pushed(call) if "events" in call else done(call)


def pushed(call: dict[str, Any]) -> list[str]:
    puller = Puller(Module())
    puller.log = lambda *_told, **_more: None
    puller.configuration = {"intake_server": call["intake_server"], "intake_key": call["intake_key"]}
    return list(puller.push_events_to_intakes(call["events"], sync=True))


def done(call: dict[str, Any]) -> Any:
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
