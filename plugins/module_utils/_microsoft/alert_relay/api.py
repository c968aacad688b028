# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logic Apps in Resource Manager: what is read and written.

Contract: Microsoft.Logic/workflows, api-version 2019-05-01 (azure-rest-api-specs). listCallbackUrl takes keyType and
notAfter: the URL it gives proves its caller by a signature, until then. There are two keys; regenerateAccessKey takes
one of them, with which every URL ends that it signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..._core.bodies import items, mapping, text, words
from ..._core.client import documented
from ..._core.errors import NoAnswerError, RefusedError
from ..arm.client import Arm, Call
from ..arm.polling import insist
from ..arm.refusals import is_busy, is_gone
from ..arm.resources import target_path
from ..arm.workflow_runs import WORKFLOWS_API
from ..custom_logs.api import RULES_API, folded, parse_rule
from ..custom_logs.plan import Rule
from .plan import ENABLED, MARK, TRIGGER, Wanted, Workflow


class Relay:
    """Reads and writes of one workflow. found: as it stands; rule: that it sends to; url: its own, where asked for."""

    def __init__(self, arm: Arm, wanted: Wanted, wait_seconds: float = 0.0) -> None:
        self.arm, self.wanted, self.wait_seconds = arm, wanted, wait_seconds
        self.found: Workflow | None = None
        self.rule: Rule | None = None
        self.url = ""

    async def read_rule(self) -> Rule | None:
        """None for one that is not there. Raises OnboardingError."""
        call = Call("GET", target_path(self.wanted.rule), RULES_API, f"read the rule {self.wanted.rule}",
                    self.wanted.subscription)  # fmt: skip
        answer = await self._there(call)
        with documented(call.operation):
            self.rule = None if answer is None else parse_rule(answer, self.wanted.stream)
        return self.rule

    async def read(self) -> Workflow | None:
        """None for one that is not there. Raises OnboardingError."""
        answer = await self._there(call := self._call("GET", "read"))
        with documented(call.operation):
            self.found = None if answer is None else parse(answer)
        return self.found

    async def put(self, after: Workflow) -> None:
        """Write it whole, and see its identity. Raises OnboardingError."""
        call = self._call("PUT", "write", body=body(after))
        answer = await insist(lambda: self.arm.call(call), is_busy, self.wait_seconds, call.operation)
        with documented(call.operation):
            self.found = parse(answer)
        if not self.found.principal:
            text = "Azure made the workflow, and shows no identity of it"
            raise NoAnswerError(call.operation, text, code="NoIdentity", status=200)

    async def delete(self) -> None:
        call = self._call("DELETE", "delete")
        try:
            await insist(lambda: self.arm.call(call), is_busy, self.wait_seconds, call.operation)
        except RefusedError as error:
            if not is_gone(error):  # whoever did it
                raise

    async def callback(self, ends: float) -> str:
        """The URL, good until then. Raises OnboardingError."""
        asked = {
            "keyType": self.wanted.key.capitalize(),
            "notAfter": f"{datetime.fromtimestamp(ends, UTC):%Y-%m-%dT%H:%M:%SZ}",
        }
        call = self._call("POST", "read the URL of", f"/triggers/{TRIGGER}/listCallbackUrl", asked)
        answer = await self.arm.call(call)
        with documented(call.operation):
            if not (url := text(answer["value"])).startswith("https://"):
                raise ValueError("the URL is none")
        return url

    async def rotate(self) -> None:
        """Change the key that is not in use. Raises OnboardingError."""
        below, asked = "/regenerateAccessKey", {"keyType": self.wanted.rotate.capitalize()}
        await self.arm.call(self._call("POST", "change a key of", below, asked))

    async def others(self) -> list[tuple[str, Workflow]]:
        """All workflows of the resource group, by name. Raises OnboardingError."""
        call = self._call("GET", "list the workflows beside")
        call = call._replace(path=call.path.rpartition("/")[0])
        with documented(call.operation):
            listed = [one async for page in self.arm.pages(call) for one in items(page["value"])]
            return [(text(one["name"]), parse(one)) for one in listed]

    async def _there(self, call: Call) -> Any:
        try:
            return await self.arm.call(call)
        except RefusedError as error:
            if is_gone(error):
                return None
            raise

    def _call(self, method: str, verb: str, below: str = "", body: Any = None) -> Call:
        path = target_path(self.wanted.id) + below
        operation = f"{verb} the workflow {self.wanted.id}"
        return Call(method, path, WORKFLOWS_API, operation, self.wanted.subscription, body=body)


def parse(raw: Mapping[str, Any]) -> Workflow:
    """Raises what ODD_SHAPE names for another shape."""
    properties = mapping(raw["properties"])
    allowed = mapping(mapping(mapping(properties.get("accessControl")).get("triggers")))
    return Workflow(
        location=folded(text(raw["location"])),
        ours=MARK in mapping(raw.get("tags")),
        enabled=words(properties.get("state")) == ENABLED,
        principal=words(mapping(raw.get("identity")).get("principalId")),
        callers=tuple(text(one["addressRange"]) for one in items(allowed.get("allowedCallerIpAddresses") or [])),
        definition=mapping(properties.get("definition")),
    )


def body(after: Workflow) -> dict[str, Any]:
    callers = [{"addressRange": one} for one in after.callers]
    return {
        "location": after.location,
        "tags": {MARK: "splunk_alert_relay"},
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "state": ENABLED,
            "definition": dict(after.definition),
            "accessControl": {"triggers": {"allowedCallerIpAddresses": callers}},
        },
    }
