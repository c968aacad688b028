# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the Umbrella modules: the argument specs, and their values checked and typed once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import env_fallback

from .._aws.access import Keys, Place
from .._core.errors import InputError
from .._core.names import meant
from .._core.options import RUN_SPEC, TIME_SPEC, Check
from .bucket_plan import Bucket, Reader
from .freshness import FOLDERS
from .plan import DAY, ENDS, NEVER, NOW, WHEN_DUE, Consumer, Export, Pair, Policy

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
KEY = re.compile(r"[A-Z0-9]{16,128}")
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
MANAGED = re.compile(r"cisco-managed-(?P<region>[a-z0-9-]+)")
LOOPBACK = ("127.0.0.1", "localhost", "::1")

IDENTITY_SPEC: dict[str, dict[str, Any]] = {
    "api_url": {"type": "str", "default": "https://api.umbrella.com"},
    "api_key": {"type": "str", "no_log": False, "fallback": (env_fallback, ["UMBRELLA_API_KEY"])},
    "api_secret": {"type": "str", "no_log": True, "fallback": (env_fallback, ["UMBRELLA_API_SECRET"])},
    "aws_access_key_id": {"type": "str", "no_log": False, "fallback": (env_fallback, ["AWS_ACCESS_KEY_ID"])},
    "aws_secret_access_key": {"type": "str", "no_log": True, "fallback": (env_fallback, ["AWS_SECRET_ACCESS_KEY"])},
    "aws_session_token": {"type": "str", "no_log": True, "fallback": (env_fallback, ["AWS_SESSION_TOKEN"])},
    "aws_endpoint_url": {"type": "str"},
    "ca_file": {"type": "path"},
    "proxy": {"type": "str"},
    **TIME_SPEC,
}
CONSUMER_SPEC: dict[str, dict[str, Any]] = {
    "credentials_file": {"type": "path", "required": True},
    "profile": {"type": "str", "default": "default"},
}
# Of each export.
EXPORT_SPEC: dict[str, dict[str, Any]] = {
    "bucket": {"type": "str", "required": True},
    "prefix": {"type": "str", "required": True},
    "region": {"type": "str"},
    "organization": {"type": "str"},
    "access_key_id": {"type": "str", "no_log": False},
    "secret_access_key": {"type": "str", "no_log": True},
    "created": {"type": "str"},
    "consumers": {"type": "list", "elements": "dict", "options": CONSUMER_SPEC, "default": []},
    "folders": {"type": "list", "elements": "str", "choices": list(FOLDERS), "default": ["dnslogs"]},
    "columns": {"type": "dict", "default": {}},
}
EXPORTS_SPEC: dict[str, dict[str, Any]] = {
    "exports": {"type": "dict", "no_log": False, "default": {}},
    "key_folder": {"type": "path", "no_log": False},
    "vault_password": {"type": "str", "no_log": True},
}
READER_SPEC: dict[str, dict[str, Any]] = {
    "role": {"type": "str", "default": "umbrella-log-reader"},
    "principal_arn": {"type": "str", "required": True},
    "external_id": {"type": "str", "required": True},
}
BUCKET_SPEC: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "region": {"type": "str", "required": True},
    "prefix": {"type": "str", "default": ""},
    "retention_days": {"type": "int", "default": 30},
    "queue_arn": {"type": "str"},
    "reader": {"type": "dict", "options": READER_SPEC},
    "organization": {"type": "str"},
    "folders": EXPORT_SPEC["folders"],
    "columns": EXPORT_SPEC["columns"],
}
STATE_SPEC: dict[str, dict[str, Any]] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"}
}
ROTATION_SPEC: dict[str, dict[str, Any]] = {
    **IDENTITY_SPEC,
    **EXPORTS_SPEC,
    "rotate": {"type": "str", "choices": [WHEN_DUE, NOW, NEVER], "default": WHEN_DUE},
    "rotate_after_days": {"type": "int", "default": 75},
    "rotate_again": {"type": "str"},
    **STATE_SPEC,
    **RUN_SPEC,
}
OWN_BUCKET_SPEC: dict[str, dict[str, Any]] = {
    **IDENTITY_SPEC,
    "bucket": {"type": "dict", "options": BUCKET_SPEC},
    **STATE_SPEC,
    **RUN_SPEC,
}
# What only reads looks at both.
READ_SPEC: dict[str, dict[str, Any]] = {
    **IDENTITY_SPEC,
    **EXPORTS_SPEC,
    "bucket": OWN_BUCKET_SPEC["bucket"],
    "rotate_after_days": ROTATION_SPEC["rotate_after_days"],
    "concurrency": RUN_SPEC["concurrency"],
    "evidence_path": RUN_SPEC["evidence_path"],
}
RULES = {
    "required_together": [("api_key", "api_secret"), ("aws_access_key_id", "aws_secret_access_key")],
}


class Identity(NamedTuple):
    """Who asks, and where. aws: of the account that an own bucket is in, None for none."""

    api_url: str
    api_key: str
    api_secret: str
    place: Place = Place()
    aws: Keys | None = None
    ca_file: str | None = None
    proxy: str | None = None


class Setup(NamedTuple):
    """What a task wants of one tenant. columns: by name of export, '' for the own bucket, and folder."""

    identity: Identity
    exports: tuple[Export, ...] = ()
    key_folder: Path = Path()
    vault_password: str = ""
    bucket: Bucket | None = None
    policy: Policy = Policy()
    folders: Mapping[str, tuple[str, ...]] = {}
    columns: Mapping[str, Mapping[str, int]] = {}
    concurrency: int = 4


