# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done with the Logic App that takes Splunk's alerts on: pure, and all that knows what is equal.

Facts: learn.microsoft.com (logic-apps-securing-a-logic-app, workflow definition language): a request trigger is open to
whoever has its URL; callers can be limited to addresses; an HTTP action can prove itself by the workflow's managed
identity. Microsoft's published script for this (Azure-Sentinel, Tools/SplunkAlertIngestion) keeps a client secret in
the definition instead. assumed: Azure shows a definition as it was written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..._core.policy import ON_REQUEST
from ..._core.status import BLOCKED, DRIFTED, IN_SYNC
from ..._core.verdict import Verdict

MARK = "mssp-onboarding"
KEYS = ("primary", "secondary")
NONE = "none"
TRIGGER, ACTION, ENABLED = "manual", "Send", "Enabled"
SCHEMA = "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#"
INGESTION_API = "2023-01-01"
# What Splunk's webhook posts -> the columns of the stream. The one result is passed on as text: a transform makes it
# an object, and a field of more than 64 KB is cut by Azure.
COLUMNS = {
    "SearchName": "@triggerBody()?['search_name']",
    "App": "@triggerBody()?['app']",
    "Owner": "@triggerBody()?['owner']",
    "Sid": "@triggerBody()?['sid']",
    "ResultsLink": "@triggerBody()?['results_link']",
    "Result": "@string(triggerBody()?['result'])",
}
SECRETS = ("client_secret", "clientsecret", "sharedkey")
STEPS = {
    "not_ours": "name another workflow: somebody else made this one",
    "secret": "set replace: it keeps a client secret in its definition, as Microsoft's script makes it; then have the "
    "secret of that app removed",
    "rule": "onboard azure_custom_logs first: the rule is not there, or has no address",
    "rotation": "run the onboard playbook first, and leave rotate out of it",
}


class Wanted(NamedTuple):
    """callers: addresses that may call; replace: whether a workflow with a secret in it may be rewritten.

    key: of the workflow's two, the one that signs the URL; rotate: the other one where it is to be changed, or NONE.
    """

    rule: str
    stream: str
    group: str
    workflow: str
    callers: tuple[str, ...]
    replace: bool = False
    present: bool = True
    key: str = KEYS[0]
    rotate: str = NONE

    @property
    def subscription(self) -> str:
        return self.rule.split("/")[2]

    @property
    def id(self) -> str:
        head = f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
        return f"{head}/providers/Microsoft.Logic/workflows/{self.workflow}"


class Workflow(NamedTuple):
    """A Logic App as found. principal: of its own identity, '' for none."""

    location: str
    ours: bool
    enabled: bool
    principal: str
    callers: tuple[str, ...]
    definition: Mapping[str, Any]

    @property
    def has_secret(self) -> bool:
        """Whether a credential stands in its definition. What it is is never told."""
        text = json.dumps(self.definition).casefold()
        return any(word in text for word in SECRETS)

    def view(self) -> dict[str, Any]:
        return {"enabled": self.enabled, "identity": bool(self.principal), "callers": list(self.callers)}


def definition(url: str, audience: str) -> dict[str, Any]:
    """A workflow that posts what it is sent to a rule, as its own identity: no secret is in it."""
    send = {
        "type": "Http",
        "runAfter": {},
        "inputs": {
            "method": "POST",
            "uri": url,
            "headers": {"Content-Type": "application/json"},
            "body": [COLUMNS],
            "authentication": {"type": "ManagedServiceIdentity", "audience": audience},
        },
    }
    return {
        "$schema": SCHEMA,
        "contentVersion": "1.0.0.0",
        "triggers": {TRIGGER: {"type": "Request", "kind": "Http", "inputs": {"schema": {}}}},
        "actions": {ACTION: send},
    }


def ingestion_url(endpoint: str, immutable: str, stream: str) -> str:
    return f"{endpoint}/dataCollectionRules/{immutable}/streams/{stream}?api-version={INGESTION_API}"


def plan(wanted: Wanted, found: Workflow | None, defined: Mapping[str, Any] | None, location: str) -> Verdict:
    """defined: what the definition has to be, None where the rule is not there yet; location: the rule's region."""
    if not wanted.present:
        return _absent(wanted, found)
    if defined is None:
        return _blocked(wanted, "rule", "the data collection rule is not there, or has no address", found)
    # A workflow stays in the region that it was made in.
    place, principal = (found.location, found.principal) if found else (location, "")
    after = Workflow(place, True, True, principal, wanted.callers, defined)
    if found is None:
        return Verdict(wanted.id, DRIFTED, ("missing",), action="create", after=after)
    differs = {
        "identity": not found.principal,
        "definition": _meant(found.definition) != _meant(defined),
        "callers": sorted(found.callers) != sorted(wanted.callers),
        "disabled": not found.enabled,
    }
    drift = tuple(name for name, is_so in differs.items() if is_so)
    if not drift:
        return Verdict(wanted.id, IN_SYNC, before=found)
    reason = f"another {', '.join(drift)}" if drift != ("disabled",) else "it is switched off"
    if found.has_secret:
        if not wanted.replace:
            return _blocked(wanted, "secret", "it is not one that we made, and a secret stands in it", found)
        drift, reason = ("secret", *drift), "a secret stands in its definition"
    elif not found.ours:
        return _blocked(wanted, "not_ours", f"{reason}, and it is not one that we made", found)
    return Verdict(wanted.id, DRIFTED, drift, reason, "update", before=found, after=after)


def rotation(target: str, wanted: Wanted, found: Workflow | None) -> Verdict:
    """Of the key that nobody is to use any more, with which all URLs end that it signed."""
    if not wanted.present or found is None or not found.ours:
        return _refused(target, "rotation", "there is no workflow of ours to have keys")
    before, after = {wanted.rotate: "the old key"}, {wanted.rotate: "a new key"}
    reason = f"the {wanted.rotate} key is to be changed"
    return Verdict(target, DRIFTED, ("rotation",), reason, "rotate", ON_REQUEST, before, after)


def _meant(given: Mapping[str, Any]) -> dict[str, Any]:
    """What of a definition counts: Azure adds what is empty."""
    return {name: value for name, value in given.items() if value not in (None, {}, [])}


def _absent(wanted: Wanted, found: Workflow | None) -> Verdict:
    if found is None:
        return Verdict(wanted.id, IN_SYNC)
    if not found.ours:
        return Verdict(wanted.id, IN_SYNC, reason="kept: it is not one that we made", before=found)
    return Verdict(wanted.id, DRIFTED, ("unexpected",), "ours is to be removed, and its URL with it", "delete",
                   before=found)  # fmt: skip


def _blocked(wanted: Wanted, code: str, reason: str, found: Workflow | None) -> Verdict:
    return _refused(wanted.id, code, reason)._replace(before=found)


def _refused(target: str, code: str, reason: str) -> Verdict:
    return Verdict(target, BLOCKED, (code,), reason, next_step=STEPS[code])


def ends(now: float, days: int) -> float:
    """When a URL that is asked for now ends: one for each period of so many days, good for this and the next. Pure.

    So two runs of a day give one URL, and whoever has one has at least a whole period to take the next.
    """
    period = days * 86400.0
    return (now // period + 2) * period
