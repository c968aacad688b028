# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rotation of one export's key: each step leaves in the file what the next run has to know, wherever this one ends.

1. The file is written with the time of the request: that proves that a secret can be kept, and tells of a request
   whose answer never came. 2. One request, and never a second. 3. The new pair is in the file before anything else.
4. The consumers have it. 5. It lists the bucket. 6. The pair before is looked at once, and forgotten if it is dead.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from .._core.client import NEVER_SENT
from .._core.errors import NoAnswerError, OnboardingError, RefusedError
from . import api, consumers
from .client import Umbrella
from .keyfile import KeyFile
from .plan import DEAD, WORKS, WRONG_SECRET, Export, Kept, lost

NOTHING_SENT = frozenset({*NEVER_SENT, "NotTried", "CertificateRefused"})
# Until a new key is known everywhere in AWS: Cisco's own add-on waits 15 s, ten minutes are assumed to be enough.
PROOF_SECONDS = 600.0
PROOF_PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)
KEEP_TRIES, KEEP_PAUSE = 5, 1.0
LOST_STEP = "run the drift playbook, which tells which key works and how to rotate once more"


async def rotate(client: Umbrella, file: KeyFile, export: Export, kept: Kept, *, leaving: bool = False) -> Kept:
    """Ask for a new pair and keep it, unproven. kept: what was known until now. Raises OnboardingError."""
    await client.sign_in(export.organization)
    before, now = file.read(), time.time()
    asked = kept._replace(asked=now, leaving=leaving)
    file.write(asked)
    try:
        pair = await api.rotate(client, export)
    except OnboardingError as error:
        if isinstance(error, NoAnswerError) and error.code not in NOTHING_SENT:
            raise await _answer_lost(client, export, asked, error) from error
        # Nothing was done: the file is as it was.
        if before is None:
            file.remove()
        else:
            file.write(before)
        raise
    previous = kept.pair if kept.pair.access_key_id else None
    fresh = Kept(pair, now, previous=previous, leaving=leaving)
    await _kept(file, fresh, kept)
    return fresh


async def _kept(file: KeyFile, fresh: Kept, kept: Kept) -> None:
    """Keep the only copy of a secret, with some patience. Raises RefusedError."""
    for number in range(1, KEEP_TRIES + 1):
        try:
            file.write(fresh)
            return
        except OnboardingError as error:
            if number == KEEP_TRIES:
                text = (
                    f"Umbrella has made {fresh.pair.access_key_id} in place of "
                    f"{kept.pair.access_key_id or 'an unknown key'}, and its secret could not be kept: {error.message}"
                )
                raise RefusedError(error.operation, text, code="SecretLost", next_step=LOST_STEP) from error
            await asyncio.sleep(KEEP_PAUSE)


async def _answer_lost(client: Umbrella, export: Export, asked: Kept, error: NoAnswerError) -> RefusedError:
    try:
        found = await api.listing(client, export, asked.pair) if asked.pair.access_key_id else None
    except OnboardingError:
        found = None
    text = f"{error.code}: {error.message}; {lost(asked, found)}"
    return RefusedError(error.operation, text, code="AnswerLost", status=error.status, next_step=LOST_STEP)


async def finish(client: Umbrella, file: KeyFile, export: Export, kept: Kept) -> Kept:
    """Hand a kept pair to its consumers, prove it, and see what became of the one before. Raises OnboardingError."""
    if kept.leaving:  # it stays after all: before anybody has the pair, so that the next to leave ends it
        kept = kept._replace(leaving=False)
        file.write(kept)
    for one in export.consumers:
        consumers.switch(one, kept.pair)
    await proven(lambda: api.listing(client, export, kept.pair), export, kept)
    previous = kept.previous
    if previous and await api.listing(client, export, previous) != WORKS:
        previous = None
    done = kept._replace(proven=True, previous=previous)
    file.write(done)
    return done


async def proven(look: Callable[[], Awaitable[str]], export: Export, kept: Kept) -> None:
    """Wait until the pair lists the bucket. Raises RefusedError."""
    until, number = time.monotonic() + PROOF_SECONDS, 0
    while (found := await look()) in (DEAD, WRONG_SECRET) and time.monotonic() < until:
        await asyncio.sleep(PROOF_PAUSES[min(number, len(PROOF_PAUSES) - 1)])
        number += 1
    if found != WORKS:
        text = (
            f"the new key {kept.pair.access_key_id} is kept, and does not list {export.bucket}/{export.prefix}: {found}"
        )
        step = "run again, which only proves it; if it stays, check bucket and prefix in Umbrella's dashboard"
        raise RefusedError(f"prove the new key of {export.name}", text, code="NotProven", next_step=step)


async def revoke(client: Umbrella, file: KeyFile, export: Export, kept: Kept) -> None:
    """Replace the pair by one that nobody has, and forget it. Raises OnboardingError."""
    done = kept.leaving and (not kept.asked or await _is_dead(client, export, kept))
    if not done:
        try:
            await rotate(client, file, export, kept._replace(asked=0.0), leaving=True)
        except RefusedError as error:
            # The secret of the new pair is not wanted: what counts is that the old one is dead.
            if error.code not in ("AnswerLost", "SecretLost") or not await _is_dead(client, export, kept):
                raise
    file.remove()


async def _is_dead(client: Umbrella, export: Export, kept: Kept) -> bool:
    return await api.listing(client, export, kept.pair) in (DEAD, WRONG_SECRET)
