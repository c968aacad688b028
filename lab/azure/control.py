# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests may ask of the lab's Azure: GET /_lab/azure/world, GET /_lab/azure/messages."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from lab.azure.bodies import render
from lab.azure.diagnostics import kind_of
from lab.azure.model import Setting
from lab.azure.state import Azure
from lab.kernel.clock import stamp
from lab.kernel.http import Call


def world(azure: Azure, call: Call, _body: Any) -> dict[str, Any]:
    """?target=ID: settings of a target, or of everything, as they are and as a GET would show them:
    {"settings": {lower target: {name: {...}}}}; with resources=1 all resources and subscriptions."""
    wanted = call.query.get("target", "").lower()
    found: dict[str, Any] = {}
    for target, held in azure.settings.items():
        if held and wanted in ("", target):
            found[target] = {setting.name: _setting(azure, setting) for setting in held.values()}
    answer: dict[str, Any] = {"settings": found}
    if "resources" in call.query:
        answer["resources"] = [asdict(item) for sub in azure.subscriptions.values() for item in sub.resources.values()]
        answer["subscriptions"] = [
            {"id": sub.id, "name": sub.name, "tenant": sub.tenant, "state": sub.state}
            for sub in azure.subscriptions.values()
        ]
    return answer


def messages(azure: Azure, call: Call, _body: Any) -> list[dict[str, Any]]:
    """?hub=ID: the messages in it, with when they came on the clients' clock, which stands for @time@ in them."""
    held = azure.sent.get(call.query["hub"].lower(), [])
    return [
        {"time": azure.shown(when), "body": body.replace("@time@", stamp(azure.shown(when)))}
        for when, body in sorted(held)
    ]


def _setting(azure: Azure, setting: Setting) -> dict[str, Any]:
    where = azure.target_type(setting.target)
    shown = render(setting, kind_of(*where)) if where else None
    return {
        **asdict(setting),
        "written": azure.shown(setting.written),
        "since": azure.shown(setting.since),
        "shown": shown,
    }


def status(azure: Azure) -> dict[str, Any]:
    return {
        "subscriptions": len(azure.subscriptions),
        "resources": sum(len(sub.resources) for sub in azure.subscriptions.values()),
        "settings": sum(len(held) for held in azure.settings.values()),
    }
