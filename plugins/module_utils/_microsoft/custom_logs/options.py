# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules about custom logs: the argument specs, and their values checked and typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..._core.errors import InputError
from ..._core.names import meant
from ..._core.options import Check
from ..identity import options as identity_options
from ..identity.options import FLOW_SPEC, GUID, IDENTITY_RULES, IDENTITY_SPEC, READ, RUN_SPEC, Identity, Watch
from .plan import TIME, TYPES, Wanted

# Who may send is a data action, which Azure Lighthouse does not delegate: the sign-in is to the workspace's own tenant.
UNUSED: dict[str, Any] = {"managing_tenant_id": None, "auxiliary_tenant_ids": []}
PLACE_SPEC: dict[str, dict[str, Any]] = {
    **{name: option for name, option in IDENTITY_SPEC.items() if name not in UNUSED},
    "workspace_id": {"type": "str", "required": True},
    "table": {"type": "str", "required": True},
    "columns": {"type": "dict", "required": True},
}
RULE_SPEC: dict[str, dict[str, Any]] = {
    "resource_group": {"type": "str", "default": ""},
    "rule": {"type": "str", "default": "mssp-onboarding"},
    "stream_columns": {"type": "dict", "default": {}},
    "transform": {"type": "str", "default": "source"},
    "senders": {"type": "list", "elements": "str", "default": []},
    "probes": {"type": "bool", "default": True},
}
WAIT_SPEC: dict[str, dict[str, Any]] = {"wait_seconds": {"type": "int", "default": 300}}
_RUN = {name: RUN_SPEC[name] for name in ("state", "fail_on", "correct", "max_changes", "evidence_path")}
TABLE_MODULE_SPEC = {**PLACE_SPEC, "remove_table": {"type": "bool", "default": False}, **WAIT_SPEC, **_RUN}
RULE_MODULE_SPEC = {**PLACE_SPEC, **RULE_SPEC, **WAIT_SPEC, **_RUN}
ACCESS_SPEC = {**PLACE_SPEC, **RULE_SPEC}
FLOW_MODULE_SPEC = {
    **PLACE_SPEC,
    **RULE_SPEC,
    **FLOW_SPEC,
    "may_be_quiet": {"type": "bool", "default": False},
    "probe": {"type": "bool", "default": False},
    "probe_seconds": {"type": "int", "default": 300},
    "evidence_path": RUN_SPEC["evidence_path"],
}
_DEFAULTS = {
    name: option.get("default") for name, option in {**RULE_SPEC, **FLOW_MODULE_SPEC}.items() if name not in PLACE_SPEC
}
WORKSPACE = re.compile(
    r"/subscriptions/[0-9a-f-]{36}/resourcegroups/[\w().-]{1,90}/providers/microsoft\.operationalinsights/workspaces/"
    r"[a-z0-9-]{4,63}",
    re.IGNORECASE,
)
# azure-monitor-docs «create-custom-table»; «data-collection-transformations-structure» for the length.
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,44}")
TABLE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}_CL")
RULE_NAME = re.compile(r"[A-Za-z0-9][\w-]{2,62}")
GROUP_NAME = re.compile(r"[\w().-]{0,89}[\w()-]")
RESERVED = frozenset({"_resourceid", "id", "_subscriptionid", "tenantid", "type", "uniqueid", "title"})
MOST_TRANSFORM = 15_360


class Setup(NamedTuple):
    """What a task wants. marked: the column that says which record is a probe; '' where there is none for it.

    probe_seconds: how long verify waits for its probe; None where it sends none.
    """

    identity: Identity
    wanted: Wanted
    marked: str
    wait_seconds: float
    watch: Watch
    may_be_quiet: bool
    probe_seconds: float | None


