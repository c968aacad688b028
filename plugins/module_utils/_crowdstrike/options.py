# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specs of the Falcon modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.errors import InputError
from .._core.options import TIME_SPEC, Check
from .._host.given import placed, wrong
from .catalog import POLICIES
from .desired import Cid, cids

Spec = dict[str, dict[str, Any]]

_CIDS: Spec = {
    "tenant": {"type": "str", "required": True},
    "cids": {"type": "dict", "default": {}},
    "syslog_sources": {"type": "dict", "default": {}},
    "syslog_hosts": {"type": "dict", "default": {}},
    "file_roots": {"type": "list", "elements": "path", "default": []},
}
_SECRETS: Spec = {"secrets": {"type": "dict", "default": {}, "no_log": True}}
_WORDS: Spec = {
    "heartbeat_pattern": {"type": "str", "default": ""},
    "failure_patterns": {"type": "dict", "default": {}},
}
_STATE: Spec = {"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}}

CONNECTOR_SPEC: Spec = {
    **_CIDS,
    **_SECRETS,
    **_WORDS,
    **_STATE,
    "heartbeat_seconds": {"type": "int", "default": 120},
    "package_changes": {"type": "bool", "default": False},
    "remove_offsets": {"type": "bool", "default": False},
}
INFO_SPEC: Spec = {**_CIDS, **_WORDS, "stale_minutes": {"type": "int", "default": 15}}
API_SPEC: Spec = {
    **_CIDS,
    **_SECRETS,
    "ca_file": {"type": "path"},
    **TIME_SPEC,
    "clock": {"type": "float"},
    "running": {"type": "list", "elements": "str", "default": []},
}
PACKAGE_SPEC: Spec = {
    **_STATE,
    "src": {"type": "str", "default": ""},
    "version": {"type": "str", "default": ""},
    "sha256": {"type": "str", "default": ""},
    "version_change": {"type": "str", "choices": list(POLICIES), "default": "never"},
    "allow_unsupported_os": {"type": "bool", "default": False},
    "require_time_sync": {"type": "bool", "default": True},
}


def wanted(params: Mapping[str, Any]) -> tuple[Cid, ...]:
    """What is to be there. Raises InputError."""
    found = cids(params, params["secrets"] or {})
    if not found:
        raise wrong("cids", "there is none; a connector needs at least one")
    return found


def _checked(params: Mapping[str, Any]) -> tuple[Cid, ...]:
    """Before a run nobody knows the sources of other collectors, so an address stands for each."""
    given = {name: _sent_to_an_address(spec) for name, spec in params["cids"].items()}
    try:
        return wanted({**params, "cids": given})
    except InputError as error:
        raise placed(error, {"CID": "cids", "secrets": "secrets"}) from None


def _sent_to_an_address(spec: Any) -> Any:
    syslog = spec.get("syslog") if isinstance(spec, Mapping) else None
    if not isinstance(syslog, Mapping) or not syslog.get("source") or syslog.get("host"):
        return spec
    rest = {name: value for name, value in syslog.items() if name not in ("source", "collector")}
    return {**spec, "syslog": {**rest, "host": "192.0.2.1"}}


CHECK = Check(CONNECTOR_SPEC, _checked)
