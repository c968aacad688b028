# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sources of a tenant as given, checked. Pure."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .._core.errors import InputError
from . import names
from .host.rules import Refused, components

SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
PATTERN = re.compile(r"[A-Za-z0-9._@+=,:%~*?\[\]!-]+")
KEY_TYPES = frozenset(
    (
        "ssh-ed25519",
        "ssh-rsa",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
    )
)
MIB = 1024 * 1024
SOURCE_SPEC: dict[str, dict[str, Any]] = {
    "user": {"type": "str"},
    "keys": {"type": "list", "elements": "str", "required": True, "no_log": False},
    "from": {"type": "list", "elements": "str", "required": True},
    "directory": {"type": "str", "default": "/"},
    "names": {"type": "list", "elements": "str", "default": ["*"]},
    "max_file_mib": {"type": "int"},
    "legacy_keys": {"type": "bool", "default": False, "no_log": False},
    "legacy_transport": {"type": "bool", "default": False},
}


@dataclass(frozen=True)
class Source:
    """keys: «type base64» each; senders: addresses and networks; sizes in bytes."""

    name: str
    user: str
    keys: tuple[str, ...]
    senders: tuple[str, ...]
    directories: tuple[str, ...]
    patterns: tuple[str, ...]
    legacy_keys: bool
    legacy_transport: bool
    max_file_bytes: int


# Options of the whole that cannot be below zero.
NUMBERS = ("retention_days", "min_free_mib", "quota_mib", "max_files", "max_sessions", "undo_seconds")


def _wrong(what: str, message: str, next_step: str) -> InputError:
    return InputError(f"use the options of {what}", message, code="invalid_option", next_step=next_step)


def _strings(data: bytes) -> list[bytes]:
    """The fields of a public key (RFC 4253, 6.6); raises struct.error where they do not end with it."""
    parts, at = [], 0
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        at += 4 + length
        if at > len(data):
            raise struct.error("a field is longer than the key")
        parts.append(data[at - length : at])
    return parts


def public_key(text: str, source: str) -> str:
    """«type base64» of a key as an appliance shows it, in one line or broken in several; raises InputError.

    AsyncOS breaks its keys with carriage returns (Cisco TAC article 117992).
    """
    kind, _blank, rest = text.strip().partition(" ")
    if kind == "ssh-dss":
        raise _wrong(source, "it has a DSA key, which OpenSSH 10 no longer knows", "give the appliance's RSA key")
    if kind not in KEY_TYPES:
        raise _wrong(source, f"«{kind[:40]}» is no type of public key", "give keys as «ssh-rsa AAAA…», without options")
    blob, joined = "", rest.replace("\r", "\n").split("\n")
    for part in joined:
        words = part.split()
        blob += words[0] if words else ""
        if len(words) > 1:  # a comment ends the key
            break
    try:
        parts = _strings(base64.b64decode(blob, validate=True))
    except (binascii.Error, struct.error):
        parts = []
    if len(parts) < 2 or parts[0] != kind.encode():
        raise _wrong(source, "one of its keys is cut or damaged", "copy the whole key from the appliance again")
    return f"{kind} {blob}"


def _sender(text: str, source: str) -> str:
    try:
        network = ipaddress.ip_network(text, strict=True)
    except ValueError as error:
        raise _wrong(source, f"from: {error}", "give addresses or networks such as 192.0.2.7 or 192.0.2.0/24") from None
    return str(network) if "/" in text else str(network.network_address)


def _directory(text: str, source: str) -> str:
    try:
        return "/" + "/".join(components(text.encode()))
    except Refused as refusal:
        raise _wrong(source, f"directory: {refusal.text}", "give the path that the appliance is set to") from None


def _check(value: str, pattern: re.Pattern[str], what: str, option: str, next_step: str) -> str:
    if not pattern.fullmatch(value):
        raise _wrong(what, f"{option} cannot be «{value[:60]}»", next_step)
    return value


def tenant_name(text: str) -> str:
    return _check(text, SLUG, "the tenant", "tenant", "use small letters, digits and hyphens")


def _values(what: str, spec: Any) -> dict[str, Any]:
    if not isinstance(spec, Mapping):
        raise _wrong(what, "it is no dictionary", "give its options as keys with values")
    found = ArgumentSpecValidator(SOURCE_SPEC).validate(dict(spec))
    if found.error_messages:
        raise _wrong(what, "; ".join(found.error_messages), "correct it in the tenant file")
    return dict(found.validated_parameters)


def _source(name: str, spec: Any, tenant: str, max_file_mib: int) -> Source:
    _check(name, SLUG, "a source", "name", "use small letters, digits and hyphens")
    what = f"source {name}"
    given = _values(what, spec)
    user = given["user"] or names.user_name(tenant, name)
    if not given["keys"] or not given["from"]:
        raise _wrong(what, "keys and from are needed", "give at least one public key, and who may use it")
    own_limit = given["max_file_mib"]
    return Source(
        name=name,
        user=_check(user, USER, what, "user", "use at most 32 small letters, digits, hyphens and underscores"),
        # A file that keys are read from may not be written yet: then its lines are blank, and nobody is let in.
        keys=tuple(dict.fromkeys(public_key(key, what) for key in given["keys"] if key.strip())),
        senders=tuple(dict.fromkeys(_sender(sender, what) for sender in given["from"])),
        directories=(_directory(given["directory"], what),),
        patterns=tuple(_check(p, PATTERN, what, "names", "use globs such as *.s") for p in given["names"]),
        legacy_keys=given["legacy_keys"],
        legacy_transport=given["legacy_transport"],
        max_file_bytes=(max_file_mib if own_limit is None else own_limit) * MIB,
    )


def sources(given: Mapping[str, Any], tenant: str, max_file_mib: int) -> list[Source]:
    """All of them by name; raises InputError for the first that cannot be right."""
    found = [_source(name, spec, tenant, max_file_mib) for name, spec in sorted(given.items())]
    users = [source.user for source in found]
    if twice := sorted({user for user in users if users.count(user) > 1}):
        raise _wrong("sources", f"user {twice[0]} is given twice", "give each source its own")
    return found


def checked(params: Mapping[str, Any]) -> list[Source]:
    """The sources of checked parameters, whose numbers can be. Raises InputError."""
    for name in NUMBERS:
        if params[name] < 0:
            raise _wrong("the host", f"{name} is negative", "give 0 or more")
    if not 0 <= params["legacy_port"] <= 65535:
        raise _wrong("the host", "legacy_port is no port", "give a port below 65536, or 0")
    return sources(params["sources"], params["tenant"], params["max_file_mib"])
