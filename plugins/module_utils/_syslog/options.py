# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specs of the syslog modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.errors import InputError
from .._core.options import Check
from .._host.given import placed
from .model import QUEUES, Receiver, check_authority, receiver

RECEIVER_SPEC: dict[str, dict[str, Any]] = {
    "tenant": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "sources": {"type": "dict", "default": {}},
    "outputs": {"type": "dict", "default": {}},
    "queue": {"type": "str", "choices": list(QUEUES), "default": "graceful"},
    "queue_size": {"type": "int", "default": 50000},
    "queue_disk_bytes": {"type": "int", "default": 1073741824},
    "checkpoint": {"type": "int", "default": 100},
    "max_message_size": {"type": "int", "default": 65536},
    "max_files": {"type": "int", "default": 256},
    "max_connections": {"type": "int", "default": 1000},
    "max_connections_per_sender": {"type": "int", "default": 500},
    "memory_max": {"type": "str", "default": "1G"},
    "retention_days": {"type": "int", "default": 30},
    "disk_low_percent": {"type": "int", "default": 15},
    "disk_stop_percent": {"type": "int", "default": 5},
    "quota_bytes": {"type": "int", "default": 0},
    "stats_seconds": {"type": "int", "default": 60},
    "file_roots": {"type": "list", "elements": "str", "default": ["/srv"]},
    "tls_ca": {"type": "str", "default": ""},
    "tls_certificate": {"type": "str", "default": ""},
    "tls_key": {"type": "str", "default": "", "no_log": True},
    "tls_ca_key": {"type": "str", "default": "", "no_log": True},
    "tls_signed": {"type": "dict", "default": {}},
    "tls_names": {"type": "list", "elements": "str", "default": []},
    "tls_key_type": {"type": "str", "choices": ["ec", "rsa"], "default": "ec"},
    "firewall": {"type": "bool", "default": True},
    "purge_records": {"type": "bool", "default": False},
}
DEFAULTS: dict[str, Any] = {name: spec.get("default") for name, spec in RECEIVER_SPEC.items()}
INFO_SPEC: dict[str, dict[str, Any]] = {
    "tenant": {"type": "str", "required": True},
    "sources": {"type": "dict", "default": {}},
    "outputs": {"type": "dict", "default": {}},
    "file_roots": RECEIVER_SPEC["file_roots"],
    "stats_seconds": RECEIVER_SPEC["stats_seconds"],
    "stale_minutes": {"type": "int", "default": 60},
}
PREFLIGHT_SPEC: dict[str, dict[str, Any]] = {
    "packages": {"type": "list", "elements": "str", "default": []},
    **{
        name: RECEIVER_SPEC[name]
        for name in (
            *("tenant", "sources", "outputs", "queue", "queue_disk_bytes", "disk_low_percent", "disk_stop_percent"),
            *("file_roots", "tls_ca", "tls_certificate", "tls_key"),
        )
    },
}


def checked(params: Mapping[str, Any]) -> Receiver:
    """The receiver of checked parameters. Raises InputError, which names the option."""
    try:
        found = receiver(params)
        check_authority(params)
        return found
    except InputError as error:
        raise placed(error, {"source": "sources", "output": "outputs"}) from None


CHECK = Check(RECEIVER_SPEC, checked)
