# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft 365, registered."""

from __future__ import annotations

from typing import Any

from lab.kernel.http import Call
from lab.kernel.registration import Scenario, Vendor
from lab.m365.routes import ROUTES
from lab.m365.state import M365, Subscription


def _load(m365: M365, scenario: Scenario) -> None:
    """The key C(m365) of a scenario: audit_off, slugs of tenants."""
    slugs = set(scenario.get("m365", {}).get("audit_off", ()))
    m365.audit_off = {one.id for one in m365.entra.tenants.values() if one.slug in slugs}


def _state(m365: M365, _call: Call, _body: Any) -> dict[str, Any]:
    return {
        "audit_off": sorted(m365.audit_off),
        "publishers": sorted(m365.publishers),
        "subscriptions": [
            {"tenant": tenant, "app": app, "type": type, "status": one.status, "dead": one.dead,
             "webhook": one.webhook, "contents": len(one.blobs)}
            for (tenant, app, type), one in m365.subscriptions.items()
        ],
    }  # fmt: skip


def _status(m365: M365) -> dict[str, Any]:
    return {"subscriptions": sum(one.on for one in m365.subscriptions.values()), "audit_off": len(m365.audit_off)}


# -- what others do, and what happens in a tenant ---------------------------------------------------------------------


def audit(m365: M365, tenant: str, on: bool) -> None:
    """An administrator turns the unified audit log on or off; what is subscribed stays."""
    (m365.audit_off.discard if on else m365.audit_off.add)(tenant)


def subscribe(m365: M365, tenant: str, app: str, type: str, webhook: str = "", **fields: Any) -> None:
    """A program with the same app subscribes, an hour ago. webhook: its address; fields: status, dead, started."""
    one = Subscription(type, fields.pop("status", "enabled"), m365.now() - 3600.0)
    one.webhook = {"status": "enabled", "address": webhook, "authId": None, "expiration": None} if webhook else None
    m365.subscriptions[tenant, app, type] = one
    change(m365, tenant, app, type, **fields)


def change(m365: M365, tenant: str, app: str, type: str, **fields: Any) -> None:
    """status, dead; webhook_status of its webhook."""
    one = m365.subscriptions[tenant, app, type]
    if one.webhook and (status := fields.pop("webhook_status", "")):
        one.webhook["status"] = status
    for name, value in fields.items():
        setattr(one, name, value)


def record(m365: M365, tenant: str, type: str, ago: float = 0.0, lag: float = 0.0) -> None:
    m365.record(tenant, type, ago, lag)


def lose(m365: M365, tenant: str, type: str) -> None:
    """Contents are listed and can no longer be fetched."""
    for (where, _app, held), one in m365.subscriptions.items():
        if (where, held) == (tenant, type):
            for blob in one.blobs:
                blob.lost = True


VENDOR = Vendor(
    name="m365",
    state=M365,
    load=_load,
    segments=frozenset({"api"}),
    find=ROUTES.find,
    operations=ROUTES.operations,
    throttled=("AF429", "Too many requests."),
    control={("GET", ""): _state},
    mutations={
        "m365_audit": audit,
        "m365_subscribe": subscribe,
        "m365_change": change,
        "m365_record": record,
        "m365_lose": lose,
    },
    status=_status,
)
