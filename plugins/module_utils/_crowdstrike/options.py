# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specs of the Falcon modules."""

from __future__ import annotations

from typing import Any

from .._core.options import TIME_SPEC
from .package import POLICIES

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
