# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done with a custom table, and with the rule that fills it: pure, and all that knows what is equal.

Facts: azure-monitor-docs (create-custom-table, data-collection-rule-structure): columns can be added and none changes
its type; a table that the retired HTTP Data Collector API made is Classic and takes no rule's records until it is
migrated; a rule is of the workspace's region, and gets an address of its own only where it is made as Direct.
assumed: a table keeps the description of its schema, by which ours is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..._core.status import BLOCKED, DRIFTED, IN_SYNC
from ..._core.verdict import Verdict

MARK = "mssp-onboarding"
DIRECT = "Direct"
TIME = "TimeGenerated"
TYPES = ("string", "int", "long", "real", "boolean", "datetime", "guid", "dynamic")
PREFIX = "Custom-"
DESTINATION = "workspace"
STEPS = {
    "classic": "end what still posts by the workspace's shared key, then have its owner run: az monitor log-analytics "
    "workspace table migrate; or name another table",
    "type": "name the column otherwise, or give columns the type that the table has: no type changes in place",
    "not_ours": "have its owner add what is missing, or name another one",
    "location": "name another rule: this one lies in another region than the workspace, and stays there",
    "shared": "give each table a rule of its own by another name, and have the stream that nobody sends to removed",
    "no_endpoint": "name another rule, or have this one removed: no rule gets an address after it was made",
}


class Wanted(NamedTuple):
    """What the tenant file says. workspace: its id; columns: of the table, stream: of what is sent; name to type.

    group: of the rule; senders: object ids that may send; probes: whether the app itself may, too.
    """

    workspace: str
    table: str
    columns: Mapping[str, str]
    group: str
    rule: str
    stream: Mapping[str, str]
    transform: str
    senders: tuple[str, ...] = ()
    probes: bool = True
    present: bool = True
    remove_table: bool = False

    @property
    def subscription(self) -> str:
        return self.workspace.split("/")[2]

    @property
    def table_id(self) -> str:
        return f"{self.workspace}/tables/{self.table}"

    @property
    def rule_id(self) -> str:
        head = f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
        return f"{head}/providers/Microsoft.Insights/dataCollectionRules/{self.rule}"

    @property
    def input(self) -> str:
        return PREFIX + self.table.removesuffix("_CL")

    @property
    def output(self) -> str:
        return PREFIX + self.table


class Table(NamedTuple):
    """A custom table as found. classic: made by the retired API; settled: nothing is being done to it."""

    columns: Mapping[str, str]
    ours: bool
    classic: bool = False
    settled: bool = True

    def view(self) -> dict[str, Any]:
        return {"columns": dict(self.columns)}


class Flow(NamedTuple):
    """What a rule does with one stream."""

    stream: Mapping[str, str] | None
    transform: str
    output: str
    workspace: str

    def view(self) -> dict[str, Any]:
        return {**self._asdict(), "stream": dict(self.stream or {})}


class Rule(NamedTuple):
    """A data collection rule as found. flow: of our stream, None without one; made: when, in Azure's words.

    others: the other streams that it takes.
    """

    flow: Flow | None
    location: str
    ours: bool
    endpoint: str = ""
    immutable: str = ""
    made: str = ""
    others: tuple[str, ...] = ()


# -- the table --------------------------------------------------------------------------------------------------------


def table(wanted: Wanted, found: Table | None) -> Verdict:
    target = wanted.table_id
    if not wanted.present:
        return _table_absent(wanted, found)
    after = Table({**(found.columns if found else {}), **wanted.columns}, ours=True)
    if found is None:
        return Verdict(target, DRIFTED, ("missing",), action="create", after=after)
    if found.classic:
        return _blocked(target, "classic", "it was made by posts to the retired HTTP Data Collector API", found)
    held = {name.casefold(): (name, kind) for name, kind in found.columns.items()}
    other = [
        f"{name} is {held[name.casefold()][1]}, and {kind} is wanted"
        for name, kind in wanted.columns.items()
        if held.get(name.casefold(), (name, kind)) != (name, kind)
    ]
    if other:
        return _blocked(target, "type", "; ".join(other), found)
    missing = [name for name in wanted.columns if name not in found.columns]
    if not missing:
        return Verdict(target, IN_SYNC, before=found)
    reason = f"it has no column {', '.join(missing)}"
    if not found.ours:
        return _blocked(target, "not_ours", f"{reason}, and is not one that we made", found)
    return Verdict(target, DRIFTED, ("missing",), reason, "update", "create", before=found, after=after)


def _table_absent(wanted: Wanted, found: Table | None) -> Verdict:
    if found is None:
        return Verdict(wanted.table_id, IN_SYNC)
    if not (found.ours and wanted.remove_table):
        why = "remove_table is not set, and records would be lost" if found.ours else "it is not one that we made"
        return Verdict(wanted.table_id, IN_SYNC, reason=f"kept: {why}", before=found)
    return Verdict(wanted.table_id, DRIFTED, ("unexpected",), "it is to be removed with its records", "delete",
                   before=found)  # fmt: skip


# -- the rule ---------------------------------------------------------------------------------------------------------


def rule(wanted: Wanted, found: Rule | None, location: str) -> Verdict:
    """location: the workspace's region."""
    target = wanted.rule_id
    after = Flow(wanted.stream, wanted.transform, wanted.output, wanted.workspace)
    if not wanted.present:
        return _rule_absent(target, found)
    if found is None:
        return Verdict(target, DRIFTED, ("missing",), action="create", after=after)
    if found.location != location:
        return _blocked(target, "location", f"it is in {found.location}, and the workspace in {location}", found.flow)
    if not found.endpoint:
        return _blocked(target, "no_endpoint", "it has no address to send to", found.flow)
    differs = [name for name in Flow._fields if not found.flow or not _same(name, found.flow, after)]
    if not differs:
        return Verdict(target, IN_SYNC, before=found.flow)
    reason = f"another {', '.join(differs)}" if found.flow else "it has no such stream"
    if not found.ours:
        return _blocked(target, "not_ours", f"{reason}, and it is not one that we made", found.flow)
    if found.others:  # it is written whole
        return _shared(target, found)
    return Verdict(target, DRIFTED, tuple(differs), reason, "update", before=found.flow, after=after)


def _same(name: str, one: Flow, other: Flow) -> bool:
    """Azure gives ids back in another case, and a transform as it was written."""
    first, second = getattr(one, name), getattr(other, name)
    return bool(first.casefold() == second.casefold() if name in ("workspace", "output") else first == second)


def _rule_absent(target: str, found: Rule | None) -> Verdict:
    if found is None:
        return Verdict(target, IN_SYNC)
    if not found.ours:
        return Verdict(target, IN_SYNC, reason="kept: it is not one that we made", before=found.flow)
    if found.others:
        return _shared(target, found)
    return Verdict(target, DRIFTED, ("unexpected",), "ours is to be removed", "delete", before=found.flow)


def _shared(target: str, found: Rule) -> Verdict:
    return _blocked(target, "shared", f"it takes {', '.join(found.others)[:200]}, too", found.flow)


def _blocked(target: str, code: str, reason: str, before: Any) -> Verdict:
    return Verdict(target, BLOCKED, (code,), reason, before=before, next_step=STEPS[code])
