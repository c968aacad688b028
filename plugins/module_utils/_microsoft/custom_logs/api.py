# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Custom tables and data collection rules in Resource Manager: what is read and written.

Contract: Microsoft.OperationalInsights/workspaces/tables, api-version 2022-10-01; Microsoft.Insights/
dataCollectionRules, 2023-03-11 (azure-rest-api-specs).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._core.bodies import items, mapping, text, words
from ..._core.client import documented
from ..._core.errors import NoAnswerError, RefusedError
from ..arm.client import Arm, Call
from ..arm.polling import insist, until
from ..arm.refusals import is_busy, is_gone
from ..arm.resources import target_path
from .plan import DESTINATION, DIRECT, MARK, Flow, Rule, Table, Wanted

TABLES_API, RULES_API, WORKSPACES_API = "2022-10-01", "2023-03-11", "2023-09-01"
DONE = "succeeded"
CLASSIC = "classic"


class CustomLogs:
    """Reads and writes of one table and one rule. found: the rule as it stands; region: the workspace's."""

    def __init__(self, arm: Arm, wanted: Wanted, wait_seconds: float = 0.0) -> None:
        self.arm, self.wanted, self.wait_seconds = arm, wanted, wait_seconds
        self.found: Rule | None = None
        self.region = ""

    async def location(self) -> str:
        """The workspace's region. Raises OnboardingError."""
        call = self._call("GET", self.wanted.workspace, WORKSPACES_API, "read the workspace")
        answer = await self.arm.call(call)
        with documented(call.operation):
            self.region = folded(text(answer["location"]))
        return self.region

    async def table(self) -> Table | None:
        """None for one that is not there. Raises OnboardingError."""
        answer = await self._read(call := self._call("GET", self.wanted.table_id, TABLES_API, "read the table"))
        with documented(call.operation):
            return None if answer is None else parse_table(answer)

    async def put_table(self, columns: Mapping[str, str]) -> None:
        """Make it, or add columns, and see that it is done. Raises OnboardingError."""
        call = self._call("PUT", self.wanted.table_id, TABLES_API, "write the table", table_body(self.wanted, columns))
        await insist(lambda: self.arm.call(call), is_busy, self.wait_seconds, call.operation)

    async def table_done(self) -> None:
        """Wait until nothing is being done to it, and all columns are there. Raises OnboardingError."""

        def done(found: Table | None) -> bool:
            return found is not None and found.settled and found.columns.keys() >= self.wanted.columns.keys()

        await until(self.table, done, self.wait_seconds, f"see the table {self.wanted.table} made")

    async def delete_table(self) -> None:
        await self._delete(self._call("DELETE", self.wanted.table_id, TABLES_API, "delete the table"))

    async def rule(self) -> Rule | None:
        """None for one that is not there. Raises OnboardingError."""
        answer = await self._read(call := self._call("GET", self.wanted.rule_id, RULES_API, "read the rule"))
        with documented(call.operation):
            return None if answer is None else parse_rule(answer, self.wanted.input)

    async def put_rule(self) -> Rule:
        """Write it whole; it has only what is ours. Raises OnboardingError."""
        call = self._call("PUT", self.wanted.rule_id, RULES_API, "write the rule", rule_body(self.wanted, self.region))
        answer = await insist(lambda: self.arm.call(call), _passes, self.wait_seconds, call.operation)
        with documented(call.operation):
            made = parse_rule(answer, self.wanted.input)
        if not made.endpoint:
            text = "Azure made the rule, and shows no address to send to"
            raise NoAnswerError(call.operation, text, code="NoEndpoint", status=200)
        return made

    async def delete_rule(self) -> None:
        await self._delete(self._call("DELETE", self.wanted.rule_id, RULES_API, "delete the rule"))

    async def _read(self, call: Call) -> Any:
        try:
            return await self.arm.call(call)
        except RefusedError as error:
            # A missing group is a missing rule; a missing workspace is a wrong option.
            if is_gone(error) and error.code != "ParentResourceNotFound":
                return None
            raise

    async def _delete(self, call: Call) -> None:
        try:
            await insist(lambda: self.arm.call(call), is_busy, self.wait_seconds, call.operation)
        except RefusedError as error:
            if not is_gone(error):  # whoever did it
                raise

    def _call(self, method: str, id_: str, version: str, words: str, body: Any = None) -> Call:
        return Call(method, target_path(id_), version, f"{words} {id_}", self.wanted.subscription, body=body)


def _passes(error: RefusedError) -> bool:
    return is_busy(error) or (error.code == "InvalidPayload" and "is not available" in error.message)


def folded(location: str) -> str:
    """«West Europe» and westeurope are one."""
    return location.replace(" ", "").casefold()


def parse_table(raw: Mapping[str, Any]) -> Table:
    """Raises what ODD_SHAPE names for another shape."""
    properties = mapping(raw["properties"])
    schema = mapping(properties["schema"])
    return Table(
        columns=_columns(schema["columns"]),
        ours=words(schema.get("description")).startswith(MARK),
        classic=words(schema.get("tableSubType")).casefold() == CLASSIC,
        settled=words(properties.get("provisioningState") or DONE).casefold() == DONE,
    )


def _columns(listed: Any) -> dict[str, str]:
    return {text(one["name"]): text(one["type"]).casefold() for one in items(listed)}


def parse_rule(raw: Mapping[str, Any], stream: str) -> Rule:
    """A rule, as far as it is about one stream. Raises what ODD_SHAPE names for another shape."""
    properties = mapping(raw["properties"])
    declared = mapping(properties.get("streamDeclarations")).get(stream)
    homes = {
        text(one["name"]): text(one["workspaceResourceId"])
        for one in items(mapping(properties.get("destinations")).get("logAnalytics") or [])
    }
    flows = items(properties.get("dataFlows") or [])
    ways = [one for one in flows if stream in items(one["streams"])]
    flow = None
    if ways:
        way = mapping(ways[0])
        flow = Flow(
            _columns(declared["columns"]) if declared else None,
            words(way.get("transformKql")) or "source",
            words(way.get("outputStream")),
            ""
            if len(ways) > 1 or len(items(way["destinations"])) != 1
            else homes.get(text(way["destinations"][0]), ""),
        )
    return Rule(
        flow,
        folded(text(raw["location"])),
        MARK in mapping(raw.get("tags")),
        words(mapping(properties.get("endpoints")).get("logsIngestion")).rstrip("/"),
        words(properties.get("immutableId")),
        words(mapping(raw.get("systemData")).get("createdAt")),
        tuple(sorted({text(name) for one in flows for name in items(one["streams"])} - {stream})),
    )


def table_body(wanted: Wanted, columns: Mapping[str, str]) -> dict[str, Any]:
    listed = [{"name": name, "type": kind} for name, kind in columns.items()]
    return {"properties": {"schema": {"name": wanted.table, "description": MARK, "columns": listed}}}


def rule_body(wanted: Wanted, location: str) -> dict[str, Any]:
    columns = [{"name": name, "type": kind} for name, kind in wanted.stream.items()]
    way = {
        "streams": [wanted.input],
        "destinations": [DESTINATION],
        "transformKql": wanted.transform,
        "outputStream": wanted.output,
    }
    return {
        "location": location,
        "kind": DIRECT,
        "tags": {MARK: "azure_custom_logs"},
        "properties": {
            "streamDeclarations": {wanted.input: {"columns": columns}},
            "destinations": {"logAnalytics": [{"workspaceResourceId": wanted.workspace, "name": DESTINATION}]},
            "dataFlows": [way],
        },
    }
