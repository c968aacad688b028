# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations that are used, each a session at one appliance: from its words to the plan's types and back."""

from __future__ import annotations

from typing import NamedTuple

from .._core.errors import InternalError, NoAnswerError, OnboardingError, RefusedError
from .._core.status import IN_SYNC
from .._core.verdict import Verdict
from . import scripts
from .client import Esa
from .contract import Release, Version, release_of
from .dialogue import Unexpected
from .options import IDENTIFIERS, Appliance, Setup
from .plan import SCP, Found, Wanted, as_planned, found, plan
from .scripts import CLUSTER, MACHINE, Identity
from .session import Session

LEVELS = {"cluster": CLUSTER, "machine": MACHINE}
WRITES = {"create": "NEW", "update": "EDIT", "delete": "DELETE"}
STALE_STEP = "run again: somebody else has changed it in the meantime; nothing was committed"
NOT_TAKEN_STEP = "nothing was committed; run again, and if it stays, report the release and this text"


class Look(NamedTuple):
    """What one session has seen. hostname: '' where the prompt shows the cluster's; offered: operations of the menu."""

    version: Version
    hostname: str
    held: Found
    public_keys: tuple[str, ...] = ()
    offered: frozenset[str] = frozenset()


def for_release(wanted: Wanted, release: Release) -> Wanted:
    """Without what an older release does not ask for: the names of its files tell no serial number."""
    if "identifiers" in release.topics:
        return wanted
    return wanted._replace(fields={field: text for field, text in wanted.fields.items() if text != IDENTIFIERS})


async def look(esa: Esa, appliance: Appliance, wanted: Setup, *, rights: bool = False) -> Look:
    """Read only: no NEW and no EDIT is chosen. Raises OnboardingError."""

    def work(session: Session, identity: Identity) -> Look:
        release = release_of(identity.version)
        held = found(session.run(scripts.export(release)))
        by_key = any(one.fields.get("method") == SCP for one in wanted.subscriptions)
        keys = session.run(scripts.public_keys(release)) if by_key else []
        offered = session.run(scripts.offered(release)) if rights else frozenset()
        hostname = "" if identity.mode == CLUSTER else identity.place
        return Look(identity.version, hostname, held, tuple(keys), offered)

    return await esa.run(appliance, work)


async def write(esa: Esa, appliance: Appliance, wanted: Setup, one: Wanted, verdict: Verdict) -> Verdict:
    """The change and its commit, in one session. Gives the verdict on what was found before it.

    Where nobody can say what a commit did, the configuration says it, read anew; it is never sent again.
    Raises OnboardingError.
    """
    before: Verdict | None = None
    sent = False

    def work(session: Session, identity: Identity) -> None:
        nonlocal before, sent
        release = release_of(identity.version)
        wish = for_release(one, release)
        session.run(scripts.clustered(identity, LEVELS[wanted.level]))
        held = found(session.run(scripts.export(release)))
        before = plan(verdict.target, wish, held, leaving=wanted.leaving)
        if not before.action:
            return
        if before.action != verdict.action:
            operation, text = f"{verdict.action} {verdict.target}", f"it would be to {before.action} by now"
            raise RefusedError(operation, text, code="ChangedMeanwhile", next_step=STALE_STEP)
        answers = {"confirm": "yes"} if verdict.action == "delete" else wish.answers()
        session.run(scripts.write(release, WRITES[verdict.action], one.name, answers))
        _as_planned(verdict, wish, held, found(session.run(scripts.export(release))))
        sent = True
        session.run(scripts.commit(release))

    try:
        await esa.run(appliance, work)
    except (NoAnswerError, Unexpected):
        if not sent or not await _is_so(esa, appliance, wanted, one, verdict):
            raise
    if before is None:
        raise InternalError("write the subscription", "no plan was made")
    return before


async def _is_so(esa: Esa, appliance: Appliance, wanted: Setup, one: Wanted, verdict: Verdict) -> bool:
    seen = await look(esa, appliance, wanted)
    wish = for_release(one, release_of(seen.version))
    return plan(verdict.target, wish, seen.held, leaving=wanted.leaving).status == IN_SYNC


def _as_planned(verdict: Verdict, wish: Wanted, before: Found, now: Found) -> None:
    """Nothing is committed but what was planned. Raises RefusedError, with which the session ends."""
    if reason := as_planned(verdict, wish, before, now):
        code, step = ("NotAsPlanned", NOT_TAKEN_STEP)
        if "others" in reason:
            code, step = "ChangedMeanwhile", STALE_STEP
        raise RefusedError(f"{verdict.action} {verdict.target}", reason, code=code, next_step=step)


async def rollover(esa: Esa, appliance: Appliance, name: str) -> OnboardingError | None:
    """Why the log was not rolled over, None where it was."""

    def work(session: Session, identity: Identity) -> None:
        session.run(scripts.clustered(identity, MACHINE))
        session.run(scripts.rollover(release_of(identity.version), name))

    try:
        await esa.run(appliance, work)
    except OnboardingError as error:
        return error
    return None
