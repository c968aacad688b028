# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says of a webhook's event what happened at which tenant, and limits what runs on it to that tenant."""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

DOCUMENTATION = r"""
short_description: Take the tenant and the kind of an event from a webhook
description:
  - Expects POSTs to C(/<source>/<tenant>/<token>), since Azure's action groups and many other senders can authenticate
    by nothing but the URL. C(source) is C(azure) or C(coro), C(tenant) the slug, C(token) the rulebook's secret.
  - Adds C(onboarding) with C(kind) and C(tenant), and C(meta.hosts), which ansible-rulebook makes the limit of a
    playbook. An event that is not understood, or whose token is wrong, gets neither, so that no rule takes it.
  - Takes the token out of the event.
notes:
  - The environment variable C(MSSP_EDA_TOKEN_FILE) names the file that holds the token; ansible-rulebook gives filters
    no variables. Without it, or with an empty file, every event is refused.
options: {}
"""

SLUG = re.compile(r"[a-z][a-z0-9-]{0,39}")
# Names of groups that a slug could be mistaken for; a tenant file may not have them either.
# What is told here is no collector's, and without this the playbooks would ask for them.
NO_COLLECTORS = "!collectors"
RESERVED = frozenset({"all", "collectors", "localhost", "tenants", "ungrouped"})
DELETED = {
    "microsoft.insights/diagnosticsettings/delete": "setting_deleted",
    "microsoft.insights/datacollectionrules/delete": "rule_deleted",
    "microsoft.logic/workflows/delete": "relay_deleted",
}


def _azure(payload: dict[str, Any]) -> str:
    """Activity log alert of an action group, schema Microsoft.Insights/activityLogs (Microsoft Learn)."""
    log = payload["data"]["context"]["activityLog"]
    return DELETED.get(log["operationName"].lower(), "") if log["status"].lower() == "succeeded" else ""


def _coro(payload: dict[str, Any]) -> str:
    """Coro has no webhook of its own for this: a rule of the SIEM or a poller sends C({"status": "Disconnected"})."""
    return "connector_disconnected" if payload["status"].lower() == "disconnected" else ""


KINDS: dict[str, Callable[[dict[str, Any]], str]] = {"azure": _azure, "coro": _coro}


def _token() -> str:
    """Read for each event, so that a new token needs no restart; "" where there is none."""
    try:
        return Path(os.environ.get("MSSP_EDA_TOKEN_FILE", "")).read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def main(event: dict[str, Any]) -> dict[str, Any]:
    """The event, with what is known of it."""
    token = _token()
    meta = event.setdefault("meta", {})
    source, tenant, given = (*str(meta.pop("endpoint", "")).split("/", 2), "", "")[:3]
    meta.pop("hosts", None)
    event.pop("onboarding", None)
    known = bool(token) and hmac.compare_digest(given.encode(), token.encode())
    if not known or source not in KINDS or not SLUG.fullmatch(tenant) or tenant in RESERVED:
        return event
    try:
        kind = KINDS[source](event["payload"])
    except (AttributeError, KeyError, TypeError):
        return event
    if kind:
        event["onboarding"] = {"kind": kind, "tenant": tenant}
        meta["hosts"] = [tenant, NO_COLLECTORS]
    return event
