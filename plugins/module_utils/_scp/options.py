# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the modules, in the form that Ansible checks; their meaning is in the modules' documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.errors import InputError
from .._core.options import Check
from .._host.given import placed
from .sources import Source, checked

TARGET_SPEC: dict[str, Any] = {
    "tenant": {"type": "str", "required": True},
    "sources": {"type": "dict", "default": {}},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "keep_files": {"type": "bool", "default": True},
    "reader_group": {"type": "str"},
    "retention_days": {"type": "int", "default": 14},
    "max_file_mib": {"type": "int", "default": 2048},
    "min_free_mib": {"type": "int", "default": 1024},
    "quota_mib": {"type": "int", "default": 10240},
    "max_files": {"type": "int", "default": 100000},
    "max_sessions": {"type": "int", "default": 16},
    "legacy_port": {"type": "int", "default": 0},
    "firewall": {"type": "bool", "default": True},
    "python": {"type": "path", "default": "/usr/bin/python3"},
    "ssh_service": {"type": "str", "default": "ssh"},
    "undo_seconds": {"type": "int", "default": 120},
}
CHANGE_SPEC: dict[str, Any] = {
    "tenant": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["confirmed", "undone"], "required": True},
}
INFO_SPEC: dict[str, Any] = {
    "tenant": {"type": "str", "required": True},
    "sources": {"type": "dict", "default": {}},
    "what": {"type": "str", "choices": ["preflight", "arrivals"], "required": True},
    "reader_group": {"type": "str"},
    "min_free_mib": {"type": "int", "default": 1024},
    "python": {"type": "path", "default": "/usr/bin/python3"},
    "legacy_port": {"type": "int", "default": 0},
    "stale_hours": {"type": "int", "default": 24},
}


def _checked(params: Mapping[str, Any]) -> list[Source]:
    try:
        return checked(params)
    except InputError as error:
        raise placed(error, {"source": "sources", "a source": "sources"}) from None


CHECK = Check(TARGET_SPEC, _checked)