def setup(params: Mapping[str, Any]) -> Setup:
    """The checked parameters of any Umbrella module, typed. Raises InputError with every reason."""
    problems: list[str] = []
    api_url = _url("api_url", params["api_url"], problems)
    endpoint = _url("aws_endpoint_url", params["aws_endpoint_url"] or "", problems)
    aws = None
    if params["aws_access_key_id"]:
        aws = Keys(params["aws_access_key_id"], params["aws_secret_access_key"], params["aws_session_token"] or "")
    place = Place(endpoint, params["ca_file"], params["proxy"])
    identity = Identity(
        api_url, params["api_key"] or "", params["api_secret"] or "", place, aws, params["ca_file"], params["proxy"]
    )
    given = {str(name): _values(str(name), one, problems) for name, one in (params.get("exports") or {}).items()}
    exports = tuple(_export(name, one, problems) for name, one in given.items() if one)
    bucket = params.get("bucket")
    after = params.get("rotate_after_days", 75) * DAY
    if not 0 < after < ENDS:
        problems.append("rotate_after_days must be 1 to 89: a key ends after 90 days")
    if exports and not params.get("key_folder"):
        problems.append("exports need key_folder, where their keys are kept")
    if exports and not identity.api_key:
        problems.append("exports need api_key and api_secret, by which their keys are rotated")
    if bucket and aws is None:
        problems.append("bucket needs aws_access_key_id and aws_secret_access_key of its account")
    sources = {**given, **({"": bucket} if bucket else {})}
    found = Setup(
        identity,
        exports,
        Path(params.get("key_folder") or "."),
        params.get("vault_password") or "",
        _bucket(bucket, problems) if bucket else None,
        Policy(
            params.get("rotate", WHEN_DUE), after, params.get("rotate_again") or "", params.get("state") == "absent"
        ),
        {name: tuple(one["folders"]) for name, one in sources.items() if one},
        {name: _columns(name or "bucket", one, problems) for name, one in sources.items() if one},
        params.get("concurrency", 4),
    )
    if problems:
        raise InputError("read the options", "; ".join(problems), next_step="correct the options; nothing was sent")
    return found


def _url(option: str, text: str, problems: list[str]) -> str:
    """https, and http to this machine alone, where nobody is on the way."""
    try:
        parts = urlsplit(text)
        good = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        good = good and bool(parts.hostname) and not parts.query and parts.username is None
    except ValueError:
        good = False
    if text and not good:
        problems.append(f"{option} must be https://host[:port], with no user, password or query in it")
    return text.rstrip("/")


def _values(name: str, one: Any, problems: list[str]) -> dict[str, Any]:
    """Options of one export with their defaults, {} where they are wrong."""
    if not NAME.fullmatch(name):
        problems.append(f"exports: {name!r} must be small letters, digits, - and _")
    checked = ArgumentSpecValidator(EXPORT_SPEC, required_together=[("access_key_id", "secret_access_key")])
    found = checked.validate(one if isinstance(one, dict) else {})
    if found.error_messages:
        problems.append(f"exports: {name}: " + ", ".join(map(str, found.error_messages)))
        return {}
    return dict(found.validated_parameters)


def _export(name: str, one: Mapping[str, Any], problems: list[str]) -> Export:
    region = one["region"] or ""
    managed = MANAGED.fullmatch(one["bucket"])
    if not region and managed:
        region = managed["region"]
    if not BUCKET_NAME.fullmatch(one["bucket"]) or not REGION.fullmatch(region):
        problems.append(f"exports: {name}: bucket and region must be those of the data path, not {one['bucket']!r}")
    prefix = one["prefix"].strip("/")
    if not prefix or ".." in prefix or not prefix.isprintable():
        problems.append(f"exports: {name}: prefix must be the folder of the data path, below which its key may list")
    key = one["access_key_id"] or ""
    if key and not KEY.fullmatch(key):
        problems.append(f"exports: {name}: access_key_id must be capital letters and digits")
    return Export(
        name, one["bucket"], f"{prefix}/", region, one["organization"] or "",
        Pair(key, one["secret_access_key"]) if key else None, _day(name, one["created"], problems),
        tuple(Consumer(**each) for each in one["consumers"]),
    )  # fmt: skip


def _day(name: str, text: str | None, problems: list[str]) -> float:
    if not text:
        return 0.0
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        problems.append(f"exports: {name}: created must be a day, as 2026-11-30, not {text!r}")
        return 0.0
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _columns(name: str, one: Mapping[str, Any], problems: list[str]) -> dict[str, int]:
    found = {}
    for folder, number in one["columns"].items():
        if folder not in FOLDERS:
            problems.append(f"{name}: columns: there is no folder {folder!r}{meant(str(folder), FOLDERS)}")
        elif not str(number).isdigit():
            problems.append(f"{name}: columns: {folder} must be a number, not {number!r}")
        else:
            found[folder] = int(number)
    return found


def _bucket(one: Mapping[str, Any], problems: list[str]) -> Bucket:
    if not BUCKET_NAME.fullmatch(one["name"]) or "." in one["name"]:
        problems.append(f"bucket.name must be a name of S3 without dots, not {one['name']!r}")
    if not REGION.fullmatch(one["region"]):
        problems.append(f"bucket.region must be a region, as eu-central-1, not {one['region']!r}")
    if one["retention_days"] < 1:
        problems.append("bucket.retention_days must be at least 1")
    prefix = one["prefix"].strip("/")
    reader = Reader(**one["reader"]) if one["reader"] else None
    return Bucket(
        one["name"], one["region"], f"{prefix}/" if prefix else "", one["retention_days"], one["queue_arn"] or "",
        reader, one["organization"] or "",
    )  # fmt: skip


CHECK = Check(ROTATION_SPEC | {"bucket": OWN_BUCKET_SPEC["bucket"]}, setup, RULES)