def setup(params: Mapping[str, Any]) -> Setup:
    """The checked parameters, typed. Raises InputError with every reason."""
    given = {**_DEFAULTS, **{name: value for name, value in params.items() if value is not None}}
    who = identity_options.identity({**UNUSED, **params})
    wanted = _wanted(given)
    if problems := _problems(wanted):
        raise InputError(READ, "; ".join(problems), next_step="correct the options; nothing was sent")
    column = marked(wanted)
    if given["probe"] and not (column and wanted.probes):
        why = "probes is off" if column else "no column of type string is in both columns and stream_columns"
        raise InputError(READ, f"probe needs what it can be known by, and the right to send: {why}")
    return Setup(
        who,
        wanted,
        column,
        float(given.get("wait_seconds", 0)),
        identity_options.watch(given),
        given["may_be_quiet"],
        float(given["probe_seconds"]) if given["probe"] else None,
    )


def _wanted(given: Mapping[str, Any]) -> Wanted:
    workspace, columns = given["workspace_id"].rstrip("/"), _columns(given["columns"])
    group = given["resource_group"] or (workspace.split("/") + [""] * 5)[4]
    return Wanted(
        workspace,
        given["table"],
        columns,
        group,
        given["rule"],
        _columns(given["stream_columns"]) or columns,
        given["transform"].strip(),
        tuple(one.casefold() for one in given["senders"]),
        given["probes"],
        given.get("state", "present") == "present",
        given.get("remove_table", False),
    )


def _columns(given: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(kind).casefold() for name, kind in given.items()}


def marked(wanted: Wanted) -> str:
    """The first column of text that is sent and kept under one name."""
    both = (name for name, kind in wanted.stream.items() if kind == "string" == wanted.columns.get(name))
    return next(both, "")


def _problems(wanted: Wanted) -> list[str]:
    found = []
    if not WORKSPACE.fullmatch(wanted.workspace):
        found.append(f"workspace_id must be the resource id of a Log Analytics workspace, not {wanted.workspace!r}")
    if not TABLE_NAME.fullmatch(wanted.table):
        found.append(f"table must be letters, digits and _ and end in _CL, not {wanted.table!r}")
    if not RULE_NAME.fullmatch(wanted.rule):
        found.append(f"rule {wanted.rule!r} is not a name that Azure allows there")
    if not GROUP_NAME.fullmatch(wanted.group):
        found.append(f"resource_group {wanted.group!r} is not a name that Azure allows there")
    found += [f"senders must be object ids (GUIDs), not {one!r}" for one in wanted.senders if not GUID.fullmatch(one)]
    for option, columns in (("columns", wanted.columns), ("stream_columns", wanted.stream)):
        found += _odd_columns(option, columns)
    if wanted.columns.get(TIME) != "datetime":
        found.append(f"columns must have {TIME}: datetime")
    return found + _odd_transform(wanted)


def _odd_columns(option: str, columns: Mapping[str, str]) -> list[str]:
    odd = [one for one in columns if not NAME.fullmatch(one) or one.casefold() in RESERVED]
    found = [f"{option}: {one!r} is not a name that Azure allows there" for one in odd]
    return found + [
        f"{option}: {name} has the unknown type {kind!r}{meant(kind, TYPES)}"
        for name, kind in columns.items()
        if kind not in TYPES
    ]


def _odd_transform(wanted: Wanted) -> list[str]:
    """What can be said of a transform without a parser: of one that does nothing all, of others the beginning."""
    if not re.match(r"source\b", wanted.transform) or len(wanted.transform) > MOST_TRANSFORM:
        return [f"transform must begin with source, and have at most {MOST_TRANSFORM} characters"]
    if wanted.transform != "source":
        return []
    wrong = [
        f"{name} is sent as {kind} and kept as {wanted.columns[name]}"
        for name, kind in wanted.stream.items()
        if wanted.columns.get(name, kind) != kind
    ]
    if TIME not in wanted.stream:
        wrong.append(f"{TIME} is not sent; a transform has to make it: source | extend {TIME} = now()")
    return [f"transform changes nothing, and {one}" for one in wrong]


CHECK = Check(RULE_MODULE_SPEC, setup, IDENTITY_RULES)
