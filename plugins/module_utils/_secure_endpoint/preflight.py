# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight: the credential, its region and right, a free stream, a place for the password; found by reading only."""

from __future__ import annotations

import asyncio

from .._core.errors import InputError, MissingLibraryError, OnboardingError
from .._core.findings import CUSTOMER, MISSING, OK, PROVIDER, UNKNOWN, Finding
from .._core.status import BLOCKED
from .._core.verdict import Verdict
from . import api, probe
from .client import FIRST_STEP, STATUS_STEPS, SecureEndpoint
from .filters import resolved
from .options import Setup
from .plan import LIMIT, MAX_STREAMS, Kept, Policy, Wanted, plan

REFUSED = (401, 403, 404)


async def findings(client: SecureEndpoint, wanted: Setup) -> list[Finding]:
    """The checks in the order in which a person would cure them."""
    ours = [_place(client), _library()]
    if not wanted.identity.client_id:
        text = "no API credential is there to sign in with"
        return [Finding("api_credential", "Secure Endpoint", MISSING, text, CUSTOMER, FIRST_STEP), *ours]
    try:
        await client.settle()
    except OnboardingError as error:
        return [_failed("sign_in", wanted.identity.client_id, error), *ours]
    try:
        number = len(await api.streams(client))
    except OnboardingError as error:
        step = STATUS_STEPS[403] if error.status in (401, 403) else error.next_step
        return [_signed_in(client), _failed("event_streams", client.base, error, step), *ours]
    listed = Finding("event_streams", client.base, OK, f"{number} of {MAX_STREAMS} are there")
    kept = [one for one in client.place.held.streams.values() if one.id in {each.id for each in client.found}]
    queues = await asyncio.gather(*(_queue(one, wanted.identity.ca_file) for one in kept))
    return [_signed_in(client), listed, *await _streams(client, wanted), *ours, *queues]


def _signed_in(client: SecureEndpoint) -> Finding:
    return Finding("sign_in", client.identity.client_id, OK, f"at {client.base}")


async def _streams(client: SecureEndpoint, wanted: Setup) -> list[Finding]:
    """What is in the way of ours: names that are not there, the limit, a stream of our name."""
    try:
        await resolved(client, wanted.streams)
    except InputError as error:
        return [Finding("filters", client.base, MISSING, error.message, PROVIDER, error.next_step)]
    except OnboardingError as error:
        return [_failed("filters", client.base, error)]
    named = [Wanted(one.name) for one in wanted.streams]
    verdicts = plan(named, client.place.held, client.found, Policy())
    return [_stream(one) for one in verdicts]


def _stream(one: Verdict) -> Finding:
    """Only of five that are there a customer has to say which may go."""
    who = CUSTOMER if LIMIT in one.drift else PROVIDER
    return Finding("stream", one.target, MISSING if one.status == BLOCKED else OK, one.reason, who, one.next_step)


def _place(client: SecureEndpoint) -> Finding:
    """A password is shown once: without a place for it no stream is made."""
    subject = str(client.place.path)
    try:
        client.place.prove()
    except InputError as error:
        return Finding("secret_file", subject, MISSING, error.message, PROVIDER, error.next_step)
    return Finding("secret_file", subject, OK, "it can be written")


def _library() -> Finding:
    try:
        probe.pika()
    except MissingLibraryError as error:
        text = "without it the queue cannot be looked at, neither its reader nor what waits in it"
        return Finding("pika", "control node", MISSING, text, PROVIDER, error.next_step)
    return Finding("pika", "control node", OK, "the queue can be looked at")


async def _queue(one: Kept, ca_file: str | None) -> Finding:
    """The network's way to the queue, and whether it takes what we keep."""
    subject = f"{one.access.host}:{one.access.port}"
    try:
        depth = await asyncio.to_thread(probe.look, one.access, ca_file)
    except OnboardingError as error:
        return _failed("queue", subject, error)._replace(who=PROVIDER)
    return Finding("queue", subject, OK, f"{one.access.queue} has {depth.consumers} consumers")


def _failed(check: str, subject: str, error: OnboardingError, step: str = "") -> Finding:
    status = MISSING if error.status in REFUSED else UNKNOWN
    return Finding(check, subject, status, f"{error.code}: {error.message}", CUSTOMER, step or error.next_step)
