# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight: whether the API key signs in, and each export can be rotated and read, found by reading only."""

from __future__ import annotations

import os
import time

from .._aws.access import Keys
from .._core.errors import OnboardingError
from .._core.findings import CUSTOMER, MISSING, OK, PROVIDER, UNKNOWN, Finding
from . import api, plan
from .client import Umbrella
from .keyfile import of_export
from .options import Setup
from .plan import DEAD, WORKS, Export

REFUSED = (400, 401, 403, 404)


async def findings(client: Umbrella, wanted: Setup) -> list[Finding]:
    """The checks in the order in which a person would cure them."""
    keys = wanted.identity.aws
    found = [await _bucket(client, keys)] if wanted.bucket and keys else []
    if not wanted.exports:
        return found
    found += [_folder(wanted)]
    for organization in sorted({one.organization for one in wanted.exports}):
        found.append(await _sign_in(client, organization))
    for export in wanted.exports:
        found.append(await _export(client, wanted, export))
    return found


async def _bucket(client: Umbrella, keys: Keys) -> Finding:
    """Who the account's keys are: which rights they have AWS tells only by the writes themselves."""
    key = keys.access_key_id
    try:
        told = await client.aws.call(keys, "sts", "get_caller_identity", f"see whose key {key} is")
    except OnboardingError as error:
        return _failed("aws_sign_in", key, error)
    return Finding("aws_sign_in", key, OK, f"it is {told.get('Arn', 'not told')}")


def _folder(wanted: Setup) -> Finding:
    """The nearest folder that is there has to let files be made."""
    folder = wanted.key_folder
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if os.access(folder, os.W_OK | os.X_OK) and folder.is_dir():
        return Finding("key_folder", str(wanted.key_folder), OK, "keys can be kept there")
    step = f"let the user that runs this write to {folder}, or choose another key_folder"
    return Finding("key_folder", str(wanted.key_folder), MISSING, f"{folder} takes no file", PROVIDER, step)


async def _sign_in(client: Umbrella, organization: str) -> Finding:
    """The scope that a rotation needs shows only in a rotation."""
    subject = organization or "the API key's organization"
    try:
        await client.sign_in(organization)
    except OnboardingError as error:
        return _failed("sign_in", subject, error)
    return Finding("sign_in", subject, OK, "the API key is taken; whether it has admin.iam:write a rotation tells")


async def _export(client: Umbrella, wanted: Setup, export: Export) -> Finding:
    try:
        kept = of_export(wanted, export).read()
        pair = kept.pair if kept else export.first
        if pair is None or not pair.access_key_id:
            text = "no key of it is known, and the first one is made by hand"
            return Finding("first_key", export.name, MISSING, text, CUSTOMER, plan.FIRST_STEP)
        client.hide(pair.secret_access_key)
        listing = await api.listing(client, export, pair)
    except OnboardingError as error:
        return Finding("key", export.name, UNKNOWN, f"{error.code}: {error.message}", PROVIDER, error.next_step)
    if kept and kept.asked:
        step = "run the drift playbook, which tells how to go on"
        return Finding("key", export.name, MISSING, plan.lost(kept, listing), PROVIDER, step)
    if listing != WORKS:
        step = "run the drift playbook, which tells what to do about it"
        text = f"{pair.access_key_id} does not list {export.bucket}/{export.prefix}: {listing}"
        ended = " (it ends 90 days after it was made)" if listing == DEAD else ""
        return Finding("key", export.name, MISSING, text + ended, PROVIDER, step)
    created = kept.created if kept else export.created
    _why, reason = plan.due(plan.Kept(pair, created), wanted.policy, time.time())
    if reason:
        return Finding("key", export.name, OK, reason, PROVIDER, "run the onboard playbook, which rotates it")
    return Finding("key", export.name, OK, f"{pair.access_key_id} lists {export.bucket}/{export.prefix}")


def _failed(check: str, subject: str, error: OnboardingError) -> Finding:
    status = MISSING if error.status in REFUSED else UNKNOWN
    return Finding(check, subject, status, f"{error.code}: {error.message}", CUSTOMER, error.next_step)
