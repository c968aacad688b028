# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has arrived in the buckets of a tenant, folder by folder."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .._aws.access import Keys
from .._core.client import documented
from .._core.errors import InputError, OnboardingError
from .._core.freshness import STALE, UNREADABLE, Flow
from . import api
from . import freshness as rules
from .client import Umbrella
from .freshness import FOLDERS, File
from .keyfile import of_export
from .options import Setup

MAX_PAGES = 20
NO_KEY_STEP = "run the onboard playbook, which says how the first key is made"


class Source(NamedTuple):
    """A bucket that is read.

    changed: when its key was made; wanted: columns by folder; error: why nobody can read it.
    """

    name: str
    bucket: str
    prefix: str
    region: str
    organization: str
    keys: Keys | None
    folders: tuple[str, ...]
    wanted: Mapping[str, int]
    changed: float | None = None
    error: OnboardingError | None = None


def sources(client: Umbrella, wanted: Setup) -> Iterator[Source]:
    for export in wanted.exports:
        keys, changed, wrong = None, None, None
        try:
            kept = of_export(wanted, export).read()
            pair = kept.pair if kept else export.first
            if pair is None or not pair.access_key_id:
                raise InputError(f"read {export.name}", "no key of it is known", code="NoKey", next_step=NO_KEY_STEP)
            client.hide(pair.secret_access_key)
            keys, changed = api.keys(pair), kept.created if kept and not kept.proven else None
        except OnboardingError as error:
            wrong = error
        yield Source(
            export.name, export.bucket, export.prefix, export.region, export.organization, keys,
            wanted.folders[export.name], wanted.columns[export.name], changed, wrong,
        )  # fmt: skip
    if wanted.bucket:
        own = wanted.bucket
        yield Source(
            own.name, own.name, own.prefix, own.region, own.organization, wanted.identity.aws, wanted.folders[""],
            wanted.columns[""],
        )  # fmt: skip


async def flows(client: Umbrella, source: Source) -> list[Flow]:
    return [await _flow(client, source, folder) for folder in source.folders]


async def _flow(client: Umbrella, source: Source, folder: str) -> Flow:
    name, now = f"{source.name}/{folder}", time.time()
    if source.error or source.keys is None:
        return Flow(name, UNREADABLE, error=source.error)
    try:
        found = await _newest(client, source, source.keys, folder, now)
    except OnboardingError as error:
        return Flow(name, UNREADABLE, error=error)
    flow = rules.flow(name, folder, found, source.changed, now)
    if flow.state == STALE and FOLDERS[folder].activity:
        flow = await _explained(client, source, folder, flow)
    return rules.of_schema(flow, found, source.wanted.get(folder))


async def _explained(client: Umbrella, source: Source, folder: str, flow: Flow) -> Flow:
    """Silence, told from a broken export by what Umbrella has seen itself. Only where its API may be asked."""
    try:
        active = await api.activity(client, source.organization, FOLDERS[folder].activity)
    except OnboardingError as error:
        return rules.explained(flow, None, f"{error.code}: {error.message}")
    return rules.explained(flow, active)


async def _newest(client: Umbrella, source: Source, keys: Keys, folder: str, now: float) -> File | None:
    """The newest file of the folder, looked into; None for none. Raises OnboardingError."""
    below = f"{source.prefix}{folder}/"
    operation = f"list {source.bucket}/{below}"
    days = await _list(
        client, source, keys, operation, Prefix=below, Delimiter="/", StartAfter=below + rules.since(now)
    )
    with documented(operation):
        day = rules.newest_day([one["Prefix"] for page in days for one in page.get("CommonPrefixes", ())])
    if not day:
        return None
    pages = await _list(client, source, keys, operation, Prefix=day)
    with documented(operation):
        files = [(one["LastModified"].timestamp(), one["Key"]) for page in pages for one in page.get("Contents", ())]
    if not files:
        return None
    written, key = max(files)
    raw = await client.aws.read(keys, f"read {source.bucket}/{key}", source.region, source.bucket, key, rules.MAX_FILE)
    with documented(f"read {source.bucket}/{key}"):
        return rules.looked_into(key, written, raw)


async def _list(client: Umbrella, source: Source, keys: Keys, operation: str, **params: Any) -> list[dict[str, Any]]:
    """Pages of a listing; of a day that has more, the first: a file of later that day is looked for next time."""
    pages: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while len(pages) < MAX_PAGES:
        page = await client.aws.call(
            keys, "s3", "list_objects_v2", operation, source.region, Bucket=source.bucket, **params, **token
        )
        pages.append(page)
        if not page.get("IsTruncated"):
            break
        with documented(operation):
            token = {"ContinuationToken": page["NextContinuationToken"]}
    return pages
